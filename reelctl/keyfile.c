/* the access-key file, and which of its keys signs */

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/ulid.h"
#include "reelctl/ctl.h"


#define KEYS_MAX (4 * 1024 * 1024)


/* b is initialised here; release it */
int
reel_ctl_read_file(const char *path, size_t max, reel_buf_t *b,
    unsigned *mode)
{
    int          fd, code = REEL_EXIT_OK;
    char         chunk[8192];
    ssize_t      n;
    struct stat  st;

    reel_buf_init(b, max);

    fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd == -1 || fstat(fd, &st) != 0) {
        code = reel_ctl_fail(errno == EACCES ? REEL_EXIT_DENIED
                                             : REEL_EXIT_FAILED,
                             "cannot read %s: %s", path, strerror(errno));
        goto done;
    }

    if (mode != NULL) {
        *mode = st.st_mode & 07777;
    }

    while ((n = read(fd, chunk, sizeof(chunk))) > 0) {
        reel_buf_add(b, chunk, (size_t) n);
    }

    if (n < 0) {
        code = reel_ctl_fail(REEL_EXIT_FAILED, "cannot read %s: %s", path,
                             strerror(errno));

    } else if (reel_buf_err(b) != REEL_OK) {
        code = reel_ctl_fail(REEL_EXIT_FAILED, "%s is longer than %zu bytes",
                             path, max);
    }

done:

    explicit_bzero(chunk, sizeof(chunk));

    if (fd != -1) {
        (void) close(fd);
    }

    return code;
}


static int
load(reel_ctl_t *c, const char *path)
{
    int           code;
    unsigned      mode;
    reel_err_t    err;
    reel_buf_t    b;
    reel_error_t  e = { "out of memory" };

    code = reel_ctl_read_file(path, KEYS_MAX, &b, &mode);
    if (code != REEL_EXIT_OK) {
        goto done;
    }

    if (mode & 077) {
        reel_ctl_warn("%s can be read by others: chmod 600 %s", path, path);
    }

    err = reel_access_keys_parse(&c->keys, reel_buf_cstr(&b), b.len, &e);
    if (err != REEL_OK) {
        code = reel_ctl_fail(REEL_EXIT_FAILED, "%s: %s", path, e.text);
    }

    if (b.len != 0) {
        explicit_bzero(b.data, b.len);
    }

done:

    reel_buf_release(&b);

    return code;
}


int
reel_ctl_key(reel_ctl_t *c)
{
    int          code;
    const char  *path, *id;

    if (c->key != NULL) {
        return REEL_EXIT_OK;
    }

    path = reel_ctl_opt(c, REEL_OPT_KEYS, "REEL_KEYS", NULL);

    if (path == NULL) {
        return reel_ctl_fail(REEL_EXIT_USAGE, "no access key: name the file "
                             "with --keys FILE or REEL_KEYS (reelctl keygen "
                             "makes one)");
    }

    code = load(c, path);
    if (code != REEL_EXIT_OK) {
        return code;
    }

    id = reel_ctl_opt(c, REEL_OPT_KEY_ID, "REEL_KEY_ID", NULL);

    c->key = id != NULL ? reel_access_keys_find(&c->keys, reel_str(id))
                        : &c->keys.keys[0];

    if (c->key == NULL) {
        return reel_ctl_fail(REEL_EXIT_USAGE, "%s has no key with the id "
                             "\"%s\"", path, id);
    }

    return REEL_EXIT_OK;
}


int
reel_ctl_key_of(reel_ctl_t *c, const char *project)
{
    int                       code = reel_ctl_key(c);
    const reel_access_key_t  *k = c->key;

    if (code != REEL_EXIT_OK
        || reel_ctl_opt(c, REEL_OPT_KEY_ID, "REEL_KEY_ID", NULL) != NULL)
    {
        return code;
    }

    for (size_t i = 0; i < c->keys.nkeys; i++) {
        k = &c->keys.keys[i];
        if (strcmp(k->project, project) == 0) {
            c->key = k;
            return REEL_EXIT_OK;
        }
    }

    return reel_ctl_fail(REEL_EXIT_DENIED, "%s has no key of the project "
                         "\"%s\"", reel_ctl_opt(c, REEL_OPT_KEYS, "REEL_KEYS",
                                               NULL), project);
}


int
reel_ctl_asset_id(const char *z)
{
    if (!reel_ulid_valid(reel_str(z))) {
        return reel_ctl_fail(REEL_EXIT_USAGE, "\"%s\" is not the id of an "
                             "asset: those have 26 characters 0-9 a-z", z);
    }

    return REEL_EXIT_OK;
}
