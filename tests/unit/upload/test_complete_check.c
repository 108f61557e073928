#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "lib/upload/complete_check.h"


#define MIB (1u << 20)

/* three parts of which the second is missing, and a list of the two */
static uint32_t             numbers[2];
static uint64_t             tags[2];
static reel_complete_sum_t  sums[2];
static reel_complete_t      c;
static reel_upload_part_t   parts[3];
static reel_complete_whole_t  none;


static int
setup(void **state)
{
    (void) state;

    memset(parts, 0, sizeof(parts));
    memset(sums, 0, sizeof(sums));

    parts[0] = (reel_upload_part_t) { .number = 1, .size = 5 * MIB,
                                      .tag = 11 };
    parts[1] = (reel_upload_part_t) { .number = 3, .size = 1, .tag = 13 };
    parts[2] = (reel_upload_part_t) { .number = 9, .size = 7, .tag = 19 };

    numbers[0] = 1;
    numbers[1] = 3;
    tags[0] = 11;
    tags[1] = 13;
    c = (reel_complete_t) { 2, numbers, tags, sums };

    return 0;
}


static reel_complete_fit_t
fit(uint64_t size, const reel_complete_whole_t *w)
{
    reel_error_t         e = { "" };
    reel_complete_fit_t  got;

    got = reel_complete_check(&c, parts, 3, size, w, &e);
    assert_true((got == REEL_COMPLETE_FITS) == (e.text[0] == '\0'));

    return got;
}


static void
test_list(void **state)
{
    (void) state;

    assert_int_equal(fit(REEL_UPLOAD_UNKNOWN, &none), REEL_COMPLETE_FITS);
    assert_int_equal(fit(5 * MIB + 1, &none), REEL_COMPLETE_FITS);
    assert_int_equal(fit(5 * MIB, &none), REEL_COMPLETE_SIZE);

    tags[1] = 12;
    assert_int_equal(fit(REEL_UPLOAD_UNKNOWN, &none), REEL_COMPLETE_PART);
    tags[1] = 13;

    numbers[1] = 2;
    assert_int_equal(fit(REEL_UPLOAD_UNKNOWN, &none), REEL_COMPLETE_PART);
    numbers[1] = 10;
    assert_int_equal(fit(REEL_UPLOAD_UNKNOWN, &none), REEL_COMPLETE_PART);
    numbers[1] = 1;
    assert_int_equal(fit(REEL_UPLOAD_UNKNOWN, &none), REEL_COMPLETE_ORDER);
    numbers[1] = 3;
    numbers[0] = 9;
    assert_int_equal(fit(REEL_UPLOAD_UNKNOWN, &none), REEL_COMPLETE_ORDER);
    numbers[0] = 1;

    parts[0].size--;
    assert_int_equal(fit(REEL_UPLOAD_UNKNOWN, &none), REEL_COMPLETE_SMALL);
    c.n = 1;
    assert_int_equal(fit(REEL_UPLOAD_UNKNOWN, &none), REEL_COMPLETE_FITS);
    c.n = 2;
    parts[0].size = INT64_MAX;
    assert_int_equal(reel_complete_check(&c, parts, 3, REEL_UPLOAD_UNKNOWN,
                                         &none, NULL), REEL_COMPLETE_PART);
}


static void
test_part_sums(void **state)
{
    (void) state;

    parts[0].sum_kind = REEL_SUM_CRC32;
    memcpy(parts[0].sum, "abcd", 4);

    sums[0].kind = REEL_SUM_CRC32;
    memcpy(sums[0].sum, "abcd", 4);
    assert_int_equal(fit(REEL_UPLOAD_UNKNOWN, &none), REEL_COMPLETE_FITS);
    sums[0].sum[3] = 'e';
    assert_int_equal(fit(REEL_UPLOAD_UNKNOWN, &none), REEL_COMPLETE_PART);

    /* of another kind than the part came with */
    sums[0].kind = REEL_SUM_CRC32C;
    assert_int_equal(fit(REEL_UPLOAD_UNKNOWN, &none), REEL_COMPLETE_FITS);
}


