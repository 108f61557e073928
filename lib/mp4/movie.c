#include "lib/mp4/movie_impl.h"

#include <stdio.h>
#include <stdlib.h>

#include "lib/base/rescale.h"
#include "lib/mp4/box.h"
#include "lib/mp4/box_reader.h"
#include "lib/mp4/moof.h"
#include "lib/mp4/profile.h"


/* 8.2.2 */
static reel_err_t
read_mvhd(reel_movie_t *m, reel_reader_t *r, reel_error_t *e)
{
    uint8_t  version = reel_read_u8(r);

    reel_read_skip(r, version == 1 ? 3 + 16 : 3 + 8);
    m->timescale = reel_read_u32(r);

    if (r->err != REEL_OK || m->timescale == 0) {
        return reel_fail(e, REEL_BADDATA, "mvhd: cut short, or timescale "
                         "0");
    }

    return REEL_OK;
}


/* tracks that we do not know are left out; broken ones are not */
static reel_err_t
add_track(reel_movie_t *m, reel_reader_t *r, reel_error_t *e)
{
    reel_err_t           err;
    reel_movie_track_t  *t = &m->tracks[m->n];

    if (m->n == REEL_MOVIE_TRACKS) {
        return reel_fail(e, REEL_LIMIT, "moov: over %d tracks",
                         REEL_MOVIE_TRACKS);
    }

    err = reel_mp4_read_trak(&t->trak, r, &m->skipped);

    if (err == REEL_UNSUPPORTED) {
        return REEL_OK;
    }

    if (err != REEL_OK) {
        return reel_fail(e, err, "%s", m->skipped.text);
    }

    if (t->trak.text) {
        reel_movie_add_timed(m, &t->trak);
        return REEL_OK;
    }

    t->video = t->trak.handler == REEL_FOURCC('v', 'i', 'd', 'e');

    /* one picture: others are covers, or of another angle */
    if (t->video && m->video != NULL) {
        return REEL_OK;
    }

    t->id = t->trak.cmaf.track_id;
    m->video = t->video ? t : m->video;
    m->n++;

    return REEL_OK;
}


/* mvex may stand before the tracks that it is of */
static reel_err_t
read_boxes(reel_movie_t *m, reel_reader_t *r, reel_reader_t *mvex,
    reel_error_t *e)
{
    uint32_t       type;
    reel_err_t     err = REEL_OK;
    reel_reader_t  body;

    while (err == REEL_OK && reel_box_next(r, &type, &body)) {

        if (type == REEL_FOURCC('m', 'v', 'h', 'd')) {
            err = read_mvhd(m, &body, e);

        } else if (type == REEL_FOURCC('t', 'r', 'a', 'k')) {
            err = add_track(m, &body, e);

        } else if (type == REEL_FOURCC('m', 'v', 'e', 'x')) {
            *mvex = body;
            m->fragmented = true;
        }
    }

    if (err == REEL_OK && r->err != REEL_OK) {
        return reel_fail(e, r->err, "moov: a box does not fit");
    }

    return err;
}


reel_err_t
reel_movie_read_moov(reel_movie_t *m, const void *p, size_t len,
    reel_error_t *e)
{
    reel_err_t     err;
    reel_reader_t  r, mvex;

    reel_reader_init(&r, p, len);

    err = read_boxes(m, &r, &mvex, e);
    if (err != REEL_OK) {
        return err;
    }

    if (m->timescale == 0) {
        return reel_fail(e, REEL_BADDATA, "moov: no mvhd");
    }

    if (m->n == 0) {
        return reel_fail(e, REEL_UNSUPPORTED, "moov: no track that can be "
                         "played; the last one: %s",
                         m->skipped.text[0] ? m->skipped.text : "none");
    }

    return m->fragmented ? reel_moof_read_mvex(&mvex, m->tracks, m->n, e)
                         : REEL_OK;
}


