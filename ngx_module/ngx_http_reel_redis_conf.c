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
static ngx_int_t ngx_http_reel_redis_password(ngx_conf_t *cf,
    ngx_http_reel_redis_t *redis, ngx_str_t *file);


char *
ngx_http_reel_redis_conf(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_reel_loc_conf_t  *rlcf = conf;

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

    if (redis->user.len && redis->password.len == 0) {
        return "has a user, but no password_file";
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


/* the addresses are the sentinels', who are asked as they are */
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
    s->plain = 1;
    redis->sentinel = s;

    return NGX_OK;
}


static ngx_int_t
ngx_http_reel_redis_option(ngx_conf_t *cf, ngx_http_reel_redis_t *redis,
    ngx_str_t *value)
{
    ngx_int_t  n;
    ngx_str_t  s;

    if (ngx_strncmp(value->data, "user=", 5) == 0 && value->len > 5) {
        redis->user.data = value->data + 5;
        redis->user.len = value->len - 5;
        return NGX_OK;
    }

    if (ngx_strncmp(value->data, "sentinel=", 9) == 0 && value->len > 9) {
        redis->master.data = value->data + 9;
        redis->master.len = value->len - 9;
        return NGX_OK;
    }

    if (ngx_strncmp(value->data, "shards=", 7) == 0) {
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

    if (ngx_strncmp(value->data, "db=", 3) == 0) {
        s.data = value->data + 3;
        s.len = value->len - 3;

        if (ngx_atoi(s.data, s.len) != NGX_ERROR) {
            redis->db = s;
            return NGX_OK;
        }

    } else if (ngx_strncmp(value->data, "password_file=", 14) == 0) {
        s.data = value->data + 14;
        s.len = value->len - 14;

        return ngx_http_reel_redis_password(cf, redis, &s);
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
                       "password_file=file or sentinel=master", &s);
    return NGX_ERROR;
}


static ngx_int_t
ngx_http_reel_redis_password(ngx_conf_t *cf, ngx_http_reel_redis_t *redis,
    ngx_str_t *file)
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

    redis->password.data = p;
    redis->password.len = n;

    return NGX_OK;
}
