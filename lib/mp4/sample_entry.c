#include "lib/codec/aac.h"
#include "lib/codec/ac3.h"
#include "lib/codec/av1.h"
#include "lib/codec/avc.h"
#include "lib/codec/flac.h"
#include "lib/codec/hevc.h"
#include "lib/codec/mp3.h"
#include "lib/codec/opus.h"
#include "lib/codec/vp9.h"
#include "lib/mp4/box.h"
#include "lib/mp4/box_reader.h"
#include "lib/mp4/profile.h"
#include "lib/mp4/sample_entry.h"


/*
 * The descriptors of ISO 14496-1 that stand in esds, 7.2.6; lengths below
 * 128 take one byte.
 */
#define DESC_ES       3
#define DESC_DECODER  4
#define DESC_SPECIFIC 5
#define DESC_SL       6

#define ES_DEPENDENT  0x80      /* flags of the ES descriptor */
#define ES_URL        0x40
#define ES_OCR        0x20

#define OTI_AAC       0x40      /* ISO 14496-3 */
#define STREAM_AUDIO  (5 << 2 | 1)

/* more than parameter sets need */
#define CONFIG_MAX    (64 * 1024)

#define UNSPECIFIED   2         /* a code point of ISO 23091-2 */

#define WAVE          REEL_FOURCC('w', 'a', 'v', 'e')


static void write_esds(reel_buf_t *b, const reel_cmaf_track_t *t);
static reel_err_t read_esds(reel_cmaf_track_t *t, reel_reader_t *r);


static const reel_mp4_codec_t  codecs[] = {
    /* ISO 14496-15, 5.4.2 and 8.4.1 */
    { REEL_CODEC_AVC, REEL_TRACK_VIDEO, "avc1", "avcC", CONFIG_MAX,
      reel_brand_avc, reel_avc_facts, reel_avc_codec_string, NULL, NULL },
    { REEL_CODEC_HEVC, REEL_TRACK_VIDEO, "hvc1", "hvcC", CONFIG_MAX,
      reel_brand_hevc, reel_hevc_facts, reel_hevc_codec_string, NULL, NULL },

    /* AV1-ISOBMFF, 2.2 */
    { REEL_CODEC_AV1, REEL_TRACK_VIDEO, "av01", "av1C", CONFIG_MAX,
      reel_brand_av1, reel_av1_facts, reel_av1_codec_string, NULL, NULL },

    /* VP Codec ISO Media File Format Binding */
    { REEL_CODEC_VP9, REEL_TRACK_VIDEO, "vp09", "vpcC", CONFIG_MAX,
      NULL, reel_vp9_facts, reel_vp9_codec_string, NULL, NULL },

    /* ISO 14496-14, 6.7 */
    { REEL_CODEC_AAC, REEL_TRACK_AUDIO, "mp4a", "esds",
      REEL_AAC_CONFIG_MAX, reel_brand_aac, reel_aac_facts,
      reel_aac_codec_string, write_esds, read_esds },

    /* Encapsulation of Opus in ISO Base Media File Format, 4.3 */
    { REEL_CODEC_OPUS, REEL_TRACK_AUDIO, "Opus", "dOps", CONFIG_MAX,
      NULL, reel_opus_facts, reel_opus_codec_string, NULL, NULL },

    /* ETSI TS 102 366, annex F */
    { REEL_CODEC_AC3, REEL_TRACK_AUDIO, "ac-3", "dac3", CONFIG_MAX,
      NULL, reel_ac3_facts, reel_ac3_codec_string, NULL, NULL },
    { REEL_CODEC_EAC3, REEL_TRACK_AUDIO, "ec-3", "dec3", CONFIG_MAX,
      reel_brand_eac3, reel_eac3_facts, reel_eac3_codec_string, NULL, NULL },

    /* Encapsulation of FLAC in ISO Base Media File Format, 3.3 */
    { REEL_CODEC_FLAC, REEL_TRACK_AUDIO, "fLaC", "dfLa", CONFIG_MAX,
      NULL, reel_flac_facts, reel_flac_codec_string, NULL, NULL },

    /* as AAC's row, which is found first and tells them apart */
    { REEL_CODEC_MP3, REEL_TRACK_AUDIO, "mp4a", "esds", 1,
      NULL, reel_mp3_facts, reel_mp3_codec_string, write_esds, read_esds }
};

#define NCODECS (sizeof(codecs) / sizeof(codecs[0]))


