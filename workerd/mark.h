/*
 * The image of a watermark: plan takes its bytes from the pipelines' folder,
 * or draws it of its text, into the job's, where encode_video finds them
 * whatever becomes of the file.
 */

#ifndef REEL_WORKERD_MARK_H
#define REEL_WORKERD_MARK_H

#include "lib/job/pipeline.h"
#include "lib/store/store.h"

/*
 * Is what m is made of in the folder: its image, or the font of its text?
 * REEL_NOTFOUND when not, and e says what.
 */
reel_err_t reel_mark_look(const reel_mark_t *m, const char *folder,
    reel_error_t *e) REEL_WARN_UNUSED;

/*
 * m->image of the folder, or one that is drawn of m->text, becomes the
 * job's; m->sum is set to its sum.
 */
reel_err_t reel_mark_keep(reel_mark_t *m, const char *folder,
    reel_store_t *s, const char *job, reel_error_t *e) REEL_WARN_UNUSED;

/*
 * *fd: a descriptor of the image with m->sum, the job's or, where that is
 * gone, the folder's; close it.  REEL_NOTFOUND: neither is there.
 */
reel_err_t reel_mark_open(int *fd, const reel_mark_t *m, const char *folder,
    reel_store_t *s, const char *job, reel_error_t *e) REEL_WARN_UNUSED;

#endif
