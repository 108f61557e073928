/*
 * What --resume needs, in $XDG_STATE_HOME/reel/uploads/<hash>.json.  Nothing
 * in it is secret: neither key nor presigned URL.
 *
 * The file is replaced as a whole, and locked by who uploads, so that two of
 * them do not send the same parts.  The new file is locked before it takes
 * the name: there is no moment without a lock.
 */

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/hex.h"
#include "lib/crypt/digest.h"
#include "reelctl/progress.h"
#include "reelctl/upload.h"


#define VERSION   1


/* "<state home>/reel/uploads/", made when it is not there */
static bool
folder(reel_buf_t *b)
{
    char        *z;
    size_t       i;
    const char  *home;

    home = getenv("XDG_STATE_HOME");

    if (home != NULL && home[0] == '/') {
        reel_buf_addz(b, home);

    } else {
        home = getenv("HOME");

        if (home == NULL || home[0] != '/') {
            return false;
        }

        reel_buf_addz(b, home);
        reel_buf_addz(b, "/.local/state");
    }

    reel_buf_addz(b, "/reel/uploads/");

    if (reel_buf_err(b) != REEL_OK) {
        return false;
    }

    z = (char *) b->data;

    for (i = 1; i < b->len; i++) {
        if (z[i] == '/') {
            z[i] = '\0';
            (void) mkdir(z, 0700);
            z[i] = '/';
        }
    }

    return true;
}


/* locks the file that has the name, not one that just lost it */
static void
lock(reel_ctl_state_t *s)
{
    struct stat  st;

    while (s->fd == -1 && !s->busy) {
        s->fd = open(s->path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);

        if (s->fd == -1) {
            return;
        }

        if (flock(s->fd, LOCK_EX | LOCK_NB) != 0) {
            s->busy = errno == EWOULDBLOCK;

        } else if (fstat(s->fd, &st) == 0 && st.st_nlink != 0) {
            return;
        }

        (void) close(s->fd);
        s->fd = -1;
    }
}


void
reel_ctl_state_open(reel_ctl_state_t *s, const reel_buf_t *identity)
{
    char        name[2 * REEL_SHA256_LEN + 1];
    FILE       *f;
    uint8_t     raw[REEL_SHA256_LEN];
    reel_buf_t  path;

    *s = (reel_ctl_state_t) { .fd = -1 };
    reel_buf_init(&path, 4096);

    if (reel_buf_err(identity) != REEL_OK
        || reel_sha256(raw, identity->data, identity->len) != REEL_OK
        || !folder(&path))
    {
        reel_buf_release(&path);
        return;
    }

    reel_hex(name, raw, sizeof(raw) / 2);
    reel_buf_addz(&path, name);
    reel_buf_addz(&path, ".json");
    s->path = reel_buf_take(&path, NULL);

    if (s->path == NULL) {
        return;
    }

    lock(s);

    if (s->fd != -1) {
        f = fdopen(dup(s->fd), "r");

        if (f != NULL) {
            s->was = json_loadf(f, JSON_REJECT_DUPLICATES, NULL);
            (void) fclose(f);
        }
    }
}


void
reel_ctl_state_close(reel_ctl_state_t *s)
{
    if (s->fd != -1) {
        (void) close(s->fd);
    }

    json_decref(s->was);
    free(s->path);
    *s = (reel_ctl_state_t) { .fd = -1 };
}


json_t *
reel_ctl_state_new(const reel_ctl_parts_t *p, bool parts)
{
    size_t   i;
    json_t  *j, *list;

    j = json_pack("{s:i, s:I, s:I, s:I}", "v", VERSION, "part_size",
                  (json_int_t) p->part_size, "size",
                  (json_int_t) p->file->size, "mtime_ns",
                  (json_int_t) p->file->mtime_ns);

    if (j == NULL || !parts) {
        return j;
    }

    list = json_array();

    for (i = 0; i < p->n; i++) {
        if (p->part[i].done) {
            json_array_append_new(list,
                                  json_pack("[I, s, s]", (json_int_t) i + 1,
                                            p->part[i].etag,
                                            p->part[i].sum));
        }
    }

    json_object_set_new(j, "parts", list);

    return j;
}


