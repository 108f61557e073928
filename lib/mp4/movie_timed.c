/* tracks of text within a movie: where their samples lie, and when */

#include <stdlib.h>

#include "lib/base/reader.h"
#include "lib/base/rescale.h"
#include "lib/mp4/movie_impl.h"


/* tracks that one may name as its chapters */
#define CHAPTERS_MAX  256

/* beyond it there is no time of a cue */
#define US_MAX  (INT64_MAX / 4)


void
reel_movie_add_timed(reel_movie_t *m, const reel_trak_t *t)
{
    if (m->ntexts_in < REEL_MOVIE_TEXTS) {
        m->texts_in[m->ntexts_in++] = *t;
    }
}


/* ISO 14496-12, 8.3.3, and QuickTime: does any other track name it so? */
static bool
is_of_chapters(const reel_movie_t *m, const reel_trak_t *t)
{
    unsigned       i;
    reel_str_t     s;
    reel_reader_t  r;

    for (i = 0; i < m->n; i++) {
        s = m->tracks[i].trak.tables[REEL_TRAK_CHAP];

        if (s.p == NULL) {
            continue;
        }

        reel_reader_init(&r, s.p, s.len < 4 * CHAPTERS_MAX
                                  ? s.len : 4 * CHAPTERS_MAX);

        while (reel_reader_left(&r) >= 4) {
            if (reel_read_u32(&r) == t->cmaf.track_id) {
                return true;
            }
        }
    }

    return false;
}


unsigned
reel_movie_timed(reel_movie_t *m)
{
    unsigned  i, n = 0;

    if (m->fragmented) {
        return 0;
    }

    for (i = 0; !m->timed && i < m->ntexts_in; i++) {
        if (!is_of_chapters(m, &m->texts_in[i])) {
            m->texts_in[n++] = m->texts_in[i];
        }
    }

    if (!m->timed) {
        m->timed = true;
        m->ntexts_in = n;
    }

    return m->ntexts_in;
}


/* of the movie; INT64_MAX: that is no time */
static int64_t
to_ms(const reel_movie_t *m, const reel_trak_t *t, int64_t ts)
{
    int64_t  us;

    us = reel_rescale(ts, 1000000, t->cmaf.timescale, REEL_ROUND_NEAR);

    if (us <= -US_MAX || us >= US_MAX || m->zero_us <= -US_MAX
        || m->zero_us >= US_MAX)
    {
        return INT64_MAX;
    }

    return reel_rescale(us - m->zero_us, 1, 1000, REEL_ROUND_NEAR);
}


/* the samples of t; shift_ts is its edit list's */
static reel_err_t
list(reel_movie_t *m, const reel_trak_t *t, int64_t shift_ts,
    reel_movie_cue_t *cues, uint32_t *n, reel_error_t *e)
{
    int64_t             start;
    reel_err_t          err;
    reel_stbl_t         s;
    reel_stbl_sample_t  q;

    err = reel_stbl_init(&s, t, e);
    if (err != REEL_OK) {
        return err;
    }

    while (reel_stbl_read(&s, &q, 1) == 1) {

        /* two bytes say that nothing is said */
        if (q.size <= 2) {
            continue;
        }

        if (*n == REEL_MOVIE_CUES) {
            return reel_fail(e, REEL_LIMIT, "stsz: over %d cues of text",
                             REEL_MOVIE_CUES);
        }

        if (q.offset > m->o.file_size
            || q.size > m->o.file_size - q.offset)
        {
            return reel_fail(e, REEL_BADDATA, "stco: text lies behind the "
                             "end of the file");
        }

        start = to_ms(m, t, q.dts + shift_ts);

        cues[(*n)++] = (reel_movie_cue_t) {
            .offset = q.offset, .size = q.size,
            .start_ms = start > 0 ? start : 0,
            .end_ms = to_ms(m, t, q.dts + shift_ts + q.duration)
        };
    }

    return s.err;
}


reel_err_t
reel_movie_cues(reel_movie_t *m, unsigned i, reel_movie_cue_t **cues,
    uint32_t *n, reel_movie_text_t *text, reel_error_t *e)
{
    reel_err_t          err;
    const reel_trak_t  *t = &m->texts_in[i];
    reel_movie_track_t  edit = { .trak = *t };

    *n = 0;
    *text = (reel_movie_text_t) {
        .language = reel_str(t->cmaf.language),
        .roles = t->flags & REEL_TRAK_FORCED ? REEL_ROLE_FORCED : 0
    };

    *cues = malloc(REEL_MOVIE_CUES * sizeof(**cues));
    if (*cues == NULL) {
        return REEL_NOMEM;
    }

    err = reel_movie_times(m, e);

    /* not what its samples begin with: all are seen as they are told */
    edit.video = true;

    if (err == REEL_OK) {
        err = reel_movie_edit(&edit, m->timescale, e);
    }

    if (err == REEL_OK) {
        err = list(m, t, edit.shift_ts, *cues, n, e);
    }

    if (err != REEL_OK) {
        free(*cues);
        *cues = NULL;
    }

    return err;
}
