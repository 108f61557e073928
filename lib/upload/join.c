/*
 * Parts become one run of bytes.  Where they lie one behind another already,
 * nothing is done; a hole before the first is cut off by the file system; a
 * few that lie elsewhere are copied to their places when those are free; and
 * whatever else comes is copied into `joined`.  Until the upload is sealed
 * no byte of a finished part is touched, so a crash loses nothing.
 */

#include <stdlib.h>
#include <string.h>

#include "lib/upload/upload_impl.h"


#define ALIGN 4096u             /* what file systems collapse by */

typedef struct {
    reel_upload_part_t *part;           /* as listed */
    uint64_t           *want;           /* offset in the result */
    size_t              n;
    uint64_t            total;
} list_t;


static void
list_release(list_t *l)
{
    free(l->part);
    free(l->want);
}


static reel_err_t
list_parts(list_t *l, const reel_upload_table_t *t, const uint32_t *numbers,
    const uint64_t *tags, size_t n, size_t *bad)
{
    size_t                     i;
    const reel_upload_part_t  *p;

    l->part = calloc(n, sizeof(*l->part));
    l->want = calloc(n, sizeof(*l->want));

    if (l->part == NULL || l->want == NULL) {
        return REEL_NOMEM;
    }

    for (i = 0; i < n; i++) {
        *bad = i;

        if (numbers[i] == 0 || numbers[i] > REEL_UPLOAD_PARTS_MAX) {
            return REEL_BADDATA;
        }

        if (i > 0 && numbers[i] <= numbers[i - 1]) {
            return REEL_INVAL;
        }

        p = &reel_upload_table_row(t, numbers[i])->done;

        if (p->number == 0 || p->tag != tags[i]) {
            return REEL_BADDATA;
        }

        if (p->size > INT64_MAX - l->total) {
            return REEL_LIMIT;
        }

        l->part[i] = *p;
        l->want[i] = l->total;
        l->total += p->size;
    }

    l->n = n;

    return REEL_OK;
}


static bool
misplaced(const list_t *l, size_t i, uint64_t base)
{
    return l->part[i].size != 0 && l->part[i].offset != base + l->want[i];
}


static uint64_t
misplaced_bytes(const list_t *l, uint64_t base)
{
    size_t    i;
    uint64_t  sum = 0;

    for (i = 0; i < l->n; i++) {
        sum += misplaced(l, i, base) ? l->part[i].size : 0;
    }

    return sum;
}


/* where the result begins: at 0, unless fewer bytes move otherwise */
static uint64_t
choose_base(const list_t *l)
{
    size_t    i, lowest = l->n;
    uint64_t  base;

    for (i = 0; i < l->n; i++) {
        if (l->part[i].size != 0
            && (lowest == l->n
                || l->part[i].offset < l->part[lowest].offset))
        {
            lowest = i;
        }
    }

    if (lowest == l->n || l->part[lowest].offset <= l->want[lowest]) {
        return 0;
    }

    base = l->part[lowest].offset - l->want[lowest];

    return base % ALIGN == 0 && base <= INT64_MAX - l->total
           && misplaced_bytes(l, base) < misplaced_bytes(l, 0) ? base : 0;
}


static bool
places_free(const list_t *l, const reel_upload_table_t *t, uint64_t base)
{
    size_t  i;

    for (i = 0; i < l->n; i++) {
        if (misplaced(l, i, base)
            && !reel_upload_table_free(t, 0, base + l->want[i],
                                       l->part[i].size))
        {
            return false;
        }
    }

    return true;
}


/* the copies are on record before anything may be cut off */
static reel_err_t
move_parts(reel_upload_impl_t *u, list_t *l, uint64_t base)
{
    size_t               i, n = 0;
    reel_err_t           err = REEL_OK;
    reel_upload_part_t  *moved;

    moved = calloc(l->n, sizeof(*moved));
    if (moved == NULL) {
        return REEL_NOMEM;
    }

    for (i = 0; err == REEL_OK && i < l->n; i++) {
        if (!misplaced(l, i, base)) {
            continue;
        }

        err = reel_multipart_copy(u->data, base + l->want[i], u->data,
                                  l->part[i].offset, l->part[i].size);
        l->part[i].offset = base + l->want[i];
        moved[n++] = l->part[i];
    }

    if (err == REEL_OK && n != 0) {
        err = reel_multipart_sync(u->data);

        if (err == REEL_OK) {
            err = reel_upload_table_log(u, moved, n);
        }
    }

    free(moved);

    return err;
}


