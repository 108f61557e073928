/* the signed query parameters of an upload, a row each */

#ifndef NGX_HTTP_REEL_PARAMS_H
#define NGX_HTTP_REEL_PARAMS_H

#include "ngx_module/ngx_http_reel_door.h"

#define NGX_HTTP_REEL_NAME_MAX    1024
#define NGX_HTTP_REEL_VALUE_MAX   2048      /* reel-meta is the longest */

/* NGX_DECLINED: taken, go on; value is terminated and in r's pool */
typedef ngx_int_t (*ngx_http_reel_param_pt)(ngx_http_reel_door_t *door,
    char *value);

typedef struct {
    const char              *name;
    size_t                   max;       /* bytes of the decoded value */
    ngx_http_reel_param_pt   set;
} ngx_http_reel_param_t;

/* ends with a name of NULL; ngx_http_reel_param.c */
extern const ngx_http_reel_param_t  ngx_http_reel_params[];

/*
 * Send a refusal, InvalidArgument the former; never return NGX_DECLINED,
 * which means that nothing was sent.
 */
ngx_int_t ngx_http_reel_params_bad(ngx_http_reel_door_t *door,
    const char *detail);
ngx_int_t ngx_http_reel_params_refuse(ngx_http_reel_door_t *door,
    ngx_uint_t status, const char *code, const char *detail);

#endif
