/* POST /api/uploads: what it asks for, from its body to the URLs */

#ifndef NGX_HTTP_REEL_CREATE_H
#define NGX_HTTP_REEL_CREATE_H

#include "ngx_module/ngx_http_reel_api.h"

#include <jansson.h>

typedef struct {
    ngx_http_request_t   *request;
    ngx_http_reel_api_t  *api;
    json_t               *json;
    reel_error_t          e;
    const char           *code;

    const char           *name;
    const char           *bucket;
    const char           *content_type;
    const char           *pipeline;
    const char           *sha256;
    const char           *meta;         /* JSON text */
    json_int_t            max_bytes;
    json_int_t            max_duration;
    json_int_t            expires;
    char                  asset[REEL_ULID_LEN + 1];
    char                 *meta_text;    /* owned */
} ngx_http_reel_create_t;

/* ngx_http_reel_create_body.c */

/* NGX_DECLINED: c->code and c->e tell what is wrong with it */
ngx_int_t ngx_http_reel_create_read(ngx_http_reel_create_t *c);

/* sets both and returns NGX_DECLINED; fmt has one %s, for arg */
ngx_int_t ngx_http_reel_create_fault(ngx_http_reel_create_t *c,
    const char *code, const char *fmt, const char *arg);

#endif
