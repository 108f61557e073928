/* create, open, write, settle, abort: what one handle does */

#include "tests/unit/upload/fault.h"
#include "tests/unit/upload/fixture.h"

#include <string.h>


static void
created(void **state)
{
    reel_store_t         *s = *state;
    reel_upload_t        *u, *v;
    reel_upload_facts_t   f = facts_of(REEL_UPLOAD_TUS);

    f.key = "a/b.mp4";
    f.metadata = "filename Zm9v";
    f.max_bytes = 1000;
    f.request.meta = "{\"title\":\"T\"}";

    u = create(s, &f, 100);
    assert_int_equal(u->state.phase, REEL_UPLOAD_OPEN);
    assert_list(s, "uploads/" ID, "data state upload.json");

    v = open_id(s, ID);
    assert_string_equal(v->facts.id, ID);
    assert_int_equal(v->facts.door, REEL_UPLOAD_TUS);
    assert_string_equal(v->facts.key, "a/b.mp4");
    assert_string_equal(v->facts.bucket, "films");
    assert_string_equal(v->facts.metadata, "filename Zm9v");
    assert_string_equal(v->facts.request.asset, ASSET);
    assert_string_equal(v->facts.request.meta, "{\"title\":\"T\"}");
    assert_string_equal(v->facts.access_key, "AK");
    assert_null(v->facts.origin);
    assert_int_equal(v->facts.max_bytes, 1000);
    assert_true(v->facts.expires_ms == NOW + 86400000);
    assert_int_equal(v->state.length, 100);
    assert_int_equal(v->state.offset, 0);
    assert_true(v->state.touched_ms == NOW);
    reel_upload_close(v);
    reel_upload_close(u);
    reel_upload_close(NULL);
}


static void
not_created(void **state)
{
    reel_store_t         *s = *state;
    reel_upload_t        *u, *v;
    reel_upload_facts_t   f = facts_of(REEL_UPLOAD_TUS);

    f.max_bytes = 100;
    IS(REEL_LIMIT, reel_upload_create(s, &f, 101, &alice, NOW, &u));
    assert_null(u);
    f.max_bytes = 0;
    IS(REEL_LIMIT, reel_upload_create(s, &f, 1ull << 63, &alice, NOW, &u));

    memcpy(f.id, "../../../../../../../../etc/pass", sizeof(f.id));
    IS(REEL_INVAL, reel_upload_create(s, &f, 1, &alice, NOW, &u));
    memcpy(f.id, ID, sizeof(f.id));
    f.request.asset = "x";
    IS(REEL_INVAL, reel_upload_create(s, &f, 1, &alice, NOW, &u));
    f.request.asset = ASSET;
    f.origin = "../x";
    IS(REEL_INVAL, reel_upload_create(s, &f, 1, &alice, NOW, &u));
    f.origin = NULL;
    f.bucket = NULL;
    IS(REEL_INVAL, reel_upload_create(s, &f, 1, &alice, NOW, &u));
    f.bucket = "films";
    assert_list(s, "uploads", "");

    u = create(s, &f, 10);
    append(u, 10);
    IS(REEL_EXISTS, reel_upload_create(s, &f, 1, &bob, NOW, &v));
    assert_null(v);
    reel_upload_close(u);
    IS(REEL_EXISTS, reel_upload_create(s, &f, 1, &bob, NOW, &v));
    u = open_id(s, ID);
    assert_int_equal(u->state.offset, 10);
    assert_int_equal(u->state.length, 10);
    reel_upload_close(u);
}


