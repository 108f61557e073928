#include <assert.h>
#include <stdlib.h>

#include "lib/base/crc32c.h"
#include "lib/index/format.h"
#include "lib/index/name.h"
#include "lib/index/writer.h"


/* a run that grows while its value repeats */
typedef struct {
    reel_buf_t *b;
    uint64_t    value;
    uint64_t    count;
} run_t;

/* nearly everything goes through these: part of a section, section, file */
typedef struct {
    reel_buf_t  part;
    reel_buf_t  body;
    reel_buf_t *file;
} out_t;


static void
run_flush(run_t *r)
{
    if (r->count != 0) {
        reel_buf_varint(r->b, r->value);
        reel_buf_varint(r->b, r->count);
    }

    r->count = 0;
}


static void
run_add(run_t *r, uint64_t value)
{
    if (value != r->value) {
        run_flush(r);
        r->value = value;
    }

    r->count++;
}


static void
put_string(reel_buf_t *b, reel_str_t s)
{
    reel_buf_varint(b, s.len);
    reel_buf_adds(b, s);
}


static void
put_object_name(reel_buf_t *b, reel_str_t s)
{
    reel_ix_name_t  n;

    if (!reel_ix_name_parse(&n, s)) {
        put_string(b, s);
        return;
    }

    reel_buf_varint(b, 0);
    reel_buf_varint(b, n.chunk);
    reel_buf_varint(b, n.fence);
    reel_buf_add(b, n.nonce, REEL_IX_NONCE);
}


/* moves src behind its length, into dst; both errors end in dst */
static void
put_bytes(reel_buf_t *dst, reel_buf_t *src)
{
    if (src->err != REEL_OK) {
        reel_buf_release(dst);
        dst->err = src->err;
        return;
    }

    reel_buf_varint(dst, src->len);
    reel_buf_add(dst, src->data, src->len);
    reel_buf_clear(src);
}


static void
put_section(out_t *o, unsigned type)
{
    reel_buf_varint(o->file, type);
    put_bytes(o->file, &o->body);
}


static void
write_head(reel_buf_t *b, const reel_index_t *ix)
{
    reel_buf_add(b, REEL_IX_MAGIC, REEL_IX_MAGIC_LEN);
    reel_buf_u16le(b, REEL_INDEX_VERSION);
    reel_buf_u16le(b, 1);                   /* readable by */
    reel_buf_u32le(b, ix->growing ? REEL_IX_GROWING : 0);
    reel_buf_u32le(b, ix->publication);
    reel_buf_add(b, ix->salt, REEL_INDEX_SALT);
    reel_buf_u32le(b, ix->master_key_id);
    reel_buf_u32le(b, (uint32_t) ix->created_ms);
    reel_buf_u32le(b, (uint32_t) ((uint64_t) ix->created_ms >> 32));
}


static void
write_grid(out_t *o, const reel_index_t *ix)
{
    reel_buf_varint(&o->body, ix->timescale);
    reel_buf_varint(&o->body, ix->gop_ts);
    reel_buf_varint(&o->body, ix->fragments);
    reel_buf_varint(&o->body, (uint64_t) ix->end_ts);
    reel_buf_varint(&o->body, ix->constant_rate ? REEL_IX_CONSTANT : 0);
    put_section(o, REEL_IX_GRID);
}


static bool
same_list(const reel_ix_rendition_t *a, const reel_ix_rendition_t *b)
{
    uint32_t  i;

    if (a->nobjects != b->nobjects) {
        return false;
    }

    for (i = 0; i < a->nobjects; i++) {
        if (a->objects[i].nfragments != b->objects[i].nfragments
            || !reel_str_eq(a->objects[i].name, b->objects[i].name))
        {
            return false;
        }
    }

    return true;
}


/* one section for renditions with equal lists; numbers[i] is that of i */
static void
write_lists(out_t *o, const reel_ix_rendition_t *q, unsigned n,
    unsigned *numbers)
{
    uint32_t  k;
    unsigned  i, j, next = 0;

    for (i = 0; i < n; i++) {

        for (j = 0; j < i && !same_list(&q[j], &q[i]); j++) { /* void */ }

        if (j < i) {
            numbers[i] = numbers[j];
            continue;
        }

        numbers[i] = next++;
        reel_buf_varint(&o->body, q[i].nobjects);

        for (k = 0; k < q[i].nobjects; k++) {
            put_object_name(&o->body, q[i].objects[k].name);
            reel_buf_varint(&o->body, q[i].objects[k].nfragments);
        }

        put_section(o, REEL_IX_OBJECTS);
    }
}


static void
write_facts(reel_buf_t *b, const reel_rendition_t *h)
{
    bool  video = h->kind == REEL_VIDEO, audio = h->kind == REEL_AUDIO;

    put_string(b, h->name);
    reel_buf_varint(b, h->kind);
    reel_buf_varint(b, h->switching_set);
    put_string(b, h->codec);
    put_string(b, h->language);
    put_string(b, h->label);
    reel_buf_varint(b, h->timescale);
    reel_buf_varint(b, video ? h->width : 0);
    reel_buf_varint(b, video ? h->height : 0);
    reel_buf_varint(b, video ? h->rate_num : 0);
    reel_buf_varint(b, video ? h->rate_den : 1);
    reel_buf_varint(b, audio ? h->channels : 0);
    reel_buf_varint(b, audio ? h->sample_rate : 0);
}


