/* the asset that an upload becomes: one, whatever happened on the way */

#include "tests/unit/upload/fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/hex.h"
#include "lib/crypt/digest.h"
#include "tests/unit/upload/fault.h"

#define NAME "names/e3/" ORIGIN


static void
read_named(reel_store_t *s, const char *key, reel_named_t *named)
{
    reel_buf_t  b;

    OK(reel_store_get(s, key, REEL_RECORD_MAX, &b));
    OK(reel_named_parse(named, (char *) b.data, b.len, NULL));
    reel_buf_release(&b);
}


static void
key_name(reel_key_t key, const char *s3_key)
{
    char  hash[65];

    OK(reel_upload_key_hash(hash, "p", "films", s3_key));
    OK(reel_key_name(key, reel_str(hash)));
}


static void
published(void **state)
{
    reel_buf_t            b;
    reel_key_t            key;
    reel_named_t          named, again;
    reel_store_t         *s = *state;
    reel_upload_t        *u;
    reel_request_t        r;
    reel_upload_facts_t   f = facts_of(REEL_UPLOAD_TUS);

    f.key = "a b/c.mp4";
    f.request.meta = "{\"title\":\"T\"}";
    f.request.content_type = "video/mp4";

    u = create(s, &f, 5000);
    append(u, 2000);
    IS(REEL_INVAL, reel_upload_complete(u, NOW, &named));
    append(u, 3000);
    OK(reel_upload_complete(u, NOW + 7, &named));
    assert_string_equal(named.asset, ASSET);
    assert_string_equal(named.etag, "\"" ASSET "-1\"");
    assert_int_equal(named.size, 5000);
    assert_int_equal(u->state.phase, REEL_UPLOAD_COMPLETE);

    assert_asset(s, ASSET, 5000);
    assert_list(s, "assets/00/" ASSET, "meta.json request.json source");
    assert_list(s, "uploads/" ID, "state upload.json");
    OK(reel_store_get(s, "assets/00/" ASSET "/meta.json", 100, &b));
    assert_string_equal(reel_buf_cstr(&b), "{\"title\":\"T\"}");
    reel_buf_release(&b);

    OK(reel_store_get(s, "assets/00/" ASSET "/request.json", 10000, &b));
    OK(reel_request_parse(&r, (char *) b.data, b.len, NULL));
    assert_string_equal(r.content_type, "video/mp4");
    assert_true(r.created_ms == NOW);
    assert_null(r.sha256);
    reel_request_release(&r);
    reel_buf_release(&b);

    key_name(key, "a b/c.mp4");
    read_named(s, key, &again);
    assert_string_equal(again.asset, ASSET);
    assert_int_equal(again.size, 5000);

    /* repeated, here and elsewhere */
    memset(&again, 0, sizeof(again));
    OK(reel_upload_complete(u, NOW, &again));
    assert_memory_equal(&again, &named, sizeof(named));
    IS(REEL_INVAL, reel_upload_write(u, "x", 1, false));
    IS(REEL_INVAL, reel_upload_abort(u, REEL_UPLOAD_ABORTED, NOW));
    reel_upload_close(u);

    u = claim(s, ID, &bob);
    assert_int_equal(u->state.phase, REEL_UPLOAD_COMPLETE);
    assert_true(u->state.touched_ms == NOW + 7);
    OK(reel_upload_complete(u, NOW, &again));
    assert_string_equal(again.etag, named.etag);
    assert_asset(s, ASSET, 5000);
    OK(reel_upload_remove(u));
    reel_upload_close(u);
    assert_list(s, "uploads", "");
    assert_asset(s, ASSET, 5000);
}


static void
nothing_in_it(void **state)
{
    reel_named_t          named;
    reel_store_t         *s = *state;
    reel_upload_t        *u;
    reel_upload_facts_t   f = facts_of(REEL_UPLOAD_TUS);

    u = create(s, &f, 0);
    OK(reel_upload_complete(u, NOW, &named));
    assert_int_equal(named.size, 0);
    reel_upload_close(u);
    assert_asset(s, ASSET, 0);
}


