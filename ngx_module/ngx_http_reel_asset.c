/*
 * An asset's state from the files that stand (docs/store.md), and its JSON
 * (docs/http-api.md).
 */

#include "ngx_module/ngx_http_reel_asset.h"

#include <jansson.h>

#include "lib/base/rescale.h"

/* in the record of progress; longer ones are not told */
#define RENDITION_NAME  64

static reel_err_t ngx_http_reel_asset_get(ngx_http_reel_asset_t *a,
    reel_store_t *store, const char *part, reel_buf_t *b);
static reel_err_t ngx_http_reel_asset_stands(ngx_http_reel_asset_t *a,
    reel_store_t *store, const char *part, bool *stands);
static reel_err_t ngx_http_reel_asset_tombstone(ngx_http_reel_asset_t *a,
    reel_store_t *store);
static reel_err_t ngx_http_reel_asset_project(ngx_http_reel_asset_t *a,
    reel_store_t *store, const char *part);
static reel_err_t ngx_http_reel_asset_request(ngx_http_reel_asset_t *a,
    reel_store_t *store);
static reel_err_t ngx_http_reel_asset_result(ngx_http_reel_asset_t *a,
    reel_store_t *store);
static reel_err_t ngx_http_reel_asset_get_meta(ngx_http_reel_asset_t *a,
    reel_store_t *store);
static void ngx_http_reel_asset_meta(reel_json_t *j, const reel_meta_t *m);
static void ngx_http_reel_asset_progress(reel_json_t *j,
    const ngx_http_reel_asset_t *a, const ngx_http_reel_reply_t *progress);
static void ngx_http_reel_asset_eta(reel_json_t *j,
    const ngx_http_reel_reply_t *progress);
static ngx_uint_t ngx_http_reel_asset_begun(
    const ngx_http_reel_reply_t *progress);
static ngx_uint_t ngx_http_reel_asset_number(
    const ngx_http_reel_reply_t *progress, const char *name, uint64_t max,
    uint64_t *v);
static void ngx_http_reel_asset_rendition(reel_json_t *j,
    const ngx_http_reel_reply_t *progress, ngx_uint_t i);
static ngx_uint_t ngx_http_reel_asset_percent(
    const ngx_http_reel_reply_t *progress, const char *rendition,
    uint64_t total);
static ngx_str_t *ngx_http_reel_asset_field(
    const ngx_http_reel_reply_t *progress, const char *name);
static void ngx_http_reel_asset_playback(reel_json_t *j,
    const ngx_http_reel_asset_t *a, ngx_str_t *play_path);
static void ngx_http_reel_asset_renditions(reel_json_t *j,
    const reel_result_t *r);
static void ngx_http_reel_asset_seconds(reel_json_t *j, const char *key,
    int64_t ms);
static void ngx_http_reel_asset_kstrz(reel_json_t *j, const char *key,
    const char *z);


reel_err_t
ngx_http_reel_asset_load(ngx_http_reel_asset_t *a, reel_store_t *store,
    ngx_uint_t sources)
{
    bool        index, retry;
    reel_err_t  err;

    err = ngx_http_reel_asset_tombstone(a, store);
    if (err != REEL_NOTFOUND) {
        return err;
    }

    err = ngx_http_reel_asset_request(a, store);

    if (err == REEL_OK) {
        err = ngx_http_reel_asset_result(a, store);
    }

    if (err == REEL_OK) {
        err = ngx_http_reel_asset_get_meta(a, store);
    }

    if (err != REEL_OK && err != REEL_NOTFOUND) {
        return err;
    }

    retry = false;

    if (a->has_result) {
        err = ngx_http_reel_asset_retry(store, reel_str(a->id), &a->result,
                                        &retry);
        if (err != REEL_OK) {
            return err;
        }
    }

    err = ngx_http_reel_asset_stands(a, store, REEL_PART_INDEX, &index);
    if (err != REEL_OK) {
        return err;
    }

    a->streamable = index;
    a->publication = a->has_result ? a->result.publication + retry : 1;
    a->state = reel_asset_state(a->request.asset != NULL, false,
                                a->has_result ? &a->result : NULL, retry);

    if (!index && sources && (a->state == REEL_ASSET_PREPARING
                              || a->state == REEL_ASSET_READY))
    {
        a->streamable = ngx_http_reel_source_plays(store, reel_str(a->id));
    }

    return REEL_OK;
}


