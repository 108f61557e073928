/*
 * Playback tokens whose signature was right, in reel_zone: what they say, by
 * a digest of the keys and the token.  Of a token itself nothing is kept.
 * With other keys every token is another one, so that a reload revokes.
 */

#include "ngx_module/ngx_http_reel_token.h"
#include "ngx_module/ngx_http_reel_zone.h"

#include "lib/crypt/digest.h"

typedef struct {
    ngx_rbtree_node_t        node;      /* key = the first bytes of key */
    ngx_queue_t              queue;     /* head = used last */
    u_char                   key[NGX_HTTP_REEL_TOKEN_KEY];
    time_t                   until;     /* of no use from then on */
    size_t                   size;
    u_char                   claims[];  /* reel_play_token_t, cut */
} entry_t;

static entry_t *find(ngx_http_reel_zone_t *z, u_char *key);
static ngx_rbtree_key_t node_key(u_char *key);
static void drop(ngx_http_reel_zone_t *z, ngx_slab_pool_t *shpool,
    entry_t *e);
static void make_room(ngx_http_reel_zone_t *z, ngx_slab_pool_t *shpool,
    size_t size, size_t share);


ngx_int_t
ngx_http_reel_token_cache_key(const reel_jwks_t *keys, ngx_str_t *token,
    u_char key[NGX_HTTP_REEL_TOKEN_KEY])
{
    u_char  in[sizeof(keys->digest) + REEL_PLAY_TOKEN_MAX];

    ngx_memcpy(in, keys->digest, sizeof(keys->digest));
    ngx_memcpy(in + sizeof(keys->digest), token->data, token->len);

    return reel_sha256(key, in, sizeof(keys->digest) + token->len) == REEL_OK
           ? NGX_OK : NGX_ERROR;
}


ngx_int_t
ngx_http_reel_token_cache_get(ngx_shm_zone_t *zone, u_char *key,
    reel_play_token_t *t)
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

    if (e && e->until <= ngx_time()) {
        drop(z, shpool, e);

    } else if (e) {
        ngx_queue_remove(&e->queue);
        ngx_queue_insert_head(&z->tokens_used, &e->queue);
        ngx_memcpy(t, e->claims, e->size);
        rc = NGX_OK;
    }

    ngx_shmtx_unlock(&shpool->mutex);

    return rc;
}


void
ngx_http_reel_token_cache_put(ngx_shm_zone_t *zone, u_char *key,
    const reel_play_token_t *t, time_t keep)
{
    size_t                 size;
    time_t                 until;
    entry_t               *e;
    ngx_slab_pool_t       *shpool;
    ngx_http_reel_zone_t  *z;

    z = zone->data;
    shpool = (ngx_slab_pool_t *) zone->shm.addr;
    size = offsetof(entry_t, claims) + reel_play_token_size(t);
    until = t->exp + REEL_PLAY_TOKEN_LEEWAY_S + keep;

    if (until <= ngx_time()) {
        return;
    }

    ngx_shmtx_lock(&shpool->mutex);

    if (find(z, key)) {
        goto done;
    }

    make_room(z, shpool, size, zone->shm.size / NGX_HTTP_REEL_TOKEN_SHARE);

    e = ngx_slab_alloc_locked(shpool, size);

    if (e == NULL && !ngx_queue_empty(&z->tokens_used)) {
        drop(z, shpool, ngx_queue_data(ngx_queue_last(&z->tokens_used),
                                       entry_t, queue));
        e = ngx_slab_alloc_locked(shpool, size);
    }

    if (e == NULL) {
        goto done;
    }

    e->node.key = node_key(key);
    e->until = until;
    e->size = reel_play_token_size(t);
    ngx_memcpy(e->key, key, NGX_HTTP_REEL_TOKEN_KEY);
    ngx_memcpy(e->claims, t, e->size);

    ngx_rbtree_insert(&z->tokens, &e->node);
    ngx_queue_insert_head(&z->tokens_used, &e->queue);
    z->tokens_size += size;

done:

    ngx_shmtx_unlock(&shpool->mutex);
}


static ngx_rbtree_key_t
node_key(u_char *key)
{
    ngx_rbtree_key_t  k;

    ngx_memcpy(&k, key, sizeof(ngx_rbtree_key_t));

    return k;
}


/* two of one node key are not made by chance: the second is not kept */
static entry_t *
find(ngx_http_reel_zone_t *z, u_char *key)
{
    entry_t            *e;
    ngx_rbtree_key_t    k;
    ngx_rbtree_node_t  *node, *sentinel;

    k = node_key(key);
    node = z->tokens.root;
    sentinel = z->tokens.sentinel;

    while (node != sentinel) {
        if (k == node->key) {
            e = ngx_rbtree_data(node, entry_t, node);

            return ngx_memcmp(e->key, key, NGX_HTTP_REEL_TOKEN_KEY) == 0
                   ? e : NULL;
        }

        node = k < node->key ? node->left : node->right;
    }

    return NULL;
}


static void
drop(ngx_http_reel_zone_t *z, ngx_slab_pool_t *shpool, entry_t *e)
{
    z->tokens_size -= offsetof(entry_t, claims) + e->size;
    ngx_rbtree_delete(&z->tokens, &e->node);
    ngx_queue_remove(&e->queue);
    ngx_slab_free_locked(shpool, e);
}


static void
make_room(ngx_http_reel_zone_t *z, ngx_slab_pool_t *shpool, size_t size,
    size_t share)
{
    while (z->tokens_size + size > share
           && !ngx_queue_empty(&z->tokens_used))
    {
        drop(z, shpool, ngx_queue_data(ngx_queue_last(&z->tokens_used),
                                       entry_t, queue));
    }
}
