/*
 * The module: directives, and what they inherit.  What each means stands in
 * docs/directives.md.
 */

#include "ngx_module/ngx_http_reel_fetch.h"
#include "ngx_module/ngx_http_reel_token.h"
#include "ngx_module/ngx_http_reel_wake.h"


static ngx_int_t ngx_http_reel_init(ngx_conf_t *cf);

static void *ngx_http_reel_create_main_conf(ngx_conf_t *cf);
static void *ngx_http_reel_create_loc_conf(ngx_conf_t *cf);
static char *ngx_http_reel_merge_loc_conf(ngx_conf_t *cf, void *parent,
    void *child);


static ngx_conf_post_t  ngx_http_reel_buffer_post =
    { ngx_http_reel_conf_buffer };

static ngx_conf_post_t  ngx_http_reel_path_post =
    { ngx_http_reel_conf_path };


static ngx_conf_post_t  ngx_http_reel_map_post =
    { ngx_http_reel_conf_map };

static ngx_conf_post_t  ngx_http_reel_pattern_post =
    { ngx_http_reel_conf_pattern };


static ngx_conf_enum_t  ngx_http_reel_syncs[] = {
    { ngx_string("off"), NGX_HTTP_REEL_SYNC_OFF },
    { ngx_string("always"), NGX_HTTP_REEL_SYNC_ALWAYS },
    { ngx_null_string, 0 }
};


static ngx_conf_enum_t  ngx_http_reel_dash_segments[] = {
    { ngx_string("timeline"), NGX_HTTP_REEL_DASH_TIMELINE },
    { ngx_string("duration"), NGX_HTTP_REEL_DASH_DURATION },
    { ngx_null_string, 0 }
};


static ngx_conf_enum_t  ngx_http_reel_containers[] = {
    { ngx_string("cmaf"), REEL_CONTAINER_CMAF },
    { ngx_string("ts"), REEL_CONTAINER_TS },
    { ngx_null_string, 0 }
};


static ngx_conf_enum_t  ngx_http_reel_tokens[] = {
    { ngx_string("off"), NGX_HTTP_REEL_TOKEN_OFF },
    { ngx_string("optional"), NGX_HTTP_REEL_TOKEN_OPTIONAL },
    { ngx_string("required"), NGX_HTTP_REEL_TOKEN_REQUIRED },
    { ngx_null_string, 0 }
};


#define NGX_HTTP_REEL_ANY_CONF                                               \
    (NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF)


