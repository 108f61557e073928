#include "lib/conf/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>


/* closes f */
static reel_err_t
read_all(FILE *f, size_t max, char **data, size_t *len)
{
    int  why;

    *data = malloc(max + 1);
    if (*data == NULL) {
        (void) fclose(f);
        return REEL_NOMEM;
    }

    errno = 0;
    *len = fread(*data, 1, max + 1, f);
    why = ferror(f) ? errno : 0;
    (void) fclose(f);

    if (why != 0) {
        free(*data);
        *data = NULL;
        errno = why;
        return REEL_IO;
    }

    return REEL_OK;
}


reel_err_t
reel_conf_file(const char *path, size_t max, char **data, size_t *len)
{
    FILE  *f = fopen(path, "re");

    *data = NULL;
    *len = 0;

    if (f == NULL) {
        return errno == ENOENT ? REEL_NOTFOUND : REEL_IO;
    }

    return read_all(f, max, data, len);
}


reel_err_t
reel_conf_regular(const char *path, size_t max, char **data, size_t *len)
{
    FILE        *f;
    reel_err_t   err;

    *data = NULL;
    *len = 0;

    err = reel_conf_open(path, &f);

    return err == REEL_OK ? read_all(f, max, data, len) : err;
}


reel_err_t
reel_conf_open(const char *path, FILE **f)
{
    int          fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat  st;

    *f = NULL;

    if (fd < 0) {
        return errno == ENOENT ? REEL_NOTFOUND : REEL_IO;
    }

    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        (void) close(fd);
        return REEL_INVAL;
    }

    *f = fdopen(fd, "r");
    if (*f == NULL) {
        (void) close(fd);
        return REEL_NOMEM;
    }

    return REEL_OK;
}
