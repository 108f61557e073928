/*
 * What the files of the module share.  One file, one noun, which its first
 * lines tell; by their names (ngx_http_reel_ …):
 *
 *   module, conf, location,        directives, variables, shared memory,
 *   variable, zone, task           thread pool
 *   auth, cors, error              of every kind of location
 *   upload                         its doors: s3*, put, part, multipart,
 *                                  complete; tus*; ietf*, interim
 *   door, param*, quota, end       … an upload's life, the same for all
 *   body, payload*, pull, wake     … and its bytes
 *   api*, create*, list, change,   the API
 *   asset, announce, events
 *   redis*, job                    Redis, and what it is told
 *   play*, path, query, limit      playback: what is asked for, and sent
 *   index, look*                   … of an asset
 *   movie*, source, beside*,       … of a plain movie and its texts
 *   within
 *   remote*, fetch*, large         … of one behind an internal location
 *   title*, compat                 … of several files as one
 *   manifest, printed, gzip        … what answers: manifests
 *   segment, object, image, text,  … stored bytes
 *   download*, socket
 *   stream*, buffer, turn, piece,  … bytes that are made while they are sent
 *   gathered, ts*
 *   token*                         playback tokens
 *   protect*, sealed*, whole, key, encryption
 *   key_server*, kept
 */

#ifndef NGX_HTTP_REEL_MODULE_H
#define NGX_HTTP_REEL_MODULE_H

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "lib/auth/jwk.h"
#include "lib/auth/keys.h"
#include "lib/auth/sigv4.h"
#include "lib/base/err.h"
#include "lib/base/str.h"
#include "lib/index/index.h"
#include "lib/manifest/manifest.h"
#include "lib/store/layout.h"
#include "lib/store/store.h"
#include "lib/upload/upload.h"

/* reel_dash_segments */
#define NGX_HTTP_REEL_DASH_TIMELINE  0
#define NGX_HTTP_REEL_DASH_DURATION  1

/* reel_upload_sync */
#define NGX_HTTP_REEL_SYNC_OFF       0
#define NGX_HTTP_REEL_SYNC_ALWAYS    1

/* bytes of a body that the API takes */
#define NGX_HTTP_REEL_API_BODY_MAX  (64 * 1024)

extern ngx_module_t  ngx_http_reel_module;

typedef struct ngx_http_reel_redis_s  ngx_http_reel_redis_t;
typedef struct ngx_http_reel_protect_conf_s  ngx_http_reel_protect_conf_t;

typedef struct {
    ngx_shm_zone_t          *zone;              /* reel_zone, NULL: none */
    ngx_uint_t               warned;            /* that there is none */
    ngx_uint_t               wakes;             /* a location has uploads */
} ngx_http_reel_main_conf_t;

typedef struct {
    ngx_str_t                root;              /* reel_store, no last '/' */
    reel_store_t            *store;             /* opened with root */
    reel_access_keys_t      *keys;              /* reel_access_keys */
    ngx_http_reel_redis_t   *redis;             /* NULL: off */
    ngx_msec_t               redis_timeout;
    ngx_str_t                thread_pool_name;
    ngx_thread_pool_t       *thread_pool;
    off_t                    upload_max_size;   /* 0: none */
    off_t                    upload_min_free;   /* 0: none */
    ngx_flag_t               upload_interim;    /* 104 */
    ngx_uint_t               upload_sync;       /* NGX_HTTP_REEL_SYNC_* */
    size_t                   upload_buffer;
    time_t                   upload_expires;
    ngx_array_t             *pipelines;         /* of ngx_str_t */
    ngx_str_t                api_upload_path;
    ngx_str_t                api_play_path;
    ngx_str_t                cors_origin;       /* empty: off */
    ngx_flag_t               manifest_cache;
    ngx_flag_t               manifest_gzip;
    ngx_flag_t               play_source;
    ngx_uint_t               dash_segments;     /* NGX_HTTP_REEL_DASH_* */
    ngx_uint_t               upload;            /* location kinds */
    ngx_uint_t               api;
    ngx_uint_t               play;
    ngx_uint_t               files;
    ngx_str_t                upstream;          /* reel_play_upstream */
    ngx_uint_t               hls_segments;      /* reel_container_t */
    ngx_flag_t               vod_compat;
    ngx_str_t                files_map;         /* "json", /uri/, empty: off */
    ngx_str_t                files_pattern;     /* empty: off */
    ngx_uint_t               token;             /* NGX_HTTP_REEL_TOKEN_* */
    reel_jwks_t             *token_keys;        /* NULL: none */
    ngx_array_t             *token_from;        /* ngx_http_reel_carrier_t */
    ngx_array_t             *token_audience;    /* of ngx_str_t; NULL: none */
    ngx_http_complex_value_t  *token_country;   /* NULL: not known */
    ngx_str_t                token_below;       /* empty: the location */
    time_t                   token_grace;
    ngx_http_reel_protect_conf_t  *protect;     /* never NULL */
} ngx_http_reel_loc_conf_t;