/* a crash in create leaves what the next one, or nobody, goes on with */
static void
half_created(void **state)
{
    reel_store_t         *s = *state;
    reel_upload_t        *u;
    reel_multipart_t     *m;
    reel_upload_facts_t   f = facts_of(REEL_UPLOAD_PUT);

    IS(REEL_NOTFOUND, reel_upload_open(s, REEL_STR(ID), &u));
    assert_null(u);
    IS(REEL_INVAL, reel_upload_open(s, REEL_STR("x"), &u));

    OK(reel_store_put_if_absent(s, "uploads/" ID "/state", "torn", 4));
    OK(reel_store_put_if_absent(s, "uploads/" ID "/data", "old", 3));
    IS(REEL_NOTFOUND, reel_upload_open(s, REEL_STR(ID), &u));
    OK(reel_multipart_create(s, "uploads/" ID "/upload.json", 0, &m));
    reel_multipart_close(m);
    IS(REEL_NOTFOUND, reel_upload_open(s, REEL_STR(ID), &u));

    /* somebody is at it */
    OK(reel_multipart_open(s, "uploads/" ID "/state", &m));
    OK(reel_multipart_lock(m, 0, 1, false));
    IS(REEL_EXISTS, reel_upload_create(s, &f, 5, &alice, NOW, &u));
    reel_multipart_close(m);

    u = create(s, &f, 2);
    append(u, 2);
    reel_upload_close(u);
    u = open_id(s, ID);
    assert_int_equal(u->state.offset, 2);
    reel_upload_close(u);
    assert_pattern(s, "uploads/" ID "/data", 2, 0);
}


static void
broken(void **state)
{
    reel_store_t   *s = *state;
    reel_upload_t  *u;
    reel_buf_t      b;
    reel_upload_facts_t  f = facts_of(REEL_UPLOAD_TUS);

    reel_upload_close(create(s, &f, 1));

    /* another's record in our folder */
    OK(reel_store_get(s, "uploads/" ID "/upload.json", 10000, &b));
    memcpy(strstr((char *) reel_buf_cstr(&b), ID), OTHER, 32);
    OK(reel_store_replace(s, "uploads/" ID "/upload.json", b.data, b.len));
    IS(REEL_BADDATA, reel_upload_open(s, REEL_STR(ID), &u));
    OK(reel_store_replace(s, "uploads/" ID "/upload.json", b.data, 30));
    IS(REEL_BADDATA, reel_upload_open(s, REEL_STR(ID), &u));
    reel_buf_release(&b);

    OK(reel_store_del(s, "uploads/" ID "/state"));
    OK(reel_store_del(s, "uploads/" ID "/upload.json"));
    reel_upload_close(create(s, &f, 1));
    OK(reel_store_replace(s, "uploads/" ID "/state", "x", 1));
    IS(REEL_BADDATA, reel_upload_open(s, REEL_STR(ID), &u));
    OK(reel_store_del(s, "uploads/" ID "/state"));
    IS(REEL_NOTFOUND, reel_upload_open(s, REEL_STR(ID), &u));
}


static void
written(void **state)
{
    reel_store_t         *s = *state;
    reel_upload_t        *u, *v;
    reel_upload_facts_t   f = facts_of(REEL_UPLOAD_IETF);

    u = create(s, &f, 1000);
    append(u, 300);
    append(u, 0);
    append(u, 300);
    assert_int_equal(u->state.offset, 600);
    assert_int_equal(u->state.durable, 0);

    v = open_id(s, ID);
    assert_int_equal(v->state.offset, 600);
    assert_int_equal(v->state.durable, 0);
    reel_upload_close(v);

    OK(reel_upload_flush(u));
    append(u, 100);
    assert_int_equal(u->state.durable, 600);
    OK(reel_upload_settle(u, NOW + 5));

    v = open_id(s, ID);
    assert_int_equal(v->state.offset, 700);
    assert_int_equal(v->state.durable, 700);
    assert_true(v->state.touched_ms == NOW + 5);
    reel_upload_close(v);

    /* too much is refused whole */
    IS(REEL_LIMIT, reel_upload_write(u, fs_root, 301, false));
    IS(REEL_LIMIT, reel_upload_write(u, fs_root, SIZE_MAX, false));
    assert_int_equal(u->state.offset, 700);
    append(u, 300);
    IS(REEL_LIMIT, reel_upload_write(u, "x", 1, false));
    OK(reel_upload_settle(u, NOW));
    reel_upload_close(u);
    assert_pattern(s, "uploads/" ID "/data", 1000, 0);
}


