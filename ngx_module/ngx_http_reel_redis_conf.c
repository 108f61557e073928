/* the reel_redis directive; names are resolved and passwords read once */

#include "ngx_module/ngx_http_reel_redis.h"

#include "lib/job/keys.h"


#define NGX_HTTP_REEL_REDIS_PASSWORD  512


static ngx_int_t ngx_http_reel_redis_address(ngx_conf_t *cf,
    ngx_http_reel_redis_t *redis, ngx_str_t *value);
static ngx_int_t ngx_http_reel_redis_divide(ngx_conf_t *cf,
    ngx_http_reel_redis_t *redis);
static ngx_int_t ngx_http_reel_redis_sentinel(ngx_conf_t *cf,
    ngx_http_reel_redis_t *redis);
static ngx_int_t ngx_http_reel_redis_option(ngx_conf_t *cf,
    ngx_http_reel_redis_t *redis, ngx_str_t *value);
static ngx_int_t ngx_http_reel_redis_count(ngx_conf_t *cf,
    ngx_http_reel_redis_t *redis, ngx_str_t *value);
static ngx_int_t ngx_http_reel_redis_password(ngx_conf_t *cf,
    ngx_str_t *file, ngx_str_t *password);
static char *ngx_http_reel_redis_users(ngx_http_reel_redis_t *redis);


/* what is a text of its own, or one that stands in a file */
static const struct {
    ngx_str_t   name;
    size_t      offset;
    ngx_uint_t  file;
} ngx_http_reel_redis_texts[] = {
    { ngx_string("user="), offsetof(ngx_http_reel_redis_t, user), 0 },
    { ngx_string("password_file="),
      offsetof(ngx_http_reel_redis_t, password), 1 },
    { ngx_string("sentinel="), offsetof(ngx_http_reel_redis_t, master), 0 },
    { ngx_string("sentinel_user="),
      offsetof(ngx_http_reel_redis_t, sentinel_user), 0 },
    { ngx_string("sentinel_password_file="),
      offsetof(ngx_http_reel_redis_t, sentinel_password), 1 },
    { ngx_null_string, 0, 0 }
};


char *
ngx_http_reel_redis_conf(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_reel_loc_conf_t  *rlcf = conf;

    char                   *error;
    ngx_str_t              *value;
    ngx_uint_t              i;
    ngx_http_reel_redis_t  *redis;

    if (rlcf->redis != NGX_CONF_UNSET_PTR) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (cf->args->nelts == 2 && ngx_strcmp(value[1].data, "off") == 0) {
        rlcf->redis = NULL;
        return NGX_CONF_OK;
    }

    redis = ngx_pcalloc(cf->pool, sizeof(ngx_http_reel_redis_t));
    if (redis == NULL) {
        return NGX_CONF_ERROR;
    }

    redis->nshards = 1;

    for (i = 1; i < cf->args->nelts; i++) {
        if ((ngx_strchr(value[i].data, '=')
             ? ngx_http_reel_redis_option(cf, redis, &value[i])
             : ngx_http_reel_redis_address(cf, redis, &value[i])) != NGX_OK)
        {
            return NGX_CONF_ERROR;
        }
    }

    if (redis->naddrs == 0) {
        return "has no address";
    }

    error = ngx_http_reel_redis_users(redis);
    if (error) {
        return error;
    }

    if (ngx_http_reel_redis_divide(cf, redis) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    rlcf->redis = redis;

    return NGX_CONF_OK;
}


static ngx_int_t
ngx_http_reel_redis_address(ngx_conf_t *cf, ngx_http_reel_redis_t *redis,
    ngx_str_t *value)
{
    ngx_url_t  u;

    ngx_memzero(&u, sizeof(ngx_url_t));
    u.url = *value;
    u.default_port = 6379;

    if (redis->naddrs == NGX_HTTP_REEL_REDIS_ADDRS
        || ngx_parse_url(cf->pool, &u) != NGX_OK || u.naddrs == 0)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "reel_redis \"%V\": %s",
                           value, u.err ? u.err : "no address, or too many");
        return NGX_ERROR;
    }

    redis->addrs[redis->naddrs++] = u.addrs[0];

    return NGX_OK;
}


/* into its shards; the first is itself */
static ngx_int_t
ngx_http_reel_redis_divide(ngx_conf_t *cf, ngx_http_reel_redis_t *redis)
{
    ngx_uint_t               k;
    ngx_http_reel_redis_t   *shard, **shards;

    shards = ngx_palloc(cf->pool,
                        redis->nshards * sizeof(ngx_http_reel_redis_t *));
    if (shards == NULL) {
        return NGX_ERROR;
    }

    redis->shards = shards;

    for (k = 0; k < redis->nshards; k++) {
        shard = redis;

        if (k > 0) {
            shard = ngx_palloc(cf->pool, sizeof(ngx_http_reel_redis_t));
            if (shard == NULL) {
                return NGX_ERROR;
            }

            *shard = *redis;
            shard->shard = k;
        }

        if (redis->master.len
            && ngx_http_reel_redis_sentinel(cf, shard) != NGX_OK)
        {
            return NGX_ERROR;
        }

        shards[k] = shard;
    }

    return NGX_OK;
}


