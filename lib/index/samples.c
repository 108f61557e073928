#include "lib/index/samples.h"


#define SYNC  4u
#define OTHER 2u                /* duration than the one before */
#define JUMP  1u
#define FLAGS 3                 /* bits of them */

#define SAMPLE_MAX  (4 * REEL_VARINT_MAX)   /* bytes of one */
#define SAMPLE_MEAN 8           /* or less: what is not used costs nothing */


static uint64_t
zigzag(int64_t v)
{
    return (uint64_t) v << 1 ^ (v < 0 ? UINT64_MAX : 0);
}


/* in 32 bits, as it is divided */
static uint32_t
magnitude(int32_t v)
{
    return v < 0 ? -(uint32_t) v : (uint32_t) v;
}


static int64_t
unzigzag(uint64_t v)
{
    return (int64_t) (v >> 1 ^ (v & 1 ? UINT64_MAX : 0));
}


static uint64_t
get_le(const uint8_t *p, unsigned n)
{
    uint64_t  v = 0;

    while (n-- != 0) {
        v = v << 8 | p[n];
    }

    return v;
}


/*
 * An anchor: offset and decode time (8 bytes each), where its first sample
 * stands in the list, the samples of the fragment, the duration before it.
 */
void
reel_samples_seek(reel_samples_cursor_t *c, const reel_samples_t *s,
    uint32_t k)
{
    uint64_t        at;
    const uint8_t  *p = (const uint8_t *) s->anchor_bytes.p
                        + (size_t) k * REEL_SAMPLES_ANCHOR;

    c->unit = s->unit;
    c->offsets = s->offsets;
    c->in = reel_packed(s->sample_bytes);
    c->offset = get_le(p, 8);
    c->decode_ts = (int64_t) get_le(p + 8, 8);
    at = get_le(p + 16, 4);
    c->left = (uint32_t) get_le(p + 20, 4);
    c->duration = (uint32_t) get_le(p + 24, 4);

    c->in.p += at <= s->sample_bytes.len ? at : s->sample_bytes.len;
}


bool
reel_samples_next(reel_samples_cursor_t *c, reel_sample_t *q)
{
    uint64_t  head;

    if (c->left == 0 || c->in.p == c->in.end) {
        return false;
    }

    c->left--;

    head = reel_packed_next(&c->in);

    if (head & OTHER) {
        c->duration = (uint32_t) reel_packed_next(&c->in);
    }

    if (head & JUMP) {
        c->offset += (uint64_t) unzigzag(reel_packed_next(&c->in));
    }

    q->offset = c->offset;
    q->size = (uint32_t) (head >> FLAGS);
    q->sync = (head & SYNC) != 0;
    q->duration = c->duration * c->unit;
    q->cts_offset = c->offsets
                    ? (int32_t) (unzigzag(reel_packed_next(&c->in))
                                 * (int64_t) c->unit)
                    : 0;

    c->offset += q->size;
    c->decode_ts += q->duration;

    return true;
}


void
reel_samples_writer_init(reel_samples_writer_t *w, uint32_t unit,
    bool offsets, size_t max, const reel_large_t *large)
{
    *w = (reel_samples_writer_t) { .unit = unit, .offsets = offsets };
    reel_buf_init(&w->anchors, max);
    reel_buf_init_large(&w->samples, max, large);
}


void
reel_samples_expect(reel_samples_writer_t *w, uint32_t fragments,
    uint32_t samples)
{
    size_t  n = (size_t) samples * SAMPLE_MEAN;

    (void) reel_buf_room(&w->samples, n < w->samples.max / 2
                                      ? n : w->samples.max / 2);

    n = (size_t) fragments * REEL_SAMPLES_ANCHOR;
    (void) reel_buf_room(&w->anchors, n < w->anchors.max ? n : 0);
}


void
reel_samples_writer_release(reel_samples_writer_t *w)
{
    reel_buf_release(&w->anchors);
    reel_buf_release(&w->samples);
}


/* the fragment's number of samples is known when it ends */
static void
end_fragment(reel_samples_writer_t *w)
{
    uint32_t   n = w->number - w->began;
    uint8_t   *p;

    if (w->anchors.len == 0 || w->anchors.err != REEL_OK) {
        return;
    }

    p = w->anchors.data + w->anchors.len - 8;
    p[0] = (uint8_t) n;
    p[1] = (uint8_t) (n >> 8);
    p[2] = (uint8_t) (n >> 16);
    p[3] = (uint8_t) (n >> 24);
}


void
reel_samples_begin(reel_samples_writer_t *w, int64_t decode_ts)
{
    end_fragment(w);

    w->began = w->number;
    w->decode_ts = decode_ts;

    reel_buf_u32le(&w->anchors, (uint32_t) w->offset);
    reel_buf_u32le(&w->anchors, (uint32_t) (w->offset >> 32));
    reel_buf_u32le(&w->anchors, (uint32_t) decode_ts);
    reel_buf_u32le(&w->anchors, (uint32_t) ((uint64_t) decode_ts >> 32));
    reel_buf_u32le(&w->anchors, (uint32_t) w->samples.len);
    reel_buf_u32le(&w->anchors, 0);
    reel_buf_u32le(&w->anchors, w->duration);
}


void
reel_samples_add(reel_samples_writer_t *w, const reel_sample_t *q)
{
    bool      other, jump;
    int64_t   offset;
    uint8_t  *p;
    uint32_t  duration = w->duration;

    if (q->duration != w->ticks) {
        duration = q->duration / w->unit;
    }

    other = duration != w->duration;
    jump = q->offset != w->offset;

    p = reel_buf_room(&w->samples, SAMPLE_MAX);

    if (p != NULL) {
        p = reel_put_varint(p, (uint64_t) q->size << FLAGS
                               | (q->sync ? SYNC : 0) | (other ? OTHER : 0)
                               | (jump ? JUMP : 0));

        if (other) {
            p = reel_put_varint(p, duration);
        }

        if (jump) {
            p = reel_put_varint(p, zigzag((int64_t) (q->offset - w->offset)));
        }

        if (w->offsets) {
            offset = magnitude(q->cts_offset) / w->unit;
            p = reel_put_varint(p, zigzag(q->cts_offset < 0 ? -offset
                                                            : offset));
        }

        w->samples.len = (size_t) (p - w->samples.data);
    }

    w->ticks = q->duration;
    w->duration = duration;
    w->offset = q->offset + q->size;
    w->decode_ts += q->duration;
    w->number++;
}


reel_err_t
reel_samples_end(reel_samples_writer_t *w)
{
    end_fragment(w);

    return w->anchors.err != REEL_OK ? w->anchors.err : w->samples.err;
}
