/* presigned URLs, for `presign` and `upload` */

#ifndef REEL_CTL_PRESIGN_H
#define REEL_CTL_PRESIGN_H

#include "reelctl/ctl.h"

typedef struct {
    char   *url;
    char   *bucket;             /* NULL when a path was signed */
    int64_t expires_at;         /* Unix seconds */
} reel_ctl_signed_t;

/*
 * Signs target with the limits among c's options.  A target with a leading
 * slash is a path of the server, with or without a query, as it goes on the
 * wire; any other is a name in the bucket.  Exit code; release what it made.
 */
int reel_ctl_presign(reel_ctl_t *c, const char *method, const char *target,
    reel_ctl_signed_t *s) REEL_WARN_UNUSED;
void reel_ctl_signed_release(reel_ctl_signed_t *s);

#endif
