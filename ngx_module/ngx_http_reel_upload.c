/* the reel_upload location: which door, which operation */

#include "ngx_module/ngx_http_reel_ietf.h"
#include "ngx_module/ngx_http_reel_tus.h"

#include "lib/auth/query.h"


#define NGX_HTTP_REEL_UPLOADS  ".uploads/"

#define NGX_HTTP_REEL_UPLOAD_METHODS                                          \
    "GET, HEAD, PUT, POST, PATCH, DELETE, OPTIONS"


typedef struct {
    ngx_http_reel_place_e   place;
    ngx_uint_t              methods;
    const char             *arg;        /* a query parameter, NULL: none */
    ngx_http_reel_op_pt     op;
} ngx_http_reel_route_t;


static ngx_int_t ngx_http_reel_upload_options(ngx_http_request_t *r);
static ngx_http_reel_door_t *ngx_http_reel_upload_new(ngx_http_request_t *r);
static void ngx_http_reel_upload_cleanup(void *data);
static ngx_int_t ngx_http_reel_upload_path(ngx_http_reel_door_t *door);
static ngx_int_t ngx_http_reel_upload_rest(ngx_http_reel_door_t *door,
    ngx_str_t *rest);
static ngx_int_t ngx_http_reel_upload_split(ngx_http_reel_door_t *door,
    ngx_str_t *rest);
static ngx_int_t ngx_http_reel_upload_own(ngx_http_request_t *r,
    ngx_str_t *s);
static ngx_int_t ngx_http_reel_upload_door(ngx_http_reel_door_t *door,
    ngx_http_reel_op_pt *op);
static ngx_http_reel_op_pt ngx_http_reel_upload_route(
    ngx_http_reel_door_t *door, const ngx_http_reel_route_t *route,
    ngx_uint_t method);
static ngx_int_t ngx_http_reel_upload_auth(ngx_http_reel_door_t *door);


/* S3 by place, method and the subresource in the query; first match wins */
static const ngx_http_reel_route_t  ngx_http_reel_s3_routes[] = {

    { NGX_HTTP_REEL_AT_KEY, NGX_HTTP_PUT, "uploadId", ngx_http_reel_part_put },
    { NGX_HTTP_REEL_AT_KEY, NGX_HTTP_PUT, "partNumber",
      ngx_http_reel_part_put },
    { NGX_HTTP_REEL_AT_KEY, NGX_HTTP_PUT, NULL, ngx_http_reel_put_object },
    { NGX_HTTP_REEL_AT_KEY, NGX_HTTP_POST, "uploads",
      ngx_http_reel_multipart_create },
    { NGX_HTTP_REEL_AT_KEY, NGX_HTTP_POST, "uploadId",
      ngx_http_reel_multipart_complete },
    { NGX_HTTP_REEL_AT_KEY, NGX_HTTP_DELETE, "uploadId",
      ngx_http_reel_multipart_abort },
    { NGX_HTTP_REEL_AT_KEY, NGX_HTTP_GET, "uploadId",
      ngx_http_reel_s3_list_parts },
    { NGX_HTTP_REEL_AT_KEY, NGX_HTTP_HEAD, NULL,
      ngx_http_reel_s3_head_object },
    { NGX_HTTP_REEL_AT_KEY, NGX_HTTP_GET|NGX_HTTP_DELETE, NULL,
      ngx_http_reel_s3_object },
    { NGX_HTTP_REEL_AT_BUCKET, NGX_HTTP_GET, "uploads",
      ngx_http_reel_s3_list_uploads },
    { NGX_HTTP_REEL_AT_BUCKET, NGX_HTTP_GET|NGX_HTTP_HEAD|NGX_HTTP_PUT, NULL,
      ngx_http_reel_s3_bucket },
    { NGX_HTTP_REEL_AT_ROOT, NGX_HTTP_GET, NULL, ngx_http_reel_s3_buckets },

    { 0, 0, NULL, NULL }
};


