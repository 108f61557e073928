/*
 * Any bytes to what reads and writes text in lib/base and to the keys of
 * the store: the JSON writer's output is JSON, a
 * number or hex that was taken prints back the same, and no key is made
 * that the store would refuse.
 */

#include <jansson.h>
#include <stdlib.h>

#include "lib/base/hex.h"
#include "lib/base/json.h"
#include "lib/base/ulid.h"
#include "lib/store/layout.h"
#include "tests/fuzz/harness.h"


static void
json(reel_str_t s)
{
    json_t       *root;
    reel_buf_t    b;
    reel_json_t   j;

    /* six times: \u0000 */
    reel_buf_init(&b, s.len * 6 + 4);
    reel_json_init(&j, &b);
    reel_json_array(&j);
    reel_json_str(&j, s);
    reel_json_end(&j, ']');
    need(reel_buf_err(&b) == REEL_OK);

    root = json_loadb((const char *) b.data, b.len, JSON_ALLOW_NUL, NULL);
    need(root != NULL && json_is_string(json_array_get(root, 0)));
    json_decref(root);
    reel_buf_release(&b);
}


static void
numbers(reel_str_t s)
{
    char        hex[17];
    uint8_t     raw[8];
    uint64_t    v, w;
    reel_buf_t  b;

    if (reel_str_u64(s, UINT64_MAX, &v) == REEL_OK) {
        reel_buf_init(&b, 32);
        reel_buf_printf(&b, "%llu", (unsigned long long) v);
        need(reel_str_u64((reel_str_t) { (char *) b.data, b.len }, v, &w)
             == REEL_OK && w == v);
        reel_buf_release(&b);
    }

    if (reel_unhex(raw, sizeof(raw), s) == REEL_OK) {
        reel_hex(hex, raw, sizeof(raw));
        need(strncasecmp(hex, s.p, 16) == 0);
    }

    if (reel_ulid_valid(s)) {
        need(reel_ulid_ms(s) >> 48 == 0);
    }
}


static void
keys(reel_str_t s)
{
    char        *z;
    reel_key_t   key;
    reel_str_t   a, rest, id = REEL_STR("01aryz6s410000000000000000");

    z = strndup(s.p, s.len);
    if (z == NULL) {
        return;
    }

    a = reel_str_cut(s, '\0', &rest);

    need(reel_key_asset(key, s) != REEL_OK || reel_store_key_valid(key));
    need(reel_key_pending(key, s, (uint32_t) s.len) != REEL_OK
         || reel_store_key_valid(key));
    need(reel_key_name(key, s) != REEL_OK || reel_store_key_valid(key));
    need(reel_key_upload(key, id, z) != REEL_OK
         || reel_store_key_valid(key));
    need(reel_key_asset_part(key, id, z) != REEL_OK
         || reel_store_key_valid(key));
    need(reel_key_scratch(key, a, rest.p != NULL ? "x.json" : NULL)
         != REEL_OK || reel_store_key_valid(key));
    need(reel_key_object(key, id, a, rest) != REEL_OK
         || reel_store_key_valid(key));

    if (reel_store_key_valid(z)) {
        need(z[0] != '/' && strstr(z, "//") == NULL
             && strncmp(z, "../", 3) != 0 && strstr(z, "/../") == NULL);
    }

    free(z);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    reel_str_t  s = { (const char *) data, size };

    json(s);
    numbers(s);
    keys(s);

    return 0;
}