/* a track of no samples has nothing to say; what is left stays in order */
static void
drop_empty(reel_movie_t *m)
{
    unsigned             i, n = 0;
    reel_movie_track_t  *t;

    m->video = NULL;

    for (i = 0; i < m->n; i++) {
        t = &m->tracks[i];

        if (t->samples == 0) {
            reel_movie_track_release(t);
            continue;
        }

        if (n != i) {
            m->tracks[n] = *t;
        }

        m->video = m->tracks[n].video ? &m->tracks[n] : m->video;
        n++;
    }

    m->n = n;
}


/* a table of one size for all says any count in a few bytes */
static reel_err_t
check_size(const reel_movie_t *m, const reel_movie_track_t *t,
    reel_error_t *e)
{
    reel_err_t   err;
    reel_stbl_t  s;

    if (m->fragmented) {
        return REEL_OK;
    }

    err = reel_stbl_init(&s, &t->trak, e);
    if (err != REEL_OK) {
        return err;
    }

    if (s.size_bits == 0 && (uint64_t) s.samples * s.size > m->o.file_size) {
        return reel_fail(e, REEL_BADDATA, "stsz: %u samples of %u bytes in a "
                         "file of %llu", s.samples, s.size,
                         (unsigned long long) m->o.file_size);
    }

    return REEL_OK;
}


/*
 * Where presentation begins in each track decides what 0 is: all of them
 * are moved so that the earliest one begins there.
 */
static reel_err_t
set_times(reel_movie_t *m, reel_error_t *e)
{
    int64_t              start, first = INT64_MAX;
    unsigned             i;
    uint64_t             samples = 0;
    reel_err_t           err = REEL_OK;
    reel_movie_track_t  *t;

    for (i = 0; err == REEL_OK && i < m->n; i++) {
        err = check_size(m, &m->tracks[i], e);
        if (err == REEL_OK) {
            err = reel_movie_edit(&m->tracks[i], m->timescale, e);
        }
        if (err == REEL_OK) {
            err = reel_movie_scan(&m->tracks[i], e);
        }

        samples += m->tracks[i].samples;

        if (err == REEL_OK && samples > REEL_MOVIE_SAMPLES) {
            err = reel_fail(e, REEL_LIMIT, "stsz: over %u samples in all",
                            REEL_MOVIE_SAMPLES);
        }
    }

    if (err != REEL_OK) {
        return err;
    }

    drop_empty(m);

    if (m->n == 0) {
        return reel_fail(e, REEL_UNSUPPORTED, "%s: no samples",
                         m->fragmented ? "moof" : "stbl");
    }

    for (i = 0; i < m->n; i++) {
        t = &m->tracks[i];
        start = reel_rescale(t->start_ts, 1000000, t->trak.cmaf.timescale,
                             REEL_ROUND_NEAR);
        first = start < first ? start : first;
    }

    /* mostly one begins at 0 as they are */
    m->zero_us = first;

    for (i = 0; first != 0 && err == REEL_OK && i < m->n; i++) {
        t = &m->tracks[i];
        t->shift_ts -= reel_rescale(first, t->trak.cmaf.timescale, 1000000,
                                    REEL_ROUND_NEAR);
        err = reel_movie_scan(t, e);
    }

    return err;
}


/* the cuts of the reference, in t's time */
static reel_err_t
copy_cuts(reel_movie_track_t *t, const reel_movie_track_t *from)
{
    uint32_t  k;

    t->cuts = calloc(from->ncuts, sizeof(*t->cuts));
    if (t->cuts == NULL) {
        return REEL_NOMEM;
    }

    for (k = 0; k < from->ncuts; k++) {
        t->cuts[k] = reel_rescale(from->cuts[k], t->trak.cmaf.timescale,
                                  from->trak.cmaf.timescale, REEL_ROUND_UP);
    }

    t->ncuts = from->ncuts;

    return REEL_OK;
}