reel_err_t
ngx_http_reel_asset_load_owner(ngx_http_reel_asset_t *a, reel_store_t *store)
{
    bool        retry;
    reel_err_t  err;

    err = ngx_http_reel_asset_tombstone(a, store);
    if (err != REEL_NOTFOUND) {
        return err;
    }

    err = ngx_http_reel_asset_request(a, store);

    if (err == REEL_BADDATA) {
        err = ngx_http_reel_asset_project(a, store, REEL_PART_REQUEST);

        if (err == REEL_OK && a->request.project == NULL) {
            err = REEL_BADDATA;
        }
    }

    if (err != REEL_OK) {
        return err == REEL_NOTFOUND ? REEL_OK : err;
    }

    a->state = REEL_ASSET_PREPARING;
    a->publication = 1;

    if (ngx_http_reel_asset_result(a, store) == REEL_OK && a->has_result) {
        a->publication = a->result.publication;

        if (ngx_http_reel_asset_retry(store, reel_str(a->id), &a->result,
                                      &retry)
            == REEL_OK)
        {
            a->publication += retry;
        }
    }

    return REEL_OK;
}


/* REEL_NOTFOUND: it is not deleted; of a deleted one the project is known */
static reel_err_t
ngx_http_reel_asset_tombstone(ngx_http_reel_asset_t *a, reel_store_t *store)
{
    reel_err_t  err;

    err = ngx_http_reel_asset_project(a, store, REEL_PART_TOMBSTONE);

    if (err == REEL_OK) {
        a->state = REEL_ASSET_DELETED;
    }

    return err;
}


/* NULL when that part does not say, whatever else is wrong with it */
static reel_err_t
ngx_http_reel_asset_project(ngx_http_reel_asset_t *a, reel_store_t *store,
    const char *part)
{
    json_t      *json;
    reel_buf_t   b;
    reel_err_t   err;
    const char  *project;

    err = ngx_http_reel_asset_get(a, store, part, &b);
    if (err != REEL_OK) {
        return err;
    }

    json = json_loadb((char *) b.data, b.len, 0, NULL);
    reel_buf_release(&b);

    project = json_string_value(json_object_get(json, "project"));

    if (project) {
        a->request.project = strdup(project);
    }

    json_decref(json);

    return project && a->request.project == NULL ? REEL_NOMEM : REEL_OK;
}


/* REEL_NOTFOUND: there is no asset */
static reel_err_t
ngx_http_reel_asset_request(ngx_http_reel_asset_t *a, reel_store_t *store)
{
    reel_buf_t  b;
    reel_err_t  err;

    err = ngx_http_reel_asset_get(a, store, REEL_PART_REQUEST, &b);

    if (err == REEL_OK) {
        err = reel_request_parse(&a->request, (char *) b.data, b.len, NULL);
        reel_buf_release(&b);
    }

    return err;
}


static reel_err_t
ngx_http_reel_asset_result(ngx_http_reel_asset_t *a, reel_store_t *store)
{
    reel_buf_t  b;
    reel_err_t  err;

    err = ngx_http_reel_asset_get(a, store, REEL_PART_RESULT, &b);

    if (err == REEL_OK) {
        err = reel_result_parse(&a->result, (char *) b.data, b.len, NULL);
        a->has_result = (err == REEL_OK);
        reel_buf_release(&b);
    }

    return err == REEL_NOTFOUND ? REEL_OK : err;
}


static reel_err_t
ngx_http_reel_asset_get_meta(ngx_http_reel_asset_t *a, reel_store_t *store)
{
    reel_buf_t  b;
    reel_err_t  err;

    err = ngx_http_reel_asset_get(a, store, REEL_PART_META, &b);

    if (err == REEL_OK) {
        err = reel_meta_parse(&a->meta, (char *) b.data, b.len, NULL);
        reel_buf_release(&b);
    }

    return err == REEL_NOTFOUND ? REEL_OK : err;
}


reel_err_t
ngx_http_reel_asset_retry(reel_store_t *store, reel_str_t asset,
    const reel_result_t *result, bool *retry)
{
    reel_err_t  err;
    reel_key_t  key;

    *retry = false;

    err = reel_key_pending(key, asset, result->publication + 1);

    return err == REEL_OK ? reel_store_stands(store, key, retry) : err;
}


static reel_err_t
ngx_http_reel_asset_get(ngx_http_reel_asset_t *a, reel_store_t *store,
    const char *part, reel_buf_t *b)
{
    reel_err_t  err;
    reel_key_t  key;

    err = reel_key_asset_part(key, reel_str(a->id), part);
    if (err != REEL_OK) {
        return err;
    }

    return reel_store_get(store, key, REEL_RECORD_MAX, b);
}