/* bytes that were not confirmed, or set aside and not used, do not come in */
static void
trimmed(void **state)
{
    reel_named_t          named;
    reel_store_t         *s = *state;
    reel_upload_t        *u;
    reel_upload_facts_t   f = facts_of(REEL_UPLOAD_IETF);

    u = create(s, &f, REEL_UPLOAD_UNKNOWN);
    append(u, 1000);
    OK(reel_upload_write(u, "wrong", 5, true));
    IS(REEL_INVAL, reel_upload_complete(u, NOW, &named));
    reel_upload_discard(u);
    OK(reel_upload_complete(u, NOW, &named));
    assert_int_equal(named.size, 1000);
    reel_upload_close(u);
    assert_asset(s, ASSET, 1000);
}


static void
partial(void **state)
{
    reel_named_t          named;
    reel_store_t         *s = *state;
    reel_upload_t        *u;
    reel_upload_facts_t   f = facts_of(REEL_UPLOAD_TUS);

    f.partial = true;
    u = create(s, &f, 0);
    IS(REEL_INVAL, reel_upload_complete(u, NOW, &named));
    reel_upload_close(u);
}


static void
sum_of(char hex[65], size_t n)
{
    size_t    i;
    uint8_t   sum[REEL_SHA256_LEN], *p = malloc(n);

    assert_non_null(p);

    for (i = 0; i < n; i++) {
        p[i] = pattern(i, 0);
    }

    OK(reel_sha256(sum, p, n));
    reel_hex(hex, sum, sizeof(sum));
    free(p);
}


/* hashed on the way, read again after others went on, or after a discard */
static void
signed_sum(void **state)
{
    int                   way;
    char                  want[65];
    reel_buf_t            b;
    reel_named_t          named;
    reel_store_t         *s = *state;
    reel_upload_t        *u;
    reel_request_t        r;
    reel_upload_facts_t   f = facts_of(REEL_UPLOAD_TUS);

    sum_of(want, 3 * MIB);

    for (way = 0; way < 6; way++) {
        memcpy(f.expect, want, sizeof(want));
        f.expect[0] = way & 1 ? 'f' - (want[0] == 'f') : want[0];

        u = create(s, &f, 3 * MIB);
        append(u, MIB + 1);

        if (way / 2 == 1) {
            reel_upload_close(u);
            u = claim(s, ID, &bob);

        } else if (way / 2 == 2) {
            OK(reel_upload_write(u, "?", 1, true));
            reel_upload_discard(u);
        }

        append(u, 2 * MIB - 1);

        if (way & 1) {
            IS(REEL_BADDATA, reel_upload_complete(u, NOW, &named));
            assert_int_equal(u->state.phase, REEL_UPLOAD_ABORTED);
            IS(REEL_INVAL, reel_upload_complete(u, NOW, &named));
            assert_list(s, "assets", "");
            assert_list(s, "pending", "");

        } else {
            OK(reel_upload_complete(u, NOW, &named));
            assert_asset(s, ASSET, 3 * MIB);
            OK(reel_store_get(s, "assets/00/" ASSET "/request.json", 9999,
                              &b));
            OK(reel_request_parse(&r, (char *) b.data, b.len, NULL));
            assert_string_equal(r.sha256, want);
            reel_request_release(&r);
            reel_buf_release(&b);
            OK(reel_store_del_tree(s, "assets/00", NULL));
            OK(reel_store_del_tree(s, "pending", NULL));
        }

        OK(reel_upload_remove(u));
        reel_upload_close(u);
    }
}


static void
replayed(void **state)
{
    reel_named_t          named, again;
    reel_store_t         *s = *state;
    reel_upload_t        *u;
    reel_upload_facts_t   f = facts_of(REEL_UPLOAD_PUT);

    IS(REEL_NOTFOUND, reel_upload_replay(s, ORIGIN, &named));
    IS(REEL_INVAL, reel_upload_replay(s, "../x", &named));

    f.origin = ORIGIN;
    f.key = "k";
    u = create(s, &f, 10);
    append(u, 10);
    OK(reel_upload_complete(u, NOW, &named));
    OK(reel_upload_remove(u));
    reel_upload_close(u);

    OK(reel_upload_replay(s, ORIGIN, &again));
    assert_memory_equal(&named, &again, sizeof(named));

    /* a job that was lost is queued again, one that ended is not */
    OK(reel_store_del(s, "pending/" ASSET ".1"));
    OK(reel_upload_replay(s, ORIGIN, &again));
    assert_asset(s, ASSET, 10);
    OK(reel_store_del(s, "pending/" ASSET ".1"));
    OK(reel_store_put_if_absent(s, "assets/00/" ASSET "/result.json", "{}",
                                2));
    OK(reel_upload_replay(s, ORIGIN, &again));
    assert_list(s, "pending", "");

    OK(reel_store_replace(s, NAME, "{", 1));
    IS(REEL_IO, reel_upload_replay(s, ORIGIN, &again));
}


