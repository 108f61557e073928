#include <stdlib.h>
#include <string.h>

#include "lib/store/mem_table.h"


reel_mem_blob_t *
reel_mem_blob_new(reel_mem_table_t *t)
{
    reel_mem_blob_t  *b;

    b = calloc(1, sizeof(*b));

    if (b != NULL) {
        b->refs = 1;
        b->version = ++t->version;
    }

    return b;
}


reel_mem_blob_t *
reel_mem_blob_of(reel_mem_table_t *t, const void *data, size_t len)
{
    reel_mem_blob_t  *b;

    b = reel_mem_blob_new(t);

    if (b != NULL && reel_mem_blob_write(b, 0, data, len) != REEL_OK) {
        reel_mem_blob_put(b);
        return NULL;
    }

    return b;
}


void
reel_mem_blob_put(reel_mem_blob_t *b)
{
    if (--b->refs == 0) {
        reel_mem_blob_resize(b, 0);
        free(b->pages);
        free(b->locks);
        free(b);
    }
}


/* where the page is, or would be */
static size_t
find_page(const reel_mem_blob_t *b, uint64_t number)
{
    size_t  lo = 0, hi = b->npages, mid;

    while (lo < hi) {
        mid = lo + (hi - lo) / 2;

        if (b->pages[mid].number < number) {
            lo = mid + 1;

        } else {
            hi = mid;
        }
    }

    return lo;
}


static uint8_t *
get_page(reel_mem_blob_t *b, uint64_t number)
{
    size_t            i, cap;
    uint8_t          *data;
    reel_mem_page_t  *grown;

    i = find_page(b, number);

    if (i < b->npages && b->pages[i].number == number) {
        return b->pages[i].data;
    }

    if (b->npages == b->cap) {
        cap = b->cap ? b->cap * 2 : 4;

        grown = reallocarray(b->pages, cap, sizeof(*grown));
        if (grown == NULL) {
            return NULL;
        }

        b->pages = grown;
        b->cap = cap;
    }

    data = calloc(1, REEL_MEM_PAGE);
    if (data == NULL) {
        return NULL;
    }

    memmove(&b->pages[i + 1], &b->pages[i],
            (b->npages - i) * sizeof(reel_mem_page_t));
    b->pages[i] = (reel_mem_page_t) { number, data };
    b->npages++;

    return data;
}


reel_err_t
reel_mem_blob_write(reel_mem_blob_t *b, uint64_t off, const void *data,
    size_t len)
{
    size_t          at, n;
    uint8_t        *page;
    const uint8_t  *p = data;

    while (len != 0) {
        at = (size_t) (off % REEL_MEM_PAGE);
        n = len < REEL_MEM_PAGE - at ? len : REEL_MEM_PAGE - at;

        page = get_page(b, off / REEL_MEM_PAGE);
        if (page == NULL) {
            return REEL_NOMEM;
        }

        memcpy(page + at, p, n);

        p += n;
        off += n;
        len -= n;

        if (off > b->len) {
            b->len = off;
        }
    }

    return REEL_OK;
}


size_t
reel_mem_blob_read(const reel_mem_blob_t *b, uint64_t off, void *dst,
    size_t len)
{
    size_t    at, n, i, left;
    uint8_t  *p = dst;

    if (off >= b->len) {
        return 0;
    }

    if (len > b->len - off) {
        len = (size_t) (b->len - off);
    }

    for (left = len; left != 0; left -= n) {
        at = (size_t) (off % REEL_MEM_PAGE);
        n = left < REEL_MEM_PAGE - at ? left : REEL_MEM_PAGE - at;
        i = find_page(b, off / REEL_MEM_PAGE);

        if (i < b->npages && b->pages[i].number == off / REEL_MEM_PAGE) {
            memcpy(p, b->pages[i].data + at, n);

        } else {
            memset(p, 0, n);
        }

        p += n;
        off += n;
    }

    return len;
}