static void
max_bytes(void **state)
{
    reel_store_t         *s = *state;
    reel_upload_t        *u;
    reel_upload_facts_t   f = facts_of(REEL_UPLOAD_TUS);

    f.max_bytes = 100;
    u = create(s, &f, REEL_UPLOAD_UNKNOWN);
    append(u, 60);
    IS(REEL_LIMIT, reel_upload_write(u, fs_root, 41, false));

    IS(REEL_LIMIT, reel_upload_set_length(u, 101, NOW));
    IS(REEL_INVAL, reel_upload_set_length(u, 59, NOW));
    OK(reel_upload_set_length(u, 70, NOW));
    OK(reel_upload_set_length(u, 70, NOW));
    IS(REEL_INVAL, reel_upload_set_length(u, 71, NOW));
    IS(REEL_LIMIT, reel_upload_write(u, fs_root, 11, false));
    append(u, 10);
    OK(reel_upload_settle(u, NOW));
    reel_upload_close(u);

    u = claim(s, ID, &bob);
    assert_int_equal(u->state.length, 70);
    assert_int_equal(u->state.offset, 70);
    reel_upload_close(u);
}


static void
provisional(void **state)
{
    uint8_t               p[100];
    size_t                i;
    reel_store_t         *s = *state;
    reel_upload_t        *u, *v;
    reel_upload_facts_t   f = facts_of(REEL_UPLOAD_TUS);

    for (i = 0; i < sizeof(p); i++) {
        p[i] = pattern(10 + i, 0);
    }

    u = create(s, &f, 110);
    append(u, 10);

    /* a checksum that is wrong: they were never there */
    OK(reel_upload_write(u, "wrong bytes", 11, true));
    OK(reel_upload_write(u, "more", 4, true));
    assert_int_equal(u->state.offset, 10);
    OK(reel_upload_flush(u));
    IS(REEL_INVAL, reel_upload_write(u, p, 1, false));
    OK(reel_upload_settle(u, NOW));
    v = open_id(s, ID);
    assert_int_equal(v->state.offset, 10);
    reel_upload_close(v);
    reel_upload_discard(u);
    reel_upload_discard(u);

    /* they count with the limit */
    OK(reel_upload_write(u, p, 60, true));
    IS(REEL_LIMIT, reel_upload_write(u, p, 41, true));
    OK(reel_upload_write(u, p + 60, 40, true));
    OK(reel_upload_confirm(u));
    assert_int_equal(u->state.offset, 110);
    assert_true(u->state.durable <= 10);
    OK(reel_upload_settle(u, NOW));
    assert_int_equal(u->state.durable, 110);
    reel_upload_close(u);
    assert_pattern(s, "uploads/" ID "/data", 110, 0);
}


static void
aborted(void **state)
{
    reel_named_t          named;
    reel_store_t         *s = *state;
    reel_upload_t        *u;
    reel_upload_facts_t   f = facts_of(REEL_UPLOAD_TUS);

    u = create(s, &f, 100);
    append(u, 50);
    IS(REEL_INVAL, reel_upload_remove(u));
    IS(REEL_INVAL, reel_upload_abort(u, REEL_UPLOAD_COMPLETE, NOW));
    OK(reel_upload_abort(u, REEL_UPLOAD_EXPIRED, NOW + 9));
    assert_list(s, "uploads/" ID, "state upload.json");

    IS(REEL_INVAL, reel_upload_write(u, "x", 1, false));
    IS(REEL_INVAL, reel_upload_settle(u, NOW));
    IS(REEL_INVAL, reel_upload_set_length(u, 100, NOW));
    IS(REEL_INVAL, reel_upload_complete(u, NOW, &named));
    OK(reel_upload_abort(u, REEL_UPLOAD_ABORTED, NOW));
    reel_upload_close(u);

    u = open_id(s, ID);
    assert_int_equal(u->state.phase, REEL_UPLOAD_EXPIRED);
    assert_true(u->state.touched_ms == NOW + 9);
    IS(REEL_INVAL, reel_upload_abort(u, REEL_UPLOAD_ABORTED, NOW));
    OK(reel_upload_remove(u));
    reel_upload_close(u);
    assert_list(s, "uploads", "");
}


