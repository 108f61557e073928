/*
 * Records of the store: the name of one, a space and its text.  Of a meta
 * that is its patch, too.
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
    any_t            v;
    const format_t  *f;

    static const format_t formats[] = {
        ROW(request), ROW(result), ROW(meta), ROW(named)
    };

    f = choose(formats, sizeof(formats) / sizeof(formats[0]), &data, &size);

    if (f != NULL) {
        (void) round_trip(f, &v, data, size);

        if (f->parse == meta_parse) {
            patch(data, size);
        }
    }

    return 0;
}
