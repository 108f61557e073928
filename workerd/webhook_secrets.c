#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "workerd/webhook_send.h"

#define FILE_MAX 4096


reel_err_t
reel_webhook_secrets(reel_hook_secrets_t *s, const char *path,
    reel_error_t *e)
{
    int          fd;
    char         text[FILE_MAX];
    ssize_t      n;
    reel_err_t   err;
    struct stat  st;

    *s = (reel_hook_secrets_t) { 0 };

    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd == -1) {
        return reel_fail(e, REEL_IO, "%.300s: %s", path, strerror(errno));
    }

    if (fstat(fd, &st) != 0 || (st.st_mode & 077) != 0) {
        (void) close(fd);
        return reel_fail(e, REEL_DENIED, "%.300s can be read by others: "
                         "chmod 600", path);
    }

    n = read(fd, text, sizeof(text));
    (void) close(fd);

    if (n < 0 || n == sizeof(text)) {
        err = reel_fail(e, REEL_IO, "%.300s cannot be read, or is too long",
                        path);
    } else {
        err = reel_hook_secrets_parse(s, text, (size_t) n, e);
    }

    explicit_bzero(text, sizeof(text));

    return err;
}
