#include <stdlib.h>
#include <string.h>

#include "lib/base/crc32c.h"
#include "lib/base/reader.h"
#include "lib/upload/le.h"
#include "lib/upload/part_log.h"


#define CRC_AT   (REEL_UPLOAD_RECORD_LEN - 4)
#define ALIGN    4096u
#define MIN_PART (5u << 20)     /* of S3: all but the last have as much */
#define FAR_MAX  (1ull << 40)   /* what every file system can address */
#define MIN_ROOM 64u


void
reel_upload_record_print(uint8_t dst[REEL_UPLOAD_RECORD_LEN],
    const reel_upload_record_t *r)
{
    memset(dst, 0, REEL_UPLOAD_RECORD_LEN);
    reel_put_u32le(dst, (uint32_t) r->kind);
    reel_put_u32le(dst + 4, r->part.number);
    reel_put_u64le(dst + 8, r->part.offset);
    reel_put_u64le(dst + 16, r->part.size);
    reel_put_u64le(dst + 24, r->part.tag);
    reel_put_u64le(dst + 32, (uint64_t) r->part.finished_ms);
    dst[40] = r->part.sum_kind;
    memcpy(dst + 48, r->part.sum, sizeof(r->part.sum));
    reel_put_u32le(dst + CRC_AT, reel_crc32c(0, dst, CRC_AT));
}


static bool
sound(const reel_upload_record_t *r)
{
    const reel_upload_part_t  *p = &r->part;

    return (r->kind == REEL_UPLOAD_PART_BEGUN
            || r->kind == REEL_UPLOAD_PART_DONE)
           && p->number >= 1 && p->number <= REEL_UPLOAD_PARTS_MAX
           && p->offset <= INT64_MAX && p->size <= INT64_MAX - p->offset
           && p->finished_ms >= 0;
}


reel_err_t
reel_upload_record_parse(reel_upload_record_t *r,
    const uint8_t src[REEL_UPLOAD_RECORD_LEN])
{
    uint32_t       sum;
    reel_str_t     s;
    reel_reader_t  in;

    *r = (reel_upload_record_t) { 0 };

    reel_reader_init(&in, src, REEL_UPLOAD_RECORD_LEN);
    r->kind = (reel_upload_part_kind_t) reel_read_u32le(&in);
    r->part.number = reel_read_u32le(&in);
    r->part.offset = reel_read_u64le(&in);
    r->part.size = reel_read_u64le(&in);
    r->part.tag = reel_read_u64le(&in);
    r->part.finished_ms = (int64_t) reel_read_u64le(&in);
    r->part.sum_kind = reel_read_u8(&in);
    reel_read_skip(&in, 7);
    s = reel_read_bytes(&in, sizeof(r->part.sum));
    reel_read_skip(&in, CRC_AT - reel_reader_pos(&in));
    sum = reel_read_u32le(&in);

    if (in.err != REEL_OK || sum != reel_crc32c(0, src, CRC_AT) || !sound(r)) {
        return REEL_BADDATA;
    }

    memcpy(r->part.sum, s.p, sizeof(r->part.sum));

    return REEL_OK;
}


void
reel_upload_table_release(reel_upload_table_t *t)
{
    free(t->rows);
    *t = (reel_upload_table_t) { 0 };
}


static reel_err_t
make_room(reel_upload_table_t *t, uint32_t number)
{
    uint32_t            room = t->room;
    reel_upload_row_t  *rows;

    if (number < room) {
        return REEL_OK;
    }

    if (room == 0) {
        room = MIN_ROOM;
    }

    while (room <= number) {
        room *= 2;
    }

    rows = realloc(t->rows, room * sizeof(*rows));
    if (rows == NULL) {
        return REEL_NOMEM;
    }

    memset(rows + t->room, 0, (room - t->room) * sizeof(*rows));
    t->rows = rows;
    t->room = room;

    return REEL_OK;
}


