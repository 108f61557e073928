/* what publish writes: the index and result.json, from checked parts */

#ifndef REEL_WORKERD_PUBLISH_INDEX_H
#define REEL_WORKERD_PUBLISH_INDEX_H

#include "lib/base/buf.h"
#include "lib/index/index.h"
#include "workerd/publish_parts.h"

typedef struct {
    const char *asset;
    uint32_t    publication;
    int64_t     created_ms;         /* of the publication, … */
    int64_t     completed_ms;       /* of what is written now */
    uint8_t     salt[REEL_INDEX_SALT];
} reel_publish_id_t;

/* b is initialised here; release it */
reel_err_t reel_publish_index(reel_buf_t *b, const reel_parts_t *p,
    const reel_publish_t *t, const reel_publish_id_t *id, reel_error_t *e)
    REEL_WARN_UNUSED;

/* result.json of a complete index, whose bytes are index; as above */
reel_err_t reel_publish_result(reel_buf_t *b, const reel_parts_t *p,
    const reel_publish_t *t, const reel_publish_id_t *id,
    const reel_buf_t *index, reel_error_t *e) REEL_WARN_UNUSED;

#endif
