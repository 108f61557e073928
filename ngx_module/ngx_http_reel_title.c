/*
 * Titles: which paths are such, and what is looked up for them.  A manifest
 * needs the indexes of all files, one after the other; a segment, a header or
 * a playlist of one film needs one, and is then answered as a file's own.
 */

#include "ngx_module/ngx_http_reel_title.h"
#include "ngx_module/ngx_http_reel_zone.h"

static ngx_int_t make_title(ngx_http_request_t *r, ngx_http_reel_play_t *p,
    ngx_http_reel_title_e kind);
static void set_top(ngx_http_request_t *r, ngx_http_reel_title_t *t,
    u_char *end);
static void cleanup(void *data);
static ngx_uint_t ends_with(ngx_str_t *s, const char *end);
static ngx_uint_t is_file_of(ngx_http_reel_loc_conf_t *conf, ngx_str_t *path);
static ngx_uint_t needs_all(ngx_http_request_t *r, ngx_http_reel_title_t *t);
static ngx_uint_t take_number(ngx_str_t *s, ngx_uint_t *n);
static ngx_int_t look_up_all(ngx_http_request_t *r,
    ngx_http_reel_title_t *t);
static void next_file(ngx_http_request_t *r, ngx_http_reel_title_t *t);
static void file_found(ngx_http_request_t *r,
    ngx_http_reel_loaded_t *loaded);


ngx_int_t
ngx_http_reel_title_path(ngx_http_request_t *r, ngx_http_reel_play_t *p)
{
    ngx_http_reel_loc_conf_t  *conf;

    conf = ngx_http_get_module_loc_conf(r, ngx_http_reel_module);

    if (ends_with(&p->asset, ".urlset")) {
        return make_title(r, p, NGX_HTTP_REEL_TITLE_LIST);
    }

    if (conf->files_map.len && conf->files_map.data[0] == '/') {
        return make_title(r, p, NGX_HTTP_REEL_TITLE_ASKED);
    }

    /* folders and mappings of a location without a root are not here */
    if (conf->upstream.len) {
        return NGX_DECLINED;
    }

    if (conf->files_map.len && ends_with(&p->asset, ".json")) {
        return make_title(r, p, NGX_HTTP_REEL_TITLE_FILE);
    }

    if (conf->files_pattern.len && !is_file_of(conf, &p->asset)) {
        return make_title(r, p, NGX_HTTP_REEL_TITLE_PATTERN);
    }

    return NGX_DECLINED;
}


static ngx_uint_t
ends_with(ngx_str_t *s, const char *end)
{
    size_t  len = ngx_strlen(end);

    return s->len > len
           && ngx_memcmp(s->data + s->len - len, end, len) == 0;
}


/* what ends as the files of titles do is one of them, by itself */
static ngx_uint_t
is_file_of(ngx_http_reel_loc_conf_t *conf, ngx_str_t *path)
{
    reel_title_pattern_t  pattern;

    reel_title_pattern_split(&pattern, (reel_str_t) {
                             (char *) conf->files_pattern.data,
                             conf->files_pattern.len });

    return path->len >= pattern.after.len
           && ngx_memcmp(path->data + path->len - pattern.after.len,
                         pattern.after.p, pattern.after.len) == 0;
}


static ngx_int_t
make_title(ngx_http_request_t *r, ngx_http_reel_play_t *p,
    ngx_http_reel_title_e kind)
{
    u_char                 *b;
    ngx_pool_cleanup_t     *cln;
    ngx_http_reel_title_t  *t;

    cln = ngx_pool_cleanup_add(r->pool, sizeof(ngx_http_reel_title_t));
    if (cln == NULL) {
        return NGX_ERROR;
    }

    t = cln->data;
    ngx_memzero(t, sizeof(ngx_http_reel_title_t));
    cln->handler = cleanup;

    t->kind = kind;
    t->play = p;

    for (b = p->asset.data + p->asset.len; b[-1] != '/'; b--) { /* void */ }

    t->folder.data = p->asset.data;
    t->folder.len = b - p->asset.data;

    set_top(r, t, b);

    p->title = t;

    return NGX_OK;
}


/*
 * Of a regular expression all is below the root.  An "if" has no name of its
 * own, but its location's alias, which takes that name for granted.
 */
