#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "lib/base/hex.h"
#include "lib/crypt/pssh.h"

static const reel_content_key_t  k = {
    { 0 }, "\x01\x23\x45\x67\x89\xab\xcd\xef\x10\x11\x12\x13\x14\x15\x16\x17"
};


static void
assert_hex(reel_buf_t *b, size_t from, size_t n, const char *want)
{
    char  hex[512];

    assert_int_equal(reel_buf_err(b), REEL_OK);
    assert_true(b->len >= from + n);
    reel_hex(hex, b->data + from, n);
    assert_string_equal(hex, want);
}


/* W3C, "cenc" Initialization Data Format, 4: all of it */
static void
common(void **state)
{
    reel_buf_t  b;

    (void) state;

    reel_buf_init(&b, 4096);
    reel_pssh(&b, REEL_SYSTEM_COMMON, REEL_SCHEME_CENC, &k, 1);
    assert_int_equal(b.len, 52);
    assert_hex(&b, 0, 52, "00000034" "70737368" "01000000"
               "1077efecc0b24d02ace33c1e52e2fb4b" "00000001"
               "0123456789abcdef1011121314151617" "00000000");
    reel_buf_release(&b);
}


static void
widevine(void **state)
{
    reel_buf_t  b;

    (void) state;

    reel_buf_init(&b, 4096);
    reel_pssh(&b, REEL_SYSTEM_WIDEVINE, REEL_SCHEME_CBCS, &k, 1);

    /* key_ids, then protection_scheme "cbcs" as a varint */
    assert_hex(&b, 0, b.len, "00000038" "70737368" "00000000"
               "edef8ba979d64acea3c827dcd51d21ed" "00000018"
               "1210" "0123456789abcdef1011121314151617"
               "48f3c6899b06");
    reel_buf_release(&b);
}


/* the object's lengths, and a KID as a GUID in base64 */
static void
playready(void **state)
{
    size_t         i;
    char           text[1024];
    reel_buf_t     b;
    const uint8_t *p;

    (void) state;

    reel_buf_init(&b, 4096);
    reel_pssh(&b, REEL_SYSTEM_PLAYREADY, REEL_SCHEME_CENC, &k, 1);
    assert_hex(&b, 12, 16, "9a04f07998404286ab92e65be0885f95");

    p = b.data + 32;
    assert_int_equal(p[0] | p[1] << 8, b.len - 32);
    assert_int_equal(p[4] | p[5] << 8, 1);
    assert_int_equal(p[6] | p[7] << 8, 1);
    assert_int_equal(p[8] | p[9] << 8, b.len - 42);

    for (i = 0; 42 + 2 * i < b.len; i++) {
        text[i] = (char) b.data[42 + 2 * i];
        assert_int_equal(b.data[43 + 2 * i], 0);
    }

    text[i] = '\0';
    assert_string_equal(text, "<WRMHEADER xmlns=\"http://schemas.microsoft."
        "com/DRM/2007/03/PlayReadyHeader\" version=\"4.3.0.0\"><DATA>"
        "<PROTECTINFO><KIDS><KID ALGID=\"AESCTR\" VALUE=\""
        "Z0UjAauJ780QERITFBUWFw==\"></KID></KIDS></PROTECTINFO></DATA>"
        "</WRMHEADER>");
    reel_buf_release(&b);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(common),
        cmocka_unit_test(widevine),
        cmocka_unit_test(playready)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