static reel_err_t
ngx_http_reel_asset_stands(ngx_http_reel_asset_t *a, reel_store_t *store,
    const char *part, bool *stands)
{
    reel_err_t  err;
    reel_key_t  key;

    *stands = false;

    err = reel_key_asset_part(key, reel_str(a->id), part);

    return err == REEL_OK ? reel_store_stands(store, key, stands) : err;
}


void
ngx_http_reel_asset_release(ngx_http_reel_asset_t *a)
{
    reel_request_release(&a->request);
    reel_result_release(&a->result);
    reel_meta_release(&a->meta);
    a->has_result = 0;
}


reel_err_t
ngx_http_reel_asset_progress_key(const ngx_http_reel_asset_t *a,
    ngx_uint_t shard, reel_redis_key_t key)
{
    char        job[REEL_JOB_ID_MAX];
    reel_err_t  err;

    err = reel_job_id(job, reel_str(a->id), a->publication);
    if (err != REEL_OK) {
        return err;
    }

    return reel_redis_key(key, shard, "progress:", reel_str(job));
}


void
ngx_http_reel_asset_print(reel_json_t *j, const ngx_http_reel_asset_t *a,
    const ngx_http_reel_reply_t *progress, ngx_str_t *play_path)
{
    reel_json_object(j);
    reel_json_kstr(j, "id", a->id);
    reel_json_kstr(j, "status", reel_asset_state_name(a->state));
    reel_json_kbool(j, "readyToStream", a->streamable);

    if (a->request.asset) {
        ngx_http_reel_asset_time(j, "created_at", a->request.created_ms);
        ngx_http_reel_asset_kstrz(j, "name", a->request.name);
        reel_json_kuint(j, "size", a->request.size);
        ngx_http_reel_asset_kstrz(j, "pipeline", a->request.pipeline);
        ngx_http_reel_asset_meta(j, &a->meta);
        ngx_http_reel_asset_progress(j, a, progress);
    }

    if (a->streamable) {
        ngx_http_reel_asset_playback(j, a, play_path);
    }

    if (a->has_result && a->result.ready) {
        ngx_http_reel_asset_seconds(j, "duration", a->result.duration_ms);
        ngx_http_reel_asset_renditions(j, &a->result);

        if (a->result.pictures) {
            reel_json_kstr(j, "pictures", a->result.pictures);
        }

        if (a->result.sound) {
            reel_json_kstr(j, "sound", a->result.sound);
        }

        reel_warnings_print(j, &a->result.warnings);

        if (!a->listed) {
            reel_result_files_print(j, &a->result);
        }
    }

    if (a->state == REEL_ASSET_ERRORED) {
        reel_json_key(j, "error");
        reel_json_object(j);
        ngx_http_reel_asset_kstrz(j, "code", a->result.code);
        ngx_http_reel_asset_kstrz(j, "stage", a->result.stage);
        ngx_http_reel_asset_kstrz(j, "detail", a->result.detail);
        if (!a->listed) {
            ngx_http_reel_asset_kstrz(j, "log", a->result.log);
        }
        reel_json_kbool(j, "retryable", a->result.retryable);
        reel_json_end(j, '}');
    }

    reel_json_end(j, '}');
}


static void
ngx_http_reel_asset_meta(reel_json_t *j, const reel_meta_t *m)
{
    reel_json_key(j, "meta");
    reel_json_object(j);

    if (m->title) {
        reel_json_kstr(j, "title", m->title);
    }

    if (m->creator) {
        reel_json_kstr(j, "creator", m->creator);
    }

    if (m->passthrough) {
        reel_json_kstr(j, "passthrough", m->passthrough);
    }

    reel_json_end(j, '}');
}


static void
ngx_http_reel_asset_progress(reel_json_t *j, const ngx_http_reel_asset_t *a,
    const ngx_http_reel_reply_t *progress)
{
    uint64_t     total;
    ngx_uint_t   i, percent;
    const char  *state;

    state = a->state == REEL_ASSET_READY ? "completed"
            : a->state == REEL_ASSET_ERRORED ? "errored"
            : progress == NULL || progress->status != NGX_OK ? "unknown"
            : ngx_http_reel_asset_begun(progress) ? "transcoding" : "queued";

    percent = a->state == REEL_ASSET_READY ? 100 : 0;

    reel_json_key(j, "progress");
    reel_json_object(j);
    reel_json_kstr(j, "state", state);

    if (progress == NULL || progress->status != NGX_OK) {
        reel_json_kuint(j, "percent", percent);
        reel_json_end(j, '}');
        return;
    }

    if (percent == 0
        && ngx_http_reel_asset_number(progress, "percent", 100, &total))
    {
        percent = total;
    }

    reel_json_kuint(j, "percent", percent);

    if (a->state == REEL_ASSET_PREPARING) {
        ngx_http_reel_asset_eta(j, progress);
    }

    reel_json_key(j, "renditions");
    reel_json_object(j);

    for (i = 0; i + 1 < progress->nelts; i += 2) {
        ngx_http_reel_asset_rendition(j, progress, i);
    }

    reel_json_end(j, '}');
    reel_json_end(j, '}');
}


