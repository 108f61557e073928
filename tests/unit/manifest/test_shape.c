#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "lib/manifest/rates.h"
#include "lib/manifest/span.h"
#include "tests/unit/manifest/assets.h"

#define SECOND INT64_C(1000000)
#define LARGE  (4u << 20)


/* what a row of name, value, name, value, … makes; NULL: it is refused */
static void
parameters(void **state)
{
    static const struct {
        const char *given[8];
        const char *canonical;
    } rows[] = {
        { { "end", "30", "start", "12.5" }, "start=12.5&end=30" },
        { { "start", "0" }, "" },
        { { "start", "0.000001" }, "start=0.000001" },
        { { "start", "7.1000009" }, "start=7.1" },
        { { "start", "007.250000" }, "start=7.25" },
        { { "start", "0.00000099999999999999999999999999" }, "" },
        { { "start", "999999999.999999", "end", "1000000000.999999",
            "max_height", "65535", "min_height", "65535" },
          "start=999999999.999999&end=1000000000.999999&min_height=65535"
          "&max_height=65535" },
        { { "max_height", "720", "token", "a.b", "START", "x" },
          "max_height=720" },
        { { "start", "" }, NULL }, { { "start", "." }, NULL },
        { { "start", "1." }, NULL }, { { "start", ".1" }, NULL },
        { { "start", "-1" }, NULL }, { { "start", " 1" }, NULL },
        { { "start", "1:00" }, NULL }, { { "start", "1000000001" }, NULL },
        { { "end", "0" }, NULL }, { { "end", "1", "end", "1" }, NULL },
        { { "start", "2", "end", "2" }, NULL },
        { { "start", "2", "end", "1.999999" }, NULL },
        { { "max_height", "0" }, NULL }, { { "min_height", "0" }, NULL },
        { { "max_height", "65536" }, NULL },
        { { "max_height", "1.5" }, NULL },
        { { "max_height", "359", "min_height", "360" }, NULL }
    };

    char          text[REEL_SHAPE_MAX];
    size_t        i, k;
    reel_err_t    err;
    reel_error_t  e;
    reel_shape_t  s;

    (void) state;

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        s = (reel_shape_t) { 0 };
        err = REEL_OK;

        for (k = 0; k < 8 && rows[i].given[k] != NULL && err == REEL_OK;
             k += 2)
        {
            err = reel_shape_set(&s, reel_str(rows[i].given[k]),
                                 reel_str(rows[i].given[k + 1]), &e);
        }

        if (err == REEL_OK) {
            err = reel_shape_check(&s, &e);
        }

        if (rows[i].canonical == NULL) {
            assert_int_equal(err, REEL_INVAL);
            assert_non_null(strstr(e.text, rows[i].given[k - 2]));
            continue;
        }

        assert_int_equal(err, REEL_OK);
        assert_int_equal(reel_shape_print(text, &s, false),
                         strlen(rows[i].canonical));
        assert_string_equal(text, rows[i].canonical);
    }
}


