/*
 * What the doors of a reel_upload location share.  A request is routed by
 * its path, method, query and headers to one door's operation; the operation
 * makes or opens a reel_upload_t (lib/upload), takes its turn, pumps the body
 * into it and answers in its protocol's words.  No door has state of its own
 * anywhere but in the upload.
 *
 *   ngx_http_reel_upload.c     which door, which operation
 *   ngx_http_reel_door.c       opening, turns, the way to the end
 *   ngx_http_reel_end.c        the ends
 *   ngx_http_reel_quota.c      creating one, or why not
 *   ngx_http_reel_body.c       the pump
 *   ngx_http_reel_pull.c       … as far as the pool runs it
 *   ngx_http_reel_wake.c       asking a holder to let go
 *   ngx_http_reel_put.c        S3 PutObject
 *   ngx_http_reel_multipart.c  S3 multipart: create, abort
 *   ngx_http_reel_part.c       S3 UploadPart
 *   ngx_http_reel_complete.c   S3 CompleteMultipartUpload
 *   ngx_http_reel_s3.c         S3 HeadObject
 *   ngx_http_reel_s3_bucket.c  S3 buckets
 *   ngx_http_reel_s3_parts.c   S3 ListParts
 *   ngx_http_reel_s3_uploads.c S3 ListMultipartUploads
 *   ngx_http_reel_payload.c    frames and checks between body and upload
 *   ngx_http_reel_payload_open.c   what S3's headers say of them
 *   ngx_http_reel_tus.c        tus: see ngx_http_reel_tus.h
 *   ngx_http_reel_ietf.c       the IETF's resumable uploads
 */

#ifndef NGX_HTTP_REEL_DOOR_H
#define NGX_HTTP_REEL_DOOR_H

#include "ngx_module/ngx_http_reel_body.h"
#include "ngx_module/ngx_http_reel_wake.h"

#include "lib/base/ulid.h"
#include "lib/crypt/digest.h"
#include "lib/crypt/sum.h"
#include "lib/upload/upload.h"

#define NGX_HTTP_REEL_CHECKS  3     /* sums that one request may promise */

typedef enum {
    NGX_HTTP_REEL_AT_ROOT,          /* <location>/ */
    NGX_HTTP_REEL_AT_BUCKET,        /* …<bucket> or …<bucket>/ */
    NGX_HTTP_REEL_AT_KEY,           /* …<bucket>/<key> */
    NGX_HTTP_REEL_AT_UPLOAD         /* …<bucket>/.uploads/<id> */
} ngx_http_reel_place_e;

typedef struct {
    reel_sum_kind_t             kind;
    uint8_t                     want[REEL_SUM_MAX];
    reel_sum_t                  sum;        /* of what came so far */
} ngx_http_reel_check_t;

typedef struct ngx_http_reel_payload_s  ngx_http_reel_payload_t;
typedef struct ngx_http_reel_door_s  ngx_http_reel_door_t;

struct ngx_http_reel_door_s {
    ngx_http_request_t         *request;
    ngx_http_reel_error_form_e  form;       /* how this door refuses */
    ngx_http_reel_auth_t        auth;       /* .key NULL: by the upload's URL */

    ngx_http_reel_place_e       place;
    ngx_str_t                   bucket;     /* decoded, terminated with 0 */
    ngx_str_t                   key;
    ngx_str_t                   id;         /* of AT_UPLOAD or ?uploadId= */

    reel_store_t               *store;
    reel_upload_facts_t         facts;      /* of a creation; strings in the
                                               request's pool */
    char                        asset[REEL_ULID_LEN + 1];
    ngx_uint_t                  fixed;      /* asset came by reel-asset */
    char                        origin[2 * REEL_SHA256_LEN + 1];
    uint64_t                    length;     /* REEL_UPLOAD_UNKNOWN */
    uint64_t                    covered;    /* of length: its parts, which
                                               the quota counts already */
    uint64_t                    max;        /* bytes of the whole, 0: none */
    const char                 *max_name;   /* which limit says so */
    uint64_t                    min_free;   /* reel_upload_min_free … */
    const char                 *root;       /* … below this folder */

    /* of the pool work: it touches nothing of the request */
    reel_upload_t              *upload;     /* closed by the pool's cleanup */
    ngx_uint_t                  turn;
    reel_named_t                named;      /* after completion */
    ngx_http_reel_check_t       checks[NGX_HTTP_REEL_CHECKS];
    ngx_uint_t                  nchecks;    /* 0: bytes count as they come */
    ngx_uint_t                  mismatch;   /* 1 + the check that failed */
    uint64_t                    durable;    /* bytes that the progress of an
                                               append may tell */
    ngx_http_reel_payload_t    *payload;    /* S3's; NULL: as it comes */
    ngx_uint_t                  left;       /* only what is here already is
                                               still written */
    reel_err_t                  err;
    char                        why[160];   /* "" or what to tell of err */

    ngx_http_reel_wake_t        wake;       /* watched while we hold a turn */
    ngx_http_reel_body_t        body;
    void                       *op;         /* of the door's own file */

