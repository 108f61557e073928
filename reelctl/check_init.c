/* headers of fragmented MP4: ftyp and moov, ISO 14496-12 */

#include <stdio.h>

#include "lib/base/reader.h"
#include "lib/mp4/box.h"
#include "reelctl/check.h"


#define DEPTH 10

#define CC(z) REEL_FOURCC((z)[0], (z)[1], (z)[2], (z)[3])


typedef struct {
    reel_check_init_t *i;
    unsigned           depth;
} state_t;

static void walk(state_t *st, reel_reader_t *r, uint32_t parent);


static void
fault(state_t *st, const char *what, uint32_t box)
{
    char  name[5];

    if (st->i->fault[0] == '\0') {
        (void) snprintf(st->i->fault, sizeof(st->i->fault), "%s: %s",
                        reel_check_fourcc(box, name), what);
    }
}


const char *
reel_check_fourcc(uint32_t v, char dst[5])
{
    unsigned  n;

    for (n = 0; n < 4; n++) {
        dst[n] = (char) (v >> (24 - 8 * n));

        if (dst[n] < ' ' || dst[n] > '~') {
            dst[n] = '?';
        }
    }

    dst[4] = '\0';

    return dst;
}


static void
read_ftyp(state_t *st, reel_reader_t *r)
{
    bool      minor = false;
    uint32_t  brand;

    while (reel_reader_left(r) >= 4) {
        brand = reel_read_u32(r);
        st->i->cmaf |= brand == CC("cmfc") || brand == CC("cmf2");

        if (!minor) {
            reel_read_skip(r, 4);       /* minor_version, behind the first */
            minor = true;
        }
    }
}


static void
read_tkhd(state_t *st, reel_reader_t *r)
{
    uint8_t  version = reel_read_u8(r);

    reel_read_skip(r, version == 1 ? 19 : 11);
    st->i->track_id = reel_read_u32(r);
}


static void
read_mdhd(state_t *st, reel_reader_t *r)
{
    uint8_t   version = reel_read_u8(r);
    uint16_t  packed;
    unsigned  n;

    reel_read_skip(r, version == 1 ? 19 : 11);
    st->i->timescale = reel_read_u32(r);
    reel_read_skip(r, version == 1 ? 8 : 4);
    packed = reel_read_u16(r);

    for (n = 0; n < 3; n++) {
        st->i->language[n] = (char) (0x60 + (packed >> (10 - 5 * n) & 31));
    }
}


static void
read_hdlr(state_t *st, reel_reader_t *r)
{
    reel_read_skip(r, 8);
    st->i->handler = reel_read_u32(r);
}


static void
read_trex(state_t *st, reel_reader_t *r)
{
    reel_read_skip(r, 12);
    st->i->duration = reel_read_u32(r);
    st->i->size = reel_read_u32(r);
    st->i->flags = reel_read_u32(r);
    st->i->fragmented = true;
}


static void
read_colr(state_t *st, reel_reader_t *r)
{
    if (reel_read_u32(r) == CC("nclx")) {
        st->i->primaries = (uint8_t) reel_read_u16(r);
        st->i->transfer = (uint8_t) reel_read_u16(r);
        st->i->matrix = (uint8_t) reel_read_u16(r);
    }
}


/* ISO 23001-7, 8.2 */
static void
read_tenc(state_t *st, reel_reader_t *r)
{
    uint8_t     version, pattern;
    reel_str_t  kid;

    version = reel_read_u8(r);
    reel_read_skip(r, 4);
    pattern = reel_read_u8(r);
    st->i->encrypted = reel_read_u8(r) != 0;
    reel_read_skip(r, 1);
    kid = reel_read_bytes(r, 16);

    if (version != 0) {
        st->i->crypt = pattern >> 4;
        st->i->skip = pattern & 15;
    }

    if (kid.p != NULL) {
        memcpy(st->i->kid, kid.p, 16);
    }
}


static void
read_schm(state_t *st, reel_reader_t *r)
{
    reel_read_skip(r, 4);
    st->i->scheme = reel_read_u32(r);
}


static void
read_frma(state_t *st, reel_reader_t *r)
{
    st->i->entry = reel_read_u32(r);
}


/* stts, stsz, stsc, stco of a fragmented file have no entries */
static void
read_table(state_t *st, reel_reader_t *r)
{
    reel_read_skip(r, 4);
    st->i->samples |= reel_read_u32(r) != 0;
}


static void
read_edits(state_t *st, reel_reader_t *r)
{
    (void) r;
    st->i->edits = true;
}


static void
read_ludt(state_t *st, reel_reader_t *r)
{
    (void) r;
    st->i->loudness = true;
}


