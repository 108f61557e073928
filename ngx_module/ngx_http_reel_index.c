/*
 * Looks up an asset's index for a request.  In the event loop only the zone
 * is asked; files are looked at in the thread pool, in one task a check.
 */

#include "ngx_module/ngx_http_reel_look.h"
#include "ngx_module/ngx_http_reel_lookup.h"


ngx_int_t
ngx_http_reel_index_get(ngx_http_request_t *r,
    ngx_http_reel_place_t *place, ngx_http_reel_loaded_pt handler)
{
    ngx_uint_t                  check;
    ngx_shm_zone_t             *zone;
    ngx_http_reel_ctx_t        *ctx;
    ngx_http_reel_held_t       *held;
    ngx_http_reel_main_conf_t  *mcf;

    mcf = ngx_http_get_module_main_conf(r, ngx_http_reel_module);
    zone = mcf->zone;

    ctx = ngx_http_reel_get_ctx(r);
    /* first of all, so that no reference is lost */
    held = ngx_http_reel_lookup_hold(r);

    if (ctx == NULL || held == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_str_set(&ctx->cache_status, "MISS");

    if (zone == NULL || place->id.len != REEL_ULID_LEN) {
        return ngx_http_reel_lookup(r, place, held, handler);
    }

    held->zone = zone;
    held->entry = ngx_http_reel_zone_get(zone, &place->root, &place->id,
                                         &check);

    if (held->entry && !check) {
        ngx_str_set(&ctx->cache_status, "HIT");

        r->main->count++;
        ngx_http_reel_lookup_found(r, held->entry, handler);

        return NGX_DONE;
    }

    if (held->entry) {
        ngx_str_set(&ctx->cache_status, "REVALIDATED");
    }

    return ngx_http_reel_lookup(r, place, held, handler);
}


ngx_http_reel_place_t
ngx_http_reel_place_asset(ngx_http_request_t *r, ngx_str_t *asset)
{
    ngx_http_reel_place_t      place;
    ngx_http_reel_loc_conf_t  *conf;

    conf = ngx_http_get_module_loc_conf(r, ngx_http_reel_module);

    ngx_memzero(&place, sizeof(ngx_http_reel_place_t));
    place.id = *asset;
    place.root = conf->root;
    place.look = ngx_http_reel_look;

    return place;
}


void
ngx_http_reel_index_drop(ngx_http_request_t *r, ngx_http_reel_place_t *place)
{
    ngx_http_reel_main_conf_t  *mcf;

    mcf = ngx_http_get_module_main_conf(r, ngx_http_reel_module);

    ngx_http_reel_lookup_forget(place);

    if (mcf->zone && place->id.len == REEL_ULID_LEN) {
        ngx_http_reel_zone_drop(mcf->zone, &place->root, &place->id);
    }
}
