/* a slot of `state`, byte by byte as docs/uploads.md has it */

#ifndef REEL_UPLOAD_SLOT_H
#define REEL_UPLOAD_SLOT_H

#include "lib/upload/upload.h"

#define REEL_UPLOAD_SLOT_LEN  128
#define REEL_UPLOAD_SLOT_STEP 4096      /* slot B lies there */

typedef struct {
    uint64_t            seq;            /* the higher one counts; from 1 */
    reel_upload_state_t state;
    uint8_t             boot[REEL_UPLOAD_BOOT_LEN];     /* of its writer */
} reel_upload_slot_t;

void reel_upload_slot_print(uint8_t dst[REEL_UPLOAD_SLOT_LEN],
    const reel_upload_slot_t *s);

/* REEL_BADDATA: torn, never written, or not of this format */
reel_err_t reel_upload_slot_parse(reel_upload_slot_t *s,
    const uint8_t src[REEL_UPLOAD_SLOT_LEN]) REEL_WARN_UNUSED;

#endif
