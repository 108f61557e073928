/* what the S3 door's operations share */

#ifndef NGX_HTTP_REEL_S3_H
#define NGX_HTTP_REEL_S3_H

#include "ngx_module/ngx_http_reel_params.h"
#include "ngx_module/ngx_http_reel_payload.h"

#include "lib/base/xml.h"

#define NGX_HTTP_REEL_S3_XML                                                  \
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
#define NGX_HTTP_REEL_S3_XMLNS                                                \
    "xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\""

#define NGX_HTTP_REEL_S3_LIST_MAX  1000     /* entries of a page */

/*
 * ?uploadId= -> door->id; the number of ?name=, def when it is absent or
 * empty.  NGX_DECLINED: taken; else the refusal was sent.
 */
ngx_int_t ngx_http_reel_s3_upload_id(ngx_http_reel_door_t *door);
ngx_int_t ngx_http_reel_s3_number(ngx_http_reel_door_t *door,
    const char *name, uint64_t def, uint64_t min, uint64_t max, uint64_t *v);

/* a decoded parameter in the request's pool, "" when it is absent; NULL:
   no memory, or not well encoded or longer than a key may be */
char *ngx_http_reel_s3_arg(ngx_http_reel_door_t *door, const char *name);

/* a buffer that the request's pool releases; NULL: no memory */
reel_buf_t *ngx_http_reel_s3_buf(ngx_http_request_t *r, size_t max);

/* "2026-11-23T10:00:00.000Z"; any thread */
void ngx_http_reel_s3_time(reel_buf_t *b, int64_t ms);

/* ---- answers ---- */

/* CORS, request id and, if asset is not NULL, reel-asset */
ngx_int_t ngx_http_reel_s3_headers(ngx_http_reel_door_t *door,
    const char *asset);
ngx_int_t ngx_http_reel_s3_header(ngx_http_request_t *r, const char *name,
    const char *value);
/* 200 and b, whose bytes lie in the pool's reach; after …_headers */
ngx_int_t ngx_http_reel_s3_send(ngx_http_reel_door_t *door, reel_buf_t *b);

/*
 * Ends the request of a body that the pump did not bring to its end (rc), or
 * that failed on the way (door->err).
 */
void ngx_http_reel_s3_broken(ngx_http_reel_door_t *door, ngx_int_t rc);

#endif