static void
set_top(ngx_http_request_t *r, ngx_http_reel_title_t *t, u_char *end)
{
    ngx_str_t                  rest;
    ngx_http_core_loc_conf_t  *clcf;

    clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);

    t->top.data = t->folder.data;
    t->top.len = 1;

    if (clcf->noname) {
        if (clcf->alias && clcf->alias <= t->folder.len) {
            t->top.len = clcf->alias;
            t->top.len += t->top.data[t->top.len - 1] != '/';
        }

        return;
    }

#if (NGX_PCRE)
    if (clcf->regex) {
        return;
    }
#endif

    if (ngx_http_reel_below_location(r, &rest) == NGX_OK
        && rest.data <= end && rest.data > t->folder.data)
    {
        t->top.len = rest.data - t->folder.data;
    }
}


static void
cleanup(void *data)
{
    ngx_http_reel_title_t *t = data;

    reel_title_release(&t->title);

    if (t->pool) {
        ngx_destroy_pool(t->pool);
    }
}


ngx_int_t
ngx_http_reel_title_play(ngx_http_request_t *r, ngx_http_reel_play_t *p)
{
    return ngx_http_reel_title_read(r, p->title);
}


ngx_int_t
ngx_http_reel_title_got(ngx_http_request_t *r, ngx_http_reel_title_t *t)
{
    const char           *code;
    ngx_uint_t            status;

    switch (t->err) {

    case REEL_OK:
        break;

    case REEL_BADDATA:
    case REEL_LIMIT:
    case REEL_UNSUPPORTED:
        return ngx_http_reel_title_bad(r, t);

    case REEL_NOTFOUND:
        return ngx_http_reel_play_absent(r, "there is no such title");

    default:
        status = ngx_http_reel_err_status(t->err, &code);

        return ngx_http_reel_error(r, NGX_HTTP_REEL_PROBLEM, status, code,
                                   "the title's files could not be found",
                                   1);
    }

    t->row = t->title.nparts > 1 || t->title.parts[0].start_us
             || t->title.parts[0].end_us;

    return needs_all(r, t) ? look_up_all(r, t)
                        : ngx_http_reel_title_pick(r, t);
}


ngx_int_t
ngx_http_reel_title_bad(ngx_http_request_t *r, ngx_http_reel_title_t *t)
{
    ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                  "reel: title \"%V\" cannot be played: %s", &t->play->asset,
                  t->e.text[0] ? t->e.text : reel_err_name(t->err));

    return ngx_http_reel_error(r, NGX_HTTP_REEL_PROBLEM, 422, "BAD_TITLE",
                               "the title's files cannot be played as one; "
                               "the log says why", 0);
}


static ngx_uint_t
needs_all(ngx_http_request_t *r, ngx_http_reel_title_t *t)
{
    const ngx_http_reel_route_t *route = t->play->route;

    if (route->of == NGX_HTTP_REEL_OF_ASSET) {
        return t->row || !ngx_http_reel_compat_both(r, t->play);
    }

    /* a token's clip counts through all parts, which are as long as they are */
    return t->row && (route->manifest
                      || reel_shape_is_clip(&t->play->limits));
}