/* one left from a crash is begun anew */
static reel_err_t
open_joined(reel_upload_impl_t *u, uint64_t size, reel_multipart_t **m)
{
    reel_err_t  err;

    *m = NULL;
    err = reel_upload_stage(u, REEL_UPLOAD_JOINED, true, m);

    if (err == REEL_OK) {
        err = reel_multipart_truncate(*m, 0);
    }

    return err == REEL_OK ? reel_multipart_reserve(*m, 0, size) : err;
}


static reel_err_t
rebuild(reel_upload_impl_t *u, const list_t *l)
{
    size_t             i;
    reel_err_t         err;
    reel_multipart_t  *m;

    err = open_joined(u, l->total, &m);

    for (i = 0; err == REEL_OK && i < l->n; i++) {
        err = reel_multipart_copy(m, l->want[i], u->data, l->part[i].offset,
                                  l->part[i].size);
    }

    reel_multipart_close(m);

    return err;
}


static reel_err_t
arrange(reel_upload_impl_t *u, list_t *l, const reel_upload_table_t *t)
{
    reel_err_t            err;
    reel_upload_state_t  *st = &u->pub.state;

    st->base = choose_base(l);
    st->joined = !places_free(l, t, st->base);

    if (st->joined) {
        st->base = 0;
        err = rebuild(u, l);

    } else {
        err = move_parts(u, l, st->base);
    }

    if (err != REEL_OK) {
        return err;
    }

    st->nparts = (uint32_t) l->n;
    st->offset = l->total;
    u->pos = l->total;
    u->listed = true;

    return REEL_OK;
}


reel_err_t
reel_upload_join(reel_upload_t *pub, const uint32_t *numbers,
    const uint64_t *tags, size_t n, size_t *bad)
{
    list_t               l = { 0 };
    reel_err_t           err;
    reel_upload_impl_t  *u = reel_upload_impl(pub);
    reel_upload_table_t  t = { 0 };

    *bad = 0;

    if (pub->facts.door != REEL_UPLOAD_MULTIPART || n == 0
        || n > REEL_UPLOAD_PARTS_MAX)
    {
        return REEL_INVAL;
    }

    err = reel_upload_may(u, REEL_UPLOAD_OPEN);

    if (err == REEL_OK) {
        err = reel_upload_stage(u, REEL_UPLOAD_DATA, false, &u->data);
    }

    if (err == REEL_OK) {
        err = reel_upload_table_load(u, &t);
    }

    if (err == REEL_OK) {
        /* nobody writes one any more: we have all turns */
        reel_upload_table_bury_all(&t);

        err = list_parts(&l, &t, numbers, tags, n, bad);
    }

    if (err == REEL_OK && pub->facts.max_bytes != 0
        && l.total > pub->facts.max_bytes)
    {
        err = REEL_LIMIT;
    }

    if (err == REEL_OK) {
        err = arrange(u, &l, &t);
    }

    list_release(&l);
    reel_upload_table_release(&t);

    return err;
}


static reel_err_t
copy_rest(reel_upload_impl_t *u)
{
    reel_err_t            err;
    reel_multipart_t     *m;
    reel_upload_state_t  *st = &u->pub.state;

    err = open_joined(u, st->length, &m);

    if (err == REEL_OK) {
        err = reel_multipart_copy(m, 0, u->data, st->base, st->length);
    }

    if (err == REEL_OK) {
        err = reel_multipart_sync(m);
    }

    reel_multipart_close(m);

    if (err == REEL_OK) {
        st->joined = true;
        st->base = 0;
        err = reel_upload_state_settle(u);
    }

    return err;
}


/*
 * The length of data tells whether its beginning was cut off already: what
 * lies behind the result went before.  Where it cannot be, the rest is copied.
 */
reel_err_t
reel_upload_straighten(reel_upload_impl_t *u)
{
    uint64_t              size;
    reel_err_t            err;
    reel_upload_state_t  *st = &u->pub.state;

    if (st->base == 0 || st->joined) {
        return REEL_OK;
    }

    err = reel_upload_stage(u, REEL_UPLOAD_DATA, false, &u->data);

    if (err == REEL_OK) {
        err = reel_multipart_size(u->data, &size);
    }

    if (err != REEL_OK || size == st->length) {
        return err;
    }

    if (size < st->base + st->length) {
        return REEL_IO;
    }

    err = reel_multipart_truncate(u->data, st->base + st->length);

    if (err == REEL_OK) {
        err = reel_multipart_collapse(u->data, st->base);
    }


    return err == REEL_UNSUPPORTED ? copy_rest(u) : err;
}
