#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "workerd/child.h"

static reel_loop_t  *loop;
static reel_proc_t  *proc;

typedef struct {
    char         lines[65536];
    size_t       longest;
    unsigned     nlines;
    reel_exit_t  how;
    int          detail;
    uint64_t     cpu_ms;
    char         tail[REEL_CHILD_TAIL + 1];
    size_t       tail_len;
} seen_t;

static seen_t  seen;


static void
on_line(void *arg, const char *line, size_t len)
{
    size_t  at = strlen(seen.lines);

    (void) arg;

    assert_int_equal(strlen(line), len);
    seen.nlines++;
    seen.longest = len > seen.longest ? len : seen.longest;
    if (at + len + 2 < sizeof(seen.lines)) {
        snprintf(seen.lines + at, sizeof(seen.lines) - at, "%s\n", line);
    }
}


static void
on_exited(void *arg, reel_exit_t how, int detail, const char *tail,
    size_t tail_len)
{
    (void) arg;

    seen.how = how;
    seen.detail = detail;
    seen.cpu_ms = reel_child_cpu_ms(proc);
    seen.tail_len = tail_len;
    memcpy(seen.tail, tail, tail_len);
    seen.tail[tail_len] = '\0';
    reel_loop_stop(loop);
}


static const reel_child_ops_t ops = { on_line, on_exited };


static reel_proc_t *
start(reel_child_main_fn fn, reel_child_spec_t spec)
{
    memset(&seen, 0, sizeof(seen));
    spec.main = fn;
    if (spec.limits.output_bytes == 0) {
        spec.limits.output_bytes = 1 << 20;
    }
    if (spec.io.source_fd == 0) {
        spec.io.source_fd = -1;
    }

    assert_int_equal(reel_child_start(loop, &spec, &ops, NULL, &proc),
                     REEL_OK);
    assert_int_equal(reel_child_cpu_ms(proc), 0);

    return proc;
}


static void
run(reel_child_main_fn fn, reel_child_spec_t spec)
{
    (void) start(fn, spec);
    reel_loop_run(loop);
}


static int
talk(reel_child_t *c, void *arg)
{
    (void) arg;

    reel_child_progress(c, 10);
    reel_child_progress(c, 10);         /* no news */
    fputs("murmur\n", stderr);
    puts("to stdout");
    fflush(stdout);

    return reel_child_image(c, 1, 2, 3, 4) == REEL_OK ? 0 : 9;
}


static void
lines_and_stderr_arrive(void **state)
{
    (void) state;

    run(talk, (reel_child_spec_t) { 0 });

    assert_int_equal(seen.how, REEL_EXIT_DONE);
    assert_string_equal(seen.lines, "{\"progress\":10}\n{\"image\":"
        "{\"output\":1,\"width\":2,\"height\":3,\"bytes\":4}}\n");
    assert_non_null(strstr(seen.tail, "murmur\n"));
    assert_non_null(strstr(seen.tail, "to stdout\n"));
}


static int
fail_well(reel_child_t *c, void *arg)
{
    (void) arg;

    return reel_child_fail(c, false, "BAD_MEDIA", "decode", "line \"%d\"\n",
                           4);
}


static void
a_failure_is_a_line_and_a_status(void **state)
{
    (void) state;

    run(fail_well, (reel_child_spec_t) { 0 });

    assert_int_equal(seen.how, REEL_EXIT_STATUS);
    assert_int_equal(seen.detail, 1);
    assert_string_equal(seen.lines, "{\"error\":{\"class\":\"fail\",\"code\""
        ":\"BAD_MEDIA\",\"stage\":\"decode\",\"detail\":\"line \\\"4\\\""
        "\\n\"}}\n");
}


static int
chatter(reel_child_t *c, void *arg)
{
    (void) c;
    (void) arg;

    for (int i = 0; i < 5000; i++) {
        fprintf(stderr, "line %d\n", i);
    }

    return 0;
}


static void
the_end_of_stderr_is_kept(void **state)
{
    (void) state;

    run(chatter, (reel_child_spec_t) { 0 });

    assert_in_range(seen.tail_len, REEL_CHILD_TAIL / 2, REEL_CHILD_TAIL);
    assert_string_equal(seen.tail + seen.tail_len - 10, "line 4999\n");
}