/* a location of playback, of assets or of files */
#define ngx_http_reel_plays(conf)  ((conf)->play || (conf)->files)

/* what a problem document of a registered type says besides (RFC 9457, 3.1.1
   and 3.2) */
typedef struct {
    const char              *type;              /* URI */
    const char              *title;
    const char              *names[2];          /* of members; NULL: none */
    uint64_t                 values[2];
} ngx_http_reel_problem_t;

/* the module's context of a request; variables are read from it */
typedef struct {
    ngx_str_t                asset;
    ngx_str_t                rendition;
    ngx_str_t                segment;
    ngx_str_t                status;            /* a problem's code or OK */
    ngx_str_t                cache_status;      /* HIT MISS REVALIDATED */
    ngx_str_t                manifest_status;   /* HIT MISS */
    void                    *data;              /* of the handler's file */
    struct ngx_http_reel_body_s  *body;         /* being pumped */
    struct ngx_http_reel_token_s  *token;       /* see token_get() */
    void                    *call;              /* of the key server */
    ngx_http_reel_problem_t *problem;           /* NULL: about:blank */
    ngx_thread_task_t       *tasks;             /* done, for the next ones */
} ngx_http_reel_ctx_t;

/* creates it at first use; NULL: no memory */
ngx_http_reel_ctx_t *ngx_http_reel_get_ctx(ngx_http_request_t *r);

/*
 * What of r's path follows its location, without the slash in between; the
 * whole of a path that was rewritten to elsewhere.  NGX_DECLINED: the
 * location's name ends within a part of the path, /api of /apiary.
 */
ngx_int_t ngx_http_reel_below_location(ngx_http_request_t *r,
    ngx_str_t *rest);


/* ngx_http_reel_conf.c: setters of directives, checks of plain slots */