static uint32_t
fourcc(const char *t)
{
    return REEL_FOURCC(t[0], t[1], t[2], t[3]);
}


const reel_mp4_codec_t *
reel_mp4_codec(reel_codec_t codec)
{
    size_t  i;

    for (i = 0; i < NCODECS; i++) {
        if (codecs[i].codec == codec) {
            return &codecs[i];
        }
    }

    return NULL;
}


/* ISO 14496-14, 6.7.2 */
static void
write_esds(reel_buf_t *b, const reel_cmaf_track_t *t)
{
    bool     mp3 = t->codec == REEL_CODEC_MP3;
    uint8_t  n = mp3 ? 0 : (uint8_t) t->config.len + 2;

    reel_buf_u32(b, 0);                     /* version and flags */

    reel_buf_u8(b, DESC_ES);
    reel_buf_u8(b, (uint8_t) (3 + 2 + 13 + n + 3));
    reel_buf_u16(b, 0);                     /* ES_ID */
    reel_buf_u8(b, 0);

    reel_buf_u8(b, DESC_DECODER);
    reel_buf_u8(b, (uint8_t) (13 + n));
    reel_buf_u8(b, mp3 ? (uint8_t) t->config.p[0] : OTI_AAC);
    reel_buf_u8(b, STREAM_AUDIO);
    reel_buf_u24(b, 0);                     /* bufferSizeDB */
    reel_buf_u32(b, t->bitrate);            /* maxBitrate */
    reel_buf_u32(b, t->bitrate);            /* avgBitrate */

    if (!mp3) {
        reel_buf_u8(b, DESC_SPECIFIC);
        reel_buf_u8(b, (uint8_t) t->config.len);
        reel_buf_adds(b, t->config);
    }

    reel_buf_u8(b, DESC_SL);
    reel_buf_u8(b, 1);
    reel_buf_u8(b, 2);                      /* predefined: in MP4 */
}


/* a descriptor of that tag: its payload; ISO 14496-1, 8.3.3 */
static reel_reader_t
read_descriptor(reel_reader_t *r, uint8_t tag)
{
    uint8_t   byte;
    uint32_t  i, n = 0;

    if (reel_read_u8(r) != tag && r->err == REEL_OK) {
        r->err = REEL_BADDATA;
    }

    for (i = 0; i < 4; i++) {
        byte = reel_read_u8(r);
        n = n << 7 | (byte & 0x7f);

        if (!(byte & 0x80)) {
            break;
        }
    }

    return reel_read_sub(r, n);
}


static reel_err_t
read_esds(reel_cmaf_track_t *t, reel_reader_t *r)
{
    uint8_t             flags;
    reel_str_t          type;
    reel_reader_t       es, decoder, specific;
    reel_codec_facts_t  f;

    reel_read_skip(r, 4);
    es = read_descriptor(r, DESC_ES);
    reel_read_skip(&es, 2);
    flags = reel_read_u8(&es);
    reel_read_skip(&es, flags & ES_DEPENDENT ? 2 : 0);
    reel_read_skip(&es, flags & ES_URL ? reel_read_u8(&es) : 0);
    reel_read_skip(&es, flags & ES_OCR ? 2 : 0);

    decoder = read_descriptor(&es, DESC_DECODER);

    type = reel_read_bytes(&decoder, 1);

    if (type.p == NULL) {
        return REEL_BADDATA;
    }

    reel_read_skip(&decoder, 1 + 3 + 4);
    t->bitrate = reel_read_u32(&decoder);

    if (reel_mp3_facts(&f, type) == REEL_OK) {
        t->codec = REEL_CODEC_MP3;
        t->config = type;
        return decoder.err;
    }

    if ((uint8_t) type.p[0] != OTI_AAC) {
        return REEL_UNSUPPORTED;
    }

    specific = read_descriptor(&decoder, DESC_SPECIFIC);
    t->config = reel_read_bytes(&specific, reel_reader_left(&specific));

    return specific.err;
}


static void
write_config(reel_buf_t *b, const reel_mp4_codec_t *c,
    const reel_cmaf_track_t *t)
{
    size_t  box = reel_box_begin(b, fourcc(c->box));

    if (c->write != NULL) {
        c->write(b, t);
    } else {
        reel_buf_adds(b, t->config);
    }

    reel_box_end(b, box);
}


