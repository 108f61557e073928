/*
 * Creating an upload, and what stands against it: the disk is nearly full, or
 * the access key has its share open already.  In the thread pool.
 *
 * What a key has open is counted by a look at all uploads.  A count that is
 * up to two seconds old is good enough to let one more in, together with
 * what this worker let in since that look began; to refuse one it must be
 * fresh, or as fresh as looking is affordable: a look may take a fifth of
 * the time.  One thread of a worker looks at a time, and the others go by
 * the count before.  A count lives as long as the worker.
 */

#include "ngx_module/ngx_http_reel_door.h"

#include <sys/statvfs.h>


#define NGX_HTTP_REEL_QUOTA_OLD     2000    /* ms */
#define NGX_HTTP_REEL_QUOTA_PAUSE   4       /* times what a look took */
#define NGX_HTTP_REEL_QUOTA_HASH    256


typedef struct ngx_http_reel_usage_s  ngx_http_reel_usage_t;

/* of one access key */
struct ngx_http_reel_usage_s {
    ngx_http_reel_usage_t   *next;
    uint64_t                 uploads;
    uint64_t                 bytes;
    char                     key[sizeof(((reel_upload_facts_t *) 0)
                                        ->access_key)];
};

typedef struct {
    ngx_http_reel_usage_t   *hash[NGX_HTTP_REEL_QUOTA_HASH];
    int64_t                  now_ms;        /* of a look */
} ngx_http_reel_usages_t;

/* what counts is the sum of these */
typedef enum {
    NGX_HTTP_REEL_SEEN,                     /* by the last look */
    NGX_HTTP_REEL_ADDED,                    /* since it began … */
    NGX_HTTP_REEL_ADDED_TOO,                /* … or the one under way, in turn */
    NGX_HTTP_REEL_COMING,                   /* being created just now */
    NGX_HTTP_REEL_USAGES
} ngx_http_reel_usage_e;

typedef struct ngx_http_reel_count_s  ngx_http_reel_count_t;

struct ngx_http_reel_count_s {
    ngx_http_reel_count_t   *next;
    reel_store_t            *store;
    ngx_http_reel_usages_t   usages[NGX_HTTP_REEL_USAGES];
    ngx_http_reel_usage_e    adding;        /* to which of the two */
    ngx_uint_t               looking;
    int64_t                  began;         /* the last look, monotonic ms */
    int64_t                  took;          /* -1: there was none */
};


static reel_err_t ngx_http_reel_quota_key(ngx_http_reel_door_t *door,
    ngx_http_reel_count_t **count, ngx_log_t *log);
static void ngx_http_reel_quota_done(ngx_http_reel_door_t *door,
    ngx_http_reel_count_t *c);
static ngx_http_reel_count_t *ngx_http_reel_quota_count(reel_store_t *store);
static ngx_uint_t ngx_http_reel_quota_due(const ngx_http_reel_count_t *c,
    ngx_uint_t over);
static void ngx_http_reel_quota_look(ngx_http_reel_count_t *c,
    int64_t now_ms, ngx_log_t *log);
static reel_err_t ngx_http_reel_quota_each(void *data, const char *id,
    reel_upload_t *u);
static uint64_t ngx_http_reel_quota_bytes(reel_upload_t *u);
static ngx_uint_t ngx_http_reel_quota_over(ngx_http_reel_door_t *door,
    ngx_http_reel_count_t *c);
static reel_err_t ngx_http_reel_quota_add(ngx_http_reel_usages_t *all,
    const char *key, uint64_t uploads, uint64_t bytes);
static ngx_http_reel_usage_t *ngx_http_reel_quota_find(
    ngx_http_reel_usages_t *all, const char *key, ngx_uint_t make);
static void ngx_http_reel_quota_clear(ngx_http_reel_usages_t *all);
static uint64_t ngx_http_reel_quota_length(const ngx_http_reel_door_t *door);
static uint64_t ngx_http_reel_quota_sum(uint64_t a, uint64_t b);
static int64_t ngx_http_reel_quota_clock(void);


static ngx_http_reel_count_t  *ngx_http_reel_counts;
static pthread_mutex_t         ngx_http_reel_quota_mutex =
    PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t          ngx_http_reel_quota_seen =
    PTHREAD_COND_INITIALIZER;