static ngx_command_t  ngx_http_reel_commands[] = {

    { ngx_string("reel_store"),
      NGX_HTTP_REEL_ANY_CONF|NGX_CONF_TAKE1,
      ngx_http_reel_conf_store,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("reel_zone"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_http_reel_conf_zone,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("reel_access_keys"),
      NGX_HTTP_REEL_ANY_CONF|NGX_CONF_TAKE1,
      ngx_http_reel_conf_keys,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("reel_redis"),
      NGX_HTTP_REEL_ANY_CONF|NGX_CONF_1MORE,
      ngx_http_reel_redis_conf,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("reel_redis_timeout"),
      NGX_HTTP_REEL_ANY_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_msec_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_reel_loc_conf_t, redis_timeout),
      NULL },

    { ngx_string("reel_thread_pool"),
      NGX_HTTP_REEL_ANY_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_str_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_reel_loc_conf_t, thread_pool_name),
      NULL },

    { ngx_string("reel_upload"),
      NGX_HTTP_LOC_CONF|NGX_CONF_NOARGS,
      ngx_http_reel_location,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_reel_loc_conf_t, upload),
      ngx_http_reel_upload_handler },

    { ngx_string("reel_upload_max_size"),
      NGX_HTTP_REEL_ANY_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_off_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_reel_loc_conf_t, upload_max_size),
      NULL },

    { ngx_string("reel_upload_min_free"),
      NGX_HTTP_REEL_ANY_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_off_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_reel_loc_conf_t, upload_min_free),
      NULL },

    { ngx_string("reel_upload_buffer"),
      NGX_HTTP_REEL_ANY_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_size_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_reel_loc_conf_t, upload_buffer),
      &ngx_http_reel_buffer_post },

    { ngx_string("reel_upload_expires"),
      NGX_HTTP_REEL_ANY_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_sec_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_reel_loc_conf_t, upload_expires),
      NULL },

    { ngx_string("reel_upload_interim"),
      NGX_HTTP_REEL_ANY_CONF|NGX_CONF_FLAG,
      ngx_conf_set_flag_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_reel_loc_conf_t, upload_interim),
      NULL },

    { ngx_string("reel_upload_sync"),
      NGX_HTTP_REEL_ANY_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_enum_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_reel_loc_conf_t, upload_sync),
      &ngx_http_reel_syncs },

    { ngx_string("reel_pipelines"),
      NGX_HTTP_REEL_ANY_CONF|NGX_CONF_1MORE,
      ngx_http_reel_conf_pipelines,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("reel_api"),
      NGX_HTTP_LOC_CONF|NGX_CONF_NOARGS,
      ngx_http_reel_location,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_reel_loc_conf_t, api),
      ngx_http_reel_api_handler },

    { ngx_string("reel_api_upload_path"),
      NGX_HTTP_REEL_ANY_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_str_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_reel_loc_conf_t, api_upload_path),
      &ngx_http_reel_path_post },

    { ngx_string("reel_api_play_path"),
      NGX_HTTP_REEL_ANY_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_str_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_reel_loc_conf_t, api_play_path),
      &ngx_http_reel_path_post },

    { ngx_string("reel_play"),
      NGX_HTTP_LOC_CONF|NGX_CONF_NOARGS,
      ngx_http_reel_location,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_reel_loc_conf_t, play),
      ngx_http_reel_play_handler },

    { ngx_string("reel_play_files"),
      NGX_HTTP_LOC_CONF|NGX_CONF_NOARGS,
      ngx_http_reel_location,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_reel_loc_conf_t, files),
      ngx_http_reel_play_handler },

    { ngx_string("reel_play_upstream"),
      NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_str_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_reel_loc_conf_t, upstream),
      &ngx_http_reel_path_post },

    { ngx_string("reel_play_source"),
      NGX_HTTP_REEL_ANY_CONF|NGX_CONF_FLAG,
      ngx_conf_set_flag_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_reel_loc_conf_t, play_source),
      NULL },

    { ngx_string("reel_files_map"),
      NGX_HTTP_REEL_ANY_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_str_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_reel_loc_conf_t, files_map),
      &ngx_http_reel_map_post },

    { ngx_string("reel_files_pattern"),
      NGX_HTTP_REEL_ANY_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_str_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_reel_loc_conf_t, files_pattern),
      &ngx_http_reel_pattern_post },

    { ngx_string("reel_vod_compat"),
      NGX_HTTP_REEL_ANY_CONF|NGX_CONF_FLAG,
      ngx_conf_set_flag_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_reel_loc_conf_t, vod_compat),
      NULL },

    { ngx_string("reel_manifest_cache"),
      NGX_HTTP_REEL_ANY_CONF|NGX_CONF_FLAG,
      ngx_conf_set_flag_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_reel_loc_conf_t, manifest_cache),
      NULL },

    { ngx_string("reel_manifest_gzip"),
      NGX_HTTP_REEL_ANY_CONF|NGX_CONF_FLAG,
      ngx_conf_set_flag_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_reel_loc_conf_t, manifest_gzip),
      NULL },

    { ngx_string("reel_dash_segments"),
      NGX_HTTP_REEL_ANY_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_enum_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_reel_loc_conf_t, dash_segments),
      &ngx_http_reel_dash_segments },

    { ngx_string("reel_hls_segments"),
      NGX_HTTP_REEL_ANY_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_enum_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_reel_loc_conf_t, hls_segments),
      &ngx_http_reel_containers },

    { ngx_string("reel_encryption"),
      NGX_HTTP_REEL_ANY_CONF|NGX_CONF_TAKE1,
      ngx_http_reel_protect_scheme,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("reel_key_server"),
      NGX_HTTP_REEL_ANY_CONF|NGX_CONF_TAKE123,
      ngx_http_reel_protect_key_server,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("reel_master_keys"),
      NGX_HTTP_REEL_ANY_CONF|NGX_CONF_TAKE1,
      ngx_http_reel_protect_master_keys,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("reel_key_rotation"),
      NGX_HTTP_REEL_ANY_CONF|NGX_CONF_TAKE1,
      ngx_http_reel_protect_rotation,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("reel_key_delivery"),
      NGX_HTTP_REEL_ANY_CONF|NGX_CONF_FLAG,
      ngx_http_reel_protect_delivery,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("reel_key_uri"),
      NGX_HTTP_REEL_ANY_CONF|NGX_CONF_TAKE12,
      ngx_http_reel_protect_key_uri,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("reel_license_uri"),
      NGX_HTTP_REEL_ANY_CONF|NGX_CONF_TAKE1,
      ngx_http_reel_protect_license_uri,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("reel_drm"),
      NGX_HTTP_REEL_ANY_CONF|NGX_CONF_1MORE,
      ngx_http_reel_protect_drm,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("reel_cors_origin"),
      NGX_HTTP_REEL_ANY_CONF|NGX_CONF_TAKE1,
      ngx_http_reel_conf_cors,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("reel_token"),
      NGX_HTTP_REEL_ANY_CONF|NGX_HTTP_LIF_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_enum_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_reel_loc_conf_t, token),
      &ngx_http_reel_tokens },

    { ngx_string("reel_token_keys"),
      NGX_HTTP_REEL_ANY_CONF|NGX_CONF_TAKE1,
      ngx_http_reel_token_conf_keys,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("reel_token_from"),
      NGX_HTTP_REEL_ANY_CONF|NGX_CONF_1MORE,
      ngx_http_reel_token_conf_from,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("reel_token_audience"),
      NGX_HTTP_REEL_ANY_CONF|NGX_CONF_1MORE,
      ngx_http_reel_token_conf_audience,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("reel_token_country"),
      NGX_HTTP_REEL_ANY_CONF|NGX_CONF_TAKE1,
      ngx_http_set_complex_value_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_reel_loc_conf_t, token_country),
      NULL },

    { ngx_string("reel_token_below"),
      NGX_HTTP_REEL_ANY_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_str_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_reel_loc_conf_t, token_below),
      &ngx_http_reel_path_post },

    { ngx_string("reel_token_grace"),
      NGX_HTTP_REEL_ANY_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_sec_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_reel_loc_conf_t, token_grace),
      NULL },

      ngx_null_command
};