    /* of ngx_http_reel_door.c */
    int64_t                     now_ms;     /* Unix time of the last post */
    void                      (*work)(ngx_http_reel_door_t *, ngx_log_t *);
    void                      (*done)(ngx_http_reel_door_t *);
    void                      (*then)(ngx_http_reel_door_t *);
    void                      (*settled)(ngx_http_reel_door_t *, ngx_int_t);
    void                      (*progress)(ngx_http_reel_door_t *);
    uint64_t                    progressed;
    ngx_int_t                 (*send)(ngx_http_reel_door_t *);
    ngx_int_t                   rc;
    ngx_event_t                 timer;      /* between tries for a turn */
    ngx_uint_t                  tries;
    ngx_msec_t                  since;
    uint8_t                     holder[REEL_UPLOAD_OWNER_LEN];
    ngx_uint_t                  held_by;    /* holder is known */
    ngx_uint_t                  status;     /* of a refusal … */
    const char                 *code;
    const char                 *detail;
    ngx_uint_t                  retryable;
};

typedef ngx_int_t (*ngx_http_reel_op_pt)(ngx_http_reel_door_t *door);

/* ---- ngx_http_reel_door.c ---- */

/* the first header of that name (lower case) in the request; NULL: none */
ngx_str_t *ngx_http_reel_door_header(ngx_http_request_t *r,
    const char *name);

/* Unix time in ms, any thread: for the end of what took long */
int64_t ngx_http_reel_door_now(void);

/*
 * Runs work(door) in the pool, then done(door).  For operations that hold
 * the reference of their handler; done ends the request or goes on.
 */
ngx_int_t ngx_http_reel_door_post(ngx_http_reel_door_t *door,
    void (*work)(ngx_http_reel_door_t *door, ngx_log_t *log),
    void (*done)(ngx_http_reel_door_t *door));

/* event loop: tells Redis what became of door->upload, if that is new; after
   each post this is done already */
void ngx_http_reel_door_tell(ngx_http_reel_door_t *door);

/*
 * Pool: opens upload door->id -> door->upload, without a turn.  REEL_NOTFOUND
 * also when it is not of this bucket or, by its own URL, not of the door that
 * is spoken, which facts.door says, or, below a key, no multipart upload of
 * that key and project.
 */
reel_err_t ngx_http_reel_door_open(ngx_http_reel_door_t *door);

/*
 * Opens upload door->id and takes `turn` (asking its holder to leave, with
 * timers between tries: ≤ 50 ms when the holder lives on this host), then
 * calls done(door) with door->err: REEL_OK and the upload watched (its phase
 * is EXPIRED when it had expired), NOTFOUND (a part's has expired, too),
 * AGAIN (not within 5 s), DENIED (a newer request came), or the store's.
 */
void ngx_http_reel_door_claim(ngx_http_reel_door_t *door, ngx_uint_t turn,
    void (*done)(ngx_http_reel_door_t *door));

/* the same for an upload that was just created and is held */
void ngx_http_reel_door_hold(ngx_http_reel_door_t *door);

/*
 * The body that ngx_http_reel_door_append is to read must have this sum;
 * until that is known its bytes are provisional.  If it has another one they
 * are discarded, settled hears REEL_BADDATA and mismatch tells which check.
 * A body that ends early is discarded too: nobody can tell.
 */
reel_err_t ngx_http_reel_door_check(ngx_http_reel_door_t *door,
    reel_sum_kind_t kind, const uint8_t *want);

/*
 * Pumps the body into turn 0 at the upload's offset.  settled(door) is called
 * once everything that came is settled: door->err REEL_OK and rc NGX_OK, or
 * rc says why the body ended early (what came is kept and settled all the
 * same), or err why it could not be written.  DENIED: a newer request has
 * it; just close the connection.
 */
void ngx_http_reel_door_append(ngx_http_reel_door_t *door,
    void (*settled)(ngx_http_reel_door_t *door, ngx_int_t rc));

/* … and calls progress(door) each time door->durable has grown meanwhile.
   Before ngx_http_reel_door_append; NULL: not */
void ngx_http_reel_door_watch(ngx_http_reel_door_t *door,
    void (*progress)(ngx_http_reel_door_t *door));

/*
 * Completes in the pool (reel_upload_complete), tells Redis of the job, then
 * calls done(door) with door->err and door->named.
 */
void ngx_http_reel_door_complete(ngx_http_reel_door_t *door,
    void (*done)(ngx_http_reel_door_t *door));

/* ---- ngx_http_reel_end.c ---- */

/* work: aborts the upload, again if need be; door->err */
void ngx_http_reel_door_abort(ngx_http_reel_door_t *door, ngx_log_t *log);

/* work: … of which nobody was told, and all of it goes; door->err stays */
void ngx_http_reel_door_undo(ngx_http_reel_door_t *door, ngx_log_t *log);

/*
 * The ways to end.  Each closes the upload in the pool first, so that the
 * turn is free when the client hears, and finalizes the request.
 */

/* … with what send(door) returns, once it sent the answer */
void ngx_http_reel_door_answer(ngx_http_reel_door_t *door,
    ngx_int_t (*send)(ngx_http_reel_door_t *door));

