/* any bytes as a query: what is encoded decodes to itself */

#include "lib/auth/query.h"
#include "tests/fuzz/harness.h"


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char        dst[64];
    reel_str_t  in = { (const char *) data, size }, q = in, name, value;
    reel_buf_t  enc, dec;

    while (reel_query_next(&q, &name, &value)) {
        need(name.len + value.len <= size);
    }

    (void) reel_query_get(in, "reel-name", &value);

    if (reel_query_get_decoded(in, "reel-name", dst, sizeof(dst)) == REEL_OK)
    {
        need(strlen(dst) < sizeof(dst));
    }

    reel_buf_init(&enc, 3 * size + 1);
    reel_buf_init(&dec, size + 1);

    if (reel_uri_decode(&dec, in) == REEL_OK) {
        need(dec.len <= size);
    }

    reel_buf_clear(&dec);
    reel_uri_encode(&enc, in, false);
    need(reel_buf_err(&enc) == REEL_OK);

    /* a zero byte is encoded, but never taken back */
    if (memchr(data, 0, size) == NULL) {
        need(reel_uri_decode(&dec, (reel_str_t) { (char *) enc.data,
                                                  enc.len }) == REEL_OK);
        need(reel_str_eq(in, (reel_str_t) { (char *) dec.data, dec.len }));
    }

    reel_buf_release(&enc);
    reel_buf_release(&dec);

    return 0;
}
