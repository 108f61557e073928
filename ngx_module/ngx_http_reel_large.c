/*
 * Memory for what is large and soon freed, for threads: it is of the system's
 * huge pages where there are any, and some of it stays with the process for
 * the next film, until the system runs short of memory.  A page touched first
 * costs some us in a virtual machine, and a moov takes thousands of small
 * ones.
 */

#include "ngx_module/ngx_http_reel_look.h"

#include <pthread.h>
#include <sys/mman.h>

/* less comes from malloc */
#define LARGE  (512 * 1024)
#define PAGE   (2 * 1024 * 1024)

/* bytes that stay: as a film of two hours takes */
#define KEPT   (12 * 1024 * 1024)

static void *large_alloc(size_t *n);
static void large_free(void *p, size_t n);
static void *take(size_t *size);
static ngx_uint_t keep(void *p, size_t size);
static void *map(size_t size);

const reel_large_t  ngx_http_reel_large = { large_alloc, large_free };

/* in no order */
static struct {
    pthread_mutex_t  mutex;
    size_t           total;
    ngx_uint_t       n;
    struct {
        void        *p;
        size_t       size;
    }                block[KEPT / PAGE];
} kept = { .mutex = PTHREAD_MUTEX_INITIALIZER };


static void *
large_alloc(size_t *n)
{
    void  *p;

    if (*n < LARGE) {
        return malloc(*n);
    }

    if (*n > NGX_MAX_SIZE_T_VALUE / 2) {
        return NULL;
    }

    *n = ngx_align(*n, PAGE);
    p = take(n);

    return p ? p : map(*n);
}


static void
large_free(void *p, size_t n)
{
    if (p == NULL || n < LARGE) {
        free(p);
        return;
    }

#ifdef MADV_FREE
    /* before others may write to it */
    (void) madvise(p, n, MADV_FREE);
#endif

    if (!keep(p, n)) {
        (void) munmap(p, n);
    }
}


/* the smallest that fits, unless it is far too large */
static void *
take(size_t *size)
{
    void        *p;
    ngx_uint_t   i, best;

    p = NULL;
    (void) pthread_mutex_lock(&kept.mutex);
    best = kept.n;

    for (i = 0; i < kept.n; i++) {
        if (kept.block[i].size >= *size && kept.block[i].size <= 2 * *size
            && (best == kept.n
                || kept.block[i].size < kept.block[best].size))
        {
            best = i;
        }
    }

    if (best != kept.n) {
        p = kept.block[best].p;
        *size = kept.block[best].size;
        kept.total -= *size;
        kept.block[best] = kept.block[--kept.n];
    }

    (void) pthread_mutex_unlock(&kept.mutex);

    return p;
}


static ngx_uint_t
keep(void *p, size_t size)
{
    ngx_uint_t  room;

    (void) pthread_mutex_lock(&kept.mutex);

    room = (size <= KEPT - kept.total);

    if (room) {
        kept.total += size;
        kept.block[kept.n].p = p;
        kept.block[kept.n].size = size;
        kept.n++;
    }

    (void) pthread_mutex_unlock(&kept.mutex);

    return room;
}


/* huge pages must be aligned */
static void *
map(size_t size)
{
    size_t   before;
    u_char  *p;

    p = mmap(NULL, size + PAGE, PROT_READ|PROT_WRITE,
             MAP_PRIVATE|MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED) {
        return NULL;
    }

    before = ngx_align_ptr(p, PAGE) - p;

    if (before) {
        (void) munmap(p, before);
    }

    (void) munmap(p + before + size, PAGE - before);
    p += before;

#ifdef MADV_HUGEPAGE
    /* it may be refused: then it is memory as any other */
    (void) madvise(p, size, MADV_HUGEPAGE);
#endif

    return p;
}
