#include "tests/unit/workerd/records.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include <string.h>

#include "lib/index/writer.h"
#include "lib/job/record.h"


void
put_part(reel_store_t *s, const char *asset, const char *part,
    const void *data, size_t len)
{
    reel_key_t  key;

    assert_int_equal(reel_key_asset_part(key, reel_str(asset), part),
                     REEL_OK);
    assert_int_equal(reel_store_replace(s, key, data, len), REEL_OK);
}


void
put_index(reel_store_t *s, const char *asset, uint32_t publication,
    bool growing)
{
    reel_buf_t           b;
    reel_error_t         e = { "" };
    static reel_index_t  ix;

    ix = (reel_index_t) {
        .growing = growing, .publication = publication, .timescale = 1000,
        .gop_ts = 2000, .fragments = 0, .created_ms = 77
    };
    memset(ix.salt, 0x5a, sizeof(ix.salt));

    reel_buf_init(&b, 10000);
    assert_int_equal(reel_index_write(&b, &ix, NULL, 0, &e), REEL_OK);
    put_part(s, asset, REEL_PART_INDEX, b.data, b.len);
    reel_buf_release(&b);
}


void
put_result(reel_store_t *s, const char *asset, uint32_t publication,
    bool ready)
{
    reel_buf_t     b;
    reel_result_t  r = {
        .asset = (char *) asset, .publication = publication, .ready = ready,
        .code = ready ? NULL : "CRASHED", .stage = ready ? NULL : "x",
        .detail = ready ? NULL : "x", .log = ready ? NULL : ""
    };

    reel_buf_init(&b, 10000);
    assert_int_equal(reel_result_print(&b, &r), REEL_OK);
    put_part(s, asset, REEL_PART_RESULT, b.data, b.len);
    reel_buf_release(&b);
}
