/* the files of the store that playback reads */

#include "ngx_module/ngx_http_reel_play.h"

static void open_as_told(ngx_http_core_loc_conf_t *clcf, ngx_uint_t cached,
    ngx_open_file_info_t *of);
static ngx_int_t object_path(ngx_http_request_t *r, ngx_http_reel_play_t *p,
    ngx_pool_t *pool, reel_str_t folder, const reel_extent_t *ext,
    ngx_str_t *path);


ngx_int_t
ngx_http_reel_object_open(ngx_http_request_t *r, ngx_http_reel_play_t *p,
    ngx_pool_t *pool, reel_str_t folder, const reel_extent_t *ext,
    ngx_uint_t cached, ngx_file_t *file)
{
    ngx_str_t                  path;
    ngx_log_t                 *log;
    ngx_open_file_info_t       of;
    ngx_open_file_cache_t     *cache;
    ngx_http_core_loc_conf_t  *clcf;

    log = r->connection->log;
    clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);
    cache = clcf->open_file_cache;

    if (cached && clcf->directio != NGX_OPEN_FILE_DIRECTIO_OFF) {
        /* who opened it first decides how it is read */
        cache = NULL;
    }

    if (object_path(r, p, pool, folder, ext, &path) != NGX_OK) {
        return NGX_ERROR;
    }

    open_as_told(clcf, cached, &of);

    if (ngx_http_set_disable_symlinks(r, clcf, &path, &of) != NGX_OK) {
        return NGX_ERROR;
    }

    if (ngx_open_cached_file(cache, &path, &of, pool) != NGX_OK) {

        if (of.err == NGX_ENOENT || of.err == NGX_ENOTDIR) {
            if (p->again) {
                ngx_log_error(NGX_LOG_ERR, log, of.err,
                              "reel: object \"%V\" of the index is missing",
                              &path);
            }

            return NGX_DECLINED;
        }

        ngx_log_error(NGX_LOG_CRIT, log, of.err, "reel: %s \"%V\" failed",
                      of.failed ? of.failed : "open", &path);
        return NGX_ERROR;
    }

    if (!of.is_file || of.size < 0 || ext->offset > (uint64_t) of.size
        || ext->size > (uint64_t) of.size - ext->offset)
    {
        ngx_log_error(NGX_LOG_ERR, log, 0,
                      "reel: object \"%V\" has %O bytes, the index needs %uL "
                      "at offset %uL", &path, of.size, ext->size,
                      ext->offset);
        return NGX_ABORT;
    }

    file->fd = of.fd;
    file->name = path;
    file->log = log;
    file->directio = of.is_directio;

    return NGX_OK;
}


static void
open_as_told(ngx_http_core_loc_conf_t *clcf, ngx_uint_t cached,
    ngx_open_file_info_t *of)
{
    ngx_memzero(of, sizeof(ngx_open_file_info_t));

    of->read_ahead = clcf->read_ahead;
    of->directio = cached ? NGX_OPEN_FILE_DIRECTIO_OFF : clcf->directio;
    of->valid = clcf->open_file_cache_valid;
    of->min_uses = clcf->open_file_cache_min_uses;
    of->errors = clcf->open_file_cache_errors;
    of->events = clcf->open_file_cache_events;
}


static ngx_int_t
object_path(ngx_http_request_t *r, ngx_http_reel_play_t *p, ngx_pool_t *pool,
    reel_str_t folder, const reel_extent_t *ext, ngx_str_t *path)
{
    u_char                    *b;
    size_t                     len;
    reel_str_t                 asset;
    reel_key_t                 key;
    ngx_http_reel_loc_conf_t  *conf;

    conf = ngx_http_get_module_loc_conf(r, ngx_http_reel_module);

    asset.p = (char *) p->asset.data;
    asset.len = p->asset.len;

    if (reel_key_object(key, asset, folder, ext->object) != REEL_OK) {
        return NGX_ERROR;
    }

    len = ngx_strlen(key);

    path->data = ngx_pnalloc(pool, conf->root.len + 1 + len + 1);
    if (path->data == NULL) {
        return NGX_ERROR;
    }

    b = ngx_cpymem(path->data, conf->root.data, conf->root.len);
    *b++ = '/';
    b = ngx_cpymem(b, key, len);
    *b = '\0';

    path->len = b - path->data;

    return NGX_OK;
}


ngx_int_t
ngx_http_reel_object_refuse(ngx_http_request_t *r, ngx_int_t rc)
{
    if (rc == NGX_ABORT) {
        return ngx_http_reel_error(r, NGX_HTTP_REEL_PROBLEM,
                                   NGX_HTTP_INTERNAL_SERVER_ERROR,
                                   "BAD_OBJECT",
                                   "a stored part of the asset is damaged",
                                   0);
    }

    return ngx_http_reel_error(r, NGX_HTTP_REEL_PROBLEM,
                               NGX_HTTP_INTERNAL_SERVER_ERROR,
                               "STORE_FAILED",
                               "the store could not be read", 1);
}