/* two of one origin at once: the first name counts, the other's asset goes */
static void
name_lost(void **state)
{
    reel_key_t            key;
    reel_named_t          a, b;
    reel_store_t         *s = *state;
    reel_upload_t        *u, *v;
    reel_upload_facts_t   f = facts_of(REEL_UPLOAD_PUT);

    f.origin = ORIGIN;
    f.key = "k";
    u = create(s, &f, 10);
    memcpy(f.id, OTHER, sizeof(f.id));
    f.request.asset = ASSET_2;
    v = create(s, &f, 10);
    append(u, 10);
    append(v, 10);
    OK(reel_upload_complete(u, NOW, &a));
    OK(reel_upload_complete(v, NOW, &b));
    assert_string_equal(a.asset, ASSET);
    assert_memory_equal(&a, &b, sizeof(a));
    assert_list(s, "assets", "00/");
    assert_asset(s, ASSET, 10);

    /* repeated, it says the same */
    memset(&b, 0, sizeof(b));
    OK(reel_upload_complete(v, NOW, &b));
    assert_memory_equal(&a, &b, sizeof(a));
    reel_upload_close(u);
    reel_upload_close(v);

    key_name(key, "k");
    read_named(s, key, &b);
    assert_string_equal(b.asset, ASSET);
}


/* the newest of a key, also when an older one is rolled forward late */
static void
newest_of_key(void **state)
{
    reel_key_t            key;
    reel_named_t          named;
    reel_store_t         *s = *state, *dying;
    reel_upload_t        *u;
    reel_upload_facts_t   f = facts_of(REEL_UPLOAD_IETF);
    unsigned              n;

    f.key = "k";
    key_name(key, "k");

    /* killed when it is about to say its name */
    for (n = 1; ; n++) {
        dying = fault_new(s, n);

        if (reel_upload_create(dying, &f, 5, &alice, NOW, &u) == REEL_OK) {
            if (reel_upload_write(u, "12345", 5, false) == REEL_OK
                && reel_upload_complete(u, NOW, &named) == REEL_OK)
            {
                fail_msg("it never died");
            }

            reel_upload_close(u);
        }

        fault_free(dying);

        if (reel_store_stat(s, "assets/00/" ASSET "/request.json",
                            &(reel_store_stat_t) { 0 }) == REEL_OK)
        {
            break;
        }

        OK(reel_store_del_tree(s, "assets/00", NULL));
        OK(reel_store_del_tree(s, "uploads/" ID, NULL));
    }

    assert_stands(s, key, false);

    memcpy(f.id, OTHER, sizeof(f.id));
    f.request.asset = ASSET_2;
    u = create(s, &f, 5);
    append(u, 5);
    OK(reel_upload_complete(u, NOW, &named));
    reel_upload_close(u);

    u = claim(s, ID, &bob);
    assert_int_equal(u->state.phase, REEL_UPLOAD_COMPLETING);
    OK(reel_upload_complete(u, NOW, &named));
    assert_string_equal(named.asset, ASSET);
    reel_upload_close(u);

    read_named(s, key, &named);
    assert_string_equal(named.asset, ASSET_2);
    assert_list(s, "pending", ASSET ".1 " ASSET_2 ".1");

    /* one that completes in its own time replaces it */
    memcpy(f.id, "0123456789abcdef0123456789abcdef", sizeof(f.id));
    f.request.asset = "01j00000000000000000000000";
    OK(reel_store_del_tree(s, "assets/00", NULL));
    u = create(s, &f, 5);
    append(u, 5);
    OK(reel_upload_complete(u, NOW, &named));
    reel_upload_close(u);
    read_named(s, key, &named);
    assert_string_equal(named.asset, ASSET);
}


