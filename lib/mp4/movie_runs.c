#include <stdlib.h>

#include "lib/mp4/box.h"
#include "lib/mp4/movie_runs.h"


#define TS_MAX      (INT64_C(1) << 62)
#define RUNS_MAX    (1u << 23)
#define ENTRIES_MAX (256u << 20)        /* bytes, as a moov may have */

#define NON_SYNC    0x00010000u         /* of a sample's flags, 8.8.3.1 */


unsigned
reel_movie_run_entry(uint32_t fields)
{
    unsigned  n = 0;

    for (fields &= REEL_TRUN_DURATION | REEL_TRUN_SIZE | REEL_TRUN_FLAGS
                   | REEL_TRUN_CTS; fields != 0; fields &= fields - 1)
    {
        n += 4;
    }

    return n;
}


/* the next word of an entry, if it has that field */
static uint32_t
take(const uint8_t **p, uint32_t fields, uint32_t field, uint32_t otherwise)
{
    uint32_t  v;

    if (!(fields & field)) {
        return otherwise;
    }

    v = reel_be32(*p);
    *p += 4;

    return v;
}


/* what all of its samples take, of bytes and of time */
static void
sum_up(const reel_movie_run_t *run, const uint8_t *p, uint64_t *bytes,
    uint64_t *ticks)
{
    uint32_t  i;

    if (!(run->fields & (REEL_TRUN_DURATION | REEL_TRUN_SIZE))) {
        *bytes = (uint64_t) run->samples * run->size;
        *ticks = (uint64_t) run->samples * run->duration;
        return;
    }

    *bytes = 0;
    *ticks = 0;

    for (i = 0; i < run->samples; i++) {
        *ticks += take(&p, run->fields, REEL_TRUN_DURATION, run->duration);
        *bytes += take(&p, run->fields, REEL_TRUN_SIZE, run->size);
        (void) take(&p, run->fields, REEL_TRUN_FLAGS, 0);
        (void) take(&p, run->fields, REEL_TRUN_CTS, 0);
    }
}


static reel_err_t
grow(reel_movie_runs_t *t)
{
    uint32_t           cap = t->cap != 0 ? t->cap * 2 : 64;
    reel_movie_run_t  *p;

    if (t->n == RUNS_MAX) {
        return REEL_LIMIT;
    }

    p = realloc(t->runs, cap * sizeof(*p));
    if (p == NULL) {
        return REEL_NOMEM;
    }

    t->runs = p;
    t->cap = cap;

    return REEL_OK;
}


reel_err_t
reel_movie_runs_add(reel_movie_runs_t *t, reel_movie_run_t *run,
    reel_str_t entries, uint64_t file_size, uint64_t *end)
{
    uint64_t    bytes, ticks;
    reel_err_t  err;

    sum_up(run, (const uint8_t *) entries.p, &bytes, &ticks);

    if (run->offset > file_size || bytes > file_size - run->offset) {
        return REEL_AGAIN;
    }

    *end = run->offset + bytes;

    /* each of them is of bytes that are there, if only of its entry */
    if (run->samples > 1 && bytes == 0 && entries.len == 0) {
        return REEL_LIMIT;
    }

    if (run->dts > TS_MAX || ticks > (uint64_t) (TS_MAX - run->dts)
        || run->samples > UINT32_MAX - t->samples)
    {
        return REEL_LIMIT;
    }

    if (t->n == t->cap) {
        err = grow(t);
        if (err != REEL_OK) {
            return err;
        }
    }

    if (t->entries.max == 0) {
        reel_buf_init(&t->entries, ENTRIES_MAX);
    }

    run->entries = t->entries.len;
    reel_buf_adds(&t->entries, entries);
    t->runs[t->n++] = *run;
    t->samples += run->samples;
    t->end_dts = run->dts + (int64_t) ticks;

    return reel_buf_err(&t->entries);
}


reel_movie_runs_mark_t
reel_movie_runs_mark(const reel_movie_runs_t *t)
{
    return (reel_movie_runs_mark_t) {
        t->n, t->samples, t->entries.len, t->end_dts
    };
}


