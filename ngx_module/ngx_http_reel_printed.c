/*
 * Printed manifests in shared memory, beside the index that they were
 * printed from: see ngx_http_reel_zone.h.  An entry has few of them, so they
 * are a list, the one used last in front.
 */

#include "ngx_module/ngx_http_reel_zone.h"

static ngx_http_reel_printed_t *find(ngx_http_reel_entry_t *e,
    ngx_str_t *key, uint32_t hash);
static void touch(ngx_http_reel_zone_t *z, ngx_http_reel_printed_t *p);
static ngx_http_reel_printed_t *alloc(ngx_shm_zone_t *zone,
    ngx_http_reel_entry_t *e, size_t size);
static void unlink_printed(ngx_http_reel_zone_t *z, ngx_slab_pool_t *shpool,
    ngx_http_reel_printed_t *p);
static ngx_uint_t make_room(ngx_http_reel_zone_t *z,
    ngx_slab_pool_t *shpool, size_t size, size_t share);
static size_t size_of(ngx_http_reel_printed_t *p);


ngx_http_reel_printed_t *
ngx_http_reel_printed_get(ngx_shm_zone_t *zone, ngx_http_reel_entry_t *e,
    ngx_str_t *key)
{
    uint32_t                  hash;
    ngx_slab_pool_t          *shpool;
    ngx_http_reel_printed_t  *p;

    shpool = (ngx_slab_pool_t *) zone->shm.addr;
    hash = ngx_murmur_hash2(key->data, key->len);

    ngx_shmtx_lock(&shpool->mutex);

    p = find(e, key, hash);

    if (p) {
        p->refs++;
        touch(zone->data, p);
    }

    ngx_shmtx_unlock(&shpool->mutex);

    return p;
}


ngx_http_reel_printed_t *
ngx_http_reel_printed_put(ngx_shm_zone_t *zone, ngx_http_reel_entry_t *e,
    ngx_str_t *key, ngx_str_t *body, ngx_uint_t gzipped)
{
    ngx_slab_pool_t          *shpool;
    ngx_http_reel_zone_t     *z;
    ngx_http_reel_printed_t  *p;

    z = zone->data;
    shpool = (ngx_slab_pool_t *) zone->shm.addr;

    p = alloc(zone, e, sizeof(ngx_http_reel_printed_t) + body->len
                       + key->len);
    if (p == NULL) {
        return NULL;
    }

    p->refs = 1;
    p->gzipped = gzipped;
    p->hash = ngx_murmur_hash2(key->data, key->len);
    p->key_len = key->len;
    p->len = body->len;

    ngx_memcpy(p->data, body->data, body->len);
    ngx_memcpy(p->data + body->len, key->data, key->len);

    ngx_shmtx_lock(&shpool->mutex);

    if (!e->linked || find(e, key, p->hash)) {
        z->printed_size -= size_of(p);
        ngx_slab_free_locked(shpool, p);
        p = NULL;

    } else {
        p->entry = e;
        e->nprinted++;
        ngx_queue_insert_head(&e->printed, &p->mine);
        ngx_queue_insert_head(&z->printed, &p->queue);

        if (e->nprinted > NGX_HTTP_REEL_PRINTED_MAX) {
            unlink_printed(z, shpool, ngx_queue_data(
                                          ngx_queue_last(&e->printed),
                                          ngx_http_reel_printed_t, mine));
        }
    }

    ngx_shmtx_unlock(&shpool->mutex);

    return p;
}


void
ngx_http_reel_printed_release(ngx_shm_zone_t *zone,
    ngx_http_reel_printed_t *p)
{
    ngx_slab_pool_t       *shpool;
    ngx_http_reel_zone_t  *z;

    z = zone->data;
    shpool = (ngx_slab_pool_t *) zone->shm.addr;

    ngx_shmtx_lock(&shpool->mutex);

    if (--p->refs == 0 && p->entry == NULL) {
        z->printed_size -= size_of(p);
        ngx_slab_free_locked(shpool, p);
    }

    ngx_shmtx_unlock(&shpool->mutex);
}


