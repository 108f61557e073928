/*
 * Directives, configuration and variables.  What each means stands in
 * docs/directives.md.
 */

#include "ngx_module/ngx_http_reel_module.h"


#define NGX_HTTP_REEL_KEYS_MAX  (1024 * 1024)


static ngx_int_t ngx_http_reel_add_variables(ngx_conf_t *cf);
static ngx_int_t ngx_http_reel_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);

static void *ngx_http_reel_create_main_conf(ngx_conf_t *cf);
static void *ngx_http_reel_create_loc_conf(ngx_conf_t *cf);
static char *ngx_http_reel_merge_loc_conf(ngx_conf_t *cf, void *parent,
    void *child);
static char *ngx_http_reel_check_location(ngx_conf_t *cf,
    ngx_http_reel_loc_conf_t *conf);
static char *ngx_http_reel_store(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static void ngx_http_reel_store_cleanup(void *data);
static char *ngx_http_reel_zone(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_http_reel_access_keys(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static ngx_int_t ngx_http_reel_read_keys(ngx_conf_t *cf, ngx_str_t *file,
    reel_access_keys_t *keys);
static void ngx_http_reel_keys_cleanup(void *data);
static char *ngx_http_reel_pipelines(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_http_reel_cors_origin(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_http_reel_location(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_http_reel_check_buffer(ngx_conf_t *cf, void *post,
    void *data);
static char *ngx_http_reel_check_path(ngx_conf_t *cf, void *post,
    void *data);


static ngx_conf_post_t  ngx_http_reel_buffer_post =
    { ngx_http_reel_check_buffer };

static ngx_conf_post_t  ngx_http_reel_path_post =
    { ngx_http_reel_check_path };


#define NGX_HTTP_REEL_ANY_CONF                                               \
    (NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF)


static ngx_command_t  ngx_http_reel_commands[] = {

    { ngx_string("reel_store"),
      NGX_HTTP_REEL_ANY_CONF|NGX_CONF_TAKE1,
      ngx_http_reel_store,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("reel_zone"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_http_reel_zone,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("reel_access_keys"),
      NGX_HTTP_REEL_ANY_CONF|NGX_CONF_TAKE1,
      ngx_http_reel_access_keys,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("reel_redis"),
      NGX_HTTP_REEL_ANY_CONF|NGX_CONF_TAKE123,
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

    { ngx_string("reel_upload_buffer"),
      NGX_HTTP_REEL_ANY_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_size_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_reel_loc_conf_t, upload_buffer),
      &ngx_http_reel_buffer_post },

    { ngx_string("reel_pipelines"),
      NGX_HTTP_REEL_ANY_CONF|NGX_CONF_1MORE,
      ngx_http_reel_pipelines,
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

    { ngx_string("reel_cors_origin"),
      NGX_HTTP_REEL_ANY_CONF|NGX_CONF_TAKE1,
      ngx_http_reel_cors_origin,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

      ngx_null_command
};


static ngx_http_module_t  ngx_http_reel_module_ctx = {
    ngx_http_reel_add_variables,           /* preconfiguration */
    NULL,                                  /* postconfiguration */

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
    NULL,                                  /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    NULL,                                  /* exit process */
    NULL,                                  /* exit master */
    NGX_MODULE_V1_PADDING
};


static ngx_http_variable_t  ngx_http_reel_vars[] = {

    { ngx_string("reel_asset"), NULL, ngx_http_reel_variable,
      offsetof(ngx_http_reel_ctx_t, asset), NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("reel_rendition"), NULL, ngx_http_reel_variable,
      offsetof(ngx_http_reel_ctx_t, rendition), NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("reel_segment"), NULL, ngx_http_reel_variable,
      offsetof(ngx_http_reel_ctx_t, segment), NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("reel_status"), NULL, ngx_http_reel_variable,
      offsetof(ngx_http_reel_ctx_t, status), NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("reel_cache_status"), NULL, ngx_http_reel_variable,
      offsetof(ngx_http_reel_ctx_t, cache_status), NGX_HTTP_VAR_NOCACHEABLE,
      0 },

      ngx_http_null_variable
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


static ngx_int_t
ngx_http_reel_add_variables(ngx_conf_t *cf)
{
    ngx_http_variable_t  *var, *v;

    for (v = ngx_http_reel_vars; v->name.len; v++) {
        var = ngx_http_add_variable(cf, &v->name, v->flags);
        if (var == NULL) {
            return NGX_ERROR;
        }

        var->get_handler = v->get_handler;
        var->data = v->data;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_reel_variable(ngx_http_request_t *r, ngx_http_variable_value_t *v,
    uintptr_t data)
{
    ngx_str_t            *s;
    ngx_http_reel_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_reel_module);

    s = ctx ? (ngx_str_t *) ((u_char *) ctx + data) : NULL;

    if (s == NULL || s->len == 0) {
        v->not_found = 1;
        return NGX_OK;
    }

    v->data = s->data;
    v->len = s->len;
    v->valid = 1;
    v->no_cacheable = 0;
    v->not_found = 0;

    return NGX_OK;
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
     *     conf->upload = conf->api = conf->play = 0;
     */

    conf->keys = NGX_CONF_UNSET_PTR;
    conf->redis = NGX_CONF_UNSET_PTR;
    conf->redis_timeout = NGX_CONF_UNSET_MSEC;
    conf->upload_max_size = NGX_CONF_UNSET;
    conf->upload_buffer = NGX_CONF_UNSET_SIZE;
    conf->pipelines = NGX_CONF_UNSET_PTR;

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
    ngx_conf_merge_size_value(conf->upload_buffer, prev->upload_buffer,
                              1024 * 1024);
    ngx_conf_merge_ptr_value(conf->pipelines, prev->pipelines, NULL);
    ngx_conf_merge_str_value(conf->api_upload_path, prev->api_upload_path,
                             "/upload/");
    ngx_conf_merge_str_value(conf->api_play_path, prev->api_play_path,
                             "/play/");

    if (conf->upload || conf->api || conf->play) {
        return ngx_http_reel_check_location(cf, conf);
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_reel_check_location(ngx_conf_t *cf, ngx_http_reel_loc_conf_t *conf)
{
    ngx_http_core_loc_conf_t  *clcf;

    if (conf->store == NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "a reel location needs \"reel_store\"");
        return NGX_CONF_ERROR;
    }

    if ((conf->upload || conf->api) && conf->keys == NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"reel_upload\" and \"reel_api\" need "
                           "\"reel_access_keys\"");
        return NGX_CONF_ERROR;
    }

    conf->thread_pool = ngx_thread_pool_add(cf, &conf->thread_pool_name);
    if (conf->thread_pool == NULL) {
        return NGX_CONF_ERROR;
    }

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    if (conf->upload) {
        /* the core's own 413 comes before any handler and says nothing */
        clcf->client_max_body_size = 0;
        clcf->client_body_buffer_size = conf->upload_buffer;
    }

    if (conf->api) {
        /* its bodies stay in memory; it bounds them itself */
        clcf->client_max_body_size = 0;
        clcf->client_body_buffer_size = NGX_HTTP_REEL_API_BODY_MAX;
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_reel_location(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_uint_t                *flag;
    ngx_http_core_loc_conf_t  *clcf;

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    if (clcf->handler) {
        return "conflicts with another handler of this location";
    }

    clcf->handler = (ngx_http_handler_pt) cmd->post;

    flag = (ngx_uint_t *) ((u_char *) conf + cmd->offset);
    *flag = 1;

    return NGX_CONF_OK;
}


static char *
ngx_http_reel_check_buffer(ngx_conf_t *cf, void *post, void *data)
{
    size_t  *size = data;

    return *size < 4096 ? "needs at least 4k" : NGX_CONF_OK;
}


/* names are put behind it as it is */
static char *
ngx_http_reel_check_path(ngx_conf_t *cf, void *post, void *data)
{
    ngx_str_t  *path = data;

    if (path->len == 0 || path->data[0] != '/'
        || path->data[path->len - 1] != '/')
    {
        return "needs a path with a slash at both ends";
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_reel_store(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_reel_loc_conf_t  *rlcf = conf;

    ngx_str_t           *value;
    reel_err_t           err;
    reel_error_t         e;
    ngx_pool_cleanup_t  *cln;

    if (rlcf->store) {
        return "is duplicate";
    }

    value = cf->args->elts;
    rlcf->root = value[1];

    while (rlcf->root.len > 1
           && rlcf->root.data[rlcf->root.len - 1] == '/')
    {
        rlcf->root.data[--rlcf->root.len] = '\0';
    }

    if (rlcf->root.len == 0 || rlcf->root.data[0] != '/') {
        return "needs an absolute path";
    }

    cln = ngx_pool_cleanup_add(cf->pool, 0);
    if (cln == NULL) {
        return NGX_CONF_ERROR;
    }

    e.text[0] = '\0';
    err = reel_store_fs_open((char *) rlcf->root.data, &rlcf->store, &e);

    if (err != REEL_OK) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "reel_store \"%V\": %s%s%s", &rlcf->root,
                           reel_err_name(err), e.text[0] ? ": " : "", e.text);
        return NGX_CONF_ERROR;
    }

    cln->handler = ngx_http_reel_store_cleanup;
    cln->data = rlcf->store;

    return NGX_CONF_OK;
}


static void
ngx_http_reel_store_cleanup(void *data)
{
    reel_store_close(data);
}


static char *
ngx_http_reel_zone(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_reel_main_conf_t  *rmcf = conf;

    u_char     *p;
    ssize_t     size;
    ngx_str_t  *value, name, s;

    if (rmcf->zone) {
        return "is duplicate";
    }

    value = cf->args->elts;

    p = (u_char *) ngx_strchr(value[1].data, ':');
    if (p == NULL || p == value[1].data) {
        return "needs the form name:size";
    }

    name.data = value[1].data;
    name.len = p - value[1].data;
    s.data = p + 1;
    s.len = value[1].data + value[1].len - s.data;

    size = ngx_parse_size(&s);
    if (size == NGX_ERROR || size < (ssize_t) (64 * ngx_pagesize)) {
        return "needs a size of at least 256k after the colon";
    }

    rmcf->zone = ngx_shared_memory_add(cf, &name, size,
                                       &ngx_http_reel_module);
    if (rmcf->zone == NULL) {
        return NGX_CONF_ERROR;
    }

    rmcf->zone->init = ngx_http_reel_index_init_zone;

    return NGX_CONF_OK;
}


static char *
ngx_http_reel_access_keys(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_reel_loc_conf_t  *rlcf = conf;

    ngx_str_t           *value, file;
    reel_access_keys_t  *keys;
    ngx_pool_cleanup_t  *cln;

    if (rlcf->keys != NGX_CONF_UNSET_PTR) {
        return "is duplicate";
    }

    value = cf->args->elts;
    file = value[1];

    if (ngx_conf_full_name(cf->cycle, &file, 1) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    cln = ngx_pool_cleanup_add(cf->pool, sizeof(reel_access_keys_t));
    if (cln == NULL) {
        return NGX_CONF_ERROR;
    }

    keys = cln->data;
    ngx_memzero(keys, sizeof(reel_access_keys_t));

    if (ngx_http_reel_read_keys(cf, &file, keys) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    cln->handler = ngx_http_reel_keys_cleanup;
    rlcf->keys = keys;

    return NGX_CONF_OK;
}


static ngx_int_t
ngx_http_reel_read_keys(ngx_conf_t *cf, ngx_str_t *file,
    reel_access_keys_t *keys)
{
    char            *buf;
    ssize_t          n;
    ngx_fd_t         fd;
    ngx_int_t        rc;
    reel_err_t       err;
    reel_error_t     e;
    ngx_file_info_t  fi;

    fd = ngx_open_file(file->data, NGX_FILE_RDONLY, NGX_FILE_OPEN, 0);
    if (fd == NGX_INVALID_FILE) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno,
                           "reel_access_keys: " ngx_open_file_n
                           " \"%V\" failed", file);
        return NGX_ERROR;
    }

    rc = NGX_ERROR;
    buf = NULL;

    if (ngx_fd_info(fd, &fi) == NGX_FILE_ERROR) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno,
                           "reel_access_keys: " ngx_fd_info_n
                           " \"%V\" failed", file);
        goto done;
    }

    if (fi.st_mode & S_IRWXO) {
        ngx_conf_log_error(NGX_LOG_WARN, cf, 0,
                           "reel_access_keys \"%V\" can be read by others: "
                           "chmod 600 it", file);
    }

    if (ngx_file_size(&fi) > NGX_HTTP_REEL_KEYS_MAX) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "reel_access_keys \"%V\" is larger than 1m", file);
        goto done;
    }

    buf = ngx_alloc(NGX_HTTP_REEL_KEYS_MAX, cf->log);
    if (buf == NULL) {
        goto done;
    }

    n = ngx_read_fd(fd, buf, NGX_HTTP_REEL_KEYS_MAX);
    if (n == -1) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno,
                           "reel_access_keys: " ngx_read_fd_n
                           " \"%V\" failed", file);
        goto done;
    }

    e.text[0] = '\0';
    err = reel_access_keys_parse(keys, buf, n, &e);
    ngx_explicit_memzero(buf, n);

    if (err != REEL_OK) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "reel_access_keys \"%V\": %s", file, e.text);
        goto done;
    }

    rc = NGX_OK;

done:

    if (buf) {
        ngx_free(buf);
    }

    if (ngx_close_file(fd) == NGX_FILE_ERROR) {
        ngx_conf_log_error(NGX_LOG_ALERT, cf, ngx_errno,
                           ngx_close_file_n " \"%V\" failed", file);
    }

    return rc;
}


static void
ngx_http_reel_keys_cleanup(void *data)
{
    reel_access_keys_release(data);
}


static char *
ngx_http_reel_pipelines(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_reel_loc_conf_t  *rlcf = conf;

    ngx_str_t   *value, *name;
    ngx_uint_t   i;

    if (rlcf->pipelines != NGX_CONF_UNSET_PTR) {
        return "is duplicate";
    }

    value = cf->args->elts;

    rlcf->pipelines = ngx_array_create(cf->pool, cf->args->nelts - 1,
                                       sizeof(ngx_str_t));
    if (rlcf->pipelines == NULL) {
        return NGX_CONF_ERROR;
    }

    for (i = 1; i < cf->args->nelts; i++) {

        if (!reel_name_valid((reel_str_t) { (char *) value[i].data,
                                            value[i].len }))
        {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "reel_pipelines: invalid name \"%V\": "
                               "[a-z0-9-], at most 32", &value[i]);
            return NGX_CONF_ERROR;
        }

        name = ngx_array_push(rlcf->pipelines);
        if (name == NULL) {
            return NGX_CONF_ERROR;
        }

        *name = value[i];
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_reel_cors_origin(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_reel_loc_conf_t  *rlcf = conf;

    ngx_str_t  *value;

    if (rlcf->cors_origin.data) {
        return "is duplicate";
    }

    value = cf->args->elts;
    rlcf->cors_origin = value[1];

    if (ngx_strcmp(value[1].data, "off") == 0) {
        rlcf->cors_origin.len = 0;
    }

    return NGX_CONF_OK;
}
