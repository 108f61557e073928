#include <stdlib.h>

#include "lib/mp4/box.h"
#include "lib/mp4/direct.h"
#include "lib/mp4/moof.h"
#include "lib/mp4/movie_impl.h"


/* a moov of 25 h of picture and sound has some 200 MiB */
#define MOOV_MAX    (256u << 20)
/* boxes before the moov; behind it there are two a fragment */
#define BOXES_MAX   4096
#define BOXES_ALL   (1u << 23)

#define LARGE_HEAD  16          /* of a box with a size of 64 bits */
#define FIRST       (64u << 10) /* often has all of a moov */
#define AHEAD       4096        /* or what the last moof had, if more */

#define MOOV  REEL_FOURCC('m', 'o', 'o', 'v')
#define MOOF  REEL_FOURCC('m', 'o', 'o', 'f')


reel_movie_t *
reel_movie_new(const reel_movie_opts_t *o)
{
    reel_movie_t  *m = calloc(1, sizeof(*m));

    if (m != NULL) {
        m->o = *o;
        m->ahead = FIRST;
    }

    return m;
}


void
reel_movie_free(reel_movie_t *m)
{
    unsigned  i;

    if (m == NULL) {
        return;
    }

    for (i = 0; i < m->n; i++) {
        reel_movie_track_release(&m->tracks[i]);
    }

    reel_buf_release(&m->front);
    free(m->ix);
    reel_large_free(m->o.large, m->box, m->box_held);
    reel_large_free(m->o.large, m->moov, m->moov_held);
    free(m);
}


uint64_t
reel_movie_at(const reel_movie_t *m)
{
    return m->done ? m->moov_at : m->at;
}


uint64_t
reel_movie_head(const reel_movie_t *m)
{
    return m->head;
}


const char *
reel_movie_skipped(const reel_movie_t *m)
{
    return m->skipped.text;
}


reel_err_t
reel_movie_want(const reel_movie_t *m, reel_movie_want_t *w)
{
    uint64_t  left;

    if (m->done) {
        return REEL_OK;
    }

    if (m->box != NULL) {
        w->offset = m->at + m->box_len;
        w->min = 1;
        w->len = m->box_size - m->box_len;
        w->into = m->box + m->box_len;
        return REEL_AGAIN;
    }

    left = m->o.file_size - m->at;
    w->offset = m->at;
    w->min = left < LARGE_HEAD ? (size_t) left : LARGE_HEAD;
    w->len = left < m->ahead ? (size_t) left : m->ahead;
    w->into = NULL;

    return REEL_AGAIN;
}


/* a fragmented file ends with the last fragment that is whole */
static reel_err_t
end_here(reel_movie_t *m, const char *text, reel_error_t *e)
{
    if (!m->fragmented) {
        return reel_fail(e, REEL_BADDATA, "%s", text);
    }

    m->done = true;

    return REEL_OK;
}


static reel_err_t
take_moov(reel_movie_t *m, const uint8_t *p, size_t len, reel_error_t *e)
{
    reel_err_t  err;

    if (m->has_moov) {
        return reel_fail(e, REEL_UNSUPPORTED, "moov: a second one");
    }

    m->has_moov = true;
    m->moov_at = m->at;

    err = m->o.direct ? reel_movie_direct(p, len, e) : REEL_OK;
    if (err == REEL_OK) {
        err = reel_movie_read_moov(m, p, len, e);
    }

    m->done = !m->fragmented;

    return err;
}


static reel_err_t
take_moof(reel_movie_t *m, const uint8_t *p, size_t len, reel_error_t *e)
{
    unsigned           i;
    uint64_t           samples = 0;
    reel_err_t         err;
    reel_reader_t      r;
    reel_moof_place_t  place = {
        .at = m->at, .file_size = m->o.file_size, .tracks = m->tracks,
        .n = m->n
    };

    reel_reader_init(&r, p, len);

    err = reel_moof_read(&place, &r, e);
    if (err == REEL_AGAIN) {
        return end_here(m, "moof", e);
    }

    for (i = 0; err == REEL_OK && i < m->n; i++) {
        samples += m->tracks[i].runs.samples;
    }

    if (samples > REEL_MOVIE_SAMPLES) {
        return reel_fail(e, REEL_LIMIT, "trun: over %u samples in all",
                         REEL_MOVIE_SAMPLES);
    }

    m->ahead = len + AHEAD;

    return err;
}


