/* encryption: its directives */

#include "ngx_module/ngx_http_reel_protect.h"

static void make_variant(ngx_http_reel_protect_conf_t *pc);
static char *set_slot(ngx_conf_t *cf, ngx_command_t *cmd, void *conf,
    size_t offset, void *post,
    char *(*set)(ngx_conf_t *, ngx_command_t *, void *));
static ngx_int_t read_master_keys(ngx_conf_t *cf, ngx_str_t *file,
    reel_master_keys_t *keys);
static void release_master_keys(void *data);


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
