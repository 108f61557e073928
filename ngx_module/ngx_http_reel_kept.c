/*
 * Small secrets and facts in reel_zone, by a digest of what they are of: what
 * tokens that were checked say, and keys that a server told.  Bytes that are
 * plain data; the ones used longest ago make room.
 */

#include "ngx_module/ngx_http_reel_kept.h"
#include "ngx_module/ngx_http_reel_zone.h"

typedef struct {
    ngx_rbtree_node_t        node;      /* key = the first bytes of key */
    ngx_queue_t              queue;     /* head = used last */
    u_char                   key[NGX_HTTP_REEL_KEPT_KEY];
    time_t                   until;     /* of no use from then on */
    size_t                   size;
    u_char                   data[];
} entry_t;

static entry_t *find(ngx_http_reel_zone_t *z, u_char *key);
static ngx_rbtree_key_t node_key(u_char *key);
static void drop(ngx_http_reel_zone_t *z, ngx_slab_pool_t *shpool,
    entry_t *e);
static void drop_last(ngx_http_reel_zone_t *z, ngx_slab_pool_t *shpool);


ngx_int_t
ngx_http_reel_kept_get(ngx_shm_zone_t *zone, u_char *key, void *data,
    size_t max)
{
    entry_t               *e;
    ngx_int_t              rc;
    ngx_slab_pool_t       *shpool;
    ngx_http_reel_zone_t  *z;

    z = zone->data;
    shpool = (ngx_slab_pool_t *) zone->shm.addr;
    rc = NGX_DECLINED;

    ngx_shmtx_lock(&shpool->mutex);

    e = find(z, key);

    if (e && (e->until <= ngx_time() || e->size > max)) {
        drop(z, shpool, e);

    } else if (e) {
        ngx_queue_remove(&e->queue);
        ngx_queue_insert_head(&z->kept_used, &e->queue);
        ngx_memcpy(data, e->data, e->size);
        rc = NGX_OK;
    }

    ngx_shmtx_unlock(&shpool->mutex);

    return rc;
}


void
ngx_http_reel_kept_put(ngx_shm_zone_t *zone, u_char *key, const void *data,
    size_t size, time_t until)
{
    size_t                 all;
    entry_t               *e;
    ngx_slab_pool_t       *shpool;
    ngx_http_reel_zone_t  *z;

    z = zone->data;
    shpool = (ngx_slab_pool_t *) zone->shm.addr;
    all = offsetof(entry_t, data) + size;

    if (until <= ngx_time()) {
        return;
    }

    ngx_shmtx_lock(&shpool->mutex);

    e = find(z, key);
    if (e) {
        drop(z, shpool, e);
    }

    while (z->kept_size + all > zone->shm.size / NGX_HTTP_REEL_KEPT_SHARE
           && !ngx_queue_empty(&z->kept_used))
    {
        drop_last(z, shpool);
    }

    e = ngx_slab_alloc_locked(shpool, all);

    if (e == NULL && !ngx_queue_empty(&z->kept_used)) {
        drop_last(z, shpool);
        e = ngx_slab_alloc_locked(shpool, all);
    }

    if (e) {
        e->node.key = node_key(key);
        e->until = until;
        e->size = size;
        ngx_memcpy(e->key, key, NGX_HTTP_REEL_KEPT_KEY);
        ngx_memcpy(e->data, data, size);

        ngx_rbtree_insert(&z->kept, &e->node);
        ngx_queue_insert_head(&z->kept_used, &e->queue);
        z->kept_size += all;
    }

    ngx_shmtx_unlock(&shpool->mutex);
}


static ngx_rbtree_key_t
node_key(u_char *key)
{
    ngx_rbtree_key_t  k;

    ngx_memcpy(&k, key, sizeof(ngx_rbtree_key_t));

    return k;
}


/* two digests that begin alike do not come by chance: the older one stands */
static entry_t *
find(ngx_http_reel_zone_t *z, u_char *key)
{
    entry_t            *e;
    ngx_rbtree_key_t    k;
    ngx_rbtree_node_t  *node, *sentinel;

    k = node_key(key);
    node = z->kept.root;
    sentinel = z->kept.sentinel;

    while (node != sentinel) {
        if (k == node->key) {
            e = ngx_rbtree_data(node, entry_t, node);

            return ngx_memcmp(e->key, key, NGX_HTTP_REEL_KEPT_KEY) == 0
                   ? e : NULL;
        }

        node = k < node->key ? node->left : node->right;
    }

    return NULL;
}


/* wiped: it may be a key */
static void
drop(ngx_http_reel_zone_t *z, ngx_slab_pool_t *shpool, entry_t *e)
{
    z->kept_size -= offsetof(entry_t, data) + e->size;
    ngx_rbtree_delete(&z->kept, &e->node);
    ngx_queue_remove(&e->queue);
    ngx_explicit_memzero(e->data, e->size);
    ngx_slab_free_locked(shpool, e);
}


static void
drop_last(ngx_http_reel_zone_t *z, ngx_slab_pool_t *shpool)
{
    drop(z, shpool, ngx_queue_data(ngx_queue_last(&z->kept_used), entry_t,
                                   queue));
}