static int
long_lines(reel_child_t *c, void *arg)
{
    reel_buf_t  b;

    (void) arg;

    for (int i = 0; i < 3; i++) {
        reel_buf_init(&b, REEL_CHILD_LINE_MAX);
        for (int k = 0; k < 300000; k++) {
            reel_buf_addz(&b, "0123456789");
        }
        if (reel_child_line(c, &b) != REEL_OK) {
            return 1;
        }
    }

    return 0;
}


static void
long_lines_stay_whole(void **state)
{
    (void) state;

    run(long_lines, (reel_child_spec_t) { 0 });

    assert_int_equal(seen.how, REEL_EXIT_DONE);
    assert_int_equal(seen.nlines, 3);
    assert_int_equal(seen.longest, 3000000);
}


static int
babble(reel_child_t *c, void *arg)
{
    static char  junk[1 << 16];

    (void) arg;

    memset(junk, 'x', sizeof(junk));
    while (reel_child_write(c->ctl_fd, junk, sizeof(junk)) == REEL_OK) {
        /* void */
    }

    return 0;
}


static void
an_endless_line_is_ended(void **state)
{
    (void) state;

    run(babble, (reel_child_spec_t) { 0 });

    assert_int_equal(seen.how, REEL_EXIT_BABBLE);
    assert_int_equal(seen.nlines, 0);
}


/* a line of *arg bytes between two short ones, all in one write */
static int
three_lines(reel_child_t *c, void *arg)
{
    char    text[256];
    size_t  len = *(size_t *) arg;

    memset(text, 'x', sizeof(text));
    memcpy(text, "one\n", 4);
    text[4 + len - 1] = '\n';
    memcpy(text + 4 + len, "two\n", 4);

    return reel_child_write(c->ctl_fd, text, len + 8) == REEL_OK ? 0 : 2;
}


static void
a_line_may_be_as_long_as_its_task_says(void **state)
{
    size_t             len = 100;
    reel_child_spec_t  spec = { .line_max = 100, .arg = &len };

    (void) state;

    run(three_lines, spec);
    assert_int_equal(seen.how, REEL_EXIT_DONE);
    assert_int_equal(seen.nlines, 3);
    assert_int_equal(seen.longest, 99);

    len = 101;
    run(three_lines, spec);
    assert_int_equal(seen.how, REEL_EXIT_BABBLE);
    assert_string_equal(seen.lines, "one\n");

    /* and one that never ends is not collected until 16 MiB are there */
    run(babble, spec);
    assert_int_equal(seen.how, REEL_EXIT_BABBLE);
    assert_int_equal(seen.nlines, 0);
}


static int
crash(reel_child_t *c, void *arg)
{
    (void) c;
    (void) arg;
    raise(SIGSEGV);

    return 0;
}


static int
sleep_long(reel_child_t *c, void *arg)
{
    (void) c;
    (void) arg;

    while (pause() == -1) { /* void */ }

    return 0;
}


static int
spin(reel_child_t *c, void *arg)
{
    volatile unsigned  x = 0;

    (void) c;
    (void) arg;

    while (x < UINT_MAX) {
        x = (x + 1) % 1000;
    }

    return 0;
}


static void
deaths_are_told_apart(void **state)
{
    reel_proc_t  *p;

    (void) state;

    run(crash, (reel_child_spec_t) { 0 });
    assert_int_equal(seen.how, REEL_EXIT_SIGNAL);
    assert_int_equal(seen.detail, SIGSEGV);

    run(sleep_long, (reel_child_spec_t) { .timeout_s = 1 });
    assert_int_equal(seen.how, REEL_EXIT_TIMEOUT);

    run(spin, (reel_child_spec_t) { .limits.cpu_s = 1 });
    assert_int_equal(seen.how, REEL_EXIT_TIMEOUT);
    assert_int_equal(seen.detail, SIGXCPU);
    assert_in_range(seen.cpu_ms, 200, 5000);    /* what the kernel sampled */

    p = start(sleep_long, (reel_child_spec_t) { 0 });
    assert_true(reel_child_pid(p) > 0);
    reel_child_kill(p);
    reel_loop_run(loop);
    assert_int_equal(seen.how, REEL_EXIT_KILLED);
}


/* those that it leaves behind talk on */
static int
leave_talkers(reel_child_t *c, void *arg)
{
    static char  text[4096];

    (void) arg;

    memset(text, '\n', sizeof(text));

    for (int i = 0; i < 8; i++) {
        if (fork() == 0) {
            while (write(i % 2 ? c->ctl_fd : STDERR_FILENO, text,
                         sizeof(text)) > 0)
            {
                /* until nobody listens */
            }
            _exit(0);
        }
    }

    return 0;
}


