#include "lib/mp4/direct.h"

#include "lib/mp4/box.h"
#include "lib/mp4/box_reader.h"
#include "lib/mp4/sample_entry.h"
#include "lib/mp4/trak.h"

#define VIDE REEL_FOURCC('v', 'i', 'd', 'e')
#define SOUN REEL_FOURCC('s', 'o', 'u', 'n')

#define TRACK_ENABLED 1

/* ISO 23091-2, transfer characteristics */
#define TRANSFER_PQ  16
#define TRANSFER_HLG 18

/* ISO 14496-3, audio object types */
#define AAC_LC 2
#define AAC_SBR 5
#define AAC_PS 29


typedef struct {
    unsigned pictures;
    unsigned sounds;
} count_t;


/* 8.3.2: in use, and with the first four of its matrix those of the unit */
static reel_err_t
check_tkhd(reel_reader_t trak, reel_error_t *e)
{
    unsigned       i;
    uint32_t       type, flags, m;
    reel_reader_t  r;

    while (reel_box_next(&trak, &type, &r)) {
        if (type != REEL_FOURCC('t', 'k', 'h', 'd')) {
            continue;
        }

        flags = reel_read_u32(&r);
        reel_read_skip(&r, flags >> 24 == 1 ? 32 : 20);
        reel_read_skip(&r, 16);

        if (!(flags & TRACK_ENABLED)) {
            return reel_fail(e, REEL_UNSUPPORTED, "tkhd: not in use");
        }

        /* a b u c d: u is 0 in any */
        for (i = 0; i < 5; i++) {
            m = reel_read_u32(&r);

            if (m != (i == 0 || i == 4 ? 0x10000 : 0)) {
                return reel_fail(e, REEL_UNSUPPORTED, "tkhd: turned");
            }
        }

        return r.err;
    }

    return reel_fail(e, REEL_BADDATA, "trak: no tkhd");
}


static reel_err_t
check_picture(const reel_trak_t *t, reel_error_t *e)
{
    reel_err_t           err;
    reel_codec_facts_t   f = { 0 };

    if (t->cmaf.codec != REEL_CODEC_AVC) {
        return reel_fail(e, REEL_UNSUPPORTED, "stsd: not H.264");
    }

    err = reel_mp4_codec(REEL_CODEC_AVC)->facts(&f, t->cmaf.config);
    if (err != REEL_OK) {
        return reel_fail(e, err, "avcC: broken");
    }

    if (f.bit_depth != 8 || f.chroma_format != 1) {
        return reel_fail(e, REEL_UNSUPPORTED, "avcC: not 4:2:0 of 8 bits");
    }

    if (t->cmaf.transfer == TRANSFER_PQ || t->cmaf.transfer == TRANSFER_HLG
        || f.transfer == TRANSFER_PQ || f.transfer == TRANSFER_HLG)
    {
        return reel_fail(e, REEL_UNSUPPORTED, "colr: of high dynamic range");
    }

    return REEL_OK;
}


static reel_err_t
check_sound(const reel_trak_t *t, reel_error_t *e)
{
    reel_err_t          err;
    reel_codec_facts_t  f = { 0 };

    if (t->cmaf.codec != REEL_CODEC_AAC) {
        return reel_fail(e, REEL_UNSUPPORTED, "stsd: not AAC");
    }

    err = reel_mp4_codec(REEL_CODEC_AAC)->facts(&f, t->cmaf.config);
    if (err != REEL_OK) {
        return reel_fail(e, err, "esds: broken");
    }

    if (f.profile != AAC_LC && f.profile != AAC_SBR && f.profile != AAC_PS) {
        return reel_fail(e, REEL_UNSUPPORTED, "esds: object type %u",
                         f.profile);
    }

    return REEL_OK;
}


/* tracks of text, time codes and so on are left out of what is played */
static reel_err_t
check_trak(count_t *n, reel_reader_t *body, reel_error_t *e)
{
    reel_err_t     err;
    reel_trak_t    t;
    reel_reader_t  again = *body;

    err = reel_mp4_read_trak(&t, body, e);

    if (t.handler != VIDE && t.handler != SOUN && t.handler != 0) {
        return REEL_OK;
    }

    /* covers, and other angles */
    if (t.handler == VIDE && n->pictures != 0) {
        return REEL_OK;
    }

    if (err != REEL_OK) {
        return err;
    }

    if (t.handler == SOUN) {
        n->sounds++;
        return check_sound(&t, e);
    }

    n->pictures++;
    err = check_picture(&t, e);

    return err == REEL_OK ? check_tkhd(again, e) : err;
}


reel_err_t
reel_movie_direct(const void *moov, size_t len, reel_error_t *e)
{
    count_t        n = { 0 };
    uint32_t       type;
    reel_err_t     err = REEL_OK;
    reel_reader_t  r, body;

    reel_reader_init(&r, moov, len);

    while (err == REEL_OK && reel_box_next(&r, &type, &body)) {
        if (type == REEL_FOURCC('t', 'r', 'a', 'k')) {
            err = check_trak(&n, &body, e);
        }
    }

    if (err == REEL_OK && r.err != REEL_OK) {
        return reel_fail(e, r.err, "moov: a box does not fit");
    }

    if (err == REEL_OK && n.pictures + n.sounds == 0) {
        return reel_fail(e, REEL_UNSUPPORTED, "moov: no picture, no sound");
    }

    return err;
}
