/*
 * Indexes in shared memory: a tree by asset and store, and a queue by last
 * use.  An entry's bytes never change once it is linked; a replaced index is
 * a new entry.  Who got an entry holds a reference: an entry that was
 * unlinked meanwhile is freed with its last one.  The zone's mutex is held
 * for lookups and links only, never while bytes are copied or parsed.
 *
 * A worker that dies leaves its references behind: those entries are then
 * freed at the next start, not before.
 */

#ifndef NGX_HTTP_REEL_ZONE_H
#define NGX_HTTP_REEL_ZONE_H

#include "ngx_module/ngx_http_reel_module.h"

#include "lib/base/ulid.h"
#include "lib/manifest/manifest.h"

/* an entry is used unchecked so long, ms */
#define NGX_HTTP_REEL_ZONE_FRESH  1000
/* and, while another request checks it, so long */
#define NGX_HTTP_REEL_ZONE_STALE  2000

typedef struct {
    ngx_rbtree_node_t        node;      /* key = hash of the id */
    ngx_queue_t              queue;     /* head = used last */

    ngx_uint_t               refs;
    ngx_uint_t               linked;
    ngx_msec_t               checked;   /* when it was known to be current */
    ngx_msec_t               checking;  /* when a check of it began, or 0 */

    reel_store_stat_t        st;        /* of the file */
    char                     hash[REEL_VERSION_HASH + 1];
    char                     hash_one[REEL_VERSION_HASH + 1];
    reel_index_t             index;     /* borrows data */

    u_char                   id[REEL_ULID_LEN];
    size_t                   root_len;
    size_t                   len;
    u_char                   data[];    /* the file's bytes, then the root */
} ngx_http_reel_entry_t;

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
 * used for longest makes room, and that was not enough.
 */
ngx_http_reel_entry_t *ngx_http_reel_zone_alloc(ngx_shm_zone_t *zone,
    ngx_str_t *root, ngx_str_t *asset, size_t len);

/* links e in the place of the asset's entry */
void ngx_http_reel_zone_link(ngx_shm_zone_t *zone, ngx_http_reel_entry_t *e);

/* the file was the same at `when` */
void ngx_http_reel_zone_checked(ngx_shm_zone_t *zone,
    ngx_http_reel_entry_t *e, ngx_msec_t when);

void ngx_http_reel_zone_release(ngx_shm_zone_t *zone,
    ngx_http_reel_entry_t *e);

/* unlinks the asset's entry if there is one */
void ngx_http_reel_zone_drop(ngx_shm_zone_t *zone, ngx_str_t *root,
    ngx_str_t *asset);

#endif
