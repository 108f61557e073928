/*
 * What a finished task is recognised by has the build of workerd itself:
 * what an encoder is told stands in its code, so another build shares
 * nothing.  This program is asked, and copies of it.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "workerd/build_id.h"
#include "tests/unit/help/files.h"


/* sizes of its name and of a SHA-1, the type, the name */
static const uint8_t  note[] = {
    4, 0, 0, 0, 20, 0, 0, 0, 3, 0, 0, 0, 'G', 'N', 'U', 0
};


static void
ask(const char *program, char id[REEL_BUILD_ID])
{
    FILE  *fp;
    char   command[4200];

    (void) snprintf(command, sizeof(command), "'%s' print", program);
    fp = popen(command, "r");
    assert_non_null(fp);
    assert_int_equal(fread(id, 1, REEL_BUILD_ID, fp), REEL_BUILD_ID);
    assert_int_equal(pclose(fp), 0);

    id[REEL_BUILD_ID - 1] = '\0';
    assert_int_equal(strspn(id, "0123456789abcdef"), REEL_BUILD_ID - 1);
}


static void
write_program(const char *path, const uint8_t *p, size_t len)
{
    file_write(path, p, len);
    assert_int_equal(chmod(path, 0700), 0);
}


static void
another_build(void **state)
{
    char      path[] = "/tmp/reel-build-XXXXXX";
    char      own[REEL_BUILD_ID], same[REEL_BUILD_ID], other[REEL_BUILD_ID];
    size_t    len;
    uint8_t  *p, *at;

    (void) state;

    p = file_read("/proc/self/exe", &len);
    close(mkstemp(path));

    reel_build_id(own);
    write_program(path, p, len);
    ask(path, same);
    assert_string_equal(same, own);

    at = memmem(p, len, note, sizeof(note));
    assert_non_null(at);
    at[sizeof(note)] ^= 1;
    write_program(path, p, len);
    ask(path, other);
    assert_string_not_equal(other, own);

    (void) unlink(path);
    free(p);
}


int
main(int argc, char **argv)
{
    char  id[REEL_BUILD_ID];

    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(another_build)
    };

    if (argc == 2 && strcmp(argv[1], "print") == 0) {
        reel_build_id(id);
        return puts(id) < 0;
    }

    return cmocka_run_group_tests(tests, NULL, NULL);
}