/* elements i and i + 1: "total:<rendition>" and a number, or something else */
static void
ngx_http_reel_asset_rendition(reel_json_t *j,
    const ngx_http_reel_reply_t *progress, ngx_uint_t i)
{
    char        key[RENDITION_NAME];
    uint64_t    total;
    ngx_str_t   name, *e;
    reel_str_t  value;

    e = &progress->elts[i];
    value.p = (char *) e[1].data;
    value.len = e[1].len;

    if (e->len <= sizeof("total:") - 1
        || ngx_strncmp(e->data, "total:", sizeof("total:") - 1) != 0
        || reel_str_u64(value, INT64_MAX, &total) != REEL_OK)
    {
        return;
    }

    name.data = e->data + sizeof("total:") - 1;
    name.len = e->len - (sizeof("total:") - 1);

    if (name.len < RENDITION_NAME) {
        (void) ngx_cpystrn((u_char *) key, name.data, name.len + 1);
        reel_json_kuint(j, key,
                        ngx_http_reel_asset_percent(progress, key, total));
    }
}


/*
 * What is left at the pace so far, as soon as there is one: 2 % are done.  It
 * grows while nothing moves, by so large steps that those who wait for changes
 * are not told of one every second for long.
 */
static void
ngx_http_reel_asset_eta(reel_json_t *j, const ngx_http_reel_reply_t *progress)
{
    uint64_t     begun, total, done, now, eta, step;
    ngx_str_t   *state;
    ngx_time_t  *tp;

    tp = ngx_timeofday();
    now = (uint64_t) tp->sec * 1000 + tp->msec;
    state = ngx_http_reel_asset_field(progress, "state");

    if (!state
        || state->len != sizeof("transcoding") - 1
        || ngx_strncmp(state->data, "transcoding", state->len) != 0
        || !ngx_http_reel_asset_number(progress, "begun", now, &begun)
        || !ngx_http_reel_asset_number(progress, "total", INT64_MAX, &total)
        || !ngx_http_reel_asset_number(progress, "done", total, &done)
        || done == 0
        || done < total / 50)
    {
        return;
    }

    eta = reel_rescale(now - begun, total - done, done, REEL_ROUND_UP);
    eta = eta / 1000 + (eta % 1000 != 0);

    for (step = 5; eta / step >= 100; step = step == 5 ? 10 : step * 10) {
        /* void */
    }

    reel_json_kuint(j, "eta", (eta + step - 1) / step * step);
}


/* a field of the record, of at most max; 0: it has none such */
static ngx_uint_t
ngx_http_reel_asset_number(const ngx_http_reel_reply_t *progress,
    const char *name, uint64_t max, uint64_t *v)
{
    ngx_str_t  *value;

    value = ngx_http_reel_asset_field(progress, name);

    return value
           && reel_str_u64((reel_str_t) { (char *) value->data, value->len },
                           max, v)
              == REEL_OK;
}


/*
 * Redis tells "queued" until the job's first task began, and nothing of a
 * job that still waits in the outbox
 */
static ngx_uint_t
ngx_http_reel_asset_begun(const ngx_http_reel_reply_t *progress)
{
    ngx_str_t  *state;

    state = ngx_http_reel_asset_field(progress, "state");

    return state
           && (state->len != sizeof("queued") - 1
               || ngx_strncmp(state->data, "queued", state->len) != 0);
}


/* what is done of a rendition as a percentage of total */
static ngx_uint_t
ngx_http_reel_asset_percent(const ngx_http_reel_reply_t *progress,
    const char *rendition, uint64_t total)
{
    char      name[sizeof("done:") + RENDITION_NAME];
    uint64_t  done;

    *ngx_snprintf((u_char *) name, sizeof(name) - 1, "done:%s", rendition)
        = '\0';

    return total && ngx_http_reel_asset_number(progress, name,
                                               INT64_MAX / 100, &done)
           ? ngx_min(100, done * 100 / total) : 0;
}


