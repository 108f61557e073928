/*
 * Playback: from a request to the file that answers it, and what assets that
 * have nothing to play are answered.
 */

#include "ngx_module/ngx_http_reel_look.h"
#include "ngx_module/ngx_http_reel_protect.h"
#include "ngx_module/ngx_http_reel_remote.h"
#include "ngx_module/ngx_http_reel_title.h"
#include "ngx_module/ngx_http_reel_zone.h"

static ngx_int_t check_method(ngx_http_request_t *r);
static ngx_int_t parse(ngx_http_request_t *r, ngx_http_reel_loc_conf_t *conf,
    ngx_http_reel_play_t *p);
static void loaded_handler(ngx_http_request_t *r,
    ngx_http_reel_loaded_t *loaded);
static uint32_t first_set(const reel_index_t *ix);
static const char *find_rendition(ngx_http_reel_play_t *p);
static ngx_int_t set_file(ngx_http_request_t *r, ngx_http_reel_play_t *p);
static ngx_int_t other_version(ngx_http_request_t *r,
    ngx_http_reel_play_t *p);
static ngx_int_t outdated(ngx_http_request_t *r);
static ngx_int_t carry_token(ngx_http_request_t *r, ngx_http_reel_play_t *p);


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
    ngx_http_reel_ctx_t       *ctx;
    ngx_http_reel_play_t      *p;
    ngx_http_reel_loc_conf_t  *conf;

    rc = check_method(r);
    if (rc != NGX_DECLINED) {
        return rc;
    }

    ctx = ngx_http_reel_get_ctx(r);
    p = ngx_pcalloc(r->pool, sizeof(ngx_http_reel_play_t));

    if (ctx == NULL || p == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    conf = ngx_http_get_module_loc_conf(r, ngx_http_reel_module);

    rc = parse(r, conf, p);
    if (rc != NGX_DECLINED) {
        return rc;
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


/* NGX_DECLINED: it is GET or HEAD */
static ngx_int_t
check_method(ngx_http_request_t *r)
{
    ngx_int_t  rc;

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

    if (r->method & (NGX_HTTP_GET|NGX_HTTP_HEAD)) {
        return NGX_DECLINED;
    }

    if (ngx_http_reel_add_header(r, "Allow", &allow) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_reel_error(r, NGX_HTTP_REEL_PROBLEM, NGX_HTTP_NOT_ALLOWED,
                               "METHOD_NOT_ALLOWED",
                               "playback takes GET and HEAD", 0);
}


/* path and query; NGX_DECLINED: p has what they ask for */
static ngx_int_t
parse(ngx_http_request_t *r, ngx_http_reel_loc_conf_t *conf,
    ngx_http_reel_play_t *p)
{
    ngx_int_t     rc;
    reel_error_t  e;

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

    return rc == NGX_OK ? NGX_DECLINED : NGX_HTTP_INTERNAL_SERVER_ERROR;
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
    ngx_int_t                  rc;
    const char                *detail;
    reel_token_status_t        st;
    ngx_http_reel_loc_conf_t  *conf;

    if (loaded != &p->loaded) {
        /* what it points to lives as long as r's pool; its key is another */
        p->loaded = *loaded;
        p->keyed = 0;
    }

    p->index = loaded->index;
    p->entry = loaded->entry;
    p->mtime = loaded->mtime;
    p->opts.switching_set = first_set(p->index);

    rc = ngx_http_reel_protect(r, p);
    if (rc != NGX_DECLINED) {
        return rc;
    }

    if (p->index->nsamples) {
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

    if (ngx_http_reel_play_version(r, p, p->hashes ? p->hashes
                                                   : loaded->hashes)
        != NGX_OK)
    {
        return other_version(r, p);
    }

    detail = p->compat ? ngx_http_reel_compat_loaded(r, p) : NULL;

    if (detail == NULL) {
        detail = find_rendition(p);
    }

    if (detail) {
        return ngx_http_reel_play_absent(r, detail);
    }

    st = ngx_http_reel_limit_check(r, p);
    if (st != REEL_TOKEN_OK) {
        return ngx_http_reel_token_refuse(r, st);
    }

    return p->route->answer(r, p);
}


/* a manifest lists one set: that of the first video rendition */
static uint32_t
first_set(const reel_index_t *ix)
{
    unsigned  i;

    for (i = 0; i < ix->nrenditions; i++) {
        if (ix->renditions[i].kind == REEL_VIDEO) {
            return ix->renditions[i].switching_set;
        }
    }

    return 0;
}


/* what the path names; NULL, or what is wrong with it */
static const char *
find_rendition(ngx_http_reel_play_t *p)
{
    ngx_str_t  *name;

    if (p->name.len == 0 || p->route->of == NGX_HTTP_REEL_OF_SHEET) {
        return NULL;
    }

    name = p->track.len ? &p->track : &p->name;
    p->rendition = reel_index_find(p->index, (reel_str_t)
                                   { (char *) name->data, name->len });

    if (p->rendition == NULL) {
        return p->route->of == NGX_HTTP_REEL_OF_KEY
               ? NULL : "the asset has no such rendition";
    }

    return p->route->type[p->rendition->kind - 1].len == 0
           ? "there is no such form of a rendition of this kind" : NULL;
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
