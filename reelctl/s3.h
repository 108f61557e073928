/* S3's multipart upload, request by request: signed in the header */

#ifndef REEL_CTL_S3_H
#define REEL_CTL_S3_H

#include "reelctl/upload.h"

#define REEL_CTL_UPLOAD_ID 1025 /* bytes of an upload's id: AWS' are long */

typedef struct {
    const reel_ctl_how_t *how;
    reel_ctl_server_t     server;
    reel_buf_t            path;     /* of the object, encoded */
    char                  upload[REEL_CTL_UPLOAD_ID];   /* "": none yet */
    char                  asset[27];    /* that it will be */
} reel_ctl_s3_t;

/* all of them: exit code; what is wrong has been told */

/* with the limits among the options; fills upload and asset */
int reel_ctl_s3_create(reel_ctl_s3_t *s) REEL_WARN_UNUSED;

/* UploadPart of part i, which has its sum */
int reel_ctl_s3_part(const reel_ctl_s3_t *s, const reel_ctl_parts_t *p,
    size_t i, reel_ctl_call_t *call) REEL_WARN_UNUSED;

/*
 * Marks the parts that are there.  REEL_EXIT_NOTFOUND is not told: the
 * server no longer has the upload.
 */
int reel_ctl_s3_list(reel_ctl_s3_t *s, reel_ctl_parts_t *p)
    REEL_WARN_UNUSED;

int reel_ctl_s3_complete(reel_ctl_s3_t *s, const reel_ctl_parts_t *p,
    reel_ctl_outcome_t *out) REEL_WARN_UNUSED;

/* tries once; true when there was one to abort */
bool reel_ctl_s3_abort(reel_ctl_s3_t *s);

#endif
