#include "lib/mp4/box.h"
#include "lib/mp4/box_reader.h"
#include "lib/mp4/sample_entry.h"
#include "lib/mp4/trak.h"


#define UNITY  0x00010000       /* 1.0 as 16.16 */


typedef struct {
    reel_trak_t  *t;
    reel_error_t *e;
    unsigned      seen;                 /* bit i: boxes[i] was read */
} state_t;

typedef struct {
    const char  type[5];
    const char *parent;
    reel_err_t (*read)(state_t *st, reel_reader_t *r);  /* NULL: descend … */
    int         table;                  /* … or keep the payload, if >= 0 */
    bool        must;
} box_t;


static reel_err_t read_tkhd(state_t *st, reel_reader_t *r);
static reel_err_t read_mdhd(state_t *st, reel_reader_t *r);
static reel_err_t read_hdlr(state_t *st, reel_reader_t *r);
static reel_err_t read_stsd(state_t *st, reel_reader_t *r);


/* each at most once; others are skipped */
static const box_t  boxes[] = {
    { "tkhd", "trak", read_tkhd, -1, true },
    { "tref", "trak", NULL, -1, false },
    { "chap", "tref", NULL, REEL_TRAK_CHAP, false },
    { "edts", "trak", NULL, -1, false },
    { "elst", "edts", NULL, REEL_TRAK_ELST, false },
    { "mdia", "trak", NULL, -1, true },
    { "mdhd", "mdia", read_mdhd, -1, true },
    { "hdlr", "mdia", read_hdlr, -1, true },
    { "minf", "mdia", NULL, -1, true },
    { "stbl", "minf", NULL, -1, true },
    { "stsd", "stbl", read_stsd, -1, true },
    { "stts", "stbl", NULL, REEL_TRAK_STTS, false },
    { "ctts", "stbl", NULL, REEL_TRAK_CTTS, false },
    { "stss", "stbl", NULL, REEL_TRAK_STSS, false },
    { "stsz", "stbl", NULL, REEL_TRAK_STSZ, false },
    { "stz2", "stbl", NULL, REEL_TRAK_STZ2, false },
    { "stsc", "stbl", NULL, REEL_TRAK_STSC, false },
    { "stco", "stbl", NULL, REEL_TRAK_STCO, false },
    { "co64", "stbl", NULL, REEL_TRAK_CO64, false }
};

#define NBOXES (sizeof(boxes) / sizeof(boxes[0]))


static uint32_t
fourcc(const char *t)
{
    return REEL_FOURCC(t[0], t[1], t[2], t[3]);
}


/* how a picture is turned; one that says nothing may be all zeros */
static void
read_matrix(reel_cmaf_track_t *t, reel_reader_t *r)
{
    unsigned  i;

    for (i = 0; i < 9; i++) {
        t->transform[i] = reel_read_u32(r);
    }

    t->turned = (t->transform[0] != UNITY || t->transform[4] != UNITY
                 || t->transform[1] != 0 || t->transform[3] != 0)
                && t->transform[8] != 0;
}


/* 8.3.2; version 1 has times of 64 bits */
static reel_err_t
read_tkhd(state_t *st, reel_reader_t *r)
{
    uint8_t  version = reel_read_u8(r);

    reel_read_skip(r, version == 1 ? 3 + 16 : 3 + 8);
    st->t->cmaf.track_id = reel_read_u32(r);
    reel_read_skip(r, version == 1 ? 4 + 8 + 16 : 4 + 4 + 16);
    read_matrix(&st->t->cmaf, r);

    if (r->err == REEL_OK && st->t->cmaf.track_id == 0) {
        return reel_fail(st->e, REEL_BADDATA, "tkhd: track 0");
    }

    return REEL_OK;
}


/* 8.4.2; what is no code of letters is "und" */
static reel_err_t
read_mdhd(state_t *st, reel_reader_t *r)
{
    char      c;
    uint8_t   version = reel_read_u8(r);
    unsigned  i, language;

    reel_read_skip(r, version == 1 ? 3 + 16 : 3 + 8);
    st->t->cmaf.timescale = reel_read_u32(r);
    st->t->duration = version == 1 ? reel_read_u64(r) : reel_read_u32(r);
    language = reel_read_u16(r);

    if (r->err == REEL_OK && st->t->cmaf.timescale == 0) {
        return reel_fail(st->e, REEL_BADDATA, "mdhd: timescale 0");
    }

    for (i = 0; i < 3; i++) {
        c = (char) ((language >> (10 - 5 * i) & 0x1f) + 0x60);

        if (c < 'a' || c > 'z') {
            memcpy(st->t->cmaf.language, "und", sizeof("und"));
            break;
        }

        st->t->cmaf.language[i] = c;
    }

    return REEL_OK;
}


