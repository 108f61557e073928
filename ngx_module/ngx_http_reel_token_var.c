/* Playback tokens: variables */

#include "ngx_module/ngx_http_reel_token.h"


ngx_int_t
ngx_http_reel_token_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    return ngx_http_reel_variable_member(v, ngx_http_reel_token_get(r), data);
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