/* an id that was fixed beforehand, and is another's */
static void
taken(void **state)
{
    size_t                i;
    reel_key_t            key;
    const char           *want;
    reel_named_t          named;
    reel_store_t         *s = *state;
    reel_upload_t        *u;
    reel_upload_facts_t   f = facts_of(REEL_UPLOAD_PUT);
    static const char *const  parts[] = {
        REEL_PART_TOMBSTONE, REEL_PART_SOURCE, REEL_PART_REQUEST
    };
    static const char  request[] = "{\"asset\":\"" ASSET "\",\"project\":\"p\""
        ",\"pipeline\":\"default\",\"name\":\"n\",\"size\":3,"
        "\"created_ms\":1}";

    f.origin = ORIGIN;

    for (i = 0; i < COUNT(parts); i++) {
        OK(reel_key_asset_part(key, REEL_STR(ASSET), parts[i]));
        OK(reel_store_put_if_absent(s, key, request, sizeof(request) - 1));
        want = i == 2 ? "request.json source" : parts[i];
        u = create(s, &f, 10);
        append(u, 10);
        /* that source is young: its request may come any moment */
        IS(REEL_EXISTS, reel_upload_complete(u, i == 1 ? 1 : NOW, &named));
        assert_int_equal(u->state.phase, REEL_UPLOAD_ABORTED);
        OK(reel_upload_remove(u));
        reel_upload_close(u);
        assert_list(s, "assets/00/" ASSET, want);
        assert_list(s, "pending", "");
        assert_list(s, "names", "");

        /* the third one: source and request */
        if (i != 1) {
            OK(reel_store_del(s, key));
        }
    }
}


/* it was sealed, and another had its asset's id before it went on */
static void
taken_meanwhile(void **state)
{
    unsigned              n, late = 0;
    reel_named_t          named;
    reel_store_t         *s, *dying;
    reel_upload_t        *u;
    reel_upload_facts_t   f = facts_of(REEL_UPLOAD_PUT);

    (void) state;

    for (n = 1; n < 40; n++) {
        OK(reel_store_mem_open(&s));
        dying = fault_new(s, n);
        f.origin = ORIGIN;

        if (reel_upload_create(dying, &f, 5, &alice, NOW, &u) == REEL_OK) {
            if (reel_upload_write(u, "12345", 5, false) == REEL_OK
                && reel_upload_complete(u, NOW, &named) == REEL_OK)
            {
                n = 40;
            }
        }

        reel_upload_close(u);
        fault_free(dying);

        if (reel_upload_open(s, REEL_STR(ID), &u) == REEL_OK
            && u->state.phase == REEL_UPLOAD_COMPLETING
            && reel_store_stat(s, "assets/00/" ASSET "/source",
                               &(reel_store_stat_t) { 0 }) != REEL_OK)
        {
            reel_upload_close(u);
            memcpy(f.id, OTHER, sizeof(f.id));
            f.origin = NULL;
            u = create(s, &f, 7);
            append(u, 7);
            OK(reel_upload_complete(u, NOW, &named));
            reel_upload_close(u);

            memcpy(f.id, ID, sizeof(f.id));
            u = claim(s, ID, &bob);
            IS(REEL_EXISTS, reel_upload_complete(u, NOW, &named));
            assert_int_equal(u->state.phase, REEL_UPLOAD_ABORTED);
            assert_list(s, "uploads/" ID, "state upload.json");
            assert_list(s, "names", "");
            assert_asset(s, ASSET, 7);
            late++;
        }

        reel_upload_close(u);
        reel_store_close(s);
    }

    assert_true(late > 0);
}


/* ---- crashes ---- */

/* what a sweep does, long after */
static reel_err_t
sweep_one(void *arg, const char *id, reel_upload_t *u)
{
    reel_key_t    key;
    reel_err_t    err;
    reel_named_t  named;

    if (u == NULL) {
        OK(reel_key_upload(key, reel_str(id), NULL));
        OK(reel_store_del_tree(arg, key, NULL));
        return REEL_OK;
    }

    OK(reel_upload_claim(u, 0, &rebooted));

    switch (u->state.phase) {

    case REEL_UPLOAD_OPEN:
        OK(reel_upload_abort(u, REEL_UPLOAD_EXPIRED, NOW));
        break;

    case REEL_UPLOAD_COMPLETING:
        err = reel_upload_complete(u, NOW, &named);
        assert_true(err == REEL_OK || err == REEL_EXISTS);
        break;

    default:
        break;
    }

    OK(reel_upload_remove(u));

    return REEL_OK;
}


