/*
 * What a sample entry's configuration says, and the RFC 6381 string that
 * follows from it: reckoned here once more for the codecs, so that a
 * mistake of the packager's is not repeated.
 */

#include <stdio.h>

#include "lib/base/reader.h"
#include "lib/codec/aac.h"
#include "lib/codec/avc.h"
#include "lib/mp4/box.h"
#include "reelctl/check.h"


#define CODEC(...) (void) snprintf(i->codec, sizeof(i->codec), __VA_ARGS__)


static void
fault(reel_check_init_t *i, const char *what)
{
    (void) snprintf(i->fault, sizeof(i->fault), "%s", what);
}


/* ISO 14496-15, 5.3.3.1 */
static void
read_avcc(reel_check_init_t *i, reel_str_t body)
{
    char            dst[16];
    size_t          n;
    reel_avc_sps_t  sps;

    if (body.len < 8
        || reel_avc_codec_string(dst, sizeof(dst), body) != REEL_OK)
    {
        fault(i, "avcC: cut short");
        return;
    }

    /* avc1 and avc3 share the box */
    CODEC("avc%c%s", i->entry == REEL_FOURCC('a', 'v', 'c', '3') ? '3' : '1',
          dst + 4);
    i->profile = (uint8_t) body.p[1];
    i->level = (uint8_t) body.p[3];
    i->nal_size = (body.p[4] & 3) + 1;

    n = (size_t) ((uint8_t) body.p[6] << 8 | (uint8_t) body.p[7]);

    if ((body.p[5] & 31) == 0 || n > body.len - 8
        || reel_avc_sps(&sps, (const uint8_t *) body.p + 8, n) != REEL_OK)
    {
        fault(i, "avcC: no SPS that can be read");
        return;
    }

    i->interlaced = sps.interlaced;

    if (i->transfer == 2) {
        i->primaries = sps.vui.primaries;
        i->transfer = sps.vui.transfer;
        i->matrix = sps.vui.matrix;
    }
}


/* ISO 14496-15, 8.3.3.1 and E.3 */
static void
read_hvcc(reel_check_init_t *i, reel_str_t body)
{
    int             last;
    size_t          used;
    char            constraints[20];
    uint32_t        compat, reversed, bit;
    const uint8_t  *p = (const uint8_t *) body.p;

    static const char  spaces[][2] = { "", "A", "B", "C" };

    if (body.len < 23) {
        fault(i, "hvcC: cut short");
        return;
    }

    compat = (uint32_t) p[2] << 24 | (uint32_t) p[3] << 16
             | (uint32_t) p[4] << 8 | p[5];

    for (bit = 0, reversed = 0; bit < 32; bit++) {
        reversed |= (compat >> bit & 1) << (31 - bit);
    }

    /* the six bytes of constraints, without zeros at their end */
    for (last = 5; last >= 0 && p[6 + last] == 0; last--) { /* void */ }

    for (bit = 0, used = 0; (int) bit <= last; bit++) {
        used += (size_t) snprintf(constraints + used,
                                  sizeof(constraints) - used, ".%X",
                                  p[6 + bit]);
    }

    constraints[used] = '\0';
    i->tier = p[1] >> 5 & 1;
    i->profile = p[1] & 31;
    i->level = p[12];
    i->nal_size = (p[21] & 3) + 1;
    i->interlaced = (p[6] & 0xc0) == 0x40;      /* interlaced, not progressive */
    CODEC("%s.%s%u.%X.%c%u%s", i->entry == REEL_FOURCC('h', 'e', 'v', '1')
          ? "hev1" : "hvc1", spaces[p[1] >> 6], i->profile, reversed,
          i->tier ? 'H' : 'L', i->level, constraints);
}


/* AV1 in ISOBMFF, 2.3 and 5 */
static void
read_av1c(reel_check_init_t *i, reel_str_t body)
{
    unsigned        depth;
    const uint8_t  *p = (const uint8_t *) body.p;

    if (body.len < 4) {
        fault(i, "av1C: cut short");
        return;
    }

    i->profile = p[1] >> 5;
    i->level = p[1] & 31;
    i->tier = p[2] >> 7;
    depth = p[2] & 0x40 ? (p[2] & 0x20 && i->profile == 2 ? 12 : 10) : 8;
    CODEC("av01.%u.%02u%c.%02u", i->profile, i->level, i->tier ? 'H' : 'M',
          depth);
}


