/*
 * Playback tokens.  In the rewrite phase the token is taken out of the
 * request, so that no phase behind it, no upstream and no log line has it; in
 * the access phase it is checked, beside allow, auth_request and the like.
 * Both work in any location, whoever answers there: at an edge that is
 * proxy_pass.
 */

#ifndef NGX_HTTP_REEL_TOKEN_H
#define NGX_HTTP_REEL_TOKEN_H

#include "ngx_module/ngx_http_reel_module.h"

#include "lib/auth/play_token.h"

/* reel_token */
#define NGX_HTTP_REEL_TOKEN_OFF       0
#define NGX_HTTP_REEL_TOKEN_OPTIONAL  1
#define NGX_HTTP_REEL_TOKEN_REQUIRED  2

typedef enum {
    NGX_HTTP_REEL_FROM_PATH,
    NGX_HTTP_REEL_FROM_QUERY,
    NGX_HTTP_REEL_FROM_COOKIE
} ngx_http_reel_from_e;

/* one of reel_token_from */
typedef struct {
    ngx_http_reel_from_e     from;
    ngx_str_t                name;      /* of the parameter or cookie */
} ngx_http_reel_carrier_t;

/* of a request; survives internal redirects */
typedef struct ngx_http_reel_token_s {
    ngx_str_t                value;     /* len 0: it has none */
    ngx_http_reel_from_e     from;
    ngx_str_t                name;      /* of the query's parameter */
    reel_play_token_t       *claims;    /* NULL: it permits nothing (yet) */
    ngx_uint_t               late;      /* expired, within reel_token_grace */
    ngx_str_t                subject;
    ngx_str_t                cache_status;      /* HIT MISS */
} ngx_http_reel_token_t;


/* ngx_http_reel_token.c: the rewrite phase */

ngx_int_t ngx_http_reel_token_carry(ngx_http_request_t *r);

/* NULL: the request is of a location without tokens */
ngx_http_reel_token_t *ngx_http_reel_token_get(ngx_http_request_t *r);

/*
 * What of r's path is behind reel_token_below, or the location's name, and
 * a slash: what "sub" is compared with; and that path again, in a new memory,
 * with rest in place of it.
 */
ngx_int_t ngx_http_reel_token_below(ngx_http_request_t *r, ngx_str_t *rest);
ngx_int_t ngx_http_reel_token_replace(ngx_http_request_t *r, ngx_str_t *rest,
    ngx_str_t *by);

/* takes parameters off r->args for which drop() is true, in a new memory */
typedef ngx_uint_t (*ngx_http_reel_drop_pt)(ngx_str_t *name,
    ngx_str_t *value, void *data);

ngx_int_t ngx_http_reel_token_drop_args(ngx_http_request_t *r,
    ngx_http_reel_drop_pt drop, void *data);


/* copies uri, "-" in place of what has the form of a token; where it ends */
u_char *ngx_http_reel_token_mask(u_char *dst, ngx_str_t *uri);


/* ngx_http_reel_token_check.c: the access phase */

ngx_int_t ngx_http_reel_token_access(ngx_http_request_t *r);

/* 403 with the reason, and sets $reel_status */
ngx_int_t ngx_http_reel_token_refuse(ngx_http_request_t *r,
    reel_token_status_t st);

/*
 * Does an asset that was asked for differ from the one that was permitted, or
 * its length end the grace of a token that has expired?  dur_s: of the media.
 */
ngx_uint_t ngx_http_reel_token_other(ngx_http_request_t *r,
    ngx_str_t *asset);
ngx_uint_t ngx_http_reel_token_late(ngx_http_request_t *r, int64_t dur_s);


/* ngx_http_reel_token_conf.c */

char *ngx_http_reel_token_conf_keys(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_reel_token_conf_from(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_reel_token_conf_audience(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

/* what a location inherits; refuses what a location of tokens lacks */
char *ngx_http_reel_token_conf_merge(ngx_conf_t *cf,
    ngx_http_reel_loc_conf_t *prev, ngx_http_reel_loc_conf_t *conf);


/* ngx_http_reel_token_var.c: get_handlers of variables */

/* data: the offset of a ngx_str_t in ngx_http_reel_token_t */
ngx_int_t ngx_http_reel_token_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
ngx_int_t ngx_http_reel_token_request_uri(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);

#endif
