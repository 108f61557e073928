/* indexes in shared memory: see ngx_http_reel_zone.h */

#include "ngx_module/ngx_http_reel_zone.h"

static ngx_http_reel_entry_t *find(ngx_http_reel_zone_t *z, ngx_str_t *root,
    ngx_str_t *asset);
static ngx_int_t compare(ngx_http_reel_entry_t *e, ngx_uint_t key,
    u_char *id, u_char *root, size_t root_len);
static void insert_value(ngx_rbtree_node_t *temp, ngx_rbtree_node_t *node,
    ngx_rbtree_node_t *sentinel);
static void unlink_entry(ngx_http_reel_zone_t *z, ngx_slab_pool_t *shpool,
    ngx_http_reel_entry_t *e);


ngx_int_t
ngx_http_reel_index_init_zone(ngx_shm_zone_t *zone, void *data)
{
    ngx_slab_pool_t       *shpool;
    ngx_http_reel_zone_t  *z;

    shpool = (ngx_slab_pool_t *) zone->shm.addr;

    if (data) {
        /* kept over a reload */
        zone->data = data;
        return NGX_OK;
    }

    if (zone->shm.exists) {
        zone->data = shpool->data;
        return NGX_OK;
    }

    z = ngx_slab_calloc(shpool, sizeof(ngx_http_reel_zone_t));
    if (z == NULL) {
        return NGX_ERROR;
    }

    ngx_rbtree_init(&z->rbtree, &z->sentinel, insert_value);
    ngx_queue_init(&z->queue);
    ngx_queue_init(&z->printed);
    ngx_rbtree_init(&z->kept, &z->kept_sentinel, ngx_rbtree_insert_value);
    ngx_queue_init(&z->kept_used);

    /* a full zone is ordinary: old entries make room */
    shpool->log_nomem = 0;
    shpool->data = z;
    zone->data = z;

    return NGX_OK;
}


ngx_http_reel_entry_t *
ngx_http_reel_zone_get(ngx_shm_zone_t *zone, ngx_str_t *root,
    ngx_str_t *asset, ngx_uint_t *check)
{
    ngx_msec_t              now;
    ngx_slab_pool_t        *shpool;
    ngx_http_reel_zone_t   *z;
    ngx_http_reel_entry_t  *e;

    z = zone->data;
    shpool = (ngx_slab_pool_t *) zone->shm.addr;
    now = ngx_current_msec;
    *check = 0;

    ngx_shmtx_lock(&shpool->mutex);

    e = find(z, root, asset);
    if (e == NULL) {
        goto done;
    }

    e->refs++;
    ngx_queue_remove(&e->queue);
    ngx_queue_insert_head(&z->queue, &e->queue);

    /* signed: another worker's clock may be a little ahead of ours */
    if ((ngx_msec_int_t) (now - e->checked) < NGX_HTTP_REEL_ZONE_FRESH) {
        goto done;
    }

    if (e->checking
        && now - e->checking < NGX_HTTP_REEL_ZONE_FRESH
        && now - e->checked < NGX_HTTP_REEL_ZONE_STALE)
    {
        goto done;
    }

    e->checking = now ? now : 1;
    *check = 1;

done:

    ngx_shmtx_unlock(&shpool->mutex);

    return e;
}


size_t
ngx_http_reel_entry_size(ngx_str_t *root, size_t len)
{
    return sizeof(ngx_http_reel_entry_t) + len + root->len;
}


void
ngx_http_reel_entry_init(ngx_http_reel_entry_t *e, ngx_str_t *root,
    ngx_str_t *asset, size_t len)
{
    e->node.key = ngx_murmur_hash2(asset->data, asset->len);
    e->refs = 1;
    e->linked = 0;
    e->checking = 0;
    ngx_memzero((void *) e->rated, sizeof(e->rated));
    e->nprinted = 0;
    e->root_len = root->len;
    e->len = len;

    ngx_queue_init(&e->printed);
    ngx_memcpy(e->id, asset->data, REEL_ULID_LEN);
    ngx_memcpy(e->data + len, root->data, root->len);
}


ngx_http_reel_entry_t *
ngx_http_reel_zone_alloc(ngx_shm_zone_t *zone, ngx_str_t *root,
    ngx_str_t *asset, size_t len)
{
    size_t                  size;
    ngx_slab_pool_t        *shpool;
    ngx_http_reel_zone_t   *z;
    ngx_http_reel_entry_t  *e;

    z = zone->data;
    shpool = (ngx_slab_pool_t *) zone->shm.addr;
    size = ngx_http_reel_entry_size(root, len);

    if (size > zone->shm.size / 4) {
        /* one asset must not empty the zone of all others */
        return NULL;
    }

    ngx_shmtx_lock(&shpool->mutex);

    do {
        e = ngx_slab_alloc_locked(shpool, size);
    } while (e == NULL && ngx_http_reel_zone_evict(z, shpool));

    ngx_shmtx_unlock(&shpool->mutex);

    if (e) {
        ngx_http_reel_entry_init(e, root, asset, len);
    }

    return e;
}


void
ngx_http_reel_zone_link(ngx_shm_zone_t *zone, ngx_http_reel_entry_t *e)
{
    ngx_str_t               root, asset;
    ngx_slab_pool_t        *shpool;
    ngx_http_reel_zone_t   *z;
    ngx_http_reel_entry_t  *old;

    z = zone->data;
    shpool = (ngx_slab_pool_t *) zone->shm.addr;

    root.data = e->data + e->len;
    root.len = e->root_len;
    asset.data = e->id;
    asset.len = REEL_ULID_LEN;

    ngx_shmtx_lock(&shpool->mutex);

    old = find(z, &root, &asset);

    if (old) {
        if ((ngx_msec_int_t) (old->checked - e->checked) > 0) {
            /* somebody looked at the file after us */
            goto done;
        }

        unlink_entry(z, shpool, old);
    }

    e->linked = 1;
    ngx_rbtree_insert(&z->rbtree, &e->node);
    ngx_queue_insert_head(&z->queue, &e->queue);

done:

    ngx_shmtx_unlock(&shpool->mutex);
}