void
reel_movie_runs_back(reel_movie_runs_t *t, reel_movie_runs_mark_t mark)
{
    t->n = mark.n;
    t->samples = mark.samples;
    t->entries.len = mark.entries;
    t->end_dts = mark.end_dts;
}


void
reel_movie_runs_release(reel_movie_runs_t *t)
{
    free(t->runs);
    reel_buf_release(&t->entries);
    *t = (reel_movie_runs_t) { 0 };
}


static bool
has_tables(const reel_trak_t *trak)
{
    return trak->tables[REEL_TRAK_STTS].p != NULL
           || trak->tables[REEL_TRAK_STSZ].p != NULL
           || trak->tables[REEL_TRAK_STZ2].p != NULL;
}


reel_err_t
reel_movie_walk_init(reel_movie_walk_t *w, const reel_trak_t *trak,
    const reel_movie_runs_t *runs, reel_error_t *e)
{
    *w = (reel_movie_walk_t) { .e = e, .runs = runs, .dts = INT64_MIN };

    /* who writes fragments may leave them out */
    if (runs->n != 0 && !has_tables(trak)) {
        return REEL_OK;
    }

    w->err = reel_stbl_init(&w->stbl, trak, e);

    return w->err;
}


/* a run begins where its tfdt says, but not before the one before it ends */
static int64_t
begin_dts(const reel_movie_walk_t *w, int64_t end)
{
    int64_t  dts = w->runs->runs[w->run].dts;

    return dts > end ? dts : end;
}


static void
begin_run(reel_movie_walk_t *w)
{
    const reel_movie_run_t  *run = &w->runs->runs[w->run];

    w->dts = begin_dts(w, w->dts);
    w->left = run->samples;
    w->offset = run->offset;
    w->entry = w->runs->entries.data + run->entries;
    w->run++;
}


static bool
next_of_run(reel_movie_walk_t *w, reel_stbl_sample_t *q)
{
    uint32_t                 flags;
    const reel_movie_run_t  *run;

    while (w->left == 0) {
        if (w->run == w->runs->n) {
            return false;
        }

        begin_run(w);
    }

    run = &w->runs->runs[w->run - 1];

    q->dts = w->dts;
    q->offset = w->offset;
    q->duration = take(&w->entry, run->fields, REEL_TRUN_DURATION,
                       run->duration);
    q->size = take(&w->entry, run->fields, REEL_TRUN_SIZE, run->size);

    flags = (w->left == run->samples ? run->first_sync : run->sync)
            ? 0 : NON_SYNC;
    q->sync = !(take(&w->entry, run->fields, REEL_TRUN_FLAGS, flags)
                & NON_SYNC);

    q->cts_offset = (int32_t) take(&w->entry, run->fields, REEL_TRUN_CTS, 0);

    w->offset += q->size;
    w->left--;
    w->number++;

    return true;
}


/* the last sample of a run lasts until the next run begins */
static bool
stretch(reel_movie_walk_t *w, reel_stbl_sample_t *q)
{
    int64_t  next = q->dts + q->duration;

    if (w->left == 0 && w->run != w->runs->n) {
        next = begin_dts(w, next);
    }

    if (next > TS_MAX || next - q->dts > UINT32_MAX) {
        w->err = reel_fail(w->e, REEL_BADDATA, "tfdt: sample %u would last "
                           "2^32 ticks or more", w->number - 1);
        return false;
    }

    q->duration = (uint32_t) (next - q->dts);
    w->dts = next;

    return true;
}


uint32_t
reel_movie_walk_read(reel_movie_walk_t *w, reel_stbl_sample_t *q, uint32_t n)
{
    uint32_t  i;

    if (w->err != REEL_OK) {
        return 0;
    }

    i = reel_stbl_read(&w->stbl, q, n);

    if (i != 0) {
        w->dts = q[i - 1].dts + q[i - 1].duration;
        w->number += i;
        return i;
    }

    w->err = w->stbl.err;

    while (w->err == REEL_OK && i < n && next_of_run(w, &q[i])
           && stretch(w, &q[i]))
    {
        i++;
    }

    return i;
}