static void
an_end_is_not_put_off_by_others(void **state)
{
    (void) state;

    run(leave_talkers, (reel_child_spec_t) { 0 });
    assert_int_equal(seen.how, REEL_EXIT_DONE);
}


/* says each open descriptor, and what can be done with it */
static int
look_around(reel_child_t *c, void *arg)
{
    char           b[4] = "";
    struct rlimit  core, files, size;

    (void) arg;

    for (int fd = 0; fd < 256; fd++) {
        if (fcntl(fd, F_GETFD) >= 0) {
            fprintf(stderr, "fd %d\n", fd);
        }
    }

    if (read(c->source_fd, b, 3) != 3 || strcmp(b, "src") != 0
        || write(c->source_fd, "x", 1) >= 0 || read(0, b, 1) != 0
        || c->source_fd != 3 || c->ctl_fd != 4 || c->nout != 2
        || c->out_fd[0] != 5 || c->out_fd[1] != 6
        || write(c->out_fd[1], "two", 3) != 3
        || c->payload.len != 2)
    {
        return 2;
    }

    getrlimit(RLIMIT_CORE, &core);
    getrlimit(RLIMIT_NOFILE, &files);
    getrlimit(RLIMIT_FSIZE, &size);

    return core.rlim_max == 0 && files.rlim_max == 64
           && size.rlim_max == 1 << 20 ? 0 : 3;
}


static void
only_its_own_descriptors(void **state)
{
    int                fds[3], extra[64];
    char               text[8] = "", path[] = "/tmp/reel-child-XXXXXX";
    reel_child_spec_t  spec = { 0 };

    (void) state;

    /* those of the parent fill the numbers that the child will need */
    for (int i = 0; i < 64; i++) {
        extra[i] = dup(1);
    }

    fds[0] = mkstemp(path);
    assert_int_equal(write(fds[0], "src", 3), 3);
    close(fds[0]);
    fds[0] = open(path, O_RDONLY | O_CLOEXEC);
    fds[1] = memfd_create("one", MFD_CLOEXEC);
    fds[2] = memfd_create("two", MFD_CLOEXEC);

    spec.io.source_fd = fds[0];
    spec.io.out_fd[0] = fds[1];
    spec.io.out_fd[1] = fds[2];
    spec.io.nout = 2;
    spec.io.payload = REEL_STR("{}");
    run(look_around, spec);

    assert_int_equal(seen.how, REEL_EXIT_DONE);
    assert_string_equal(seen.tail, "fd 0\nfd 1\nfd 2\nfd 3\nfd 4\nfd 5\n"
                        "fd 6\n");
    assert_int_equal(pread(fds[2], text, 7, 0), 3);
    assert_string_equal(text, "two");

    for (int i = 0; i < 64; i++) {
        close(extra[i]);
    }
    for (int i = 0; i < 3; i++) {
        close(fds[i]);
    }
    unlink(path);
}


static int
overflow(reel_child_t *c, void *arg)
{
    static char  mib[1 << 20];

    (void) arg;

    if (reel_child_write(c->out_fd[0], mib, sizeof(mib)) != REEL_OK) {
        return 2;
    }

    /* one byte more than it may */
    return reel_child_write(c->out_fd[0], "x", 1) == REEL_IO ? 0 : 3;
}


static void
an_output_has_a_limit(void **state)
{
    reel_child_spec_t  spec = { 0 };

    (void) state;

    spec.io.out_fd[0] = memfd_create("out", MFD_CLOEXEC);
    spec.io.nout = 1;
    run(overflow, spec);
    close(spec.io.out_fd[0]);

    assert_int_equal(seen.how, REEL_EXIT_DONE);
}


static int
try_all(reel_child_t *c, void *arg)
{
    void  *p;

    (void) arg;

    if (open("/etc/passwd", O_RDONLY) >= 0 || errno != EPERM
        || access("/etc/passwd", R_OK) == 0 || rename("/a", "/b") == 0
        || kill(getppid(), 0) == 0 || dup(0) >= 0)
    {
        return 2;
    }

    p = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
             MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p != MAP_FAILED) {
        return 3;
    }

    p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
             -1, 0);
    if (p == MAP_FAILED || mprotect(p, 4096, PROT_READ | PROT_EXEC) == 0) {
        return 4;
    }

    reel_child_progress(c, 999);

    return 0;
}


