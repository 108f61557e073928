/*
 * The records of `parts`, byte by byte as docs/uploads.md has them, and what
 * follows from all of them.  A part is on record when it begins, so that no
 * other is placed there, and when it is finished.
 */

#ifndef REEL_UPLOAD_PART_LOG_H
#define REEL_UPLOAD_PART_LOG_H

#include "lib/upload/upload.h"

#define REEL_UPLOAD_RECORD_LEN 128

typedef enum {
    REEL_UPLOAD_PART_BEGUN = 1,
    REEL_UPLOAD_PART_DONE = 2
} reel_upload_part_kind_t;

typedef struct {
    reel_upload_part_kind_t kind;
    reel_upload_part_t      part;       /* begun: finished_ms is when */
} reel_upload_record_t;

void reel_upload_record_print(uint8_t dst[REEL_UPLOAD_RECORD_LEN],
    const reel_upload_record_t *r);

/* REEL_BADDATA: torn, or not of this format */
reel_err_t reel_upload_record_parse(reel_upload_record_t *r,
    const uint8_t src[REEL_UPLOAD_RECORD_LEN]) REEL_WARN_UNUSED;

/* of one part; number 0: there is none */
typedef struct {
    reel_upload_part_t done, begun;
} reel_upload_row_t;

/* zeroed: of no parts; it takes as much memory as the log has numbers */
typedef struct {
    reel_upload_row_t *rows;            /* by number, or NULL … */
    uint32_t           room;            /* … so many */
    uint32_t           max;             /* no number above it */
    uint64_t           high;            /* nothing lies from there on */
    uint64_t           end;             /* where the next record goes */
} reel_upload_table_t;

void reel_upload_table_release(reel_upload_table_t *t);

/* the next record of the log; a broken one is passed over.  REEL_NOMEM */
reel_err_t reel_upload_table_add(reel_upload_table_t *t,
    const uint8_t raw[REEL_UPLOAD_RECORD_LEN]) REEL_WARN_UNUSED;

/* what is known of a part, never NULL */
const reel_upload_row_t *reel_upload_table_row(const reel_upload_table_t *t,
    uint32_t number);

/* nothing is under way any more, or not this one */
void reel_upload_table_bury(reel_upload_table_t *t, uint32_t number);
void reel_upload_table_bury_all(reel_upload_table_t *t);

/* true when nothing that counts lies in the range; what part `number` began
   and did not finish does not count (0: all parts count) */
bool reel_upload_table_free(const reel_upload_table_t *t, uint32_t number,
    uint64_t off, uint64_t size);

/* what is finished or under way, with part `number` as long as size, is no
   more than max together; 0: no limit */
bool reel_upload_table_fits(const reel_upload_table_t *t, uint32_t number,
    uint64_t size, uint64_t max);

/*
 * Where part `number` goes; *part_size is 0 as long as it is not known, and
 * set when this part tells it.  REEL_LIMIT: behind what can be addressed.
 */
reel_err_t reel_upload_table_place(const reel_upload_table_t *t,
    uint32_t number, uint64_t size, uint64_t *part_size, uint64_t *off)
    REEL_WARN_UNUSED;

#endif
