/* Playback tokens: variables */

#include "ngx_module/ngx_http_reel_token.h"


ngx_int_t
ngx_http_reel_token_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_str_t              *s;
    ngx_http_reel_token_t  *t;

    t = ngx_http_reel_token_get(r);
    s = t ? (ngx_str_t *) ((u_char *) t + data) : NULL;

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


/*
 * $request_uri without any token: for logs of all locations, and of requests
 * that came to none
 */
ngx_int_t
ngx_http_reel_token_request_uri(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    if (r->unparsed_uri.len == 0) {
        v->not_found = 1;
        return NGX_OK;
    }

    v->data = ngx_pnalloc(r->pool, r->unparsed_uri.len);
    if (v->data == NULL) {
        return NGX_ERROR;
    }

    v->len = ngx_http_reel_token_mask(v->data, &r->unparsed_uri) - v->data;
    v->valid = 1;
    v->no_cacheable = 0;
    v->not_found = 0;

    return NGX_OK;
}
