/*
 * Playback: from a request to the file that answers it, what assets that
 * have nothing to play are answered, and the headers of what is played.
 */

#include "ngx_module/ngx_http_reel_look.h"
#include "ngx_module/ngx_http_reel_protect.h"
#include "ngx_module/ngx_http_reel_remote.h"
#include "ngx_module/ngx_http_reel_title.h"
#include "ngx_module/ngx_http_reel_zone.h"

/* a file of fragments that was written so many seconds ago may grow */
#define GROWS  60

static void loaded_handler(ngx_http_request_t *r,
    ngx_http_reel_loaded_t *loaded);
static ngx_int_t set_file(ngx_http_request_t *r, ngx_http_reel_play_t *p);
static ngx_int_t other_version(ngx_http_request_t *r,
    ngx_http_reel_play_t *p);
static ngx_int_t outdated(ngx_http_request_t *r);
static ngx_int_t choose_version(ngx_http_request_t *r,
    ngx_http_reel_play_t *p, ngx_http_reel_loaded_t *loaded);
static ngx_int_t carry_token(ngx_http_request_t *r, ngx_http_reel_play_t *p);
static ngx_uint_t names_may_stay(ngx_http_reel_play_t *p);
static ngx_uint_t grows(ngx_http_reel_play_t *p);
static ngx_uint_t configured(ngx_http_reel_play_t *p, ngx_uint_t container);
static ngx_uint_t stands_in(ngx_http_reel_play_t *p);
static ngx_str_t *cache_control(ngx_http_reel_play_t *p);


static ngx_str_t  immutable =
    ngx_string("public, max-age=31536000, immutable");
static ngx_str_t  current = ngx_string("max-age=5");
/* a shared cache asks again soon, for its players' sake: that is a 304 */
static ngx_str_t  complete = ngx_string("max-age=60, s-maxage=5, "
                                        "stale-while-revalidate=5, "
                                        "stale-if-error=86400");


/* with a token in it, which is one viewer's */
static ngx_str_t  own = ngx_string("private, max-age=5");


/* what an asset without an index is answered */
static const struct {
    ngx_http_reel_asset_e    state;
    ngx_uint_t               status;
    const char              *code;
    const char              *detail;
    ngx_uint_t               retryable;
} refusals[] = {
    { NGX_HTTP_REEL_ASSET_ABSENT, NGX_HTTP_NOT_FOUND, "NOT_FOUND",
      "there is no such asset", 0 },
    { NGX_HTTP_REEL_ASSET_PREPARING, NGX_HTTP_SERVICE_UNAVAILABLE,
      "PREPARING", "the asset is being prepared", 1 },
    { NGX_HTTP_REEL_ASSET_ERRORED, NGX_HTTP_NOT_FOUND, "ERRORED",
      "the asset could not be prepared; its status says why", 0 },
    { NGX_HTTP_REEL_ASSET_DELETED, 410, "DELETED",
      "the asset was deleted", 0 },
    { NGX_HTTP_REEL_ASSET_BROKEN, NGX_HTTP_INTERNAL_SERVER_ERROR,
      "BAD_INDEX", "the asset's index is damaged", 0 },
    { NGX_HTTP_REEL_ASSET_BAD_FILE, 422, "BAD_FILE",
      "the file is no movie that can be played; the log says why", 0 },
    { NGX_HTTP_REEL_ASSET_FAILED, NGX_HTTP_INTERNAL_SERVER_ERROR,
      "STORE_FAILED", "the store could not be read", 1 },
    { 0, 0, NULL, NULL, 0 }
};