reel_err_t
ngx_http_reel_door_create(ngx_http_reel_door_t *door, ngx_log_t *log)
{
    reel_err_t              err;
    ngx_http_reel_count_t  *count;

    count = NULL;

    err = ngx_http_reel_door_space(door, log);

    if (err == REEL_OK && door->facts.door != REEL_UPLOAD_PUT) {
        err = ngx_http_reel_quota_key(door, &count, log);
    }

    if (err != REEL_OK) {
        ngx_log_error(NGX_LOG_INFO, log, 0, "reel: upload %s is refused: %s",
                      door->facts.id, door->why[0] ? door->why
                                                   : reel_err_name(err));
        return err;
    }

    err = reel_upload_create(door->store, &door->facts, door->length,
                             ngx_http_reel_wake_self(), door->now_ms,
                             &door->upload);

    if (err != REEL_OK && err != REEL_EXISTS) {
        ngx_log_error(NGX_LOG_ERR, log, 0,
                      "reel: upload %s cannot be created: %s",
                      door->facts.id, reel_err_name(err));
    }

    if (count) {
        ngx_http_reel_quota_done(door, count);
    }

    return err;
}


reel_err_t
ngx_http_reel_door_replay(ngx_http_reel_door_t *door)
{
    reel_err_t  err;

    if (door->facts.origin == NULL) {
        return REEL_NOTFOUND;
    }

    err = reel_upload_replay(door->store, door->facts.origin, &door->named);

    return err == REEL_OK ? ngx_http_reel_door_answered(door, door->length)
                          : err;
}


reel_err_t
ngx_http_reel_door_answered(ngx_http_reel_door_t *door, uint64_t length)
{
    if (length == REEL_UPLOAD_UNKNOWN || length == door->named.size) {
        return REEL_OK;
    }

    (void) ngx_cpystrn((u_char *) door->why,
                       (u_char *) "this signed request has stored a body of "
                                  "another length already",
                       sizeof(door->why));

    return REEL_EXISTS;
}


/* what is set aside for those under way is taken already */
reel_err_t
ngx_http_reel_door_space(ngx_http_reel_door_t *door, ngx_log_t *log)
{
    uint64_t        left, length;
    struct statvfs  fs;

    if (door->min_free == 0 || statvfs(door->root, &fs) == -1) {
        return REEL_OK;
    }

    left = (uint64_t) fs.f_bavail * fs.f_frsize;
    length = ngx_http_reel_quota_length(door);

    if (left >= ngx_http_reel_quota_sum(length, door->min_free)) {
        return REEL_OK;
    }

    ngx_log_error(NGX_LOG_WARN, log, 0, "reel: %uL bytes are left for an "
                  "upload of %uL: reel_upload_min_free is %uL", left, length,
                  door->min_free);

    /* how much is left is nobody's business */
    (void) ngx_cpystrn((u_char *) door->why,
                       (u_char *) "the server's disk is nearly full "
                       "(reel_upload_min_free): nothing new is taken now, "
                       "what is under way goes on", sizeof(door->why));

    return REEL_NOSPACE;
}


/* *count: the upload that is made now is counted there */
static reel_err_t
ngx_http_reel_quota_key(ngx_http_reel_door_t *door,
    ngx_http_reel_count_t **count, ngx_log_t *log)
{
    reel_err_t                err;
    ngx_http_reel_count_t    *c;
    const reel_access_key_t  *key;

    key = door->auth.key;

    if (key->max_open_uploads == 0 && key->max_open_bytes == 0) {
        return REEL_OK;
    }

    if (key->max_open_bytes
        && ngx_http_reel_quota_length(door) > key->max_open_bytes)
    {
        /* trying again would not help */
        door->max = key->max_open_bytes;
        door->max_name = "max_open_bytes of the access key";
        return REEL_LIMIT;
    }

    (void) pthread_mutex_lock(&ngx_http_reel_quota_mutex);

    err = REEL_NOMEM;

    c = ngx_http_reel_quota_count(door->store);
    if (c == NULL) {
        goto done;
    }

    while (c->took == -1 && c->looking) {
        (void) pthread_cond_wait(&ngx_http_reel_quota_seen,
                                 &ngx_http_reel_quota_mutex);
    }

    if (ngx_http_reel_quota_due(c, ngx_http_reel_quota_over(door, c))) {
        ngx_http_reel_quota_look(c, door->now_ms, log);
    }

    err = REEL_AGAIN;

    if (!ngx_http_reel_quota_over(door, c)) {
        err = ngx_http_reel_quota_add(&c->usages[NGX_HTTP_REEL_COMING],
                                      key->id, 1,
                                      ngx_http_reel_quota_length(door));
    }

done:

    (void) pthread_mutex_unlock(&ngx_http_reel_quota_mutex);

    if (err == REEL_OK) {
        *count = c;
    }

    return err;
}