/* 12.1.5: on-screen colours by code points of ISO 23091-2 */
static void
write_colr(reel_buf_t *b, const reel_cmaf_track_t *t)
{
    size_t  box;

    if (t->primaries == UNSPECIFIED && t->transfer == UNSPECIFIED
        && t->matrix == UNSPECIFIED)
    {
        return;
    }

    box = reel_box_begin(b, REEL_FOURCC('c', 'o', 'l', 'r'));
    reel_buf_addz(b, "nclx");
    reel_buf_u16(b, t->primaries);
    reel_buf_u16(b, t->transfer);
    reel_buf_u16(b, t->matrix);
    reel_buf_u8(b, t->full_range ? 0x80 : 0);
    reel_box_end(b, box);
}


/* 12.1.4 */
static void
write_pasp(reel_buf_t *b, const reel_cmaf_track_t *t)
{
    size_t  box;

    if (t->sar_num == t->sar_den) {
        return;
    }

    box = reel_box_begin(b, REEL_FOURCC('p', 'a', 's', 'p'));
    reel_buf_u32(b, t->sar_num);
    reel_buf_u32(b, t->sar_den);
    reel_box_end(b, box);
}


static void
read_pasp(reel_cmaf_track_t *t, reel_reader_t *r)
{
    t->sar_num = reel_read_u32(r);
    t->sar_den = reel_read_u32(r);

    if (t->sar_num == 0 || t->sar_den == 0) {
        t->sar_num = 0;
        t->sar_den = 0;
    }
}


static void
read_colr(reel_cmaf_track_t *t, reel_reader_t *r)
{
    if (reel_read_u32(r) != REEL_FOURCC('n', 'c', 'l', 'x')) {
        return;                             /* an ICC profile */
    }

    t->primaries = (uint8_t) reel_read_u16(r);
    t->transfer = (uint8_t) reel_read_u16(r);
    t->matrix = (uint8_t) reel_read_u16(r);
    t->full_range = (reel_read_u8(r) & 0x80) != 0;
}


/* 12.1.6 */
static void
write_mdcv(reel_buf_t *b, const reel_hdr_t *h)
{
    size_t    box;
    unsigned  i;

    if (!h->mastering) {
        return;
    }

    box = reel_box_begin(b, REEL_FOURCC('m', 'd', 'c', 'v'));

    for (i = 0; i < 3; i++) {
        reel_buf_u16(b, h->primaries[i][0]);
        reel_buf_u16(b, h->primaries[i][1]);
    }

    reel_buf_u16(b, h->white[0]);
    reel_buf_u16(b, h->white[1]);
    reel_buf_u32(b, h->max_luminance);
    reel_buf_u32(b, h->min_luminance);
    reel_box_end(b, box);
}


static void
read_mdcv(reel_cmaf_track_t *t, reel_reader_t *r)
{
    reel_hdr_mastering(&t->hdr, r);
}


/* 12.1.7 */
static void
write_clli(reel_buf_t *b, const reel_hdr_t *h)
{
    size_t  box;

    if (!h->light) {
        return;
    }

    box = reel_box_begin(b, REEL_FOURCC('c', 'l', 'l', 'i'));
    reel_buf_u16(b, h->max_cll);
    reel_buf_u16(b, h->max_fall);
    reel_box_end(b, box);
}


static void
read_clli(reel_cmaf_track_t *t, reel_reader_t *r)
{
    t->hdr.max_cll = reel_read_u16(r);
    t->hdr.max_fall = reel_read_u16(r);
    t->hdr.light = true;
}


/* VisualSampleEntry, 12.1.3 */
static void
write_visual(reel_buf_t *b, const reel_mp4_codec_t *c,
    const reel_cmaf_track_t *t)
{
    reel_buf_zero(b, 16);
    reel_buf_u16(b, t->width);
    reel_buf_u16(b, t->height);
    reel_buf_u32(b, 72 << 16);              /* dots an inch, by the standard */
    reel_buf_u32(b, 72 << 16);
    reel_buf_u32(b, 0);
    reel_buf_u16(b, 1);                     /* frame_count */
    reel_buf_zero(b, 32);                   /* compressorname */
    reel_buf_u16(b, 24);                    /* depth */
    reel_buf_u16(b, 0xffff);

    write_config(b, c, t);
    write_pasp(b, t);
    write_colr(b, t);
    write_mdcv(b, &t->hdr);
    write_clli(b, &t->hdr);
}


