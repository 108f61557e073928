/* Playback tokens: what the values of directives mean */

#include "ngx_module/ngx_http_reel_token.h"

static ngx_array_t *default_from(ngx_conf_t *cf);
static ngx_int_t parse_from(ngx_str_t *value, ngx_http_reel_carrier_t *c);
static ngx_int_t read_keys(ngx_conf_t *cf, ngx_str_t *file,
    reel_jwks_t *keys);
static void release_keys(void *data);


static ngx_str_t  token_name = ngx_string("token");
static ngx_str_t  cookie_name = ngx_string("reel_token");


char *
ngx_http_reel_token_conf_keys(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_reel_loc_conf_t  *rlcf = conf;

    ngx_str_t           *value, file;
    reel_jwks_t         *keys;
    ngx_pool_cleanup_t  *cln;

    if (rlcf->token_keys != NGX_CONF_UNSET_PTR) {
        return "is duplicate";
    }

    value = cf->args->elts;
    file = value[1];

    if (ngx_conf_full_name(cf->cycle, &file, 1) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    cln = ngx_pool_cleanup_add(cf->pool, sizeof(reel_jwks_t));
    if (cln == NULL) {
        return NGX_CONF_ERROR;
    }

    keys = cln->data;
    ngx_memzero(keys, sizeof(reel_jwks_t));

    if (read_keys(cf, &file, keys) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    cln->handler = release_keys;
    rlcf->token_keys = keys;

    return NGX_CONF_OK;
}


static ngx_int_t
read_keys(ngx_conf_t *cf, ngx_str_t *file, reel_jwks_t *keys)
{
    ngx_str_t     bytes;
    reel_err_t    err;
    reel_error_t  e;

    if (ngx_http_reel_conf_read_secret(cf, "reel_token_keys", file, &bytes)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    e.text[0] = '\0';
    err = reel_jwks_parse(keys, (char *) bytes.data, bytes.len, &e);
    ngx_http_reel_conf_free_secret(&bytes);

    if (err != REEL_OK) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "reel_token_keys \"%V\": %s",
                           file, e.text[0] ? e.text : reel_err_name(err));
        return NGX_ERROR;
    }

    return NGX_OK;
}


static void
release_keys(void *data)
{
    reel_jwks_release(data);
}


char *
ngx_http_reel_token_conf_from(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_reel_loc_conf_t  *rlcf = conf;

    ngx_str_t                *value;
    ngx_uint_t                i;
    ngx_http_reel_carrier_t  *c;

    if (rlcf->token_from != NGX_CONF_UNSET_PTR) {
        return "is duplicate";
    }

    value = cf->args->elts;

    rlcf->token_from = ngx_array_create(cf->pool, cf->args->nelts - 1,
                                        sizeof(ngx_http_reel_carrier_t));
    if (rlcf->token_from == NULL) {
        return NGX_CONF_ERROR;
    }

    for (i = 1; i < cf->args->nelts; i++) {
        c = ngx_array_push(rlcf->token_from);
        if (c == NULL) {
            return NGX_CONF_ERROR;
        }

        if (parse_from(&value[i], c) != NGX_OK) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "reel_token_from: \"%V\" must be path, "
                               "query[=name] or cookie[=name]", &value[i]);
            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;
}


static ngx_int_t
parse_from(ngx_str_t *value, ngx_http_reel_carrier_t *c)
{
    u_char      *eq, *p;
    ngx_str_t    kind;
    ngx_uint_t   i;

    static const struct {
        ngx_str_t              kind;
        ngx_http_reel_from_e   from;
        ngx_str_t             *name;
    } kinds[] = {
        { ngx_string("path"), NGX_HTTP_REEL_FROM_PATH, NULL },
        { ngx_string("query"), NGX_HTTP_REEL_FROM_QUERY, &token_name },
        { ngx_string("cookie"), NGX_HTTP_REEL_FROM_COOKIE, &cookie_name }
    };

    eq = ngx_strlchr(value->data, value->data + value->len, '=');
    kind.data = value->data;
    kind.len = (eq ? eq : value->data + value->len) - value->data;

    for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (kind.len == kinds[i].kind.len
            && ngx_memcmp(kind.data, kinds[i].kind.data, kind.len) == 0)
        {
            break;
        }
    }

    if (i == sizeof(kinds) / sizeof(kinds[0])
        || (eq && kinds[i].name == NULL))
    {
        return NGX_DECLINED;
    }

    c->from = kinds[i].from;
    ngx_str_null(&c->name);

    if (kinds[i].name) {
        c->name = *kinds[i].name;
    }

    if (eq == NULL) {
        return NGX_OK;
    }

    c->name.data = eq + 1;
    c->name.len = value->data + value->len - c->name.data;

    /* it is printed into manifests as it is */
    for (p = c->name.data; p < c->name.data + c->name.len; p++) {
        if (!((*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z')
              || (*p >= '0' && *p <= '9') || *p == '_' || *p == '-'))
        {
            return NGX_DECLINED;
        }
    }

    return c->name.len && c->name.len <= 64 ? NGX_OK : NGX_DECLINED;
}


static ngx_array_t *
default_from(ngx_conf_t *cf)
{
    ngx_uint_t                i;
    ngx_array_t              *a;
    ngx_http_reel_carrier_t  *c;

    static ngx_str_t  values[] = {
        ngx_string("path"), ngx_string("query"), ngx_string("cookie")
    };

    a = ngx_array_create(cf->pool, 3, sizeof(ngx_http_reel_carrier_t));
    if (a == NULL) {
        return NULL;
    }

    for (i = 0; i < 3; i++) {
        c = ngx_array_push(a);

        if (c == NULL || parse_from(&values[i], c) != NGX_OK) {
            return NULL;
        }
    }

    return a;
}


char *
ngx_http_reel_token_conf_audience(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf)
{
    ngx_http_reel_loc_conf_t  *rlcf = conf;

    ngx_str_t   *value, *name;
    ngx_uint_t   i;

    if (rlcf->token_audience != NGX_CONF_UNSET_PTR) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (cf->args->nelts == 2 && ngx_strcmp(value[1].data, "off") == 0) {
        rlcf->token_audience = NULL;
        return NGX_CONF_OK;
    }

    rlcf->token_audience = ngx_array_create(cf->pool, cf->args->nelts - 1,
                                            sizeof(ngx_str_t));
    if (rlcf->token_audience == NULL) {
        return NGX_CONF_ERROR;
    }

    for (i = 1; i < cf->args->nelts; i++) {
        name = ngx_array_push(rlcf->token_audience);
        if (name == NULL) {
            return NGX_CONF_ERROR;
        }

        *name = value[i];
    }

    return NGX_CONF_OK;
}


char *
ngx_http_reel_token_conf_merge(ngx_conf_t *cf, ngx_http_reel_loc_conf_t *prev,
    ngx_http_reel_loc_conf_t *conf)
{
    ngx_http_core_loc_conf_t  *clcf;

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    ngx_conf_merge_uint_value(conf->token, prev->token,
                              NGX_HTTP_REEL_TOKEN_OFF);
    ngx_conf_merge_ptr_value(conf->token_keys, prev->token_keys, NULL);
    ngx_conf_merge_ptr_value(conf->token_audience, prev->token_audience,
                             NULL);
    ngx_conf_merge_str_value(conf->token_below, prev->token_below, "");
    ngx_conf_merge_sec_value(conf->token_grace, prev->token_grace, 6 * 3600);

    if (conf->token_country == NULL) {
        conf->token_country = prev->token_country;
    }

    ngx_conf_merge_ptr_value(conf->token_from, prev->token_from, NULL);

    if (conf->token_from == NULL) {
        conf->token_from = default_from(cf);
        if (conf->token_from == NULL) {
            return NGX_CONF_ERROR;
        }
    }

    /* of a server itself: its locations may have what it has not */
    if (conf->token == NGX_HTTP_REEL_TOKEN_OFF || clcf->name.len == 0) {
        return NGX_CONF_OK;
    }

    if (conf->token_keys == NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"reel_token\" needs \"reel_token_keys\"");
        return NGX_CONF_ERROR;
    }

#if (NGX_PCRE)
    if (clcf->regex && conf->token_below.len == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"reel_token\" in a location of a regular "
                           "expression needs \"reel_token_below\"");
        return NGX_CONF_ERROR;
    }
#endif

    return NGX_CONF_OK;
}
