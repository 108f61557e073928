#include "workerd/av_frag.h"

#include <stdlib.h>


#define FRAG_BYTES_MAX    (256u << 20)
#define FRAG_SAMPLES_MAX  (1u << 16)
#define HEADER_MAX        16384


int
reel_av_frag_init(reel_av_frag_t *w, int fd, const reel_cmaf_track_t *track,
    reel_av_fault_t *f)
{
    reel_err_t  err;

    w->fd = fd;
    w->track = *track;

    reel_buf_init(&w->config, HEADER_MAX);
    reel_buf_init(&w->header, HEADER_MAX);
    reel_buf_init(&w->data, FRAG_BYTES_MAX);

    reel_buf_adds(&w->config, track->config);
    err = reel_buf_err(&w->config);

    if (err == REEL_OK) {
        w->track.config = (reel_str_t) { (char *) w->config.data,
                                         w->config.len };
        err = reel_cmaf_header(&w->header, &w->track);
    }

    return err == REEL_OK ? 0
                          : reel_av_fault_err(f, err, "write", "CMAF header");
}


void
reel_av_frag_release(reel_av_frag_t *w)
{
    free(w->frags);
    free(w->sorted);
    free(w->pts);
    free(w->samples);
    reel_buf_release(&w->data);
    reel_buf_release(&w->header);
    reel_buf_release(&w->config);
    *w = (reel_av_frag_t) { 0 };
}


static int
put(reel_av_frag_t *w, const reel_buf_t *b, reel_av_fault_t *f)
{
    reel_err_t  err;

    err = reel_buf_err(b);
    if (err == REEL_OK) {
        err = reel_child_write(w->fd, b->data, b->len);
    }

    if (err != REEL_OK) {
        return reel_av_fault_err(f, err, "write", "output");
    }

    w->written += b->len;
    return 0;
}


int
reel_av_frag_begin(reel_av_frag_t *w, reel_av_fault_t *f)
{
    w->object = w->written;
    return put(w, &w->header, f);
}


static int
grow(reel_av_frag_t *w, reel_av_fault_t *f)
{
    void      *p;
    uint32_t   cap;

    cap = w->cap ? w->cap * 2 : 128;

    if (cap > FRAG_SAMPLES_MAX) {
        return reel_av_fault(f, "BAD_MEDIA", "encode",
                             "more than %u pictures in one fragment",
                             FRAG_SAMPLES_MAX);
    }

    if ((p = reallocarray(w->samples, cap, sizeof(*w->samples))) == NULL) {
        goto fail;
    }
    w->samples = p;

    if ((p = reallocarray(w->pts, cap, sizeof(*w->pts))) == NULL) {
        goto fail;
    }
    w->pts = p;

    if ((p = reallocarray(w->sorted, cap, sizeof(*w->sorted))) == NULL) {
        goto fail;
    }
    w->sorted = p;

    w->cap = cap;
    return 0;

fail:

    return reel_av_fault_err(f, REEL_NOMEM, "encode", "fragment");
}


int
reel_av_frag_add(reel_av_frag_t *w, int64_t pts, bool sync,
    reel_av_fault_t *f)
{
    reel_err_t  err;

    err = reel_buf_err(&w->data);
    if (err != REEL_OK) {
        return reel_av_fault_err(f, err, "encode", "fragment");
    }

    if (w->nsamples == w->cap && grow(w, f) != 0) {
        return -1;
    }

    w->pts[w->nsamples] = pts;
    w->samples[w->nsamples] = (reel_cmaf_sample_t) {
        .size = (uint32_t) (w->data.len - w->mark), .sync = sync
    };
    w->nsamples++;
    w->mark = w->data.len;

    return 0;
}


static int
compare(const void *a, const void *b)
{
    int64_t  x = *(const int64_t *) a, y = *(const int64_t *) b;

    return (x > y) - (x < y);
}


/*
 * Sample i is decoded `delay` frames before the i-th smallest presentation
 * time: the usual way of things, so that no composition offset is negative
 * (libavformat shifts the whole track by the most negative one, and
 * transport streams cannot have any).  There is no time before 0: the first
 * fragment's first frames are decoded within one frame's time instead.
 */
static int64_t
decode_time(const reel_av_frag_t *w, uint32_t number, int64_t start,
    uint32_t i)
{
    if (number == 0 && i <= w->delay) {
        return start + (int64_t) i * w->frame_ts / (w->delay + 1);
    }

    return w->sorted[i] - (int64_t) w->delay * w->frame_ts;
}


