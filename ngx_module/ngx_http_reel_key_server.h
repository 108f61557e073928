/*
 * Master keys of another program: a JSON call to a location of this server,
 * which proxies it.  An answer is used for `fresh` without another call, and
 * as long as the server does not answer for `valid`.
 */

#ifndef NGX_HTTP_REEL_KEY_SERVER_H
#define NGX_HTTP_REEL_KEY_SERVER_H

#include "ngx_module/ngx_http_reel_module.h"

#include "lib/crypt/digest.h"

#define NGX_HTTP_REEL_MASTER_KEY  32

/* while it does not answer it is asked once in so many seconds */
#define NGX_HTTP_REEL_KEY_AGAIN   5

typedef struct {
    ngx_str_t                uri;
    time_t                   fresh;
    time_t                   valid;
} ngx_http_reel_key_server_t;

/* whose key */
typedef struct {
    u_char                  *site;          /* of REEL_SHA256_LEN bytes */
    ngx_str_t                asset;
    uint32_t                 key_id;
    uint32_t                 publication;
} ngx_http_reel_key_of_t;

/* called from the event loop; status NGX_OK, or NGX_ERROR: there is none */
typedef void (*ngx_http_reel_key_server_pt)(ngx_http_request_t *r,
    ngx_int_t status, void *data);

/*
 * NGX_OK: key is filled in.  NGX_DONE: it is being asked for; handler(r, …)
 * is called when key, which lives in r's pool, is filled in or is not, and
 * finalizes r (a reference was taken for that).  NGX_DECLINED: the server
 * does not answer; NGX_ERROR: no memory.
 */
ngx_int_t ngx_http_reel_key_server_get(ngx_http_request_t *r,
    ngx_http_reel_key_server_t *server, ngx_http_reel_key_of_t *of,
    u_char key[NGX_HTTP_REEL_MASTER_KEY],
    ngx_http_reel_key_server_pt handler, void *data);

/*
 * ngx_http_reel_key_server_conf.c: "reel_key_server uri [fresh=time]
 * [valid=time] | off" into a slot
 */
char *ngx_http_reel_key_server_conf(ngx_conf_t *cf,
    ngx_http_reel_key_server_t **to);

/*
 * The server{} that is merged, by its names and addresses: what a URI means,
 * and who owns a film, is its own affair.  The same after a reload, wherever
 * it stands in the file.
 */
char *ngx_http_reel_key_server_site(ngx_conf_t *cf,
    u_char site[REEL_SHA256_LEN]);

#endif