/* a PUT that was cut goes at once, and the disk is not waited for */
static void
forsaken(void **state)
{
    reel_store_t         *s, *inner = *state;
    reel_upload_t        *u, *v;
    reel_multipart_t     *m;
    reel_upload_facts_t   f = facts_of(REEL_UPLOAD_PUT);

    f.origin = ORIGIN;
    s = fault_new(inner, 0);
    u = create(s, &f, 100);
    append(u, 50);

    v = open_id(s, ID);
    IS(REEL_INVAL, reel_upload_remove(v));
    assert_list(s, "uploads/" ID, "data state upload.json");

    fault_fail_sync(s, "");
    OK(reel_upload_remove(u));
    assert_list(s, "uploads", "");
    reel_upload_close(u);

    /* who came for it meanwhile finds nothing */
    IS(REEL_NOTFOUND, reel_upload_claim(v, 0, &bob));
    reel_upload_close(v);

    /* that failure still waits for a sync */
    OK(reel_multipart_create(s, "uploads/x", 0, &m));
    IS(REEL_IO, reel_multipart_sync(m));
    reel_multipart_abort(m);
    fault_free(s);
}


static void
without_turn(void **state)
{
    reel_named_t          named;
    reel_store_t         *s = *state;
    reel_upload_t        *u;
    reel_upload_facts_t   f = facts_of(REEL_UPLOAD_TUS);

    reel_upload_close(create(s, &f, 100));
    u = open_id(s, ID);
    IS(REEL_INVAL, reel_upload_check(u));
    IS(REEL_INVAL, reel_upload_write(u, "x", 1, false));
    IS(REEL_INVAL, reel_upload_confirm(u));
    IS(REEL_INVAL, reel_upload_settle(u, NOW));
    IS(REEL_INVAL, reel_upload_set_length(u, 1, NOW));
    IS(REEL_INVAL, reel_upload_complete(u, NOW, &named));
    IS(REEL_INVAL, reel_upload_abort(u, REEL_UPLOAD_ABORTED, NOW));
    OK(reel_upload_flush(u));
    reel_upload_close(u);
}


/* each says who is there; what cannot be opened comes without a handle */
typedef struct {
    unsigned  seen, broken;
} seen_t;


static reel_err_t
see(void *arg, const char *id, reel_upload_t *u)
{
    seen_t  *t = arg;

    if (u == NULL) {
        assert_string_equal(id, OTHER);
        t->broken++;

    } else {
        assert_string_equal(u->facts.id, id);
        t->seen++;
    }

    return t->seen == 2 ? REEL_LIMIT : REEL_OK;
}


static void
each(void **state)
{
    seen_t                t = { 0, 0 };
    reel_store_t         *s = *state;
    reel_upload_facts_t   f = facts_of(REEL_UPLOAD_TUS);

    OK(reel_upload_each(s, see, &t));
    assert_int_equal(t.seen + t.broken, 0);

    reel_upload_close(create(s, &f, 100));
    OK(reel_store_put_if_absent(s, "uploads/" OTHER "/state", "x", 1));
    OK(reel_store_put_if_absent(s, "uploads/" ASSET "/state", "x", 1));
    OK(reel_store_put_if_absent(s, "uploads/file", "x", 1));
    OK(reel_upload_each(s, see, &t));
    assert_int_equal(t.seen, 1);
    assert_int_equal(t.broken, 1);

    /* the callback's word ends it */
    IS(REEL_LIMIT, reel_upload_each(s, see, &t));
}


static void
names(void **state)
{
    (void) state;

    assert_string_equal(reel_upload_phase_name(REEL_UPLOAD_OPEN), "open");
    assert_string_equal(reel_upload_phase_name(REEL_UPLOAD_EXPIRED),
                        "expired");
    assert_string_equal(reel_upload_door_name(REEL_UPLOAD_PUT), "put");
    assert_string_equal(reel_upload_door_name(REEL_UPLOAD_IETF), "ietf");
    assert_true(reel_upload_id_valid(REEL_STR(ID)));
    assert_false(reel_upload_id_valid(REEL_STR(ID "0")));
    assert_false(reel_upload_id_valid(REEL_STR("")));
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        BOTH(created),
        BOTH(not_created),
        BOTH(half_created),
        BOTH(broken),
        BOTH(written),
        BOTH(max_bytes),
        BOTH(provisional),
        BOTH(aborted),
        BOTH(forsaken),
        BOTH(without_turn),
        BOTH(each),
        cmocka_unit_test(names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
