#include <stdlib.h>

#include "lib/base/rescale.h"
#include "lib/mp4/movie_track.h"
#include "lib/mp4/sample_entry.h"


#define LIST_MAX     (48u << 20)    /* bytes of a packed list */
#define FRAGMENT_MAX (1u << 18)     /* samples: sound of an hour and a half */
#define BLOCK        128            /* samples that are read at once */
#define ELST_MAX     (INT64_C(1) << 40)     /* ticks: 34 years at 1000 a second */


/* 8.6.6: what comes before the media, and where in it playback begins */
static reel_err_t
read_elst(const reel_movie_track_t *t, uint32_t movie_timescale,
    int64_t *delay, int64_t *media, reel_error_t *e)
{
    int64_t        time, empty;
    uint8_t        version;
    uint32_t       n;
    uint64_t       duration;
    reel_str_t     table = t->trak.tables[REEL_TRAK_ELST];
    reel_reader_t  r;

    *delay = 0;
    *media = 0;

    if (table.p == NULL) {
        return REEL_OK;
    }

    reel_reader_init(&r, table.p, table.len);
    version = (uint8_t) (reel_read_u32(&r) >> 24);
    n = reel_read_u32(&r);

    while (n-- != 0) {
        duration = version == 1 ? reel_read_u64(&r) : reel_read_u32(&r);
        time = version == 1 ? (int64_t) reel_read_u64(&r)
                            : (int32_t) reel_read_u32(&r);
        reel_read_u32(&r);              /* rate */

        if (r.err != REEL_OK || duration > ELST_MAX || time > ELST_MAX) {
            return reel_fail(e, REEL_BADDATA, "elst: cut short, or longer "
                             "than time");
        }

        if (time >= 0) {
            *media = time;
            break;
        }

        empty = reel_rescale((int64_t) duration, t->trak.cmaf.timescale,
                             movie_timescale, REEL_ROUND_NEAR);

        if (empty > ELST_MAX - *delay) {
            return reel_fail(e, REEL_BADDATA, "elst: empty for longer than "
                             "time");
        }

        *delay += empty;
    }

    return REEL_OK;
}


/* the samples of a track's tables and fragments, one by one */
typedef struct {
    reel_movie_walk_t   s;
    uint32_t            number;         /* of block[0] */
    uint32_t            at;
    uint32_t            n;
    reel_stbl_sample_t  block[BLOCK];
} walk_t;


static reel_err_t
walk_init(walk_t *w, const reel_movie_track_t *t, reel_error_t *e)
{
    w->number = 0;
    w->at = 0;
    w->n = 0;

    return reel_movie_walk_init(&w->s, &t->trak, &t->runs, e);
}


/* the places of samples stay unknown */
static reel_err_t
walk_times(walk_t *w, const reel_movie_track_t *t, reel_error_t *e)
{
    reel_err_t  err = walk_init(w, t, e);

    w->s.stbl.times_only = true;

    return err;
}


/* NULL behind the last one, or when w->s.err is set */
static inline const reel_stbl_sample_t *
walk_raw(walk_t *w)
{
    if (w->at == w->n) {
        w->number += w->n;
        w->at = 0;
        w->n = reel_movie_walk_read(&w->s, w->block, BLOCK);

        if (w->n == 0) {
            return NULL;
        }
    }

    return &w->block[w->at++];
}


/* of the one that walk_raw returned */
static inline uint32_t
walk_number(const walk_t *w)
{
    return w->number + w->at - 1;
}


reel_err_t
reel_movie_edit(reel_movie_track_t *t, uint32_t movie_timescale,
    reel_error_t *e)
{
    walk_t                     w;
    int64_t                    delay, media, pts;
    reel_err_t                 err;
    const reel_stbl_sample_t  *q;

    err = read_elst(t, movie_timescale, &delay, &media, e);
    if (err == REEL_OK) {
        err = walk_times(&w, t, e);
    }
    if (err != REEL_OK) {
        return err;
    }

    t->shift_ts = delay - media;
    t->first = 0;

    while ((q = walk_raw(&w)) != NULL) {
        pts = q->dts + q->cts_offset + t->shift_ts;

        if (t->video ? pts > 0 : pts + q->duration > 0) {
            break;
        }

        /* the last one to begin with: a key frame, or the first unit of
           sound of which anything is heard */
        if (q->sync) {
            t->first = walk_number(&w) + !t->video;
        }
    }

    return w.s.err;
}


/* the decode time of sample `number`, which is dts + shift where it can be */
static inline int64_t
decode_ts(const reel_movie_track_t *t, uint32_t number, int64_t dts)
{
    uint32_t  i = number - t->first;

    if (i < t->early) {
        return t->spread_ts * i / t->early;
    }

    return dts + t->shift_ts;
}


