/*
 * What the values of directives mean: the store is opened, access keys are
 * read (by the master, so that the file may be root's alone), names checked.
 */

#include "ngx_module/ngx_http_reel_module.h"

#include "lib/title/title.h"


#define NGX_HTTP_REEL_KEYS_MAX  (1024 * 1024)


static void ngx_http_reel_conf_close_store(void *data);
static ngx_int_t ngx_http_reel_conf_read_keys(ngx_conf_t *cf, ngx_str_t *file,
    reel_access_keys_t *keys);
static void ngx_http_reel_conf_release_keys(void *data);


char *
ngx_http_reel_conf_store(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
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

    cln->handler = ngx_http_reel_conf_close_store;
    cln->data = rlcf->store;

    return NGX_CONF_OK;
}


static void
ngx_http_reel_conf_close_store(void *data)
{
    reel_store_close(data);
}


char *
ngx_http_reel_conf_zone(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
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


char *
ngx_http_reel_conf_keys(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
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

    if (ngx_http_reel_conf_read_keys(cf, &file, keys) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    cln->handler = ngx_http_reel_conf_release_keys;
    rlcf->keys = keys;

    return NGX_CONF_OK;
}


static ngx_int_t
ngx_http_reel_conf_read_keys(ngx_conf_t *cf, ngx_str_t *file,
    reel_access_keys_t *keys)
{
    ngx_str_t     bytes;
    reel_err_t    err;
    reel_error_t  e;

    if (ngx_http_reel_conf_read_secret(cf, "reel_access_keys", file, &bytes)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    e.text[0] = '\0';
    err = reel_access_keys_parse(keys, (char *) bytes.data, bytes.len, &e);
    ngx_http_reel_conf_free_secret(&bytes);

    if (err != REEL_OK) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "reel_access_keys \"%V\": %s", file, e.text);
        return NGX_ERROR;
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_reel_conf_read_secret(ngx_conf_t *cf, const char *what,
    ngx_str_t *file, ngx_str_t *bytes)
{
    ssize_t          n;
    ngx_fd_t         fd;
    ngx_file_info_t  fi;

    ngx_str_null(bytes);

    fd = ngx_open_file(file->data, NGX_FILE_RDONLY, NGX_FILE_OPEN, 0);
    if (fd == NGX_INVALID_FILE) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno,
                           "%s: " ngx_open_file_n " \"%V\" failed", what,
                           file);
        return NGX_ERROR;
    }

    if (ngx_fd_info(fd, &fi) == NGX_FILE_ERROR) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno,
                           "%s: " ngx_fd_info_n " \"%V\" failed", what,
                           file);
        goto done;
    }

    if (fi.st_mode & S_IRWXO) {
        ngx_conf_log_error(NGX_LOG_WARN, cf, 0,
                           "%s \"%V\" can be read by others: chmod 600 it",
                           what, file);
    }

    if (ngx_file_size(&fi) > NGX_HTTP_REEL_KEYS_MAX) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "%s \"%V\" is larger than 1m", what, file);
        goto done;
    }

    bytes->data = ngx_alloc(NGX_HTTP_REEL_KEYS_MAX, cf->log);
    if (bytes->data == NULL) {
        goto done;
    }

    n = ngx_read_fd(fd, bytes->data, NGX_HTTP_REEL_KEYS_MAX);
    if (n == -1) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno,
                           "%s: " ngx_read_fd_n " \"%V\" failed", what,
                           file);
        ngx_free(bytes->data);
        ngx_str_null(bytes);
        goto done;
    }

    bytes->len = n;

done:

    if (ngx_close_file(fd) == NGX_FILE_ERROR) {
        ngx_conf_log_error(NGX_LOG_ALERT, cf, ngx_errno,
                           ngx_close_file_n " \"%V\" failed", file);
    }

    return bytes->data ? NGX_OK : NGX_ERROR;
}


void
ngx_http_reel_conf_free_secret(ngx_str_t *bytes)
{
    ngx_explicit_memzero(bytes->data, bytes->len);
    ngx_free(bytes->data);
    ngx_str_null(bytes);
}


static void
ngx_http_reel_conf_release_keys(void *data)
{
    reel_access_keys_release(data);
}


char *
ngx_http_reel_conf_pipelines(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
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


/* may an upload ask for it? */
ngx_uint_t
ngx_http_reel_conf_has_pipeline(ngx_http_reel_loc_conf_t *rlcf,
    const char *name)
{
    ngx_str_t   *names;
    ngx_uint_t   i;

    if (rlcf->pipelines == NULL) {
        return ngx_strcmp(name, "default") == 0;
    }

    names = rlcf->pipelines->elts;

    for (i = 0; i < rlcf->pipelines->nelts; i++) {
        if (ngx_strcmp(names[i].data, name) == 0) {
            return 1;
        }
    }

    return 0;
}


char *
ngx_http_reel_conf_cors(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
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


char *
ngx_http_reel_conf_buffer(ngx_conf_t *cf, void *post, void *data)
{
    size_t  *size = data;

    return *size < 4096 ? "needs at least 4k" : NGX_CONF_OK;
}


/* names are put behind it as it is */
/* "off", "json", or the URI of an internal location */
char *
ngx_http_reel_conf_map(ngx_conf_t *cf, void *post, void *data)
{
    ngx_str_t *map = data;

    if (ngx_strcmp(map->data, "off") == 0) {
        /* not NULL: it is not inherited over */
        map->len = 0;
        return NGX_CONF_OK;
    }

    if (ngx_strcmp(map->data, "json") == 0
        || (map->data[0] == '/' && map->data[map->len - 1] == '/'))
    {
        return NGX_CONF_OK;
    }

    return "is none of \"off\", \"json\" and \"/a/location/\"";
}


char *
ngx_http_reel_conf_pattern(ngx_conf_t *cf, void *post, void *data)
{
    ngx_str_t *pattern = data;

    if (ngx_strcmp(pattern->data, "off") == 0) {
        pattern->len = 0;
        return NGX_CONF_OK;
    }

    if (reel_title_pattern_valid((reel_str_t) { (char *) pattern->data,
                                                pattern->len }))
    {
        return NGX_CONF_OK;
    }

    return "is not of the form \"{}_*.mp4\"";
}


char *
ngx_http_reel_conf_path(ngx_conf_t *cf, void *post, void *data)
{
    ngx_str_t  *path = data;

    if (path->len == 0 || path->data[0] != '/'
        || path->data[path->len - 1] != '/')
    {
        return "needs a path with a slash at both ends";
    }

    return NGX_CONF_OK;
}
