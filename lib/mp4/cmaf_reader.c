#include "lib/base/reader.h"
#include "lib/mp4/box.h"
#include "lib/mp4/cmaf.h"


#define SAMPLES_MAX (1u << 20)

/* SAMPLES_MAX samples of four fields, and room for boxes to come */
#define MOOF_MAX    (32u << 20)


typedef struct {
    reel_cmaf_moof_t *m;
    reel_error_t     *e;
    const uint8_t    *start;            /* of the moof */
    unsigned          seen;             /* bit i: boxes[i] was read */

    uint32_t          tfhd_flags;
    uint32_t          duration, size, sample_flags;     /* tfhd's defaults */

    uint8_t           trun_version;
    uint32_t          trun_flags;
    uint32_t          first_flags;
    reel_reader_t     entries;
} state_t;

typedef struct {
    const char  type[5];
    const char *parent;
    reel_err_t (*read)(state_t *st, reel_reader_t *r);
} box_t;


static reel_err_t read_mfhd(state_t *st, reel_reader_t *r);
static reel_err_t read_traf(state_t *st, reel_reader_t *r);
static reel_err_t read_tfhd(state_t *st, reel_reader_t *r);
static reel_err_t read_tfdt(state_t *st, reel_reader_t *r);
static reel_err_t read_trun(state_t *st, reel_reader_t *r);


/* each exactly once; others are skipped */
static const box_t  boxes[] = {
    { "mfhd", "moof", read_mfhd },
    { "traf", "moof", read_traf },
    { "tfhd", "traf", read_tfhd },
    { "tfdt", "traf", read_tfdt },
    { "trun", "traf", read_trun }
};

#define NBOXES (sizeof(boxes) / sizeof(boxes[0]))


static uint32_t
fourcc(const char *t)
{
    return REEL_FOURCC(t[0], t[1], t[2], t[3]);
}


static reel_err_t
read_box(state_t *st, const char *parent, uint32_t type, reel_reader_t *body)
{
    size_t      at = (size_t) (body->p - st->start) - REEL_BOX_HEAD, i;
    reel_err_t  err;

    for (i = 0; i < NBOXES; i++) {

        if (type != fourcc(boxes[i].type)
            || strcmp(boxes[i].parent, parent) != 0)
        {
            continue;
        }

        if (st->seen & 1u << i) {
            return reel_fail(st->e, REEL_BADDATA, "%s at %zu: a second one",
                             boxes[i].type, at);
        }

        st->seen |= 1u << i;

        err = boxes[i].read(st, body);
        if (err != REEL_OK) {
            return err;
        }

        if (body->err != REEL_OK) {
            return reel_fail(st->e, REEL_BADDATA, "%s at %zu: cut short",
                             boxes[i].type, at);
        }

        return REEL_OK;
    }

    return REEL_OK;
}


/* the boxes of a container */
static reel_err_t
read_boxes(state_t *st, const char *parent, reel_reader_t *r)
{
    size_t         at;
    uint32_t       size, type;
    reel_err_t     err;
    reel_reader_t  body;

    while (reel_reader_left(r) != 0) {
        at = (size_t) (r->p - st->start);
        size = reel_read_u32(r);
        type = reel_read_u32(r);

        if (r->err != REEL_OK || size < REEL_BOX_HEAD
            || size - REEL_BOX_HEAD > reel_reader_left(r))
        {
            return reel_fail(st->e, REEL_BADDATA,
                             "%s: a box at %zu does not fit", parent, at);
        }

        body = reel_read_sub(r, size - REEL_BOX_HEAD);

        err = read_box(st, parent, type, &body);
        if (err != REEL_OK) {
            return err;
        }
    }

    return REEL_OK;
}


static reel_err_t
read_mfhd(state_t *st, reel_reader_t *r)
{
    reel_read_skip(r, 4);
    st->m->sequence = reel_read_u32(r);

    return REEL_OK;
}


static reel_err_t
read_traf(state_t *st, reel_reader_t *r)
{
    return read_boxes(st, "traf", r);
}


