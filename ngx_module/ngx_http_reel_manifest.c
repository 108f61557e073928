/* playback: what lib/manifest prints from an index */

#include "ngx_module/ngx_http_reel_play.h"

/* the bound of what a manifest may need: 64 renditions of 2^20 segments */
#define MANIFEST_MAX  (64u << 20)

static ngx_int_t send_printed(ngx_http_request_t *r, ngx_http_reel_play_t *p,
    reel_buf_t *b, reel_err_t err);
static void cleanup(void *data);
static ngx_int_t etag_of(ngx_http_request_t *r, ngx_http_reel_play_t *p,
    ngx_str_t *etag);


ngx_int_t
ngx_http_reel_manifest_master(ngx_http_request_t *r, ngx_http_reel_play_t *p)
{
    reel_buf_t  b;

    reel_buf_init(&b, MANIFEST_MAX);

    return send_printed(r, p, &b, reel_hls_master(&b, p->index, &p->opts));
}


ngx_int_t
ngx_http_reel_manifest_media(ngx_http_request_t *r, ngx_http_reel_play_t *p)
{
    u_char      prefix[sizeof("..//~") + 64 + REEL_VERSION_HASH];
    reel_buf_t  b;

    reel_buf_init(&b, MANIFEST_MAX);

    prefix[0] = '\0';

    if (p->hash.len == 0) {
        /* what a bare name prints today must mean the same tomorrow */
        *ngx_snprintf(prefix, sizeof(prefix) - 1, "../%V~%s/", &p->name,
                      p->version) = '\0';
    }

    return send_printed(r, p, &b, reel_hls_media(&b, p->index, p->rendition,
                                         &p->opts, (char *) prefix));
}


ngx_int_t
ngx_http_reel_manifest_mpd(ngx_http_request_t *r, ngx_http_reel_play_t *p)
{
    reel_buf_t  b;

    reel_buf_init(&b, MANIFEST_MAX);

    return send_printed(r, p, &b, reel_dash_mpd(&b, p->index, &p->opts));
}


static ngx_int_t
send_printed(ngx_http_request_t *r, ngx_http_reel_play_t *p, reel_buf_t *b,
    reel_err_t err)
{
    size_t               len;
    ngx_buf_t           *buf;
    ngx_str_t            etag;
    const char          *code;
    ngx_uint_t           status;
    ngx_chain_t          out;
    ngx_pool_cleanup_t  *cln;

    if (err != REEL_OK) {
        reel_buf_release(b);

        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                      "reel: printing \"%V\" of asset \"%V\" failed: %s",
                      &p->route->name, &p->asset, reel_err_name(err));

        status = ngx_http_reel_err_status(err, &code);

        return ngx_http_reel_error(r, NGX_HTTP_REEL_PROBLEM, status, code,
                                   "the manifest could not be made", 0);
    }

    cln = ngx_pool_cleanup_add(r->pool, 0);
    buf = ngx_calloc_buf(r->pool);

    if (cln == NULL || buf == NULL) {
        reel_buf_release(b);
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    cln->data = reel_buf_take(b, &len);
    cln->handler = cleanup;

    buf->pos = cln->data;
    buf->last = buf->pos + len;
    buf->memory = 1;
    buf->last_buf = (r == r->main);
    buf->last_in_chain = 1;

    if (cln->data == NULL
        || etag_of(r, p, &etag) != NGX_OK
        || ngx_http_reel_play_headers(r, p, len, &etag) != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    out.buf = buf;
    out.next = NULL;

    return ngx_http_reel_play_output(r, &out);
}


static void
cleanup(void *data)
{
    free(data);
}


/* a publication's manifests change as its index grows */
static ngx_int_t
etag_of(ngx_http_request_t *r, ngx_http_reel_play_t *p, ngx_str_t *etag)
{
    u_char     what[NGX_INT32_LEN + NGX_TIME_T_LEN + sizeof("-g")];
    ngx_str_t  s;

    s.data = what;
    s.len = ngx_snprintf(what, sizeof(what), "%xD-%xT%s",
                         p->index->fragments, p->mtime,
                         p->index->growing ? "g" : "")
            - what;

    return ngx_http_reel_play_etag(r, p, &s, etag);
}
