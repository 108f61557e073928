/*
 * What nginx tells Redis: of jobs submit and cancel, of uploads what became of
 * them.  Nobody waits for an answer, and a failure is logged where it shows:
 * workerd submits what stands in the outbox, workers find the tombstone, and
 * the store says of an upload what an event would have said.
 */

#include "ngx_module/ngx_http_reel_redis.h"

#include "lib/base/ulid.h"
#include "lib/job/keys.h"


/* as in conf/pipelines/default.yaml: nginx does not read pipelines */
#define NGX_HTTP_REEL_INSPECT_ATTEMPTS  "3"
#define NGX_HTTP_REEL_INSPECT_TIMEOUT   "300"

#define NGX_HTTP_REEL_JOB_ARGS  16


static void ngx_http_reel_job_tell(ngx_http_reel_loc_conf_t *conf,
    ngx_http_reel_redis_t *redis, const char **args);


void
ngx_http_reel_job_submit(ngx_http_reel_loc_conf_t *conf, const char *asset,
    uint32_t publication, const char *project, const char *pipeline,
    int64_t created_ms)
{
    char              job[REEL_JOB_ID_MAX];
    u_char            number[3][NGX_INT64_LEN + 1];
    reel_redis_key_t  key, prefix;

    ngx_http_reel_redis_t  *redis;

    redis = ngx_http_reel_redis_of(conf->redis, asset);

    if (redis == NULL
        || reel_redis_key(prefix, redis->shard, "", reel_str("")) != REEL_OK
        || reel_job_id(job, reel_str(asset), publication) != REEL_OK
        || reel_redis_key(key, redis->shard, "job:", reel_str(job)) != REEL_OK)
    {
        return;
    }

    *ngx_sprintf(number[0], "%uD", publication) = '\0';
    *ngx_sprintf(number[1], "%L", created_ms) = '\0';
    *ngx_sprintf(number[2], "%ui", redis->nshards) = '\0';

    ngx_http_reel_job_tell(conf, redis, (const char *[]) {
        "EVAL", reel_lua_text(REEL_LUA_SUBMIT), "1", key, prefix,
        job, asset, (char *) number[0], project, pipeline, (char *) number[1],
        "{}", NGX_HTTP_REEL_INSPECT_ATTEMPTS, NGX_HTTP_REEL_INSPECT_TIMEOUT,
        (char *) number[2], NULL });
}


void
ngx_http_reel_job_forget(ngx_http_reel_loc_conf_t *conf, const char *asset,
    const char *project)
{
    reel_redis_key_t        key;
    ngx_http_reel_redis_t  *redis;

    redis = ngx_http_reel_redis_of(conf->redis, asset);

    if (redis == NULL
        || reel_redis_key(key, redis->shard, "catalog:", reel_str(project))
           != REEL_OK)
    {
        return;
    }

    ngx_http_reel_job_tell(conf, redis, (const char *[]) { "ZREM", key, asset,
                                                    NULL });
}


void
ngx_http_reel_job_cancel(ngx_http_reel_loc_conf_t *conf, const char *asset,
    uint32_t publication)
{
    char              job[REEL_JOB_ID_MAX];
    reel_redis_key_t  key, prefix;

    ngx_http_reel_redis_t  *redis;

    redis = ngx_http_reel_redis_of(conf->redis, asset);

    if (redis == NULL || publication == 0
        || reel_redis_key(prefix, redis->shard, "", reel_str("")) != REEL_OK
        || reel_job_id(job, reel_str(asset), publication) != REEL_OK
        || reel_redis_key(key, redis->shard, "job:", reel_str(job)) != REEL_OK)
    {
        return;
    }

    ngx_http_reel_job_tell(conf, redis, (const char *[]) {
        "EVAL", reel_lua_text(REEL_LUA_CANCEL), "1", key, prefix,
        job, NULL });
}


void
ngx_http_reel_job_upload(ngx_http_reel_loc_conf_t *conf, reel_upload_t *u,
    const char *asset)
{
    reel_redis_key_t        key;
    ngx_http_reel_redis_t  *redis;

    const char  *args[] = {
        "XADD", key, "MAXLEN", "~", REEL_EVENTS_MAX,
        "*", [6 + REEL_UPLOAD_EVENT_FIELDS] = NULL };

    if (conf->redis == NULL || !reel_upload_event(u, asset, args + 6)) {
        return;
    }

    redis = ngx_http_reel_redis_of(conf->redis,
                                   args[6 + REEL_UPLOAD_EVENT_ASSET]);

    if (reel_redis_key(key, redis->shard, "events", reel_str("")) == REEL_OK) {
        ngx_http_reel_job_tell(conf, redis, args);
    }
}


static void
ngx_http_reel_job_tell(ngx_http_reel_loc_conf_t *conf,
    ngx_http_reel_redis_t *redis, const char **args)
{
    ngx_str_t   argv[NGX_HTTP_REEL_JOB_ARGS];
    ngx_uint_t  n;

    for (n = 0; args[n]; n++) {
        argv[n].data = (u_char *) args[n];
        argv[n].len = ngx_strlen(args[n]);
    }

    (void) ngx_http_reel_redis_call(redis, n, argv, conf->redis_timeout,
                                    NULL, NULL);
}