/* how many samples would be decoded before 0, and until when */
static reel_err_t
find_early(reel_movie_track_t *t, reel_error_t *e)
{
    walk_t                     w;
    int64_t                    end = 0;
    reel_err_t                 err;
    const reel_stbl_sample_t  *q;

    err = walk_times(&w, t, e);
    if (err != REEL_OK) {
        return err;
    }

    t->early = 0;

    while ((q = walk_raw(&w)) != NULL) {

        end = q->dts + q->duration;

        if (walk_number(&w) < t->first) {
            continue;
        }

        t->spread_ts = q->dts + t->shift_ts;

        if (t->early == 0 && t->spread_ts >= 0) {
            return REEL_OK;
        }

        if (t->spread_ts > 0) {
            return REEL_OK;
        }

        t->early++;
    }

    /* all of them are: then they take as long as the last one does */
    t->spread_ts = end + t->shift_ts;
    if (t->spread_ts < t->early) {
        t->spread_ts = t->early;
    }

    return w.s.err;
}


/* of decode times that are spread */
static bool
set_early(walk_t *w, const reel_movie_track_t *t, const reel_stbl_sample_t *in,
    reel_sample_t *q, int64_t *decode, int64_t pts)
{
    int64_t   next;
    uint32_t  number = walk_number(w);

    *decode = decode_ts(t, number, in->dts);
    next = decode_ts(t, number + 1, in->dts + in->duration);

    if (next - *decode > UINT32_MAX || pts - *decode > INT32_MAX
        || pts - *decode < INT32_MIN)
    {
        w->s.err = reel_fail(w->s.e, REEL_BADDATA, "ctts: sample %u is shown "
                             "too far from where it is decoded", number);
        return false;
    }

    q->duration = (uint32_t) (next - *decode);
    q->cts_offset = (int32_t) (pts - *decode);

    return true;
}


/* a sample that is kept, as it will be; its times lie beside it */
static inline bool
walk_next(walk_t *w, const reel_movie_track_t *t, reel_sample_t *q,
    int64_t *decode, int64_t *pts)
{
    const reel_stbl_sample_t  *in;

    do {
        in = walk_raw(w);
        if (in == NULL) {
            return false;
        }
    } while (walk_number(w) < t->first);

    q->offset = in->offset;
    q->size = in->size;
    q->sync = in->sync;

    *decode = in->dts + t->shift_ts;
    *pts = *decode + in->cts_offset;

    if (walk_number(w) - t->first < t->early) {
        return set_early(w, t, in, q, decode, *pts);
    }

    q->duration = in->duration;
    q->cts_offset = in->cts_offset;

    return true;
}


/* what unit, and v, are multiples of */
static inline uint32_t
common_unit(uint32_t unit, uint32_t v)
{
    if (unit != 0 && v % unit == 0) {
        return unit;
    }

    return (uint32_t) reel_gcd(unit, v);
}


reel_err_t
reel_movie_scan(reel_movie_track_t *t, reel_error_t *e)
{
    walk_t         w;
    int64_t        decode, pts, behind;
    uint32_t       unit = 0, last = 0;
    reel_err_t     err;
    reel_sample_t  q;

    err = find_early(t, e);
    if (err == REEL_OK) {
        err = walk_times(&w, t, e);
    }
    if (err != REEL_OK) {
        return err;
    }

    t->samples = 0;
    t->offsets = false;
    t->start_ts = INT64_MAX;
    t->end_ts = 0;

    while (walk_next(&w, t, &q, &decode, &pts)) {

        behind = pts + q.duration;
        t->start_ts = pts < t->start_ts ? pts : t->start_ts;
        t->end_ts = behind > t->end_ts ? behind : t->end_ts;
        t->samples++;

        if (q.duration != last) {
            unit = common_unit(unit, q.duration);
            last = q.duration;
        }

        if (q.cts_offset != 0) {
            t->offsets = true;
            unit = common_unit(unit, q.cts_offset < 0
                                     ? -(uint32_t) q.cts_offset
                                     : (uint32_t) q.cts_offset);
        }
    }

    t->unit = unit != 0 ? unit : 1;

    return w.s.err;
}


reel_err_t
reel_movie_cut(reel_movie_track_t *t, uint32_t segment_ms, reel_error_t *e)
{
    walk_t         w;
    int64_t        decode, pts, step, next = INT64_MIN, *p;
    uint32_t       cap = 0;
    reel_err_t     err;
    reel_sample_t  q;

    step = reel_rescale(segment_ms, t->trak.cmaf.timescale, 1000,
                        REEL_ROUND_NEAR);

    err = walk_times(&w, t, e);
    if (err != REEL_OK) {
        return err;
    }

    while (walk_next(&w, t, &q, &decode, &pts)) {

        if (!q.sync || pts < next) {
            continue;
        }

        if (t->ncuts == cap) {
            cap = cap != 0 ? cap * 2 : 256;
            p = realloc(t->cuts, cap * sizeof(*p));
            if (p == NULL) {
                return REEL_NOMEM;
            }
            t->cuts = p;
        }

        t->cuts[t->ncuts] = t->ncuts == 0 ? 0 : pts;
        t->ncuts++;

        /* a key frame a little early is better than one a GOP late */
        next = pts + step - step / 8;
    }

    return w.s.err;
}


/* the fragment at hand */
typedef struct {
    reel_cmaf_shape_t  shape;
    uint32_t           number;
    int64_t            decode_ts;       /* where it begins … */
    int64_t            end_ts;          /* … and so far ends */
} pack_t;


