/* a watermark's image: the job's own, else the folder's if it is the same */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "workerd/mark.h"
#include "tests/unit/help/files.h"

#define JOB   "01h00000000000000000000000.1"
#define OTHER "01h00000000000000000000000.2"

static char           dir[] = "/tmp/reel-mark-XXXXXX";
static reel_store_t  *store;


static const char *
path(void)
{
    static char  p[64];

    (void) snprintf(p, sizeof(p), "%s/m.png", dir);
    return p;
}


static void
put(const char *text)
{
    file_write_text(path(), text);
}


static void
opens(const reel_mark_t *m, const char *job, reel_err_t want,
    const char *text)
{
    int           fd;
    char          buf[32] = "";
    reel_error_t  e = { "" };

    assert_int_equal(reel_mark_open(&fd, m, dir, store, job, &e), want);

    if (want == REEL_OK) {
        assert_int_equal(pread(fd, buf, sizeof(buf) - 1, 0), strlen(text));
        assert_string_equal(buf, text);
        assert_int_equal(close(fd), 0);

    } else {
        assert_non_null(strstr(e.text, text));
    }
}


static void
a_job_keeps_its_image(void **state)
{
    reel_mark_t   m = { .image = "m.png" }, later = { .image = "m.png" };
    reel_error_t  e = { "" };

    (void) state;

    put("old");
    assert_int_equal(reel_mark_keep(&m, dir, store, JOB, &e), REEL_OK);
    assert_int_equal(reel_mark_keep(&m, dir, store, JOB, &e), REEL_OK);
    assert_int_equal(strlen(m.sum), 64);

    /* one that lost its folder finds the same image where it was */
    opens(&m, OTHER, REEL_OK, "old");

    put("new");
    opens(&m, JOB, REEL_OK, "old");
    opens(&m, OTHER, REEL_NOTFOUND, "another than was planned with");
    assert_int_equal(reel_mark_keep(&later, dir, store, JOB, &e), REEL_OK);
    opens(&later, JOB, REEL_OK, "new");

    assert_int_equal(unlink(path()), 0);
    opens(&m, JOB, REEL_OK, "old");
    opens(&m, OTHER, REEL_NOTFOUND, "\"m.png\"");
    assert_int_equal(reel_mark_keep(&m, dir, store, OTHER, &e),
                     REEL_NOTFOUND);
}


/* one object for each text, colour and font */
static void
a_job_keeps_its_text(void **state)
{
    int           i, k, fd;
    char          head[8];
    reel_mark_t   m[4];
    reel_error_t  e = { "" };

    (void) state;

    for (i = 0; i < 4; i++) {
        m[i] = (reel_mark_t) { .image = REEL_MARK_DRAWN, .text = "reel",
                               .color = 0xffffff };
    }
    m[2].color = 0xffff00;
    m[3].text[0] = 'R';

    for (i = 0; i < 4; i++) {
        assert_int_equal(reel_mark_keep(&m[i], dir, store, JOB, &e),
                         REEL_OK);
        assert_int_equal(strlen(m[i].sum), 64);
        assert_int_equal(reel_mark_open(&fd, &m[i], dir, store, JOB, &e),
                         REEL_OK);
        assert_int_equal(pread(fd, head, 8, 0), 8);
        assert_memory_equal(head, "\x89PNG\r\n\x1a\n", 8);
        assert_int_equal(close(fd), 0);
    }

    for (i = 0; i < 4; i++) {
        for (k = 0; k < i; k++) {
            assert_int_equal(strcmp(m[i].sum, m[k].sum) == 0,
                             i == 1 && k == 0);
        }
    }

    opens(&m[0], OTHER, REEL_NOTFOUND, "\"text\"");
}


static int
setup(void **state)
{
    (void) state;

    return mkdtemp(dir) == NULL || reel_store_mem_open(&store) != REEL_OK;
}


static int
teardown(void **state)
{
    (void) state;
    reel_store_close(store);

    return rmdir(dir);
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_job_keeps_its_image),
        cmocka_unit_test(a_job_keeps_its_text),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