static reel_err_t
cut_tracks(reel_movie_t *m, reel_error_t *e)
{
    unsigned             i;
    reel_err_t           err;
    reel_movie_track_t  *from = m->video != NULL ? m->video : &m->tracks[0];

    err = reel_movie_cut(from, m->o.segment_ms, e);

    if (err == REEL_OK && from->ncuts == 0) {
        return reel_fail(e, REEL_BADDATA, "stss: no key frame");
    }

    if (err == REEL_OK && from->ncuts > REEL_INDEX_MAX_FRAGMENTS) {
        return reel_fail(e, REEL_LIMIT, "stss: over %u segments",
                         REEL_INDEX_MAX_FRAGMENTS);
    }

    for (i = 0; err == REEL_OK && i < m->n; i++) {
        if (&m->tracks[i] != from) {
            err = copy_cuts(&m->tracks[i], from);
        }
    }

    for (i = 0; err == REEL_OK && i < m->n; i++) {
        err = reel_movie_list(&m->tracks[i], &m->o, e);
    }

    return err;
}


/* upright, of square pixels */
static void
shown_size(const reel_cmaf_track_t *c, uint32_t *width, uint32_t *height)
{
    bool  lies = c->turned && c->transform[0] == 0 && c->transform[4] == 0;

    *width = lies ? c->height : reel_cmaf_shown_width(c);
    *height = lies ? reel_cmaf_shown_width(c) : c->height;
}


/* v720, a1, a2 … */
static void
name_track(reel_movie_t *m, reel_movie_track_t *t)
{
    unsigned                  i, n = 1;
    uint32_t                  width, height;
    const reel_cmaf_track_t  *c = &t->trak.cmaf;

    if (t->video) {
        shown_size(c, &width, &height);
        snprintf(t->name, sizeof(t->name), "v%u",
                 width < height ? width : height);
        return;
    }

    for (i = 0; &m->tracks[i] != t; i++) {
        n += !m->tracks[i].video;
    }

    snprintf(t->name, sizeof(t->name), "a%u", n);
}


/* frames a second, exact where all last as long */
static void
set_rate(reel_rendition_t *r, const reel_movie_track_t *t)
{
    uint64_t  num, den;

    num = (uint64_t) t->samples * t->trak.cmaf.timescale;
    den = (uint64_t) (t->end_ts - t->start_ts);

    while (num > UINT32_MAX || den > UINT32_MAX) {
        num >>= 1;
        den >>= 1;
    }

    r->rate_num = num != 0 ? (uint32_t) num : 1;
    r->rate_den = den != 0 ? (uint32_t) den : 1;
}


static void
fill_rendition(reel_movie_t *m, reel_ix_rendition_t *q, reel_ix_object_t *o,
    reel_index_t *ix, reel_movie_track_t *t)
{
    const reel_cmaf_track_t  *c = &t->trak.cmaf;

    name_track(m, t);

    *o = (reel_ix_object_t) {
        .name = REEL_MOVIE_OBJECT, .header = ix->nheaders,
        .nfragments = t->ncuts, .fragments = t->fragments
    };

    ix->headers[ix->nheaders++] = (reel_str_t) {
        (const char *) t->header.data, t->header.len
    };

    ix->samples[ix->nsamples++] = (reel_samples_t) {
        .unit = t->unit, .offsets = t->offsets, .anchors = t->ncuts,
        .anchor_bytes = { (char *) t->list.anchors.data,
                          t->list.anchors.len },
        .sample_bytes = { (char *) t->list.samples.data,
                          t->list.samples.len }
    };

    *q = (reel_ix_rendition_t) { .nobjects = 1, .objects = o };

    q->head = (reel_rendition_t) {
        .name = reel_str(t->name), .kind = t->video ? REEL_VIDEO : REEL_AUDIO,
        .codec = reel_str(t->codec), .timescale = c->timescale,
        .rate_den = 1
    };

    if (strcmp(c->language, "und") != 0) {
        q->head.language = reel_str(c->language);
    }

    if (t->video) {
        shown_size(c, &q->head.width, &q->head.height);
        q->head.video_range = reel_video_range(c->transfer);
        set_rate(&q->head, t);
    } else {
        q->head.channels = c->channels;
        q->head.sample_rate = c->sample_rate;
    }
}