/* a look that began before may not have seen it: it is counted besides */
static void
ngx_http_reel_quota_done(ngx_http_reel_door_t *door, ngx_http_reel_count_t *c)
{
    uint64_t                length;
    ngx_http_reel_usage_t  *coming;

    length = ngx_http_reel_quota_length(door);

    (void) pthread_mutex_lock(&ngx_http_reel_quota_mutex);

    coming = ngx_http_reel_quota_find(&c->usages[NGX_HTTP_REEL_COMING],
                                      door->auth.key->id, 0);
    coming->uploads--;
    coming->bytes -= length;

    if (door->upload) {
        /* without memory the next look finds it */
        (void) !ngx_http_reel_quota_add(&c->usages[c->adding],
                                        door->auth.key->id, 1, length);
    }

    (void) pthread_mutex_unlock(&ngx_http_reel_quota_mutex);
}


static ngx_http_reel_count_t *
ngx_http_reel_quota_count(reel_store_t *store)
{
    ngx_http_reel_count_t  *c;

    for (c = ngx_http_reel_counts; c; c = c->next) {
        if (c->store == store) {
            return c;
        }
    }

    c = calloc(1, sizeof(ngx_http_reel_count_t));

    if (c) {
        c->store = store;
        c->adding = NGX_HTTP_REEL_ADDED;
        c->took = -1;
        c->next = ngx_http_reel_counts;
        ngx_http_reel_counts = c;
    }

    return c;
}


static ngx_uint_t
ngx_http_reel_quota_due(const ngx_http_reel_count_t *c, ngx_uint_t over)
{
    int64_t  old;

    if (c->took == -1) {
        return 1;
    }

    old = ngx_http_reel_quota_clock() - c->began - c->took;

    return !c->looking && old >= NGX_HTTP_REEL_QUOTA_PAUSE * c->took
           && (over || old >= NGX_HTTP_REEL_QUOTA_OLD);
}


/* with the mutex, which is given back meanwhile */
static void
ngx_http_reel_quota_look(ngx_http_reel_count_t *c, int64_t now_ms,
    ngx_log_t *log)
{
    reel_err_t               err;
    ngx_http_reel_usages_t   seen;
    ngx_http_reel_usage_e    before;

    ngx_memzero(&seen, sizeof(ngx_http_reel_usages_t));
    seen.now_ms = now_ms;

    before = c->adding;
    c->adding = NGX_HTTP_REEL_ADDED + NGX_HTTP_REEL_ADDED_TOO - before;
    c->looking = 1;
    c->began = ngx_http_reel_quota_clock();

    (void) pthread_mutex_unlock(&ngx_http_reel_quota_mutex);

    err = reel_upload_each(c->store, ngx_http_reel_quota_each, &seen);

    (void) pthread_mutex_lock(&ngx_http_reel_quota_mutex);

    c->looking = 0;
    c->took = ngx_http_reel_quota_clock() - c->began;

    if (err == REEL_OK) {
        ngx_http_reel_quota_clear(&c->usages[NGX_HTTP_REEL_SEEN]);
        ngx_http_reel_quota_clear(&c->usages[before]);
        c->usages[NGX_HTTP_REEL_SEEN] = seen;

    } else {
        /* what was known is better than a part of it */
        ngx_http_reel_quota_clear(&seen);
        ngx_log_error(NGX_LOG_ERR, log, 0, "reel: open uploads cannot be "
                      "counted: %s", reel_err_name(err));
    }

    (void) pthread_cond_broadcast(&ngx_http_reel_quota_seen);
}


static reel_err_t
ngx_http_reel_quota_each(void *data, const char *id, reel_upload_t *u)
{
    ngx_http_reel_usages_t  *all = data;

    ngx_uint_t  waits;

    if (u == NULL || u->facts.door == REEL_UPLOAD_PUT
        || u->state.phase != REEL_UPLOAD_OPEN
        || all->now_ms > reel_upload_expires(u))
    {
        return REEL_OK;
    }

    /* nothing more comes for a part of another that is whole */
    waits = u->facts.partial && u->state.offset == u->state.length;

    return ngx_http_reel_quota_add(all, u->facts.access_key, !waits,
                                   ngx_http_reel_quota_bytes(u));
}


