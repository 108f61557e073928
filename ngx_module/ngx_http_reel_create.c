/*
 * POST /api/uploads: fixes an asset's id and signs the URLs for it with the
 * caller's own key: the PUT with its limits, the status and the events.
 */

#include "ngx_module/ngx_http_reel_create.h"

#include <sys/random.h>

#include "lib/auth/query.h"
#include "lib/auth/sigv4.h"


#define NGX_HTTP_REEL_URL_MAX       (16 * 1024)
#define NGX_HTTP_REEL_EXPIRES       3600


static ngx_int_t ngx_http_reel_create_print(ngx_http_reel_create_t *c,
    reel_buf_t *b);
static reel_err_t ngx_http_reel_create_put(ngx_http_reel_create_t *c,
    reel_json_t *j);
static reel_err_t ngx_http_reel_create_watch(ngx_http_reel_create_t *c,
    reel_json_t *j);
static ngx_uint_t ngx_http_reel_create_plain(const char *name);
static void ngx_http_reel_create_query(ngx_http_reel_create_t *c,
    reel_buf_t *b);
static void ngx_http_reel_create_param(reel_buf_t *b, const char *name,
    const char *value);
static reel_err_t ngx_http_reel_create_sign(ngx_http_reel_create_t *c,
    reel_json_t *j, const char *key, const char *method, reel_buf_t *path,
    reel_buf_t *query);
static void ngx_http_reel_create_origin(ngx_http_request_t *r,
    reel_buf_t *url);
static reel_err_t ngx_http_reel_create_presign(ngx_http_reel_create_t *c,
    reel_buf_t *url, const reel_sigv4_request_t *rq);


ngx_int_t
ngx_http_reel_create_upload(ngx_http_request_t *r, ngx_http_reel_api_t *api)
{
    uint8_t                 rnd[10];
    ngx_int_t               rc;
    ngx_time_t             *tp;
    reel_buf_t              b;
    ngx_http_reel_create_t  c;

    ngx_memzero(&c, sizeof(ngx_http_reel_create_t));
    c.request = r;
    c.api = api;
    c.expires = NGX_HTTP_REEL_EXPIRES;

    if (getrandom(rnd, sizeof(rnd), 0) != sizeof(rnd)) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    tp = ngx_timeofday();
    reel_ulid(c.asset, (uint64_t) tp->sec * 1000 + tp->msec, rnd);

    reel_buf_init(&b, 4 * NGX_HTTP_REEL_URL_MAX);

    rc = ngx_http_reel_create_read(&c);

    if (rc == NGX_OK) {
        rc = ngx_http_reel_create_print(&c, &b);
    }

    if (rc == NGX_OK) {
        rc = ngx_http_reel_api_send(r, NGX_HTTP_CREATED, &b);

    } else {
        reel_buf_release(&b);

        rc = rc != NGX_DECLINED ? NGX_HTTP_INTERNAL_SERVER_ERROR
             : ngx_http_reel_error(r, NGX_HTTP_REEL_PROBLEM,
                                   NGX_HTTP_BAD_REQUEST, c.code, c.e.text, 0);
    }

    json_decref(c.json);
    free(c.meta_text);

    return rc;
}


static ngx_int_t
ngx_http_reel_create_print(ngx_http_reel_create_t *c, reel_buf_t *b)
{
    reel_err_t   err;
    reel_json_t  j;

    reel_json_init(&j, b);
    reel_json_object(&j);
    reel_json_kstr(&j, "id", c->asset);
    reel_json_kstr(&j, "asset", c->asset);
    reel_json_kstr(&j, "method", "PUT");
    ngx_http_reel_asset_time(&j, "expires_at",
                             (int64_t) (ngx_time() + c->expires) * 1000);

    reel_json_key(&j, "headers");
    reel_json_object(&j);
    if (c->content_type) {
        reel_json_kstr(&j, "Content-Type", c->content_type);
    }
    reel_json_end(&j, '}');

    err = ngx_http_reel_create_put(c, &j);

    if (err == REEL_OK) {
        err = ngx_http_reel_create_watch(c, &j);
    }

    reel_json_end(&j, '}');

    if (err == REEL_LIMIT) {
        return ngx_http_reel_create_fault(c, "INVALID_FIELD", "\"name\" and "
                                          "\"meta\" make a URL that is "
                                          "longer than the server takes%s",
                                          "");
    }

    return err == REEL_OK && reel_buf_err(b) == REEL_OK ? NGX_OK : NGX_ERROR;
}


