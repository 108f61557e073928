/* the bounds of docs/index-format.md that need a walk; REEL_BADDATA */

#ifndef REEL_INDEX_CHECK_H
#define REEL_INDEX_CHECK_H

#include "lib/index/index.h"

/* of a file below the asset: 1 to REEL_INDEX_OBJECT_NAME plain characters */
bool reel_ix_object_name_valid(reel_str_t s);

/* a size for each sheet */
bool reel_ix_check_sheets(const reel_pictures_t *q);

/* n objects that cover exactly f fragments */
reel_err_t reel_ix_check_objects(reel_str_t bytes, uint32_t n, uint32_t f)
    REEL_WARN_UNUSED;

/* names and packed parts of q; e says which */
reel_err_t reel_ix_check_rendition(const reel_index_t *ix,
    const reel_rendition_t *q, reel_error_t *e) REEL_WARN_UNUSED;

#endif