static void
write_object_runs(out_t *o, const reel_ix_rendition_t *q)
{
    run_t     run;
    uint32_t  k;

    run = (run_t) { .b = &o->part };

    for (k = 0; k < q->nobjects; k++) {
        run_add(&run, q->objects[k].header);
    }

    run_flush(&run);
    put_bytes(&o->body, &o->part);

    run = (run_t) { .b = &o->part };

    for (k = 0; k < q->nobjects; k++) {
        run_add(&run, q->objects[k].base);
    }

    run_flush(&run);
    put_bytes(&o->body, &o->part);
}


typedef enum { SIZES, DURATIONS, SAMPLES, IFRAMES } column_t;


static void
write_column(out_t *o, const reel_ix_rendition_t *q, column_t column)
{
    run_t                      run = { .b = &o->part };
    uint32_t                   i, k;
    const reel_ix_fragment_t  *f;

    for (k = 0; k < q->nobjects; k++) {

        f = q->objects[k].fragments;

        for (i = 0; i < q->objects[k].nfragments; i++) {

            switch (column) {
            case SIZES:
                reel_buf_varint(&o->part, f[i].size);
                break;
            case DURATIONS:
                run_add(&run, f[i].duration);
                break;
            case SAMPLES:
                run_add(&run, f[i].samples);
                break;
            case IFRAMES:
                reel_buf_varint(&o->part, f[i].iframe);
                break;
            }
        }
    }

    run_flush(&run);
    put_bytes(&o->body, &o->part);
}


static void
write_rendition(out_t *o, const reel_ix_rendition_t *q, unsigned list)
{
    write_facts(&o->body, &q->head);
    reel_buf_varint(&o->body, list);
    write_object_runs(o, q);
    write_column(o, q, SIZES);
    write_column(o, q, DURATIONS);
    write_column(o, q, SAMPLES);

    if (q->head.kind == REEL_VIDEO) {
        write_column(o, q, IFRAMES);
    }

    reel_buf_varint(&o->body, q->head.video_range);
    reel_buf_varint(&o->body, q->head.roles);

    put_section(o, REEL_IX_RENDITION);
}


static void
write_image(out_t *o, const reel_image_t *im)
{
    reel_buf_varint(&o->body, im->kind);
    put_string(&o->body, im->object);
    reel_buf_varint(&o->body, im->width);
    reel_buf_varint(&o->body, im->height);
    reel_buf_varint(&o->body, im->size);
    put_section(o, REEL_IX_IMAGE);
}


static void
write_pictures(out_t *o, const reel_pictures_t *q)
{
    put_string(&o->body, q->object);
    reel_buf_varint(&o->body, q->width);
    reel_buf_varint(&o->body, q->height);
    reel_buf_varint(&o->body, q->columns);
    reel_buf_varint(&o->body, q->rows);
    reel_buf_varint(&o->body, q->interval_ms);
    reel_buf_varint(&o->body, q->count);
    put_string(&o->body, q->size_bytes);
    put_section(o, REEL_IX_PICTURES);
}


static size_t
varint_size(uint64_t v)
{
    uint8_t  raw[REEL_VARINT_MAX];

    return (size_t) (reel_put_varint(raw, v) - raw);
}


static unsigned
samples_flags(const reel_samples_t *q)
{
    return q->offsets ? REEL_IX_OFFSETS : 0;
}


/* without what it is of, which is by far the most of an index */
static size_t
samples_size(const reel_samples_t *q, uint64_t *body)
{
    *body = varint_size(q->unit) + varint_size(samples_flags(q))
            + varint_size(q->anchor_bytes.len) + q->anchor_bytes.len
            + varint_size(q->sample_bytes.len) + q->sample_bytes.len;

    return varint_size(REEL_IX_SAMPLES) + varint_size(*body);
}


static uint8_t *
copy_string(uint8_t *p, reel_str_t s)
{
    p = reel_put_varint(p, s.len);

    if (s.len != 0) {
        memcpy(p, s.p, s.len);
    }

    return p + s.len;
}


static uint8_t *
copy_samples(uint8_t *p, const reel_samples_t *q)
{
    uint64_t  body;

    (void) samples_size(q, &body);

    p = reel_put_varint(p, REEL_IX_SAMPLES);
    p = reel_put_varint(p, body);
    p = reel_put_varint(p, q->unit);
    p = reel_put_varint(p, samples_flags(q));
    p = copy_string(p, q->anchor_bytes);

    return copy_string(p, q->sample_bytes);
}


void
reel_index_put_sheet(reel_buf_t *b, uint32_t size)
{
    reel_buf_varint(b, size);
}


