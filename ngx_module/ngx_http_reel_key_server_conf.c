#include "ngx_module/ngx_http_reel_key_server.h"


char *
ngx_http_reel_key_server_conf(ngx_conf_t *cf,
    ngx_http_reel_key_server_t **to)
{
    time_t                      *t;
    ngx_str_t                   *value, s;
    ngx_uint_t                   i;
    ngx_http_reel_key_server_t  *server;

    if (*to != NGX_CONF_UNSET_PTR) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (ngx_strcmp(value[1].data, "off") == 0) {
        *to = NULL;
        return cf->args->nelts == 2 ? NGX_CONF_OK : "takes nothing with off";
    }

    server = ngx_palloc(cf->pool, sizeof(ngx_http_reel_key_server_t));
    if (server == NULL) {
        return NGX_CONF_ERROR;
    }

    server->uri = value[1];
    server->fresh = 300;
    server->valid = 86400;

    if (server->uri.data[0] != '/') {
        return "needs the URI of a location";
    }

    for (i = 2; i < cf->args->nelts; i++) {
        s = value[i];
        t = NULL;

        if (ngx_strncmp(s.data, "fresh=", 6) == 0) {
            t = &server->fresh;
        } else if (ngx_strncmp(s.data, "valid=", 6) == 0) {
            t = &server->valid;
        }

        s.data += 6;
        s.len -= t ? 6 : 0;

        if (t) {
            *t = ngx_parse_time(&s, 1);
        }

        if (t == NULL || *t == (time_t) NGX_ERROR || *t == 0) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "reel_key_server: \"%V\" must be fresh=time "
                               "or valid=time", &value[i]);
            return NGX_CONF_ERROR;
        }
    }

    if (server->valid < server->fresh) {
        return "is valid for less time than it is fresh";
    }

    *to = server;

    return NGX_CONF_OK;
}