int
reel_ctl_state_check(const json_t *j, const reel_ctl_file_t *f,
    uint64_t *part_size)
{
    int         v;
    json_int_t  size, mtime_ns, of_part;

    if (json_unpack((json_t *) j, "{s:i, s:I, s:I, s:I}", "v", &v,
                    "part_size", &of_part, "size", &size, "mtime_ns",
                    &mtime_ns) != 0
        || v != VERSION || of_part <= 0)
    {
        return reel_ctl_fail(REEL_EXIT_FAILED, "what is kept of the earlier "
                             "upload cannot be read: begin anew, without "
                             "--resume");
    }

    if ((uint64_t) size != f->size || mtime_ns != f->mtime_ns) {
        return reel_ctl_fail(REEL_EXIT_FAILED, "%s has changed since its "
                             "upload began: begin anew, without --resume",
                             f->path);
    }

    *part_size = (uint64_t) of_part;

    return REEL_EXIT_OK;
}


void
reel_ctl_state_parts(const json_t *j, reel_ctl_parts_t *p)
{
    size_t            i;
    json_t           *row;
    json_int_t        number;
    const char       *etag, *sum;
    reel_ctl_part_t  *part;

    json_array_foreach(json_object_get(j, "parts"), i, row) {

        if (json_unpack(row, "[I, s, s]", &number, &etag, &sum) != 0
            || number < 1 || (uint64_t) number > p->n || etag[0] == '\0')
        {
            continue;
        }

        part = &p->part[number - 1];
        part->done = reel_str_copy(part->etag, sizeof(part->etag),
                                   reel_str(etag)) == REEL_OK
                     && reel_str_copy(part->sum, sizeof(part->sum),
                                      reel_str(sum)) == REEL_OK;
    }
}


static bool
replace(reel_ctl_state_t *s, const char *name, const char *text, size_t len)
{
    int  fd;

    (void) unlink(name);
    fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

    if (fd == -1) {
        return false;
    }

    if (flock(fd, LOCK_EX | LOCK_NB) != 0
        || write(fd, text, len) != (ssize_t) len || fsync(fd) != 0
        || rename(name, s->path) != 0)
    {
        (void) close(fd);
        (void) unlink(name);
        return false;
    }

    if (s->fd != -1) {
        (void) close(s->fd);
    }

    s->fd = fd;

    return true;
}


/* an upload without it is one without --resume, no more */
void
reel_ctl_state_save(reel_ctl_state_t *s, json_t *j)
{
    char        *text;
    bool         done = false;
    reel_buf_t   name;

    if (s->path == NULL) {
        json_decref(j);
        return;
    }

    text = j != NULL ? json_dumps(j, JSON_COMPACT) : NULL;
    json_decref(j);

    reel_buf_init(&name, 4096);
    reel_buf_printf(&name, "%s.%" PRIdMAX, s->path, (intmax_t) getpid());

    if (text != NULL && reel_buf_err(&name) == REEL_OK) {
        errno = ENOMEM;
        done = replace(s, reel_buf_cstr(&name), text, strlen(text));
    }

    if (!done) {
        reel_ctl_warn("cannot keep %s: %s; --resume will not know of this "
                      "upload", s->path, strerror(errno));
        free(s->path);
        s->path = NULL;
    }

    free(text);
    reel_buf_release(&name);
}


/* ours only: the name may be another upload's by now */
static void
forget(reel_ctl_state_t *s)
{
    struct stat  ours, there;

    if (s->path != NULL && s->fd != -1 && fstat(s->fd, &ours) == 0
        && lstat(s->path, &there) == 0 && ours.st_ino == there.st_ino
        && ours.st_dev == there.st_dev)
    {
        (void) unlink(s->path);
    }
}


void
reel_ctl_state_end(reel_ctl_state_t *s, const reel_ctl_parts_t *p, int code)
{
    char  done[24], size[24];

    if (code == REEL_EXIT_OK) {
        forget(s);
        return;
    }

    if (code != REEL_EXIT_INTERRUPTED && code != REEL_EXIT_UNAVAILABLE) {
        return;
    }

    if (s->path == NULL || s->fd == -1 || p->n == 0) {
        if (code == REEL_EXIT_INTERRUPTED) {
            (void) reel_ctl_fail(0, "interrupted");
        }

        return;
    }

    reel_ctl_size(done, (double) reel_ctl_parts_done(p));
    reel_ctl_size(size, (double) p->file->size);
    (void) reel_ctl_fail(0, "%s%s of %s are there; to go on, give the same "
                         "command with --resume",
                         code == REEL_EXIT_INTERRUPTED ? "interrupted: "
                                                       : "hint: ",
                         done, size);
}