/* VP codecs in ISOBMFF */
static void
read_vpcc(reel_check_init_t *i, reel_str_t body)
{
    const uint8_t  *p = (const uint8_t *) body.p;

    if (body.len < 12) {
        fault(i, "vpcC: cut short");
        return;
    }

    i->profile = p[4];
    i->level = p[5];
    CODEC("vp09.%02u.%02u.%02u", p[4], p[5], p[6] >> 4);
}


/* a descriptor of ISO 14496-1, 8.3.3: its body is in d */
static bool
descriptor(reel_reader_t *r, unsigned want, reel_reader_t *d)
{
    uint8_t   b = 0x80, tag = reel_read_u8(r);
    uint32_t  n = 0, i;

    for (i = 0; i < 4 && b & 0x80; i++) {
        b = reel_read_u8(r);
        n = n << 7 | (b & 0x7f);
    }

    *d = reel_read_sub(r, n);

    return r->err == REEL_OK && tag == want;
}


static void
read_esds(reel_check_init_t *i, reel_str_t body)
{
    uint8_t            flags, object;
    reel_str_t         asc;
    reel_reader_t      r, es, decoder, specific;
    reel_aac_config_t  aac;

    reel_reader_init(&r, body.p, body.len);
    reel_read_skip(&r, 4);

    if (!descriptor(&r, 3, &es)) {
        fault(i, "esds: no ES descriptor");
        return;
    }

    reel_read_skip(&es, 2);
    flags = reel_read_u8(&es);
    reel_read_skip(&es, (flags & 0x80 ? 2 : 0) + (flags & 0x20 ? 2 : 0));

    if (flags & 0x40 || !descriptor(&es, 4, &decoder)) {
        fault(i, "esds: no decoder configuration");
        return;
    }

    object = reel_read_u8(&decoder);
    reel_read_skip(&decoder, 12);

    if (object != 0x40 || !descriptor(&decoder, 5, &specific)) {
        CODEC("mp4a.%x", object);
        return;
    }

    asc = reel_read_bytes(&specific, reel_reader_left(&specific));

    if (reel_aac_config(&aac, asc) != REEL_OK
        || reel_aac_codec_string(i->codec, sizeof(i->codec), asc) != REEL_OK)
    {
        fault(i, "esds: an AudioSpecificConfig that cannot be read");
        return;
    }

    i->profile = aac.object_type;
    i->channels = aac.channels;
    i->sample_rate = aac.sample_rate;
}


/* ETSI TS 102 366, F.4: acmod and lfeon tell the channels */
static void
read_dac3(reel_check_init_t *i, reel_str_t body)
{
    const uint8_t  *p = (const uint8_t *) body.p;

    static const uint8_t  channels[] = { 2, 1, 2, 3, 3, 4, 4, 5 };

    CODEC("ac-3");

    if (body.len >= 3) {
        i->channels = channels[p[1] >> 3 & 7] + (p[1] >> 2 & 1u);
    }
}


static void
read_dec3(reel_check_init_t *i, reel_str_t body)
{
    const uint8_t  *p = (const uint8_t *) body.p;

    static const uint8_t  channels[] = { 2, 1, 2, 3, 3, 4, 4, 5 };

    CODEC("ec-3");

    if (body.len >= 5) {
        i->channels = channels[p[3] >> 1 & 7] + (p[3] & 1u);
    }
}


static void
read_dops(reel_check_init_t *i, reel_str_t body)
{
    CODEC("opus");

    if (body.len >= 2) {
        i->channels = (uint8_t) body.p[1];
    }
}


static void
read_dfla(reel_check_init_t *i, reel_str_t body)
{
    (void) body;
    CODEC("flac");
}


static const struct {
    const char   box[5];
    void       (*read)(reel_check_init_t *i, reel_str_t body);
} readers[] = {
    { "avcC", read_avcc }, { "hvcC", read_hvcc }, { "av1C", read_av1c },
    { "vpcC", read_vpcc }, { "esds", read_esds }, { "dac3", read_dac3 },
    { "dec3", read_dec3 }, { "dOps", read_dops }, { "dfLa", read_dfla }
};


void
reel_check_codec(reel_check_init_t *i, uint32_t box, reel_str_t body)
{
    size_t       n;
    const char  *t;

    for (n = 0; n < sizeof(readers) / sizeof(readers[0]); n++) {
        t = readers[n].box;

        if (box == REEL_FOURCC(t[0], t[1], t[2], t[3])) {
            readers[n].read(i, body);
            return;
        }
    }
}