void
ngx_http_reel_zone_checked(ngx_shm_zone_t *zone, ngx_http_reel_entry_t *e,
    ngx_msec_t when)
{
    ngx_slab_pool_t  *shpool;

    shpool = (ngx_slab_pool_t *) zone->shm.addr;

    ngx_shmtx_lock(&shpool->mutex);

    if ((ngx_msec_int_t) (when - e->checked) > 0) {
        e->checked = when;
    }

    e->checking = 0;

    ngx_shmtx_unlock(&shpool->mutex);
}


void
ngx_http_reel_zone_hold(ngx_shm_zone_t *zone, ngx_http_reel_entry_t *e)
{
    ngx_slab_pool_t  *shpool;

    shpool = (ngx_slab_pool_t *) zone->shm.addr;

    ngx_shmtx_lock(&shpool->mutex);

    e->refs++;

    ngx_shmtx_unlock(&shpool->mutex);
}


void
ngx_http_reel_zone_release(ngx_shm_zone_t *zone, ngx_http_reel_entry_t *e)
{
    ngx_slab_pool_t  *shpool;

    shpool = (ngx_slab_pool_t *) zone->shm.addr;

    ngx_shmtx_lock(&shpool->mutex);

    if (--e->refs == 0 && !e->linked) {
        ngx_slab_free_locked(shpool, e);
    }

    ngx_shmtx_unlock(&shpool->mutex);
}


void
ngx_http_reel_zone_drop(ngx_shm_zone_t *zone, ngx_str_t *root,
    ngx_str_t *asset)
{
    ngx_slab_pool_t        *shpool;
    ngx_http_reel_entry_t  *e;

    shpool = (ngx_slab_pool_t *) zone->shm.addr;

    ngx_shmtx_lock(&shpool->mutex);

    e = find(zone->data, root, asset);
    if (e) {
        unlink_entry(zone->data, shpool, e);
    }

    ngx_shmtx_unlock(&shpool->mutex);
}


static ngx_http_reel_entry_t *
find(ngx_http_reel_zone_t *z, ngx_str_t *root, ngx_str_t *asset)
{
    ngx_int_t               rc;
    ngx_uint_t              key;
    ngx_rbtree_node_t      *node, *sentinel;
    ngx_http_reel_entry_t  *e;

    key = ngx_murmur_hash2(asset->data, asset->len);
    node = z->rbtree.root;
    sentinel = z->rbtree.sentinel;

    while (node != sentinel) {
        e = ngx_rbtree_data(node, ngx_http_reel_entry_t, node);

        rc = compare(e, key, asset->data, root->data, root->len);
        if (rc == 0) {
            return e;
        }

        node = rc < 0 ? node->left : node->right;
    }

    return NULL;
}


/* which side of e the key lies: < 0 left, 0 it is e, > 0 right */
static ngx_int_t
compare(ngx_http_reel_entry_t *e, ngx_uint_t key, u_char *id, u_char *root,
    size_t root_len)
{
    ngx_int_t  rc;

    if (key != e->node.key) {
        return key < e->node.key ? -1 : 1;
    }

    rc = ngx_memcmp(id, e->id, REEL_ULID_LEN);
    if (rc != 0) {
        return rc;
    }

    if (root_len != e->root_len) {
        return root_len < e->root_len ? -1 : 1;
    }

    return ngx_memcmp(root, e->data + e->len, root_len);
}


static void
insert_value(ngx_rbtree_node_t *temp, ngx_rbtree_node_t *node,
    ngx_rbtree_node_t *sentinel)
{
    ngx_int_t               rc;
    ngx_rbtree_node_t     **p;
    ngx_http_reel_entry_t  *e;

    e = ngx_rbtree_data(node, ngx_http_reel_entry_t, node);

    for ( ;; ) {
        rc = compare(ngx_rbtree_data(temp, ngx_http_reel_entry_t, node),
                     node->key, e->id, e->data + e->len, e->root_len);

        p = rc < 0 ? &temp->left : &temp->right;

        if (*p == sentinel) {
            break;
        }

        temp = *p;
    }

    *p = node;
    node->parent = temp;
    node->left = sentinel;
    node->right = sentinel;
    ngx_rbt_red(node);
}


static void
unlink_entry(ngx_http_reel_zone_t *z, ngx_slab_pool_t *shpool,
    ngx_http_reel_entry_t *e)
{
    ngx_http_reel_printed_drop(z, shpool, e);
    ngx_rbtree_delete(&z->rbtree, &e->node);
    ngx_queue_remove(&e->queue);
    e->linked = 0;

    if (e->refs == 0) {
        ngx_slab_free_locked(shpool, e);
    }
}


ngx_uint_t
ngx_http_reel_zone_evict(ngx_http_reel_zone_t *z, ngx_slab_pool_t *shpool)
{
    ngx_queue_t            *q;
    ngx_http_reel_entry_t  *e;

    for (q = ngx_queue_last(&z->queue);
         q != ngx_queue_sentinel(&z->queue);
         q = ngx_queue_prev(q))
    {
        e = ngx_queue_data(q, ngx_http_reel_entry_t, queue);

        if (e->refs == 0) {
            unlink_entry(z, shpool, e);
            return 1;
        }
    }

    return 0;
}
