/*
 * The way of a body's bytes to the upload, in the pool: out of aws-chunked
 * frames, through the checks that the request promised (door->checks), to
 * the door's sink.  And what the headers of S3's bodies say of all that:
 *
 *   x-amz-content-sha256   the SHA-256, or STREAMING-…: frames, maybe signed
 *   x-amz-decoded-content-length           the length without the frames
 *   x-amz-checksum-<kind>, Content-MD5     as headers
 *   x-amz-trailer                          a checksum that follows the body
 *
 * Such parameters in a presigned query say nothing of this body: SDKs sign
 * the checksum of no bytes there.
 */

#ifndef NGX_HTTP_REEL_PAYLOAD_H
#define NGX_HTTP_REEL_PAYLOAD_H

#include "ngx_module/ngx_http_reel_door.h"

#include "lib/auth/aws_chunked.h"

struct ngx_http_reel_payload_s {
    reel_aws_chunked_t  frames;
    ngx_uint_t          framed;
    reel_sum_kind_t     kind;       /* of x-amz-checksum-…, NONE: none */
    uint8_t             sum[REEL_SUM_MAX];      /* its value */
    ngx_uint_t          verified;
    ngx_uint_t          trailer;    /* 1 + the check whose value follows */
    const char         *codes[NGX_HTTP_REEL_CHECKS];    /* of mismatches */

    /* what refused it, once the pool said REEL_BADDATA; NULL: a check */
    ngx_uint_t          status;
    const char         *code;
};

/* n bytes of the body to where they belong */
typedef reel_err_t (*ngx_http_reel_sink_pt)(ngx_http_reel_door_t *door,
    const void *p, size_t n);

typedef enum {
    NGX_HTTP_REEL_PAYLOAD_WHOLE,    /* the source: lib/upload checks its
                                       SHA-256, door->facts.expect */
    NGX_HTTP_REEL_PAYLOAD_PART,     /* of it */
    NGX_HTTP_REEL_PAYLOAD_MESSAGE   /* about it: x-amz-checksum-… does not
                                       mean this body */
} ngx_http_reel_payload_e;

/*
 * Reads the headers -> door->payload, checks, length.  NGX_DECLINED: all is
 * well; else the refusal was sent and this is its return code.
 */
ngx_int_t ngx_http_reel_payload_open(ngx_http_reel_door_t *door,
    ngx_http_reel_payload_e what);

/*
 * Is name that of a checksum, as a header or trailer?  -> *kind, which is
 * door->payload->kind then, or REEL_SUM_NONE.  NGX_DECLINED, or the refusal
 * of one that is not known, or of a second, was sent.
 */
ngx_int_t ngx_http_reel_payload_kind(ngx_http_reel_door_t *door,
    reel_str_t name, reel_sum_kind_t *kind);

/* ---- pool; door->payload may be NULL, for the other doors ---- */

/*
 * All pieces of the body that are here -> the new door->err; after an error
 * none are taken.  REEL_BADDATA: it is not framed as its headers say.
 */
reel_err_t ngx_http_reel_payload_take(ngx_http_reel_door_t *door,
    ngx_http_reel_sink_pt sink);

/* the body is over: REEL_BADDATA when it is not whole or a check failed,
   which door->mismatch tells */
reel_err_t ngx_http_reel_payload_verify(ngx_http_reel_door_t *door);

/* ---- the answer ---- */

/* ends the request as ngx_http_reel_door_failed does, with S3's code for
   what was wrong with the body */
void ngx_http_reel_payload_failed(ngx_http_reel_door_t *door);

/* the checksum that was verified, as a header of the answer */
ngx_int_t ngx_http_reel_payload_echo(ngx_http_reel_door_t *door);

/* "x-amz-checksum-crc32: …" */
ngx_int_t ngx_http_reel_payload_sum_header(ngx_http_request_t *r,
    reel_sum_kind_t kind, const char *value);

#endif
