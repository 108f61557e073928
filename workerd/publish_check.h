/* whether the objects of one rendition fit together and cover the film */

#ifndef REEL_WORKERD_PUBLISH_CHECK_H
#define REEL_WORKERD_PUBLISH_CHECK_H

#include "workerd/publish_parts.h"

/*
 * Objects of one track, sorted: contiguous from fragment 0, equal facts and
 * equal CMAF headers, sizes that sum up.  Fills fragments and bytes.
 * REEL_BADDATA, e says what.
 */
reel_err_t reel_track_check_objects(reel_track_t *tr,
    const reel_publish_t *t, reel_error_t *e) REEL_WARN_UNUSED;

/*
 * The first n fragments start on the grid; all of them end where the film
 * does, with as many pictures as it has.
 */
reel_err_t reel_track_check_time(const reel_track_t *tr,
    const reel_publish_t *t, uint32_t n, reel_error_t *e) REEL_WARN_UNUSED;

/* both, of a rendition that is whole in one object */
reel_err_t reel_track_check_alone(const reel_encoded_t *o,
    const reel_grid_t *g, reel_error_t *e) REEL_WARN_UNUSED;

#endif