/* "2-v720" or "3-2-v720": the file's index is the one to answer from */
ngx_int_t
ngx_http_reel_title_pick(ngx_http_request_t *r, ngx_http_reel_title_t *t)
{
    ngx_int_t              rc;
    ngx_str_t              name;
    ngx_uint_t             part, file;
    ngx_http_reel_play_t  *p;

    p = t->play;
    name = p->name;
    part = 1;

    if (p->compat) {
        file = ngx_http_reel_compat_file(p);

    } else if ((t->title.nparts > 1 && !take_number(&name, &part))
               || !take_number(&name, &file))
    {
        file = 0;
    }

    if (file == 0 || part > t->title.nparts
        || file > t->title.parts[part - 1].n
        || (name.len == 0 && p->compat == NULL))
    {
        return ngx_http_reel_play_absent(r, "the title has no such "
                                         "rendition");
    }

    rc = ngx_http_reel_title_uri(r, t, t->title.parts[part - 1].first + file
                                       - 1, &t->uri);
    if (rc == NGX_OK) {
        rc = ngx_http_reel_movie_place(r, &t->uri, &p->place);
    }

    t->prefix = ngx_http_reel_title_prefix(r, t, part - 1, file - 1);

    if (rc != NGX_OK || t->prefix == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    p->track = name;
    t->part = part - 1;

    ngx_http_reel_title_limit(t);

    return ngx_http_reel_play_place(r, &p->place);
}


const char *
ngx_http_reel_title_prefix(ngx_http_request_t *r, ngx_http_reel_title_t *t,
    ngx_uint_t part, ngx_uint_t i)
{
    u_char  *prefix, *b;

    prefix = ngx_pnalloc(r->pool, 2 * NGX_INT_T_LEN + sizeof("--"));
    if (prefix == NULL) {
        return NULL;
    }

    b = prefix;

    if (t->title.nparts > 1) {
        b = ngx_sprintf(b, "%ui-", part + 1);
    }

    *ngx_sprintf(b, "%ui-", i + 1) = '\0';

    return (char *) prefix;
}


/* "12-" at the start of s */
static ngx_uint_t
take_number(ngx_str_t *s, ngx_uint_t *n)
{
    u_char     *end;
    ngx_int_t   v;

    end = ngx_strlchr(s->data, s->data + s->len, '-');

    if (end == NULL || end == s->data || s->data[0] == '0') {
        return 0;
    }

    v = ngx_atoi(s->data, end - s->data);
    if (v == NGX_ERROR) {
        return 0;
    }

    s->len -= end + 1 - s->data;
    s->data = end + 1;
    *n = v;

    return 1;
}


static ngx_int_t
look_up_all(ngx_http_request_t *r, ngx_http_reel_title_t *t)
{
    ngx_str_t    uri;
    ngx_uint_t   i;

    t->places = ngx_pcalloc(r->pool, t->title.nfiles
                                     * sizeof(ngx_http_reel_place_t));
    t->loaded = ngx_pcalloc(r->pool, t->title.nfiles
                                     * sizeof(ngx_http_reel_loaded_t));

    if (t->places == NULL || t->loaded == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    for (i = 0; i < t->title.nfiles; i++) {
        if (ngx_http_reel_title_uri(r, t, i, &uri) != NGX_OK
            || ngx_http_reel_movie_place(r, &uri, &t->places[i]) != NGX_OK)
        {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }
    }

    /* for next_file, which gives it back */
    r->main->count++;
    next_file(r, t);

    return NGX_DONE;
}


/*
 * Those that are in the zone are found at once: a loop, so that a thousand of
 * them need no deeper stack.
 */
static void
next_file(ngx_http_request_t *r, ngx_http_reel_title_t *t)
{
    ngx_int_t  rc;

    while (t->next < t->title.nfiles) {

        t->found = 0;
        rc = ngx_http_reel_index_get(r, &t->places[t->next], file_found);

        if (rc != NGX_DONE) {
            ngx_http_finalize_request(r, rc);
            return;
        }

        if (!t->found) {
            /* it will be; the reference of this loop is not needed */
            t->found = 1;
            ngx_http_finalize_request(r, NGX_DONE);
            return;
        }

        /* the reference that was taken for file_found */
        r->main->count--;

        if (t->loaded[t->next].state != NGX_HTTP_REEL_ASSET_PLAYABLE) {
            break;
        }

        t->next++;
    }

    ngx_http_finalize_request(r, ngx_http_reel_title_compose(r, t));
}


static void
file_found(ngx_http_request_t *r, ngx_http_reel_loaded_t *loaded)
{
    ngx_http_reel_ctx_t    *ctx;
    ngx_http_reel_play_t   *p;
    ngx_http_reel_title_t  *t;

    ctx = ngx_http_reel_get_ctx(r);
    if (ctx == NULL) {
        ngx_http_finalize_request(r, NGX_HTTP_INTERNAL_SERVER_ERROR);
        return;
    }

    p = ctx->data;
    t = p->title;
    t->loaded[t->next] = *loaded;

    if (!t->found) {
        /* within ngx_http_reel_index_get() */
        t->found = 1;
        return;
    }

    if (loaded->state == NGX_HTTP_REEL_ASSET_PLAYABLE) {
        t->next++;
        next_file(r, t);
        return;
    }

    ngx_http_finalize_request(r, ngx_http_reel_title_compose(r, t));
}
