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
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "workerd/child.h"
#include "workerd/exec_folder.h"
#include "workerd/exec_run.h"

#define TEXT_MAX 512

static reel_loop_t  *loop;
static reel_proc_t  *proc;
static char          dir[] = "/tmp/reel-exec-XXXXXX";
static char          folder[64];
static char          said[TEXT_MAX];
static reel_exit_t   how;
static bool          kill_it;           /* at its first line */
static bool          spaces;            /* namespaces are to be had */
static uint64_t      folder_most = UINT64_MAX;
static uint32_t      tasks_most = 1000;

/* an input, if it has a path */
static reel_exec_file_t  input = { .name = "source" };


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
    return spaces || forbid_namespaces() ? reel_exec_run(c, arg) : 9;
}


/* sh runs the script, which makes out/x */
static void
run(const char *script)
{
    static reel_exec_t   t;
    reel_exec_run_t      r = {
        .task = &t, .folder = folder, .asset = "a", .job = "j", .name = "t",
        .files = &input, .nfiles = input.path != NULL, .best_effort = true,
        .folder_most = folder_most, .tasks_most = tasks_most
    };
    reel_child_spec_t    spec = {
        .main = run_in_child, .arg = &r,
        .io = { .source_fd = -1, .nout = 1 },
        .limits = { .output_bytes = 1 << 20, .files = 256 }
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


/* what daemons do to be rid of their parents */
static void
nothing_of_it_goes_away(void **state)
{
    static const char  script[] =
        "(sleep 1000 &); setsid sleep 1000 & (setsid sleep 1000 &);"
        " (trap '' HUP TERM; sleep 1000 & sleep 1000 &);"
        " python3 -c 'import os, time\n"
        "if os.fork(): os._exit(0)\n"
        "try: os.setsid()\n"
        "except PermissionError: pass\n"
        "if os.fork(): os._exit(0)\n"
        "time.sleep(1000)';"
        " echo '{\"progress\":1}' >&$REEL_CONTROL_FD; %s";
    char               whole[REEL_EXEC_COMMAND - 20];

    (void) state;

    for (int i = 0; i < 4; i++) {
        spaces = i & 1;
        kill_it = i & 2;
        snprintf(whole, sizeof(whole), script,
                 kill_it ? "wait; sleep 1000" : "echo > out/x");
        run(whole);
        assert_int_equal(how, kill_it ? REEL_EXIT_KILLED : REEL_EXIT_DONE);
        all_end();
    }

    spaces = kill_it = false;
}


/* Python's pools have semaphores there; what others have there is not seen */
static void
shared_memory_is_its_own(void **state)
{
    char  name[64], script[512];
    int   fd;

    (void) state;

    snprintf(name, sizeof(name), "/dev/shm/reel-test-%d", (int) getpid());
    fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    close(fd);

    /* files of a megabyte, the most that this program may write */
    snprintf(script, sizeof(script), "fill() { for i; do head -c 1000000 "
             "/dev/zero > /dev/shm/$i || return 1; done; };"
             " python3 -c 'import multiprocessing as m"
             "\nassert m.Pool(2).map(abs, [-1, -2]) == [1, 2]' && [ ! -e %s ]"
             " && fill $(seq 60) && ! fill $(seq 61 80) && echo > out/x",
             name);
    spaces = true;
    run(script);
    spaces = false;

    assert_int_equal(access(name, F_OK), 0);
    (void) unlink(name);
    assert_int_equal(how, REEL_EXIT_DONE);
    all_end();
}


static void
too_many_processes_end_it(void **state)
{
    static const char *const  scripts[] = {
        "for i in $(seq 60); do sleep 1000 & done; wait",
        "for i in $(seq 60); do (sleep 1000 &); done; sleep 1000",
        "python3 -c 'import threading, time\n"
        "for i in range(60):\n"
        " threading.Thread(target=time.sleep, args=(1000,)).start()'"
    };

    (void) state;

    tasks_most = 40;

    for (size_t i = 0; i < 6; i++) {
        spaces = i & 1;
        run(scripts[i / 2]);
        assert_int_equal(how, REEL_EXIT_STATUS);
        assert_non_null(strstr(said, "\"code\":\"BAD_PIPELINE\""));
        assert_non_null(strstr(said, "more than 40 processes and threads"));
        all_end();
    }

    /* those that have ended do not count, also without a parent: cat ends
       when the other has */
    spaces = false;
    run("for i in $(seq 100); do (true &) | cat; done; echo > out/x");
    assert_int_equal(how, REEL_EXIT_DONE);
    all_end();

    tasks_most = 1000;
}


/* not the pipeline's fault */
static void
an_input_that_is_gone_is_tried_again(void **state)
{
    (void) state;

    kill_it = false;
    input.path = (char *) "/tmp/reel-exec-no/such";
    run("exit 0");
    input.path = NULL;

    assert_int_equal(how, REEL_EXIT_STATUS);
    if (strstr(said, "no landlock") == NULL) {
        assert_non_null(strstr(said, "\"retry\",\"code\":\"IO\""));
    }
}


static void
touch(int at, const char *path)
{
    int  fd = openat(at, path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

    assert_true(fd >= 0);
    close(fd);
}


/* what a program may leave: links, pipes, odd names, modes, any depth */
static void
fill(const char *name)
{
    int   at, next;
    char  path[128];

    snprintf(path, sizeof(path), "%s/%s", dir, name);
    assert_int_equal(mkdir(path, 0700), 0);
    at = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_true(at >= 0);
    assert_int_equal(symlinkat("../../keep", at, "link"), 0);
    assert_int_equal(symlinkat("..", at, "up"), 0);
    assert_int_equal(mkfifoat(at, "pipe", 0600), 0);
    touch(at, ".odd \\ \n");
    assert_int_equal(mkdirat(at, "shut", 0700), 0);
    touch(at, "shut/x");
    assert_int_equal(fchmodat(at, "shut", 0, 0), 0);

    for (int i = 0; i < 200; i++) {
        assert_int_equal(mkdirat(at, "deep", 0700), 0);
        touch(at, "x");
        next = openat(at, "deep", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        assert_true(next >= 0);
        close(at);
        at = next;
    }
    close(at);
}


static bool
stands(const char *name)
{
    char  path[128];

    snprintf(path, sizeof(path), "%s/%s", dir, name);

    return access(path, F_OK) == 0;
}


static void
folders_of_killed_tries_go(void **state)
{
    int  at = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    (void) state;

    touch(at, "keep");
    touch(at, "t.json");
    close(at);
    fill("t-7-0123456789abcdef.d");
    fill("t-7-7-0123456789abcdef.d");   /* the task t-7 */
    fill("tt-7-0123456789abcdef.d");

    kill_it = false;
    run("echo yes > out/x");
    assert_int_equal(how, REEL_EXIT_DONE);
    assert_false(stands("t-7-0123456789abcdef.d"));
    assert_true(stands("t-7-7-0123456789abcdef.d"));
    assert_true(stands("tt-7-0123456789abcdef.d"));

    /* all of a job's, as they are swept */
    reel_exec_folders_del(dir, NULL);
    assert_false(stands("t-7-7-0123456789abcdef.d"));
    assert_false(stands("tt-7-0123456789abcdef.d"));
    assert_true(stands("keep"));
    assert_true(stands("t.json"));
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


static void
too_much_in_its_folder_ends_it(void **state)
{
    (void) state;

    kill_it = false;
    folder_most = 4 << 20;

    /* while it runs: in files each of which it may write, in a folder that
       nobody may list; it would never end */
    run("mkdir -m 300 tmp/a; for i in 1 2 3 4 5 6 7 8; do"
        " head -c 900000 /dev/zero > tmp/a/$i; done; sleep 1000");
    assert_int_equal(how, REEL_EXIT_STATUS);
    assert_non_null(strstr(said, "\"code\":\"BAD_PIPELINE\""));
    assert_non_null(strstr(said, "more than 4 MiB"));
    assert_int_equal(access(folder, F_OK), -1);
    all_end();

    /* one that has ended before anybody looked */
    run("for i in 1 2 3 4 5 6 7 8; do head -c 900000 /dev/zero > tmp/$i;"
        " done; echo > out/x");
    assert_int_equal(how, REEL_EXIT_STATUS);
    assert_non_null(strstr(said, "more than 4 MiB"));

    /* what it may have, whatever the number of its names */
    run("head -c 900000 /dev/zero > tmp/x; for i in 1 2 3 4 5 6 7 8; do"
        " ln tmp/x tmp/$i; done; head -c 900000 /dev/zero > tmp/y;"
        " echo > out/x");
    assert_int_equal(how, REEL_EXIT_DONE);

    folder_most = UINT64_MAX;
}


static void
it_stands_behind_the_daemon(void **state)
{
    int   want = getpriority(PRIO_PROCESS, 0) + 5;
    char  script[64];

    (void) state;

    snprintf(script, sizeof(script), "[ $(nice) = %d ] && echo > out/x",
             want > 19 ? 19 : want);
    run(script);
    assert_int_equal(how, REEL_EXIT_DONE);
    all_end();
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(what_it_started_ends_with_its_child),
        cmocka_unit_test(nothing_is_left_of_one_that_ends),
        cmocka_unit_test(nothing_of_it_goes_away),
        cmocka_unit_test(shared_memory_is_its_own),
        cmocka_unit_test(too_many_processes_end_it),
        cmocka_unit_test(it_stands_behind_the_daemon),
        cmocka_unit_test(too_much_in_its_folder_ends_it),
        cmocka_unit_test(an_input_that_is_gone_is_tried_again),
        cmocka_unit_test(folders_of_killed_tries_go)
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