static ngx_http_module_t  ngx_http_reel_module_ctx = {
    ngx_http_reel_variable_add,            /* preconfiguration */
    ngx_http_reel_init,                    /* postconfiguration */

    ngx_http_reel_create_main_conf,        /* create main configuration */
    NULL,                                  /* init main configuration */

    NULL,                                  /* create server configuration */
    NULL,                                  /* merge server configuration */

    ngx_http_reel_create_loc_conf,         /* create location configuration */
    ngx_http_reel_merge_loc_conf           /* merge location configuration */
};


ngx_module_t  ngx_http_reel_module = {
    NGX_MODULE_V1,
    &ngx_http_reel_module_ctx,             /* module context */
    ngx_http_reel_commands,                /* module directives */
    NGX_HTTP_MODULE,                       /* module type */
    NULL,                                  /* init master */
    NULL,                                  /* init module */
    ngx_http_reel_wake_init,               /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    ngx_http_reel_wake_exit,               /* exit process */
    NULL,                                  /* exit master */
    NGX_MODULE_V1_PADDING
};


ngx_http_reel_ctx_t *
ngx_http_reel_get_ctx(ngx_http_request_t *r)
{
    ngx_http_reel_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_reel_module);

    if (ctx == NULL) {
        ctx = ngx_pcalloc(r->pool, sizeof(ngx_http_reel_ctx_t));
        if (ctx == NULL) {
            return NULL;
        }

        ngx_str_set(&ctx->status, "OK");
        ngx_http_set_ctx(r, ctx, ngx_http_reel_module);
    }

    return ctx;
}


ngx_int_t
ngx_http_reel_below_location(ngx_http_request_t *r, ngx_str_t *rest)
{
    ngx_str_t                 *name;
    ngx_http_core_loc_conf_t  *clcf;

    clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);

    name = &clcf->name;
    *rest = r->uri;

    if (name->len <= rest->len
        && ngx_strncmp(rest->data, name->data, name->len) == 0)
    {
        rest->data += name->len;
        rest->len -= name->len;

        if (name->len && name->data[name->len - 1] == '/') {
            return NGX_OK;
        }

        if (rest->len && rest->data[0] != '/') {
            return NGX_DECLINED;
        }
    }

    if (rest->len) {
        rest->data++;
        rest->len--;
    }

    return NGX_OK;
}


