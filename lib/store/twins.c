#include "lib/store/twins.h"


/* the asset's own record first: who deletes it finds the other by that */
reel_err_t
reel_twins_join(reel_store_t *s, reel_str_t asset, const char *hash)
{
    char        id[27];
    reel_key_t  key;
    reel_err_t  err;

    err = reel_str_copy(id, sizeof(id), asset);
    if (err == REEL_OK) {
        err = reel_key_asset_part(key, asset, REEL_PART_TWINS);
    }
    if (err == REEL_OK) {
        err = reel_store_replace(s, key, hash, REEL_TWINS_HASH - 1);
    }
    if (err == REEL_OK) {
        err = reel_key_twin(key, reel_str(hash), id);
    }
    if (err == REEL_OK) {
        err = reel_store_put_if_absent(s, key, "", 0);
    }

    return err == REEL_EXISTS ? REEL_OK : err;
}


reel_err_t
reel_twins_hash(reel_store_t *s, reel_str_t asset,
    char hash[REEL_TWINS_HASH])
{
    reel_buf_t  b = { 0 };
    reel_key_t  key;
    reel_err_t  err;

    err = reel_key_asset_part(key, asset, REEL_PART_TWINS);
    if (err == REEL_OK) {
        err = reel_store_get(s, key, REEL_TWINS_HASH - 1, &b);
    }
    if (err == REEL_OK) {
        err = reel_str_copy(hash, REEL_TWINS_HASH,
                            (reel_str_t) { (const char *) b.data, b.len });
    }

    reel_buf_release(&b);

    return err;
}


reel_err_t
reel_twins_leave(reel_store_t *s, reel_str_t asset)
{
    char        id[27], hash[REEL_TWINS_HASH];
    reel_key_t  key;
    reel_err_t  err;

    err = reel_twins_hash(s, asset, hash);

    /* a damaged record keeps no asset: the sweep finds the other one */
    if (err == REEL_NOTFOUND || err == REEL_LIMIT) {
        return REEL_OK;
    }

    if (err == REEL_OK) {
        err = reel_str_copy(id, sizeof(id), asset);
    }
    if (err == REEL_OK && reel_key_twin(key, reel_str(hash), id) == REEL_OK) {
        err = reel_store_del(s, key);
    }

    return err;
}


reel_err_t
reel_twins_list(reel_store_t *s, const char *hash, reel_store_list_fn fn,
    void *arg)
{
    reel_key_t  key;
    reel_err_t  err = reel_key_twin(key, reel_str(hash), NULL);

    return err == REEL_OK ? reel_store_list(s, key, fn, arg) : err;
}