static void
sweep(reel_store_t *s)
{
    OK(reel_upload_each(s, sweep_one, s));
    assert_list(s, "uploads", "");
}


typedef struct {
    const char *id;
    const char *asset;
} try_t;


/* a PutObject as its door does it */
static reel_err_t
put_object(reel_store_t *s, const try_t *t, reel_named_t *named)
{
    uint8_t               p[100];
    size_t                i;
    reel_err_t            err;
    reel_upload_t        *u;
    reel_upload_facts_t   f = facts_of(REEL_UPLOAD_PUT);

    for (i = 0; i < sizeof(p); i++) {
        p[i] = pattern(i, 0);
    }

    err = reel_upload_replay(s, ORIGIN, named);
    if (err != REEL_NOTFOUND) {
        return err;
    }

    memcpy(f.id, t->id, sizeof(f.id));
    f.request.asset = (char *) t->asset;
    f.request.meta = "{\"title\":\"T\"}";
    f.origin = ORIGIN;
    f.key = "k";

    err = reel_upload_create(s, &f, sizeof(p), &alice, NOW, &u);

    if (err == REEL_EXISTS) {
        /* an earlier try of the same id: it is ours now */
        err = reel_upload_open(s, reel_str(t->id), &u);
        if (err == REEL_OK) {
            err = reel_upload_claim(u, 0, &bob);
        }

        if (err == REEL_OK && u->state.phase == REEL_UPLOAD_OPEN) {
            err = reel_upload_remove(u);
            reel_upload_close(u);
            u = NULL;

            if (err == REEL_OK) {
                err = reel_upload_create(s, &f, sizeof(p), &alice, NOW, &u);
            }
        }
    }

    for (i = 0; err == REEL_OK && u->state.phase == REEL_UPLOAD_OPEN
                && i < sizeof(p); i += 50)
    {
        err = reel_upload_write(u, p + i, 50, false);
    }

    if (err == REEL_OK) {
        err = reel_upload_complete(u, NOW, named);
    }

    if (err == REEL_OK) {
        err = reel_upload_remove(u);
    }

    reel_upload_close(u);

    return err;
}


/*
 * The process dies before change n, for every n; the client tries again, as
 * `second` says, and the sweep comes before or after that.
 */
static void
crash_everywhere(void **state, const try_t *second, bool sweep_first,
    bool power)
{
    char           want[32];
    unsigned       n, dead;
    reel_err_t     err;
    reel_key_t     key;
    reel_store_t  *s, *dying;
    reel_named_t   named, first;
    static const try_t  t = { ID, ASSET };

    (void) state;

    for (n = 1, dead = 1; dead; n++) {
        OK(reel_store_mem_open(&s));
        dying = fault_new(s, n);
        err = put_object(dying, &t, &first);
        dead = fault_dead(dying);
        assert_true(dead || err == REEL_OK);

        if (power) {
            fault_power_loss(dying, n);
        }

        fault_free(dying);

        if (sweep_first) {
            sweep(s);
        }

        err = put_object(s, second, &named);
        sweep(s);

        if (err == REEL_EXISTS) {
            /* the first one's asset is about to complete: try again */
            assert_string_equal(second->asset, t.asset);
            assert_false(sweep_first);
            err = put_object(s, second, &named);
        }

        assert_int_equal(err, REEL_OK);
        sweep(s);

        /* one asset, one job, and the name tells of it */
        assert_asset(s, named.asset, 100);
        (void) snprintf(want, sizeof(want), "%.2s/", named.asset + 24);
        assert_list(s, "assets", want);
        read_named(s, NAME, &first);
        assert_memory_equal(&first, &named, sizeof(named));
        key_name(key, "k");
        read_named(s, key, &first);
        assert_string_equal(first.asset, named.asset);
        OK(reel_upload_replay(s, ORIGIN, &first));
        assert_memory_equal(&first, &named, sizeof(named));
        reel_store_close(s);
    }

    assert_true(n > 15);
}


static void
crash_then_another(void **state)
{
    static const try_t  t = { OTHER, ASSET_2 };

    crash_everywhere(state, &t, false, false);
    crash_everywhere(state, &t, true, false);
    crash_everywhere(state, &t, true, true);
    crash_everywhere(state, &t, false, true);
}