static const ngx_http_reel_route_t  ngx_http_reel_tus_routes[] = {

    { NGX_HTTP_REEL_AT_BUCKET, NGX_HTTP_POST, NULL, ngx_http_reel_tus_create },
    { NGX_HTTP_REEL_AT_KEY, NGX_HTTP_POST, NULL, ngx_http_reel_tus_create },
    { NGX_HTTP_REEL_AT_UPLOAD, NGX_HTTP_HEAD, NULL, ngx_http_reel_tus_head },
    { NGX_HTTP_REEL_AT_UPLOAD, NGX_HTTP_PATCH, NULL,
      ngx_http_reel_tus_patch },
    { NGX_HTTP_REEL_AT_UPLOAD, NGX_HTTP_DELETE, NULL,
      ngx_http_reel_tus_delete },

    { 0, 0, NULL, NULL }
};


static const ngx_http_reel_route_t  ngx_http_reel_ietf_routes[] = {

    { NGX_HTTP_REEL_AT_BUCKET, NGX_HTTP_POST|NGX_HTTP_PUT|NGX_HTTP_PATCH,
      NULL, ngx_http_reel_ietf_create },
    { NGX_HTTP_REEL_AT_KEY, NGX_HTTP_POST|NGX_HTTP_PUT|NGX_HTTP_PATCH,
      NULL, ngx_http_reel_ietf_create },
    { NGX_HTTP_REEL_AT_UPLOAD, NGX_HTTP_HEAD|NGX_HTTP_GET, NULL,
      ngx_http_reel_ietf_head },
    { NGX_HTTP_REEL_AT_UPLOAD, NGX_HTTP_PATCH, NULL,
      ngx_http_reel_ietf_append },
    { NGX_HTTP_REEL_AT_UPLOAD, NGX_HTTP_DELETE, NULL,
      ngx_http_reel_ietf_cancel },

    { 0, 0, NULL, NULL }
};