/* before the modules that nginx has of its own, as all that are loaded */
static ngx_int_t
ngx_http_reel_init(ngx_conf_t *cf)
{
    ngx_http_handler_pt        *h;
    ngx_http_core_main_conf_t  *cmcf;

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);

    h = ngx_array_push(&cmcf->phases[NGX_HTTP_REWRITE_PHASE].handlers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    *h = ngx_http_reel_token_carry;

    h = ngx_array_push(&cmcf->phases[NGX_HTTP_ACCESS_PHASE].handlers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    *h = ngx_http_reel_token_access;

    return ngx_http_reel_fetch_init(cf);
}


static void *
ngx_http_reel_create_main_conf(ngx_conf_t *cf)
{
    return ngx_pcalloc(cf->pool, sizeof(ngx_http_reel_main_conf_t));
}


static void *
ngx_http_reel_create_loc_conf(ngx_conf_t *cf)
{
    ngx_http_reel_loc_conf_t  *conf;

    conf = ngx_pcalloc(cf->pool, sizeof(ngx_http_reel_loc_conf_t));
    if (conf == NULL) {
        return NULL;
    }

    /*
     * set by ngx_pcalloc():
     *
     *     conf->root = { 0, NULL };
     *     conf->store = NULL;
     *     conf->upload = conf->api = conf->play = conf->files = 0;
     */

    conf->keys = NGX_CONF_UNSET_PTR;
    conf->redis = NGX_CONF_UNSET_PTR;
    conf->redis_timeout = NGX_CONF_UNSET_MSEC;
    conf->upload_max_size = NGX_CONF_UNSET;
    conf->upload_min_free = NGX_CONF_UNSET;
    conf->upload_interim = NGX_CONF_UNSET;
    conf->upload_sync = NGX_CONF_UNSET_UINT;
    conf->upload_buffer = NGX_CONF_UNSET_SIZE;
    conf->upload_expires = NGX_CONF_UNSET;
    conf->pipelines = NGX_CONF_UNSET_PTR;
    conf->manifest_cache = NGX_CONF_UNSET;
    conf->manifest_gzip = NGX_CONF_UNSET;
    conf->play_source = NGX_CONF_UNSET;
    conf->vod_compat = NGX_CONF_UNSET;
    conf->dash_segments = NGX_CONF_UNSET_UINT;
    conf->hls_segments = NGX_CONF_UNSET_UINT;
    conf->token = NGX_CONF_UNSET_UINT;
    conf->token_keys = NGX_CONF_UNSET_PTR;
    conf->token_from = NGX_CONF_UNSET_PTR;
    conf->token_audience = NGX_CONF_UNSET_PTR;
    conf->token_grace = NGX_CONF_UNSET;

    conf->protect = ngx_http_reel_protect_create(cf);
    if (conf->protect == NULL) {
        return NULL;
    }

    return conf;
}


static char *
ngx_http_reel_merge_loc_conf(ngx_conf_t *cf, void *parent, void *child)
{
    ngx_http_reel_loc_conf_t  *prev = parent;
    ngx_http_reel_loc_conf_t  *conf = child;

    if (conf->store == NULL) {
        conf->root = prev->root;
        conf->store = prev->store;
    }

    if (conf->cors_origin.data == NULL) {
        conf->cors_origin = prev->cors_origin;
    }

    if (conf->cors_origin.data == NULL) {
        ngx_str_set(&conf->cors_origin, "*");
    }

    ngx_conf_merge_ptr_value(conf->keys, prev->keys, NULL);
    ngx_conf_merge_ptr_value(conf->redis, prev->redis, NULL);
    ngx_conf_merge_msec_value(conf->redis_timeout, prev->redis_timeout, 500);
    ngx_conf_merge_str_value(conf->thread_pool_name, prev->thread_pool_name,
                             "default");
    ngx_conf_merge_off_value(conf->upload_max_size, prev->upload_max_size, 0);
    ngx_conf_merge_off_value(conf->upload_min_free, prev->upload_min_free, 0);
    ngx_conf_merge_value(conf->upload_interim, prev->upload_interim, 1);
    ngx_conf_merge_uint_value(conf->upload_sync, prev->upload_sync,
                              NGX_HTTP_REEL_SYNC_ALWAYS);
    ngx_conf_merge_size_value(conf->upload_buffer, prev->upload_buffer,
                              512 * 1024);
    ngx_conf_merge_sec_value(conf->upload_expires, prev->upload_expires,
                             24 * 3600);
    ngx_conf_merge_ptr_value(conf->pipelines, prev->pipelines, NULL);
    ngx_conf_merge_uint_value(conf->hls_segments, prev->hls_segments,
                              REEL_CONTAINER_CMAF);
    ngx_conf_merge_str_value(conf->api_upload_path, prev->api_upload_path,
                             "/upload/");
    ngx_conf_merge_str_value(conf->api_play_path, prev->api_play_path,
                             "/play/");
    ngx_conf_merge_value(conf->manifest_cache, prev->manifest_cache, 1);
    ngx_conf_merge_value(conf->manifest_gzip, prev->manifest_gzip, 1);
    ngx_conf_merge_value(conf->play_source, prev->play_source, 1);
    ngx_conf_merge_uint_value(conf->dash_segments, prev->dash_segments,
                              NGX_HTTP_REEL_DASH_TIMELINE);

    ngx_conf_merge_value(conf->vod_compat, prev->vod_compat, 0);
    ngx_conf_merge_str_value(conf->files_map, prev->files_map, "");
    ngx_conf_merge_str_value(conf->files_pattern, prev->files_pattern, "");

    ngx_http_reel_location_inherit(cf, prev, conf);

    if (ngx_http_reel_token_conf_merge(cf, prev, conf) != NGX_CONF_OK
        || ngx_http_reel_protect_merge(cf, prev, conf) != NGX_CONF_OK
        || ngx_http_reel_protect_check(cf, conf) != NGX_CONF_OK)
    {
        return NGX_CONF_ERROR;
    }

    if (conf->upload || conf->api || conf->play || conf->files) {
        return ngx_http_reel_location_check(cf, conf);
    }

    return NGX_CONF_OK;
}