static void
pack_begin(pack_t *k, reel_movie_track_t *t, int64_t decode)
{
    k->decode_ts = decode;
    reel_samples_begin(&t->list, decode);

    /* sound is cut where a unit begins, not where we wished */
    if (!t->video && k->number != 0) {
        t->cuts[k->number] = decode;
    }
}


static inline reel_err_t
pack_add(pack_t *k, const reel_sample_t *q, reel_error_t *e)
{
    if (k->shape.n == FRAGMENT_MAX) {
        return reel_fail(e, REEL_LIMIT, "stss: over %u samples without a key "
                         "frame", FRAGMENT_MAX);
    }

    reel_cmaf_shape_add(&k->shape, &(reel_cmaf_sample_t) {
        .size = q->size, .duration = q->duration,
        .cts_offset = q->cts_offset, .sync = q->sync
    });

    return REEL_OK;
}


/* ends fragment k->number: what it will be, byte for byte, once it is made */
static reel_err_t
pack_end(pack_t *k, reel_movie_track_t *t)
{
    size_t               head;
    reel_ix_fragment_t  *f = &t->fragments[k->number];

    if (k->shape.n == 0) {
        pack_begin(k, t, k->end_ts);
    }

    if (k->decode_ts < 0) {
        return REEL_INVAL;
    }

    head = reel_cmaf_fragment_size(&k->shape);

    if (k->shape.bytes > UINT32_MAX - head) {
        return REEL_LIMIT;
    }

    f->size = (uint32_t) (head + k->shape.bytes);
    f->samples = k->shape.n;
    f->iframe = t->video && k->shape.n != 0
                ? (uint32_t) head + k->shape.first.size : 0;

    k->shape = (reel_cmaf_shape_t) { 0 };
    k->number++;

    return REEL_OK;
}


/* how long fragment k shows: to where the next one begins */
static void
set_durations(reel_movie_track_t *t)
{
    int64_t   end;
    uint32_t  k;

    for (k = 0; k < t->ncuts; k++) {
        end = k + 1 < t->ncuts ? t->cuts[k + 1] : t->end_ts;
        t->fragments[k].duration = end > t->cuts[k]
                                   ? (uint32_t) (end - t->cuts[k]) : 1;
    }
}


static reel_err_t
pack_all(pack_t *k, reel_movie_track_t *t, uint64_t file_size,
    reel_error_t *e)
{
    walk_t         w;
    int64_t        decode, pts;
    reel_err_t     err;
    reel_sample_t  q;

    err = walk_init(&w, t, e);

    while (err == REEL_OK && walk_next(&w, t, &q, &decode, &pts)) {

        if (q.size > file_size || q.offset > file_size - q.size) {
            return reel_fail(e, REEL_BADDATA, "stco: sample %u lies at %llu, "
                             "the file has %llu bytes", walk_number(&w),
                             (unsigned long long) q.offset,
                             (unsigned long long) file_size);
        }

        while (err == REEL_OK && k->number + 1 < t->ncuts
               && pts >= t->cuts[k->number + 1] && q.sync)
        {
            err = pack_end(k, t);
        }

        if (err != REEL_OK) {
            break;
        }

        if (k->shape.n == 0) {
            pack_begin(k, t, decode);
        }

        reel_samples_add(&t->list, &q);
        k->end_ts = decode + q.duration;
        err = pack_add(k, &q, e);
    }

    while (err == REEL_OK && k->number < t->ncuts) {
        err = pack_end(k, t);
    }

    return err != REEL_OK ? err : w.s.err;
}


reel_err_t
reel_movie_list(reel_movie_track_t *t, const reel_movie_opts_t *o,
    reel_error_t *e)
{
    pack_t      k = { 0 };
    reel_err_t  err;

    t->fragments = calloc(t->ncuts, sizeof(*t->fragments));
    if (t->fragments == NULL) {
        return REEL_NOMEM;
    }

    reel_samples_writer_init(&t->list, t->unit, t->offsets, LIST_MAX,
                             o->large);
    reel_samples_expect(&t->list, t->ncuts, t->samples);

    err = pack_all(&k, t, o->file_size, e);
    if (err == REEL_OK) {
        err = reel_samples_end(&t->list);
    }

    set_durations(t);

    if (err == REEL_OK) {
        t->trak.cmaf.track_id = t->video ? REEL_TRACK_VIDEO
                                         : REEL_TRACK_AUDIO;
        reel_buf_init(&t->header, 16384);
        err = reel_cmaf_header(&t->header, &t->trak.cmaf);
    }

    if (err == REEL_OK) {
        err = reel_mp4_codec(t->trak.cmaf.codec)
              ->string(t->codec, sizeof(t->codec), t->trak.cmaf.config);
    }

    return err;
}


void
reel_movie_track_release(reel_movie_track_t *t)
{
    free(t->cuts);
    free(t->fragments);
    reel_movie_runs_release(&t->runs);
    reel_buf_release(&t->header);
    reel_samples_writer_release(&t->list);
}
