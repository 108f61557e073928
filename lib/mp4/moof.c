#include "lib/mp4/box.h"
#include "lib/mp4/box_reader.h"
#include "lib/mp4/moof.h"


#define NON_SYNC      0x00010000u       /* of a sample's flags, 8.8.3.1 */
#define TRUN_SAMPLES  (1u << 24)


typedef struct {
    const reel_moof_place_t *p;
    reel_error_t            *e;

    /* of the traf at hand */
    reel_movie_track_t      *track;     /* NULL: not one of ours, or no tfhd */
    bool                     tfhd;
    reel_moof_defaults_t     defaults;
    uint64_t                 base;
    int64_t                  dts;       /* of its next trun */

    uint64_t                 end;       /* behind the last run's samples … */
    bool                     lost;      /* … which is not known */
} state_t;

typedef struct {
    const char  type[5];
    reel_err_t (*read)(state_t *st, reel_reader_t *r);
} box_t;


static reel_err_t read_tfhd(state_t *st, reel_reader_t *r);
static reel_err_t read_tfdt(state_t *st, reel_reader_t *r);
static reel_err_t read_trun(state_t *st, reel_reader_t *r);


static const box_t  boxes[] = {
    { "tfhd", read_tfhd }, { "tfdt", read_tfdt }, { "trun", read_trun }
};


static reel_movie_track_t *
find_track(reel_movie_track_t *tracks, unsigned n, uint32_t id)
{
    unsigned  i;

    for (i = 0; i < n; i++) {
        if (tracks[i].id == id) {
            return &tracks[i];
        }
    }

    return NULL;
}


/* 8.8.7 */
static reel_err_t
read_tfhd(state_t *st, reel_reader_t *r)
{
    uint32_t  flags, entry = 1;

    if (st->tfhd) {
        return reel_fail(st->e, REEL_BADDATA, "tfhd: a second one");
    }

    st->tfhd = true;

    reel_read_skip(r, 1);
    flags = reel_read_u24(r);
    st->track = find_track(st->p->tracks, st->p->n, reel_read_u32(r));

    if (flags & REEL_TFHD_BASE_OFFSET) {
        st->base = reel_read_u64(r);

    } else {
        st->base = flags & REEL_TFHD_BASE_IS_MOOF ? st->p->at : st->end;
    }

    if (flags & REEL_TFHD_DESCRIPTION) {
        entry = reel_read_u32(r);
    }

    if (st->track == NULL) {
        st->lost = true;
        return REEL_OK;
    }

    if (st->lost && !(flags & (REEL_TFHD_BASE_OFFSET | REEL_TFHD_BASE_IS_MOOF)))
    {
        return reel_fail(st->e, REEL_UNSUPPORTED, "tfhd: offsets are from "
                         "behind a track that is not played");
    }

    st->defaults = st->track->defaults;
    st->dts = st->track->runs.end_dts;

    if (flags & REEL_TFHD_DURATION) {
        st->defaults.duration = reel_read_u32(r);
    }

    if (flags & REEL_TFHD_SIZE) {
        st->defaults.size = reel_read_u32(r);
    }

    if (flags & REEL_TFHD_FLAGS) {
        st->defaults.flags = reel_read_u32(r);
    }

    if (r->err == REEL_OK && entry != 1) {
        return reel_fail(st->e, REEL_UNSUPPORTED, "tfhd: sample entry %u, of "
                         "one", entry);
    }

    st->end = st->base;

    return REEL_OK;
}


/* 8.8.12 */
static reel_err_t
read_tfdt(state_t *st, reel_reader_t *r)
{
    uint8_t   version = reel_read_u8(r);
    uint64_t  ts;

    reel_read_skip(r, 3);
    ts = version == 1 ? reel_read_u64(r) : reel_read_u32(r);

    if (ts > INT64_MAX / 2) {
        return reel_fail(st->e, REEL_BADDATA, "tfdt: a time beyond 2^62");
    }

    st->dts = (int64_t) ts;

    return REEL_OK;
}


/* offsets are signed, 8.8.8.3 */
static reel_err_t
data_offset(state_t *st, uint32_t offset)
{
    int64_t  d = (int32_t) offset;

    if (st->base > INT64_MAX || (d < 0 && (uint64_t) -d > st->base)) {
        return reel_fail(st->e, REEL_BADDATA, "trun: data offset %lld from "
                         "%llu lies nowhere", (long long) d,
                         (unsigned long long) st->base);
    }

    st->end = (uint64_t) ((int64_t) st->base + d);

    return REEL_OK;
}


static reel_err_t
add_run(state_t *st, reel_movie_run_t *run, reel_str_t entries)
{
    reel_err_t  err;

    err = reel_movie_runs_add(&st->track->runs, run, entries,
                              st->p->file_size, &st->end);
    if (err == REEL_LIMIT) {
        return reel_fail(st->e, err, "trun: %u samples of track %u are too "
                         "many, or too far away", run->samples,
                         st->track->id);
    }

    st->dts = st->track->runs.end_dts;

    return err;
}


