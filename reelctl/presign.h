/* presigned URLs, for `presign` and `upload` */

#ifndef REEL_CTL_PRESIGN_H
#define REEL_CTL_PRESIGN_H

#include "reelctl/http.h"

typedef struct {
    char   *url;
    char   *bucket;             /* NULL when a path was signed */
    char    asset[27];          /* the id it will have; "" with a path */
    int64_t expires_at;         /* Unix seconds */
} reel_ctl_signed_t;

/*
 * Signs target with the limits among c's options.  A target with a leading
 * slash is a path of the server, with or without a query, as it goes on the
 * wire; any other is a name in the bucket.  Exit code; release what it made.
 *
 * To PUT a name, the asset's id is made here and signed too.  Two URLs made
 * in one second for one name would otherwise be the same URL, and the second
 * upload a repetition of the first: answered, and its bytes dropped.
 */
int reel_ctl_presign(reel_ctl_t *c, const char *method, const char *target,
    reel_ctl_signed_t *s) REEL_WARN_UNUSED;
void reel_ctl_signed_release(reel_ctl_signed_t *s);

/*
 * What it is made of, for those who sign in the header: the limits among
 * c's options as a query; "<base>/upload/<bucket>/<name>", encoded, with the
 * bucket that was chosen (borrowed); the asset's id of --asset or a new one.
 * reel_ctl_key() comes first.
 */
int reel_ctl_limits(const reel_ctl_t *c, reel_buf_t *query) REEL_WARN_UNUSED;
int reel_ctl_name_path(const reel_ctl_t *c, const reel_ctl_server_t *server,
    const char *name, const char **bucket, reel_buf_t *path)
    REEL_WARN_UNUSED;
int reel_ctl_choose_asset(const reel_ctl_t *c, char dst[27])
    REEL_WARN_UNUSED;

#endif
