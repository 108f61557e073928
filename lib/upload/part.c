/*
 * Parts: each writer has its own turn, and they meet only under the mutex,
 * where a place is chosen and the log grows.
 */

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "lib/upload/upload_impl.h"


#define READ_SIZE (512u * REEL_UPLOAD_RECORD_LEN)


reel_err_t
reel_upload_table_load(reel_upload_impl_t *u, reel_upload_table_t *t)
{
    size_t       n, at;
    uint8_t     *buf;
    reel_err_t   err;

    *t = (reel_upload_table_t) { 0 };
    buf = malloc(READ_SIZE);

    err = buf == NULL ? REEL_NOMEM
          : reel_upload_stage(u, REEL_UPLOAD_PARTS, false, &u->parts);

    for (n = READ_SIZE; err == REEL_OK && n == READ_SIZE; ) {
        err = reel_multipart_read(u->parts, t->end, buf, READ_SIZE, &n);

        for (at = 0; err == REEL_OK && n - at >= REEL_UPLOAD_RECORD_LEN; ) {
            err = reel_upload_table_add(t, buf + at);
            at += REEL_UPLOAD_RECORD_LEN;
        }
    }

    free(buf);

    return err;
}


static reel_err_t
append(reel_upload_impl_t *u, uint64_t at, reel_upload_part_kind_t kind,
    const reel_upload_part_t *p)
{
    uint8_t               raw[REEL_UPLOAD_RECORD_LEN];
    reel_upload_record_t  r = { kind, *p };

    reel_upload_record_print(raw, &r);

    return reel_multipart_write(u->parts, at, raw, sizeof(raw));
}


/* a torn record is written over */
static reel_err_t
log_end(reel_upload_impl_t *u, uint64_t *end)
{
    reel_err_t  err;

    err = reel_upload_stage(u, REEL_UPLOAD_PARTS, false, &u->parts);

    if (err == REEL_OK) {
        err = reel_multipart_size(u->parts, end);
    }

    if (err == REEL_OK) {
        *end -= *end % REEL_UPLOAD_RECORD_LEN;
    }

    return err;
}


reel_err_t
reel_upload_table_log(reel_upload_impl_t *u, const reel_upload_part_t *parts,
    size_t n)
{
    size_t      i;
    uint64_t    end = 0;
    reel_err_t  err;

    err = log_end(u, &end);

    for (i = 0; err == REEL_OK && i < n; i++) {
        err = append(u, end + i * REEL_UPLOAD_RECORD_LEN,
                     REEL_UPLOAD_PART_DONE, &parts[i]);
    }

    return err == REEL_OK ? reel_multipart_sync(u->parts) : err;
}


reel_err_t
reel_upload_part_last(reel_upload_impl_t *u, int64_t *ms)
{
    size_t                n;
    uint8_t               raw[REEL_UPLOAD_RECORD_LEN];
    uint64_t              end;
    reel_err_t            err;
    reel_upload_record_t  r;

    *ms = 0;

    err = reel_upload_stage(u, REEL_UPLOAD_PARTS, false, &u->parts);
    if (err != REEL_OK) {
        return err == REEL_NOTFOUND ? REEL_OK : err;
    }

    err = log_end(u, &end);
    if (err != REEL_OK || end == 0) {
        return err;
    }

    err = reel_multipart_read(u->parts, end - sizeof(raw), raw, sizeof(raw),
                              &n);

    if (err == REEL_OK && n == sizeof(raw)
        && reel_upload_record_parse(&r, raw) == REEL_OK)
    {
        *ms = r.part.finished_ms;
    }

    return err;
}


/* ours is a part's turn of an open multipart upload, and nobody wants it */
static reel_err_t
may_write(reel_upload_impl_t *u)
{
    if (!u->pub.held || u->pub.turn == 0
        || u->pub.state.phase != REEL_UPLOAD_OPEN
        || u->pub.facts.door != REEL_UPLOAD_MULTIPART)
    {
        return REEL_INVAL;
    }

    return reel_upload_check(&u->pub);
}