void
reel_mem_blob_resize(reel_mem_blob_t *b, uint64_t len)
{
    size_t  at;

    while (b->npages != 0
           && b->pages[b->npages - 1].number * REEL_MEM_PAGE >= len)
    {
        free(b->pages[--b->npages].data);
    }

    at = (size_t) (len % REEL_MEM_PAGE);

    if (at != 0 && b->npages != 0
        && b->pages[b->npages - 1].number == len / REEL_MEM_PAGE)
    {
        memset(b->pages[b->npages - 1].data + at, 0, REEL_MEM_PAGE - at);
    }

    b->len = len;
}


bool
reel_mem_blob_collapse(reel_mem_blob_t *b, uint64_t len)
{
    size_t  i, gone;

    if (len % REEL_MEM_PAGE != 0 || len >= b->len) {
        return false;
    }

    gone = find_page(b, len / REEL_MEM_PAGE);

    for (i = 0; i < gone; i++) {
        free(b->pages[i].data);
    }

    for ( ; i < b->npages; i++) {
        b->pages[i - gone] = b->pages[i];
        b->pages[i - gone].number -= len / REEL_MEM_PAGE;
    }

    b->npages -= gone;
    b->len -= len;

    return true;
}


/* whole pages go, of others the bytes */
void
reel_mem_blob_punch(reel_mem_blob_t *b, uint64_t off, uint64_t len)
{
    size_t    i, from, n, keep;
    uint64_t  at, end = off + len;

    i = find_page(b, off / REEL_MEM_PAGE);

    for (keep = i; i < b->npages; i++) {
        at = b->pages[i].number * REEL_MEM_PAGE;

        if (at >= off && at < end && end - at >= REEL_MEM_PAGE) {
            free(b->pages[i].data);
            continue;
        }

        if (at < end && at + REEL_MEM_PAGE > off) {
            from = off > at ? (size_t) (off - at) : 0;
            n = end - at < REEL_MEM_PAGE ? (size_t) (end - at)
                                         : REEL_MEM_PAGE;
            memset(b->pages[i].data + from, 0, n - from);
        }

        b->pages[keep++] = b->pages[i];
    }

    b->npages = keep;
}


const reel_mem_lock_t *
reel_mem_locked(const reel_mem_blob_t *b, const void *owner, uint64_t off,
    uint64_t len)
{
    size_t                  i;
    const reel_mem_lock_t  *l, *first = NULL;

    for (i = 0; i < b->nlocks; i++) {
        l = &b->locks[i];

        if (l->owner != owner && l->off < off + len && off < l->off + l->len
            && (first == NULL || l->off < first->off))
        {
            first = l;
        }
    }

    return first;
}


reel_err_t
reel_mem_lock(reel_mem_blob_t *b, const void *owner, uint64_t off,
    uint64_t len)
{
    size_t            cap;
    reel_mem_lock_t  *grown;

    if (b->nlocks == b->locks_cap) {
        cap = b->locks_cap ? b->locks_cap * 2 : 4;

        grown = reallocarray(b->locks, cap, sizeof(*grown));
        if (grown == NULL) {
            return REEL_NOMEM;
        }

        b->locks = grown;
        b->locks_cap = cap;
    }

    b->locks[b->nlocks++] = (reel_mem_lock_t) { owner, off, len };

    return REEL_OK;
}


/* what one lock has on both sides of the range stays */
reel_err_t
reel_mem_unlock(reel_mem_blob_t *b, const void *owner, uint64_t off,
    uint64_t len)
{
    size_t           i, n = b->nlocks;
    uint64_t         end = len > UINT64_MAX - off ? UINT64_MAX : off + len;
    reel_err_t       err = REEL_OK;
    reel_mem_lock_t  l;

    for (i = n; i-- > 0; ) {
        l = b->locks[i];

        if (l.owner != owner || l.off >= end || off >= l.off + l.len) {
            continue;
        }

        b->locks[i] = b->locks[--b->nlocks];

        if (l.off < off && err == REEL_OK) {
            err = reel_mem_lock(b, owner, l.off, off - l.off);
        }

        if (l.off + l.len > end && err == REEL_OK) {
            err = reel_mem_lock(b, owner, end, l.off + l.len - end);
        }
    }

    return err;
}
