/*
 * Store work of an upload, in the thread pool: write, and the completion in
 * the order of docs/store.md, where the recovery from a crash after each step
 * stands.  What stands already does as well: each step may be repeated.
 */

#include "ngx_module/ngx_http_reel_upload.h"

#include "lib/base/hex.h"



static reel_err_t ngx_http_reel_check_body(ngx_http_reel_upload_t *up);
static reel_err_t ngx_http_reel_put_source(ngx_http_reel_upload_t *up);
static reel_err_t ngx_http_reel_put_request(ngx_http_reel_upload_t *up);
static reel_err_t ngx_http_reel_lost_name(ngx_http_reel_upload_t *up);


void
ngx_http_reel_upload_write(void *data, ngx_log_t *log)
{
    ngx_http_reel_upload_t  *up = data;

    ngx_str_t   *piece;
    ngx_uint_t   i;

    up->err = REEL_OK;
    piece = up->pieces.elts;

    for (i = 0; i < up->pieces.nelts && up->err == REEL_OK; i++) {

        up->err = reel_multipart_write(up->multipart, up->offset,
                                       piece[i].data, piece[i].len);

        if (up->err == REEL_OK && up->sha256) {
            up->err = reel_sha256_update(up->sha256, piece[i].data,
                                         piece[i].len);
        }

        up->offset += piece[i].len;
    }

    if (up->err != REEL_OK) {
        ngx_log_error(NGX_LOG_ERR, log, 0,
                      "reel: upload %s: write before %uL failed: %s",
                      up->asset, (uint64_t) up->offset,
                      reel_err_name(up->err));
    }
}


void
ngx_http_reel_upload_publish(void *data, ngx_log_t *log)
{
    ngx_http_reel_upload_t  *up = data;

    ngx_http_reel_upload_write(up, log);
    if (up->err != REEL_OK) {
        return;
    }

    up->err = ngx_http_reel_check_body(up);

    if (up->err == REEL_OK) {
        up->err = ngx_http_reel_put_source(up);
    }

    if (up->err == REEL_EXISTS && ngx_http_reel_upload_replay(up) == REEL_OK) {
        /* the same request was sent twice at once, the other came first */
        up->err = REEL_OK;
        return;
    }

    if (up->err == REEL_OK) {
        up->err = ngx_http_reel_put_request(up);
    }

    if (up->err == REEL_OK) {
        up->err = ngx_http_reel_upload_put_name(up);
    }

    if (up->err == REEL_OK && up->prepared == NGX_HTTP_REEL_UPLOAD_FRESH) {
        up->err = ngx_http_reel_upload_put_pending(up);
    }

    if (up->err == REEL_OK) {
        ngx_http_reel_upload_drop_state(up);
        return;
    }

    if (!up->mismatch) {
        ngx_log_error(NGX_LOG_ERR, log, 0,
                      "reel: upload %s: publishing failed: %s", up->asset,
                      reel_err_name(up->err));
    }
}


static reel_err_t
ngx_http_reel_check_body(ngx_http_reel_upload_t *up)
{
    char        hex[2 * REEL_SHA256_LEN + 1];
    uint8_t     sum[REEL_SHA256_LEN];
    reel_err_t  err;

    if (up->sha256 == NULL) {
        return REEL_OK;
    }

    err = reel_sha256_final(up->sha256, sum);
    up->sha256 = NULL;

    if (err != REEL_OK) {
        return err;
    }

    reel_hex(hex, sum, sizeof(sum));

    if (ngx_strcmp(hex, up->expect) != 0) {
        up->mismatch = 1;
        return REEL_BADDATA;
    }

    up->record.sha256 = up->expect;

    return REEL_OK;
}


static reel_err_t
ngx_http_reel_put_source(ngx_http_reel_upload_t *up)
{
    reel_err_t  err;
    reel_key_t  key;

    err = reel_key_asset_part(key, reel_str(up->asset), REEL_PART_SOURCE);
    if (err != REEL_OK) {
        return err;
    }

    err = reel_multipart_complete(up->multipart, key);
    up->multipart = NULL;

    return err;
}


