/*
 * Keys and licenses, for players that may have them: whoever gets so far was
 * let in by the location's access rules.  Nobody may keep them on the way.
 */

#include "ngx_module/ngx_http_reel_title.h"

#include "lib/auth/license.h"

static ngx_int_t send_key(ngx_http_request_t *r, ngx_http_reel_play_t *p,
    reel_form_t form);
static const reel_rendition_t *find_rendition(ngx_http_reel_play_t *p);
static uint32_t periods_of(const reel_index_t *ix,
    const reel_protection_t *pr);
static ngx_int_t send_secret(ngx_http_request_t *r, const char *type,
    ngx_str_t *body);
static void body_handler(ngx_http_request_t *r);
static reel_err_t find_keys(ngx_http_reel_play_t *p, reel_license_t *l,
    reel_content_key_t *keys, unsigned *n);
static reel_err_t find_keys_of(const reel_index_t *ix,
    const reel_protection_t *pr, reel_license_t *l, reel_content_key_t *keys,
    unsigned *n);
static ngx_uint_t has_kid(const reel_content_key_t *keys, unsigned n,
    const uint8_t kid[REEL_KID]);
static ngx_int_t send_license(ngx_http_request_t *r, reel_license_t *l,
    reel_content_key_t *keys, unsigned n);

/* of a request whose body is still being read */
typedef struct {
    ngx_http_reel_play_t     play;
    ngx_http_reel_loaded_pt  loaded;
} post_t;


ngx_int_t
ngx_http_reel_key(ngx_http_request_t *r, ngx_http_reel_play_t *p)
{
    return send_key(r, p, REEL_FORM_SEGMENTS);
}


ngx_int_t
ngx_http_reel_key_iframe(ngx_http_request_t *r, ngx_http_reel_play_t *p)
{
    return send_key(r, p, REEL_FORM_IFRAMES);
}