static ngx_str_t *
ngx_http_reel_asset_field(const ngx_http_reel_reply_t *progress,
    const char *name)
{
    size_t       n;
    ngx_str_t   *e;
    ngx_uint_t   i;

    n = ngx_strlen(name);
    e = progress->elts;

    for (i = 0; i + 1 < progress->nelts; i += 2) {
        if (e[i].len == n && ngx_strncmp(e[i].data, name, n) == 0) {
            return &e[i + 1];
        }
    }

    return NULL;
}


static void
ngx_http_reel_asset_playback(reel_json_t *j, const ngx_http_reel_asset_t *a,
    ngx_str_t *play_path)
{
    static const struct {
        const char  *key;
        const char  *path;
    } urls[] = {
        { "hls", "master.m3u8" },
        { "dash", "manifest.mpd" },
        { "poster", "poster.jpg" },
        { "thumb", "thumb.jpg" },
        { "storyboard", "storyboard.vtt" }
    };

    char        url[512];
    ngx_uint_t  i;

    reel_json_key(j, "playback");
    reel_json_object(j);
    reel_json_kstr(j, "id", a->id);

    for (i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
        (void) ngx_snprintf((u_char *) url, sizeof(url), "%V%s/%s%Z",
                            play_path, a->id, urls[i].path);
        url[sizeof(url) - 1] = '\0';
        reel_json_kstr(j, urls[i].key, url);
    }

    reel_json_end(j, '}');
}


static void
ngx_http_reel_asset_renditions(reel_json_t *j, const reel_result_t *r)
{
    static const char *const  kinds[] = { "unknown", "video", "audio",
                                          "text" };

    size_t                          i;
    const reel_result_rendition_t  *x;

    reel_json_key(j, "renditions");
    reel_json_array(j);

    for (i = 0; i < r->nrenditions; i++) {
        x = &r->renditions[i];

        reel_json_object(j);
        reel_json_kstr(j, "name", x->name);
        reel_json_kstr(j, "kind", kinds[x->kind > 0 && x->kind < 4 ? x->kind
                                                                   : 0]);
        reel_json_kstr(j, "codec", x->codec);

        if (x->width) {
            char  rate[32];

            reel_json_kuint(j, "width", x->width);
            reel_json_kuint(j, "height", x->height);
            (void) ngx_snprintf((u_char *) rate, sizeof(rate), "%uL.%03uL%Z",
                                (uint64_t) x->rate_num / ngx_max(x->rate_den,
                                                                 1),
                                (uint64_t) x->rate_num * 1000
                                / ngx_max(x->rate_den, 1) % 1000);
            reel_json_key(j, "frame_rate");
            reel_json_raw(j, reel_str(rate));
        }

        if (x->channels) {
            reel_json_kuint(j, "channels", x->channels);
            reel_json_kuint(j, "sample_rate", x->sample_rate);
        }

        reel_json_kuint(j, "peak_bandwidth", x->peak);
        reel_json_kuint(j, "average_bandwidth", x->average);
        reel_json_kuint(j, "bytes", x->bytes);
        reel_json_end(j, '}');
    }

    reel_json_end(j, ']');
}


static void
ngx_http_reel_asset_seconds(reel_json_t *j, const char *key, int64_t ms)
{
    char  s[NGX_INT64_LEN + 8];

    (void) ngx_snprintf((u_char *) s, sizeof(s), "%L.%03L%Z", ms / 1000,
                        ms % 1000);
    reel_json_key(j, key);
    reel_json_raw(j, reel_str(s));
}


void
ngx_http_reel_asset_time(reel_json_t *j, const char *key, int64_t ms)
{
    char      s[40];
    ngx_tm_t  tm;

    ngx_gmtime(ms / 1000, &tm);
    (void) ngx_snprintf((u_char *) s, sizeof(s),
                        "%4d-%02d-%02dT%02d:%02d:%02d.%03dZ%Z", tm.ngx_tm_year,
                        tm.ngx_tm_mon, tm.ngx_tm_mday, tm.ngx_tm_hour,
                        tm.ngx_tm_min, tm.ngx_tm_sec, (int) (ms % 1000));
    reel_json_kstr(j, key, s);
}


static void
ngx_http_reel_asset_kstrz(reel_json_t *j, const char *key, const char *z)
{
    reel_json_kstr(j, key, z ? z : "");
}