static reel_err_t
read_tfhd(state_t *st, reel_reader_t *r)
{
    reel_read_skip(r, 1);
    st->tfhd_flags = reel_read_u24(r);
    st->m->track_id = reel_read_u32(r);

    if (r->err == REEL_OK
        && ((st->tfhd_flags & REEL_TFHD_BASE_OFFSET)
            || !(st->tfhd_flags & REEL_TFHD_BASE_IS_MOOF)))
    {
        return reel_fail(st->e, REEL_BADDATA,
                         "tfhd: offsets are not from the moof");
    }

    if (st->tfhd_flags & REEL_TFHD_DESCRIPTION) {
        reel_read_skip(r, 4);
    }

    if (st->tfhd_flags & REEL_TFHD_DURATION) {
        st->duration = reel_read_u32(r);
    }

    if (st->tfhd_flags & REEL_TFHD_SIZE) {
        st->size = reel_read_u32(r);
    }

    if (st->tfhd_flags & REEL_TFHD_FLAGS) {
        st->sample_flags = reel_read_u32(r);
    }

    return REEL_OK;
}


static reel_err_t
read_tfdt(state_t *st, reel_reader_t *r)
{
    uint8_t   version;
    uint64_t  ts;

    version = reel_read_u8(r);
    reel_read_skip(r, 3);
    ts = version == 1 ? reel_read_u64(r) : reel_read_u32(r);

    if (ts > INT64_MAX) {
        return reel_fail(st->e, REEL_BADDATA, "tfdt: time beyond 2^63");
    }

    st->m->decode_ts = (int64_t) ts;

    return REEL_OK;
}


static reel_err_t
read_trun(state_t *st, reel_reader_t *r)
{
    uint32_t  n, flags, entry;

    st->trun_version = reel_read_u8(r);
    flags = reel_read_u24(r);
    n = reel_read_u32(r);

    if (r->err != REEL_OK) {
        return REEL_OK;
    }

    if (!(flags & REEL_TRUN_DATA_OFFSET)) {
        return reel_fail(st->e, REEL_BADDATA, "trun: no data offset");
    }

    st->m->data_offset = reel_read_u32(r);

    if (flags & REEL_TRUN_FIRST_FLAGS) {
        st->first_flags = reel_read_u32(r);
    }

    entry = 4u * (unsigned) __builtin_popcount(flags & (REEL_TRUN_DURATION
                  | REEL_TRUN_SIZE | REEL_TRUN_FLAGS | REEL_TRUN_CTS));

    if (n == 0 || n > SAMPLES_MAX) {
        return reel_fail(st->e, REEL_BADDATA, "trun: %u samples", n);
    }

    if ((uint64_t) n * entry != reel_reader_left(r)) {
        return reel_fail(st->e, REEL_BADDATA,
                         "trun: %u samples need %llu bytes, %zu left", n,
                         (unsigned long long) n * entry, reel_reader_left(r));
    }

    st->m->nsamples = n;
    st->trun_flags = flags;
    st->entries = reel_read_sub(r, (uint64_t) n * entry);

    return REEL_OK;
}


/* every field must be stated in this fragment: cmf2 */
static reel_err_t
check_fields(state_t *st)
{
    size_t  i;

    for (i = 0; i < NBOXES; i++) {
        if (!(st->seen & 1u << i)) {
            return reel_fail(st->e, REEL_BADDATA, "%s: no %s",
                             boxes[i].parent, boxes[i].type);
        }
    }

    if (!(st->tfhd_flags & REEL_TFHD_DURATION
          || st->trun_flags & REEL_TRUN_DURATION)
        || !(st->tfhd_flags & REEL_TFHD_SIZE
             || st->trun_flags & REEL_TRUN_SIZE)
        || !(st->tfhd_flags & REEL_TFHD_FLAGS
             || st->trun_flags & REEL_TRUN_FLAGS))
    {
        return reel_fail(st->e, REEL_BADDATA,
                         "moof: duration, size or flags of samples missing");
    }

    return REEL_OK;
}


