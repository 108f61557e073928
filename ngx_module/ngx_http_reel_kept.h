/* small secrets and facts in reel_zone, by a digest of what they are of */

#ifndef NGX_HTTP_REEL_KEPT_H
#define NGX_HTTP_REEL_KEPT_H

#include "ngx_module/ngx_http_reel_module.h"

#define NGX_HTTP_REEL_KEPT_KEY    32

/* of the zone they take at most one part in so many */
#define NGX_HTTP_REEL_KEPT_SHARE  8

/* NGX_DECLINED: it is not there, or no longer */
ngx_int_t ngx_http_reel_kept_get(ngx_shm_zone_t *zone, u_char *key,
    void *data, size_t max);

/* in place of what there is; not kept for want of room */
void ngx_http_reel_kept_put(ngx_shm_zone_t *zone, u_char *key,
    const void *data, size_t size, time_t until);

#endif
