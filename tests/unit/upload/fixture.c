#include "tests/unit/upload/fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const reel_upload_self_t  alice = { "alice's socket..", "this boot......" };
const reel_upload_self_t  bob = { "bob's socket....", "this boot......" };
const reel_upload_self_t  rebooted = { "carol's socket..", "the next boot.." };


reel_upload_facts_t
facts_of(reel_upload_door_t door)
{
    return (reel_upload_facts_t) {
        .id = ID,
        .door = door,
        .request = {
            .asset = ASSET, .project = "p", .pipeline = "default",
            .name = "film.mp4", .created_ms = NOW,
        },
        .bucket = "films",
        .expires_ms = NOW + 86400000,
        .access_key = "AK",
    };
}


reel_upload_t *
create(reel_store_t *s, const reel_upload_facts_t *f, uint64_t length)
{
    reel_upload_t  *u;

    OK(reel_upload_create(s, f, length, &alice, NOW, &u));
    assert_true(u->held && u->turn == 0);

    return u;
}


reel_upload_t *
open_id(reel_store_t *s, const char *id)
{
    reel_upload_t  *u;

    OK(reel_upload_open(s, reel_str(id), &u));
    assert_false(u->held);

    return u;
}


reel_upload_t *
claim(reel_store_t *s, const char *id, const reel_upload_self_t *self)
{
    reel_upload_t  *u = open_id(s, id);

    OK(reel_upload_claim(u, 0, self));

    return u;
}


uint8_t
pattern(uint64_t i, uint64_t seed)
{
    return (uint8_t) (((i + seed * 7919) * 2654435761u) >> 13);
}


static uint8_t *
pattern_of(uint64_t from, size_t n, uint64_t seed)
{
    size_t    i;
    uint8_t  *p = malloc(n + 1);

    assert_non_null(p);

    for (i = 0; i < n; i++) {
        p[i] = pattern(from + i, seed);
    }

    return p;
}


void
append(reel_upload_t *u, size_t n)
{
    uint8_t  *p = pattern_of(u->state.offset, n, 0);

    OK(reel_upload_write(u, p, n, false));
    free(p);
}


reel_upload_part_t
put_part(reel_store_t *s, unsigned number, size_t size, uint64_t from,
    uint64_t seed)
{
    uint8_t             *p = pattern_of(from, size, seed);
    reel_upload_t       *u = open_id(s, ID);
    reel_upload_part_t   part;

    OK(reel_upload_claim(u, number, &alice));
    OK(reel_upload_part_begin(u, size, NOW, &part));
    OK(reel_upload_part_write(u, &part, 0, p, size));
    OK(reel_upload_part_finish(u, &part, NOW + 1));
    reel_upload_close(u);
    free(p);

    return part;
}


void
assert_pattern(reel_store_t *s, const char *key, uint64_t size,
    uint64_t seed)
{
    size_t          i, n;
    uint8_t         buf[65536];
    uint64_t        off = 0;
    reel_object_t  *o;

    OK(reel_store_open(s, key, &o));
    assert_true(o->st.size == size);

    do {
        OK(reel_object_read(o, off, buf, sizeof(buf), &n));

        for (i = 0; i < n; i++) {
            if (buf[i] != pattern(off + i, seed)) {
                fail_msg("%s: byte %llu is wrong", key,
                         (unsigned long long) (off + i));
            }
        }

        off += n;
    } while (n != 0);

    assert_true(off == size);
    reel_object_close(o);
}


void
assert_stands(reel_store_t *s, const char *key, bool want)
{
    reel_store_stat_t  st;

    IS(want ? REEL_OK : REEL_NOTFOUND, reel_store_stat(s, key, &st));
}


void
assert_asset(reel_store_t *s, const char *asset, uint64_t size)
{
    char            want[64];
    reel_buf_t      b;
    reel_key_t      key;
    reel_request_t  r;

    OK(reel_key_asset_part(key, reel_str(asset), REEL_PART_SOURCE));
    assert_pattern(s, key, size, 0);

    OK(reel_key_asset_part(key, reel_str(asset), REEL_PART_REQUEST));
    OK(reel_store_get(s, key, REEL_RECORD_MAX, &b));
    OK(reel_request_parse(&r, (char *) b.data, b.len, NULL));
    assert_string_equal(r.asset, asset);
    assert_true(r.size == size);
    reel_request_release(&r);
    reel_buf_release(&b);

    (void) snprintf(want, sizeof(want), "%s.1", asset);
    assert_list(s, "pending", want);

    (void) snprintf(want, sizeof(want), "%s/", asset);
    (void) snprintf(key, sizeof(key), "assets/%s", asset + 24);
    assert_list(s, key, want);
}
