#include "lib/auth/secret_json.h"

#include <malloc.h>
#include <stdlib.h>

#include <openssl/crypto.h>


static unsigned       depth;
static json_malloc_t  malloc_before;
static json_free_t    free_before;


static void
wipe_and_free(void *p)
{
    if (p != NULL) {
        OPENSSL_cleanse(p, malloc_usable_size(p));
        free(p);
    }
}


/* malloc too: another user of jansson may have set what is not malloc's */
void
reel_secret_json_begin(void)
{
    if (depth++ == 0) {
        json_get_alloc_funcs(&malloc_before, &free_before);
        json_set_alloc_funcs(malloc, wipe_and_free);
    }
}


void
reel_secret_json_end(void)
{
    if (--depth == 0) {
        json_set_alloc_funcs(malloc_before, free_before);
    }
}


reel_err_t
reel_secret_json(json_t **root, const char *json, size_t len,
    const char *what, reel_error_t *e)
{
    json_error_t  je;

    reel_secret_json_begin();
    *root = json_loadb(json, len, JSON_REJECT_DUPLICATES, &je);
    reel_secret_json_end();

    /* je.text quotes what it found: it could be a secret */
    OPENSSL_cleanse(je.text, sizeof(je.text));

    return *root != NULL ? REEL_OK
           : reel_fail(e, REEL_BADDATA, "%s JSON: line %d, column %d", what,
                       je.line, je.column);
}


void
reel_secret_json_free(json_t *root)
{
    reel_secret_json_begin();
    json_decref(root);
    reel_secret_json_end();
}
