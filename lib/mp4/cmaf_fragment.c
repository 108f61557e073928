#include "lib/mp4/box.h"
#include "lib/mp4/cmaf.h"
#include "lib/mp4/protect.h"


#define SAMPLES_MAX (1u << 20)


/* which fields can be stated once for the whole fragment */
typedef struct {
    uint32_t tfhd;              /* flags */
    uint32_t trun;
    uint32_t sample_flags;      /* tfhd's default */
    uint64_t bytes;
} plan_t;


static uint32_t
flags_of(bool sync)
{
    return sync ? REEL_FLAGS_SYNC : REEL_FLAGS_NON_SYNC;
}


static void
plan_fields(plan_t *p, const reel_cmaf_shape_t *s)
{
    p->bytes = s->bytes;
    p->tfhd = REEL_TFHD_BASE_IS_MOOF;
    p->trun = REEL_TRUN_DATA_OFFSET;

    if (s->n == 0) {
        return;
    }

    p->sample_flags = flags_of(s->second);

    p->trun |= s->cts ? REEL_TRUN_CTS : 0;
    p->tfhd |= s->sizes ? 0 : REEL_TFHD_SIZE;
    p->trun |= s->sizes ? REEL_TRUN_SIZE : 0;
    p->tfhd |= s->durations ? 0 : REEL_TFHD_DURATION;
    p->trun |= s->durations ? REEL_TRUN_DURATION : 0;

    if (s->rest) {
        p->trun |= REEL_TRUN_FLAGS;
        return;
    }

    p->tfhd |= REEL_TFHD_FLAGS;
    p->trun |= s->first.sync != s->second ? REEL_TRUN_FIRST_FLAGS : 0;
}


/* bytes of the fields of 4 that those flags announce */
static size_t
fields(uint32_t flags)
{
    size_t  n;

    for (n = 0; flags != 0; flags &= flags - 1) {
        n += 4;
    }

    return n;
}


size_t
reel_cmaf_fragment_size(const reel_cmaf_shape_t *s)
{
    plan_t    p;
    uint32_t  once, each;

    plan_fields(&p, s);

    once = REEL_TRUN_DATA_OFFSET | REEL_TRUN_FIRST_FLAGS;
    each = REEL_TRUN_DURATION | REEL_TRUN_SIZE | REEL_TRUN_FLAGS
           | REEL_TRUN_CTS;

    return REEL_BOX_HEAD                            /* moof */
           + REEL_FULL_BOX_HEAD + 4                 /* mfhd */
           + REEL_BOX_HEAD                          /* traf */
           + REEL_FULL_BOX_HEAD + 4                 /* tfhd */
           + fields(p.tfhd & ~REEL_TFHD_BASE_IS_MOOF)
           + REEL_FULL_BOX_HEAD + 8                 /* tfdt */
           + REEL_FULL_BOX_HEAD + 4 + fields(p.trun & once)     /* trun */
           + s->n * fields(p.trun & each)
           + REEL_BOX_HEAD;                         /* mdat */
}


/* 8.8.7 */
static void
write_tfhd(reel_buf_t *b, uint32_t track_id, const plan_t *p,
    const reel_cmaf_sample_t *s)
{
    size_t  box = reel_full_box_begin(b, REEL_FOURCC('t', 'f', 'h', 'd'), 0,
                                      p->tfhd);

    reel_buf_u32(b, track_id);

    if (p->tfhd & REEL_TFHD_DURATION) {
        reel_buf_u32(b, s[0].duration);
    }

    if (p->tfhd & REEL_TFHD_SIZE) {
        reel_buf_u32(b, s[0].size);
    }

    if (p->tfhd & REEL_TFHD_FLAGS) {
        reel_buf_u32(b, p->sample_flags);
    }

    reel_box_end(b, box);
}


