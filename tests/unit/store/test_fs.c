#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/help/stores.h"
#include "tests/unit/store/suite.h"

#define MIB (1 << 20)


static unsigned  syncs;         /* since the last look */


/* instead of libc's, and the same but for the count */
int
fsync(int fd)
{
    syncs++;

    return (int) syscall(SYS_fsync, fd);
}


int
fdatasync(int fd)
{
    syncs++;

    return (int) syscall(SYS_fdatasync, fd);
}


static bool
stands(const char *below)
{
    struct stat  sb;

    return lstat(fs_path(below), &sb) == 0;
}


static void
opening(void **state)
{
    reel_error_t   e;
    reel_store_t  *s;

    (void) state;

    assert_int_equal(reel_store_fs_open("tmp", &s, &e), REEL_INVAL);
    assert_null(s);
    assert_string_equal(e.text, "store: \"tmp\" is not absolute");

    assert_int_equal(reel_store_fs_open(fs_path("no"), &s, &e),
                     REEL_NOTFOUND);
    assert_non_null(strstr(e.text, "/no\": No such file or directory"));

    assert_int_equal(put(*state, "file", "x"), REEL_OK);
    assert_int_equal(reel_store_fs_open(fs_path("file"), &s, NULL),
                     REEL_INVAL);

    /* the root itself may be a link */
    assert_int_equal(symlink(fs_root, fs_path("link")), 0);
    assert_int_equal(reel_store_fs_open(fs_path("link"), &s, &e), REEL_OK);
    assert_object(s, "file", "x");
    assert_string_equal(s->ops->name, "fs");
    reel_store_close(s);
}


static void
modes(void **state)
{
    mode_t             old;
    struct stat        sb;
    reel_multipart_t  *m;

    old = umask(002);
    assert_int_equal(put(*state, "a/b/c", "x"), REEL_OK);
    assert_int_equal(reel_store_replace(*state, "a/b/d", "x", 1), REEL_OK);
    assert_int_equal(reel_multipart_create(*state, "a/m", 0, &m), REEL_OK);
    assert_int_equal(reel_multipart_complete(m, "a/b/e"), REEL_OK);

    (void) umask(027);
    assert_int_equal(put(*state, "a/f", "x"), REEL_OK);
    (void) umask(old);

    assert_int_equal(stat(fs_path("a"), &sb), 0);
    assert_int_equal(sb.st_mode & 07777, 0770);
    assert_int_equal(stat(fs_path("a/b/c"), &sb), 0);
    assert_int_equal(sb.st_mode & 07777, 0660);
    assert_int_equal(sb.st_nlink, 1);
    assert_int_equal(stat(fs_path("a/b/d"), &sb), 0);
    assert_int_equal(sb.st_mode & 07777, 0660);
    assert_int_equal(stat(fs_path("a/b/e"), &sb), 0);
    assert_int_equal(sb.st_mode & 07777, 0660);
    assert_int_equal(sb.st_nlink, 1);
    assert_int_equal(stat(fs_path("a/f"), &sb), 0);
    assert_int_equal(sb.st_mode & 07777, 0640);
}