/* what has no varint form, or would loop for long, before it is printed */
static reel_err_t
check_facts(const reel_index_t *ix, const reel_ix_rendition_t *q, unsigned n,
    reel_error_t *e)
{
    uint64_t  sum;
    uint32_t  k;
    unsigned  i;

    if (ix->end_ts < 0 || ix->created_ms < 0
        || n > REEL_INDEX_MAX_RENDITIONS
        || ix->nheaders > REEL_INDEX_MAX_HEADERS
        || ix->nimages > REEL_INDEX_MAX_IMAGES
        || ix->npictures > REEL_INDEX_MAX_PICTURES)
    {
        return reel_fail(e, REEL_INVAL, "negative times, or over %d "
                         "renditions, %d headers, %d images, %d pictures",
                         REEL_INDEX_MAX_RENDITIONS, REEL_INDEX_MAX_HEADERS,
                         REEL_INDEX_MAX_IMAGES, REEL_INDEX_MAX_PICTURES);
    }

    for (i = 0; i < n; i++) {
        sum = 0;

        for (k = 0; k < q[i].nobjects; k++) {
            sum += q[i].objects[k].nfragments;

            /* empty, it would be read as a packed one */
            if (q[i].objects[k].name.len == 0) {
                return reel_fail(e, REEL_INVAL, "rendition \"%.*s\": an "
                                 "object without a name",
                                 (int) q[i].head.name.len, q[i].head.name.p);
            }
        }

        if (sum != ix->fragments) {
            return reel_fail(e, REEL_INVAL, "rendition \"%.*s\" has %llu "
                             "fragments, the grid %u",
                             (int) q[i].head.name.len, q[i].head.name.p,
                             (unsigned long long) sum, ix->fragments);
        }
    }

    return REEL_OK;
}


reel_err_t
reel_index_front(reel_buf_t *b, const reel_index_t *ix,
    const reel_ix_rendition_t *renditions, unsigned n, size_t *size,
    reel_error_t *e)
{
    out_t       o = { .file = b };
    uint64_t    total, body;
    unsigned    i, lists[REEL_INDEX_MAX_RENDITIONS];
    reel_err_t  err;

    err = check_facts(ix, renditions, n, e);
    if (err != REEL_OK) {
        return err;
    }

    reel_buf_init(&o.part, REEL_INDEX_MAX_BYTES);
    reel_buf_init(&o.body, REEL_INDEX_MAX_BYTES);

    write_head(b, ix);
    write_grid(&o, ix);

    for (i = 0; i < ix->nheaders; i++) {
        reel_buf_adds(&o.body, ix->headers[i]);
        put_section(&o, REEL_IX_HEADER);
    }

    write_lists(&o, renditions, n, lists);

    for (i = 0; i < n; i++) {
        write_rendition(&o, &renditions[i], lists[i]);
    }

    for (i = 0; i < ix->nimages; i++) {
        write_image(&o, &ix->images[i]);
    }

    for (i = 0; i < ix->npictures; i++) {
        write_pictures(&o, &ix->pictures[i]);
    }

    reel_buf_release(&o.part);
    reel_buf_release(&o.body);

    total = b->len + REEL_IX_TAIL;

    for (i = 0; i < ix->nsamples; i++) {
        total += samples_size(&ix->samples[i], &body);
        total += body;
    }

    *size = (size_t) total;
    err = reel_buf_err(b);

    return err == REEL_OK && total > REEL_INDEX_MAX_BYTES ? REEL_LIMIT : err;
}


/* the reader knows every bound: what it refuses is not let out */
reel_err_t
reel_index_put(void *to, size_t size, const reel_buf_t *front,
    const reel_index_t *ix, reel_error_t *e)
{
    uint8_t       *p = to;
    unsigned       i;
    uint32_t       crc;
    reel_err_t     err;
    reel_index_t  *check;

    memcpy(p, front->data, front->len);
    p += front->len;

    for (i = 0; i < ix->nsamples; i++) {
        p = copy_samples(p, &ix->samples[i]);
    }

    assert(p + REEL_IX_TAIL == (uint8_t *) to + size);

    crc = reel_crc32c(0, to, size - REEL_IX_TAIL);

    for (i = 0; i < REEL_IX_TAIL; i++, crc >>= 8) {
        *p++ = (uint8_t) crc;
    }

    check = malloc(sizeof(*check));
    if (check == NULL) {
        return REEL_NOMEM;
    }

    err = reel_index_parse(check, to, size, e);
    free(check);

    return err == REEL_OK ? REEL_OK : REEL_INVAL;
}


reel_err_t
reel_index_write(reel_buf_t *b, const reel_index_t *ix,
    const reel_ix_rendition_t *renditions, unsigned n, reel_error_t *e)
{
    size_t      size;
    uint8_t    *p;
    reel_err_t  err;
    reel_buf_t  front;

    reel_buf_init(&front, REEL_INDEX_MAX_BYTES);

    err = reel_index_front(&front, ix, renditions, n, &size, e);

    if (err == REEL_OK) {
        p = reel_buf_room(b, size);
        err = p != NULL ? reel_index_put(p, size, &front, ix, e)
                        : reel_buf_err(b);
        b->len = err == REEL_OK ? size : 0;
    }

    reel_buf_release(&front);

    return err;
}