static ngx_int_t
send_key(ngx_http_request_t *r, ngx_http_reel_play_t *p, reel_form_t form)
{
    ngx_str_t                 body;
    reel_err_t                err;
    reel_content_key_t        key;
    const reel_rendition_t   *rendition;
    const reel_protection_t  *pr;

    pr = p->opts.protection;

    if (pr == NULL || !pr->delivered) {
        return ngx_http_reel_play_absent(r, "no keys are given here");
    }

    rendition = find_rendition(p);

    if (rendition == NULL || rendition->kind == REEL_TEXT
        || p->number >= periods_of(p->index, pr)
        || (form == REEL_FORM_IFRAMES
            && pr->keys.scheme != REEL_SCHEME_AES128))
    {
        return ngx_http_reel_play_absent(r, "the asset has no such key");
    }

    err = reel_protection_key(&key, &p->opts, rendition, form, p->number);

    body.len = REEL_KEY;
    body.data = ngx_pnalloc(r->pool, REEL_KEY);

    if (err == REEL_OK && body.data) {
        ngx_memcpy(body.data, key.key, REEL_KEY);
    }

    ngx_explicit_memzero(&key, sizeof(key));

    if (err != REEL_OK || body.data == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return send_secret(r, "application/octet-stream", &body);
}


/* one of the index; or "video", "audio": any of that kind */
static const reel_rendition_t *
find_rendition(ngx_http_reel_play_t *p)
{
    ngx_str_t               *own;
    ngx_uint_t               i;
    reel_str_t               name;
    reel_kind_t              kind;

    if (p->rendition
        || p->opts.protection->keys.scheme == REEL_SCHEME_AES128)
    {
        return p->rendition;
    }

    own = p->track.len ? &p->track : &p->name;
    name = (reel_str_t) { (char *) own->data, own->len };

    kind = reel_str_eqz(name, "video") ? REEL_VIDEO
           : reel_str_eqz(name, "audio") ? REEL_AUDIO : REEL_TEXT;

    for (i = 0; i < p->index->nrenditions; i++) {
        if (p->index->renditions[i].kind == kind && kind != REEL_TEXT) {
            return &p->index->renditions[i];
        }
    }

    return NULL;
}


/* those that an asset has; one that grows will have more */
static uint32_t
periods_of(const reel_index_t *ix, const reel_protection_t *pr)
{
    uint32_t  last;

    last = ix->fragments ? ix->fragments - 1 : 0;

    return reel_protection_period(pr, last) + 1 + (ix->growing ? 1 : 0);
}


static ngx_int_t
send_secret(ngx_http_request_t *r, const char *type, ngx_str_t *body)
{
    ngx_http_reel_ctx_t  *ctx;

    static ngx_str_t  never = ngx_string("no-store");

    ctx = ngx_http_reel_get_ctx(r);

    if (ctx == NULL
        || ngx_http_reel_add_header(r, "Cache-Control", &never) != NGX_OK
        || ngx_http_reel_cors(r) != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_str_set(&ctx->status, "OK");

    return ngx_http_reel_send(r, NGX_HTTP_OK, type, body);
}


/* NGX_DECLINED: it is a POST of something else */
ngx_int_t
ngx_http_reel_license_post(ngx_http_request_t *r,
    ngx_http_reel_loaded_pt loaded)
{
    post_t                    *post;
    ngx_int_t                  rc;
    ngx_http_reel_ctx_t       *ctx;
    ngx_http_reel_play_t      *p;
    ngx_http_reel_loc_conf_t  *conf;

    conf = ngx_http_get_module_loc_conf(r, ngx_http_reel_module);

    if (conf->protect->scheme <= REEL_SCHEME_AES128) {
        return NGX_DECLINED;
    }

    ctx = ngx_http_reel_get_ctx(r);
    post = ngx_pcalloc(r->pool, sizeof(post_t));

    if (ctx == NULL || post == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    p = &post->play;

    rc = conf->files ? ngx_http_reel_movie_path(r, p)
                     : ngx_http_reel_path_parse(r, p);

    if (rc != NGX_OK || p->route->answer != ngx_http_reel_license) {
        return rc == NGX_ERROR ? NGX_HTTP_INTERNAL_SERVER_ERROR
                               : NGX_DECLINED;
    }

    if (conf->play && ngx_http_reel_token_other(r, &p->asset)) {
        return ngx_http_reel_token_refuse(r, REEL_TOKEN_ASSET);
    }

    if (r->headers_in.content_length_n > REEL_LICENSE_BODY
        || r->headers_in.chunked)
    {
        return ngx_http_reel_error(r, NGX_HTTP_REEL_PROBLEM,
                                   NGX_HTTP_REQUEST_ENTITY_TOO_LARGE,
                                   "TOO_LARGE", "a license request says its "
                                   "length and has at most 16 KiB", 0);
    }

    post->loaded = loaded;
    ctx->asset = p->asset;
    ctx->data = p;
    r->request_body_in_single_buf = 1;

    rc = ngx_http_read_client_request_body(r, body_handler);

    return rc >= NGX_HTTP_SPECIAL_RESPONSE ? rc : NGX_DONE;
}


static void
body_handler(ngx_http_request_t *r)
{
    post_t                *post;
    ngx_http_reel_ctx_t   *ctx;
    ngx_http_reel_play_t  *p;

    ctx = ngx_http_get_module_ctx(r, ngx_http_reel_module);
    post = ctx->data;
    p = &post->play;

    ngx_http_finalize_request(r, p->title
                                 ? ngx_http_reel_title_play(r, p)
                                 : ngx_http_reel_index_get(r, &p->place,
                                                           post->loaded));
}


ngx_int_t
ngx_http_reel_license(ngx_http_request_t *r, ngx_http_reel_play_t *p)
{
    unsigned             n;
    ngx_buf_t           *b;
    reel_err_t           err;
    reel_error_t         e;
    reel_license_t      *l;
    reel_content_key_t   keys[REEL_LICENSE_KIDS];

    if (p->opts.protection == NULL || !p->opts.protection->delivered) {
        return ngx_http_reel_play_absent(r, "no licenses are given here");
    }

    if (r->method != NGX_HTTP_POST) {
        return ngx_http_reel_error(r, NGX_HTTP_REEL_PROBLEM,
                                   NGX_HTTP_NOT_ALLOWED, "METHOD_NOT_ALLOWED",
                                   "a license is asked for with POST", 0);
    }

    l = ngx_palloc(r->pool, sizeof(reel_license_t));
    if (l == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    b = r->request_body && r->request_body->bufs ? r->request_body->bufs->buf
                                                 : NULL;

    if (b == NULL || b->in_file || r->request_body->bufs->next) {
        err = reel_fail(&e, REEL_BADDATA, "a license request has a body");

    } else {
        err = reel_license_parse(l, (char *) b->pos, b->last - b->pos, &e);
    }

    if (err == REEL_BADDATA || err == REEL_LIMIT) {
        return ngx_http_reel_error(r, NGX_HTTP_REEL_PROBLEM,
                                   NGX_HTTP_BAD_REQUEST, "BAD_LICENSE_REQUEST",
                                   e.text, 0);
    }

    if (err != REEL_OK || find_keys(p, l, keys, &n) != REEL_OK) {
        ngx_explicit_memzero(keys, sizeof(keys));
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    /* of other assets' keys nothing is said */
    if (n == 0) {
        return ngx_http_reel_play_absent(r, "the asset has no such key");
    }

    return send_license(r, l, keys, n);
}


static reel_err_t
find_keys(ngx_http_reel_play_t *p, reel_license_t *l,
    reel_content_key_t *keys, unsigned *n)
{
    reel_err_t              err;
    ngx_uint_t              i;
    ngx_http_reel_title_t  *t;

    *n = 0;
    t = p->title;

    if (t == NULL) {
        return find_keys_of(p->index, p->opts.protection, l, keys, n);
    }

    for (i = 0; i < t->title.nfiles && *n < l->n; i++) {
        err = find_keys_of(t->loaded[i].index, &t->protects[i].protection, l,
                           keys, n);
        if (err != REEL_OK) {
            return err;
        }
    }

    return REEL_OK;
}


/* of one asset, or file of a title */
static reel_err_t
find_keys_of(const reel_index_t *ix, const reel_protection_t *pr,
    reel_license_t *l, reel_content_key_t *keys, unsigned *n)
{
    uint8_t     kid[REEL_KID];
    uint32_t    periods;
    unsigned    i, k;
    reel_err_t  err;

    static const char *const  tracks[] = { "video", "audio" };

    periods = periods_of(ix, pr);

    for (k = 0; k < 2; k++) {
        /* once a track, however many are asked for */
        err = reel_key_kid(kid, &pr->keys, reel_str(tracks[k]), 0);

        for (i = 0; err == REEL_OK && i < l->n && *n < REEL_LICENSE_KIDS; i++)
        {
            if (!reel_kid_is_track(kid, l->kids[i])
                || has_kid(keys, *n, l->kids[i]))
            {
                continue;
            }

            err = reel_key_find(&keys[*n], &pr->keys, reel_str(tracks[k]),
                                l->kids[i], periods);
            *n += err == REEL_OK;
            err = err == REEL_NOTFOUND ? REEL_OK : err;
        }

        if (err != REEL_OK) {
            return err;
        }
    }

    return REEL_OK;
}


/* of a file that a title has twice, or asked for twice */
static ngx_uint_t
has_kid(const reel_content_key_t *keys, unsigned n,
    const uint8_t kid[REEL_KID])
{
    unsigned  i;

    for (i = 0; i < n; i++) {
        if (ngx_memcmp(keys[i].kid, kid, REEL_KID) == 0) {
            return 1;
        }
    }

    return 0;
}


static ngx_int_t
send_license(ngx_http_request_t *r, reel_license_t *l,
    reel_content_key_t *keys, unsigned n)
{
    ngx_str_t   body;
    reel_buf_t  b;

    reel_buf_init(&b, 2 * REEL_LICENSE_BODY);
    reel_license_print(&b, l, keys, n);
    ngx_explicit_memzero(keys, n * sizeof(reel_content_key_t));

    body.len = b.len;
    body.data = ngx_pnalloc(r->pool, b.len);

    if (reel_buf_err(&b) != REEL_OK || body.data == NULL) {
        if (b.len) {
            ngx_explicit_memzero(b.data, b.len);
        }

        reel_buf_release(&b);
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_memcpy(body.data, b.data, b.len);
    ngx_explicit_memzero(b.data, b.len);
    reel_buf_release(&b);

    return send_secret(r, "application/json", &body);
}