char *ngx_http_reel_conf_store(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_reel_conf_zone(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_reel_conf_keys(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_reel_conf_pipelines(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
ngx_uint_t ngx_http_reel_conf_has_pipeline(ngx_http_reel_loc_conf_t *rlcf,
    const char *name);
char *ngx_http_reel_conf_cors(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_reel_conf_buffer(ngx_conf_t *cf, void *post, void *data);
char *ngx_http_reel_conf_path(ngx_conf_t *cf, void *post, void *data);
char *ngx_http_reel_conf_map(ngx_conf_t *cf, void *post, void *data);
char *ngx_http_reel_conf_pattern(ngx_conf_t *cf, void *post, void *data);


/*
 * The bytes of a file of secrets, at most 1m, read by the master; warns when
 * others may read it.  what: the directive.  free wipes them.
 */
ngx_int_t ngx_http_reel_conf_read_secret(ngx_conf_t *cf, const char *what,
    ngx_str_t *file, ngx_str_t *bytes);
void ngx_http_reel_conf_free_secret(ngx_str_t *bytes);


/* ngx_http_reel_protect_conf.c: directives of encryption */

ngx_http_reel_protect_conf_t *ngx_http_reel_protect_create(ngx_conf_t *cf);
char *ngx_http_reel_protect_merge(ngx_conf_t *cf,
    ngx_http_reel_loc_conf_t *prev, ngx_http_reel_loc_conf_t *conf);
char *ngx_http_reel_protect_check(ngx_conf_t *cf,
    ngx_http_reel_loc_conf_t *conf);
char *ngx_http_reel_protect_scheme(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_reel_protect_master_keys(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_reel_protect_key_server(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_reel_protect_rotation(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_reel_protect_drm(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_reel_protect_delivery(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_reel_protect_key_uri(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_reel_protect_license_uri(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);


/* ngx_http_reel_location.c */

/* setter of reel_upload and the like: cmd->post handles the location */
char *ngx_http_reel_location(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);

/* gives a block within a location what it is of that */
void ngx_http_reel_location_inherit(ngx_conf_t *cf,
    ngx_http_reel_loc_conf_t *prev, ngx_http_reel_loc_conf_t *conf);

/* has it all that it needs?  sets its thread pool, and the core's limits */
char *ngx_http_reel_location_check(ngx_conf_t *cf,
    ngx_http_reel_loc_conf_t *conf);


/* ngx_http_reel_variable.c */

/* adds all variables */
ngx_int_t ngx_http_reel_variable_add(ngx_conf_t *cf);

/* v: the ngx_str_t at offset of a structure, or NULL */
ngx_int_t ngx_http_reel_variable_member(ngx_http_variable_value_t *v,
    void *of, uintptr_t offset);

/* ngx_http_reel_query.c: a variable's get_handler */

ngx_int_t ngx_http_reel_query_cache_key(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);


/* ngx_http_reel_task.c */

typedef void (*ngx_http_reel_work_pt)(void *data, ngx_log_t *log);
typedef void (*ngx_http_reel_done_pt)(ngx_http_request_t *r, void *data);

/*
 * Runs work(data) in the location's thread pool, then done(r, data) in the
 * event loop.  The request is kept (r->main->blocked++) until then; work
 * must touch neither r nor its pool.  data lives in r->pool or longer.  When
 * the client went away meanwhile, done is still called, with
 * r->connection->error set: it frees what work made and finalizes.
 */
ngx_int_t ngx_http_reel_task_post(ngx_http_request_t *r,
    ngx_http_reel_work_pt work, ngx_http_reel_done_pt done, void *data);

/*
 * Those under way that look at all uploads of the store, in this worker: each
 * has a thread for as long as there are many.  Who would be one too many is
 * told to try again, so that uploads have the other threads.
 */
#define NGX_HTTP_REEL_TASK_WALKS  4

extern ngx_uint_t  ngx_http_reel_task_walks;



/* ngx_http_reel_error.c */

typedef enum {
    NGX_HTTP_REEL_PROBLEM,      /* RFC 9457 */
    NGX_HTTP_REEL_S3            /* XML, unless Accept asks for a problem */
} ngx_http_reel_error_form_e;

/*
 * Sends an error with a body and returns what the handler returns (or
 * passes to ngx_http_finalize_request).  code and detail are shown to the
 * client: no secrets, no paths of the server.  Sets $reel_status.
 */
ngx_int_t ngx_http_reel_error(ngx_http_request_t *r,
    ngx_http_reel_error_form_e form, ngx_uint_t status, const char *code,
    const char *detail, ngx_uint_t retryable);

/* the one mapping of reel_err_t to HTTP status and code */
ngx_uint_t ngx_http_reel_err_status(reel_err_t err, const char **code);

/*
 * What b has, in the request's pool; releases b, whatever comes of it.  b's
 * own error, or REEL_NOMEM: *s is empty.
 */
reel_err_t ngx_http_reel_to_pool(ngx_http_request_t *r, reel_buf_t *b,
    ngx_str_t *s);

/* sends a body that lies in the request's pool */
ngx_int_t ngx_http_reel_send(ngx_http_request_t *r, ngx_uint_t status,
    const char *content_type, ngx_str_t *body);

/* adds x-amz-request-id, the connection's number: $connection in logs */
ngx_int_t ngx_http_reel_request_id(ngx_http_request_t *r);

/* adds a response header; value is not copied */
ngx_int_t ngx_http_reel_add_header(ngx_http_request_t *r, const char *name,
    ngx_str_t *value);

/* the same; NULL: no memory */
ngx_table_elt_t *ngx_http_reel_push_header(ngx_http_request_t *r,
    const char *name, ngx_str_t *value);

/* one of those, of just this name; NULL: none */
ngx_table_elt_t *ngx_http_reel_find_header(ngx_http_request_t *r,
    const char *name);


/* ngx_http_reel_cors.c */

/* CORS headers of this location; call before any header is sent */
ngx_int_t ngx_http_reel_cors(ngx_http_request_t *r);

/* answers an OPTIONS request (204, preflight headers) */
ngx_int_t ngx_http_reel_preflight(ngx_http_request_t *r,
    const char *methods);


/* ngx_http_reel_redis.c */

/* the value of a reel_redis directive -> conf->redis; …_redis_conf.c */
char *ngx_http_reel_redis_conf(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

typedef struct {
    ngx_int_t                status;    /* NGX_OK, NGX_ERROR, NGX_DECLINED:
                                           no Redis or nil */
    ngx_uint_t               nelts;     /* of an array reply */
    ngx_str_t               *elts;      /* strings; nested arrays flattened,
                                           integers in decimal */
    ngx_str_t                str;       /* of a simple reply, or error text */
} ngx_http_reel_reply_t;

/* reply lives until the handler returns */
typedef void (*ngx_http_reel_reply_pt)(void *data,
    ngx_http_reel_reply_t *reply);

/*
 * Sends one command; argv is copied.  handler is called exactly once, also
 * when Redis is away or silent for `timeout` (status NGX_ERROR), never from
 * within this call.  When data's owner goes away first, it calls
 * ngx_http_reel_redis_forget with the returned handle.  NULL: no memory or
 * no Redis configured; the handler is not called then.  handler may be NULL.
 */
typedef struct ngx_http_reel_call_s  ngx_http_reel_call_t;

ngx_http_reel_call_t *ngx_http_reel_redis_call(ngx_http_reel_redis_t *redis,
    ngx_uint_t argc, const ngx_str_t *argv, ngx_msec_t timeout,
    ngx_http_reel_reply_pt handler, void *data);
void ngx_http_reel_redis_forget(ngx_http_reel_call_t *call);


/* ngx_http_reel_job.c: fire and forget, nothing at all without Redis */

void ngx_http_reel_job_submit(ngx_http_reel_loc_conf_t *conf,
    const char *asset, uint32_t publication, const char *project,
    const char *pipeline, int64_t created_ms);
/* what of u this process changed, once; asset: of its completion, or NULL */
void ngx_http_reel_job_upload(ngx_http_reel_loc_conf_t *conf,
    reel_upload_t *u, const char *asset);
void ngx_http_reel_job_cancel(ngx_http_reel_loc_conf_t *conf,
    const char *asset, uint32_t publication);
/* out of the project's list */
void ngx_http_reel_job_forget(ngx_http_reel_loc_conf_t *conf,
    const char *asset, const char *project);


/* ngx_http_reel_index.c */

/* init of the shared memory zone, set by the reel_zone directive */
ngx_int_t ngx_http_reel_index_init_zone(ngx_shm_zone_t *zone, void *data);

typedef enum {
    NGX_HTTP_REEL_ASSET_PLAYABLE,       /* index is set */
    NGX_HTTP_REEL_ASSET_ABSENT,
    NGX_HTTP_REEL_ASSET_PREPARING,
    NGX_HTTP_REEL_ASSET_ERRORED,
    NGX_HTTP_REEL_ASSET_DELETED,
    NGX_HTTP_REEL_ASSET_BROKEN,         /* bad index; logged */
    NGX_HTTP_REEL_ASSET_BAD_FILE,       /* no movie that plays; logged */
    NGX_HTTP_REEL_ASSET_UPSTREAM,       /* it said no: status */
    NGX_HTTP_REEL_ASSET_FAILED          /* the store failed; logged */
} ngx_http_reel_asset_e;

/*
 * The versions of an asset's segments, a reel_version_hash each: CMAF, then
 * transport streams; of REEL_SEGMENT_FRAGMENTS, then of 1 fragment.
 */
#define NGX_HTTP_REEL_VERSIONS              4
#define ngx_http_reel_version(container, one)  ((container) * 2 + (one))
#define ngx_http_reel_version_container(i)  ((reel_container_t) ((i) / 2))
#define ngx_http_reel_version_per(i)                                         \
    ((i) % 2 ? 1 : REEL_SEGMENT_FRAGMENTS)

/* the subtitle files beside a movie, as far as they were looked at */
typedef struct {
    int64_t                  folder_ns; /* mtime of their folder */
    uint64_t                 digest;    /* of names, sizes and mtimes */
    ngx_uint_t               n;
} ngx_http_reel_beside_t;

/*
 * Of a movie of fragments: what its names are made of while it grows, which
 * is in its beginning.  Such names are in hashes as those of several
 * fragments, which no segment of a movie has.
 */
typedef struct {
    ngx_uint_t               may;       /* is it one? */
    uint8_t                  salt[REEL_INDEX_SALT];
} ngx_http_reel_grows_t;

typedef char  ngx_http_reel_hash_t[REEL_VERSION_HASH + 1];
typedef ngx_http_reel_hash_t  ngx_http_reel_hashes_t[NGX_HTTP_REEL_VERSIONS];

typedef struct {
    ngx_http_reel_asset_e    state;
    ngx_uint_t               status;    /* of the upstream */
    const reel_index_t      *index;     /* in the zone, only read; NULL
                                           unless PLAYABLE … */
    ngx_http_reel_hash_t    *hashes;    /* of its versions */
    time_t                   mtime;     /* of the index file */
    struct ngx_http_reel_entry_s  *entry;   /* what index lies in */
} ngx_http_reel_loaded_t;

typedef void (*ngx_http_reel_loaded_pt)(ngx_http_request_t *r,
    ngx_http_reel_loaded_t *loaded);

/*
 * Where an index comes from, and its name in the zone: an asset of a store,
 * or a movie file.
 */
typedef struct {
    ngx_str_t                id;        /* REEL_ULID_LEN bytes */
    ngx_str_t                root;      /* of the store; or the file's path,
                                           terminated */
    ngx_http_reel_work_pt    look;
    ngx_str_t                uri;       /* root is one, of an internal
                                           location; or empty */
} ngx_http_reel_place_t;

/*
 * Looks up the index of a place: from the zone when it was checked within the
 * last second (then handler is called at once), else after a stat, and a
 * load if it changed, in the thread pool.  loaded lives until the handler
 * returns, … what it points to until r's pool is destroyed.  NGX_DONE: the
 * handler was or will be called, and finalizes the request (a reference of
 * its own was taken for that); anything else is for the caller to return.
 */
ngx_int_t ngx_http_reel_index_get(ngx_http_request_t *r,
    ngx_http_reel_place_t *place, ngx_http_reel_loaded_pt handler);

/* drops it from the zone: it was deleted, or replaced */
void ngx_http_reel_index_drop(ngx_http_request_t *r,
    ngx_http_reel_place_t *place);

/* the place of an asset in the location's store */
ngx_http_reel_place_t ngx_http_reel_place_asset(ngx_http_request_t *r,
    ngx_str_t *asset);

/*
 * Of the source of an asset, whatever its index: root is the file's path.
 * ngx_http_reel_source.c
 */
ngx_int_t ngx_http_reel_place_source(ngx_http_request_t *r, ngx_str_t *asset,
    ngx_http_reel_place_t *place);


/* ngx_http_reel_auth.c */

typedef struct {
    const reel_access_key_t *key;       /* who signed */
    ngx_uint_t               presigned;
    char                     payload_hash[72];  /* see lib/auth/sigv4.h */
    char                     signature[65];
    const reel_sigv4_auth_t *sig;       /* as verified; NULL: a token */
} ngx_http_reel_auth_t;

/*
 * Who signed r?  NGX_OK and *a; otherwise the refusal was sent in `form`
 * (r->header_sent tells, the return code may be NGX_OK too) and its return
 * code is returned.  bearer: a JWT is accepted too.  body: the whole of it,
 * checked against the signed hash; NULL: the caller checks a->payload_hash.
 */
ngx_int_t ngx_http_reel_auth(ngx_http_request_t *r,
    ngx_http_reel_error_form_e form, ngx_uint_t bearer, ngx_str_t *body,
    ngx_http_reel_auth_t *a);


/* the content handlers */
ngx_int_t ngx_http_reel_upload_handler(ngx_http_request_t *r);
ngx_int_t ngx_http_reel_api_handler(ngx_http_request_t *r);
ngx_int_t ngx_http_reel_play_handler(ngx_http_request_t *r);

#endif