/* "url": where the file is put, with its limits signed */
static reel_err_t
ngx_http_reel_create_put(ngx_http_reel_create_t *c, reel_json_t *j)
{
    reel_err_t                 err;
    reel_buf_t                 path, query;
    ngx_http_reel_loc_conf_t  *rlcf;

    rlcf = ngx_http_get_module_loc_conf(c->request, ngx_http_reel_module);

    reel_buf_init(&path, NGX_HTTP_REEL_URL_MAX);
    reel_buf_init(&query, NGX_HTTP_REEL_URL_MAX);

    reel_buf_add(&path, rlcf->api_upload_path.data,
                 rlcf->api_upload_path.len);
    reel_uri_encode(&path, reel_str(c->bucket), false);
    reel_buf_addz(&path, "/");

    if (ngx_http_reel_create_plain(c->name)) {
        reel_uri_encode(&path, reel_str(c->name), true);
    } else {
        reel_buf_addz(&path, c->asset);
        ngx_http_reel_create_param(&query, "reel-name", c->name);
    }

    ngx_http_reel_create_query(c, &query);

    err = ngx_http_reel_create_sign(c, j, "url", "PUT", &path, &query);

    reel_buf_release(&path);
    reel_buf_release(&query);

    return err;
}


/* "status_url" and "events_url": the asset, below this location */
static reel_err_t
ngx_http_reel_create_watch(ngx_http_reel_create_t *c, reel_json_t *j)
{
    reel_err_t                 err;
    reel_buf_t                 path, query;
    ngx_http_core_loc_conf_t  *clcf;

    clcf = ngx_http_get_module_loc_conf(c->request, ngx_http_core_module);

    reel_buf_init(&path, NGX_HTTP_REEL_URL_MAX);
    reel_buf_init(&query, 0);          /* the signature is all of it */

    reel_buf_add(&path, clcf->name.data, clcf->name.len);
    if (clcf->name.len == 0 || clcf->name.data[clcf->name.len - 1] != '/') {
        reel_buf_addz(&path, "/");
    }
    reel_buf_addz(&path, "assets/");
    reel_buf_addz(&path, c->asset);

    err = ngx_http_reel_create_sign(c, j, "status_url", "GET", &path, &query);

    reel_buf_addz(&path, "/events");

    if (err == REEL_OK) {
        err = ngx_http_reel_create_sign(c, j, "events_url", "GET", &path,
                                        &query);
    }

    reel_buf_release(&path);

    return err;
}


/* a path of it stays as it is on its way: no part empty, "." or ".." */
static ngx_uint_t
ngx_http_reel_create_plain(const char *name)
{
    reel_str_t  part, rest;

    rest = reel_str(name);

    while (rest.p) {
        part = reel_str_cut(rest, '/', &rest);

        if (part.len == 0 || reel_str_eqz(part, ".")
            || reel_str_eqz(part, ".."))
        {
            return 0;
        }
    }

    return 1;
}


static void
ngx_http_reel_create_query(ngx_http_reel_create_t *c, reel_buf_t *b)
{
    char  number[NGX_INT64_LEN + 1];

    ngx_http_reel_create_param(b, "reel-asset", c->asset);
    ngx_http_reel_create_param(b, "reel-type", c->content_type);
    ngx_http_reel_create_param(b, "reel-pipeline", c->pipeline);
    ngx_http_reel_create_param(b, "reel-sha256", c->sha256);
    ngx_http_reel_create_param(b, "reel-meta", c->meta);

    if (c->max_bytes) {
        (void) ngx_snprintf((u_char *) number, sizeof(number), "%L%Z",
                            (int64_t) c->max_bytes);
        ngx_http_reel_create_param(b, "reel-max-bytes", number);
    }

    if (c->max_duration) {
        (void) ngx_snprintf((u_char *) number, sizeof(number), "%L%Z",
                            (int64_t) c->max_duration);
        ngx_http_reel_create_param(b, "reel-max-duration", number);
    }
}


