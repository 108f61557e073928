/*
 * Records of the store.  The first byte chooses: 0 request, 1 result,
 * 2 meta, 3 names, 4 a patch of a meta.
 */

#include "tests/fuzz/round_trip.h"

#include "lib/job/record.h"

FORMAT(request, reel_request_release)
FORMAT(result, reel_result_release)
FORMAT(meta, reel_meta_release)
FORMAT(named, NOTHING)

typedef union {
    reel_request_t request;
    reel_result_t  result;
    reel_meta_t    meta;
    reel_named_t   named;
} any_t;


static void
patch(const uint8_t *data, size_t size)
{
    reel_meta_t  m;
    reel_error_t e;
    static const char was[] = "{\"title\":\"a\",\"creator\":\"b\"}";

    need(reel_meta_parse(&m, was, strlen(was), &e) == REEL_OK);

    if (reel_meta_patch(&m, (const char *) data, size, &e) != REEL_OK) {
        need(strcmp(m.title, "a") == 0 && strcmp(m.creator, "b") == 0);
    }

    reel_meta_release(&m);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    any_t     v;
    unsigned  which;

    static const format_t formats[] = {
        ROW(request), ROW(result), ROW(meta), ROW(named)
    };

    if (size == 0) {
        return 0;
    }

    which = data[0] % 5;

    if (which < 4) {
        (void) round_trip(&formats[which], &v, data + 1, size - 1);
    } else {
        patch(data + 1, size - 1);
    }

    return 0;
}