static void *
return_it(void *arg)
{
    return arg;
}


/* threads are what codecs need, and all that there is */
static int
try_processes(reel_child_t *c, void *arg)
{
    void       *got = NULL;
    pid_t       pid;
    pthread_t   t;

    (void) c;

    pid = fork();
    if (pid == 0) {
        _exit(0);
    }
    if (pid > 0 || errno != EPERM) {
        return 2;
    }

    /* a process that would share our memory */
    if (syscall(SYS_clone, CLONE_VM | SIGCHLD, 0, 0, 0, 0) != -1
        || errno != EPERM
        || syscall(SYS_clone3, NULL, (size_t) 0) != -1 || errno != ENOSYS)
    {
        return 3;
    }

    if (pthread_create(&t, NULL, return_it, &arg) != 0
        || pthread_join(t, &got) != 0 || got != &arg)
    {
        return 4;
    }

    return 0;
}


static void
a_confined_child_has_threads_and_no_processes(void **state)
{
    reel_child_spec_t  spec = { .confined = true };

    (void) state;

    run(try_processes, spec);
    assert_int_equal(seen.how, REEL_EXIT_DONE);
}


static void *
wait_on(void *arg)
{
    while (pause() == -1) { /* void */ }

    return arg;
}


/* as a user that has no other threads: root is not bound */
static int
bomb(reel_child_t *c, void *arg)
{
    int             rc = 0;
    rlim_t          n;
    pthread_t       t;
    struct rlimit   rl;
    pthread_attr_t  attr;

    (void) c;

    if ((geteuid() == 0 && setresuid(64123, 64123, 64123) != 0)
        || getrlimit(RLIMIT_NPROC, &rl) != 0 || rl.rlim_cur != rl.rlim_max
        || rl.rlim_max >= *(rlim_t *) arg
        || pthread_attr_init(&attr) != 0
        || pthread_attr_setstacksize(&attr, 65536) != 0)
    {
        return 2;
    }

    for (n = 0; rc == 0 && n < rl.rlim_max + 10; n++) {
        rc = pthread_create(&t, &attr, wait_on, NULL);
    }

    fprintf(stderr, "%llu threads: %s\n", (unsigned long long) n,
            strerror(rc));

    return rc == EAGAIN && n <= rl.rlim_max ? 0 : 3;
}


static void
threads_have_a_limit(void **state)
{
    struct rlimit      ours;
    reel_child_spec_t  spec = { .limits.threads = 8,
                                .arg = &ours.rlim_max };

    (void) state;

    assert_int_equal(getrlimit(RLIMIT_NPROC, &ours), 0);
    run(bomb, spec);
    if (seen.how != REEL_EXIT_DONE) {
        fail_msg("%d: %s", seen.detail, seen.tail);
    }
}


/* it would pass by RLIMIT_FSIZE, and take a medium's blocks for itself */
static int
try_fallocate(reel_child_t *c, void *arg)
{
    struct stat  st;

    (void) arg;

    if (fallocate(c->out_fd[0], FALLOC_FL_KEEP_SIZE, 0, 16 << 20) == 0
        || errno != EPERM
        || fallocate(c->out_fd[0], 0, 0, 4096) == 0 || errno != EPERM
        || fstat(c->out_fd[0], &st) != 0 || st.st_blocks != 0)
    {
        return 2;
    }

    /* what an output needs instead */
    return reel_child_write(c->out_fd[0], "x", 1) == REEL_OK
           && ftruncate(c->out_fd[0], 0) == 0 ? 0 : 3;
}


static void
a_confined_child_cannot_reserve(void **state)
{
    reel_child_spec_t  spec = { .confined = true };

    (void) state;

    spec.io.out_fd[0] = memfd_create("out", MFD_CLOEXEC);
    spec.io.nout = 1;
    run(try_fallocate, spec);
    close(spec.io.out_fd[0]);

    assert_int_equal(seen.how, REEL_EXIT_DONE);
}


static int
try_socket(reel_child_t *c, void *arg)
{
    (void) c;
    (void) arg;

    return socket(AF_INET, SOCK_DGRAM, 0) >= 0 ? 2 : 3;
}


