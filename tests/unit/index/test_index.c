#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "tests/unit/golden.h"
#include "tests/unit/index/dump.h"
#include "tests/unit/index/facts.h"


/* fixed facts give fixed bytes, and these are the documented ones */
static void
golden(void **state)
{
    facts_t     f;
    reel_buf_t  b, text;

    (void) state;

    facts_first(&f);
    facts_write(&b, &f);
    golden_check("first.index", b.data, b.len);

    reel_buf_init(&text, 1 << 20);
    dump_index(&text, b.data, b.len);
    assert_int_equal(reel_buf_err(&text), REEL_OK);
    golden_check("first.index.txt", text.data, text.len);

    reel_buf_release(&text);
    reel_buf_release(&b);
    facts_release(&f);
}


static void
assert_str(reel_str_t got, reel_str_t want)
{
    assert_true(reel_str_eq(got, want));
}


/* the sizes as well as the bytes that they stand in */
static void
assert_pictures(const reel_index_t *ix, const reel_index_t *want)
{
    uint32_t                k, size;
    uint64_t                offset, sum;
    unsigned                i;
    const reel_pictures_t  *q, *w;

    assert_int_equal(ix->npictures, want->npictures);

    for (i = 0; i < ix->npictures; i++) {
        q = &ix->pictures[i];
        w = &want->pictures[i];

        assert_str(q->object, w->object);
        assert_int_equal(q->width, w->width);
        assert_int_equal(q->height, w->height);
        assert_int_equal(q->columns, w->columns);
        assert_int_equal(q->rows, w->rows);
        assert_int_equal(q->interval_ms, w->interval_ms);
        assert_int_equal(q->count, w->count);
        assert_str(q->size_bytes, w->size_bytes);

        for (k = 0, sum = 0; k < q->sheets; k++, sum += size) {
            assert_int_equal(reel_index_sheet(q, k, &offset, &size), REEL_OK);
            assert_int_equal(offset, sum);
            assert_true(size != 0);
        }

        assert_int_equal(reel_index_sheet(q, k, &offset, &size),
                         REEL_NOTFOUND);
    }
}


static void
assert_index(const reel_index_t *ix, const facts_t *f)
{
    unsigned                 i;
    const reel_rendition_t  *r, *w;

    assert_int_equal(ix->version, 1);
    assert_int_equal(ix->growing, f->ix.growing);
    assert_int_equal(ix->publication, f->ix.publication);
    assert_memory_equal(ix->salt, f->ix.salt, REEL_INDEX_SALT);
    assert_int_equal(ix->master_key_id, f->ix.master_key_id);
    assert_int_equal(ix->created_ms, f->ix.created_ms);
    assert_int_equal(ix->timescale, f->ix.timescale);
    assert_int_equal(ix->gop_ts, f->ix.gop_ts);
    assert_int_equal(ix->fragments, f->ix.fragments);
    assert_int_equal(ix->end_ts, f->ix.end_ts);
    assert_int_equal(ix->constant_rate, f->ix.constant_rate);

    assert_int_equal(ix->nheaders, f->ix.nheaders);

    for (i = 0; i < ix->nheaders; i++) {
        assert_str(ix->headers[i], f->ix.headers[i]);
    }

    assert_int_equal(ix->nimages, f->ix.nimages);

    for (i = 0; i < ix->nimages; i++) {
        assert_int_equal(ix->images[i].kind, f->ix.images[i].kind);
        assert_str(ix->images[i].object, f->ix.images[i].object);
        assert_int_equal(ix->images[i].width, f->ix.images[i].width);
        assert_int_equal(ix->images[i].height, f->ix.images[i].height);
        assert_int_equal(ix->images[i].size, f->ix.images[i].size);
    }

    assert_pictures(ix, &f->ix);
    assert_int_equal(ix->nrenditions, f->n);

    for (i = 0; i < f->n; i++) {
        w = &f->renditions[i].head;
        r = reel_index_find(ix, w->name);
        assert_ptr_equal(r, &ix->renditions[i]);
        assert_int_equal(r->kind, w->kind);
        assert_int_equal(r->switching_set, w->switching_set);
        assert_str(r->codec, w->codec);
        assert_str(r->language, w->language);
        assert_str(r->label, w->label);
        assert_int_equal(r->timescale, w->timescale);
        assert_int_equal(r->width, w->width);
        assert_int_equal(r->height, w->height);
        assert_int_equal(r->rate_num, w->rate_num);
        assert_int_equal(r->rate_den, w->kind == REEL_VIDEO ? w->rate_den
                                                            : 1);
        assert_int_equal(r->channels, w->channels);
        assert_int_equal(r->sample_rate, w->sample_rate);
        assert_int_equal(r->video_range, w->video_range);
        assert_int_equal(r->roles, w->roles);
        assert_int_equal(r->objects, f->renditions[i].nobjects);
    }

    assert_null(reel_index_find(ix, REEL_STR("v")));
    assert_null(reel_index_find(ix, REEL_STR("")));
}