void
ngx_http_reel_printed_drop(ngx_http_reel_zone_t *z, ngx_slab_pool_t *shpool,
    ngx_http_reel_entry_t *e)
{
    while (!ngx_queue_empty(&e->printed)) {
        unlink_printed(z, shpool, ngx_queue_data(ngx_queue_head(&e->printed),
                                                 ngx_http_reel_printed_t,
                                                 mine));
    }
}


static ngx_http_reel_printed_t *
find(ngx_http_reel_entry_t *e, ngx_str_t *key, uint32_t hash)
{
    ngx_queue_t              *q;
    ngx_http_reel_printed_t  *p;

    for (q = ngx_queue_head(&e->printed);
         q != ngx_queue_sentinel(&e->printed);
         q = ngx_queue_next(q))
    {
        p = ngx_queue_data(q, ngx_http_reel_printed_t, mine);

        if (p->hash == hash && p->key_len == key->len
            && ngx_memcmp(p->data + p->len, key->data, key->len) == 0)
        {
            return p;
        }
    }

    return NULL;
}


static void
touch(ngx_http_reel_zone_t *z, ngx_http_reel_printed_t *p)
{
    ngx_queue_remove(&p->queue);
    ngx_queue_insert_head(&z->printed, &p->queue);
    ngx_queue_remove(&p->mine);
    ngx_queue_insert_head(&p->entry->printed, &p->mine);
}


/* counted in printed_size until it is freed */
static ngx_http_reel_printed_t *
alloc(ngx_shm_zone_t *zone, ngx_http_reel_entry_t *e, size_t size)
{
    size_t                    share;
    ngx_slab_pool_t          *shpool;
    ngx_http_reel_zone_t     *z;
    ngx_http_reel_printed_t  *p;

    z = zone->data;
    shpool = (ngx_slab_pool_t *) zone->shm.addr;
    share = zone->shm.size / NGX_HTTP_REEL_PRINTED_SHARE;
    p = NULL;

    if (size > share / 4) {
        return NULL;
    }

    ngx_shmtx_lock(&shpool->mutex);

    /* e is in use, so that it is none of those evicted */
    if (e->linked && make_room(z, shpool, size, share)) {
        do {
            p = ngx_slab_alloc_locked(shpool, size);
        } while (p == NULL && ngx_http_reel_zone_evict(z, shpool));
    }

    if (p) {
        z->printed_size += size;
        p->entry = NULL;
    }

    ngx_shmtx_unlock(&shpool->mutex);

    return p;
}


static ngx_uint_t
make_room(ngx_http_reel_zone_t *z, ngx_slab_pool_t *shpool, size_t size,
    size_t share)
{
    ngx_queue_t              *q, *prev;
    ngx_http_reel_printed_t  *p;

    for (q = ngx_queue_last(&z->printed);
         q != ngx_queue_sentinel(&z->printed)
         && z->printed_size + size > share;
         q = prev)
    {
        prev = ngx_queue_prev(q);
        p = ngx_queue_data(q, ngx_http_reel_printed_t, queue);

        if (p->refs == 0) {
            unlink_printed(z, shpool, p);
        }
    }

    return z->printed_size + size <= share;
}


static void
unlink_printed(ngx_http_reel_zone_t *z, ngx_slab_pool_t *shpool,
    ngx_http_reel_printed_t *p)
{
    ngx_queue_remove(&p->queue);
    ngx_queue_remove(&p->mine);
    p->entry->nprinted--;
    p->entry = NULL;

    if (p->refs == 0) {
        z->printed_size -= size_of(p);
        ngx_slab_free_locked(shpool, p);
    }
}


static size_t
size_of(ngx_http_reel_printed_t *p)
{
    return sizeof(ngx_http_reel_printed_t) + p->len + p->key_len;
}