/* 8.8.8 */
static reel_err_t
read_trun(state_t *st, reel_reader_t *r)
{
    uint32_t          flags, first;
    uint64_t          need;
    reel_err_t        err;
    reel_movie_run_t  run = { 0 };

    if (!st->tfhd) {
        return reel_fail(st->e, REEL_BADDATA, "trun: no tfhd before it");
    }

    if (st->track == NULL) {
        return REEL_OK;
    }

    reel_read_skip(r, 1);
    flags = reel_read_u24(r);
    run.samples = reel_read_u32(r);

    if (flags & REEL_TRUN_DATA_OFFSET) {
        err = data_offset(st, reel_read_u32(r));
        if (err != REEL_OK) {
            return err;
        }
    }

    first = flags & REEL_TRUN_FIRST_FLAGS ? reel_read_u32(r)
                                          : st->defaults.flags;
    need = (uint64_t) run.samples * reel_movie_run_entry(flags);

    if (r->err != REEL_OK || need > reel_reader_left(r)
        || run.samples > TRUN_SAMPLES)
    {
        return reel_fail(st->e, REEL_BADDATA, "trun: %u samples need %llu "
                         "bytes, %zu left", run.samples,
                         (unsigned long long) need, reel_reader_left(r));
    }

    run.fields = flags;
    run.offset = st->end;
    run.dts = st->dts;
    run.duration = st->defaults.duration;
    run.size = st->defaults.size;
    run.sync = !(st->defaults.flags & NON_SYNC);
    run.first_sync = !(first & NON_SYNC);

    return run.samples != 0 ? add_run(st, &run, reel_read_bytes(r, need))
                            : REEL_OK;
}


static reel_err_t
read_traf(state_t *st, reel_reader_t *r)
{
    size_t         i;
    uint32_t       type;
    reel_err_t     err;
    reel_reader_t  body;

    st->track = NULL;
    st->tfhd = false;

    while (reel_box_next(r, &type, &body)) {
        for (i = 0; i < sizeof(boxes) / sizeof(boxes[0]); i++) {

            if (type != REEL_FOURCC(boxes[i].type[0], boxes[i].type[1],
                                    boxes[i].type[2], boxes[i].type[3]))
            {
                continue;
            }

            err = boxes[i].read(st, &body);

            if (err == REEL_OK && body.err != REEL_OK) {
                err = reel_fail(st->e, REEL_BADDATA, "%s: cut short",
                                boxes[i].type);
            }

            if (err != REEL_OK) {
                return err;
            }
        }
    }

    if (r->err != REEL_OK) {
        return reel_fail(st->e, REEL_BADDATA, "traf: a box does not fit");
    }

    return st->tfhd ? REEL_OK
                    : reel_fail(st->e, REEL_BADDATA, "traf: no tfhd");
}


static reel_err_t
read_trafs(state_t *st, reel_reader_t *r)
{
    uint32_t       type;
    reel_err_t     err;
    reel_reader_t  body;

    while (reel_box_next(r, &type, &body)) {
        if (type == REEL_FOURCC('t', 'r', 'a', 'f')) {
            err = read_traf(st, &body);
            if (err != REEL_OK) {
                return err;
            }
        }
    }

    return r->err == REEL_OK ? REEL_OK
           : reel_fail(st->e, REEL_BADDATA, "moof: a box does not fit");
}


reel_err_t
reel_moof_read(const reel_moof_place_t *p, reel_reader_t *r, reel_error_t *e)
{
    state_t                 st = { .p = p, .e = e, .end = p->at };
    unsigned                i;
    reel_err_t              err;
    reel_movie_runs_mark_t  marks[REEL_MOVIE_TRACKS];

    for (i = 0; i < p->n; i++) {
        marks[i] = reel_movie_runs_mark(&p->tracks[i].runs);
    }

    err = read_trafs(&st, r);

    if (err == REEL_AGAIN) {
        for (i = 0; i < p->n; i++) {
            reel_movie_runs_back(&p->tracks[i].runs, marks[i]);
        }
    }

    return err;
}


/* 8.8.3 */
static reel_err_t
read_trex(reel_reader_t *r, reel_movie_track_t *tracks, unsigned n,
    reel_error_t *e)
{
    uint32_t             id;
    reel_movie_track_t  *t;

    reel_read_skip(r, 4);
    id = reel_read_u32(r);
    reel_read_u32(r);                   /* sample entry: there is one */
    t = find_track(tracks, n, id);

    if (t != NULL) {
        t->defaults.duration = reel_read_u32(r);
        t->defaults.size = reel_read_u32(r);
        t->defaults.flags = reel_read_u32(r);
    }

    return r->err == REEL_OK ? REEL_OK
           : reel_fail(e, REEL_BADDATA, "trex: cut short");
}


reel_err_t
reel_moof_read_mvex(reel_reader_t *r, reel_movie_track_t *tracks, unsigned n,
    reel_error_t *e)
{
    uint32_t       type;
    reel_err_t     err;
    reel_reader_t  body;

    while (reel_box_next(r, &type, &body)) {
        if (type == REEL_FOURCC('t', 'r', 'e', 'x')) {
            err = read_trex(&body, tracks, n, e);
            if (err != REEL_OK) {
                return err;
            }
        }
    }

    return r->err == REEL_OK ? REEL_OK
           : reel_fail(e, REEL_BADDATA, "mvex: a box does not fit");
}