static uint64_t
ngx_http_reel_quota_bytes(reel_upload_t *u)
{
    size_t               i, n;
    uint64_t             bytes;
    reel_upload_part_t  *parts;

    if (u->state.length != REEL_UPLOAD_UNKNOWN) {
        return u->state.length;
    }

    if (u->facts.door != REEL_UPLOAD_MULTIPART) {
        return u->state.offset;
    }

    if (reel_upload_parts(u, &parts, &n) != REEL_OK) {
        return 0;
    }

    bytes = 0;

    for (i = 0; i < n; i++) {
        bytes = ngx_http_reel_quota_sum(bytes, parts[i].size);
    }

    free(parts);

    return bytes;
}


/* says why, as far as is known now */
static ngx_uint_t
ngx_http_reel_quota_over(ngx_http_reel_door_t *door, ngx_http_reel_count_t *c)
{
    uint64_t                  uploads, bytes;
    ngx_uint_t                i;
    ngx_http_reel_usage_t    *usage;
    const reel_access_key_t  *key;

    key = door->auth.key;
    uploads = 0;
    bytes = 0;

    for (i = 0; i < NGX_HTTP_REEL_USAGES; i++) {
        usage = ngx_http_reel_quota_find(&c->usages[i], key->id, 0);

        if (usage) {
            uploads += usage->uploads;
            bytes = ngx_http_reel_quota_sum(bytes, usage->bytes);
        }
    }

    bytes -= ngx_min(bytes, door->covered);

    if (key->max_open_uploads && uploads >= key->max_open_uploads) {
        (void) ngx_snprintf((u_char *) door->why, sizeof(door->why),
                            "max_open_uploads of the access key allows %uL "
                            "open uploads, and there are %uL: end one%Z",
                            key->max_open_uploads, uploads);
        return 1;
    }

    if (key->max_open_bytes
        && (bytes >= key->max_open_bytes
            || ngx_http_reel_quota_sum(bytes,
                                       ngx_http_reel_quota_length(door))
               > key->max_open_bytes))
    {
        (void) ngx_snprintf((u_char *) door->why, sizeof(door->why),
                            "max_open_bytes of the access key allows %uL bytes"
                            " in open uploads, and there are %uL: end one%Z",
                            key->max_open_bytes, bytes);
        return 1;
    }

    door->why[0] = '\0';

    return 0;
}


static reel_err_t
ngx_http_reel_quota_add(ngx_http_reel_usages_t *all, const char *key,
    uint64_t uploads, uint64_t bytes)
{
    ngx_http_reel_usage_t  *usage;

    usage = ngx_http_reel_quota_find(all, key, 1);
    if (usage == NULL) {
        return REEL_NOMEM;
    }

    usage->uploads += uploads;
    usage->bytes = ngx_http_reel_quota_sum(usage->bytes, bytes);

    return REEL_OK;
}


static ngx_http_reel_usage_t *
ngx_http_reel_quota_find(ngx_http_reel_usages_t *all, const char *key,
    ngx_uint_t make)
{
    ngx_http_reel_usage_t  *usage, **at;

    at = &all->hash[ngx_murmur_hash2((u_char *) key, ngx_strlen(key))
                    % NGX_HTTP_REEL_QUOTA_HASH];

    for (usage = *at; usage; usage = usage->next) {
        if (ngx_strcmp(usage->key, key) == 0) {
            return usage;
        }
    }

    usage = make ? calloc(1, sizeof(ngx_http_reel_usage_t)) : NULL;

    if (usage) {
        (void) ngx_cpystrn((u_char *) usage->key, (u_char *) key,
                           sizeof(usage->key));
        usage->next = *at;
        *at = usage;
    }

    return usage;
}


static void
ngx_http_reel_quota_clear(ngx_http_reel_usages_t *all)
{
    ngx_uint_t              i;
    ngx_http_reel_usage_t  *usage, *next;

    for (i = 0; i < NGX_HTTP_REEL_QUOTA_HASH; i++) {
        for (usage = all->hash[i]; usage; usage = next) {
            next = usage->next;
            free(usage);
        }

        all->hash[i] = NULL;
    }
}


/* one that is not known counts as it grows */
static uint64_t
ngx_http_reel_quota_length(const ngx_http_reel_door_t *door)
{
    return door->length != REEL_UPLOAD_UNKNOWN ? door->length : 0;
}


static uint64_t
ngx_http_reel_quota_sum(uint64_t a, uint64_t b)
{
    return b > UINT64_MAX - a ? UINT64_MAX : a + b;
}


static int64_t
ngx_http_reel_quota_clock(void)
{
    struct timespec  ts;

    (void) clock_gettime(CLOCK_MONOTONIC, &ts);

    return (int64_t) ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}
