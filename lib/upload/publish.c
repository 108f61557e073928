/*
 * The asset of an upload, step by step in the order of docs/store.md.  Each
 * step may be repeated: what stands already does as well.
 */

#include <stdio.h>
#include <string.h>

#include "lib/base/hex.h"
#include "lib/upload/upload_impl.h"


reel_err_t
reel_upload_asset_stands(reel_store_t *s, const char *asset,
    const char *part)
{
    reel_key_t         key;
    reel_err_t         err;
    reel_store_stat_t  st;

    err = reel_key_asset_part(key, reel_str(asset), part);

    return err == REEL_OK ? reel_store_stat(s, key, &st) : err;
}


static reel_err_t
read_request(reel_store_t *s, const char *asset, reel_request_t *r)
{
    reel_buf_t  b;
    reel_key_t  key;
    reel_err_t  err;

    *r = (reel_request_t) { 0 };

    err = reel_key_asset_part(key, reel_str(asset), REEL_PART_REQUEST);
    if (err != REEL_OK) {
        return err;
    }

    err = reel_store_get(s, key, REEL_RECORD_MAX, &b);
    if (err != REEL_OK) {
        return err;
    }

    err = reel_request_parse(r, (char *) b.data, b.len, NULL);
    reel_buf_release(&b);

    return err == REEL_OK || err == REEL_NOMEM ? err : REEL_IO;
}


/* REEL_OK: request.json stands and is of our origin; REEL_EXISTS: another's */
static reel_err_t
same_origin(reel_upload_impl_t *u, uint64_t *size)
{
    reel_err_t      err;
    reel_request_t  r;

    err = read_request(u->pub.store, u->pub.facts.request.asset, &r);
    if (err != REEL_OK) {
        return err;
    }

    if (u->pub.facts.origin == NULL || r.origin == NULL
        || strcmp(u->pub.facts.origin, r.origin) != 0)
    {
        err = REEL_EXISTS;
    }

    *size = r.size;
    reel_request_release(&r);

    return err;
}


static void
own_name(const reel_upload_impl_t *u, uint64_t size, reel_named_t *named)
{
    unsigned  n = u->pub.state.nparts;

    *named = (reel_named_t) { .size = size };

    /* both were checked when the facts were read, and fit */
    (void) snprintf(named->asset, sizeof(named->asset), "%s",
                    u->pub.facts.request.asset);
    (void) snprintf(named->etag, sizeof(named->etag), "\"%s-%u\"",
                    u->pub.facts.request.asset, n != 0 ? n : 1);
}


/* one blob has both names: a crash came behind this step */
static reel_err_t
is_ours(reel_upload_impl_t *u, const char *bytes_part, const char *source)
{
    reel_err_t         err;
    reel_key_t         key;
    reel_store_stat_t  a, b;

    err = reel_upload_key(u, key, bytes_part);

    if (err == REEL_OK) {
        err = reel_store_stat(u->pub.store, key, &a);
    }

    if (err == REEL_OK) {
        err = reel_store_stat(u->pub.store, source, &b);
    }

    if (err != REEL_OK) {
        return err;
    }

    return a.version == b.version ? REEL_OK : REEL_EXISTS;
}


static reel_err_t
put_source(reel_upload_impl_t *u, reel_multipart_t *bytes,
    const char *bytes_part)
{
    reel_err_t  err;
    reel_key_t  key;

    err = reel_key_asset_part(key, reel_str(u->pub.facts.request.asset),
                              REEL_PART_SOURCE);

    if (err == REEL_OK) {
        err = reel_multipart_publish(bytes, key);
    }

    return err == REEL_EXISTS ? is_ours(u, bytes_part, key) : err;
}


static reel_err_t
put_part(reel_upload_impl_t *u, const char *part, const void *p, size_t n)
{
    reel_err_t  err;
    reel_key_t  key;

    err = reel_key_asset_part(key, reel_str(u->pub.facts.request.asset),
                              part);

    if (err == REEL_OK) {
        err = reel_store_put_if_absent(u->pub.store, key, p, n);
    }

    return err == REEL_EXISTS ? REEL_OK : err;
}