static int
try_exec(reel_child_t *c, void *arg)
{
    (void) c;
    (void) arg;
    execl("/bin/true", "true", (char *) NULL);

    return 3;
}


static void
a_confined_child_reaches_nothing(void **state)
{
    reel_child_spec_t  spec = { .confined = true };

    (void) state;

    run(try_all, spec);
    assert_int_equal(seen.how, REEL_EXIT_DONE);
    assert_string_equal(seen.lines, "{\"progress\":999}\n");

    run(try_socket, spec);
    assert_int_equal(seen.how, REEL_EXIT_SIGNAL);
    assert_int_equal(seen.detail, SIGSYS);

    run(try_exec, spec);
    assert_int_equal(seen.how, REEL_EXIT_SIGNAL);
    assert_int_equal(seen.detail, SIGSYS);
}


static void
the_probe_agrees(void **state)
{
    reel_paths_t  paths;

    (void) state;

    assert_int_equal(reel_sandbox_probe(&paths), REEL_OK);
    assert_int_not_equal(paths, REEL_PATHS_OPEN);
}


/* the second layer alone, without the filter: what was open goes on */
static int
try_paths(reel_child_t *c, void *arg)
{
    char          buf[4];
    reel_err_t  (*hide)(void) = *(reel_err_t (**)(void)) arg;

    if (hide() != REEL_OK) {
        return 77;
    }

    if (open("/etc/passwd", O_RDONLY) >= 0 || open("/etc", O_RDONLY) >= 0
        || open("/tmp/x", O_WRONLY | O_CREAT, 0600) >= 0
        || rename("/etc/hostname", "/etc/x") == 0
        || execl("/bin/true", "true", (char *) NULL) == 0)
    {
        return 2;
    }

    if (pread(c->source_fd, buf, 4, 0) != 4 || memcmp(buf, "film", 4) != 0) {
        return 3;
    }

    return reel_child_write(c->out_fd[0], "x", 1) == REEL_OK
           && ftruncate(c->out_fd[0], 0) == 0 ? 0 : 4;
}


static void
layer(reel_err_t (*hide)(void))
{
    reel_child_spec_t  spec = { .arg = &hide };

    spec.io.source_fd = memfd_create("source", MFD_CLOEXEC);
    assert_int_equal(write(spec.io.source_fd, "film", 4), 4);
    spec.io.out_fd[0] = memfd_create("out", MFD_CLOEXEC);
    spec.io.nout = 1;

    run(try_paths, spec);
    close(spec.io.source_fd);
    close(spec.io.out_fd[0]);

    if (seen.how == REEL_EXIT_STATUS && seen.detail == 77) {
        skip();
    }

    if (seen.how != REEL_EXIT_DONE) {
        fail_msg("%d: %s", seen.detail, seen.tail);
    }
}


static void
landlock_leaves_descriptors_alone(void **state)
{
    (void) state;
    layer(reel_sandbox_landlock);
}


static void
namespaces_leave_descriptors_alone(void **state)
{
    (void) state;
    layer(reel_sandbox_namespaces);
}


static int
setup(void **state)
{
    (void) state;

    loop = reel_loop_new();

    return loop == NULL || reel_children_init(loop) != REEL_OK;
}


static int
teardown(void **state)
{
    (void) state;
    reel_loop_free(loop);

    return 0;
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(lines_and_stderr_arrive),
        cmocka_unit_test(a_failure_is_a_line_and_a_status),
        cmocka_unit_test(the_end_of_stderr_is_kept),
        cmocka_unit_test(long_lines_stay_whole),
        cmocka_unit_test(an_endless_line_is_ended),
        cmocka_unit_test(a_line_may_be_as_long_as_its_task_says),
        cmocka_unit_test(deaths_are_told_apart),
        cmocka_unit_test(an_end_is_not_put_off_by_others),
        cmocka_unit_test(only_its_own_descriptors),
        cmocka_unit_test(an_output_has_a_limit),
        cmocka_unit_test(a_confined_child_reaches_nothing),
        cmocka_unit_test(a_confined_child_cannot_reserve),
        cmocka_unit_test(a_confined_child_has_threads_and_no_processes),
        cmocka_unit_test(threads_have_a_limit),
        cmocka_unit_test(the_probe_agrees),
        cmocka_unit_test(landlock_leaves_descriptors_alone),
        cmocka_unit_test(namespaces_leave_descriptors_alone)
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
