/* what is told of an upload: each change of ours, once */

#include "tests/unit/upload/fixture.h"

#include <string.h>


/* NULL: nothing is to be told */
static void
assert_told(reel_upload_t *u, const char *state)
{
    const char  *fields[REEL_UPLOAD_EVENT_FIELDS];

    if (state == NULL) {
        assert_false(reel_upload_event(u, NULL, fields));
        return;
    }

    assert_true(reel_upload_event(u, NULL, fields));
    assert_string_equal(fields[0], "upload");
    assert_string_equal(fields[1], u->facts.id);
    assert_string_equal(fields[2], "asset");
    assert_string_equal(fields[3], u->facts.request.asset);
    assert_string_equal(fields[8], "state");
    assert_string_equal(fields[9], state);

    assert_false(reel_upload_event(u, NULL, fields));
}


static void
completed(void **state)
{
    reel_named_t          named;
    const char           *fields[REEL_UPLOAD_EVENT_FIELDS];
    reel_store_t         *s = *state;
    reel_upload_t        *u;
    reel_upload_facts_t   f = facts_of(REEL_UPLOAD_TUS);

    u = create(s, &f, 100);
    assert_told(u, "open");
    append(u, 100);
    assert_told(u, NULL);
    OK(reel_upload_complete(u, NOW, &named));
    assert_true(reel_upload_event(u, ASSET_2, fields));
    assert_string_equal(fields[3], ASSET_2);
    assert_string_equal(fields[5], "p");
    assert_string_equal(fields[7], "tus");
    assert_string_equal(fields[9], "complete");
    reel_upload_close(u);

    u = claim(s, ID, &bob);
    OK(reel_upload_complete(u, NOW, &named));
    assert_told(u, NULL);
    reel_upload_close(u);
}


static void
ended(void **state)
{
    reel_store_t         *s = *state;
    reel_upload_t        *u;
    reel_upload_facts_t   f = facts_of(REEL_UPLOAD_TUS);

    u = create(s, &f, 100);
    assert_told(u, "open");
    OK(reel_upload_abort(u, REEL_UPLOAD_EXPIRED, NOW));
    assert_told(u, "expired");
    OK(reel_upload_abort(u, REEL_UPLOAD_ABORTED, NOW));
    assert_told(u, NULL);
    OK(reel_upload_remove(u));
    assert_told(u, NULL);
    reel_upload_close(u);
}


static void
never_to_be(void **state)
{
    reel_named_t          named;
    reel_store_t         *s = *state;
    reel_upload_t        *u;
    reel_upload_facts_t   f = facts_of(REEL_UPLOAD_IETF);

    memset(f.expect, '0', sizeof(f.expect) - 1);
    u = create(s, &f, 100);
    append(u, 100);
    IS(REEL_BADDATA, reel_upload_complete(u, NOW, &named));
    assert_told(u, "aborted");
    reel_upload_close(u);
}


static void
a_put_that_is_cut(void **state)
{
    reel_store_t         *s = *state;
    reel_upload_t        *u;
    reel_upload_facts_t   f = facts_of(REEL_UPLOAD_PUT);

    u = create(s, &f, 100);
    OK(reel_upload_remove(u));
    assert_told(u, "aborted");
    reel_upload_close(u);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        BOTH(completed), BOTH(ended), BOTH(never_to_be),
        BOTH(a_put_that_is_cut)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
