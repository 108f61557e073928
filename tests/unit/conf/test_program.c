/* can a program be run here? */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/conf/pipeline_yaml.h"
#include "lib/conf/program.h"
#include "tests/unit/help/files.h"

static char  dir[] = "/tmp/reel-program-XXXXXX";


static void
put(char path[128], const char *name, const char *text, mode_t mode)
{
    (void) snprintf(path, 128, "%s/%s", dir, name);
    file_write_text(path, text);
    assert_int_equal(chmod(path, mode), 0);
}


static void
refused(const char *path, const char *why)
{
    reel_error_t  e = { "" };

    assert_int_equal(reel_program_check(path, &e), REEL_NOTFOUND);
    assert_non_null(strstr(e.text, why));
}


static void
programs(void **state)
{
    char          path[128], text[160];
    reel_error_t  e = { "" };

    (void) state;

    assert_int_equal(reel_program_check("/bin/sh", &e), REEL_OK);
    refused("/nowhere/program", "/nowhere/program: No such file");
    refused("/bin", "is no file");
    put(path, "plain", "x", 0644);
    refused(path, "may not be executed");
    put(path, "script", "#! /bin/sh -e\n", 0755);
    assert_int_equal(reel_program_check(path, &e), REEL_OK);
    put(path, "orphan", "#!/nowhere/python\n", 0755);
    refused(path, "its interpreter /nowhere/python: No such file");

    /* its own interpreter */
    (void) snprintf(text, sizeof(text), "#!%s/loop\n", dir);
    put(path, "loop", text, 0755);
    refused(path, "too often");

    (void) snprintf(path, sizeof(path), "%s/fifo", dir);
    assert_int_equal(mkfifo(path, 0755), 0);
    refused(path, "is no file");
}


static void
hear(void *arg, const reel_pipeline_t *p, const reel_node_t *n,
    const char *text)
{
    (void) snprintf(arg, 256, "%s/%s: %s", p->name, n->name, text);
}


static void
of_a_pipeline(void **state)
{
    char             path[128], heard[256] = "";
    reel_error_t     e;
    reel_pipeline_t  p;

    (void) state;

    put(path, "x.yaml", "tasks:\n  a: { type: exec, command: /bin/sh }\n"
        "  b:\n    type: exec\n    command: [/nowhere/b, c]\n", 0644);
    assert_int_equal(reel_pipeline_load(&p, path, &e), REEL_OK);
    reel_programs_check(&p, "x.yaml", hear, heard);
    assert_string_equal(heard, "x/b: x.yaml:5: b cannot run on this machine: "
                        "/nowhere/b: No such file or directory");
}


static int
setup(void **state)
{
    (void) state;

    return mkdtemp(dir) == NULL;
}


static int
teardown(void **state)
{
    char  command[64];

    (void) state;

    (void) snprintf(command, sizeof(command), "rm -rf %s", dir);

    return system(command);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(programs),
        cmocka_unit_test(of_a_pipeline)
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