/*
 * AudioSampleEntry, 12.2.3.  16.16 cannot say 88200 and up: readers take
 * those from the configuration.  Where samples have a depth (FLAC), the
 * rate's largest regular division stands instead.
 */
static void
write_sound(reel_buf_t *b, const reel_mp4_codec_t *c,
    const reel_cmaf_track_t *t)
{
    uint32_t            rate = t->sample_rate;
    reel_codec_facts_t  f = { 0 };

    if (c->facts(&f, t->config) != REEL_OK) {
        f.bit_depth = 0;
    }

    while (rate > UINT16_MAX) {
        rate = f.bit_depth != 0 && rate % 2 == 0 ? rate / 2 : 0;
    }

    reel_buf_zero(b, 8);
    reel_buf_u16(b, t->channels);
    reel_buf_u16(b, f.bit_depth != 0 ? f.bit_depth : 16);
    reel_buf_zero(b, 4);
    reel_buf_u32(b, rate << 16);

    write_config(b, c, t);
}


void
reel_mp4_write_entry(reel_buf_t *b, const reel_cmaf_track_t *t)
{
    const reel_mp4_codec_t  *c = reel_mp4_codec(t->codec);

    size_t  entry = reel_box_begin(b, fourcc(c->entry));

    reel_buf_zero(b, 6);
    reel_buf_u16(b, 1);                     /* data_reference_index */

    if (c->track == REEL_TRACK_VIDEO) {
        write_visual(b, c, t);
    } else {
        write_sound(b, c, t);
    }

    reel_box_end(b, entry);
}


/* boxes that tell more than the configuration */
static void
read_extension(reel_cmaf_track_t *t, uint32_t type, reel_reader_t *body)
{
    size_t  i;

    static const struct {
        char   type[5];
        void (*read)(reel_cmaf_track_t *t, reel_reader_t *r);
    } boxes[] = {
        { "pasp", read_pasp }, { "colr", read_colr }, { "mdcv", read_mdcv },
        { "clli", read_clli }
    };

    for (i = 0; i < sizeof(boxes) / sizeof(boxes[0]); i++) {
        if (type == fourcc(boxes[i].type)) {
            boxes[i].read(t, body);
        }
    }
}


static reel_err_t
read_config(const reel_mp4_codec_t *c, reel_cmaf_track_t *t, reel_reader_t *r)
{
    if (c->read != NULL) {
        return c->read(t, r);
    }

    t->config = reel_read_bytes(r, reel_reader_left(r));

    return REEL_OK;
}


/* QuickTime ends a list of atoms with a zero, or with less */
static bool
at_end(const reel_reader_t *r)
{
    return reel_reader_left(r) < 4
           || (r->p[0] | r->p[1] | r->p[2] | r->p[3]) == 0;
}


/*
 * The boxes behind the fields of an entry; QuickTime wraps those of sound in
 * one more, with its own end.
 */
static reel_err_t
read_children(const reel_mp4_codec_t *c, reel_cmaf_track_t *t,
    reel_reader_t *r, bool inside, reel_error_t *e)
{
    uint32_t       type;
    reel_err_t     err;
    reel_reader_t  body;

    while (!at_end(r) && reel_box_next(r, &type, &body)) {

        if (type == WAVE && c->track == REEL_TRACK_AUDIO && !inside) {
            err = read_children(c, t, &body, true, e);
            if (err != REEL_OK) {
                return err;
            }

        } else if (type == fourcc(c->box)) {
            err = read_config(c, t, &body);
            if (err != REEL_OK) {
                return reel_fail(e, err, "%s: not one of ours", c->box);
            }

        } else if (c->track == REEL_TRACK_VIDEO) {
            read_extension(t, type, &body);
        }

        if (body.err != REEL_OK) {
            return reel_fail(e, REEL_BADDATA, "%s: a box is cut short",
                             c->entry);
        }
    }

    if (r->err != REEL_OK) {
        return reel_fail(e, r->err, "%s: a box does not fit", c->entry);
    }

    return REEL_OK;
}


/* does a box of four letters stand here, that fits? */
static bool
at_box(const reel_reader_t *in)
{
    uint8_t        c;
    unsigned       i;
    uint32_t       size;
    reel_reader_t  r = *in;

    size = reel_read_u32(&r);

    for (i = 0; i < 4; i++) {
        c = reel_read_u8(&r);

        if (c < ' ' || c > '~') {
            return false;
        }
    }

    return size >= REEL_BOX_HEAD && size <= reel_reader_left(in);
}