static reel_err_t
ngx_http_reel_put_request(ngx_http_reel_upload_t *up)
{
    reel_buf_t  b;
    reel_err_t  err;
    reel_key_t  key;

    up->record.size = up->offset;

    reel_buf_init(&b, REEL_RECORD_MAX);

    err = reel_request_print(&b, &up->record);

    if (err == REEL_OK) {
        err = reel_key_asset_part(key, reel_str(up->asset),
                                  REEL_PART_REQUEST);
    }

    if (err == REEL_OK) {
        err = reel_store_put_if_absent(up->store, key, b.data, b.len);
    }

    reel_buf_release(&b);

    if (err != REEL_OK || up->record.meta == NULL) {
        return err;
    }

    err = reel_key_asset_part(key, reel_str(up->asset), REEL_PART_META);
    if (err != REEL_OK) {
        return err;
    }

    err = reel_store_put_if_absent(up->store, key, up->record.meta,
                                   ngx_strlen(up->record.meta));

    return err == REEL_EXISTS ? REEL_OK : err;
}


reel_err_t
ngx_http_reel_upload_put_name(ngx_http_reel_upload_t *up)
{
    reel_buf_t  b;
    reel_err_t  err;
    reel_key_t  key;

    ngx_memcpy(up->named.asset, up->asset, sizeof(up->named.asset));
    up->named.size = up->offset;
    (void) ngx_snprintf((u_char *) up->named.etag, sizeof(up->named.etag),
                        "\"%s-1\"%Z", up->asset);

    reel_buf_init(&b, REEL_RECORD_MAX);

    err = reel_named_print(&b, &up->named);

    if (err == REEL_OK) {
        err = reel_key_name(key, reel_str(up->name_hash));
    }

    if (err == REEL_OK) {
        err = reel_store_put_if_absent(up->store, key, b.data, b.len);
    }

    reel_buf_release(&b);

    return err == REEL_EXISTS ? ngx_http_reel_lost_name(up) : err;
}


/*
 * The same request was sent twice at once and the other's asset has the
 * name: it is the one to be told of, and ours, of which nobody knows, goes.
 */
static reel_err_t
ngx_http_reel_lost_name(ngx_http_reel_upload_t *up)
{
    char        own[REEL_ULID_LEN + 1];
    reel_err_t  err;
    reel_key_t  key;

    ngx_memcpy(own, up->asset, sizeof(own));

    err = ngx_http_reel_upload_replay(up);

    if (err != REEL_OK || ngx_strcmp(own, up->asset) == 0) {
        return err;
    }

    err = reel_key_asset(key, reel_str(own));

    if (err == REEL_OK) {
        err = reel_store_del_tree(up->store, key, NULL);
    }

    if (err == REEL_OK && reel_key_upload(key, reel_str(own), NULL) == REEL_OK)
    {
        err = reel_store_del_tree(up->store, key, NULL);
    }

    return err;
}


reel_err_t
ngx_http_reel_upload_put_pending(ngx_http_reel_upload_t *up)
{
    reel_err_t  err;
    reel_key_t  key;

    err = reel_key_pending(key, reel_str(up->asset), 1);
    if (err != REEL_OK) {
        return err;
    }

    err = reel_store_put_if_absent(up->store, key, NULL, 0);

    return err == REEL_EXISTS ? REEL_OK : err;
}


/* no harm if it stays: the sweep finds it after a day */
void
ngx_http_reel_upload_drop_state(ngx_http_reel_upload_t *up)
{
    reel_key_t  key;

    if (reel_key_upload(key, reel_str(up->asset), "state") == REEL_OK
        && reel_store_del(up->store, key) != REEL_OK)
    {
        return;
    }
}


void
ngx_http_reel_upload_abort(void *data, ngx_log_t *log)
{
    ngx_http_reel_upload_t  *up = data;

    reel_sha256_free(up->sha256);
    up->sha256 = NULL;

    if (up->multipart) {
        reel_multipart_abort(up->multipart);
        up->multipart = NULL;
        ngx_http_reel_upload_drop_state(up);
    }
}