reel_err_t
reel_upload_table_add(reel_upload_table_t *t,
    const uint8_t raw[REEL_UPLOAD_RECORD_LEN])
{
    uint32_t              n;
    reel_err_t            err;
    reel_upload_record_t  r;

    t->end += REEL_UPLOAD_RECORD_LEN;

    if (reel_upload_record_parse(&r, raw) != REEL_OK) {
        return REEL_OK;
    }

    n = r.part.number;

    err = make_room(t, n);
    if (err != REEL_OK) {
        return err;
    }

    if (n > t->max) {
        t->max = n;
    }

    if (r.kind == REEL_UPLOAD_PART_BEGUN) {
        t->rows[n].begun = r.part;

    } else {
        t->rows[n].done = r.part;
        t->rows[n].begun.number = 0;
    }

    if (r.part.offset + r.part.size > t->high) {
        t->high = r.part.offset + r.part.size;
    }

    return REEL_OK;
}


const reel_upload_row_t *
reel_upload_table_row(const reel_upload_table_t *t, uint32_t number)
{
    static const reel_upload_row_t  none;

    return number <= t->max && t->rows != NULL ? &t->rows[number] : &none;
}


void
reel_upload_table_bury(reel_upload_table_t *t, uint32_t number)
{
    if (number <= t->max && t->rows != NULL) {
        t->rows[number].begun.number = 0;
    }
}


void
reel_upload_table_bury_all(reel_upload_table_t *t)
{
    uint32_t  i;

    for (i = 1; i <= t->max; i++) {
        reel_upload_table_bury(t, i);
    }
}


static bool
overlaps(const reel_upload_part_t *p, uint64_t off, uint64_t size)
{
    return p->number != 0 && p->size != 0
           && off < p->offset + p->size && p->offset < off + size;
}


bool
reel_upload_table_free(const reel_upload_table_t *t, uint32_t number,
    uint64_t off, uint64_t size)
{
    uint32_t  i;

    if (size == 0) {
        return true;
    }

    for (i = 1; i <= t->max; i++) {
        if (overlaps(&t->rows[i].done, off, size)
            || (i != number && overlaps(&t->rows[i].begun, off, size)))
        {
            return false;
        }
    }

    return true;
}


bool
reel_upload_table_fits(const reel_upload_table_t *t, uint32_t number,
    uint64_t size, uint64_t max)
{
    uint32_t                  i;
    uint64_t                  n;
    const reel_upload_row_t  *row;

    if (max == 0) {
        return true;
    }

    for (i = 1, n = size; n <= max; i++) {
        max -= n;

        if (i > t->max) {
            return true;
        }

        row = &t->rows[i];
        n = row->done.number != 0 ? row->done.size : 0;

        if (row->begun.number != 0 && row->begun.size > n) {
            n = row->begun.size;
        }

        if (i == number) {
            n = 0;
        }
    }

    return false;
}


/*
 * Behind everything, and behind all places of the grid too where that is not
 * too far: a last part that comes first must not stand in the others' way.
 */
static uint64_t
tail(const reel_upload_table_t *t, uint64_t part_size)
{
    uint64_t  far;

    if (part_size == 0) {
        part_size = MIN_PART;
    }

    far = part_size < FAR_MAX / REEL_UPLOAD_PARTS_MAX
          ? part_size * REEL_UPLOAD_PARTS_MAX : FAR_MAX;

    if (t->high > far) {
        far = t->high;
    }

    return (far + ALIGN - 1) / ALIGN * ALIGN;
}


reel_err_t
reel_upload_table_place(const reel_upload_table_t *t, uint32_t number,
    uint64_t size, uint64_t *part_size, uint64_t *off)
{
    uint64_t                   at;
    const reel_upload_part_t  *dead;

    dead = &reel_upload_table_row(t, number)->begun;

    if (*part_size == 0 && size != 0 && (number == 1 || size >= MIN_PART)) {
        *part_size = size;
    }

    if (*part_size != 0 && size <= *part_size
        && *part_size <= INT64_MAX / REEL_UPLOAD_PARTS_MAX)
    {
        at = (number - 1) * *part_size;

        if (reel_upload_table_free(t, number, at, size)) {
            *off = at;
            return REEL_OK;
        }
    }

    /* once more: what is set aside for it */
    if (dead->number != 0 && size != 0 && size <= dead->size
        && reel_upload_table_free(t, number, dead->offset, size))
    {
        *off = dead->offset;
        return REEL_OK;
    }

    at = tail(t, *part_size);

    if (at > INT64_MAX || size > INT64_MAX - at) {
        return REEL_LIMIT;
    }

    *off = at;

    return REEL_OK;
}
