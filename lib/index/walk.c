#include "lib/index/index.h"
#include "lib/index/name.h"
#include "lib/index/rate.h"


uint32_t
reel_index_segments(const reel_index_t *ix, uint32_t per)
{
    if (per == 0) {
        return 0;
    }

    return ix->fragments / per + (ix->fragments % per != 0);
}


/* walks the objects of a rendition in order */
typedef struct {
    reel_packed_t in;
    uint32_t      next;         /* number of the next object */
    uint32_t      objects;
    /* of the object at hand */
    reel_str_t    name;         /* empty: packed is valid */
    reel_packed_t packed;
    uint32_t      first;
    uint32_t      count;
} objects_t;


static void
objects_init(objects_t *o, const reel_rendition_t *r)
{
    o->in = reel_packed(r->object_bytes);
    o->next = 0;
    o->objects = r->objects;
    o->first = 0;
    o->count = 0;
}


static bool
objects_next(objects_t *o)
{
    uint64_t  len;

    if (o->next == o->objects) {
        return false;
    }

    o->next++;

    len = reel_packed_next(&o->in);

    if (len > (uint64_t) (o->in.end - o->in.p)) {
        return false;
    }

    o->name = (reel_str_t) { (const char *) o->in.p, (size_t) len };
    o->in.p += len;

    if (len == 0) {
        o->packed = o->in;
        reel_packed_skip(&o->in, 2);

        if (o->in.end - o->in.p < REEL_IX_NONCE) {
            return false;
        }

        o->in.p += REEL_IX_NONCE;
    }

    o->first += o->count;
    o->count = (uint32_t) reel_packed_next(&o->in);

    return true;
}


static void
put_name(reel_extent_t *x, const objects_t *o)
{
    reel_packed_t   in = o->packed;
    reel_ix_name_t  n;

    if (o->name.len != 0) {
        x->object = o->name;
        return;
    }

    n.chunk = reel_packed_next(&in);
    n.fence = reel_packed_next(&in);
    memcpy(n.nonce, in.p, REEL_IX_NONCE);

    reel_ix_name_print(x->name, &n);
    x->object = reel_str(x->name);
}


static uint64_t
sum_next(reel_packed_t *c, uint32_t n)
{
    uint64_t  sum = 0;

    while (n-- != 0) {
        sum += reel_packed_next(c);
    }

    return sum;
}


reel_err_t
reel_index_locate(const reel_index_t *ix, const reel_rendition_t *r,
    uint32_t first, uint32_t count, reel_extent_t ext[REEL_EXTENTS_MAX],
    unsigned *n)
{
    uint32_t        take;
    objects_t       o;
    reel_packed_t   sizes;
    reel_extent_t  *x;

    *n = 0;

    if (count == 0 || first >= ix->fragments
        || count > ix->fragments - first)
    {
        return REEL_NOTFOUND;
    }

    objects_init(&o, r);

    do {
        if (!objects_next(&o)) {
            return REEL_BADDATA;
        }
    } while (first - o.first >= o.count);

    sizes = reel_packed(r->size_bytes);
    reel_packed_skip(&sizes, o.first);

    for ( ;; ) {

        if (*n == REEL_EXTENTS_MAX) {
            return REEL_LIMIT;
        }

        x = &ext[(*n)++];
        put_name(x, &o);
        x->header = (uint32_t) reel_runs_at(r->header_bytes, o.next - 1);
        x->offset = reel_runs_at(r->base_bytes, o.next - 1)
                    + sum_next(&sizes, first - o.first);

        take = o.count - (first - o.first);
        take = take < count ? take : count;
        x->size = sum_next(&sizes, take);

        first += take;
        count -= take;

        if (count == 0) {
            return REEL_OK;
        }

        if (!objects_next(&o)) {
            return REEL_BADDATA;
        }
    }
}


reel_err_t
reel_index_sheet(const reel_pictures_t *q, uint32_t i, uint64_t *offset,
    uint32_t *size)
{
    reel_packed_t  sizes = reel_packed(q->size_bytes);

    if (i >= q->sheets) {
        return REEL_NOTFOUND;
    }

    *offset = sum_next(&sizes, i);
    *size = (uint32_t) reel_packed_next(&sizes);

    return REEL_OK;
}


void
reel_fragments_init(reel_fragments_t *f, const reel_index_t *ix,
    const reel_rendition_t *r)
{
    *f = (reel_fragments_t) {
        .sizes = reel_packed(r->size_bytes),
        .iframes = reel_packed(r->iframe_bytes),
        .durations = reel_runs(r->duration_bytes),
        .samples = reel_runs(r->sample_bytes),
        .video = r->kind == REEL_VIDEO,
        .left = ix->fragments,
        .number = UINT32_MAX
    };
}


bool
reel_fragments_next(reel_fragments_t *f)
{
    if (f->left == 0) {
        return false;
    }

    f->left--;
    f->number++;
    f->start_ts += f->duration;
    f->size = (uint32_t) reel_packed_next(&f->sizes);
    f->duration = (uint32_t) reel_runs_next(&f->durations);
    f->nsamples = (uint32_t) reel_runs_next(&f->samples);
    f->iframe = f->video ? (uint32_t) reel_packed_next(&f->iframes) : 0;

    return true;
}


void
reel_segments_init(reel_segments_t *s, const reel_index_t *ix,
    const reel_rendition_t *r, uint32_t per)
{
    *s = (reel_segments_t) { .per = per, .number = UINT32_MAX };
    reel_fragments_init(&s->f, ix, r);
}


void
reel_segments_skip(reel_segments_t *s, uint32_t n)
{
    uint64_t  fragments = (uint64_t) n * s->per;

    if (fragments > s->f.left) {
        fragments = s->f.left;
    }

    s->number += n;
    reel_packed_skip(&s->f.sizes, fragments);
    s->start_ts += (int64_t) reel_runs_sum(&s->f.durations, fragments);
    s->f.left -= (uint32_t) fragments;
}


bool
reel_segments_next(reel_segments_t *s)
{
    uint32_t  n = s->f.left < s->per ? s->f.left : s->per;

    if (n == 0) {
        return false;
    }

    s->number++;
    s->start_ts += (int64_t) s->duration;

    /* the same as n turns of reel_fragments_next, less what is not asked */
    s->size = sum_next(&s->f.sizes, n);
    s->duration = reel_runs_sum(&s->f.durations, n);
    s->f.left -= n;

    return true;
}


/* judges every segment of s, which stands before its first one */
static reel_bitrate_t
judge(reel_segments_t *s, uint32_t timescale)
{
    reel_rate_t  x;

    reel_rate_init(&x, timescale);

    while (reel_segments_next(s)) {
        reel_rate_add(&x, s->size, s->duration, s->f.left == 0);
    }

    return reel_rate_end(&x);
}


reel_bitrate_t
reel_index_bitrate(const reel_index_t *ix, const reel_rendition_t *r,
    uint32_t per)
{
    reel_segments_t  s;

    reel_segments_init(&s, ix, r, per);

    return judge(&s, r->timescale);
}


reel_bitrate_t
reel_index_bitrate_of(const reel_index_t *ix, const reel_rendition_t *r,
    uint32_t per, uint32_t first, uint32_t count)
{
    reel_segments_t  s;

    reel_segments_init(&s, ix, r, per);
    reel_segments_skip(&s, first);

    if (count < UINT32_MAX / per && count * per < s.f.left) {
        s.f.left = count * per;
    }

    return judge(&s, r->timescale);
}