static void
read_fields(const reel_mp4_codec_t *c, reel_cmaf_track_t *t, reel_reader_t *r)
{
    unsigned  version;

    reel_read_skip(r, 8);

    if (c->track == REEL_TRACK_VIDEO) {
        reel_read_skip(r, 16);
        t->width = reel_read_u16(r);
        t->height = reel_read_u16(r);
        reel_read_skip(r, 50);
        return;
    }

    version = reel_read_u16(r);
    reel_read_skip(r, 6);
    t->channels = reel_read_u16(r);
    reel_read_skip(r, 6);
    t->sample_rate = reel_read_u32(r) >> 16;

    /* of QuickTime; ISO 14496-12 has a version 1, too, without more fields */
    if ((version == 1 || version == 2) && !at_box(r)) {
        reel_read_skip(r, version == 1 ? 16 : 36);
    }
}


/*
 * What the entry leaves open, its configuration tells; and of sound it tells
 * the truth, since an entry may say 2 channels of any (14496-14, 5.6).
 */
static reel_err_t
complete(const reel_mp4_codec_t *c, reel_cmaf_track_t *t, reel_error_t *e)
{
    reel_err_t          err;
    reel_codec_facts_t  f;

    if (t->config.p == NULL) {
        return reel_fail(e, REEL_BADDATA, "%s: no %s", c->entry, c->box);
    }

    err = c->facts(&f, t->config);
    if (err != REEL_OK) {
        return reel_fail(e, err, "%s: cannot be used", c->box);
    }

    if (c->track != REEL_TRACK_VIDEO) {
        t->channels = f.channels != 0 ? f.channels : t->channels;
        t->sample_rate = f.sample_rate != 0 ? f.sample_rate : t->sample_rate;

        return REEL_OK;
    }

    if (t->primaries == 0) {
        t->primaries = f.primaries;
        t->transfer = f.transfer;
        t->matrix = f.matrix;
        t->full_range = f.full_range;
    }

    if (!t->hdr.mastering && !t->hdr.light) {
        t->hdr = f.hdr;
    }

    return REEL_OK;
}


/*
 * Entries of which samples may hold parameter sets, too: the configuration
 * must have them nevertheless, so they are served as those that have all.
 */
static uint32_t
entry_of(uint32_t type)
{
    return type == REEL_FOURCC('h', 'e', 'v', '1')
           ? REEL_FOURCC('h', 'v', 'c', '1')
           : type == REEL_FOURCC('a', 'v', 'c', '3')
           ? REEL_FOURCC('a', 'v', 'c', '1') : type;
}


static reel_err_t
unknown_entry(uint32_t type, reel_error_t *e)
{
    char      name[5] = { 0 };
    unsigned  i;

    for (i = 0; i < 4; i++) {
        name[i] = (char) (type >> (24 - 8 * i) & 0xff);

        if (name[i] < ' ' || name[i] > '~') {
            return reel_fail(e, REEL_UNSUPPORTED, "stsd: sample entry %08x",
                             (unsigned) type);
        }
    }

    return reel_fail(e, REEL_UNSUPPORTED, "stsd: sample entry %s", name);
}


reel_err_t
reel_mp4_read_entry(reel_cmaf_track_t *t, uint32_t type, reel_reader_t *r,
    reel_error_t *e)
{
    size_t                   i;
    reel_err_t               err;
    const reel_mp4_codec_t  *c = NULL;

    type = entry_of(type);

    for (i = 0; i < NCODECS && c == NULL; i++) {
        if (type == fourcc(codecs[i].entry)) {
            c = &codecs[i];
        }
    }

    if (c == NULL) {
        return unknown_entry(type, e);
    }

    t->codec = c->codec;
    read_fields(c, t, r);

    err = read_children(c, t, r, false, e);
    if (err != REEL_OK) {
        return err;
    }

    c = reel_mp4_codec(t->codec);           /* esds tells more than one */

    err = complete(c, t, e);
    if (err != REEL_OK) {
        return err;
    }

    if (c->track == REEL_TRACK_VIDEO ? t->width == 0 || t->height == 0
                                     : t->channels == 0 || t->sample_rate == 0)
    {
        return reel_fail(e, REEL_BADDATA, "%s: nothing to see or hear",
                         c->entry);
    }

    return REEL_OK;
}