static void
test_full_object(void **state)
{
    reel_sum_t             s;
    static uint8_t         bytes[5 * MIB + 1];
    reel_complete_whole_t  w = { .kind = REEL_SUM_CRC32C };

    (void) state;

    memset(bytes, 'x', sizeof(bytes));

    parts[0].sum_kind = REEL_SUM_CRC32C;
    assert_int_equal(reel_sum_init(&s, REEL_SUM_CRC32C), REEL_OK);
    assert_int_equal(reel_sum_update(&s, bytes, 5 * MIB), REEL_OK);
    assert_int_equal(reel_sum_final(&s, parts[0].sum), REEL_OK);

    assert_int_equal(reel_sum_init(&s, REEL_SUM_CRC32C), REEL_OK);
    assert_int_equal(reel_sum_update(&s, bytes, 1), REEL_OK);
    assert_int_equal(reel_sum_final(&s, parts[1].sum), REEL_OK);

    assert_int_equal(reel_sum_init(&s, REEL_SUM_CRC32C), REEL_OK);
    assert_int_equal(reel_sum_update(&s, bytes, sizeof(bytes)), REEL_OK);
    assert_int_equal(reel_sum_final(&s, w.sum), REEL_OK);

    /* the second part came without */
    assert_int_equal(fit(REEL_UPLOAD_UNKNOWN, &w), REEL_COMPLETE_UNKNOWN);
    parts[1].sum_kind = REEL_SUM_CRC32C;
    assert_int_equal(fit(REEL_UPLOAD_UNKNOWN, &w), REEL_COMPLETE_FITS);
    w.sum[0] ^= 1;
    assert_int_equal(fit(REEL_UPLOAD_UNKNOWN, &w), REEL_COMPLETE_DIGEST);

    /* does not follow from those of parts, unless there is one */
    w.kind = parts[0].sum_kind = parts[1].sum_kind = REEL_SUM_SHA256;
    assert_int_equal(fit(REEL_UPLOAD_UNKNOWN, &w), REEL_COMPLETE_UNKNOWN);
    c.n = 1;
    memcpy(w.sum, parts[0].sum, sizeof(w.sum));
    assert_int_equal(fit(REEL_UPLOAD_UNKNOWN, &w), REEL_COMPLETE_FITS);
}


static void
test_composite(void **state)
{
    char                   text[REEL_COMPLETE_SUM_TEXT];
    reel_complete_whole_t  w, back;

    (void) state;

    assert_int_equal(reel_complete_composite(&w, &c), REEL_OK);
    assert_int_equal(w.kind, REEL_SUM_NONE);

    sums[0].kind = sums[1].kind = REEL_SUM_CRC32;
    memcpy(sums[0].sum, "1234", 4);
    memcpy(sums[1].sum, "5678", 4);
    assert_int_equal(reel_complete_composite(&w, &c), REEL_OK);
    assert_int_equal(w.kind, REEL_SUM_CRC32);

    /* CRC-32 of "12345678" is 9ae0daaf */
    reel_complete_whole_print(text, &w);
    assert_string_equal(text, "muDarw==-2");

    assert_int_equal(reel_complete_whole_parse(&back, REEL_SUM_CRC32,
                                               reel_str(text)), REEL_OK);
    assert_true(back.composite);
    assert_int_equal(back.n, 2);

    parts[0].sum_kind = parts[1].sum_kind = REEL_SUM_CRC32;
    memcpy(parts[0].sum, "1234", 4);
    memcpy(parts[1].sum, "5678", 4);
    assert_int_equal(fit(REEL_UPLOAD_UNKNOWN, &back), REEL_COMPLETE_FITS);
    back.n = 3;
    assert_int_equal(fit(REEL_UPLOAD_UNKNOWN, &back), REEL_COMPLETE_DIGEST);
    back.n = 2;
    back.sum[1] ^= 1;
    assert_int_equal(fit(REEL_UPLOAD_UNKNOWN, &back), REEL_COMPLETE_DIGEST);

    sums[1].kind = REEL_SUM_CRC32C;
    assert_int_equal(reel_complete_composite(&w, &c), REEL_OK);
    assert_int_equal(w.kind, REEL_SUM_NONE);
}


static void
test_text(void **state)
{
    static const char *const  bad[] = {
        "", "-1", "muDarw==-", "muDarw==-0", "muDarw==-10001", "muDarw==-x",
        "muDarw", "muDarw==-1-1"
    };

    size_t                 i;
    reel_complete_whole_t  w;

    (void) state;

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(reel_complete_whole_parse(&w, REEL_SUM_CRC32,
                                                   reel_str(bad[i])),
                         REEL_INVAL);
    }

    assert_int_equal(reel_complete_whole_parse(&w, REEL_SUM_CRC32,
                                               REEL_STR("muDarw==")),
                     REEL_OK);
    assert_false(w.composite);
    assert_memory_equal(w.sum, "\x9a\xe0\xda\xaf", 4);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test_setup(test_list, setup),
        cmocka_unit_test_setup(test_part_sums, setup),
        cmocka_unit_test_setup(test_full_object, setup),
        cmocka_unit_test_setup(test_composite, setup),
        cmocka_unit_test_setup(test_text, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