/* 8.8.12 */
static void
write_tfdt(reel_buf_t *b, int64_t decode_ts)
{
    size_t  box = reel_full_box_begin(b, REEL_FOURCC('t', 'f', 'd', 't'), 1,
                                      0);

    reel_buf_u64(b, (uint64_t) decode_ts);
    reel_box_end(b, box);
}


/* 8.8.8; version 1: offsets are signed.  Returns where data_offset stands */
static size_t
write_trun(reel_buf_t *b, const plan_t *p, const reel_cmaf_sample_t *s,
    uint32_t n)
{
    size_t    box, offset;
    uint32_t  i;

    box = reel_full_box_begin(b, REEL_FOURCC('t', 'r', 'u', 'n'), 1, p->trun);
    reel_buf_u32(b, n);

    offset = b->len;
    reel_buf_u32(b, 0);

    if (p->trun & REEL_TRUN_FIRST_FLAGS) {
        reel_buf_u32(b, flags_of(s[0].sync));
    }

    for (i = 0; i < n; i++) {

        if (p->trun & REEL_TRUN_DURATION) {
            reel_buf_u32(b, s[i].duration);
        }

        if (p->trun & REEL_TRUN_SIZE) {
            reel_buf_u32(b, s[i].size);
        }

        if (p->trun & REEL_TRUN_FLAGS) {
            reel_buf_u32(b, flags_of(s[i].sync));
        }

        if (p->trun & REEL_TRUN_CTS) {
            reel_buf_u32(b, (uint32_t) s[i].cts_offset);
        }
    }

    reel_box_end(b, box);

    return offset;
}


reel_err_t
reel_cmaf_fragment(reel_buf_t *b, uint32_t track_id, uint32_t sequence,
    int64_t decode_ts, const reel_cmaf_sample_t *samples, uint32_t n)
{
    return reel_cmaf_fragment_sealed(b, track_id, sequence, decode_ts,
                                     samples, n, NULL);
}


reel_err_t
reel_cmaf_fragment_sealed(reel_buf_t *b, uint32_t track_id,
    uint32_t sequence, int64_t decode_ts, const reel_cmaf_sample_t *samples,
    uint32_t n, const reel_protect_t *protect)
{
    size_t             moof, box, traf, offset;
    plan_t             p;
    uint32_t           i;
    reel_cmaf_shape_t  shape = { 0 };

    if (track_id == 0 || decode_ts < 0 || n > SAMPLES_MAX) {
        return REEL_INVAL;
    }

    for (i = 0; i < n; i++) {
        reel_cmaf_shape_add(&shape, &samples[i]);
    }

    plan_fields(&p, &shape);

    if (p.bytes > UINT32_MAX - REEL_BOX_HEAD) {
        return REEL_LIMIT;
    }

    moof = reel_box_begin(b, REEL_FOURCC('m', 'o', 'o', 'f'));

    box = reel_full_box_begin(b, REEL_FOURCC('m', 'f', 'h', 'd'), 0, 0);
    reel_buf_u32(b, sequence);
    reel_box_end(b, box);

    traf = reel_box_begin(b, REEL_FOURCC('t', 'r', 'a', 'f'));
    write_tfhd(b, track_id, &p, samples);
    write_tfdt(b, decode_ts);
    offset = write_trun(b, &p, samples, n);

    if (protect != NULL) {
        reel_protect_traf(b, moof, protect, decode_ts, samples, n);
    }

    reel_box_end(b, traf);

    if (protect != NULL) {
        reel_buf_adds(b, protect->pssh);
    }

    reel_box_end(b, moof);

    /* the first sample lies behind moof and mdat's header */
    if (b->err == REEL_OK) {
        reel_buf_patch32(b, offset,
                         (uint32_t) (b->len - moof + REEL_BOX_HEAD));
    }

    reel_buf_u32(b, (uint32_t) (p.bytes + REEL_BOX_HEAD));
    reel_buf_u32(b, REEL_FOURCC('m', 'd', 'a', 't'));

    return reel_buf_err(b);
}
