/* JSON that has secrets in it: the parser's own copies of them are wiped */

#ifndef REEL_AUTH_SECRET_JSON_H
#define REEL_AUTH_SECRET_JSON_H

#include <jansson.h>

#include "lib/base/err.h"

/*
 * Parses json.  REEL_BADDATA: "<what> JSON: line …", which quotes nothing of
 * it.  Free root, which is NULL then.
 */
reel_err_t reel_secret_json(json_t **root, const char *json, size_t len,
    const char *what, reel_error_t *e) REEL_WARN_UNUSED;

/* wipes all its strings; NULL is fine */
void reel_secret_json_free(json_t *root);

#endif
