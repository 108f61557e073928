/* what variables tell of a request; see docs/directives.md */

#include "ngx_module/ngx_http_reel_module.h"
#include "ngx_module/ngx_http_reel_token.h"


static ngx_int_t ngx_http_reel_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);


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

    { ngx_string("reel_cache_key"), NULL, ngx_http_reel_query_cache_key,
      0, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("reel_manifest_cache_status"), NULL, ngx_http_reel_variable,
      offsetof(ngx_http_reel_ctx_t, manifest_status),
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("reel_token_subject"), NULL, ngx_http_reel_token_variable,
      offsetof(ngx_http_reel_token_t, subject), NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("reel_token_cache_status"), NULL,
      ngx_http_reel_token_variable,
      offsetof(ngx_http_reel_token_t, cache_status),
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("reel_request_uri"), NULL, ngx_http_reel_token_request_uri,
      0, NGX_HTTP_VAR_NOCACHEABLE, 0 },

      ngx_http_null_variable
};


ngx_int_t
ngx_http_reel_variable_add(ngx_conf_t *cf)
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
    ngx_http_reel_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_reel_module);

    return ngx_http_reel_variable_member(v, ctx, data);
}


ngx_int_t
ngx_http_reel_variable_member(ngx_http_variable_value_t *v, void *of,
    uintptr_t offset)
{
    ngx_str_t  *s;

    s = of ? (ngx_str_t *) ((u_char *) of + offset) : NULL;

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