/* a link in the tree leads nowhere, be it a folder's or an object's */
static void
links(void **state)
{
    char               outside[] = "/tmp/reel-outside-XXXXXX";
    char               secret[64];
    reel_buf_t         b;
    reel_store_t      *s = *state;
    reel_multipart_t  *m;
    reel_store_stat_t  st;

    assert_non_null(mkdtemp(outside));
    (void) snprintf(secret, sizeof(secret), "%s/secret", outside);
    assert_int_equal(close(open(secret, O_CREAT | O_WRONLY, 0600)), 0);

    assert_int_equal(put(s, "a/b", "x"), REEL_OK);
    assert_int_equal(symlink(outside, fs_path("dir")), 0);
    assert_int_equal(symlink(secret, fs_path("a/link")), 0);
    assert_int_equal(symlink("/nowhere", fs_path("a/dangling")), 0);

    assert_int_equal(reel_store_get(s, "dir/secret", 10, &b),
                     REEL_NOTFOUND);
    reel_buf_release(&b);
    assert_int_equal(reel_store_get(s, "a/link", 10, &b), REEL_DENIED);
    reel_buf_release(&b);
    assert_int_equal(reel_store_stat(s, "a/link", &st), REEL_DENIED);

    assert_int_equal(put(s, "dir/new", "x"), REEL_INVAL);
    assert_int_equal(reel_multipart_create(s, "dir/new", 0, &m),
                     REEL_INVAL);
    assert_int_equal(put(s, "a/link", "x"), REEL_EXISTS);
    assert_int_equal(put(s, "a/dangling", "x"), REEL_EXISTS);
    assert_int_equal(reel_multipart_create(s, "a/dangling", 0, &m),
                     REEL_EXISTS);
    assert_false(access("/nowhere", F_OK) == 0);
    assert_list(s, "", "a/");
    assert_list(s, "dir", "");
    assert_list(s, "a", "b");

    /* nor does deleting what the link names: the link goes */
    assert_int_equal(reel_store_del_tree(s, "dir", NULL), REEL_OK);
    assert_int_equal(reel_store_del(s, "dir/secret"), REEL_OK);
    assert_int_equal(reel_store_del(s, "a/link"), REEL_OK);
    assert_false(stands("a/link"));
    assert_int_equal(access(secret, F_OK), 0);

    /* it is replaced, not written through */
    assert_int_equal(reel_store_replace(s, "a/dangling", "new", 3), REEL_OK);
    assert_object(s, "a/dangling", "new");

    assert_int_equal(unlink(secret), 0);
    assert_int_equal(rmdir(outside), 0);
}


static void
other_kinds(void **state)
{
    reel_store_t       *s = *state;
    reel_object_t      *o;
    reel_store_stat_t   st;

    assert_int_equal(put(s, "a/obj", "x"), REEL_OK);
    assert_int_equal(mkfifo(fs_path("a/fifo"), 0600), 0);

    /* must not wait for a writer */
    assert_int_equal(reel_store_open(s, "a/fifo", &o), REEL_DENIED);
    assert_int_equal(reel_store_stat(s, "a/fifo", &st), REEL_DENIED);
    assert_list(s, "a", "obj");

    /* no object below another, none in place of a folder */
    assert_int_equal(put(s, "a/obj/x", "y"), REEL_INVAL);
    assert_int_equal(reel_store_replace(s, "a/obj/x", "y", 1), REEL_INVAL);
    assert_absent(s, "a/obj/x");
    assert_int_equal(put(s, "a", "y"), REEL_EXISTS);
    assert_int_equal(reel_store_replace(s, "a", "y", 1), REEL_INVAL);
    assert_list(s, "", "a/");
    assert_list(s, "a", "obj");
}


static void
empty_folders(void **state)
{
    reel_store_t      *s = *state;
    reel_multipart_t  *m;

    assert_int_equal(put(s, "top/b/c/d", "x"), REEL_OK);
    assert_int_equal(put(s, "top/b/e", "x"), REEL_OK);
    assert_int_equal(reel_store_del(s, "top/b/c/d"), REEL_OK);
    assert_false(stands("top/b/c"));
    assert_true(stands("top/b"));
    assert_int_equal(reel_store_del(s, "top/b/e"), REEL_OK);
    assert_false(stands("top/b"));

    /* the first level stays, as an operator may have made it */
    assert_true(stands("top"));
    assert_int_equal(reel_store_del(s, "top"), REEL_OK);
    assert_true(stands("top"));

    assert_int_equal(mkdir(fs_path("top/left"), 0770), 0);
    assert_int_equal(mkdir(fs_path("top/left/over"), 0770), 0);
    assert_int_equal(reel_store_del_tree(s, "top/left", NULL), REEL_OK);
    assert_false(stands("top/left"));

    assert_int_equal(reel_multipart_create(s, "top/u/data", 0, &m),
                     REEL_OK);
    assert_true(stands("top/u/data"));
    reel_multipart_abort(m);
    assert_false(stands("top/u"));

    assert_int_equal(reel_multipart_create(s, "top/u/data", 0, &m),
                     REEL_OK);
    assert_int_equal(reel_multipart_complete(m, "top/done"), REEL_OK);
    assert_false(stands("top/u"));
    assert_list(s, "top", "done");
}


