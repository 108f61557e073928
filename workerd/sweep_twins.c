#include <stdio.h>

#include "lib/store/layout.h"
#include "workerd/final.h"
#include "workerd/sweep_pass.h"

typedef struct {
    reel_store_t *s;
    const char   *hash;
} walk_t;


/* an asset that is deleted, or never came to be one */
static reel_err_t
gone(reel_store_t *s, const char *asset, bool *is)
{
    reel_key_t         key;
    reel_err_t         err;
    reel_store_stat_t  st;

    err = reel_final_tombstone(s, asset, is);
    if (err != REEL_OK || *is) {
        return err;
    }

    err = reel_key_asset_part(key, reel_str(asset), REEL_PART_REQUEST);
    if (err == REEL_OK) {
        err = reel_store_stat(s, key, &st);
        *is = err == REEL_NOTFOUND;
    }

    return err == REEL_NOTFOUND ? REEL_OK : err;
}


static reel_err_t
on_asset(void *arg, const char *name, bool is_prefix)
{
    bool         is = false;
    const walk_t *w = arg;
    reel_key_t   key;
    reel_err_t   err;

    if (is_prefix
        || reel_key_twin(key, reel_str(w->hash), name) != REEL_OK)
    {
        return REEL_OK;
    }

    err = gone(w->s, name, &is);

    return err == REEL_OK && is ? reel_store_del(w->s, key) : err;
}


static reel_err_t
on_hash(void *arg, const char *name, bool is_prefix)
{
    walk_t      w = *(const walk_t *) arg;
    reel_key_t  key;

    if (!is_prefix || reel_key_twin(key, reel_str(name), NULL) != REEL_OK) {
        return REEL_OK;
    }
    w.hash = name;

    return reel_store_list(w.s, key, on_asset, &w);
}


reel_err_t
reel_sweep_twins(reel_store_t *s, const reel_sweep_pass_t *p)
{
    char    folder[16];
    walk_t  w = { .s = s };

    snprintf(folder, sizeof(folder), "twins/%02x", p->twins);

    return reel_store_list(s, folder, on_hash, &w);
}
