/*
 * tus 1.0.0 (https://tus.io/protocols/resumable-upload): what its files
 * share.
 *
 *   ngx_http_reel_tus.c         version, headers, answers
 *   ngx_http_reel_tus_create.c  creation
 *   ngx_http_reel_tus_upload.c  HEAD, DELETE
 *   ngx_http_reel_tus_patch.c   PATCH
 *   ngx_http_reel_tus_concat.c  final uploads
 */

#ifndef NGX_HTTP_REEL_TUS_H
#define NGX_HTTP_REEL_TUS_H

#include "ngx_module/ngx_http_reel_params.h"

#include "lib/upload/tus.h"

#define NGX_HTTP_REEL_TUS_CHECKSUM  460     /* "Checksum Mismatch" */

/* door->op */
typedef struct {
    uint64_t                    offset;     /* Upload-Offset */
    uint64_t                    length;     /* Upload-Length, UNKNOWN */
    ngx_uint_t                  body;       /* this request brings bytes */
    ngx_uint_t                  signed_body;    /* 1 + check of the hash that
                                                   was signed, 0: none */
    ngx_uint_t                  status;     /* of the answer */
    ngx_msec_t                  since;      /* HEAD began */
    reel_str_t                  urls;       /* of a final upload */
} ngx_http_reel_tus_t;

/* ---- routing ---- */

/* is r one of tus?  Also when its Tus-Resumable was forgotten */
ngx_uint_t ngx_http_reel_tus_speaks(ngx_http_reel_door_t *door);

/* NGX_DECLINED: the version is ours; else refused, and its return code.
   All that is answered from here on says which version it is of */
ngx_int_t ngx_http_reel_tus_begin(ngx_http_reel_door_t *door);

/* the method, or the one of X-HTTP-Method-Override */
ngx_uint_t ngx_http_reel_tus_method(ngx_http_request_t *r);

/* what an OPTIONS request is told of tus */
ngx_int_t ngx_http_reel_tus_discover(ngx_http_request_t *r);

/* ---- headers of requests ----
 *
 * NGX_DECLINED: taken, or not there; else refused, and its return code.
 */

ngx_int_t ngx_http_reel_tus_number(ngx_http_reel_door_t *door,
    const char *name, uint64_t *value);
/* Upload-Checksum of a request that brings bytes */
ngx_int_t ngx_http_reel_tus_checksum(ngx_http_reel_door_t *door);
/* the body is application/offset+octet-stream */
ngx_uint_t ngx_http_reel_tus_typed(ngx_http_request_t *r);

/* ---- answers ---- */

ngx_int_t ngx_http_reel_tus_header(ngx_http_request_t *r, const char *name,
    uint64_t value);

/* where door->upload stands: Upload-Offset, Upload-Expires, reel-asset */
ngx_int_t ngx_http_reel_tus_stand(ngx_http_reel_door_t *door);

/* ends the request with status and no body */
void ngx_http_reel_tus_answer(ngx_http_reel_door_t *door, ngx_uint_t status);

/* … with what became of a body that could not be taken as a whole */
void ngx_http_reel_tus_broken(ngx_http_reel_door_t *door, ngx_int_t rc);

/* … with the one mapping of door->err, in words of this door */
void ngx_http_reel_tus_failed(ngx_http_reel_door_t *door);

/* ---- operations beyond those of ngx_http_reel_door.h ---- */

/*
 * Of an upload that was claimed.  ours: 0 and the request ended when it was
 * not, or is another door's, whose id gives no right to anything here; gone:
 * 1 and ended when it was aborted or has expired.
 */
ngx_uint_t ngx_http_reel_tus_ours(ngx_http_reel_door_t *door);
ngx_uint_t ngx_http_reel_tus_gone(ngx_http_reel_door_t *door);

/* all bytes are here, and they are no part of another upload */
ngx_uint_t ngx_http_reel_tus_whole(const reel_upload_t *u);

/* Upload-Concat: final; urls are what follows that */
ngx_int_t ngx_http_reel_tus_concat(ngx_http_reel_door_t *door);

/* pool: REEL_EXISTS when the asset that was fixed beforehand is there */
reel_err_t ngx_http_reel_tus_free(ngx_http_reel_door_t *door);

/* 201: where door->upload is and stands, unless door->err */
void ngx_http_reel_tus_created(ngx_http_reel_door_t *door);

#endif