static reel_err_t
put_request(reel_upload_impl_t *u)
{
    reel_buf_t      b;
    reel_err_t      err;
    reel_request_t  r = u->pub.facts.request;       /* borrowed */

    r.size = u->pub.state.length;
    r.origin = u->pub.facts.origin;
    r.sha256 = u->pub.facts.expect[0] != '\0' ? u->pub.facts.expect : NULL;

    reel_buf_init(&b, REEL_RECORD_MAX);
    err = reel_request_print(&b, &r);

    if (err == REEL_OK) {
        err = put_part(u, REEL_PART_REQUEST, b.data, b.len);
    }

    reel_buf_release(&b);

    if (err == REEL_OK && r.meta != NULL) {
        err = put_part(u, REEL_PART_META, r.meta, strlen(r.meta));
    }

    return err;
}


static reel_err_t
read_name(reel_store_t *s, const char *hash, reel_named_t *named)
{
    reel_buf_t  b;
    reel_key_t  key;
    reel_err_t  err;

    err = reel_key_name(key, reel_str(hash));
    if (err != REEL_OK) {
        return err;
    }

    err = reel_store_get(s, key, REEL_RECORD_MAX, &b);
    if (err != REEL_OK) {
        return err;
    }

    err = reel_named_parse(named, (char *) b.data, b.len, NULL);
    reel_buf_release(&b);

    /* a broken record must not make a second asset */
    return err == REEL_OK || err == REEL_NOMEM ? err : REEL_IO;
}


static reel_err_t
write_name(reel_store_t *s, const char *hash, const reel_named_t *named,
    reel_err_t (*put)(reel_store_t *s, const char *key, const void *data,
        size_t len))
{
    reel_buf_t  b;
    reel_key_t  key;
    reel_err_t  err;

    reel_buf_init(&b, REEL_RECORD_MAX);
    err = reel_named_print(&b, named);

    if (err == REEL_OK) {
        err = reel_key_name(key, reel_str(hash));
    }

    if (err == REEL_OK) {
        err = put(s, key, b.data, b.len);
    }

    reel_buf_release(&b);

    return err;
}


/*
 * The same request was sent twice at once and the other's asset has the
 * name: it is the one to be told of, and ours, of which nobody knows, goes.
 */
static reel_err_t
lose(reel_upload_impl_t *u, reel_named_t *named)
{
    reel_err_t   err;
    reel_key_t   key;
    const char  *own = u->pub.facts.request.asset;

    err = read_name(u->pub.store, u->pub.facts.origin, named);

    if (err != REEL_OK || strcmp(own, named->asset) == 0) {
        return err;
    }

    err = reel_key_asset(key, reel_str(own));

    return err == REEL_OK ? reel_store_del_tree(u->pub.store, key, NULL) : err;
}


reel_err_t
reel_upload_key_hash(char hex[65], const char *project, const char *bucket,
    const char *key)
{
    uint8_t     sum[REEL_SHA256_LEN];
    reel_buf_t  b;
    reel_err_t  err;

    reel_buf_init(&b, REEL_RECORD_MAX);
    reel_buf_addz(&b, project);
    reel_buf_addz(&b, "\n");
    reel_buf_addz(&b, bucket);
    reel_buf_addz(&b, "\n");
    reel_buf_addz(&b, key);
    err = reel_buf_err(&b);

    if (err == REEL_OK) {
        err = reel_sha256(sum, b.data, b.len);
    }

    if (err == REEL_OK) {
        reel_hex(hex, sum, sizeof(sum));
    }

    reel_buf_release(&b);

    return err;
}


/*
 * The newest asset of a key is what is found there.  When this comes late,
 * after a crash, a newer one may stand already: ids grow with time.
 */
