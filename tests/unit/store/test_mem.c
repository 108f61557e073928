#include "tests/unit/store/suite.h"


static void
own(void **state)
{
    reel_store_t      *s = *state;
    reel_object_t     *o;
    reel_multipart_t  *m;

    assert_string_equal(s->ops->name, "mem");
    reel_store_close(NULL);

    assert_int_equal(put(s, "a", "x"), REEL_OK);
    assert_int_equal(reel_store_open(s, "a", &o), REEL_OK);
    assert_int_equal(o->fd, -1);
    reel_object_close(o);

    assert_int_equal(reel_multipart_create(s, "b", 0, &m), REEL_OK);
    assert_int_equal(m->fd, -1);
    reel_multipart_abort(m);

    /* flat: an object may stand where others have a prefix */
    assert_int_equal(put(s, "a/b", "y"), REEL_OK);
    assert_list(s, "", "a a/");
}


int
main(void)
{
    int  failed;
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test_setup_teardown(own, mem_setup, store_teardown),
    };

    failed = store_suite_run("mem", mem_setup, store_teardown);
    failed += store_suite_staged("mem, staged", mem_setup, store_teardown);

    return failed + cmocka_run_group_tests_name("mem itself", tests, NULL,
                                                NULL);
}
