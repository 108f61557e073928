/* any bytes as an access-key file: what is taken keeps to the rules */

#include "lib/auth/keys.h"
#include "tests/fuzz/harness.h"


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t              i;
    reel_error_t        e = { "" };
    reel_access_keys_t  k;

    if (reel_access_keys_parse(&k, (const char *) data, size, &e) != REEL_OK)
    {
        need(k.keys == NULL);
        return 0;
    }

    need(k.nkeys != 0);

    for (i = 0; i < k.nkeys; i++) {
        need(strlen(k.keys[i].secret) >= 16);
        need(strlen(k.keys[i].secret) <= 128);
        need(k.keys[i].nbuckets != 0);
        need(reel_access_keys_find(&k, reel_str(k.keys[i].id))
             == &k.keys[i]);
        need(reel_access_key_has_bucket(&k.keys[i],
                 reel_str(k.keys[i].buckets[k.keys[i].nbuckets - 1])));
    }

    reel_access_keys_release(&k);

    return 0;
}