/* temp files: a dead writer's is removed by list, a living one's stays */
static void
temp_files(void **state)
{
    int            fd;
    reel_store_t  *s = *state;
    static const char  dead[] = "a/b/#tmp-00112233445566778899aabbccddeeff";
    static const char  live[] = "a/b/#tmp-ffeeddccbbaa99887766554433221100";

    assert_int_equal(put(s, "a/b/c", "x"), REEL_OK);
    assert_int_equal(close(open(fs_path(dead), O_CREAT | O_WRONLY, 0660)),
                     0);
    fd = open(fs_path(live), O_CREAT | O_WRONLY, 0660);
    assert_true(fd != -1);
    assert_int_equal(flock(fd, LOCK_EX), 0);

    assert_list(s, "a/b", "c");
    assert_false(stands(dead));
    assert_true(stands(live));

    /* no key reaches it */
    assert_int_equal(reel_store_del(s, live), REEL_INVAL);

    assert_int_equal(close(fd), 0);
    assert_int_equal(reel_store_del_tree(s, "a/b", NULL), REEL_OK);
    assert_false(stands("a/b"));
}


/* neither a put nor a replace leaves a temp file, whatever the outcome */
static void
nothing_left(void **state)
{
    reel_store_t  *s = *state;

    assert_int_equal(put(s, "t/x/k", "1"), REEL_OK);
    assert_int_equal(put(s, "t/x/k", "2"), REEL_EXISTS);
    assert_int_equal(reel_store_replace(s, "t/x/k", "3", 1), REEL_OK);
    assert_int_equal(put(s, "t/y/deep", "1"), REEL_OK);
    assert_int_equal(reel_store_replace(s, "t/y", "3", 1), REEL_INVAL);
    assert_int_equal(reel_store_del(s, "t/y/deep"), REEL_OK);
    assert_int_equal(reel_store_del(s, "t/x/k"), REEL_OK);

    /* rmdir fails on whatever is there */
    assert_false(stands("t/x"));
    assert_int_equal(rmdir(fs_path("t")), 0);
}


/* a writer killed in the middle leaves its staging key, and no object */
static void
crash(void **state)
{
    int                status;
    pid_t              pid;
    reel_buf_t         b;
    reel_store_t      *s = *state;
    reel_multipart_t  *m;

    pid = fork();
    assert_true(pid != -1);

    if (pid == 0) {
        if (reel_multipart_create(s, "up/1/data", 100, &m) != REEL_OK
            || reel_multipart_write(m, 0, "half", 4) != REEL_OK
            || reel_multipart_sync(m) != REEL_OK)
        {
            _exit(1);
        }

        (void) kill(getpid(), SIGKILL);
    }

    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);

    assert_int_equal(reel_multipart_create(s, "up/1/data", 0, &m),
                     REEL_EXISTS);
    assert_list(s, "up", "1/");
    assert_list(s, "up/1", "data");

    /* what was synced is there, and no byte that was only set aside */
    assert_int_equal(reel_store_get(s, "up/1/data", 100, &b), REEL_OK);
    assert_int_equal(b.len, 4);
    assert_memory_equal(b.data, "half", 4);
    reel_buf_release(&b);

    assert_int_equal(reel_store_del_tree(s, "up/1", NULL), REEL_OK);
    assert_int_equal(reel_multipart_create(s, "up/1/data", 0, &m), REEL_OK);
    reel_multipart_abort(m);
}