static reel_err_t
put_key(reel_upload_impl_t *u, const reel_named_t *named, bool again)
{
    char                 hash[65];
    reel_err_t           err;
    reel_named_t         old;
    reel_upload_facts_t *f = &u->pub.facts;

    if (f->key == NULL) {
        return REEL_OK;
    }

    err = reel_upload_key_hash(hash, f->request.project, f->bucket, f->key);
    if (err != REEL_OK) {
        return err;
    }

    if (again) {
        err = read_name(u->pub.store, hash, &old);

        if (err == REEL_OK && strcmp(old.asset, named->asset) > 0) {
            return REEL_OK;
        }

        if (err != REEL_OK && err != REEL_NOTFOUND && err != REEL_IO) {
            return err;
        }
    }

    return write_name(u->pub.store, hash, named, reel_store_replace);
}


/* unless the job came to its end already, or the asset was deleted */
static reel_err_t
put_pending(reel_store_t *s, const char *asset)
{
    reel_err_t  err;
    reel_key_t  key;

    err = reel_upload_asset_stands(s, asset, REEL_PART_RESULT);

    if (err == REEL_NOTFOUND) {
        err = reel_upload_asset_stands(s, asset, REEL_PART_TOMBSTONE);
    }

    if (err != REEL_NOTFOUND) {
        return err;
    }

    err = reel_key_pending(key, reel_str(asset), 1);

    if (err == REEL_OK) {
        err = reel_store_put_if_absent(s, key, NULL, 0);
    }

    return err == REEL_EXISTS ? REEL_OK : err;
}


/* an earlier try of this very request came so far, or of one that died? */
static reel_err_t
take_over(reel_upload_impl_t *u, reel_multipart_t *bytes,
    const char *bytes_part, int64_t now_ms, uint64_t *size)
{
    reel_err_t  err;

    err = same_origin(u, size);
    if (err != REEL_NOTFOUND) {
        return err;
    }

    err = reel_upload_asset_free(u, now_ms);

    if (err == REEL_OK) {
        err = put_source(u, bytes, bytes_part);
    }

    return err == REEL_OK ? put_request(u) : err;
}


reel_err_t
reel_upload_publish(reel_upload_impl_t *u, reel_multipart_t *bytes,
    const char *bytes_part, bool again, int64_t now_ms, reel_named_t *named)
{
    uint64_t       size = u->pub.state.length;
    reel_err_t     err;
    const char    *asset = u->pub.facts.request.asset;
    reel_store_t  *s = u->pub.store;

    /* after a crash: it may have been deleted meanwhile */
    err = reel_upload_asset_stands(s, asset, REEL_PART_TOMBSTONE);
    if (err != REEL_NOTFOUND) {
        own_name(u, size, named);
        return err;
    }

    err = put_source(u, bytes, bytes_part);

    if (err == REEL_OK) {
        err = put_request(u);

    } else if (err == REEL_EXISTS) {
        err = take_over(u, bytes, bytes_part, now_ms, &size);
    }

    if (err != REEL_OK) {
        return err;
    }

    own_name(u, size, named);

    if (u->pub.facts.origin != NULL) {
        err = write_name(s, u->pub.facts.origin, named,
                         reel_store_put_if_absent);
        err = err == REEL_EXISTS ? lose(u, named) : err;

        if (err != REEL_OK || strcmp(asset, named->asset) != 0) {
            return err;
        }
    }

    err = put_key(u, named, again);

    return err == REEL_OK ? put_pending(s, asset) : err;
}


reel_err_t
reel_upload_named(reel_upload_impl_t *u, reel_named_t *named)
{
    reel_err_t  err = REEL_NOTFOUND;

    if (u->pub.facts.origin != NULL) {
        err = read_name(u->pub.store, u->pub.facts.origin, named);
    }

    if (err == REEL_NOTFOUND) {
        own_name(u, u->pub.state.length, named);
        err = REEL_OK;
    }

    return err;
}


reel_err_t
reel_upload_replay(reel_store_t *s, const char *origin, reel_named_t *named)
{
    reel_err_t  err;

    err = read_name(s, origin, named);
    if (err != REEL_OK) {
        return err;
    }

    /* a crash may have come between the name and the outbox */
    return put_pending(s, named->asset);
}
