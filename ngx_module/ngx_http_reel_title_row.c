/*
 * Indexes of a title's files as one, and films in a row: which of them a
 * clip takes, and from where to where.
 */

#include "ngx_module/ngx_http_reel_remote.h"
#include "ngx_module/ngx_http_reel_title.h"
#include "ngx_module/ngx_http_reel_zone.h"

static ngx_int_t refuse_file(ngx_http_request_t *r,
    ngx_http_reel_title_t *t);
static reel_composed_t *compose_part(ngx_http_request_t *r,
    ngx_http_reel_title_t *t, ngx_uint_t part, reel_str_t salt);
static reel_composed_t **compose_all(ngx_http_request_t *r,
    ngx_http_reel_title_t *t);
static reel_err_t raise_rates(ngx_http_reel_title_t *t,
    reel_composed_t **all);
static ngx_int_t make_row(ngx_http_request_t *r, ngx_http_reel_title_t *t);
static reel_err_t place_part(ngx_http_reel_title_t *t, ngx_uint_t part,
    const reel_shape_t *want, int64_t *at_us, reel_shape_t *shape);
static void set_hashes(ngx_http_reel_title_t *t);
static ngx_int_t answer_composed(ngx_http_request_t *r,
    ngx_http_reel_title_t *t);
static ngx_int_t answer_rendition(ngx_http_request_t *r,
    ngx_http_reel_title_t *t);


ngx_int_t
ngx_http_reel_title_compose(ngx_http_request_t *r, ngx_http_reel_title_t *t)
{
    ngx_int_t                     rc;
    ngx_uint_t                    whole;
    reel_composed_t             **all;
    const ngx_http_reel_route_t  *route;

    if (t->next < t->title.nfiles) {
        return refuse_file(r, t);
    }

    route = t->play->route;
    whole = route->of == NGX_HTTP_REEL_OF_ASSET || route->manifest;

    rc = whole ? ngx_http_reel_title_keys(r, t) : NGX_DECLINED;
    if (rc != NGX_DECLINED) {
        return rc;
    }

    all = compose_all(r, t);

    if (all == NULL) {
        return t->err == REEL_NOMEM ? NGX_HTTP_INTERNAL_SERVER_ERROR
                                    : ngx_http_reel_title_bad(r, t);
    }

    t->all = all;
    t->first = all[0];

    if (!whole) {
        return ngx_http_reel_title_pick(r, t);
    }

    rc = make_row(r, t);

    if (rc != NGX_DECLINED) {
        return rc;
    }

    set_hashes(t);

    return t->play->name.len ? answer_rendition(r, t) : answer_composed(r, t);
}


static ngx_int_t
refuse_file(ngx_http_request_t *r, ngx_http_reel_title_t *t)
{
    ngx_http_reel_asset_e  state;

    state = t->loaded[t->next].state;

    ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                  "reel: title \"%V\" cannot be played: \"%V\" %s",
                  &t->play->asset, &t->places[t->next].root,
                  state == NGX_HTTP_REEL_ASSET_ABSENT ? "is not there"
                  : state == NGX_HTTP_REEL_ASSET_BAD_FILE ? "is no movie"
                  : "could not be read");

    return state == NGX_HTTP_REEL_ASSET_UPSTREAM
           ? ngx_http_reel_remote_refuse(r, t->loaded[t->next].status)
           : ngx_http_reel_play_refuse(r, state);
}


static reel_composed_t *
compose_part(ngx_http_request_t *r, ngx_http_reel_title_t *t, ngx_uint_t part,
    reel_str_t salt)
{
    ngx_uint_t          i, file;
    reel_source_t      *s;
    reel_title_part_t  *q;
    reel_title_file_t  *f;
    reel_composed_t    *c;

    q = &t->title.parts[part];
    t->err = REEL_NOMEM;

    c = ngx_palloc(r->pool, sizeof(reel_composed_t));
    s = ngx_pcalloc(r->pool, q->n * sizeof(reel_source_t));

    if (c == NULL || s == NULL) {
        return NULL;
    }

    for (i = 0; i < q->n; i++) {
        file = q->first + i;
        f = &t->title.files[file];

        s[i].prefix = ngx_http_reel_title_prefix(r, t, part, i);
        if (s[i].prefix == NULL) {
            return NULL;
        }

        if (t->protects) {
            s[i].protection = &t->protects[file].protection;
            t->protects[file].protection.prefix = reel_str(s[i].prefix);
        }

        s[i].ix = t->loaded[file].index;
        s[i].rates = ngx_http_reel_manifest_rates(t->loaded[file].entry,
                                                  REEL_CONTAINER_CMAF);
        s[i].video = f->video;
        s[i].audio = f->audio;
        /* no part can be counted on to go on with it */
        s[i].text = f->video && t->title.nparts == 1;
        s[i].language = f->language;
        s[i].label = f->label;
        s[i].has_roles = f->has_roles;
        s[i].roles = f->roles;
        s[i].bitrate = f->bitrate;
    }

    t->err = reel_compose(c, s, q->n, salt, &t->e);

    return t->err == REEL_OK ? c : NULL;
}