static char *
ngx_http_reel_redis_users(ngx_http_reel_redis_t *redis)
{
    if (redis->user.len && redis->password.len == 0) {
        return "has a user, but no password_file";
    }

    if (redis->sentinel_user.len && redis->sentinel_password.len == 0) {
        return "has a sentinel_user, but no sentinel_password_file";
    }

    if (redis->sentinel_password.len && redis->master.len == 0) {
        return "has a sentinel_password_file, but no sentinel";
    }

    return NULL;
}


/* the addresses are the sentinels', who have users of their own, or none */
static ngx_int_t
ngx_http_reel_redis_sentinel(ngx_conf_t *cf, ngx_http_reel_redis_t *redis)
{
    ngx_http_reel_redis_t  *s;

    s = ngx_pcalloc(cf->pool, sizeof(ngx_http_reel_redis_t));
    if (s == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(s->addrs, redis->addrs, sizeof(s->addrs));
    s->naddrs = redis->naddrs;
    s->user = redis->sentinel_user;
    s->password = redis->sentinel_password;
    s->plain = 1;
    redis->sentinel = s;

    return NGX_OK;
}


static ngx_int_t
ngx_http_reel_redis_option(ngx_conf_t *cf, ngx_http_reel_redis_t *redis,
    ngx_str_t *value)
{
    size_t      len;
    ngx_str_t   s, *text;
    ngx_uint_t  i;

    for (i = 0; ngx_http_reel_redis_texts[i].name.len; i++) {
        len = ngx_http_reel_redis_texts[i].name.len;

        if (value->len <= len
            || ngx_strncmp(value->data,
                           ngx_http_reel_redis_texts[i].name.data, len) != 0)
        {
            continue;
        }

        text = (ngx_str_t *) ((u_char *) redis
                              + ngx_http_reel_redis_texts[i].offset);
        s.data = value->data + len;
        s.len = value->len - len;

        if (ngx_http_reel_redis_texts[i].file) {
            return ngx_http_reel_redis_password(cf, &s, text);
        }

        *text = s;

        return NGX_OK;
    }

    if (ngx_strncmp(value->data, "shards=", 7) == 0) {
        return ngx_http_reel_redis_count(cf, redis, value);
    }

    if (ngx_strncmp(value->data, "db=", 3) == 0
        && ngx_atoi(value->data + 3, value->len - 3) != NGX_ERROR)
    {
        redis->db.data = value->data + 3;
        redis->db.len = value->len - 3;

        return NGX_OK;
    }

    /* what follows a '=' may be a password written here by mistake */
    for (s.len = 0; s.len < value->len && value->data[s.len] != '='; s.len++)
    {
        /* void */
    }

    s.data = value->data;

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "invalid reel_redis parameter \"%V\": "
                       "db=number, shards=number, user=name, "
                       "password_file=file, sentinel=master, "
                       "sentinel_user=name or sentinel_password_file=file",
                       &s);
    return NGX_ERROR;
}


static ngx_int_t
ngx_http_reel_redis_count(ngx_conf_t *cf, ngx_http_reel_redis_t *redis,
    ngx_str_t *value)
{
    ngx_int_t  n;

    n = ngx_atoi(value->data + 7, value->len - 7);

    if (n >= 1 && n <= REEL_SHARDS_MAX) {
        redis->nshards = n;
        return NGX_OK;
    }

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "reel_redis shards: a number from 1 to %d",
                       REEL_SHARDS_MAX);
    return NGX_ERROR;
}


static ngx_int_t
ngx_http_reel_redis_password(ngx_conf_t *cf, ngx_str_t *file,
    ngx_str_t *password)
{
    u_char    *p;
    ssize_t    n;
    ngx_fd_t   fd;

    if (ngx_conf_full_name(cf->cycle, file, 1) != NGX_OK) {
        return NGX_ERROR;
    }

    p = ngx_palloc(cf->pool, NGX_HTTP_REEL_REDIS_PASSWORD);
    if (p == NULL) {
        return NGX_ERROR;
    }

    fd = ngx_open_file(file->data, NGX_FILE_RDONLY, NGX_FILE_OPEN, 0);
    if (fd == NGX_INVALID_FILE) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno,
                           "reel_redis: " ngx_open_file_n " \"%V\" failed",
                           file);
        return NGX_ERROR;
    }

    n = ngx_read_fd(fd, p, NGX_HTTP_REEL_REDIS_PASSWORD);

    if (ngx_close_file(fd) == NGX_FILE_ERROR) {
        ngx_conf_log_error(NGX_LOG_ALERT, cf, ngx_errno,
                           ngx_close_file_n " \"%V\" failed", file);
    }

    while (n > 0 && (p[n - 1] == '\n' || p[n - 1] == '\r')) {
        n--;
    }

    if (n <= 0 || n == NGX_HTTP_REEL_REDIS_PASSWORD) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "reel_redis password_file \"%V\" is empty, too "
                           "long or unreadable", file);
        return NGX_ERROR;
    }

    password->data = p;
    password->len = n;

    return NGX_OK;
}
