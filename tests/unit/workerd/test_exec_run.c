/* programs of the pipeline's, run in a child that the test kills or lets end */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "workerd/child.h"
#include "workerd/exec_run.h"

#define TEXT_MAX 512

static reel_loop_t  *loop;
static reel_proc_t  *proc;
static char          dir[] = "/tmp/reel-exec-XXXXXX";
static char          folder[64];
static char          said[TEXT_MAX];
static reel_exit_t   how;
static bool          kill_it;           /* at its first line */


static void
on_line(void *arg, const char *line, size_t len)
{
    (void) arg;
    (void) len;

    snprintf(said, sizeof(said), "%s", line);
    if (kill_it) {
        reel_child_kill(proc);
    }
}


static void
on_exited(void *arg, reel_exit_t h, int detail, const char *tail,
    size_t tail_len)
{
    (void) arg;
    (void) detail;

    how = h;
    if (h == REEL_EXIT_STATUS) {
        print_message("%s %.*s", said, (int) tail_len, tail);
    }
    reel_loop_stop(loop);
}


static const reel_child_ops_t ops = { on_line, on_exited };


/* as a unit's RestrictNamespaces does it */
static bool
forbid_namespaces(void)
{
    bool             done;
    scmp_filter_ctx  ctx = seccomp_init(SCMP_ACT_ALLOW);

    done = ctx != NULL
           && seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(unshare),
                               0) == 0
           && seccomp_load(ctx) == 0;
    seccomp_release(ctx);

    return done;
}


static int
run_in_child(reel_child_t *c, void *arg)
{
    return forbid_namespaces() ? reel_exec_run(c, arg) : 9;
}


/* sh runs the script, which makes out/x */
static void
run(const char *script)
{
    static reel_exec_t   t;
    reel_exec_run_t      r = {
        .task = &t, .folder = folder, .asset = "a", .job = "j", .name = "t",
        .best_effort = true
    };
    reel_child_spec_t    spec = {
        .main = run_in_child, .arg = &r,
        .io = { .source_fd = -1, .nout = 1 },
        .limits = { .output_bytes = 1 << 20 }
    };

    t = (reel_exec_t) { .nwords = 3, .noutputs = 1, .stream = -1,
                        .outputs = { { .name = "x", .max_mib = 1 } } };
    snprintf(t.command, sizeof(t.command), "/bin/sh%c-c%c%s", '\0', '\0',
             script);
    said[0] = '\0';

    spec.io.out_fd[0] = open(dir, O_RDWR | O_TMPFILE | O_CLOEXEC, 0600);
    assert_true(spec.io.out_fd[0] >= 0);
    assert_int_equal(reel_child_start(loop, &spec, &ops, NULL, &proc),
                     REEL_OK);
    reel_loop_run(loop);
    close(spec.io.out_fd[0]);
}


/* those that lost their parents are ours: none is left, soon */
static void
all_end(void)
{
    pid_t  pid = 0;

    for (int i = 0; i < 1000 && pid >= 0; i++) {
        pid = waitpid(-1, NULL, WNOHANG);
        if (pid == 0) {
            usleep(10000);
        }
    }

    assert_int_equal(pid, -1);
    assert_int_equal(errno, ECHILD);
}


static void
what_it_started_ends_with_its_child(void **state)
{
    (void) state;

    kill_it = true;
    run("sleep 1000 & sleep 1000 & echo '{\"progress\":1}' >&$REEL_CONTROL_FD;"
        " wait");
    assert_int_equal(how, REEL_EXIT_KILLED);
    assert_string_equal(said, "{\"progress\":1}");
    all_end();
}


static void
nothing_is_left_of_one_that_ends(void **state)
{
    (void) state;

    kill_it = false;
    run("sleep 1000 & echo yes > out/x");
    assert_int_equal(how, REEL_EXIT_DONE);
    assert_string_equal(said, "{\"file\":{\"bytes\":4},\"output\":0}");
    assert_int_equal(access(folder, F_OK), -1);
    all_end();
}


static int
setup(void **state)
{
    (void) state;

    loop = reel_loop_new();
    if (loop == NULL || mkdtemp(dir) == NULL
        || prctl(PR_SET_CHILD_SUBREAPER, 1) != 0
        || reel_children_init(loop) != REEL_OK)
    {
        return -1;
    }
    snprintf(folder, sizeof(folder), "%s/t-1-ab.d", dir);

    return 0;
}


static int
teardown(void **state)
{
    char  command[64];

    (void) state;

    reel_loop_free(loop);
    snprintf(command, sizeof(command), "rm -rf %s", dir);

    return system(command);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(what_it_started_ends_with_its_child),
        cmocka_unit_test(nothing_is_left_of_one_that_ends)
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
