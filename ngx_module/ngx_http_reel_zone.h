/*
 * Indexes in shared memory: a tree by asset and store, and a queue by last
 * use.  An entry's bytes never change once it is linked; a replaced index is
 * a new entry.  Who got an entry holds a reference: an entry that was
 * unlinked meanwhile is freed with its last one.  The zone's mutex is held
 * for lookups and links only, never while bytes are copied or parsed.
 *
 * Beside it what was printed from it: ngx_http_reel_printed.c, by the same
 * rules.  It goes when its entry does, so it needs no checks of its own; all
 * of it together takes at most a quarter of the zone.
 *
 * A worker that dies leaves its references behind: those entries are then
 * freed at the next start, not before.
 */

#ifndef NGX_HTTP_REEL_ZONE_H
#define NGX_HTTP_REEL_ZONE_H

#include "ngx_module/ngx_http_reel_module.h"

#include "lib/base/ulid.h"
#include "lib/manifest/rates.h"

#define NGX_HTTP_REEL_CONTAINERS  2

/* an entry is used unchecked so long, ms */
#define NGX_HTTP_REEL_ZONE_FRESH  1000
/* and, while another request checks it, so long */
#define NGX_HTTP_REEL_ZONE_STALE  2000

/* of the zone, printed manifests take at most one part in so many */
#define NGX_HTTP_REEL_PRINTED_SHARE  4
/* and of one entry there are at most so many */
#define NGX_HTTP_REEL_PRINTED_MAX    64

typedef struct {
    ngx_rbtree_t             rbtree;
    ngx_rbtree_node_t        sentinel;
    ngx_queue_t              queue;
    ngx_queue_t              printed;   /* of all entries, head = used last */
    size_t                   printed_size;
    ngx_rbtree_t             kept;      /* ngx_http_reel_kept.c */
    ngx_rbtree_node_t        kept_sentinel;
    ngx_queue_t              kept_used;
    size_t                   kept_size;
} ngx_http_reel_zone_t;

typedef struct ngx_http_reel_entry_s {
    ngx_rbtree_node_t        node;      /* key = hash of the id */
    ngx_queue_t              queue;     /* head = used last */

    ngx_uint_t               refs;
    ngx_uint_t               linked;
    ngx_msec_t               checked;   /* when it was known to be current */
    ngx_msec_t               checking;  /* when a check of it began, or 0 */

    reel_store_stat_t        st;        /* of the file … */
    ngx_http_reel_beside_t   beside;    /* … and what lies beside it */
    ngx_http_reel_hashes_t   hashes;
    ngx_http_reel_grows_t    grows;
    reel_index_t             index;     /* borrows data */

    ngx_queue_t              printed;   /* from it, head = used last */
    ngx_uint_t               nprinted;

    /* by container, filled at first use: who comes second writes the same */
    ngx_atomic_t             rated[NGX_HTTP_REEL_CONTAINERS];
    reel_rates_t             rates[NGX_HTTP_REEL_CONTAINERS];

    u_char                   id[REEL_ULID_LEN];
    size_t                   root_len;
    size_t                   len;
    u_char                   data[];    /* the file's bytes, then the root */
} ngx_http_reel_entry_t;

typedef struct {
    ngx_queue_t              queue;     /* in the zone */
    ngx_queue_t              mine;      /* in the entry */
    ngx_http_reel_entry_t   *entry;     /* NULL: unlinked */
    ngx_uint_t               refs;
    ngx_uint_t               gzipped;
    uint32_t                 hash;      /* of the key */
    size_t                   key_len;
    size_t                   len;
    u_char                   data[];    /* the body, then the key */
} ngx_http_reel_printed_t;

/*
 * The entry of an asset, with a reference, or NULL.  *check: it is not
 * fresh, and it is the caller who checks it.
 */
ngx_http_reel_entry_t *ngx_http_reel_zone_get(ngx_shm_zone_t *zone,
    ngx_str_t *root, ngx_str_t *asset, ngx_uint_t *check);

/* the size of an entry for len bytes of index */
size_t ngx_http_reel_entry_size(ngx_str_t *root, size_t len);

/* names an entry of that size; its bytes, index and hashes are to be set */
void ngx_http_reel_entry_init(ngx_http_reel_entry_t *e, ngx_str_t *root,
    ngx_str_t *asset, size_t len);

/*
 * An unlinked entry with one reference, or NULL: what is not in use and not
 * used for longest makes room, and that was not enough.  A thread may call
 * it: the mutex keeps threads of a worker apart as it does workers.
 */
ngx_http_reel_entry_t *ngx_http_reel_zone_alloc(ngx_shm_zone_t *zone,
    ngx_str_t *root, ngx_str_t *asset, size_t len);

/* links e in the place of the asset's entry */
void ngx_http_reel_zone_link(ngx_shm_zone_t *zone, ngx_http_reel_entry_t *e);

/* the file was the same at `when` */
void ngx_http_reel_zone_checked(ngx_shm_zone_t *zone,
    ngx_http_reel_entry_t *e, ngx_msec_t when);

/* one reference more */
void ngx_http_reel_zone_hold(ngx_shm_zone_t *zone, ngx_http_reel_entry_t *e);

void ngx_http_reel_zone_release(ngx_shm_zone_t *zone,
    ngx_http_reel_entry_t *e);

/* unlinks the asset's entry if there is one */
void ngx_http_reel_zone_drop(ngx_shm_zone_t *zone, ngx_str_t *root,
    ngx_str_t *asset);

/* with the mutex held: frees the entry used longest ago; 0: all are in use */
ngx_uint_t ngx_http_reel_zone_evict(ngx_http_reel_zone_t *z,
    ngx_slab_pool_t *shpool);


/* ngx_http_reel_printed.c */

/*
 * What was printed from e, to which the caller has a reference, under a key
 * that names all that decides its bytes; with a reference of its own.
 */
ngx_http_reel_printed_t *ngx_http_reel_printed_get(ngx_shm_zone_t *zone,
    ngx_http_reel_entry_t *e, ngx_str_t *key);

/*
 * Keeps a copy of body, and returns it with a reference.  NULL: it is not
 * kept, for want of room, because e is not in the zone (any more) or
 * because another worker was first.
 */
ngx_http_reel_printed_t *ngx_http_reel_printed_put(ngx_shm_zone_t *zone,
    ngx_http_reel_entry_t *e, ngx_str_t *key, ngx_str_t *body,
    ngx_uint_t gzipped);

void ngx_http_reel_printed_release(ngx_shm_zone_t *zone,
    ngx_http_reel_printed_t *printed);

/* with the mutex held: e is being unlinked */
void ngx_http_reel_printed_drop(ngx_http_reel_zone_t *z,
    ngx_slab_pool_t *shpool, ngx_http_reel_entry_t *e);

#endif
