#include "ngx_module/ngx_http_reel_key_server.h"

static ngx_uint_t set_time(ngx_http_reel_key_server_t *server,
    ngx_str_t arg);
static reel_err_t add_names(reel_sha256_t *h, ngx_http_core_srv_conf_t *cscf);
static reel_err_t add_addresses(reel_sha256_t *h,
    ngx_http_core_main_conf_t *cmcf, ngx_http_core_srv_conf_t *cscf);
static reel_err_t add_text(reel_sha256_t *h, ngx_str_t *s);


char *
ngx_http_reel_key_server_conf(ngx_conf_t *cf,
    ngx_http_reel_key_server_t **to)
{
    ngx_str_t                   *value;
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
        if (!set_time(server, value[i])) {
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


/* "fresh=5m"; is it such a one? */
static ngx_uint_t
set_time(ngx_http_reel_key_server_t *server, ngx_str_t arg)
{
    time_t  *t;

    if (ngx_strncmp(arg.data, "fresh=", 6) == 0) {
        t = &server->fresh;

    } else if (ngx_strncmp(arg.data, "valid=", 6) == 0) {
        t = &server->valid;

    } else {
        return 0;
    }

    arg.data += 6;
    arg.len -= 6;

    *t = ngx_parse_time(&arg, 1);

    return *t != (time_t) NGX_ERROR && *t != 0;
}


char *
ngx_http_reel_key_server_site(ngx_conf_t *cf, u_char site[REEL_SHA256_LEN])
{
    reel_err_t                  err;
    reel_sha256_t              *h;
    ngx_http_core_srv_conf_t   *cscf;
    ngx_http_core_main_conf_t  *cmcf;

    cscf = ngx_http_conf_get_module_srv_conf(cf, ngx_http_core_module);
    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);

    h = reel_sha256_new();
    if (h == NULL) {
        return NGX_CONF_ERROR;
    }

    err = add_names(h, cscf);

    if (err == REEL_OK) {
        err = add_addresses(h, cmcf, cscf);
    }

    if (err != REEL_OK) {
        reel_sha256_free(h);
        return NGX_CONF_ERROR;
    }

    return reel_sha256_final(h, site) == REEL_OK ? NGX_CONF_OK
                                                 : NGX_CONF_ERROR;
}


static reel_err_t
add_names(reel_sha256_t *h, ngx_http_core_srv_conf_t *cscf)
{
    ngx_uint_t               i;
    reel_err_t               err;
    ngx_http_server_name_t  *name;

    name = cscf->server_names.elts;
    err = reel_sha256_update(h, &cscf->server_names.nelts,
                             sizeof(cscf->server_names.nelts));

    for (i = 0; i < cscf->server_names.nelts && err == REEL_OK; i++) {
        err = add_text(h, &name[i].name);
    }

    return err;
}


static reel_err_t
add_addresses(reel_sha256_t *h, ngx_http_core_main_conf_t *cmcf,
    ngx_http_core_srv_conf_t *cscf)
{
    reel_err_t                  err;
    ngx_uint_t                  i, k, j;
    ngx_http_conf_addr_t       *addr;
    ngx_http_conf_port_t       *port;
    ngx_http_core_srv_conf_t  **servers;

    port = cmcf->ports->elts;
    err = REEL_OK;

    for (i = 0; i < cmcf->ports->nelts; i++) {
        addr = port[i].addrs.elts;

        for (k = 0; k < port[i].addrs.nelts; k++) {
            servers = addr[k].servers.elts;

            for (j = 0; j < addr[k].servers.nelts && err == REEL_OK; j++) {
                if (servers[j] == cscf) {
                    err = add_text(h, &addr[k].opt.addr_text);
                }
            }
        }
    }

    return err;
}


/* and its end, so that no two rows of texts are the same bytes */
static reel_err_t
add_text(reel_sha256_t *h, ngx_str_t *s)
{
    reel_err_t  err;

    err = reel_sha256_update(h, &s->len, sizeof(s->len));

    return err == REEL_OK ? reel_sha256_update(h, s->data, s->len) : err;
}
