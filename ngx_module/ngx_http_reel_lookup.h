/*
 * One look at a place for all who ask for it at once: the first one's request
 * carries it in the thread pool, others of the worker wait for what comes of
 * it.  A file that is no movie is known for a second; so is an index that
 * has no room in the zone, which would be made anew for each request.
 */

#ifndef NGX_HTTP_REEL_LOOKUP_H
#define NGX_HTTP_REEL_LOOKUP_H

#include "ngx_module/ngx_http_reel_zone.h"

/* a request's reference to an entry, released with its pool */
typedef struct {
    ngx_shm_zone_t          *zone;      /* NULL: the entry is in no zone */
    ngx_http_reel_entry_t   *entry;     /* NULL: none */
} ngx_http_reel_held_t;

/* NULL: no memory */
ngx_http_reel_held_t *ngx_http_reel_lookup_hold(ngx_http_request_t *r);

/*
 * Looks at the place; held has its entry, to be checked, or none, and has
 * what was found when the handler is called.  As ngx_http_reel_index_get().
 */
ngx_int_t ngx_http_reel_lookup(ngx_http_request_t *r,
    ngx_http_reel_place_t *place, ngx_http_reel_held_t *held,
    ngx_http_reel_loaded_pt handler);

/* nobody is to join one that is under way, or to have what is known */
void ngx_http_reel_lookup_forget(ngx_http_reel_place_t *place);

/* calls the handler: e is playable */
void ngx_http_reel_lookup_found(ngx_http_request_t *r,
    ngx_http_reel_entry_t *e, ngx_http_reel_loaded_pt handler);

#endif