/* every fragment has its facts, and lies where its object says */
static void
assert_fragments(const reel_index_t *ix, const facts_t *f)
{
    int64_t                    ts;
    uint32_t                   i, k, number;
    uint64_t                   offset;
    unsigned                   q, n;
    reel_extent_t              ext[REEL_EXTENTS_MAX];
    reel_fragments_t           w;
    const reel_ix_object_t    *o;
    const reel_ix_fragment_t  *x;

    for (q = 0; q < f->n; q++) {
        reel_fragments_init(&w, ix, &ix->renditions[q]);
        ts = 0;
        number = 0;

        for (k = 0; k < f->renditions[q].nobjects; k++) {
            o = &f->renditions[q].objects[k];
            offset = o->base;

            for (i = 0; i < o->nfragments; i++, number++) {
                x = &o->fragments[i];

                assert_true(reel_fragments_next(&w));
                assert_int_equal(w.number, number);
                assert_int_equal(w.size, x->size);
                assert_int_equal(w.duration, x->duration);
                assert_int_equal(w.nsamples, x->samples);
                assert_int_equal(w.iframe, x->iframe);
                assert_int_equal(w.start_ts, ts);
                ts += x->duration;

                assert_int_equal(reel_index_locate(ix, &ix->renditions[q],
                                                   number, 1, ext, &n),
                                 REEL_OK);
                assert_int_equal(n, 1);
                assert_str(ext[0].object, o->name);
                assert_int_equal(ext[0].header, o->header);
                assert_int_equal(ext[0].offset, offset);
                assert_int_equal(ext[0].size, x->size);
                offset += x->size;
            }
        }

        assert_false(reel_fragments_next(&w));
    }
}


static void
check(const facts_t *f)
{
    uint8_t       *copy;
    reel_buf_t     b;
    reel_index_t   ix;
    reel_error_t   e;

    facts_write(&b, f);

    /* of its exact size, so that sanitizers see a step beyond */
    copy = malloc(b.len);
    assert_non_null(copy);
    memcpy(copy, b.data, b.len);

    assert_int_equal(reel_index_parse(&ix, copy, b.len, &e), REEL_OK);
    assert_index(&ix, f);
    assert_fragments(&ix, f);

    memset(&ix, 0xa5, sizeof(ix));
    assert_int_equal(reel_index_reparse(&ix, copy, b.len), REEL_OK);
    assert_index(&ix, f);
    assert_fragments(&ix, f);

    free(copy);
    reel_buf_release(&b);
}


static void
read_back(void **state)
{
    facts_t   f;
    unsigned  i;

    (void) state;

    facts_first(&f);
    check(&f);

    f.ix.growing = true;
    f.ix.constant_rate = false;
    check(&f);
    facts_release(&f);

    for (i = 0; i < 40; i++) {
        facts_random(&f, i, 1 + i * i % 97, i % 4, 1 + i % 7);
        check(&f);
        facts_release(&f);
    }
}


/* an asset of which nothing is published yet */
static void
empty(void **state)
{
    facts_t           f;
    unsigned          i, n;
    reel_buf_t        b;
    reel_index_t      ix;
    reel_extent_t     ext[REEL_EXTENTS_MAX];
    reel_bitrate_t    rate;
    reel_segments_t   s;
    reel_fragments_t  w;

    (void) state;

    facts_first(&f);
    f.ix.fragments = 0;
    f.ix.end_ts = 0;
    f.ix.growing = true;

    for (i = 0; i < f.n; i++) {
        f.renditions[i].nobjects = 0;
    }

    facts_write(&b, &f);
    assert_int_equal(reel_index_parse(&ix, b.data, b.len, NULL), REEL_OK);
    assert_int_equal(ix.nrenditions, f.n);
    assert_int_equal(reel_index_segments(&ix, 3), 0);
    assert_int_equal(reel_index_locate(&ix, &ix.renditions[0], 0, 1, ext, &n),
                     REEL_NOTFOUND);
    reel_fragments_init(&w, &ix, &ix.renditions[0]);
    assert_false(reel_fragments_next(&w));
    reel_segments_init(&s, &ix, &ix.renditions[0], 3);
    assert_false(reel_segments_next(&s));
    rate = reel_index_bitrate(&ix, &ix.renditions[0], 3);
    assert_int_equal(rate.peak, 0);
    assert_int_equal(rate.average, 0);

    reel_buf_release(&b);
    facts_release(&f);
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(golden),
        cmocka_unit_test(read_back),
        cmocka_unit_test(empty)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