ngx_int_t
ngx_http_reel_upload_handler(ngx_http_request_t *r)
{
    ngx_int_t              rc;
    ngx_http_reel_op_pt    op;
    ngx_http_reel_door_t  *door;

    if (r->method == NGX_HTTP_OPTIONS) {
        return ngx_http_reel_upload_options(r);
    }

    if (r->request_body) {
        /* who read it left it in memory or in a file: mirror, … */
        return ngx_http_reel_error(r, NGX_HTTP_REEL_S3,
                                   NGX_HTTP_INTERNAL_SERVER_ERROR,
                                   "InternalError", "another module of this "
                                   "location reads the body before it can "
                                   "be stored", 0);
    }

    door = ngx_http_reel_upload_new(r);
    if (door == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    rc = ngx_http_reel_upload_path(door);
    if (rc != NGX_DECLINED) {
        return rc;
    }

    rc = ngx_http_reel_upload_door(door, &op);
    if (rc != NGX_DECLINED) {
        return rc;
    }

    if (op == NULL) {
        return ngx_http_reel_error(r, door->form, NGX_HTTP_NOT_ALLOWED,
                                   "MethodNotAllowed", "there is no such "
                                   "operation on this path", 0);
    }

    rc = ngx_http_reel_upload_auth(door);
    if (rc != NGX_DECLINED) {
        return rc;
    }

    /* the operation's reference: given back by whom ends the request */
    r->main->count++;

    rc = op(door);

    if (rc != NGX_DONE) {
        r->main->count--;
    }

    return rc;
}


static ngx_int_t
ngx_http_reel_upload_options(ngx_http_request_t *r)
{
    if (ngx_http_reel_tus_discover(r) != NGX_OK
        || ngx_http_reel_ietf_discover(r) != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_reel_preflight(r, NGX_HTTP_REEL_UPLOAD_METHODS);
}


/* the request's, and cleaned up with it */
static ngx_http_reel_door_t *
ngx_http_reel_upload_new(ngx_http_request_t *r)
{
    ngx_pool_cleanup_t        *cln;
    ngx_http_reel_ctx_t       *ctx;
    ngx_http_reel_door_t      *door;
    ngx_http_reel_loc_conf_t  *rlcf;

    rlcf = ngx_http_get_module_loc_conf(r, ngx_http_reel_module);

    ctx = ngx_http_reel_get_ctx(r);
    cln = ngx_pool_cleanup_add(r->pool, sizeof(ngx_http_reel_door_t));
    if (ctx == NULL || cln == NULL) {
        return NULL;
    }

    door = cln->data;
    ngx_memzero(door, sizeof(ngx_http_reel_door_t));
    cln->handler = ngx_http_reel_upload_cleanup;
    ctx->data = door;

    door->request = r;
    door->store = rlcf->upload_sync == NGX_HTTP_REEL_SYNC_OFF
                  ? reel_store_fs_unsynced(rlcf->store) : rlcf->store;
    door->form = NGX_HTTP_REEL_S3;
    door->length = r->headers_in.content_length_n < 0
                   ? REEL_UPLOAD_UNKNOWN
                   : (uint64_t) r->headers_in.content_length_n;

    return door;
}


/* the client went away while nothing of it was in the pool */
static void
ngx_http_reel_upload_cleanup(void *data)
{
    ngx_http_reel_door_t  *door = data;

    ngx_uint_t  i;

    ngx_http_reel_wake_unwatch(&door->wake);

    if (door->upload && door->upload->facts.door == REEL_UPLOAD_PUT) {
        ngx_http_reel_put_forsake(door);
        ngx_http_reel_door_tell(door);
    }

    reel_upload_close(door->upload);
    door->upload = NULL;

    for (i = 0; i < door->nchecks; i++) {
        reel_sum_release(&door->checks[i].sum);
    }
}


/* ---- the path ---- */

static ngx_int_t
ngx_http_reel_upload_path(ngx_http_reel_door_t *door)
{
    ngx_int_t  rc;
    ngx_str_t  rest;

    ngx_str_null(&rest);

    rc = ngx_http_reel_upload_rest(door, &rest);

    return rc == NGX_DECLINED ? ngx_http_reel_upload_split(door, &rest) : rc;
}


/*
 * What follows the location's prefix, decoded once, as it was signed: a key
 * such as "../a//b" is data.  Where a rewrite changed the path, nginx's own
 * form of it is all there is.
 */
static ngx_int_t
ngx_http_reel_upload_rest(ngx_http_reel_door_t *door, ngx_str_t *rest)
{
    u_char                    *end;
    reel_buf_t                 b;
    reel_str_t                 wire;
    ngx_str_t                 *name;
    ngx_http_request_t        *r;
    ngx_http_core_loc_conf_t  *clcf;

    r = door->request;
    clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);
    name = &clcf->name;

    end = ngx_strlchr(r->unparsed_uri.data,
                      r->unparsed_uri.data + r->unparsed_uri.len, '?');

    wire.p = (char *) r->unparsed_uri.data;
    wire.len = end ? (size_t) (end - r->unparsed_uri.data)
                   : r->unparsed_uri.len;

    reel_buf_init(&b, wire.len + 1);

    if (reel_uri_decode(&b, wire) != REEL_OK || reel_buf_err(&b) != REEL_OK) {
        reel_buf_release(&b);
        return ngx_http_reel_params_bad(door, "the path is not well encoded");
    }

    if (b.len >= name->len && ngx_memcmp(b.data, name->data, name->len) == 0) {
        rest->len = b.len - name->len;
        rest->data = ngx_pnalloc(r->pool, rest->len + 1);

        if (rest->data != NULL) {
            ngx_memcpy(rest->data, b.data + name->len, rest->len);
        }

    } else if (r->uri.len >= name->len) {
        rest->len = r->uri.len - name->len;
        rest->data = r->uri.data + name->len;

    } else {
        rest->len = 0;
        rest->data = r->uri.data;
    }

    reel_buf_release(&b);

    return rest->data ? NGX_DECLINED : NGX_HTTP_INTERNAL_SERVER_ERROR;
}


static ngx_int_t
ngx_http_reel_upload_split(ngx_http_reel_door_t *door, ngx_str_t *rest)
{
    size_t    prefix;
    u_char   *p, *last;

    p = rest->data;
    last = p + rest->len;

    if (p < last && *p == '/') {
        /* of a location without one at its end */
        p++;
    }

    door->bucket.data = p;
    p = ngx_strlchr(p, last, '/');

    door->bucket.len = (p ? p : last) - door->bucket.data;
    door->key.data = p ? p + 1 : last;
    door->key.len = last - door->key.data;

    if (door->key.len > NGX_HTTP_REEL_NAME_MAX) {
        return ngx_http_reel_params_bad(door, "the name is longer than 1024 "
                                        "bytes");
    }

    if (ngx_http_reel_upload_own(door->request, &door->bucket) != NGX_OK
        || ngx_http_reel_upload_own(door->request, &door->key) != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    prefix = sizeof(NGX_HTTP_REEL_UPLOADS) - 1;

    if (door->bucket.len == 0) {
        door->place = NGX_HTTP_REEL_AT_ROOT;

    } else if (door->key.len == 0) {
        door->place = NGX_HTTP_REEL_AT_BUCKET;

    } else if (ngx_strncmp(door->key.data, NGX_HTTP_REEL_UPLOADS, prefix)
               == 0)
    {
        door->place = NGX_HTTP_REEL_AT_UPLOAD;
        door->id.data = door->key.data + prefix;
        door->id.len = door->key.len - prefix;

    } else {
        door->place = NGX_HTTP_REEL_AT_KEY;
    }

    return NGX_DECLINED;
}


/* a terminated copy */
static ngx_int_t
ngx_http_reel_upload_own(ngx_http_request_t *r, ngx_str_t *s)
{
    u_char  *p;

    p = ngx_pnalloc(r->pool, s->len + 1);
    if (p == NULL) {
        return NGX_ERROR;
    }

    *ngx_cpymem(p, s->data, s->len) = '\0';
    s->data = p;

    return NGX_OK;
}


/* ---- the operation ---- */

/* which protocol is spoken, and what is asked of it */
static ngx_int_t
ngx_http_reel_upload_door(ngx_http_reel_door_t *door,
    ngx_http_reel_op_pt *op)
{
    ngx_int_t            rc;
    ngx_http_request_t  *r;

    r = door->request;

    if (ngx_http_reel_ietf_speaks(door)) {
        door->form = NGX_HTTP_REEL_PROBLEM;
        door->facts.door = REEL_UPLOAD_IETF;
        *op = ngx_http_reel_upload_route(door, ngx_http_reel_ietf_routes,
                                         r->method);
        return NGX_DECLINED;
    }

    if (ngx_http_reel_tus_speaks(door)) {
        rc = ngx_http_reel_tus_begin(door);

        door->facts.door = REEL_UPLOAD_TUS;
        *op = ngx_http_reel_upload_route(door, ngx_http_reel_tus_routes,
                                         ngx_http_reel_tus_method(r));
        return rc;
    }

    *op = ngx_http_reel_upload_route(door, ngx_http_reel_s3_routes,
                                     r->method);

    return NGX_DECLINED;
}


static ngx_http_reel_op_pt
ngx_http_reel_upload_route(ngx_http_reel_door_t *door,
    const ngx_http_reel_route_t *route, ngx_uint_t method)
{
    reel_str_t  query, value;

    query.p = (char *) door->request->args.data;
    query.len = door->request->args.len;

    for ( /* void */ ; route->op; route++) {

        if (route->place == door->place && (route->methods & method)
            && (route->arg == NULL
                || reel_query_get(query, route->arg, &value)))
        {
            return route->op;
        }
    }

    return NULL;
}


/* an upload's own URL is what authorises what follows its creation */
static ngx_int_t
ngx_http_reel_upload_auth(ngx_http_reel_door_t *door)
{
    ngx_int_t   rc;
    reel_str_t  bucket;

    if (door->place == NGX_HTTP_REEL_AT_UPLOAD) {
        return NGX_DECLINED;
    }

    rc = ngx_http_reel_auth(door->request, door->form, 0, NULL, &door->auth);
    if (rc != NGX_OK || door->request->header_sent) {
        return rc;
    }

    bucket.p = (char *) door->bucket.data;
    bucket.len = door->bucket.len;

    if (door->place == NGX_HTTP_REEL_AT_ROOT
        || reel_access_key_has_bucket(door->auth.key, bucket))
    {
        return NGX_DECLINED;
    }

    return ngx_http_reel_params_refuse(door, NGX_HTTP_NOT_FOUND,
                                       "NoSuchBucket", "the access key has "
                                       "no such bucket");
}
