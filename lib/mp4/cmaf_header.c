#include "lib/mp4/box.h"
#include "lib/mp4/cmaf.h"
#include "lib/mp4/sample_entry.h"


#define UNITY   0x00010000      /* 1.0 as 16.16 */


/*
 * 4.3 and ISO 23000-19, 7.2.  iso6 is the oldest brand that has all the
 * structures used (default-base-is-moof, tfdt, signed offsets in trun), so
 * it is what a plain ISO reader has to know: the major brand.  cmfc is
 * CMAF; cmf2 adds that no edit list stands, offsets are signed and no
 * fragment leans on trex.  dash: these are DASH segments.  And one more of
 * the codec's profile, where there is one.
 */
static void
write_ftyp(reel_buf_t *b, uint32_t brand)
{
    size_t  box = reel_box_begin(b, REEL_FOURCC('f', 't', 'y', 'p'));

    reel_buf_addz(b, "iso6");
    reel_buf_u32(b, 0);
    reel_buf_addz(b, "iso6");
    reel_buf_addz(b, "cmfc");
    reel_buf_addz(b, "cmf2");
    reel_buf_addz(b, "dash");

    if (brand != 0) {
        reel_buf_u32(b, brand);
    }

    reel_box_end(b, box);
}


static void
write_matrix(reel_buf_t *b, const reel_cmaf_track_t *t)
{
    unsigned  i;

    static const uint32_t  unity[9] = {
        UNITY, 0, 0, 0, UNITY, 0, 0, 0, 0x40000000
    };

    for (i = 0; i < 9; i++) {
        reel_buf_u32(b, t != NULL && t->turned ? t->transform[i] : unity[i]);
    }
}


/* 8.2.2; durations are zero: the samples are in the fragments */
static void
write_mvhd(reel_buf_t *b, const reel_cmaf_track_t *t)
{
    size_t  box = reel_full_box_begin(b, REEL_FOURCC('m', 'v', 'h', 'd'),
                                      0, 0);

    reel_buf_u32(b, 0);                     /* creation_time */
    reel_buf_u32(b, 0);                     /* modification_time */
    reel_buf_u32(b, t->timescale);
    reel_buf_u32(b, 0);                     /* duration */
    reel_buf_u32(b, UNITY);                 /* rate */
    reel_buf_u16(b, 0x0100);                /* volume */
    reel_buf_zero(b, 10);
    write_matrix(b, NULL);
    reel_buf_zero(b, 24);
    reel_buf_u32(b, t->track_id + 1);       /* next_track_ID */

    reel_box_end(b, box);
}


static bool
is_audio(const reel_cmaf_track_t *t)
{
    return reel_mp4_codec(t->codec)->track == REEL_TRACK_AUDIO;
}


uint32_t
reel_cmaf_shown_width(const reel_cmaf_track_t *t)
{
    uint64_t  width = t->width;

    if (t->sar_num != 0 && t->sar_den != 0) {
        width = width * t->sar_num / t->sar_den;
    }

    return width != 0 && width <= UINT16_MAX ? (uint32_t) width : t->width;
}


/* 8.3.2; enabled and in the movie */
static void
write_tkhd(reel_buf_t *b, const reel_cmaf_track_t *t)
{
    size_t  box = reel_full_box_begin(b, REEL_FOURCC('t', 'k', 'h', 'd'),
                                      0, 3);

    reel_buf_u32(b, 0);                     /* creation_time */
    reel_buf_u32(b, 0);                     /* modification_time */
    reel_buf_u32(b, t->track_id);
    reel_buf_u32(b, 0);
    reel_buf_u32(b, 0);                     /* duration */
    reel_buf_zero(b, 8);
    reel_buf_u16(b, 0);                     /* layer */
    reel_buf_u16(b, 0);                     /* alternate_group */
    reel_buf_u16(b, is_audio(t) ? 0x0100 : 0);
    reel_buf_u16(b, 0);
    write_matrix(b, t);

    if (is_audio(t)) {
        reel_buf_zero(b, 8);
    } else {
        reel_buf_u32(b, reel_cmaf_shown_width(t) << 16);
        reel_buf_u32(b, (uint32_t) t->height << 16);
    }

    reel_box_end(b, box);
}


/* 8.4.2; three letters of five bits */
static void
write_mdhd(reel_buf_t *b, const reel_cmaf_track_t *t)
{
    size_t    box = reel_full_box_begin(b, REEL_FOURCC('m', 'd', 'h', 'd'),
                                        0, 0);
    unsigned  i, language = 0;

    for (i = 0; i < 3; i++) {
        language = language << 5 | (unsigned) (t->language[i] - 0x60);
    }

    reel_buf_u32(b, 0);                     /* creation_time */
    reel_buf_u32(b, 0);                     /* modification_time */
    reel_buf_u32(b, t->timescale);
    reel_buf_u32(b, 0);                     /* duration */
    reel_buf_u16(b, (uint16_t) language);
    reel_buf_u16(b, 0);

    reel_box_end(b, box);
}


/* 8.4.3 */
static void
write_hdlr(reel_buf_t *b, const reel_cmaf_track_t *t)
{
    size_t  box = reel_full_box_begin(b, REEL_FOURCC('h', 'd', 'l', 'r'),
                                      0, 0);

    reel_buf_u32(b, 0);
    reel_buf_addz(b, is_audio(t) ? "soun" : "vide");
    reel_buf_zero(b, 12);
    reel_buf_addz(b, is_audio(t) ? "sound" : "video");
    reel_buf_u8(b, 0);

    reel_box_end(b, box);
}


