/* all uploads, the newest of them, and those that have parts */

#include "tests/unit/upload/fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define N 7


static void
make(reel_store_t *s, unsigned i, reel_upload_door_t door)
{
    reel_upload_facts_t  f = facts_of(door);

    (void) snprintf(f.id, sizeof(f.id), "%032x", 0xf000 - i);
    reel_upload_close(create(s, &f, REEL_UPLOAD_UNKNOWN));
}


/* newer ones, and of one instant those of the greater id, come first */
static void
page_by_page(void **state)
{
    size_t               n, i, seen = 0;
    reel_store_t        *s = *state;
    reel_upload_mark_t  *marks, last;

    for (i = 0; i < N; i++) {
        make(s, i, REEL_UPLOAD_TUS);
    }

    do {
        OK(reel_upload_newest(s, seen == 0 ? NULL : &last, 2, &marks, &n));

        for (i = 0; i < n; i++) {
            assert_true(seen == 0 || marks[i].made_ns < last.made_ns
                        || (marks[i].made_ns == last.made_ns
                            && strcmp(marks[i].id, last.id) < 0));
            last = marks[i];
            seen++;
        }

        free(marks);
    } while (n == 2);

    assert_int_equal(seen, N);
}


static void
no_more_than_there_are(void **state)
{
    size_t               n;
    reel_store_t        *s = *state;
    reel_upload_mark_t  *marks;

    OK(reel_upload_newest(s, NULL, 10, &marks, &n));
    assert_int_equal(n, 0);
    free(marks);

    make(s, 0, REEL_UPLOAD_PUT);
    OK(reel_store_put_if_absent(s, "uploads/" OTHER "/state", "x", 1));
    OK(reel_upload_newest(s, NULL, 10, &marks, &n));
    assert_int_equal(n, 1);
    free(marks);
}


static reel_err_t
add(void *arg, const char *id, reel_upload_t *u)
{
    char  *seen = arg;

    seen[strlen(seen)] = u != NULL ? id[REEL_UPLOAD_ID_LEN - 1] : '?';

    return REEL_OK;
}


static reel_err_t
add_facts(void *arg, const reel_upload_facts_t *f)
{
    char  *seen = arg;

    assert_int_equal(f->door, REEL_UPLOAD_MULTIPART);
    seen[strlen(seen)] = f->id[REEL_UPLOAD_ID_LEN - 1];

    return REEL_OK;
}


static void
multipart_alone(void **state)
{
    char            ids[8] = "";
    reel_store_t   *s = *state;
    reel_upload_t  *u;

    make(s, 0xf000 - 1, REEL_UPLOAD_TUS);
    make(s, 0xf000 - 2, REEL_UPLOAD_MULTIPART);
    make(s, 0xf000 - 3, REEL_UPLOAD_MULTIPART);
    make(s, 0xf000 - 4, REEL_UPLOAD_PUT);

    u = claim(s, "00000000000000000000000000000003", &alice);
    OK(reel_upload_abort(u, REEL_UPLOAD_ABORTED, NOW));
    reel_upload_close(u);

    OK(reel_upload_each_multipart(s, add_facts, ids));
    assert_string_equal(ids, "2");

    ids[0] = '\0';
    OK(reel_upload_each(s, add, ids));
    assert_int_equal(strlen(ids), 4);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        BOTH(page_by_page), BOTH(no_more_than_there_are),
        BOTH(multipart_alone)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