static void
preallocation(void **state)
{
    int                fd;
    char               probe[600];
    struct stat        sb;
    reel_store_t      *s = *state;
    reel_multipart_t  *m;

    (void) snprintf(probe, sizeof(probe), "%s", fs_path("probe"));
    fd = open(probe, O_CREAT | O_RDWR, 0600);
    assert_true(fd != -1);

    if (fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, MIB) == -1) {
        (void) close(fd);
        print_message("skipped: preallocation: fallocate in %s: %s\n",
                      fs_root, strerror(errno));
        skip();
    }

    assert_int_equal(close(fd), 0);

    assert_int_equal(reel_multipart_create(s, "u/1", 8 * MIB, &m), REEL_OK);
    assert_true(m->fd != -1);
    assert_int_equal(fstat(m->fd, &sb), 0);
    assert_int_equal(sb.st_size, 0);
    assert_true(sb.st_blocks * 512 >= 8 * MIB);

    /* what was too much is given back */
    assert_int_equal(reel_multipart_write(m, 0, "abc", 3), REEL_OK);
    assert_int_equal(reel_multipart_complete(m, "k"), REEL_OK);
    assert_int_equal(stat(fs_path("k"), &sb), 0);
    assert_int_equal(sb.st_size, 3);
    assert_true(sb.st_blocks * 512 < MIB);
}


/* a process of its own may write no more than 64 KiB into a file */
static int
limited(reel_store_t *s)
{
    static char        data[MIB];
    reel_err_t         err;
    struct rlimit      rl = { 64 << 10, 64 << 10 };
    reel_multipart_t  *m;

    (void) signal(SIGXFSZ, SIG_IGN);

    if (setrlimit(RLIMIT_FSIZE, &rl) == -1) {
        return 1;
    }

    if (reel_store_put_if_absent(s, "a/b/big", data, sizeof(data))
        != REEL_NOSPACE)
    {
        return 2;
    }

    if (reel_store_replace(s, "a/old", data, sizeof(data)) != REEL_NOSPACE) {
        return 3;
    }

    /* either may tell: setting aside, or writing */
    err = reel_multipart_create(s, "u/1", sizeof(data), &m);

    if (err == REEL_OK) {
        err = reel_multipart_write(m, 0, data, sizeof(data));
        reel_multipart_abort(m);
    }

    return err == REEL_NOSPACE ? 0 : 4;
}


static void
file_limit(void **state)
{
    int            status;
    pid_t          pid;
    reel_store_t  *s = *state;

    assert_int_equal(put(s, "a/old", "old"), REEL_OK);

    pid = fork();
    assert_true(pid != -1);

    if (pid == 0) {
        _exit(limited(s));
    }

    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);

    assert_absent(s, "a/b/big");
    assert_object(s, "a/old", "old");
    assert_list(s, "a/b", "");
    assert_list(s, "u", "");
}


/* on a medium of 1 MiB, which takes no 2 */
static void
full_medium(void **state)
{
    char              *data;
    reel_error_t       e;
    reel_store_t      *s;
    reel_multipart_t  *m;

    (void) state;

    assert_int_equal(mkdir(fs_path("small"), 0700), 0);

    if (mount("reel-test", fs_path("small"), "tmpfs", 0,
              "size=1m,mode=0700") == -1)
    {
        print_message("skipped: full_medium: mount tmpfs: %s\n",
                      strerror(errno));
        skip();
    }

    data = calloc(2, MIB);
    assert_non_null(data);
    assert_int_equal(reel_store_fs_open(fs_path("small"), &s, &e), REEL_OK);
    assert_int_equal(put(s, "a/old", "old"), REEL_OK);

    /* it shows before a byte was written, and nothing stays behind */
    assert_int_equal(reel_multipart_create(s, "u/1", 2 * MIB, &m),
                     REEL_NOSPACE);
    assert_null(m);
    assert_absent(s, "u/1");

    assert_int_equal(reel_store_put_if_absent(s, "a/k", data, 2 * MIB),
                     REEL_NOSPACE);
    assert_int_equal(reel_store_replace(s, "a/old", data, 2 * MIB),
                     REEL_NOSPACE);
    assert_object(s, "a/old", "old");
    assert_list(s, "a", "old");

    assert_int_equal(reel_multipart_create(s, "u/1", 0, &m), REEL_OK);
    assert_int_equal(reel_multipart_write(m, 0, data, 2 * MIB),
                     REEL_NOSPACE);
    reel_multipart_abort(m);

    /* all of it was given back */
    assert_int_equal(reel_multipart_create(s, "u/1", MIB / 2, &m), REEL_OK);
    assert_int_equal(reel_multipart_write(m, 0, data, MIB / 2), REEL_OK);
    assert_int_equal(reel_multipart_complete(m, "a/half"), REEL_OK);

    reel_store_close(s);
    free(data);
    assert_int_equal(umount(fs_path("small")), 0);
}


