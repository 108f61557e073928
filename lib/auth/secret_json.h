/*
 * JSON that has secrets in it.  Every block that jansson gives back while it
 * is parsed, changed, printed or freed here is wiped first: the strings, and
 * what its lexer, its tables and its printing kept of them.  The allocation
 * functions are jansson's own, one pair in a process: only its main thread
 * calls these.  Threads beside it may use jansson as long as what was set is
 * malloc's, too: whichever pair they meet then frees what the other made.
 */

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

/* wipes all of it; NULL is fine */
void reel_secret_json_free(json_t *root);

/*
 * For whoever makes, changes or prints such JSON: from begin to the end that
 * belongs to it, jansson's blocks are malloc's and wiped before they are
 * free.  They nest; what is made in between must be freed there too.  The
 * last end sets what was set before.
 */
void reel_secret_json_begin(void);
void reel_secret_json_end(void);

#endif