ngx_int_t
ngx_http_reel_play_handler(ngx_http_request_t *r)
{
    ngx_int_t                  rc;
    reel_error_t               e;
    ngx_http_reel_ctx_t       *ctx;
    ngx_http_reel_play_t      *p;
    ngx_http_reel_loc_conf_t  *conf;

    static ngx_str_t  allow = ngx_string("GET, HEAD, OPTIONS");

    if (r->method == NGX_HTTP_POST) {
        rc = ngx_http_reel_license_post(r, loaded_handler);
        if (rc != NGX_DECLINED) {
            return rc;
        }
    }

    rc = ngx_http_discard_request_body(r);
    if (rc != NGX_OK) {
        return rc;
    }

    if (r->method == NGX_HTTP_OPTIONS) {
        return ngx_http_reel_preflight(r, (char *) allow.data);
    }

    if (!(r->method & (NGX_HTTP_GET|NGX_HTTP_HEAD))) {
        if (ngx_http_reel_add_header(r, "Allow", &allow) != NGX_OK) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        return ngx_http_reel_error(r, NGX_HTTP_REEL_PROBLEM,
                                   NGX_HTTP_NOT_ALLOWED, "METHOD_NOT_ALLOWED",
                                   "playback takes GET and HEAD", 0);
    }

    ctx = ngx_http_reel_get_ctx(r);
    p = ngx_pcalloc(r->pool, sizeof(ngx_http_reel_play_t));

    if (ctx == NULL || p == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    conf = ngx_http_get_module_loc_conf(r, ngx_http_reel_module);

    rc = !conf->files ? ngx_http_reel_path_parse(r, p)
         : conf->vod_compat ? ngx_http_reel_compat_path(r, p)
                            : ngx_http_reel_movie_path(r, p);

    if (rc == NGX_ERROR) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (rc != NGX_OK) {
        return ngx_http_reel_error(r, NGX_HTTP_REEL_PROBLEM,
                                   NGX_HTTP_BAD_REQUEST, "BAD_PATH",
                                   "a path is <id>/<manifest>, or "
                                   "<id>/<rendition>/<playlist or segment>",
                                   0);
    }

    rc = ngx_http_reel_query_parse(r, p, &e);

    if (rc == NGX_DECLINED) {
        return ngx_http_reel_error(r, NGX_HTTP_REEL_PROBLEM,
                                   NGX_HTTP_BAD_REQUEST, "BAD_PARAMETER",
                                   e.text, 0);
    }

    if (rc != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (conf->play && ngx_http_reel_token_other(r, &p->asset)) {
        return ngx_http_reel_token_refuse(r, REEL_TOKEN_ASSET);
    }

    if (carry_token(r, p) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ctx->asset = p->asset;
    ctx->rendition = p->name;
    ctx->segment = p->segment;
    ctx->data = p;

    return p->title ? ngx_http_reel_title_play(r, p)
                    : ngx_http_reel_play_place(r, &p->place);
}


static void
loaded_handler(ngx_http_request_t *r, ngx_http_reel_loaded_t *loaded)
{
    ngx_int_t              rc;
    ngx_http_reel_ctx_t   *ctx;
    ngx_http_reel_play_t  *p;

    ctx = ngx_http_reel_get_ctx(r);

    if (ctx == NULL) {
        rc = NGX_HTTP_INTERNAL_SERVER_ERROR;

    } else if (loaded->state != NGX_HTTP_REEL_ASSET_PLAYABLE) {
        p = ctx->data;
        rc = loaded->state == NGX_HTTP_REEL_ASSET_UPSTREAM
             ? ngx_http_reel_remote_refuse(r, loaded->status)
             : p->sourced && loaded->state != NGX_HTTP_REEL_ASSET_DELETED
             ? outdated(r) : ngx_http_reel_play_refuse(r, loaded->state);

    } else {
        rc = ngx_http_reel_play_loaded(r, ctx->data, loaded);
    }

    ngx_http_finalize_request(r, rc);
}


ngx_int_t
ngx_http_reel_play_place(ngx_http_request_t *r, ngx_http_reel_place_t *place)
{
    return ngx_http_reel_index_get(r, place, loaded_handler);
}


void
ngx_http_reel_play_resume(ngx_http_request_t *r, ngx_http_reel_play_t *p)
{
    ngx_http_finalize_request(r, ngx_http_reel_play_loaded(r, p,
                                                           &p->loaded));
}


ngx_int_t
ngx_http_reel_play_loaded(ngx_http_request_t *r, ngx_http_reel_play_t *p,
    ngx_http_reel_loaded_t *loaded)
{
    unsigned                   i;
    ngx_int_t                  rc;
    ngx_str_t                 *name;
    const char                *detail;
    const reel_index_t        *ix;
    reel_token_status_t        st;
    ngx_http_reel_loc_conf_t  *conf;

    if (loaded != &p->loaded) {
        /* what it points to lives as long as r's pool; its key is another */
        p->loaded = *loaded;
        p->keyed = 0;
    }

    ix = loaded->index;
    p->index = ix;
    p->entry = loaded->entry;
    p->mtime = loaded->mtime;
    p->opts.switching_set = 0;

    /* a manifest lists one set: that of the first video rendition */
    for (i = 0; i < ix->nrenditions; i++) {
        if (ix->renditions[i].kind == REEL_VIDEO) {
            p->opts.switching_set = ix->renditions[i].switching_set;
            break;
        }
    }

    rc = ngx_http_reel_protect(r, p);
    if (rc != NGX_DECLINED) {
        return rc;
    }

    if (ix->nsamples) {
        conf = ngx_http_get_module_loc_conf(r, ngx_http_reel_module);

        /* another location has looked for it */
        if (conf->play && !conf->play_source) {
            return ngx_http_reel_play_refuse(r,
                                             NGX_HTTP_REEL_ASSET_PREPARING);
        }

        if (set_file(r, p) != NGX_OK) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }
    }

    if (choose_version(r, p, loaded) != NGX_OK) {
        return other_version(r, p);
    }

    if (p->compat) {
        detail = ngx_http_reel_compat_loaded(r, p);
        if (detail) {
            return ngx_http_reel_play_absent(r, detail);
        }
    }

    if (p->name.len && p->route->of != NGX_HTTP_REEL_OF_SHEET) {
        name = p->track.len ? &p->track : &p->name;
        p->rendition = reel_index_find(ix, (reel_str_t)
                                       { (char *) name->data, name->len });

        if (p->rendition == NULL && p->route->of != NGX_HTTP_REEL_OF_KEY) {
            return ngx_http_reel_play_absent(r, "the asset has no such "
                                             "rendition");
        }

        if (p->rendition
            && p->route->type[p->rendition->kind - 1].len == 0)
        {
            return ngx_http_reel_play_absent(r, "there is no such form of a "
                                             "rendition of this kind");
        }
    }

    st = ngx_http_reel_limit_check(r, p);
    if (st != REEL_TOKEN_OK) {
        return ngx_http_reel_token_refuse(r, st);
    }

    return p->route->answer(r, p);
}


/* a token that came in the query goes on in that of every URI */
static ngx_int_t
carry_token(ngx_http_request_t *r, ngx_http_reel_play_t *p)
{
    u_char                 *b;
    ngx_http_reel_token_t  *t;

    t = ngx_http_reel_token_get(r);

    if (t == NULL || t->claims == NULL
        || t->from != NGX_HTTP_REEL_FROM_QUERY || !p->route->manifest)
    {
        return NGX_OK;
    }

    b = ngx_pnalloc(r->pool, t->name.len + t->value.len + sizeof("="));
    if (b == NULL) {
        return NGX_ERROR;
    }

    *ngx_sprintf(b, "%V=%V", &t->name, &t->value) = '\0';
    p->opts.token = (char *) b;

    return NGX_OK;
}


/* where the samples of the index lie: a location's file, or a source */
static ngx_int_t
set_file(ngx_http_request_t *r, ngx_http_reel_play_t *p)
{
    ngx_http_reel_place_t      place;
    ngx_http_reel_loc_conf_t  *conf;

    conf = ngx_http_get_module_loc_conf(r, ngx_http_reel_module);

    if (conf->files) {
        p->file = p->place.root;
        return NGX_OK;
    }

    if (ngx_http_reel_place_source(r, &p->place.id, &place) != NGX_OK) {
        return NGX_ERROR;
    }

    p->file = place.root;

    return NGX_OK;
}


/* who began with the source goes on with it, though there is an index now */
static ngx_int_t
other_version(ngx_http_request_t *r, ngx_http_reel_play_t *p)
{
    ngx_http_reel_place_t      place;
    ngx_http_reel_loc_conf_t  *conf;

    conf = ngx_http_get_module_loc_conf(r, ngx_http_reel_module);

    if (!conf->play || !conf->play_source || p->sourced) {
        return outdated(r);
    }

    if (ngx_http_reel_place_source(r, &p->place.id, &place) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    p->sourced = 1;

    return ngx_http_reel_index_get(r, &place, loaded_handler);
}


static ngx_int_t
outdated(ngx_http_request_t *r)
{
    return ngx_http_reel_play_absent(r, "this version of the asset is no "
                                     "longer served: load the manifest "
                                     "again");
}


/*
 * While the index grows a segment is one fragment, so that none is ever
 * seen half, as of a movie; complete ones have REEL_SEGMENT_FRAGMENTS.  Who
 * began with the growing form goes on with it: both stay valid for a
 * publication.
 */
static ngx_int_t
choose_version(ngx_http_request_t *r, ngx_http_reel_play_t *p,
    ngx_http_reel_loaded_t *loaded)
{
    ngx_uint_t                 i, may_grow;
    ngx_http_reel_hash_t      *hashes;
    ngx_http_reel_loc_conf_t  *conf;

    conf = ngx_http_get_module_loc_conf(r, ngx_http_reel_module);
    hashes = p->hashes ? p->hashes : loaded->hashes;
    may_grow = names_may_stay(p);

    if (p->hash.len == 0) {
        i = ngx_http_reel_version(p->route->container
                                  == NGX_HTTP_REEL_IN_CONFIGURED
                                  ? configured(p, conf->hls_segments)
                                  : (ngx_uint_t) p->route->container,
                                  p->index->growing
                                  || (p->index->nsamples
                                      && !(may_grow && grows(p))));

    } else {
        for (i = 0; i < NGX_HTTP_REEL_VERSIONS; i++) {
            if (ngx_memcmp(p->hash.data, hashes[i], p->hash.len)
                == 0)
            {
                break;
            }
        }

        if (i == NGX_HTTP_REEL_VERSIONS) {
            return NGX_DECLINED;
        }

        /* another node saw the completion first; its segments may stand */
        if (p->index->growing && p->route->manifest
            && ngx_http_reel_version_per(i) != 1)
        {
            return NGX_DECLINED;
        }

        if (p->index->nsamples && !may_grow
            && ngx_http_reel_version_per(i) != 1)
        {
            return NGX_DECLINED;
        }
    }

    p->opts.per = ngx_http_reel_version_per(i);
    p->opts.container = ngx_http_reel_version_container(i);
    p->version = hashes[i];
    p->opts.salt = NULL;
    p->exact = NULL;

    if (may_grow && p->opts.per != 1) {
        p->opts.per = 1;
        p->opts.salt = p->entry->grows.salt;
        p->exact = hashes[ngx_http_reel_version(p->opts.container, 1)];
    }

    /* a playlist through several files changes with any of them */
    if (p->title && p->title->first && p->track.len == 0 && p->name.len) {
        p->version = p->title->hashes[i];
    }

    if (p->route->container != NGX_HTTP_REEL_IN_CONFIGURED
        && (ngx_uint_t) p->route->container != (ngx_uint_t) p->opts.container)
    {
        return NGX_DECLINED;
    }

    return NGX_OK;
}


/*
 * Of a file of fragments alone.  Not encrypted: one that takes the place of
 * another and begins like it would have its keys.
 */
static ngx_uint_t
names_may_stay(ngx_http_reel_play_t *p)
{
    return p->index->nsamples && p->entry->grows.may
           && p->opts.protection == NULL
           && (p->title == NULL || p->title->first == NULL);
}


static ngx_uint_t
grows(ngx_http_reel_play_t *p)
{
    return ngx_time() - p->entry->st.mtime_ns / 1000000000 < GROWS;
}


/* a movie that no transport stream can carry comes as CMAF all the same */
static ngx_uint_t
configured(ngx_http_reel_play_t *p, ngx_uint_t container)
{
    unsigned                 i;
    ngx_uint_t               fits;
    const reel_rendition_t  *q;

    if (container != REEL_CONTAINER_TS || p->index->nsamples == 0) {
        return container;
    }

    fits = 0;

    for (i = 0; i < p->index->nrenditions; i++) {
        q = &p->index->renditions[i];

        if (q->kind == REEL_VIDEO) {
            return reel_ts_carries(q) ? container : REEL_CONTAINER_CMAF;
        }

        fits |= q->kind == REEL_AUDIO && reel_ts_carries(q);
    }

    return fits ? container : REEL_CONTAINER_CMAF;
}


ngx_int_t
ngx_http_reel_play_refuse(ngx_http_request_t *r, ngx_http_reel_asset_e state)
{
    ngx_uint_t  i;

    static ngx_str_t  retry = ngx_string("5");

    for (i = 0; refusals[i].code; i++) {
        if (refusals[i].state == state) {
            break;
        }
    }

    if (refusals[i].code == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (refusals[i].status == NGX_HTTP_SERVICE_UNAVAILABLE
        && ngx_http_reel_add_header(r, "Retry-After", &retry) != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_reel_error(r, NGX_HTTP_REEL_PROBLEM, refusals[i].status,
                               refusals[i].code, refusals[i].detail,
                               refusals[i].retryable);
}


ngx_int_t
ngx_http_reel_play_absent(ngx_http_request_t *r, const char *detail)
{
    return ngx_http_reel_error(r, NGX_HTTP_REEL_PROBLEM, NGX_HTTP_NOT_FOUND,
                               "NOT_FOUND", detail, 0);
}


ngx_int_t
ngx_http_reel_play_again(ngx_http_request_t *r, ngx_http_reel_play_t *p)
{
    if (p->again) {
        return ngx_http_reel_error(r, NGX_HTTP_REEL_PROBLEM,
                                   NGX_HTTP_INTERNAL_SERVER_ERROR,
                                   "BAD_OBJECT",
                                   "a stored part of the asset is damaged",
                                   0);
    }

    p->again = 1;
    ngx_http_reel_index_drop(r, &p->place);

    return ngx_http_reel_index_get(r, &p->place, loaded_handler);
}


ngx_int_t
ngx_http_reel_play_headers(ngx_http_request_t *r, ngx_http_reel_play_t *p,
    off_t len, ngx_str_t *etag)
{
    ngx_uint_t            kind;
    ngx_http_reel_ctx_t  *ctx;

    ctx = ngx_http_reel_get_ctx(r);
    if (ctx == NULL) {
        return NGX_ERROR;
    }

    kind = p->rendition ? p->rendition->kind - 1 : 0;

    r->headers_out.status = NGX_HTTP_OK;
    r->headers_out.content_length_n = len;
    r->headers_out.last_modified_time = p->mtime;
    r->headers_out.content_type = p->route->type[kind];
    r->headers_out.content_type_len = r->headers_out.content_type.len;
    r->headers_out.content_type_lowcase = NULL;

    /* several ranges at once get the whole */
    r->allow_ranges = 1;
    r->single_range = 1;

    r->headers_out.etag = ngx_http_reel_push_header(r, "ETag", etag);

    if (r->headers_out.etag == NULL
        || ngx_http_reel_add_header(r, "Cache-Control", cache_control(p))
           != NGX_OK
        || ngx_http_reel_cors(r) != NGX_OK)
    {
        return NGX_ERROR;
    }

    ngx_str_set(&ctx->status, "OK");

    return NGX_OK;
}


/* the source, until the ladder comes: a film below a location has no id */
static ngx_uint_t
stands_in(ngx_http_reel_play_t *p)
{
    return p->index->nsamples && p->route->of == NGX_HTTP_REEL_OF_ASSET
           && p->place.look == ngx_http_reel_look;
}


static ngx_str_t *
cache_control(ngx_http_reel_play_t *p)
{
    if (p->opts.token) {
        return &own;
    }

    /* its last segment is not all of it yet */
    if (p->exact) {
        return &current;
    }

    if (p->route->manifest) {
        if (p->index->growing || stands_in(p)
            || (p->route->of != NGX_HTTP_REEL_OF_ASSET && p->hash.len == 0))
        {
            return &current;
        }

        return &complete;
    }

    return p->hash.len ? &immutable : &current;
}


ngx_int_t
ngx_http_reel_play_etag(ngx_http_request_t *r, ngx_http_reel_play_t *p,
    ngx_str_t *what, ngx_uint_t weak, ngx_str_t *etag)
{
    u_char  *b;

    etag->data = ngx_pnalloc(r->pool, REEL_VERSION_HASH + p->name.len
                                      + what->len + sizeof("W/\"+--\"") - 1);
    if (etag->data == NULL) {
        return NGX_ERROR;
    }

    b = etag->data;

    if (weak) {
        *b++ = 'W';
        *b++ = '/';
    }

    *b++ = '"';
    b = ngx_cpymem(b, p->exact ? p->exact : p->version, REEL_VERSION_HASH);

    /* manifests of the same file name segments otherwise later */
    if (p->exact) {
        *b++ = '+';
    }

    *b++ = '-';

    if (p->name.len) {
        b = ngx_cpymem(b, p->name.data, p->name.len);
        *b++ = '-';
    }

    b = ngx_cpymem(b, what->data, what->len);
    *b++ = '"';

    etag->len = b - etag->data;

    return NGX_OK;
}


ngx_int_t
ngx_http_reel_play_send_header(ngx_http_request_t *r)
{
    ngx_int_t  rc;

    rc = ngx_http_send_header(r);

    if (rc == NGX_HTTP_RANGE_NOT_SATISFIABLE) {
        /* Content-Range is set, nothing was sent yet */
        return ngx_http_reel_error(r, NGX_HTTP_REEL_PROBLEM, rc,
                                   "RANGE_NOT_SATISFIABLE",
                                   "the range begins behind the end", 0);
    }

    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        return rc;
    }

    return NGX_DECLINED;
}


ngx_int_t
ngx_http_reel_play_output(ngx_http_request_t *r, ngx_chain_t *out)
{
    ngx_int_t  rc;

    rc = ngx_http_reel_play_send_header(r);
    if (rc != NGX_DECLINED) {
        return rc;
    }

    return ngx_http_output_filter(r, out);
}


ngx_int_t
ngx_http_reel_play_bytes(ngx_http_request_t *r, u_char *data, size_t len)
{
    ngx_buf_t    *b;
    ngx_chain_t   out;

    b = ngx_calloc_buf(r->pool);
    if (b == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    b->pos = data;
    b->last = data + len;
    b->memory = 1;
    b->last_buf = (r == r->main);
    b->last_in_chain = 1;

    out.buf = b;
    out.next = NULL;

    return ngx_http_reel_play_output(r, &out);
}