/* also when an assertion ended the test before it */
static int
unmount_teardown(void **state)
{
    (void) umount2(fs_path("small"), MNT_DETACH);

    return store_teardown(state);
}


static void
permission(void **state)
{
    reel_buf_t     b;
    reel_store_t  *s = *state;

    assert_int_equal(put(s, "a/k", "x"), REEL_OK);

    if (geteuid() == 0 && seteuid(65534) == -1) {
        print_message("skipped: permission: seteuid: %s\n",
                      strerror(errno));
        skip();
    }

    if (getuid() != 0) {
        assert_int_equal(chmod(fs_path("a"), 0), 0);
    }

    assert_int_equal(reel_store_get(s, "a/k", 10, &b), REEL_DENIED);
    reel_buf_release(&b);
    assert_int_equal(put(s, "a/l", "x"), REEL_DENIED);
    assert_int_equal(reel_store_del(s, "a/k"), REEL_DENIED);

    if (getuid() == 0) {
        assert_int_equal(seteuid(0), 0);

    } else {
        assert_int_equal(chmod(fs_path("a"), 0700), 0);
    }

    assert_object(s, "a/k", "x");
}


/* all that changes a store, in one of its two forms */
static unsigned
syncs_of(reel_store_t *s)
{
    reel_multipart_t  *m;

    syncs = 0;

    assert_int_equal(put(s, "a/b/new", "x"), REEL_OK);
    assert_int_equal(put(s, "a/b/new", "y"), REEL_EXISTS);
    assert_int_equal(reel_store_replace(s, "a/b/new", "z", 1), REEL_OK);

    assert_int_equal(reel_multipart_create(s, "up/1/data", 5, &m), REEL_OK);
    assert_int_equal(reel_multipart_write(m, 0, "hello", 5), REEL_OK);
    assert_int_equal(reel_multipart_sync(m), REEL_OK);
    assert_int_equal(reel_multipart_complete(m, "a/c/source"), REEL_OK);

    assert_object(s, "a/b/new", "z");
    assert_object(s, "a/c/source", "hello");
    assert_int_equal(reel_store_del(s, "a/b/new"), REEL_OK);
    assert_int_equal(reel_store_del_tree(s, "a/c", NULL), REEL_OK);
    assert_absent(s, "a/c/source");

    return syncs;
}


static void
unsynced(void **state)
{
    reel_store_t  *s = *state, *fast = reel_store_fs_unsynced(s);

    assert_ptr_equal(reel_store_fs_unsynced(fast), fast);

    /* new folders, objects and their names, the staged one and its names */
    assert_in_range(syncs_of(s), 12, 24);
    assert_int_equal(syncs_of(fast), 0);
    assert_in_range(syncs_of(s), 12, 24);
}


int
main(void)
{
    int  failed;
#define TEST(f) cmocka_unit_test_setup_teardown(f, fs_setup, store_teardown)
    const struct CMUnitTest  tests[] = {
        TEST(opening),
        TEST(modes),
        TEST(links),
        TEST(other_kinds),
        TEST(empty_folders),
        TEST(temp_files),
        TEST(nothing_left),
        TEST(crash),
        TEST(preallocation),
        TEST(file_limit),
        cmocka_unit_test_setup_teardown(full_medium, fs_setup,
                                        unmount_teardown),
        TEST(permission),
        TEST(unsynced),
    };

    failed = store_suite_run("fs", fs_setup, store_teardown);
    failed += store_suite_staged("fs, staged", fs_setup, store_teardown);

    return failed + cmocka_run_group_tests_name("fs itself", tests, NULL,
                                                NULL);
}