static void
ngx_http_reel_create_param(reel_buf_t *b, const char *name, const char *value)
{
    if (value == NULL) {
        return;
    }

    if (b->len) {
        reel_buf_addz(b, "&");
    }

    reel_buf_addz(b, name);
    reel_buf_addz(b, "=");
    reel_uri_encode(b, reel_str(value), false);
}


/* prints the URL under the key; LIMIT: longer than nginx would take it */
static reel_err_t
ngx_http_reel_create_sign(ngx_http_reel_create_t *c, reel_json_t *j,
    const char *key, const char *method, reel_buf_t *path, reel_buf_t *query)
{
    size_t                     host;
    reel_err_t                 err;
    reel_buf_t                 url;
    ngx_http_request_t        *r;
    reel_sigv4_header_t        header;
    reel_sigv4_request_t       rq;
    ngx_http_core_srv_conf_t  *cscf;

    r = c->request;
    cscf = ngx_http_get_module_srv_conf(r, ngx_http_core_module);

    if (r->headers_in.host == NULL) {
        return REEL_INVAL;
    }

    header.name = REEL_STR("host");
    header.value.p = (char *) r->headers_in.host->value.data;
    header.value.len = r->headers_in.host->value.len;

    ngx_memzero(&rq, sizeof(reel_sigv4_request_t));
    rq.method = reel_str(method);
    rq.path.p = (char *) path->data;
    rq.path.len = path->len;
    rq.query.p = query->len ? (char *) query->data : "";
    rq.query.len = query->len;
    rq.headers = &header;
    rq.nheaders = 1;

    reel_buf_init(&url, NGX_HTTP_REEL_URL_MAX);
    ngx_http_reel_create_origin(r, &url);
    host = url.len;
    reel_buf_adds(&url, rq.path);
    reel_buf_addz(&url, "?");

    err = ngx_http_reel_create_presign(c, &url, &rq);

    if (err == REEL_OK
        && ngx_strlen(method) + sizeof("  HTTP/1.1\r\n") - 1
           + url.len - host
           > cscf->large_client_header_buffers.size)
    {
        /* nginx's own answer would be 414 */
        err = REEL_LIMIT;
    }

    if (err == REEL_OK) {
        reel_json_key(j, key);
        reel_json_str(j, (reel_str_t) { (char *) url.data, url.len });
    }

    reel_buf_release(&url);

    return err;
}


/* scheme and host as the client has them */
static void
ngx_http_reel_create_origin(ngx_http_request_t *r, reel_buf_t *url)
{
#if (NGX_HTTP_SSL)
    reel_buf_addz(url, r->connection->ssl ? "https://" : "http://");
#else
    reel_buf_addz(url, "http://");
#endif
    reel_buf_add(url, r->headers_in.host->value.data,
                 r->headers_in.host->value.len);
}


/* adds the query, signed by the caller's own key */
static reel_err_t
ngx_http_reel_create_presign(ngx_http_reel_create_t *c, reel_buf_t *url,
    const reel_sigv4_request_t *rq)
{
    reel_err_t           err;
    reel_sigv4_signer_t  signer;

    ngx_memzero(&signer, sizeof(reel_sigv4_signer_t));
    signer.access_key = reel_str(c->api->auth.key->id);
    signer.secret = reel_str(c->api->auth.key->secret);
    signer.session_token = REEL_STR("");
    signer.region = REEL_STR("us-east-1");
    signer.service = REEL_STR("s3");
    signer.time_s = ngx_time();
    signer.expires_s = c->expires;

    err = reel_sigv4_presign(url, rq, &signer, REEL_STR(""));

    return err != REEL_OK ? err : reel_buf_err(url);
}