/* the first one is made last: its salt covers all of them */
static reel_composed_t **
compose_all(ngx_http_request_t *r, ngx_http_reel_title_t *t)
{
    ngx_uint_t         i;
    reel_str_t         salt;
    reel_composed_t  **all;

    all = ngx_palloc(r->pool, t->title.nparts * sizeof(reel_composed_t *));
    if (all == NULL) {
        t->err = REEL_NOMEM;
        return NULL;
    }

    salt.p = (char *) t->digest;
    salt.len = sizeof(t->digest);

    for (i = t->title.nparts; i-- != 0; /* void */) {

        all[i] = compose_part(r, t, i, salt);
        if (all[i] == NULL) {
            return NULL;
        }

        ngx_memcpy(t->digest, all[i]->ix.salt, REEL_INDEX_SALT);
    }

    t->rates = ngx_palloc(r->pool, sizeof(reel_rates_t));
    if (t->rates == NULL) {
        t->err = REEL_NOMEM;
        return NULL;
    }

    t->err = raise_rates(t, all);

    return t->err == REEL_OK ? all : NULL;
}


/* a variant goes through all parts, and is told by its worst */
static reel_err_t
raise_rates(ngx_http_reel_title_t *t, reel_composed_t **all)
{
    unsigned    i, k;
    ngx_uint_t  part;

    *t->rates = all[0]->rates;

    for (part = 1; part < t->title.nparts; part++) {
        for (i = 0; i < all[0]->ix.nrenditions; i++) {

            k = reel_composed_match(all[0], i, all[part]);

            if (k == REEL_INDEX_MAX_RENDITIONS) {
                return reel_fail(&t->e, REEL_BADDATA, "part %u has nothing "
                                 "to go on with after \"%s\" of the first "
                                 "one", (unsigned) part + 1,
                                 all[0]->names[i]);
            }

            reel_bitrate_raise(&t->rates->segments[i],
                               all[part]->rates.segments[k]);
            reel_bitrate_raise(&t->rates->iframes[i],
                               all[part]->rates.iframes[k]);
        }
    }

    return REEL_OK;
}


/* the parts that are listed, each with a clip of its own; DECLINED: go on */
static ngx_int_t
make_row(ngx_http_request_t *r, ngx_http_reel_title_t *t)
{
    int64_t        at_us;
    reel_err_t     err;
    ngx_uint_t     i, n;
    reel_shape_t   shape;

    n = t->title.nparts;

    t->numbers = ngx_palloc(r->pool, n * sizeof(ngx_uint_t));
    t->composed = ngx_palloc(r->pool, n * sizeof(reel_composed_t *));
    t->parts = ngx_pcalloc(r->pool, n * sizeof(reel_part_t));
    t->opts = ngx_palloc(r->pool, n * sizeof(reel_manifest_opts_t));
    t->prefixes = ngx_palloc(r->pool, n * sizeof(*t->prefixes));

    if (t->numbers == NULL || t->composed == NULL || t->parts == NULL
        || t->opts == NULL || t->prefixes == NULL)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    at_us = 0;

    for (i = 0; i < n; i++) {
        err = place_part(t, i, &t->play->opts.shape, &at_us, &shape);

        if (err == REEL_NOTFOUND) {
            continue;
        }

        if (err != REEL_OK) {
            t->err = err;
            return ngx_http_reel_title_bad(r, t);
        }

        t->opts[t->nparts].shape = shape;
        t->numbers[t->nparts] = i;
        t->composed[t->nparts++] = t->all[i];
    }

    if (t->nparts == 0) {
        return ngx_http_reel_play_absent(r, "the clip lies behind the end of "
                                         "the film");
    }

    return NGX_DECLINED;
}


