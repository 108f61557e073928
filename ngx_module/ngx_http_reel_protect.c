/* encryption: what of its directives a request has */

#include "ngx_module/ngx_http_reel_protect.h"
#include "ngx_module/ngx_http_reel_title.h"

static ngx_int_t master_of(ngx_http_request_t *r, ngx_http_reel_play_t *p,
    const u_char **master);
static ngx_int_t ask_for_key(ngx_http_request_t *r,
    ngx_http_reel_protect_conf_t *pc, const reel_index_t *ix,
    ngx_str_t *asset, u_char own[NGX_HTTP_REEL_MASTER_KEY],
    ngx_http_reel_key_server_pt handler, void *data);
static void wipe_master(void *data);
static void keyed(ngx_http_request_t *r, ngx_int_t status, void *data);


ngx_int_t
ngx_http_reel_protect(ngx_http_request_t *r, ngx_http_reel_play_t *p)
{
    ngx_int_t                  rc;
    const u_char              *master;
    ngx_http_reel_protect_t   *pt;
    ngx_http_reel_loc_conf_t  *conf;

    conf = ngx_http_get_module_loc_conf(r, ngx_http_reel_module);

    if (conf->protect->scheme == REEL_SCHEME_CLEAR) {
        return NGX_DECLINED;
    }

    if (p->title && p->title->first && p->index == &p->title->first->ix) {
        return ngx_http_reel_title_protect(r, p->title);
    }

    rc = master_of(r, p, &master);
    if (rc != NGX_DECLINED) {
        return rc;
    }

    pt = ngx_pcalloc(r->pool, sizeof(ngx_http_reel_protect_t));

    if (pt == NULL
        || ngx_http_reel_protect_make(r, pt, p->index, &p->place.id, master)
           != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (p->title) {
        pt->protection.prefix = reel_str(p->title->prefix);
    }

    p->opts.protection = &pt->protection;
    p->hashes = pt->hashes;

    return NGX_DECLINED;
}


/* NGX_DECLINED: it is there; else what was answered */
static ngx_int_t
master_of(ngx_http_request_t *r, ngx_http_reel_play_t *p,
    const u_char **master)
{
    ngx_pool_cleanup_t        *cln;
    ngx_http_reel_loc_conf_t  *conf;

    if (p->keyed) {
        *master = p->master;
        return NGX_DECLINED;
    }

    conf = ngx_http_get_module_loc_conf(r, ngx_http_reel_module);

    if (conf->protect->key_server) {
        cln = ngx_pool_cleanup_add(r->pool, 0);
        if (cln == NULL) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        cln->handler = wipe_master;
        cln->data = p;
    }

    return ngx_http_reel_protect_master(r, p->index,
                                        p->title ? &p->title->uri : &p->asset,
                                        p->master, master, keyed, p);
}


ngx_int_t
ngx_http_reel_protect_make(ngx_http_request_t *r, ngx_http_reel_protect_t *pt,
    const reel_index_t *ix, ngx_str_t *id, const u_char *master)
{
    ngx_uint_t                     i;
    reel_protection_t             *pr;
    reel_manifest_opts_t           opts;
    ngx_http_reel_loc_conf_t      *conf;
    ngx_http_reel_protect_conf_t  *pc;

    conf = ngx_http_get_module_loc_conf(r, ngx_http_reel_module);
    pc = conf->protect;
    pr = &pt->protection;

    pr->keys.master = master;
    pr->keys.salt = ix->salt;
    pr->keys.asset = (reel_str_t) { (char *) id->data, id->len };
    pr->keys.scheme = (reel_scheme_t) pc->scheme;
    pr->period = (uint32_t) pc->rotation
                 * (ix->nsamples ? 1 : REEL_SEGMENT_FRAGMENTS);
    pr->systems = (unsigned) pc->systems;
    pr->delivered = pc->delivery;
    pr->variant = pc->variant;
    pr->key_uri = (reel_str_t) { (char *) pc->key_uri.data, pc->key_uri.len };
    pr->key_format = (reel_str_t) { (char *) pc->key_format.data,
                                    pc->key_format.len };
    pr->license_uri = (reel_str_t) { (char *) pc->license_uri.data,
                                     pc->license_uri.len };
    pr->prefix = REEL_STR("");

    ngx_memzero(&opts, sizeof(reel_manifest_opts_t));
    opts.protection = pr;

    for (i = 0; i < NGX_HTTP_REEL_VERSIONS; i++) {
        opts.per = ngx_http_reel_version_per(i);
        opts.container = ngx_http_reel_version_container(i);
        reel_version_hash(pt->hashes[i], ix, &opts);

        if (pt->hashes[i][0] == '\0') {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_reel_protect_master(ngx_http_request_t *r, const reel_index_t *ix,
    ngx_str_t *asset, u_char own[NGX_HTTP_REEL_MASTER_KEY],
    const u_char **master, ngx_http_reel_key_server_pt handler, void *data)
{
    ngx_http_reel_loc_conf_t      *conf;
    ngx_http_reel_protect_conf_t  *pc;

    conf = ngx_http_get_module_loc_conf(r, ngx_http_reel_module);
    pc = conf->protect;

    if (pc->key_server) {
        *master = own;
        return ask_for_key(r, pc, ix, asset, own, handler, data);
    }

    *master = reel_master_keys_find(pc->master_keys, ix->master_key_id);

    if (*master) {
        return NGX_DECLINED;
    }

    ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                  "reel: asset \"%V\" wants master key %uD, which is not in "
                  "the file of \"reel_master_keys\"", asset,
                  ix->master_key_id);

    return ngx_http_reel_error(r, NGX_HTTP_REEL_PROBLEM,
                               NGX_HTTP_INTERNAL_SERVER_ERROR, "NO_KEY",
                               "the asset's keys are not here", 0);
}


static ngx_int_t
ask_for_key(ngx_http_request_t *r, ngx_http_reel_protect_conf_t *pc,
    const reel_index_t *ix, ngx_str_t *asset,
    u_char own[NGX_HTTP_REEL_MASTER_KEY],
    ngx_http_reel_key_server_pt handler, void *data)
{
    ngx_http_reel_key_of_t  of;

    of.site = pc->site;
    of.asset = *asset;
    of.key_id = ix->master_key_id;
    of.publication = ix->publication;

    switch (ngx_http_reel_key_server_get(r, pc->key_server, &of, own, handler,
                                         data))
    {
    case NGX_OK:
        return NGX_DECLINED;

    case NGX_DONE:
        return NGX_DONE;

    case NGX_DECLINED:
        return ngx_http_reel_protect_no_key(r);

    default:
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }
}


static void
wipe_master(void *data)
{
    ngx_http_reel_play_t *p = data;

    ngx_explicit_memzero(p->master, NGX_HTTP_REEL_MASTER_KEY);
}


static void
keyed(ngx_http_request_t *r, ngx_int_t status, void *data)
{
    ngx_http_reel_play_t *p = data;

    if (status != NGX_OK) {
        ngx_http_finalize_request(r, ngx_http_reel_protect_no_key(r));
        return;
    }

    p->keyed = 1;
    ngx_http_reel_play_resume(r, p);
}


ngx_int_t
ngx_http_reel_protect_no_key(ngx_http_request_t *r)
{
    static ngx_str_t  second = ngx_string("1");

    if (ngx_http_reel_add_header(r, "Retry-After", &second) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_reel_error(r, NGX_HTTP_REEL_PROBLEM,
                               NGX_HTTP_SERVICE_UNAVAILABLE, "KEY_SERVER",
                               "the asset's keys cannot be had now", 1);
}