/* the fixed part of a sample entry, then its boxes */
static void
read_stsd(state_t *st, reel_reader_t *r)
{
    uint32_t       size, type;
    reel_reader_t  e;

    reel_read_skip(r, 4);

    if (reel_read_u32(r) != 1) {
        fault(st, "not one sample entry", CC("stsd"));
        return;
    }

    size = reel_read_u32(r);
    type = reel_read_u32(r);
    e = reel_read_sub(r, size >= 8 ? size - 8 : 0);
    st->i->entry = type;
    reel_read_skip(&e, 8);

    if (st->i->handler == CC("vide")) {
        reel_read_skip(&e, 16);
        st->i->width = reel_read_u16(&e);
        st->i->height = reel_read_u16(&e);
        reel_read_skip(&e, 50);

    } else if (st->i->handler == CC("soun")) {
        reel_read_skip(&e, 8);
        st->i->channels = reel_read_u16(&e);
        reel_read_skip(&e, 6);
        st->i->sample_rate = reel_read_u32(&e) >> 16;

    } else if (type == CC("wvtt") || type == CC("stpp")) {
        (void) snprintf(st->i->codec, sizeof(st->i->codec), "%s",
                        type == CC("wvtt") ? "wvtt" : "stpp.ttml.im1t");
    }

    if (e.err != REEL_OK || r->err != REEL_OK) {
        fault(st, "a sample entry is cut short", CC("stsd"));
        return;
    }

    walk(st, &e, type);
}


/* frma comes before the configuration only by luck: that is read last */
static void
read_config(state_t *st, uint32_t type, reel_reader_t *r)
{
    reel_str_t  body = { (const char *) r->p, reel_reader_left(r) };

    reel_check_codec(st->i, type, body);
}


static void
read_container(state_t *st, reel_reader_t *r)
{
    walk(st, r, 0);
}


static void
read_trak(state_t *st, reel_reader_t *r)
{
    st->i->tracks++;
    walk(st, r, 0);
}


static const struct {
    const char   type[5];
    void       (*read)(state_t *st, reel_reader_t *r);
} boxes[] = {
    { "ftyp", read_ftyp }, { "moov", read_container }, { "trak", read_trak },
    { "tkhd", read_tkhd }, { "mdia", read_container }, { "mdhd", read_mdhd },
    { "hdlr", read_hdlr }, { "minf", read_container },
    { "stbl", read_container }, { "stsd", read_stsd }, { "stts", read_table },
    { "stsc", read_table }, { "stco", read_table }, { "mvex", read_container },
    { "trex", read_trex }, { "colr", read_colr }, { "sinf", read_container },
    { "frma", read_frma }, { "schm", read_schm }, { "schi", read_container },
    { "tenc", read_tenc }, { "elst", read_edits }, { "edts", read_container },
    { "udta", read_container }, { "ludt", read_ludt }
};


static void
take(state_t *st, uint32_t type, reel_reader_t *body)
{
    size_t  n;

    for (n = 0; n < sizeof(boxes) / sizeof(boxes[0]); n++) {

        if (type == CC(boxes[n].type)) {
            boxes[n].read(st, body);

            if (body->err != REEL_OK) {
                fault(st, "cut short", type);
            }

            return;
        }
    }

    read_config(st, type, body);
}


static void
walk(state_t *st, reel_reader_t *r, uint32_t parent)
{
    uint32_t       size, type;
    reel_reader_t  body, again = *r;

    if (++st->depth > DEPTH) {
        fault(st, "boxes nest too deeply", parent);
        return;
    }

    /* colours stand behind the configuration, whose own count less */
    for (unsigned round = 0; round < 2; round++) {
        *r = again;

        while (reel_reader_left(r) >= REEL_BOX_HEAD) {
            size = reel_read_u32(r);
            type = reel_read_u32(r);

            if (size < REEL_BOX_HEAD
                || size - REEL_BOX_HEAD > reel_reader_left(r))
            {
                fault(st, "a box does not fit", type);
                break;
            }

            body = reel_read_sub(r, size - REEL_BOX_HEAD);

            if ((round == 0) == (type == CC("colr") || type == CC("sinf")
                                 || type == CC("hdlr")))
            {
                take(st, type, &body);
            }
        }
    }

    st->depth--;
}


void
reel_check_init(reel_check_init_t *i, const uint8_t *p, size_t n)
{
    state_t        st = { .i = i };
    reel_reader_t  r;

    *i = (reel_check_init_t) { .read = true, .primaries = 2, .transfer = 2,
                               .matrix = 2 };

    if (n < REEL_BOX_HEAD || memcmp(p + 4, "ftyp", 4) != 0) {
        fault(&st, "the file does not begin with it", CC("ftyp"));
        return;
    }

    reel_reader_init(&r, p, n);
    walk(&st, &r, 0);

    if (i->tracks == 0 || i->timescale == 0) {
        fault(&st, "no track with a timescale", CC("moov"));

    } else if (i->codec[0] == '\0') {
        fault(&st, "a sample entry without a known configuration",
              i->entry != 0 ? i->entry : CC("stsd"));
    }
}