/* under the mutex; a place that nothing on record needs takes no room */
static void
give_back(reel_upload_impl_t *u, const reel_upload_table_t *t,
    uint32_t number, uint64_t from, uint64_t to)
{
    if (from < to && reel_upload_table_free(t, number, from, to - from)) {
        reel_multipart_punch(u->data, from, to - from);
    }
}


/* what was set aside for this part by one that was cut, but for where it
   lies now */
static void
give_back_dead(reel_upload_impl_t *u, const reel_upload_table_t *t,
    const reel_upload_part_t *p)
{
    uint64_t                   end, dead_end;
    const reel_upload_part_t  *dead;

    dead = &reel_upload_table_row(t, p->number)->begun;

    if (dead->number == 0) {
        return;
    }

    end = p->offset + p->size;
    dead_end = dead->offset + dead->size;

    give_back(u, t, p->number, dead->offset,
              dead_end < p->offset ? dead_end : p->offset);
    give_back(u, t, p->number, dead->offset > end ? dead->offset : end,
              dead_end);
}


/* of other parts: who has their turn no more finishes nothing */
static void
bury_dead(reel_upload_impl_t *u, reel_upload_table_t *t, uint32_t number)
{
    uint32_t            i;
    uint64_t            at;
    reel_upload_part_t  dead;

    for (i = 1; i <= t->max; i++) {
        dead = t->rows[i].begun;

        if (i == number || dead.number == 0
            || reel_multipart_holder(u->state_file, i, 1, &at)
               != REEL_NOTFOUND)
        {
            continue;
        }

        reel_upload_table_bury(t, i);
        give_back(u, t, 0, dead.offset, dead.offset + dead.size);
    }
}


/* all that is set aside counts: each may begin with as much as is allowed */
static reel_err_t
check_room(reel_upload_impl_t *u, reel_upload_table_t *t,
    const reel_upload_part_t *p)
{
    uint64_t  max = u->pub.facts.max_bytes;

    if (reel_upload_table_fits(t, p->number, p->size, max)) {
        return REEL_OK;
    }

    bury_dead(u, t, p->number);

    return reel_upload_table_fits(t, p->number, p->size, max) ? REEL_OK
                                                              : REEL_LIMIT;
}


/* under the mutex; the size of parts is told once */
static reel_err_t
choose_place(reel_upload_impl_t *u, reel_upload_part_t *p)
{
    uint64_t             part_size;
    reel_err_t           err;
    reel_upload_table_t  t;

    err = reel_upload_state_read(u);
    if (err != REEL_OK) {
        return err;
    }

    err = reel_upload_table_load(u, &t);
    part_size = u->pub.state.part_size;

    if (err == REEL_OK) {
        u->before = reel_upload_table_row(&t, p->number)->done;
        err = check_room(u, &t, p);
    }

    if (err == REEL_OK) {
        err = reel_upload_table_place(&t, p->number, p->size, &part_size,
                                      &p->offset);
    }

    if (err == REEL_OK && part_size != u->pub.state.part_size) {
        u->pub.state.part_size = part_size;
        err = reel_upload_state_settle(u);
    }

    if (err == REEL_OK) {
        err = append(u, t.end, REEL_UPLOAD_PART_BEGUN, p);
    }

    if (err == REEL_OK) {
        give_back_dead(u, &t, p);
    }

    reel_upload_table_release(&t);

    return err;
}


reel_err_t
reel_upload_part_begin(reel_upload_t *pub, uint64_t size, int64_t now_ms,
    reel_upload_part_t *p)
{
    reel_err_t           err;
    reel_upload_impl_t  *u = reel_upload_impl(pub);

    *p = (reel_upload_part_t) {
        .number = pub->turn, .size = size, .finished_ms = now_ms
    };

    err = may_write(u);
    if (err != REEL_OK) {
        return err;
    }

    if (size > INT64_MAX
        || (pub->facts.max_bytes != 0 && size > pub->facts.max_bytes))
    {
        return REEL_LIMIT;
    }

    err = reel_upload_stage(u, REEL_UPLOAD_DATA, false, &u->data);

    if (err == REEL_OK) {
        err = reel_upload_mutex_lock(u);
    }

    if (err != REEL_OK) {
        return err;
    }

    err = choose_place(u, p);
    reel_upload_mutex_unlock(u);

    u->part_at = 0;

    return err == REEL_OK ? reel_multipart_reserve(u->data, p->offset, size)
                          : err;
}


