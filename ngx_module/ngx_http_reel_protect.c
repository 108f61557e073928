/* encryption: directives, and what of them a request has */

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
static ngx_int_t read_master_keys(ngx_conf_t *cf, ngx_str_t *file,
    reel_master_keys_t *keys);
static void release_master_keys(void *data);
static void make_variant(ngx_http_reel_protect_conf_t *pc);


static ngx_conf_enum_t  schemes[] = {
    { ngx_string("off"), REEL_SCHEME_CLEAR },
    { ngx_string("aes-128"), REEL_SCHEME_AES128 },
    { ngx_string("cenc"), REEL_SCHEME_CENC },
    { ngx_string("cbcs"), REEL_SCHEME_CBCS },
    { ngx_string("sample-aes"), REEL_SCHEME_CBCS },
    { ngx_null_string, 0 }
};


static ngx_conf_bitmask_t  systems[] = {
    { ngx_string("clearkey"), 1 << REEL_SYSTEM_COMMON },
    { ngx_string("widevine"), 1 << REEL_SYSTEM_WIDEVINE },
    { ngx_string("playready"), 1 << REEL_SYSTEM_PLAYREADY },
    { ngx_null_string, 0 }
};


/* fragments of a period are counted in 32 bits */
static ngx_conf_num_bounds_t  rotation_bounds = {
    ngx_conf_check_num_bounds, 0, 1000000
};


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


char *
ngx_http_reel_protect_key_server(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf)
{
    ngx_http_reel_loc_conf_t  *rlcf = conf;

    return ngx_http_reel_key_server_conf(cf, &rlcf->protect->key_server);
}


ngx_http_reel_protect_conf_t *
ngx_http_reel_protect_create(ngx_conf_t *cf)
{
    ngx_http_reel_protect_conf_t  *pc;

    pc = ngx_pcalloc(cf->pool, sizeof(ngx_http_reel_protect_conf_t));
    if (pc == NULL) {
        return NULL;
    }

    pc->scheme = NGX_CONF_UNSET_UINT;
    pc->master_keys = NGX_CONF_UNSET_PTR;
    pc->key_server = NGX_CONF_UNSET_PTR;
    pc->rotation = NGX_CONF_UNSET;
    pc->delivery = NGX_CONF_UNSET;

    return pc;
}


char *
ngx_http_reel_protect_merge(ngx_conf_t *cf, ngx_http_reel_loc_conf_t *prev,
    ngx_http_reel_loc_conf_t *conf)
{
    ngx_http_reel_protect_conf_t  *to, *from;

    to = conf->protect;
    from = prev->protect;

    ngx_conf_merge_uint_value(to->scheme, from->scheme, REEL_SCHEME_CLEAR);
    /* who names one in a location means it instead of the other's */
    if (to->master_keys != NGX_CONF_UNSET_PTR
        && to->key_server == NGX_CONF_UNSET_PTR)
    {
        to->key_server = NULL;
    }

    ngx_conf_merge_ptr_value(to->master_keys, from->master_keys, NULL);
    ngx_conf_merge_ptr_value(to->key_server, from->key_server, NULL);
    ngx_conf_merge_value(to->rotation, from->rotation, 0);
    ngx_conf_merge_value(to->delivery, from->delivery, 1);
    ngx_conf_merge_bitmask_value(to->systems, from->systems,
                                 NGX_CONF_BITMASK_SET
                                 | 1 << REEL_SYSTEM_COMMON);
    ngx_conf_merge_str_value(to->license_uri, from->license_uri, "");

    if (to->key_uri.data == NULL) {
        to->key_uri = from->key_uri;
        to->key_format = from->key_format;
    }

    make_variant(to);

    return to->key_server ? ngx_http_reel_key_server_site(cf, to->site)
                          : NGX_CONF_OK;
}


char *
ngx_http_reel_protect_check(ngx_conf_t *cf, ngx_http_reel_loc_conf_t *conf)
{
    ngx_http_reel_main_conf_t     *mcf;
    ngx_http_reel_protect_conf_t  *pc;

    pc = conf->protect;

    if (pc->scheme == REEL_SCHEME_CLEAR || !ngx_http_reel_plays(conf)) {
        return NGX_CONF_OK;
    }

    if (pc->master_keys == NULL && pc->key_server == NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"reel_encryption\" needs \"reel_master_keys\" "
                           "or \"reel_key_server\"");
        return NGX_CONF_ERROR;
    }

    mcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_reel_module);

    if (pc->key_server && mcf->zone == NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"reel_key_server\" needs \"reel_zone\" before "
                           "it");
        return NGX_CONF_ERROR;
    }

    if (pc->scheme == REEL_SCHEME_CENC
        && conf->hls_segments == REEL_CONTAINER_TS)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"reel_encryption cenc\" is not for transport "
                           "streams: \"aes-128\" and \"sample-aes\" are");
        return NGX_CONF_ERROR;
    }

    /* no license system's tag stands in their playlists */
    if (!pc->delivery && pc->key_uri.len == 0
        && (pc->scheme == REEL_SCHEME_AES128
            || conf->hls_segments == REEL_CONTAINER_TS))
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"reel_key_delivery off\" needs "
                           "\"reel_key_uri\" for AES-128 and in transport "
                           "streams");
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