/* the whole box is at p, or owned as m->box */
static reel_err_t
take_box(reel_movie_t *m, const uint8_t *p, reel_error_t *e)
{
    size_t      len = m->box_size - m->box_head;
    reel_err_t  err;

    err = m->box_type == MOOV ? take_moov(m, p + m->box_head, len, e)
                              : take_moof(m, p + m->box_head, len, e);

    if (err == REEL_OK) {
        m->at += m->box_size;

        if (m->box_type == MOOF && m->head == 0) {
            m->head = m->at;
        }
    }

    return err;
}


/* bytes of the box at hand: how many of them were taken? */
static reel_err_t
fill_box(reel_movie_t *m, const uint8_t *p, size_t n, size_t *taken,
    reel_error_t *e)
{
    size_t       left = m->box_size - m->box_len;
    uint8_t     *box = m->box;
    reel_err_t   err;

    *taken = n < left ? n : left;

    if (p != box + m->box_len) {
        memcpy(box + m->box_len, p, *taken);
    }

    m->box_len += *taken;

    if (m->box_len != m->box_size) {
        return REEL_OK;
    }

    m->box = NULL;

    if (m->box_type == MOOV && m->moov == NULL) {
        m->moov = box;                  /* the tracks borrow it */
        m->moov_held = m->box_held;
        return take_box(m, box, e);
    }

    err = take_box(m, box, e);
    reel_large_free(m->o.large, box, m->box_held);

    return err;
}


/* a moov is kept; a moof only while it has not come as a whole */
static reel_err_t
begin_box(reel_movie_t *m, uint64_t size, const uint8_t *p, size_t n,
    size_t *taken, reel_error_t *e)
{
    uint64_t  max = m->box_type == MOOV ? MOOV_MAX : REEL_MOOF_MAX;

    if (size > max) {
        return reel_fail(e, REEL_LIMIT, "%s: larger than %u MiB",
                         m->box_type == MOOV ? "moov" : "moof",
                         (unsigned) (max >> 20));
    }

    m->box_size = (size_t) size;

    if (m->box_type == MOOF && n >= size) {
        *taken = (size_t) size;
        return take_box(m, p, e);
    }

    m->box_held = m->box_size;
    m->box = reel_large_alloc(m->o.large, &m->box_held);
    m->box_len = 0;

    return m->box != NULL ? fill_box(m, p, n, taken, e) : REEL_NOMEM;
}


/* 4.2: size 1 has 64 bits behind the type, 0 is the rest of the file */
static bool
read_head(reel_movie_t *m, const uint8_t *p, size_t n, uint64_t *size)
{
    reel_reader_t  r;

    reel_reader_init(&r, p, n);
    m->box_head = REEL_BOX_HEAD;
    *size = reel_read_u32(&r);
    m->box_type = reel_read_u32(&r);

    if (*size == 1) {
        *size = reel_read_u64(&r);
        m->box_head = LARGE_HEAD;

    } else if (*size == 0) {
        *size = m->o.file_size - m->at;
    }

    return r.err == REEL_OK && *size >= m->box_head
           && *size <= m->o.file_size - m->at;
}


static reel_err_t
take_head(reel_movie_t *m, const uint8_t *p, size_t n, size_t *taken,
    reel_error_t *e)
{
    uint64_t  size;

    *taken = 0;

    if (m->at == m->o.file_size) {
        return end_here(m, "there is no moov", e);
    }

    if (!read_head(m, p, n, &size)) {
        return end_here(m, "a box at the top does not fit into the file", e);
    }

    if (++m->boxes > (m->fragmented ? BOXES_ALL : BOXES_MAX)) {
        return reel_fail(e, REEL_LIMIT, "%u boxes at the top and no end",
                         m->boxes);
    }

    if (m->box_type == MOOV || (m->box_type == MOOF && m->fragmented)) {
        return begin_box(m, size, p, n, taken, e);
    }

    m->at += size;
    *taken = size < n ? (size_t) size : n;

    return REEL_OK;
}


reel_err_t
reel_movie_feed(reel_movie_t *m, const void *data, size_t n, reel_error_t *e)
{
    size_t          taken;
    reel_err_t      err;
    const uint8_t  *p = data;

    do {
        err = m->box != NULL ? fill_box(m, p, n, &taken, e)
                             : take_head(m, p, n, &taken, e);
        if (err != REEL_OK) {
            return err;
        }

        p += taken;
        n -= taken;

    } while (!m->done && m->box == NULL
             && (n >= LARGE_HEAD || m->at == m->o.file_size));

    return REEL_OK;
}