reel_err_t
reel_upload_part_write(reel_upload_t *pub, const reel_upload_part_t *p,
    uint64_t at, const void *data, size_t len)
{
    reel_err_t           err;
    reel_upload_impl_t  *u = reel_upload_impl(pub);

    if (at > p->size || len > p->size - at) {
        return REEL_LIMIT;
    }

    if (u->data == NULL || at > u->part_at) {
        return REEL_INVAL;
    }

    err = may_write(u);

    if (err == REEL_OK) {
        err = reel_multipart_write(u->data, p->offset + at, data, len);
    }

    if (err == REEL_OK && at + len > u->part_at) {
        u->part_at = at + len;
    }

    return err;
}


static reel_err_t
draw_tag(uint64_t *tag)
{
    do {
        if (getrandom(tag, sizeof(*tag), 0) != (ssize_t) sizeof(*tag)) {
            return REEL_IO;
        }
    } while (*tag == 0);

    return REEL_OK;
}


/* once it is durable that another one took its place */
static void
give_back_before(reel_upload_impl_t *u)
{
    reel_upload_table_t        t;
    const reel_upload_part_t  *p = &u->before;

    if (p->number == 0 || p->size == 0
        || reel_upload_mutex_lock(u) != REEL_OK)
    {
        return;
    }

    if (reel_upload_table_load(u, &t) == REEL_OK) {
        give_back(u, &t, 0, p->offset, p->offset + p->size);
    }

    reel_upload_table_release(&t);

    reel_upload_mutex_unlock(u);
}


reel_err_t
reel_upload_part_finish(reel_upload_t *pub, reel_upload_part_t *p,
    int64_t now_ms)
{
    reel_err_t           err;
    uint64_t             end;
    reel_upload_impl_t  *u = reel_upload_impl(pub);

    if (u->data == NULL || u->part_at != p->size) {
        return REEL_INVAL;
    }

    err = may_write(u);

    if (err == REEL_OK) {
        err = draw_tag(&p->tag);
    }

    if (err == REEL_OK) {
        err = reel_multipart_sync(u->data);
    }

    if (err == REEL_OK) {
        err = reel_upload_mutex_lock(u);
    }

    if (err != REEL_OK) {
        return err;
    }

    p->finished_ms = now_ms;

    /* who was overtaken while it synced has finished nothing */
    err = may_write(u);

    if (err == REEL_OK) {
        err = log_end(u, &end);
    }

    if (err == REEL_OK) {
        err = append(u, end, REEL_UPLOAD_PART_DONE, p);
    }

    reel_upload_mutex_unlock(u);

    if (err == REEL_OK) {
        err = reel_multipart_sync(u->parts);
    }

    if (err == REEL_OK) {
        give_back_before(u);
    }

    return err;
}


reel_err_t
reel_upload_parts(reel_upload_t *pub, reel_upload_part_t **parts, size_t *n)
{
    uint32_t             i;
    reel_err_t           err;
    reel_upload_table_t  t;

    *parts = NULL;
    *n = 0;

    if (pub->facts.door != REEL_UPLOAD_MULTIPART) {
        return REEL_INVAL;
    }

    err = reel_upload_table_load(reel_upload_impl(pub), &t);

    if (err == REEL_OK) {
        *parts = calloc((size_t) t.max + 1, sizeof(**parts));
        err = *parts == NULL ? REEL_NOMEM : REEL_OK;
    }

    for (i = 1; err == REEL_OK && i <= t.max; i++) {
        if (t.rows[i].done.number != 0) {
            (*parts)[(*n)++] = t.rows[i].done;
        }
    }

    reel_upload_table_release(&t);

    return err;
}
