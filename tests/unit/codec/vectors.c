#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "lib/base/hex.h"
#include "tests/unit/codec/vectors.h"


static reel_str_t
block(const char *p, size_t n)
{
    char  *copy = malloc(n + (n == 0));

    assert_non_null(copy);
    memcpy(copy, p, n);

    return (reel_str_t) { copy, n };
}


reel_str_t
vector(const char *hex)
{
    size_t   n = strlen(hex) / 2;
    uint8_t  bytes[2048];

    assert_true(n <= sizeof(bytes));
    assert_int_equal(reel_unhex(bytes, n, reel_str(hex)), REEL_OK);

    return block((char *) bytes, n);
}


void
vector_check(const char *hex, facts_fn facts, string_fn string,
    const char *want, reel_codec_facts_t *f)
{
    char                got[REEL_CODEC_STRING];
    size_t              n;
    reel_str_t          s = vector(hex), cut;
    reel_err_t          err;
    reel_codec_facts_t  other;

    assert_int_equal(facts(f, s), REEL_OK);
    assert_int_equal(string(got, sizeof(got), s), REEL_OK);
    assert_string_equal(got, want);
    assert_int_equal(string(got, strlen(want), s), REEL_INVAL);

    for (n = 0; n < s.len; n++) {
        cut = block(s.p, n);
        err = facts(&other, cut);
        assert_true(err == REEL_OK || err == REEL_BADDATA);
        err = string(got, sizeof(got), cut);
        assert_true(err == REEL_OK || err == REEL_BADDATA);
        free((char *) cut.p);
    }

    free((char *) s.p);
}


void
vector_refused(const char *hex, facts_fn facts, string_fn string,
    reel_err_t err)
{
    char                got[REEL_CODEC_STRING];
    reel_str_t          s = vector(hex);
    reel_codec_facts_t  f;

    assert_int_equal(facts(&f, s), err);
    assert_int_equal(string(got, sizeof(got), s), err);
    free((char *) s.p);
}


void
vector_config(const char *in, config_fn config, const char *want)
{
    size_t      n;
    reel_buf_t  b;
    reel_str_t  s = vector(in), w = vector(want), cut;
    reel_err_t  err;

    reel_buf_init(&b, 4096);
    assert_int_equal(config(&b, (const uint8_t *) s.p, s.len), REEL_OK);
    assert_int_equal(b.len, w.len);
    assert_memory_equal(b.data, w.p, w.len);

    for (n = 0; n < s.len; n++) {
        reel_buf_clear(&b);
        cut = block(s.p, n);
        err = config(&b, (const uint8_t *) cut.p, n);
        assert_true(err == REEL_OK || err == REEL_BADDATA
                    || err == REEL_UNSUPPORTED);
        free((char *) cut.p);
    }

    reel_buf_release(&b);
    free((char *) s.p);
    free((char *) w.p);
}