/* walks the samples; bytes gets the sum of their sizes */
static reel_err_t
walk_samples(const state_t *st, uint64_t *bytes, reel_cmaf_sample_fn fn,
    void *arg)
{
    uint32_t            i, cts, flags;
    reel_err_t          err;
    reel_reader_t       r = st->entries;
    reel_cmaf_sample_t  s;

    *bytes = 0;

    for (i = 0; i < st->m->nsamples; i++) {
        s.duration = st->trun_flags & REEL_TRUN_DURATION
                     ? reel_read_u32(&r) : st->duration;
        s.size = st->trun_flags & REEL_TRUN_SIZE
                 ? reel_read_u32(&r) : st->size;
        flags = st->trun_flags & REEL_TRUN_FLAGS
                ? reel_read_u32(&r) : st->sample_flags;
        cts = st->trun_flags & REEL_TRUN_CTS ? reel_read_u32(&r) : 0;

        if (i == 0 && st->trun_flags & REEL_TRUN_FIRST_FLAGS) {
            flags = st->first_flags;
        }

        if (cts > INT32_MAX && st->trun_version == 0) {
            return reel_fail(st->e, REEL_BADDATA,
                             "trun: sample %u is shown 2^31 ticks late", i);
        }

        s.cts_offset = (int32_t) cts;
        s.sync = !(flags & 0x00010000);
        *bytes += s.size;

        if (fn != NULL) {
            err = fn(arg, &s);
            if (err != REEL_OK) {
                return err;
            }
        }
    }

    return r.err;
}


static reel_err_t
check_mdat(state_t *st, reel_reader_t *r)
{
    uint32_t    type;
    uint64_t    bytes;
    reel_err_t  err;

    st->m->mdat_size = reel_read_u32(r);
    type = reel_read_u32(r);

    if (r->err != REEL_OK) {
        return REEL_AGAIN;
    }

    if (type != REEL_FOURCC('m', 'd', 'a', 't')) {
        return reel_fail(st->e, REEL_BADDATA, "no mdat behind the moof");
    }

    err = walk_samples(st, &bytes, NULL, NULL);
    if (err != REEL_OK) {
        return err;
    }

    if (st->m->mdat_size != bytes + REEL_BOX_HEAD
        || st->m->data_offset != st->m->moof_size + REEL_BOX_HEAD)
    {
        return reel_fail(st->e, REEL_BADDATA,
                         "mdat: %llu bytes, but samples of %llu from %u",
                         (unsigned long long) st->m->mdat_size,
                         (unsigned long long) bytes, st->m->data_offset);
    }

    return REEL_OK;
}


reel_err_t
reel_cmaf_read_moof(reel_cmaf_moof_t *m, const void *data, size_t len,
    reel_cmaf_sample_fn fn, void *arg, reel_error_t *e)
{
    state_t        st = { .m = m, .e = e, .start = data };
    uint32_t       size, type;
    uint64_t       bytes;
    reel_err_t     err;
    reel_reader_t  r, body;

    *m = (reel_cmaf_moof_t) { 0 };

    reel_reader_init(&r, data, len);
    size = reel_read_u32(&r);
    type = reel_read_u32(&r);

    if (r.err != REEL_OK) {
        return REEL_AGAIN;
    }

    if (type != REEL_FOURCC('m', 'o', 'o', 'f') || size < REEL_BOX_HEAD
        || size > MOOF_MAX)
    {
        return reel_fail(e, REEL_BADDATA, "no moof, or one of %u bytes", size);
    }

    if (size - REEL_BOX_HEAD > reel_reader_left(&r)) {
        return REEL_AGAIN;
    }

    m->moof_size = size;
    body = reel_read_sub(&r, size - REEL_BOX_HEAD);

    err = read_boxes(&st, "moof", &body);
    if (err != REEL_OK) {
        return err;
    }

    err = check_fields(&st);
    if (err != REEL_OK) {
        return err;
    }

    err = check_mdat(&st, &r);
    if (err != REEL_OK || fn == NULL) {
        return err;
    }

    return walk_samples(&st, &bytes, fn, arg);
}