static void
fill_grid(reel_movie_t *m, reel_index_t *ix)
{
    uint32_t                   k;
    const reel_movie_track_t  *t = m->video != NULL ? m->video
                                                    : &m->tracks[0];

    ix->publication = 1;
    memcpy(ix->salt, m->o.salt, sizeof(ix->salt));
    ix->created_ms = m->o.created_ms;
    ix->timescale = t->trak.cmaf.timescale;
    ix->fragments = t->ncuts;
    ix->end_ts = t->end_ts;
    ix->gop_ts = 1;

    for (k = 0; k < t->ncuts; k++) {
        if (t->fragments[k].duration > ix->gop_ts) {
            ix->gop_ts = t->fragments[k].duration;
        }
    }
}


static reel_err_t
make_front(reel_movie_t *m, size_t *size, reel_error_t *e)
{
    char                  names[REEL_MOVIE_TEXTS][REEL_MOVIE_TEXT_NAME];
    unsigned              i, n;
    reel_err_t            err = REEL_NOMEM;
    reel_ix_object_t     *o;
    reel_ix_fragment_t   *f;
    reel_ix_rendition_t  *q;

    if (m->ntexts > REEL_INDEX_MAX_RENDITIONS - m->n) {
        m->ntexts = REEL_INDEX_MAX_RENDITIONS - m->n;
    }

    n = m->n + m->ntexts;
    o = calloc(n, sizeof(*o));
    q = calloc(n, sizeof(*q));
    f = calloc((size_t) m->ntexts * m->tracks[0].ncuts + 1, sizeof(*f));

    m->ix = calloc(1, sizeof(*m->ix));
    reel_buf_init(&m->front, REEL_INDEX_MAX_BYTES);

    if (m->ix != NULL && o != NULL && q != NULL && f != NULL) {
        fill_grid(m, m->ix);

        for (i = 0; i < m->n; i++) {
            fill_rendition(m, &q[i], &o[i], m->ix, &m->tracks[i]);
        }

        reel_movie_fill_texts(m, m->ix, q + m->n, o + m->n, f, names);

        err = reel_index_front(&m->front, m->ix, q, n, size, e);
    }

    free(o);
    free(q);
    free(f);

    return err;
}


reel_err_t
reel_movie_times(reel_movie_t *m, reel_error_t *e)
{
    reel_err_t  err = REEL_OK;

    if (!m->has_times) {
        err = set_times(m, e);
        m->has_times = err == REEL_OK;
    }

    return err;
}


reel_err_t
reel_movie_make(reel_movie_t *m, size_t *size, reel_error_t *e)
{
    reel_err_t  err;

    err = reel_movie_times(m, e);
    if (err == REEL_OK) {
        err = cut_tracks(m, e);
    }
    if (err == REEL_OK) {
        err = make_front(m, size, e);
    }

    if (err == REEL_LIMIT && e->text[0] == '\0') {
        (void) reel_fail(e, err, "moov: its index would be over %u MiB",
                         REEL_INDEX_MAX_BYTES >> 20);
    }

    return err;
}


reel_err_t
reel_movie_put(const reel_movie_t *m, void *to, size_t size, reel_error_t *e)
{
    return reel_index_put(to, size, &m->front, m->ix, e);
}


reel_err_t
reel_movie_print(reel_movie_t *m, reel_buf_t *b, reel_error_t *e)
{
    size_t       size;
    uint8_t     *p;
    reel_err_t   err;

    err = reel_movie_make(m, &size, e);
    if (err != REEL_OK) {
        return err;
    }

    p = reel_buf_room(b, size);
    if (p == NULL) {
        return reel_buf_err(b);
    }

    err = reel_movie_put(m, p, size, e);
    b->len = err == REEL_OK ? size : 0;

    return err;
}


reel_err_t
reel_movie_index(reel_buf_t *b, const void *moov, size_t len,
    const reel_movie_opts_t *o, reel_error_t *e)
{
    reel_err_t     err;
    reel_movie_t  *m = reel_movie_new(o);

    if (m == NULL) {
        return REEL_NOMEM;
    }

    err = reel_movie_read_moov(m, moov, len, e);
    if (err == REEL_OK) {
        err = reel_movie_print(m, b, e);
    }

    reel_movie_free(m);

    return err;
}
