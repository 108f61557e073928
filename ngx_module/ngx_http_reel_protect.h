/*
 * Encryption on the way out: what a location says of it, and what of that a
 * request has in its hands.
 */

#ifndef NGX_HTTP_REEL_PROTECT_H
#define NGX_HTTP_REEL_PROTECT_H

#include "ngx_module/ngx_http_reel_stream.h"

#include "lib/auth/master_keys.h"
#include "lib/manifest/protection.h"

struct ngx_http_reel_protect_conf_s {
    ngx_uint_t               scheme;        /* reel_scheme_t */
    reel_master_keys_t      *master_keys;   /* NULL: those of key_server */
    ngx_http_reel_key_server_t  *key_server;
    u_char                   site[REEL_SHA256_LEN]; /* for key_server */
    ngx_int_t                rotation;      /* segments of a key; 0: one */
    ngx_uint_t               systems;       /* bits: 1 << REEL_SYSTEM_* */
    ngx_flag_t               delivery;
    ngx_str_t                key_uri;
    ngx_str_t                key_format;
    ngx_str_t                license_uri;
    uint32_t                 variant;       /* of these strings and bits */
};

/* what a request knows of it besides p->opts.protection */
typedef struct {
    reel_protection_t        protection;
    ngx_http_reel_hashes_t   hashes;        /* of the encrypted versions */
} ngx_http_reel_protect_t;


/* ngx_http_reel_protect.c */

/*
 * Where the location encrypts, sets p->opts.protection and p->hashes.
 * NGX_DECLINED: goes on; else what was answered.
 */
ngx_int_t ngx_http_reel_protect(ngx_http_request_t *r,
    ngx_http_reel_play_t *p);


/*
 * Of the index of one asset or file: id's, with that master key; fills in pt,
 * which borrows all that.  NGX_ERROR: no memory.
 */
ngx_int_t ngx_http_reel_protect_make(ngx_http_request_t *r,
    ngx_http_reel_protect_t *pt, const reel_index_t *ix, ngx_str_t *id,
    const u_char *master);

/*
 * Its master key, for asset.  NGX_DECLINED: goes on with *master, maybe own.
 * NGX_DONE: it is being asked for, handler is called; else what was answered.
 */
ngx_int_t ngx_http_reel_protect_master(ngx_http_request_t *r,
    const reel_index_t *ix, ngx_str_t *asset,
    u_char own[NGX_HTTP_REEL_MASTER_KEY], const u_char **master,
    ngx_http_reel_key_server_pt handler, void *data);

/* answers that the key server does not tell it */
ngx_int_t ngx_http_reel_protect_no_key(ngx_http_request_t *r);


/* ngx_http_reel_sealed.c: a CMAF segment made of samples, cenc and cbcs */

ngx_int_t ngx_http_reel_sealed_media(ngx_http_request_t *r,
    ngx_http_reel_play_t *p);


/* ngx_http_reel_sealed_header.c */

/* the header of such segments, made of the stored one, in r's pool */
reel_err_t ngx_http_reel_sealed_header(ngx_http_request_t *r,
    ngx_http_reel_play_t *p, reel_str_t header, ngx_str_t *out);


/* ngx_http_reel_whole.c */

/*
 * Makes the body of s that of AES-128: all of it encrypted, with number as
 * the IV.  NGX_ERROR: no memory.
 */
ngx_int_t ngx_http_reel_whole(ngx_http_request_t *r,
    ngx_http_reel_play_t *p, ngx_http_reel_stream_t *s, reel_form_t form,
    uint32_t fragment);


/* ngx_http_reel_key.c */

/* takes a POST of a license request: returns what the handler returns */
ngx_int_t ngx_http_reel_license_post(ngx_http_request_t *r,
    ngx_http_reel_loaded_pt handler);

#endif