static int
set_times(reel_av_frag_t *w, uint32_t number, int64_t start, int64_t end,
    reel_av_fault_t *f)
{
    int64_t   at, next;
    uint32_t  i;

    for (i = 0; i < w->nsamples; i++) {
        w->sorted[i] = w->pts[i];
    }

    qsort(w->sorted, w->nsamples, sizeof(*w->sorted), compare);

    if (w->sorted[0] != start || w->sorted[w->nsamples - 1] >= end) {
        goto fail;
    }

    for (i = 0; i < w->nsamples; i++) {
        at = decode_time(w, number, start, i);
        next = i + 1 < w->nsamples ? decode_time(w, number, start, i + 1)
                                   : at + end - w->sorted[i];

        if (next <= at || w->pts[i] < at) {
            goto fail;
        }

        w->samples[i].duration = (uint32_t) (next - at);
        w->samples[i].cts_offset = (int32_t) (w->pts[i] - at);
    }

    return 0;

fail:

    return reel_av_fault(f, "INTERNAL", "encode",
                         "fragment %u: times do not rise to its end",
                         number);
}


static int
note_fragment(reel_av_frag_t *w, uint64_t head, int64_t start, int64_t end,
    reel_av_fault_t *f)
{
    void      *p;
    uint32_t   cap;

    if (w->nfrags == w->frags_cap) {
        cap = w->frags_cap ? w->frags_cap * 2 : 32;
        p = reallocarray(w->frags, cap, sizeof(*w->frags));
        if (p == NULL) {
            return reel_av_fault_err(f, REEL_NOMEM, "encode", "fragments");
        }
        w->frags = p;
        w->frags_cap = cap;
    }

    w->frags[w->nfrags++] = (reel_ix_fragment_t) {
        .size = (uint32_t) (head + w->data.len),
        .duration = (uint32_t) (end - start),
        .samples = w->nsamples,
        .iframe = w->track.track_id == REEL_TRACK_VIDEO
                  ? (uint32_t) (head + w->samples[0].size) : 0
    };

    w->total += w->nsamples;
    return 0;
}


int
reel_av_frag_close(reel_av_frag_t *w, uint32_t number, int64_t start,
    int64_t end, reel_av_fault_t *f)
{
    int         rc;
    uint64_t    head;
    reel_err_t  err;
    reel_buf_t  moof;

    if (w->nsamples == 0) {
        return reel_av_fault(f, "INTERNAL", "encode", "fragment %u is empty",
                             number);
    }

    if (set_times(w, number, start, end, f) != 0) {
        return -1;
    }

    rc = -1;
    reel_buf_init(&moof, (size_t) FRAG_SAMPLES_MAX * 16 + HEADER_MAX);

    err = reel_cmaf_fragment(&moof, w->track.track_id, number + 1,
                             decode_time(w, number, start, 0), w->samples,
                             w->nsamples);
    if (err != REEL_OK) {
        (void) reel_av_fault_err(f, err, "write", "fragment");
        goto done;
    }

    head = moof.len;

    if (put(w, &moof, f) != 0 || put(w, &w->data, f) != 0
        || note_fragment(w, head, start, end, f) != 0)
    {
        goto done;
    }

    reel_buf_clear(&w->data);
    w->mark = 0;
    w->nsamples = 0;
    rc = 0;

done:

    reel_buf_release(&moof);
    return rc;
}


int
reel_av_frag_close_gop(reel_av_frag_t *w, const reel_grid_t *g,
    uint32_t number, reel_av_fault_t *f)
{
    return reel_av_frag_close(w, number, (int64_t) number * g->gop_ts,
                              reel_grid_tick(g, number + 1), f);
}


int
reel_av_frag_end(reel_av_frag_t *w, reel_encoded_t *o, reel_av_fault_t *f)
{
    reel_err_t  err = reel_child_sync(w->fd);

    if (err != REEL_OK) {
        return reel_av_fault_err(f, err, "write", "sync");
    }

    o->header = w->header.data;
    o->header_len = w->header.len;
    o->base = w->header.len;
    o->bytes = w->written - w->object;
    o->frags = w->frags;
    o->nfrags = w->nfrags;
    o->samples = w->total;

    return 0;
}


void
reel_av_frag_next(reel_av_frag_t *w)
{
    w->nfrags = 0;
    w->total = 0;
}
