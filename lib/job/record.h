/*
 * The JSON records of the store (docs/store.md): request.json, result.json,
 * meta.json, names/<hash>.  Printed by our writer, read by jansson.  Strings
 * are owned by the record; release it.  Unknown members are ignored, missing
 * required ones are REEL_BADDATA with their name.
 */

#ifndef REEL_JOB_RECORD_H
#define REEL_JOB_RECORD_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/base/err.h"
#include "lib/base/json.h"
#include "lib/base/str.h"
#include "lib/job/limits.h"
#include "lib/job/warning.h"

#define REEL_RECORD_MAX (1u << 20)
#define REEL_META_MAX   (16u << 10)

typedef struct {
    char    *asset;
    char    *project;
    char    *pipeline;
    char    *name;              /* what the client called the file */
    char    *content_type;      /* may be NULL */
    char    *sha256;            /* hex, NULL when not computed */
    char    *meta;              /* JSON object text, NULL when none */
    char    *origin;            /* hex of the upload's names/, or NULL */
    uint64_t size;
    uint64_t max_duration_s;    /* 0: no limit signed */
    int64_t  created_ms;
} reel_request_t;

typedef struct {
    char    *title;             /* any may be NULL */
    char    *creator;
    char    *passthrough;
} reel_meta_t;

typedef struct {
    char     name[33];
    int      kind;              /* reel_kind_t's numbers */
    char     codec[64];
    uint32_t width, height;
    uint32_t rate_num, rate_den;
    uint32_t channels, sample_rate;
    uint64_t peak, average;     /* bits a second, 3-fragment segments */
    uint64_t bytes;
} reel_result_rendition_t;

/* a file that a program of the pipeline made: file/<object> */
typedef struct {
    char     task[32];          /* "captions", "captions.3" */
    char     name[33];          /* as the pipeline calls it */
    char     object[64];
    uint64_t bytes;
} reel_result_file_t;

typedef struct {
    char    *asset;
    uint32_t publication;
    bool     ready;             /* else errored */
    int64_t  completed_ms;
    int64_t  duration_ms;
    reel_result_rendition_t *renditions;
    size_t   nrenditions;
    reel_result_file_t *files;  /* owned */
    size_t   nfiles;
    reel_warnings_t warnings;   /* of one that is ready */
    char    *pictures;          /* "copied", "copied as …", "encoded: " and
                                   why, where the pipeline would copy … */
    char    *sound;             /* … these; else NULL */
    char    *code;              /* errored: "NOT_A_VIDEO", … */
    char    *stage;             /* errored: task name */
    char    *detail;            /* errored: a sentence for the user */
    char    *log;               /* errored: tail of the log */
    bool     retryable;
} reel_result_t;

reel_err_t reel_request_print(reel_buf_t *b, const reel_request_t *r)
    REEL_WARN_UNUSED;
reel_err_t reel_request_parse(reel_request_t *r, const char *json, size_t len,
    reel_error_t *e) REEL_WARN_UNUSED;
void reel_request_release(reel_request_t *r);

/*
 * Only title, creator (≤ 1024 bytes each) and passthrough (≤ 4096) are
 * known; another member is REEL_INVAL naming it, over REEL_META_MAX is
 * REEL_LIMIT.
 */
reel_err_t reel_meta_parse(reel_meta_t *m, const char *json, size_t len,
    reel_error_t *e) REEL_WARN_UNUSED;
/* what patch holds replaces, a JSON null removes (RFC 7396) */
reel_err_t reel_meta_patch(reel_meta_t *m, const char *json, size_t len,
    reel_error_t *e) REEL_WARN_UNUSED;
reel_err_t reel_meta_print(reel_buf_t *b, const reel_meta_t *m)
    REEL_WARN_UNUSED;
void reel_meta_release(reel_meta_t *m);

reel_err_t reel_result_print(reel_buf_t *b, const reel_result_t *r)
    REEL_WARN_UNUSED;
reel_err_t reel_result_parse(reel_result_t *r, const char *json, size_t len,
    reel_error_t *e) REEL_WARN_UNUSED;
void reel_result_release(reel_result_t *r);

/* the member "files" for those who may fetch them: without objects; nothing
   when there are none */
void reel_result_files_print(reel_json_t *j, const reel_result_t *r);

/* NULL: no such file */
const reel_result_file_t *reel_result_file(const reel_result_t *r,
    reel_str_t task, reel_str_t name);

/* names/<hash>: what a retried PutObject replays */
typedef struct {
    char     asset[27];
    char     etag[80];
    uint64_t size;
} reel_named_t;

reel_err_t reel_named_print(reel_buf_t *b, const reel_named_t *n)
    REEL_WARN_UNUSED;
reel_err_t reel_named_parse(reel_named_t *n, const char *json, size_t len,
    reel_error_t *e) REEL_WARN_UNUSED;

typedef enum {
    REEL_ASSET_ABSENT,
    REEL_ASSET_PREPARING,
    REEL_ASSET_READY,
    REEL_ASSET_ERRORED,
    REEL_ASSET_DELETED
} reel_asset_state_t;

/*
 * The state that follows from which files stand (docs/store.md).  result is
 * NULL when there is none; retry: the publication behind it is in pending/.
 */
reel_asset_state_t reel_asset_state(bool request, bool tombstone,
    const reel_result_t *result, bool retry);
const char *reel_asset_state_name(reel_asset_state_t st);

#endif