/* 12.1.2, 12.2.2 */
static void
write_media_header(reel_buf_t *b, const reel_cmaf_track_t *t)
{
    size_t  box;

    if (is_audio(t)) {
        box = reel_full_box_begin(b, REEL_FOURCC('s', 'm', 'h', 'd'), 0, 0);
        reel_buf_zero(b, 4);                /* balance: centre */
    } else {
        box = reel_full_box_begin(b, REEL_FOURCC('v', 'm', 'h', 'd'), 0, 1);
        reel_buf_zero(b, 8);                /* mode: copy */
    }

    reel_box_end(b, box);
}


/* 8.7.1 and 8.7.2: the media lie in this very file */
static void
write_dinf(reel_buf_t *b)
{
    size_t  dinf, dref, url;

    dinf = reel_box_begin(b, REEL_FOURCC('d', 'i', 'n', 'f'));
    dref = reel_full_box_begin(b, REEL_FOURCC('d', 'r', 'e', 'f'), 0, 0);
    reel_buf_u32(b, 1);
    url = reel_full_box_begin(b, REEL_FOURCC('u', 'r', 'l', ' '), 0, 1);
    reel_box_end(b, url);
    reel_box_end(b, dref);
    reel_box_end(b, dinf);
}


/* 8.5; the tables are empty but must stand */
static void
write_stbl(reel_buf_t *b, const reel_cmaf_track_t *t)
{
    size_t    stbl, box;
    unsigned  i;

    static const uint32_t  empty[] = {
        REEL_FOURCC('s', 't', 't', 's'), REEL_FOURCC('s', 't', 's', 'c'),
        REEL_FOURCC('s', 't', 's', 'z'), REEL_FOURCC('s', 't', 'c', 'o')
    };

    stbl = reel_box_begin(b, REEL_FOURCC('s', 't', 'b', 'l'));

    box = reel_full_box_begin(b, REEL_FOURCC('s', 't', 's', 'd'), 0, 0);
    reel_buf_u32(b, 1);

    reel_mp4_write_entry(b, t);
    reel_box_end(b, box);

    for (i = 0; i < sizeof(empty) / sizeof(empty[0]); i++) {
        box = reel_full_box_begin(b, empty[i], 0, 0);

        /* stsz has sample_size before the count */
        reel_buf_zero(b, i == 2 ? 8 : 4);
        reel_box_end(b, box);
    }

    reel_box_end(b, stbl);
}


/* 8.8.1 and 8.8.3; fragments state their own defaults (cmf2) */
static void
write_mvex(reel_buf_t *b, const reel_cmaf_track_t *t)
{
    size_t  mvex, trex;

    mvex = reel_box_begin(b, REEL_FOURCC('m', 'v', 'e', 'x'));
    trex = reel_full_box_begin(b, REEL_FOURCC('t', 'r', 'e', 'x'), 0, 0);
    reel_buf_u32(b, t->track_id);
    reel_buf_u32(b, 1);                     /* sample description */
    reel_buf_zero(b, 12);                   /* duration, size, flags */
    reel_box_end(b, trex);
    reel_box_end(b, mvex);
}


/* and the brand of what it is */
static reel_err_t
check_track(const reel_cmaf_track_t *t, uint32_t *brand)
{
    unsigned                 i;
    reel_err_t               err;
    reel_codec_facts_t       f;
    const reel_mp4_codec_t  *c = reel_mp4_codec(t->codec);

    if (c == NULL) {
        return REEL_UNSUPPORTED;
    }

    if (t->track_id == 0 || t->track_id == UINT32_MAX || t->timescale == 0) {
        return REEL_INVAL;
    }

    for (i = 0; i < 3; i++) {
        if (t->language[i] < 'a' || t->language[i] > 'z') {
            return REEL_INVAL;
        }
    }

    if (c->track == REEL_TRACK_VIDEO ? t->width == 0 || t->height == 0
                                     : t->channels == 0 || t->sample_rate == 0)
    {
        return REEL_INVAL;
    }

    if (t->config.len > c->config_max) {
        return REEL_INVAL;
    }

    err = c->facts(&f, t->config);
    if (err != REEL_OK) {
        return err;
    }

    *brand = c->brand != NULL ? c->brand(t, &f) : 0;

    return REEL_OK;
}


reel_err_t
reel_cmaf_header(reel_buf_t *b, const reel_cmaf_track_t *t)
{
    size_t      moov, trak, mdia, minf;
    uint32_t    brand;
    reel_err_t  err;

    err = check_track(t, &brand);
    if (err != REEL_OK) {
        return err;
    }

    write_ftyp(b, brand);

    moov = reel_box_begin(b, REEL_FOURCC('m', 'o', 'o', 'v'));
    write_mvhd(b, t);

    trak = reel_box_begin(b, REEL_FOURCC('t', 'r', 'a', 'k'));
    write_tkhd(b, t);

    mdia = reel_box_begin(b, REEL_FOURCC('m', 'd', 'i', 'a'));
    write_mdhd(b, t);
    write_hdlr(b, t);

    minf = reel_box_begin(b, REEL_FOURCC('m', 'i', 'n', 'f'));
    write_media_header(b, t);
    write_dinf(b);
    write_stbl(b, t);
    reel_box_end(b, minf);
    reel_box_end(b, mdia);
    reel_box_end(b, trak);

    write_mvex(b, t);
    reel_box_end(b, moov);

    return reel_buf_err(b);
}
