/*
 * upload.json: what was fixed when an upload was created (docs/uploads.md).
 * Printed by our writer, read by jansson.
 */

#ifndef REEL_JOB_UPLOAD_RECORD_H
#define REEL_JOB_UPLOAD_RECORD_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/base/err.h"
#include "lib/job/record.h"

#define REEL_UPLOAD_ID_LEN     32           /* 128 random bits in hex */
#define REEL_UPLOAD_KEY_MAX    1024         /* bytes of an S3 key */
#define REEL_UPLOAD_METADATA_MAX 8192
#define REEL_UPLOAD_CONCAT_MAX   (64u << 10)

typedef enum {
    REEL_UPLOAD_PUT,                        /* one request, nothing resumes */
    REEL_UPLOAD_MULTIPART,
    REEL_UPLOAD_TUS,
    REEL_UPLOAD_IETF
} reel_upload_door_t;

const char *reel_upload_door_name(reel_upload_door_t d);

/* strings as in reel_request_t: owned once read, else borrowed; UTF-8 */
typedef struct {
    char               id[REEL_UPLOAD_ID_LEN + 1];
    reel_upload_door_t door;
    reel_request_t     request;             /* size and sha256 are not used */
    char              *bucket;
    char              *key;                 /* the S3 key, data, no path; may
                                               be NULL, as all that follow */
    char              *origin;              /* hex of names/: whose repetition
                                               is answered the same */
    char              *metadata;            /* tus Upload-Metadata */
    char               expect[65];          /* signed sha256 in hex or "" */
    uint64_t           max_bytes;           /* 0: none */
    int64_t            expires_ms;          /* Unix time when nothing comes */
    bool               partial;             /* tus: made to be joined */
    char              *concat;              /* tus: Upload-Concat of what was
                                               joined, or NULL */
    char               access_key[129];     /* whose quota it counts to */
} reel_upload_facts_t;

reel_err_t reel_upload_facts_print(reel_buf_t *b,
    const reel_upload_facts_t *f) REEL_WARN_UNUSED;
reel_err_t reel_upload_facts_parse(reel_upload_facts_t *f, const char *json,
    size_t len, reel_error_t *e) REEL_WARN_UNUSED;
void reel_upload_facts_release(reel_upload_facts_t *f);

/* lower-case hex of REEL_UPLOAD_ID_LEN characters */
bool reel_upload_id_valid(reel_str_t id);

#endif
