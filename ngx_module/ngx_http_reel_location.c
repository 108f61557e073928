/* a location of uploads, of the API or of playback: what it needs */

#include "ngx_module/ngx_http_reel_module.h"


static ngx_int_t ngx_http_reel_location_files(ngx_conf_t *cf,
    ngx_http_core_loc_conf_t *clcf);


char *
ngx_http_reel_location(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_uint_t                *flag;
    ngx_http_core_loc_conf_t  *clcf;

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    if (clcf->handler) {
        return "conflicts with another handler of this location";
    }

    /* its paths follow the location's name */
    if (clcf->named) {
        return "cannot serve a named location";
    }

#if (NGX_PCRE)
    if (clcf->regex && cmd->post != (void *) ngx_http_reel_play_handler) {
        return "cannot serve a location of a regular expression";
    }
#endif

    clcf->handler = (ngx_http_handler_pt) cmd->post;

    flag = (ngx_uint_t *) ((u_char *) conf + cmd->offset);
    *flag = 1;

    return NGX_CONF_OK;
}


/*
 * An "if" block keeps the handler of its location, but has a configuration of
 * its own, the core's included; "limit_except" loses the handler as well.
 */
void
ngx_http_reel_location_inherit(ngx_conf_t *cf, ngx_http_reel_loc_conf_t *prev,
    ngx_http_reel_loc_conf_t *conf)
{
    ngx_http_core_loc_conf_t  *clcf;

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    if (!clcf->noname || clcf->handler) {
        return;
    }

    conf->upload = prev->upload;
    conf->api = prev->api;
    conf->play = prev->play;
    conf->files = prev->files;
    conf->upstream = prev->upstream;

    if (clcf->lmt_excpt) {
        clcf->handler = conf->upload ? ngx_http_reel_upload_handler
                        : conf->api ? ngx_http_reel_api_handler
                        : conf->play || conf->files
                        ? ngx_http_reel_play_handler : NULL;
    }
}


char *
ngx_http_reel_location_check(ngx_conf_t *cf, ngx_http_reel_loc_conf_t *conf)
{
    ngx_http_core_loc_conf_t   *clcf;
    ngx_http_reel_main_conf_t  *rmcf;

    if (conf->store == NULL && !conf->files) {
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

    rmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_reel_module);

    if (conf->upload || conf->api) {
        rmcf->wakes = 1;
    }

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    if (conf->files && ngx_http_reel_location_files(cf, clcf) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    if (conf->files && rmcf->zone == NULL && !rmcf->warned) {
        rmcf->warned = 1;
        ngx_conf_log_error(NGX_LOG_WARN, cf, 0,
                           "\"reel_play_files\" without \"reel_zone\": a "
                           "film is indexed anew for every request");
    }

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


/* what files are mapped by must be the path itself, and links be followed */
static ngx_int_t
ngx_http_reel_location_files(ngx_conf_t *cf, ngx_http_core_loc_conf_t *clcf)
{
#if (NGX_PCRE)
    if (clcf->regex && clcf->alias) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"reel_play_files\" takes no \"alias\" in a "
                           "location of a regular expression");
        return NGX_ERROR;
    }
#endif

#if (NGX_HAVE_OPENAT)
    if (clcf->disable_symlinks != NGX_DISABLE_SYMLINKS_OFF) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"reel_play_files\" follows symbolic links: it "
                           "takes no \"disable_symlinks\"");
        return NGX_ERROR;
    }
#endif

    return NGX_OK;
}
