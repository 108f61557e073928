/*
 * What a request that creates an upload says of it: the signed reel-*
 * parameters, its headers, and what the location sets where they are silent.
 * A parameter that is not known is refused: a limit with a slip of the pen
 * must not be none.
 */

#include "ngx_module/ngx_http_reel_params.h"

#include <sys/random.h>

#include "lib/auth/query.h"
#include "lib/base/hex.h"


#define NGX_HTTP_REEL_PARAM_MAX   64        /* bytes of a name */


static ngx_int_t ngx_http_reel_params_ids(ngx_http_reel_door_t *door);
static ngx_int_t ngx_http_reel_params_origin(ngx_http_reel_door_t *door);
static ngx_int_t ngx_http_reel_params_query(ngx_http_reel_door_t *door);
static ngx_uint_t ngx_http_reel_params_foreign(ngx_http_reel_door_t *door,
    const char *name);
static ngx_int_t ngx_http_reel_params_value(ngx_http_reel_door_t *door,
    const ngx_http_reel_param_t *param, reel_str_t raw, char **value);


ngx_int_t
ngx_http_reel_door_params(ngx_http_reel_door_t *door)
{
    ngx_int_t                  rc;
    ngx_str_t                 *names;
    reel_request_t            *rq;
    ngx_http_request_t        *r;
    ngx_http_reel_loc_conf_t  *rlcf;

    r = door->request;
    rlcf = ngx_http_get_module_loc_conf(r, ngx_http_reel_module);

    if (ngx_http_reel_params_ids(door) != NGX_OK
        || ngx_http_reel_params_origin(door) != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    rq = &door->facts.request;
    rq->project = door->auth.key->project;
    rq->asset = door->asset;
    rq->pipeline = "default";

    if (rlcf->pipelines) {
        /* a configured name is terminated, as every argument is */
        names = rlcf->pipelines->elts;
        rq->pipeline = (char *) names[0].data;
    }

    /* a door whose protocol has a place of its own for these was here */
    if (rq->content_type == NULL && r->headers_in.content_type) {
        rq->content_type = (char *) r->headers_in.content_type->value.data;
    }

    if (rq->name == NULL) {
        rq->name = door->place == NGX_HTTP_REEL_AT_KEY
                   ? (char *) door->key.data : "upload";
    }

    door->facts.bucket = (char *) door->bucket.data;

    /* below a bucket alone it has none, and is the newest of none */
    if (door->place == NGX_HTTP_REEL_AT_KEY) {
        door->facts.key = (char *) door->key.data;
    }

    (void) ngx_cpystrn((u_char *) door->facts.access_key,
                       (u_char *) door->auth.key->id,
                       sizeof(door->facts.access_key));

    door->min_free = rlcf->upload_min_free;
    door->root = (char *) rlcf->root.data;

    door->max = rlcf->upload_max_size;
    door->max_name = "reel_upload_max_size";

    rc = ngx_http_reel_params_query(door);

    /* the least of all: it binds where the length is not known */
    door->facts.max_bytes = door->max;
    door->facts.expires_ms = rq->created_ms
                             + (int64_t) rlcf->upload_expires * 1000;

    return rc;
}


static ngx_int_t
ngx_http_reel_params_ids(ngx_http_reel_door_t *door)
{
    uint8_t               rnd[10 + REEL_UPLOAD_ID_LEN / 2];
    ngx_time_t           *tp;
    ngx_http_reel_ctx_t  *ctx;

    if (getrandom(rnd, sizeof(rnd), 0) != sizeof(rnd)) {
        return NGX_ERROR;
    }

    tp = ngx_timeofday();

    door->facts.request.created_ms = (int64_t) tp->sec * 1000 + tp->msec;

    reel_ulid(door->asset, door->facts.request.created_ms, rnd);
    reel_hex(door->facts.id, rnd + 10, REEL_UPLOAD_ID_LEN / 2);

    ctx = ngx_http_get_module_ctx(door->request, ngx_http_reel_module);
    ctx->asset.data = (u_char *) door->asset;
    ctx->asset.len = REEL_ULID_LEN;

    return NGX_OK;
}


/* what a repeated PutObject is known by */
static ngx_int_t
ngx_http_reel_params_origin(ngx_http_reel_door_t *door)
{
    uint8_t      sum[REEL_SHA256_LEN];
    reel_buf_t   b;
    reel_err_t   err;

    reel_buf_init(&b, 2 * NGX_HTTP_REEL_VALUE_MAX);

    reel_buf_addz(&b, door->auth.key->project);
    reel_buf_addz(&b, "\n");
    reel_buf_add(&b, door->bucket.data, door->bucket.len);
    reel_buf_addz(&b, "\n");
    reel_buf_add(&b, door->key.data, door->key.len);
    reel_buf_addz(&b, "\n");
    reel_buf_addz(&b, door->auth.signature);

    err = reel_buf_err(&b);

    if (err == REEL_OK) {
        err = reel_sha256(sum, b.data, b.len);
    }

    reel_buf_release(&b);

    if (err != REEL_OK) {
        return NGX_ERROR;
    }

    reel_hex(door->origin, sum, sizeof(sum));

    return NGX_OK;
}


void
ngx_http_reel_door_once(ngx_http_reel_door_t *door)
{
    const ngx_http_reel_auth_t  *auth;

    auth = &door->auth;

    if (auth->presigned
        || ngx_strlen(auth->payload_hash) == 2 * REEL_SHA256_LEN)
    {
        door->facts.origin = door->origin;
    }
}


static ngx_int_t
ngx_http_reel_params_query(ngx_http_reel_door_t *door)
{
    char                         *value, name[NGX_HTTP_REEL_PARAM_MAX];
    ngx_int_t                     rc;
    reel_buf_t                    b;
    reel_str_t                    query, raw_name, raw;
    const ngx_http_reel_param_t  *param;

    query.p = (char *) door->request->args.data;
    query.len = door->request->args.len;

    while (query.len && reel_query_next(&query, &raw_name, &raw)) {

        /* names are compared decoded, so that no escape hides one */
        reel_buf_init(&b, sizeof(name) - 1);
        name[0] = '\0';

        if (reel_uri_decode(&b, raw_name) == REEL_OK
            && reel_buf_err(&b) == REEL_OK)
        {
            (void) ngx_cpystrn((u_char *) name,
                               (u_char *) reel_buf_cstr(&b), sizeof(name));
        }

        reel_buf_release(&b);

        if (ngx_http_reel_params_foreign(door, name)) {
            return ngx_http_reel_params_bad(door, "uploadId, partNumber and "
                                            "uploads belong to S3's multipart "
                                            "uploads: they create no other");
        }

        for (param = ngx_http_reel_params; param->name; param++) {
            if (ngx_strcmp(name, param->name) == 0) {
                break;
            }
        }

        if (param->name == NULL) {
            if (ngx_strncmp(name, "reel-", sizeof("reel-") - 1) == 0) {
                return ngx_http_reel_params_bad(door, "the query has a reel- "
                                                "parameter that is not "
                                                "known");
            }

            continue;
        }

        rc = ngx_http_reel_params_value(door, param, raw, &value);

        if (rc == NGX_DECLINED) {
            rc = param->set(door, value);
        }

        if (rc != NGX_DECLINED) {
            return rc;
        }
    }

    return NGX_DECLINED;
}


/*
 * Who was given a URL for a part, or for the end of an upload, has no right
 * to another upload, which would be without the limits of the first.
 */
static ngx_uint_t
ngx_http_reel_params_foreign(ngx_http_reel_door_t *door, const char *name)
{
    if (ngx_strcmp(name, "uploads") == 0) {
        return door->form != NGX_HTTP_REEL_S3;
    }

    return ngx_strcmp(name, "uploadId") == 0
           || ngx_strcmp(name, "partNumber") == 0;
}


static ngx_int_t
ngx_http_reel_params_value(ngx_http_reel_door_t *door,
    const ngx_http_reel_param_t *param, reel_str_t raw, char **value)
{
    u_char       detail[96];
    reel_str_t   one;
    reel_err_t   err;
    reel_buf_t   pair;

    *value = ngx_pnalloc(door->request->pool, param->max + 1);
    if (*value == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    /* decoded as the signature had it */
    reel_buf_init(&pair, raw.len + 3);
    reel_buf_addz(&pair, "v=");
    reel_buf_adds(&pair, raw);

    err = reel_buf_err(&pair);

    if (err == REEL_OK) {
        one.p = (char *) pair.data;
        one.len = pair.len;
        err = reel_query_get_decoded(one, "v", *value, param->max + 1);
    }

    reel_buf_release(&pair);

    if (err == REEL_OK) {
        return NGX_DECLINED;
    }

    (void) ngx_snprintf(detail, sizeof(detail), "%s is %s%Z", param->name,
                        err == REEL_LIMIT ? "too long" : "not well encoded");

    return ngx_http_reel_params_bad(door, (char *) detail);
}


ngx_int_t
ngx_http_reel_params_bad(ngx_http_reel_door_t *door, const char *detail)
{
    return ngx_http_reel_params_refuse(door, NGX_HTTP_BAD_REQUEST,
                                       "InvalidArgument", detail);
}


ngx_int_t
ngx_http_reel_params_refuse(ngx_http_reel_door_t *door, ngx_uint_t status,
    const char *code, const char *detail)
{
    return ngx_http_reel_error(door->request, door->form, status, code,
                               detail, 0);
}