/* of a film of 31.25 s in segments of 6 s */
static void
spans(void **state)
{
    static const struct {
        int64_t  start, end;    /* quarters of a second; end 0: none */
        uint32_t first, count;
    } rows[] = {
        { 0, 1, 0, 1 }, { 0, 24, 0, 1 }, { 0, 25, 0, 2 }, { 24, 0, 1, 5 },
        { 23, 24, 0, 1 }, { 23, 25, 0, 2 }, { 24, 48, 1, 1 },
        { 120, 0, 5, 1 }, { 124, 0, 5, 1 }, { 124, 4000, 5, 1 },
        { 0, 4000, 0, 6 }, { 125, 0, 0, 0 }, { 125, 126, 0, 0 },
        { 4000, 4001, 0, 0 }
    };

    size_t                i;
    asset_t               a;
    reel_err_t            err;
    reel_span_t           s;
    reel_manifest_opts_t  o = { .per = 3 };

    (void) state;

    asset_film(&a);

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        o.shape.start_us = rows[i].start * SECOND / 4;
        o.shape.end_us = rows[i].end * SECOND / 4;
        err = reel_span(&s, &a.ix, &o);

        if (rows[i].count == 0) {
            assert_int_equal(err, REEL_NOTFOUND);
            continue;
        }

        assert_int_equal(err, REEL_OK);
        assert_int_equal(s.first, rows[i].first);
        assert_int_equal(s.count, rows[i].count);
        assert_int_equal(s.first_us, s.first * 6 * SECOND);
        assert_true(s.whole);
    }

    asset_release(&a);

    /* 10 s are published of a film that grows */
    asset_growing(&a);
    o.per = 1;
    o.shape.start_us = SECOND;
    o.shape.end_us = 10 * SECOND;
    assert_int_equal(reel_span(&s, &a.ix, &o), REEL_OK);
    assert_true(s.whole && s.count == 5);
    o.shape.end_us++;
    assert_int_equal(reel_span(&s, &a.ix, &o), REEL_OK);
    assert_true(!s.whole && s.count == 5);
    o.shape.start_us = 10 * SECOND;
    assert_int_equal(reel_span(&s, &a.ix, &o), REEL_NOTFOUND);
    asset_release(&a);
}


/* the lines of a clip are those of the whole, from its first segment on */
static void
slices(void **state)
{
    asset_t               a;
    int64_t               start;
    unsigned              r, k;
    uint32_t              per;
    const char           *p, *q;
    reel_buf_t            whole, clip;
    reel_err_t            err;

    (void) state;

    asset_rich(&a);
    reel_buf_init(&whole, LARGE);
    reel_buf_init(&clip, LARGE);

    for (start = 1; start < 31; start += 3) {
        for (r = 0; r < a.ix.nrenditions; r++) {
            for (k = 0; k < 4; k++) {
                per = 1 + 2 * (k & 1);

                reel_manifest_opts_t  o = { .per = per };

                if (k > 1 && a.ix.renditions[r].kind != REEL_VIDEO) {
                    continue;
                }

                reel_buf_clear(&whole);
                reel_buf_clear(&clip);

                err = (k > 1 ? reel_hls_iframes : reel_hls_media)
                      (&whole, &a.ix, &a.ix.renditions[r], &o, "");
                assert_int_equal(err, REEL_OK);
                o.shape.start_us = start * SECOND;
                err = (k > 1 ? reel_hls_iframes : reel_hls_media)
                      (&clip, &a.ix, &a.ix.renditions[r], &o, "");
                assert_int_equal(err, REEL_OK);

                p = strstr(reel_buf_cstr(&clip), "#EXTINF");
                q = strstr(reel_buf_cstr(&whole), "#EXTINF");
                assert_non_null(p);
                assert_true(strlen(p) <= strlen(q));
                assert_string_equal(p, q + strlen(q) - strlen(p));
            }
        }
    }

    reel_buf_release(&whole);
    reel_buf_release(&clip);
    asset_release(&a);
}


/* who keeps the bit rates prints the same */
static void
kept_rates(void **state)
{
    asset_t               a;
    unsigned              i;
    reel_buf_t            summed, kept;
    reel_rates_t          rates;
    reel_manifest_opts_t  o = { .per = 3 };

    (void) state;

    asset_rich(&a);

    for (i = 0; i < 2; i++) {
        reel_buf_init(&summed, LARGE);
        reel_buf_init(&kept, LARGE);
        o.container = i == 0 ? REEL_CONTAINER_CMAF : REEL_CONTAINER_TS;
        o.rates = NULL;
        assert_int_equal(reel_hls_master(&summed, &a.ix, &o), REEL_OK);
        reel_rates(&rates, &a.ix, &o);
        o.rates = &rates;
        assert_int_equal(reel_hls_master(&kept, &a.ix, &o), REEL_OK);
        assert_string_equal(reel_buf_cstr(&summed), reel_buf_cstr(&kept));
        reel_buf_release(&summed);
        reel_buf_release(&kept);
    }

    asset_release(&a);
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parameters),
        cmocka_unit_test(spans),
        cmocka_unit_test(slices),
        cmocka_unit_test(kept_rates)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