static reel_err_t
read_hdlr(state_t *st, reel_reader_t *r)
{
    reel_read_skip(r, 8);
    st->t->handler = reel_read_u32(r);

    return REEL_OK;
}


/* 8.5.2; one entry: fragments choose none */
static reel_err_t
read_stsd(state_t *st, reel_reader_t *r)
{
    uint32_t       type;
    reel_reader_t  body;

    reel_read_skip(r, 4);

    if (reel_read_u32(r) != 1 && r->err == REEL_OK) {
        return reel_fail(st->e, REEL_UNSUPPORTED,
                         "stsd: not one sample entry");
    }

    if (!reel_box_next(r, &type, &body)) {
        return reel_fail(st->e, REEL_BADDATA, "stsd: no sample entry");
    }

    if (type == REEL_FOURCC('t', 'x', '3', 'g')) {
        st->t->text = true;
        reel_read_skip(&body, 8);
        st->t->flags = reel_read_u32(&body);

        return REEL_OK;
    }

    /* what stands behind it is nobody's */
    return reel_mp4_read_entry(&st->t->cmaf, type, &body, st->e);
}


static reel_err_t read_boxes(state_t *st, const char *parent,
    reel_reader_t *r);


static size_t
find_box(const char *parent, uint32_t type)
{
    size_t  i;

    for (i = 0; i < NBOXES; i++) {
        if (type == fourcc(boxes[i].type)
            && strcmp(boxes[i].parent, parent) == 0)
        {
            break;
        }
    }

    return i;
}


static reel_err_t
read_box(state_t *st, const box_t *box, reel_reader_t *body)
{
    if (box->read != NULL) {
        return box->read(st, body);
    }

    if (box->table >= 0) {
        st->t->tables[box->table] = reel_read_bytes(body,
                                                    reel_reader_left(body));
        return REEL_OK;
    }

    return read_boxes(st, box->type, body);
}


/* the boxes of a container; the table bounds how deep they lie */
static reel_err_t
read_boxes(state_t *st, const char *parent, reel_reader_t *r)
{
    size_t         i;
    uint32_t       type;
    reel_err_t     err;
    reel_reader_t  body;

    while (reel_box_next(r, &type, &body)) {

        i = find_box(parent, type);
        if (i == NBOXES) {
            continue;
        }

        if (st->seen & 1u << i) {
            return reel_fail(st->e, REEL_BADDATA, "%s: a second one",
                             boxes[i].type);
        }

        st->seen |= 1u << i;

        err = read_box(st, &boxes[i], &body);
        if (err != REEL_OK) {
            return err;
        }

        if (body.err != REEL_OK) {
            return reel_fail(st->e, REEL_BADDATA, "%s: cut short",
                             boxes[i].type);
        }
    }

    if (r->err != REEL_OK) {
        return reel_fail(st->e, REEL_BADDATA, "%s: a box does not fit",
                         parent);
    }

    return REEL_OK;
}


/* does all stand, and do handler and sample entry tell the same? */
static reel_err_t
check_seen(const state_t *st)
{
    size_t    i;
    uint32_t  handler;

    for (i = 0; i < NBOXES; i++) {
        if (boxes[i].must && !(st->seen & 1u << i)) {
            return reel_fail(st->e, REEL_BADDATA, "%s: no %s",
                             boxes[i].parent, boxes[i].type);
        }
    }

    if (st->t->text) {
        return REEL_OK;
    }

    handler = reel_mp4_codec(st->t->cmaf.codec)->track == REEL_TRACK_VIDEO
              ? REEL_FOURCC('v', 'i', 'd', 'e')
              : REEL_FOURCC('s', 'o', 'u', 'n');

    if (st->t->handler != handler) {
        return reel_fail(st->e, REEL_BADDATA,
                         "hdlr: another kind than its sample entry");
    }

    return REEL_OK;
}


reel_err_t
reel_mp4_read_trak(reel_trak_t *t, reel_reader_t *r, reel_error_t *e)
{
    state_t     st = { .t = t, .e = e };
    reel_err_t  err;

    *t = (reel_trak_t) { 0 };

    err = read_boxes(&st, "trak", r);

    return err == REEL_OK ? check_seen(&st) : err;
}