/*
 * What of a part is played, in its own time; *at_us: where it begins in the
 * title, and then where the next one does.  REEL_NOTFOUND: nothing.
 */
static reel_err_t
place_part(ngx_http_reel_title_t *t, ngx_uint_t part,
    const reel_shape_t *want, int64_t *at_us, reel_shape_t *shape)
{
    int64_t                   whole, start, end, from, to;
    const reel_composed_t    *c;
    const reel_title_part_t  *q;

    q = &t->title.parts[part];
    c = t->all[part];

    whole = (int64_t) ((uint64_t) c->ix.end_ts / c->ix.timescale * 1000000
                       + (uint64_t) c->ix.end_ts % c->ix.timescale * 1000000
                         / c->ix.timescale);
    start = q->start_us;
    end = q->end_us && q->end_us < whole ? q->end_us : whole;

    if (start >= end) {
        return reel_fail(&t->e, REEL_BADDATA, "part %u begins behind the end "
                         "of its files", (unsigned) part + 1);
    }

    from = ngx_max(want->start_us - *at_us, 0);
    to = want->end_us ? ngx_min(want->end_us - *at_us, end - start)
                      : end - start;
    *at_us += end - start;

    if (from >= to) {
        return REEL_NOTFOUND;
    }

    *shape = *want;
    shape->start_us = start + from;
    shape->end_us = start + to < whole ? start + to : 0;

    return REEL_OK;
}


/* of all that is composed, if it is clear */
static void
set_hashes(ngx_http_reel_title_t *t)
{
    ngx_uint_t            i;
    reel_manifest_opts_t  o;

    for (i = 0; i < NGX_HTTP_REEL_VERSIONS; i++) {
        ngx_memzero(&o, sizeof(reel_manifest_opts_t));
        o.per = ngx_http_reel_version_per(i);
        o.container = ngx_http_reel_version_container(i);
        reel_version_hash(t->hashes[i], &t->first->ix, &o);
    }
}


void
ngx_http_reel_title_limit(ngx_http_reel_title_t *t)
{
    int64_t                at_us;
    ngx_uint_t             i;
    reel_err_t             err;
    reel_shape_t           shape, limits;
    ngx_http_reel_play_t  *p;

    if (t->all == NULL) {
        return;
    }

    p = t->play;
    limits = p->limits;
    at_us = 0;
    err = REEL_OK;

    for (i = 0; i <= t->part; i++) {
        err = place_part(t, i, &limits, &at_us, &shape);
    }

    if (err != REEL_OK) {
        p->outside = 1;
        return;
    }

    p->limits = shape;
}


/* of the whole title: master.m3u8, manifest.mpd */
static ngx_int_t
answer_composed(ngx_http_request_t *r, ngx_http_reel_title_t *t)
{
    ngx_uint_t               i;
    ngx_http_reel_play_t    *p;
    ngx_http_reel_loaded_t   loaded;

    p = t->play;

    loaded = t->loaded[0];
    loaded.index = &t->first->ix;
    loaded.hashes = t->hashes;

    for (i = 1; i < t->title.nfiles; i++) {
        loaded.mtime = ngx_max(loaded.mtime, t->loaded[i].mtime);
    }

    p->opts.origins = t->first->origins;
    p->opts.rates = t->rates;

    return ngx_http_reel_play_loaded(r, p, &loaded);
}


/* a playlist through all parts: its name is that in the first one */
static ngx_int_t
answer_rendition(ngx_http_request_t *r, ngx_http_reel_title_t *t)
{
    unsigned                 i;
    ngx_http_reel_play_t    *p;
    ngx_http_reel_loaded_t   loaded;

    p = t->play;

    for (i = 0; i < t->first->ix.nrenditions; i++) {
        if (ngx_strlen(t->first->names[i]) == p->name.len
            && ngx_memcmp(t->first->names[i], p->name.data, p->name.len) == 0)
        {
            break;
        }
    }

    if (i == t->first->ix.nrenditions) {
        return ngx_http_reel_play_absent(r, "the title has no such "
                                         "rendition");
    }

    t->rendition = i;

    loaded = t->loaded[t->title.parts[0].first + t->first->source[i]];
    loaded.index = &t->first->ix;

    return ngx_http_reel_play_loaded(r, p, &loaded);
}
