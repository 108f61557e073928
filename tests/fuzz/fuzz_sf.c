/*
 * Any bytes as an Item and as a Dictionary: what an Item is, is one again as
 * it was cut out, and it is also what a Dictionary has as a member.
 */

#include <stdlib.h>

#include "lib/base/sf.h"
#include "tests/fuzz/harness.h"


static void
check_item(reel_str_t s, const reel_sf_item_t *item)
{
    bool            b;
    char           *field;
    size_t          n;
    uint64_t        v;
    reel_sf_item_t  again;

    need(item->text.p >= s.p && item->text.len <= s.len);
    need(item->text.p + item->text.len <= s.p + s.len);
    need(item->integer >= -REEL_SF_MAX && item->integer <= REEL_SF_MAX);

    need(reel_sf_item(item->text, &again) == REEL_OK);
    need(again.type == item->type && again.integer == item->integer);

    need((reel_sf_bool(s, &b) == REEL_OK)
         == (item->type == REEL_SF_BOOLEAN));
    need((reel_sf_u64(s, &v) == REEL_OK)
         == (item->type == REEL_SF_INTEGER && item->integer >= 0));

    n = item->text.len + 4;
    field = malloc(n);
    need(field != NULL);
    memcpy(field, "a, k", 4);

    /* "k" alone, then "k=<item>" */
    need(reel_sf_member((reel_str_t) { field, 4 }, "k", &again) == REEL_OK);
    need(again.type == REEL_SF_BOOLEAN && again.integer == 1);

    memcpy(field, "k=", 2);
    memcpy(field + 2, item->text.p, item->text.len);
    need(reel_sf_member((reel_str_t) { field, n - 2 }, "k", &again)
         == REEL_OK);
    need(again.type == item->type && again.integer == item->integer);

    free(field);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    reel_str_t      s = { (const char *) data, size };
    reel_sf_item_t  item;

    if (reel_sf_item(s, &item) == REEL_OK) {
        check_item(s, &item);
    }

    if (reel_sf_member(s, "a", &item) == REEL_OK
        && item.type != REEL_SF_LIST && item.text.len != 0)
    {
        need(item.text.p >= s.p
             && item.text.p + item.text.len <= s.p + s.len);
        need(reel_sf_item(item.text, &item) == REEL_OK);
    }

    return 0;
}
