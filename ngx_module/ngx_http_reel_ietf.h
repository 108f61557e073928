/*
 * Resumable uploads for HTTP (draft-ietf-httpbis-resumable-upload, the
 * interop versions 3 to 8): what its files share.  A request that names no
 * version, or one that is not known, is taken by the newest draft's rules.
 *
 *   ngx_http_reel_ietf.c         HEAD, PATCH and DELETE of an upload
 *   ngx_http_reel_ietf_create.c  creation
 *   ngx_http_reel_ietf_append.c  a body, and what becomes of it
 *   ngx_http_reel_ietf_field.c   fields of requests
 *   ngx_http_reel_ietf_tell.c    fields of responses, problems
 *   ngx_http_reel_interim.c      104 (Upload Resumption Supported)
 */

#ifndef NGX_HTTP_REEL_IETF_H
#define NGX_HTTP_REEL_IETF_H

#include "ngx_module/ngx_http_reel_params.h"

#define NGX_HTTP_REEL_IETF_OLDEST  3
#define NGX_HTTP_REEL_IETF_NEWEST  8

/* since which version … */
#define NGX_HTTP_REEL_IETF_COMPLETE  4      /* not Upload-Incomplete */
#define NGX_HTTP_REEL_IETF_PARTIAL   6      /* application/partial-upload */
#define NGX_HTTP_REEL_IETF_LIMIT     6      /* Upload-Limit */
#define NGX_HTTP_REEL_IETF_STRICT    7      /* appends say Upload-Complete */

#define NGX_HTTP_REEL_IETF_PROBLEM                                            \
    "https://iana.org/assignments/http-problem-types#"

/* 104 responses of one request */
typedef struct {
    ngx_buf_t                   buf;        /* on its way while not empty */
#if (NGX_HTTP_V2)
    ngx_chain_t                 link;
    ngx_http_v2_out_frame_t     frame;
#endif
} ngx_http_reel_interim_t;

/* door->op */
typedef struct {
    ngx_uint_t                  version;    /* whose rules count */
    ngx_uint_t                  named;      /* the client speaks it: 104 */
    ngx_uint_t                  creates;    /* not an upload's own URL */
    ngx_uint_t                  flagged;    /* Upload-Complete was there … */
    ngx_uint_t                  complete;   /* … and says ?1 */
    uint64_t                    offset;     /* REEL_UPLOAD_UNKNOWN: none */
    uint64_t                    length;     /* Upload-Length */

    ngx_str_t                   url;        /* of a creation's upload */
    ngx_uint_t                  told;       /* … in a 104 */
    ngx_uint_t                  status;     /* of an answer without body */
    ngx_http_reel_problem_t     problem;
    ngx_http_reel_interim_t     interim;
} ngx_http_reel_ietf_t;

/* what a response says of the upload, besides its completeness */
#define NGX_HTTP_REEL_IETF_OFFSET    0x01
#define NGX_HTTP_REEL_IETF_LENGTH    0x02
#define NGX_HTTP_REEL_IETF_LIMITS    0x04
#define NGX_HTTP_REEL_IETF_LOCATION  0x08   /* of a creation */

/* ---- ngx_http_reel_ietf_field.c ---- */

/* is the request one of this door?  All to the URL of an upload are that are
   not of tus */
ngx_uint_t ngx_http_reel_ietf_speaks(ngx_http_reel_door_t *door);

/* all lines of a field as one; .p NULL: there is none */
reel_str_t ngx_http_reel_ietf_field(ngx_http_request_t *r, const char *name);

/* reads the request's fields into door->op; NULL: no memory */
ngx_http_reel_ietf_t *ngx_http_reel_ietf_read(ngx_http_reel_door_t *door);

/*
 * How long the whole is by this request's body (whose first byte is at
 * `offset`) and fields; `length`: what is known of it, which the result
 * replaces.  NGX_ERROR when they contradict each other.
 */
ngx_int_t ngx_http_reel_ietf_length(ngx_http_reel_door_t *door,
    uint64_t offset, uint64_t *length);

/*
 * Content-Digest of the body, and of a creation Repr-Digest and the signed
 * payload's hash.  NGX_DECLINED: taken, or there is none; else the refusal
 * was sent and this is its return code.
 */
ngx_int_t ngx_http_reel_ietf_digests(ngx_http_reel_door_t *door);

/* ---- ngx_http_reel_ietf_tell.c ---- */

/* the value of Upload-Limit; max 0: none, age in ms */
ngx_int_t ngx_http_reel_ietf_limit(ngx_pool_t *pool, ngx_uint_t version,
    uint64_t max, int64_t age, ngx_str_t *value);

/* … for an OPTIONS request to the location */
ngx_int_t ngx_http_reel_ietf_discover(ngx_http_request_t *r);

/* adds response fields, while door->upload is open; complete: ?1 */
ngx_int_t ngx_http_reel_ietf_tell(ngx_http_reel_door_t *door,
    ngx_uint_t complete, ngx_uint_t what);

/* ends the request with status and no body; fields as above */
void ngx_http_reel_ietf_answer(ngx_http_reel_door_t *door, ngx_uint_t status,
    ngx_uint_t complete, ngx_uint_t what);

/* … with what PutObject answers, and ?1: the upload is complete */
void ngx_http_reel_ietf_final(ngx_http_reel_door_t *door);

/* the body is of no interest, the answer is known; NGX_OK: go on */
ngx_int_t ngx_http_reel_ietf_discard(ngx_http_reel_door_t *door);

/* … with a refusal and ?0, and where the upload stands; code and detail are
   not copied */
void ngx_http_reel_ietf_refuse(ngx_http_reel_door_t *door, ngx_uint_t status,
    const char *code, const char *detail);

/* what the refusal that follows is, of the registered types */
ngx_http_reel_problem_t *ngx_http_reel_ietf_problem(
    ngx_http_reel_door_t *door, const char *type, const char *title);

/* … with the refusals that the drafts define */
void ngx_http_reel_ietf_inconsistent(ngx_http_reel_door_t *door,
    const char *detail);
void ngx_http_reel_ietf_mismatching(ngx_http_reel_door_t *door);
void ngx_http_reel_ietf_completed(ngx_http_reel_door_t *door);

/* … with the one mapping of door->err; complete: it befell the whole */
void ngx_http_reel_ietf_failed(ngx_http_reel_door_t *door,
    ngx_uint_t complete);

/* ---- ngx_http_reel_ietf_append.c ---- */

/* reads the body into the upload, whose turn 0 is held, and answers */
void ngx_http_reel_ietf_receive(ngx_http_reel_door_t *door);

/* all bytes are here: completes and answers */
void ngx_http_reel_ietf_finish(ngx_http_reel_door_t *door);

/* ---- ngx_http_reel_interim.c ----
 *
 * Both send nothing when the client does not speak a version that is known,
 * or the connection takes nothing now.
 */

/* the upload's URL and limits */
void ngx_http_reel_interim_created(ngx_http_reel_door_t *door);

/* bytes that are durable */
void ngx_http_reel_interim_offset(ngx_http_reel_door_t *door,
    uint64_t offset);

#endif
