/* a small file of the operator's, as a whole */

#ifndef REEL_CONF_FILE_H
#define REEL_CONF_FILE_H

#include <stddef.h>
#include <stdio.h>

#include "lib/base/err.h"

/*
 * Its first max + 1 bytes, to be freed: len > max tells that it is larger.
 * REEL_NOTFOUND and REEL_IO, which errno explains; REEL_NOMEM.
 */
reel_err_t reel_conf_file(const char *path, size_t max, char **data,
    size_t *len) REEL_WARN_UNUSED;

/*
 * The same of a regular file alone: nobody waits for who writes into a FIFO.
 * REEL_INVAL: it is something else.
 */
reel_err_t reel_conf_regular(const char *path, size_t max, char **data,
    size_t *len) REEL_WARN_UNUSED;

/* opened to be read, fclose(*f); errors as above */
reel_err_t reel_conf_open(const char *path, FILE **f) REEL_WARN_UNUSED;

#endif
