/* what crashes leave, and nobody goes on with */

#include "tests/unit/upload/fixture.h"

#include <string.h>

#define SOURCE "assets/00/" ASSET "/source"

/* the files of fs are of today */
static const int64_t  later = INT64_C(1) << 50;


static reel_upload_facts_t
put_facts(const char *id)
{
    reel_upload_facts_t  f = facts_of(REEL_UPLOAD_PUT);

    memcpy(f.id, id, sizeof(f.id));
    f.origin = ORIGIN;

    return f;
}


static reel_upload_t *
filled(reel_store_t *s, const char *id)
{
    reel_upload_t        *u;
    reel_upload_facts_t   f = put_facts(id);

    u = create(s, &f, 10);
    append(u, 10);

    return u;
}


/* its upload is gone, and so is whoever would have written request.json */
static void
a_source_alone_keeps_nothing(void **state)
{
    reel_named_t    named;
    reel_store_t   *s = *state;
    reel_upload_t  *u;

    OK(reel_store_put_if_absent(s, SOURCE, "lost", 4));
    u = filled(s, ID);
    OK(reel_upload_complete(u, later, &named));
    assert_string_equal(named.asset, ASSET);
    reel_upload_close(u);
    assert_asset(s, ASSET, 10);
}


static void
a_young_one_does(void **state)
{
    reel_named_t        named;
    reel_store_t       *s = *state;
    reel_upload_t      *u;
    reel_store_stat_t   st;

    OK(reel_store_put_if_absent(s, SOURCE, "young", 5));
    OK(reel_store_stat(s, SOURCE, &st));
    u = filled(s, ID);
    IS(REEL_EXISTS, reel_upload_complete(u, st.mtime_ns / 1000000 + 59999,
                                         &named));
    reel_upload_close(u);
    OK(reel_store_stat(s, SOURCE, &st));
    assert_int_equal(st.size, 5);

    u = filled(s, OTHER);
    OK(reel_upload_complete(u, st.mtime_ns / 1000000 + 60000, &named));
    reel_upload_close(u);
    assert_asset(s, ASSET, 10);
}


/* however old it is: its record says that it will be completed */
static void
so_does_one_of_an_upload_in_its_completion(void **state)
{
    reel_named_t    named;
    reel_store_t   *s = *state;
    reel_upload_t  *u, *first = filled(s, OTHER);

    /* a crash before the request: pending/ cannot be written meanwhile */
    OK(reel_store_put_if_absent(s, "pending", "", 0));
    assert_int_not_equal(reel_upload_complete(first, NOW, &named), REEL_OK);
    assert_int_equal(first->state.phase, REEL_UPLOAD_COMPLETING);
    reel_upload_close(first);
    OK(reel_store_del(s, "pending"));
    OK(reel_store_del(s, "assets/00/" ASSET "/request.json"));

    u = filled(s, ID);
    IS(REEL_EXISTS, reel_upload_complete(u, later, &named));
    reel_upload_close(u);

    u = claim(s, OTHER, &bob);
    OK(reel_upload_complete(u, later, &named));
    reel_upload_close(u);
    assert_asset(s, ASSET, 10);
}


static void
of_two_at_once_one_takes_it(void **state)
{
    reel_named_t       named;
    reel_store_t      *s = *state;
    reel_upload_t     *u = filled(s, ID);
    reel_multipart_t  *m;

    OK(reel_store_put_if_absent(s, SOURCE, "lost", 4));
    OK(reel_multipart_open(s, SOURCE, &m));
    OK(reel_multipart_lock(m, 0, 1, false));
    IS(REEL_EXISTS, reel_upload_complete(u, later, &named));
    reel_upload_close(u);
    reel_multipart_close(m);
    assert_stands(s, SOURCE, true);
}


/* ---- folders ---- */

static void
cleared(void **state)
{
    reel_store_t         *s = *state;
    reel_upload_t        *u;
    reel_store_stat_t     st;
    reel_upload_facts_t   f = facts_of(REEL_UPLOAD_MULTIPART);

    u = create(s, &f, REEL_UPLOAD_UNKNOWN);
    IS(REEL_AGAIN, reel_upload_clear(s, REEL_STR(ID), later));
    reel_upload_close(u);
    IS(REEL_EXISTS, reel_upload_clear(s, REEL_STR(ID), later));

    OK(reel_store_del(s, "uploads/" ID "/upload.json"));
    OK(reel_store_stat(s, "uploads/" ID "/state", &st));
    IS(REEL_AGAIN, reel_upload_clear(s, REEL_STR(ID),
                                     st.mtime_ns / 1000000 - 1));
    OK(reel_upload_clear(s, REEL_STR(ID), later));
    assert_list(s, "uploads", "");

    OK(reel_upload_clear(s, REEL_STR(ID), later));
    IS(REEL_INVAL, reel_upload_clear(s, REEL_STR("../x"), later));
}


/* ---- the turn that is only taken when nobody wants it ---- */

static void
idle(void **state)
{
    reel_store_t         *s = *state;
    reel_upload_t        *u, *v, *waits;
    reel_upload_facts_t   f = facts_of(REEL_UPLOAD_TUS);

    u = create(s, &f, 10);
    append(u, 5);
    v = open_id(s, ID);
    IS(REEL_AGAIN, reel_upload_claim_idle(v, &bob));
    OK(reel_upload_check(u));
    append(u, 5);

    waits = open_id(s, ID);
    IS(REEL_AGAIN, reel_upload_claim(waits, 0, &alice));
    IS(REEL_DENIED, reel_upload_check(u));
    reel_upload_close(u);

    OK(reel_upload_claim_idle(v, &bob));
    assert_true(v->held && v->turn == 0);
    assert_true(v->state.offset == 10 && v->state.durable == 10);
    OK(reel_upload_check(v));
    IS(REEL_INVAL, reel_upload_claim_idle(v, &bob));
    IS(REEL_AGAIN, reel_upload_claim(waits, 0, &alice));
    reel_upload_close(v);

    OK(reel_upload_claim(waits, 0, &alice));
    OK(reel_upload_check(waits));
    reel_upload_close(waits);
}


/* a part was finished after it was opened: that is when it was touched */
static void
idle_sees_parts(void **state)
{
    reel_store_t         *s = *state;
    reel_upload_t        *u;
    reel_upload_facts_t   f = facts_of(REEL_UPLOAD_MULTIPART);

    reel_upload_close(create(s, &f, REEL_UPLOAD_UNKNOWN));
    u = open_id(s, ID);
    assert_true(reel_upload_expires(u) == NOW + 86400000);
    (void) put_part(s, 1, 10, 0, 0);
    OK(reel_upload_claim_idle(u, &bob));
    assert_true(u->state.touched_ms == NOW + 1);
    assert_true(reel_upload_expires(u) == NOW + 86400001);
    reel_upload_close(u);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        BOTH(a_source_alone_keeps_nothing), BOTH(a_young_one_does),
        ON_FS(so_does_one_of_an_upload_in_its_completion),
        BOTH(of_two_at_once_one_takes_it), BOTH(cleared), BOTH(idle),
        BOTH(idle_sees_parts)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