/* … with an error in the door's form; code and detail are not copied */
void ngx_http_reel_door_refuse(ngx_http_reel_door_t *door, ngx_uint_t status,
    const char *code, const char *detail, ngx_uint_t retryable);

/* … with the one mapping of door->err to status, code and words */
void ngx_http_reel_door_failed(ngx_http_reel_door_t *door);

/* … with nginx's own answer for rc, if the client is there to hear it */
void ngx_http_reel_door_close(ngx_http_reel_door_t *door, ngx_int_t rc);

/* … without an answer: a newer request came */
void ngx_http_reel_door_drop(ngx_http_reel_door_t *door);

/* "the body is larger than … allows", in the request's pool */
const char *ngx_http_reel_door_too_large(ngx_http_reel_door_t *door);

/* the path of an upload's URL, relative to the host: "/u/b/.uploads/<id>" */
ngx_int_t ngx_http_reel_door_url(ngx_http_reel_door_t *door, const char *id,
    ngx_str_t *url);

/* ---- ngx_http_reel_quota.c ---- */

/*
 * Pool: reel_upload_create of door->facts and length -> door->upload, for
 * all that ngx_http_reel_door_params was called for, unless
 *
 *   REEL_NOSPACE  less than reel_upload_min_free would be left;
 *   REEL_AGAIN    the access key has its quota of open uploads, or bytes in
 *                 them; a PutObject, which nobody leaves open, has none
 *   REEL_LIMIT    the length alone is more than that
 *   REEL_EXISTS   the id is in use
 *
 * and door->why says so.  What went wrong was logged.
 */
reel_err_t ngx_http_reel_door_create(ngx_http_reel_door_t *door,
    ngx_log_t *log);

/*
 * Pool: what was answered to an equal request of door->facts.origin ->
 * door->named; REEL_NOTFOUND: to none.
 */
reel_err_t ngx_http_reel_door_replay(ngx_http_reel_door_t *door);

/* REEL_EXISTS, and door->why: door->named is no answer to a body of that
   length */
reel_err_t ngx_http_reel_door_answered(ngx_http_reel_door_t *door,
    uint64_t length);

/* pool: REEL_NOSPACE when door->length would leave less than door->min_free */
reel_err_t ngx_http_reel_door_space(ngx_http_reel_door_t *door,
    ngx_log_t *log);

/* ---- ngx_http_reel_params.c ---- */

/*
 * What the signed query (reel-*) and the location say of an upload that is
 * to be created -> door->facts, max, length.  NGX_DECLINED: all is well;
 * else the refusal was sent and this is its return code.
 */
ngx_int_t ngx_http_reel_door_params(ngx_http_reel_door_t *door);

/*
 * Makes door->origin, by which an equal request is known, that of the upload:
 * only where a signature stands for one body, as that of a presigned URL
 * does by intent, and any that covers the body's SHA-256.
 */
void ngx_http_reel_door_once(ngx_http_reel_door_t *door);

/* ---- operations: each owns its file ----
 *
 * NGX_DONE: it runs on, with the reference of the handler, and ends by one
 * of the ways above; anything else is the handler's return code.
 */

ngx_int_t ngx_http_reel_put_object(ngx_http_reel_door_t *door);
/* nobody can go on with it: its bytes go, for once in the event loop */
void ngx_http_reel_put_forsake(ngx_http_reel_door_t *door);

ngx_int_t ngx_http_reel_multipart_create(ngx_http_reel_door_t *door);
ngx_int_t ngx_http_reel_multipart_complete(ngx_http_reel_door_t *door);
ngx_int_t ngx_http_reel_multipart_abort(ngx_http_reel_door_t *door);
ngx_int_t ngx_http_reel_part_put(ngx_http_reel_door_t *door);

ngx_int_t ngx_http_reel_s3_list_parts(ngx_http_reel_door_t *door);
ngx_int_t ngx_http_reel_s3_list_uploads(ngx_http_reel_door_t *door);
ngx_int_t ngx_http_reel_s3_head_object(ngx_http_reel_door_t *door);
ngx_int_t ngx_http_reel_s3_object(ngx_http_reel_door_t *door);
ngx_int_t ngx_http_reel_s3_bucket(ngx_http_reel_door_t *door);
ngx_int_t ngx_http_reel_s3_buckets(ngx_http_reel_door_t *door);

ngx_int_t ngx_http_reel_tus_create(ngx_http_reel_door_t *door);
ngx_int_t ngx_http_reel_tus_head(ngx_http_reel_door_t *door);
ngx_int_t ngx_http_reel_tus_patch(ngx_http_reel_door_t *door);
ngx_int_t ngx_http_reel_tus_delete(ngx_http_reel_door_t *door);

ngx_int_t ngx_http_reel_ietf_create(ngx_http_reel_door_t *door);
ngx_int_t ngx_http_reel_ietf_head(ngx_http_reel_door_t *door);
ngx_int_t ngx_http_reel_ietf_append(ngx_http_reel_door_t *door);
ngx_int_t ngx_http_reel_ietf_cancel(ngx_http_reel_door_t *door);

#endif
