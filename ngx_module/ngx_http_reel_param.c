/* what each signed parameter of an upload sets */

#include "ngx_module/ngx_http_reel_params.h"

#include "lib/base/hex.h"


static ngx_int_t ngx_http_reel_param_max_bytes(ngx_http_reel_door_t *door,
    char *value);
static ngx_int_t ngx_http_reel_param_max_duration(ngx_http_reel_door_t *door,
    char *value);
static ngx_int_t ngx_http_reel_param_type(ngx_http_reel_door_t *door,
    char *value);
static ngx_int_t ngx_http_reel_param_sha256(ngx_http_reel_door_t *door,
    char *value);
static ngx_int_t ngx_http_reel_param_name(ngx_http_reel_door_t *door,
    char *value);
static ngx_int_t ngx_http_reel_param_pipeline(ngx_http_reel_door_t *door,
    char *value);
static ngx_int_t ngx_http_reel_param_meta(ngx_http_reel_door_t *door,
    char *value);
static ngx_int_t ngx_http_reel_param_asset(ngx_http_reel_door_t *door,
    char *value);
static ngx_int_t ngx_http_reel_param_other(ngx_http_reel_door_t *door,
    char *value);


const ngx_http_reel_param_t  ngx_http_reel_params[] = {
    { "reel-max-bytes", 20, ngx_http_reel_param_max_bytes },
    { "reel-max-duration", 20, ngx_http_reel_param_max_duration },
    { "reel-type", 255, ngx_http_reel_param_type },
    { "reel-sha256", 2 * REEL_SHA256_LEN, ngx_http_reel_param_sha256 },
    { "reel-name", NGX_HTTP_REEL_NAME_MAX, ngx_http_reel_param_name },
    { "reel-pipeline", 32, ngx_http_reel_param_pipeline },
    { "reel-meta", NGX_HTTP_REEL_VALUE_MAX, ngx_http_reel_param_meta },
    { "reel-asset", REEL_ULID_LEN, ngx_http_reel_param_asset },

    /* other calls of S3: to store their bodies as objects would be wrong */
    { "acl", NGX_HTTP_REEL_VALUE_MAX, ngx_http_reel_param_other },
    { "tagging", NGX_HTTP_REEL_VALUE_MAX, ngx_http_reel_param_other },
    { "retention", NGX_HTTP_REEL_VALUE_MAX, ngx_http_reel_param_other },
    { "legal-hold", NGX_HTTP_REEL_VALUE_MAX, ngx_http_reel_param_other },

    { NULL, 0, NULL }
};


static ngx_int_t
ngx_http_reel_param_max_bytes(ngx_http_reel_door_t *door, char *value)
{
    uint64_t  v;

    if (reel_str_u64(reel_str(value), INT64_MAX, &v) != REEL_OK || v == 0) {
        return ngx_http_reel_params_bad(door, "reel-max-bytes is not a number "
                                        "of bytes");
    }

    if (door->max == 0 || v < door->max) {
        door->max = v;
        door->max_name = "reel-max-bytes";
    }

    return NGX_DECLINED;
}


static ngx_int_t
ngx_http_reel_param_max_duration(ngx_http_reel_door_t *door, char *value)
{
    if (reel_str_u64(reel_str(value), UINT32_MAX,
                     &door->facts.request.max_duration_s)
        != REEL_OK
        || door->facts.request.max_duration_s == 0)
    {
        return ngx_http_reel_params_bad(door, "reel-max-duration is not a "
                                        "number of seconds");
    }

    return NGX_DECLINED;
}


static ngx_int_t
ngx_http_reel_param_type(ngx_http_reel_door_t *door, char *value)
{
    if (door->facts.partial) {
        /* what it will be part of has a type */
        return NGX_DECLINED;
    }

    if (door->facts.request.content_type == NULL
        || ngx_strcmp(value, door->facts.request.content_type) != 0)
    {
        return ngx_http_reel_params_refuse(door, NGX_HTTP_BAD_REQUEST,
                                           "InvalidRequest", "the content "
                                           "type is not the signed "
                                           "reel-type");
    }

    return NGX_DECLINED;
}


static ngx_int_t
ngx_http_reel_param_sha256(ngx_http_reel_door_t *door, char *value)
{
    char     hex[2 * REEL_SHA256_LEN + 1];
    uint8_t  sum[REEL_SHA256_LEN];

    if (reel_unhex(sum, sizeof(sum), reel_str(value)) != REEL_OK) {
        return ngx_http_reel_params_bad(door, "reel-sha256 is not 64 hex "
                                        "digits");
    }

    reel_hex(hex, sum, sizeof(sum));

    if (door->facts.expect[0] && ngx_strcmp(hex, door->facts.expect) != 0) {
        return ngx_http_reel_params_bad(door, "reel-sha256 and "
                                        "x-amz-content-sha256 differ");
    }

    ngx_memcpy(door->facts.expect, hex, sizeof(hex));

    return NGX_DECLINED;
}


static ngx_int_t
ngx_http_reel_param_name(ngx_http_reel_door_t *door, char *value)
{
    if (value[0]) {
        door->facts.request.name = value;
    }

    return NGX_DECLINED;
}


static ngx_int_t
ngx_http_reel_param_pipeline(ngx_http_reel_door_t *door, char *value)
{
    ngx_http_reel_loc_conf_t  *rlcf;

    rlcf = ngx_http_get_module_loc_conf(door->request, ngx_http_reel_module);

    if (!ngx_http_reel_conf_has_pipeline(rlcf, value)) {
        return ngx_http_reel_params_bad(door, "reel-pipeline names no "
                                        "pipeline of reel_pipelines");
    }

    door->facts.request.pipeline = value;

    return NGX_DECLINED;
}


static ngx_int_t
ngx_http_reel_param_meta(ngx_http_reel_door_t *door, char *value)
{
    reel_err_t     err;
    reel_meta_t    meta;
    reel_error_t   e;

    ngx_memzero(&meta, sizeof(reel_meta_t));
    e.text[0] = '\0';

    err = reel_meta_parse(&meta, value, ngx_strlen(value), &e);
    reel_meta_release(&meta);

    if (err != REEL_OK) {
        return ngx_http_reel_params_bad(door, e.text[0] ? e.text
                                        : "reel-meta is not a JSON object");
    }

    door->facts.request.meta = value;

    return NGX_DECLINED;
}


static ngx_int_t
ngx_http_reel_param_asset(ngx_http_reel_door_t *door, char *value)
{
    if (!reel_ulid_valid(reel_str(value))) {
        return ngx_http_reel_params_bad(door, "reel-asset is not an asset id");
    }

    ngx_memcpy(door->asset, value, REEL_ULID_LEN + 1);
    door->fixed = 1;

    return NGX_DECLINED;
}


static ngx_int_t
ngx_http_reel_param_other(ngx_http_reel_door_t *door, char *value)
{
    return ngx_http_reel_params_refuse(door, NGX_HTTP_NOT_IMPLEMENTED,
                                       "NotImplemented", "this subresource "
                                       "of S3 is not taken here");
}