static void
crash_then_the_same(void **state)
{
    static const try_t  t = { ID, ASSET };

    crash_everywhere(state, &t, false, false);
    crash_everywhere(state, &t, true, false);
}


static void
crash_with_fixed_asset(void **state)
{
    static const try_t  t = { OTHER, ASSET };

    crash_everywhere(state, &t, false, false);
    crash_everywhere(state, &t, true, false);
}


/* roll-forward that dies itself, at each change */
static void
crash_twice(void **state)
{
    unsigned        n, k, dead;
    reel_err_t      err;
    reel_store_t   *s, *dying;
    reel_named_t    named;
    reel_upload_t  *u;
    static const try_t  t = { ID, ASSET };

    (void) state;

    for (n = 20; n > 1; n--) {
        for (k = 1, dead = 1; dead; k++) {
            OK(reel_store_mem_open(&s));
            dying = fault_new(s, n);
            (void) put_object(dying, &t, &named);
            fault_free(dying);

            dying = fault_new(s, k);
            err = reel_upload_open(dying, REEL_STR(ID), &u);

            if (err == REEL_OK) {
                err = reel_upload_claim(u, 0, &bob);
            }

            if (err == REEL_OK && u->state.phase != REEL_UPLOAD_OPEN) {
                err = reel_upload_complete(u, NOW, &named);
            }

            reel_upload_close(u);
            dead = fault_dead(dying);
            fault_free(dying);

            OK(put_object(s, &t, &named));
            sweep(s);
            assert_asset(s, ASSET, 100);
            reel_store_close(s);
        }
    }
}


/* deleted before the sweep found it: it does not come back */
static void
deleted_meanwhile(void **state)
{
    unsigned        n, dead;
    reel_store_t   *s, *dying;
    reel_named_t    named;
    static const try_t  t = { ID, ASSET };
    static const char   tomb[] = "assets/00/" ASSET "/tombstone";

    (void) state;

    for (n = 1, dead = 1; dead; n++) {
        OK(reel_store_mem_open(&s));
        dying = fault_new(s, n);
        (void) put_object(dying, &t, &named);
        dead = fault_dead(dying);
        fault_free(dying);

        if (reel_store_stat(s, "assets/00/" ASSET "/request.json",
                            &(reel_store_stat_t) { 0 }) == REEL_OK)
        {
            OK(reel_store_put_if_absent(s, tomb, "{}", 2));
            OK(reel_store_del_tree(s, "assets/00", tomb));
            OK(reel_store_del_tree(s, "pending", NULL));
            sweep(s);
            assert_list(s, "assets/00/" ASSET, "tombstone");
            assert_list(s, "pending", "");
        }

        reel_store_close(s);
    }
}


/* a job that ended before the upload said COMPLETE runs no second time */
static void
job_was_faster(void **state)
{
    unsigned        n, dead;
    reel_store_t   *s, *dying;
    reel_named_t    named;
    static const try_t  t = { ID, ASSET };

    (void) state;

    for (n = 1, dead = 1; dead; n++) {
        OK(reel_store_mem_open(&s));
        dying = fault_new(s, n);
        (void) put_object(dying, &t, &named);
        dead = fault_dead(dying);
        fault_free(dying);

        if (reel_store_stat(s, "pending/" ASSET ".1",
                            &(reel_store_stat_t) { 0 }) == REEL_OK)
        {
            OK(reel_store_put_if_absent(s, "assets/00/" ASSET "/result.json",
                                        "{}", 2));
            OK(reel_store_del(s, "pending/" ASSET ".1"));
            sweep(s);
            assert_list(s, "pending", "");
        }

        reel_store_close(s);
    }
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        BOTH(published),
        BOTH(nothing_in_it),
        BOTH(trimmed),
        BOTH(partial),
        BOTH(signed_sum),
        BOTH(replayed),
        BOTH(name_lost),
        BOTH(newest_of_key),
        BOTH(taken),
        cmocka_unit_test(taken_meanwhile),
        cmocka_unit_test(crash_then_another),
        cmocka_unit_test(crash_then_the_same),
        cmocka_unit_test(crash_with_fixed_asset),
        cmocka_unit_test(crash_twice),
        cmocka_unit_test(deleted_meanwhile),
        cmocka_unit_test(job_was_faster),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
