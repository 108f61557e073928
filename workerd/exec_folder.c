#include "workerd/exec_folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SUFFIX ".d"


/* 0 when it is gone, or why not */
static int
drop(int dir, const char *name)
{
    if (unlinkat(dir, name, 0) == 0 || errno == ENOENT) {
        return 0;
    }

    return unlinkat(dir, name, AT_REMOVEDIR) == 0 ? 0 : errno;
}


/* a folder that may be listed and emptied, whatever its mode was; no link */
static DIR *
open_folder(int at, const char *name)
{
    int  fd;
    DIR *d;

    (void) fchmodat(at, name, 0700, AT_SYMLINK_NOFOLLOW);

    fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) {
        return NULL;
    }

    d = fdopendir(fd);
    if (d == NULL) {
        close(fd);
    }

    return d;
}


static struct dirent *
next(DIR *d)
{
    struct dirent  *e;

    do {
        e = readdir(d);
    } while (e != NULL && (strcmp(e->d_name, ".") == 0
                           || strcmp(e->d_name, "..") == 0));

    return e;
}


/* a folder of root's folder `from` becomes one of root's, by a free name */
static bool
lift(int root, int from, const char *name)
{
    char             to[32];
    static unsigned  number;

    (void) fchmodat(from, name, 0700, AT_SYMLINK_NOFOLLOW);

    do {
        snprintf(to, sizeof(to), "lifted-%u", number++);
        if (renameat(from, name, root, to) == 0) {
            return true;
        }
    } while (errno == EEXIST || errno == ENOTEMPTY || errno == ENOTDIR);

    return false;
}


/* false: nothing of it could be done */
static bool
empty(int root, const char *name)
{
    DIR            *d = open_folder(root, name);
    bool            done = false;
    struct dirent  *e;

    if (d == NULL) {
        return false;
    }

    while ((e = next(d)) != NULL) {
        done |= drop(dirfd(d), e->d_name) == 0
                || lift(root, dirfd(d), e->d_name);
    }

    closedir(d);

    return drop(root, name) == 0 || done;
}


/*
 * A program's folders may be deeper than descriptors, the stack or a path
 * last: those two levels down are lifted by one, until all is flat.
 */
static void
del(int job, const char *name)
{
    DIR            *d = open_folder(job, name);
    bool            again = d != NULL;
    struct dirent  *e;

    while (again) {
        again = false;
        rewinddir(d);

        while ((e = next(d)) != NULL) {
            again |= drop(dirfd(d), e->d_name) == 0
                     || empty(dirfd(d), e->d_name);
        }
    }

    if (d != NULL) {
        closedir(d);
        (void) drop(job, name);
    }
}


/* <task>-<fence>-<nonce>.d; a task "a" has none of those of a task "a-7" */
static bool
is_of(const char *name, const char *task)
{
    size_t       n = strlen(name), len = task == NULL ? 0 : strlen(task);
    const char  *token;

    if (n < sizeof(SUFFIX)
        || strcmp(name + n - (sizeof(SUFFIX) - 1), SUFFIX) != 0)
    {
        return false;
    }

    if (task == NULL) {
        return true;
    }

    if (n <= len || strncmp(name, task, len) != 0 || name[len] != '-') {
        return false;
    }

    token = name + len + 1;
    token += strspn(token, "0123456789");

    return *token == '-' && strchr(token + 1, '-') == NULL;
}


void
reel_exec_folders_del(const char *job, const char *task)
{
    DIR            *d = opendir(job);
    struct dirent  *e;

    while (d != NULL && (e = next(d)) != NULL) {
        if (is_of(e->d_name, task)) {
            del(dirfd(d), e->d_name);
        }
    }

    if (d != NULL) {
        closedir(d);
    }
}
