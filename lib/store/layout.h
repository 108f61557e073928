/*
 * The keys of the store (docs/store.md).  Each function prints into
 * dst[REEL_STORE_KEY_MAX + 1] and returns REEL_INVAL when an id, rendition
 * or name is not of its form, so that no key is ever built from raw input.
 */

#ifndef REEL_STORE_LAYOUT_H
#define REEL_STORE_LAYOUT_H

#include <stdint.h>

#include "lib/base/err.h"
#include "lib/base/str.h"
#include "lib/store/store.h"

typedef char reel_key_t[REEL_STORE_KEY_MAX + 1];

/* the parts of an asset: assets/<last 2 of id>/<id>/<part> */
#define REEL_PART_REQUEST   "request.json"
#define REEL_PART_SOURCE    "source"
#define REEL_PART_INDEX     "index"
#define REEL_PART_RESULT    "result.json"
#define REEL_PART_META      "meta.json"
#define REEL_PART_TOMBSTONE "tombstone"
#define REEL_PART_TWINS     "twins"

/* the folder of what programs of a pipeline made, and of tasks' answers */
#define REEL_FOLDER_FILE    "file"
#define REEL_FOLDER_PARTS   "parts"

reel_err_t reel_key_asset(reel_key_t dst, reel_str_t asset)
    REEL_WARN_UNUSED;                       /* assets/<xx>/<id> */
reel_err_t reel_key_asset_part(reel_key_t dst, reel_str_t asset,
    const char *part) REEL_WARN_UNUSED;
reel_err_t reel_key_object(reel_key_t dst, reel_str_t asset,
    reel_str_t rendition, reel_str_t object)
    REEL_WARN_UNUSED;                       /* …/<rendition>/<object> */

reel_err_t reel_key_upload(reel_key_t dst, reel_str_t upload,
    const char *part) REEL_WARN_UNUSED;     /* uploads/<id>[/<part>]: 32 hex
                                               digits, or an asset's id */
reel_err_t reel_key_name(reel_key_t dst, reel_str_t sha256_hex)
    REEL_WARN_UNUSED;                       /* names/<first 2>/<hash> */
reel_err_t reel_key_pending(reel_key_t dst, reel_str_t asset,
    uint32_t publication)
    REEL_WARN_UNUSED;                       /* pending/<job> */
reel_err_t reel_key_cancel(reel_key_t dst, reel_str_t asset,
    uint32_t publication)
    REEL_WARN_UNUSED;                       /* cancel/<job> */
reel_err_t reel_key_scratch(reel_key_t dst, reel_str_t job,
    const char *name) REEL_WARN_UNUSED;     /* scratch/<job>[/<name>] */

/* docs/store.md, Twins; asset NULL: the folder of all */
reel_err_t reel_key_twin(reel_key_t dst, reel_str_t sha256_hex,
    const char *asset)
    REEL_WARN_UNUSED;                       /* twins/<first 2>/<hash>[/<id>] */

/* locks of the work that twins do just now; beside the folders of two digits */
#define REEL_KEY_TWINS_WORK "twins/work"

/* webhooks are set up: events are noted */
#define REEL_KEY_HOOKS_ON "hooks/on"

reel_err_t reel_key_hook(reel_key_t dst, reel_str_t asset,
    const char *name) REEL_WARN_UNUSED;     /* hooks/<asset>[/<name>] */

/* [a-z0-9][a-z0-9-]{0,31}: rendition and pipeline names */
bool reel_name_valid(reel_str_t s);

#endif