/* what else decides the bytes of manifests and headers */
static void
make_variant(ngx_http_reel_protect_conf_t *pc)
{
    ngx_uint_t  i;
    ngx_str_t  *s[3];

    s[0] = &pc->key_uri;
    s[1] = &pc->key_format;
    s[2] = &pc->license_uri;

    pc->variant = (uint32_t) pc->systems << 1 | (uint32_t) pc->delivery;

    for (i = 0; i < 3; i++) {
        pc->variant = pc->variant * 31 + ngx_murmur_hash2(s[i]->data,
                                                          s[i]->len);
    }
}


/* a slot of the structure that lies behind conf */
static char *
set_slot(ngx_conf_t *cf, ngx_command_t *cmd, void *conf, size_t offset,
    void *post, char *(*set)(ngx_conf_t *, ngx_command_t *, void *))
{
    ngx_http_reel_loc_conf_t  *rlcf = conf;

    ngx_command_t  slot;

    slot = *cmd;
    slot.offset = offset;
    slot.post = post;

    return set(cf, &slot, rlcf->protect);
}


char *
ngx_http_reel_protect_scheme(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    return set_slot(cf, cmd, conf,
                    offsetof(ngx_http_reel_protect_conf_t, scheme), schemes,
                    ngx_conf_set_enum_slot);
}


char *
ngx_http_reel_protect_rotation(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    return set_slot(cf, cmd, conf,
                    offsetof(ngx_http_reel_protect_conf_t, rotation),
                    &rotation_bounds, ngx_conf_set_num_slot);
}


char *
ngx_http_reel_protect_delivery(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    return set_slot(cf, cmd, conf,
                    offsetof(ngx_http_reel_protect_conf_t, delivery), NULL,
                    ngx_conf_set_flag_slot);
}


char *
ngx_http_reel_protect_drm(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    return set_slot(cf, cmd, conf,
                    offsetof(ngx_http_reel_protect_conf_t, systems), systems,
                    ngx_conf_set_bitmask_slot);
}


char *
ngx_http_reel_protect_license_uri(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf)
{
    return set_slot(cf, cmd, conf,
                    offsetof(ngx_http_reel_protect_conf_t, license_uri), NULL,
                    ngx_conf_set_str_slot);
}


char *
ngx_http_reel_protect_master_keys(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf)
{
    ngx_http_reel_loc_conf_t  *rlcf = conf;

    ngx_str_t           *value, file;
    ngx_pool_cleanup_t  *cln;

    if (rlcf->protect->master_keys != NGX_CONF_UNSET_PTR) {
        return "is duplicate";
    }

    value = cf->args->elts;
    file = value[1];

    if (ngx_conf_full_name(cf->cycle, &file, 1) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    cln = ngx_pool_cleanup_add(cf->pool, sizeof(reel_master_keys_t));
    if (cln == NULL) {
        return NGX_CONF_ERROR;
    }

    ngx_memzero(cln->data, sizeof(reel_master_keys_t));
    cln->handler = release_master_keys;

    rlcf->protect->master_keys = cln->data;

    return read_master_keys(cf, &file, cln->data) == NGX_OK ? NGX_CONF_OK
                                                            : NGX_CONF_ERROR;
}


/* by the master, so that the file may be root's alone */
static ngx_int_t
read_master_keys(ngx_conf_t *cf, ngx_str_t *file, reel_master_keys_t *keys)
{
    ngx_str_t     bytes;
    reel_err_t    err;
    reel_error_t  e;

    if (ngx_http_reel_conf_read_secret(cf, "reel_master_keys", file, &bytes)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    e.text[0] = '\0';
    err = reel_master_keys_parse(keys, (char *) bytes.data, bytes.len, &e);
    ngx_http_reel_conf_free_secret(&bytes);

    if (err != REEL_OK) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "reel_master_keys \"%V\": %s", file, e.text);
        return NGX_ERROR;
    }

    return NGX_OK;
}


static void
release_master_keys(void *data)
{
    reel_master_keys_release(data);
}


/* reel_key_uri <template> [<key format>] */
char *
ngx_http_reel_protect_key_uri(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_reel_loc_conf_t  *rlcf = conf;

    ngx_str_t                     *value;
    ngx_uint_t                     i;
    ngx_http_reel_protect_conf_t  *pc;

    pc = rlcf->protect;

    if (pc->key_uri.data) {
        return "is duplicate";
    }

    value = cf->args->elts;

    for (i = 1; i < cf->args->nelts; i++) {
        /* they stand between quotes in a playlist */
        if (ngx_strlchr(value[i].data, value[i].data + value[i].len, '"')
            || ngx_strlchr(value[i].data, value[i].data + value[i].len, '\n'))
        {
            return "takes no quotes and no line ends";
        }
    }

    pc->key_uri = value[1];

    if (cf->args->nelts > 2) {
        pc->key_format = value[2];
    }

    return NGX_CONF_OK;
}
