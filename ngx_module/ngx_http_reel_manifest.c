/*
 * Playback: what lib/manifest prints from an index.  What was printed once
 * is kept beside the index, as it goes out: coded too.
 */

#include "ngx_module/ngx_http_reel_title.h"
#include "ngx_module/ngx_http_reel_zone.h"

#include "lib/manifest/span.h"

/* a manifest may have so many bytes, and is kept up to so many */
#define MANIFEST_MAX  (16u << 20)
#define KEPT_MAX      (1u << 20)

/*
 * Fragments to look at that the event loop has time for, some ms at most: a
 * line for each of one rendition takes ten times what a sum takes
 */
#define LOOP_MAX      200000
#define LINE_COST     10
/* and groups of sound times pictures, likewise */
#define LOOP_RENDITIONS_MAX  24

#define PREFIX_MAX  (NGX_INT_T_LEN + 64 + REEL_VERSION_HASH)

typedef reel_err_t (*print_pt)(reel_buf_t *b, ngx_http_reel_play_t *p);

typedef struct {
    ngx_str_t                  body;
    ngx_uint_t                 gzipped;
    /* what body lies in, until the request's pool goes */
    reel_buf_t                 own;
    ngx_shm_zone_t            *zone;
    ngx_http_reel_printed_t   *kept;
    /* while it is printed */
    ngx_http_reel_play_t      *play;
    print_pt                   print;
    ngx_str_t                  key;
    ngx_uint_t                 gzip;
    reel_err_t                 err;
} manifest_t;

static ngx_int_t send_manifest(ngx_http_request_t *r,
    ngx_http_reel_play_t *p, print_pt print);
static ngx_uint_t takes_long(ngx_http_reel_play_t *p);
static void make(void *data, ngx_log_t *log);
static void made(ngx_http_request_t *r, void *data);
static ngx_int_t finish(ngx_http_request_t *r, manifest_t *m);
static void set_rates(ngx_http_reel_play_t *p, reel_container_t container);
static const reel_rates_t *rates_of(ngx_http_reel_entry_t *e, uint32_t per,
    reel_container_t container);
static manifest_t *add_manifest(ngx_http_request_t *r);
static void cleanup(void *data);
static ngx_int_t key_of(ngx_http_request_t *r, ngx_http_reel_play_t *p,
    ngx_uint_t gzip, ngx_str_t *key);
static void borrow(manifest_t *m, ngx_http_reel_printed_t *kept);
static void encode(manifest_t *m);
static ngx_int_t refuse(ngx_http_request_t *r, ngx_http_reel_play_t *p,
    reel_err_t err);
static ngx_int_t send_body(ngx_http_request_t *r, ngx_http_reel_play_t *p,
    manifest_t *m);
static ngx_int_t coding(ngx_http_request_t *r, manifest_t *m);
static ngx_int_t etag_of(ngx_http_request_t *r, ngx_http_reel_play_t *p,
    ngx_uint_t weak, ngx_str_t *etag);


static reel_err_t
print_master(reel_buf_t *b, ngx_http_reel_play_t *p)
{
    if (p->title && p->title->first) {
        return ngx_http_reel_title_master(b, p->title);
    }

    set_rates(p, p->opts.container);

    return reel_hls_master(b, p->index, &p->opts);
}


ngx_int_t
ngx_http_reel_manifest_master(ngx_http_request_t *r, ngx_http_reel_play_t *p)
{
    return send_manifest(r, p, print_master);
}


/* a rendition's folder, from where its playlist lies */
static void
set_prefix(u_char prefix[PREFIX_MAX], ngx_http_reel_play_t *p,
    const char *version)
{
    u_char     *b;
    ngx_str_t   name;

    b = prefix;
    name = p->compat ? p->track : p->name;

    if (p->compat == NULL) {
        b = ngx_cpymem(b, "../", 3);

    } else if (p->title) {
        b = ngx_sprintf(b, "%ui-", ngx_http_reel_compat_file(p));
    }

    *ngx_snprintf(b, prefix + PREFIX_MAX - 1 - b, "%V~%s/", &name, version)
        = '\0';
}


static reel_err_t
print_media(reel_buf_t *b, ngx_http_reel_play_t *p)
{
    u_char  prefix[PREFIX_MAX];

    if (p->title && p->title->row) {
        return ngx_http_reel_title_media(b, p->title);
    }

    prefix[0] = '\0';

    if (p->hash.len == 0) {
        /* what a bare name prints today must mean the same tomorrow */
        set_prefix(prefix, p, p->version);
    }

    return reel_hls_media(b, p->index, p->rendition, &p->opts,
                          (char *) prefix);
}


ngx_int_t
ngx_http_reel_manifest_media(ngx_http_request_t *r, ngx_http_reel_play_t *p)
{
    return send_manifest(r, p, print_media);
}


/* ranges are those of the stored CMAF, whatever segments are sent as */
static reel_err_t
print_iframes(reel_buf_t *b, ngx_http_reel_play_t *p)
{
    char                  hash[REEL_VERSION_HASH + 1];
    u_char                prefix[PREFIX_MAX];
    reel_manifest_opts_t  opts = p->opts;

    if (p->title && p->title->row) {
        return ngx_http_reel_title_iframes(b, p->title);
    }

    prefix[0] = '\0';

    if (p->hash.len == 0 || opts.container != REEL_CONTAINER_CMAF) {
        opts.container = REEL_CONTAINER_CMAF;
        reel_version_hash(hash, p->index, &opts);
        set_prefix(prefix, p, hash);
    }

    return reel_hls_iframes(b, p->index, p->rendition, &opts,
                            (char *) prefix);
}


ngx_int_t
ngx_http_reel_manifest_iframes(ngx_http_request_t *r, ngx_http_reel_play_t *p)
{
    if (p->rendition->kind != REEL_VIDEO) {
        return ngx_http_reel_play_absent(r, "only video has I-frames");
    }

    return send_manifest(r, p, print_iframes);
}


static reel_err_t
print_mpd(reel_buf_t *b, ngx_http_reel_play_t *p)
{
    if (p->title) {
        return ngx_http_reel_title_mpd(b, p->title);
    }

    set_rates(p, REEL_CONTAINER_CMAF);

    return reel_dash_mpd(b, p->index, &p->opts);
}


ngx_int_t
ngx_http_reel_manifest_mpd(ngx_http_request_t *r, ngx_http_reel_play_t *p)
{
    return send_manifest(r, p, print_mpd);
}


static reel_err_t
print_storyboard(reel_buf_t *b, ngx_http_reel_play_t *p)
{
    return reel_storyboard_vtt(b, p->index, p->version, p->opts.token);
}


ngx_int_t
ngx_http_reel_manifest_storyboard(ngx_http_request_t *r,
    ngx_http_reel_play_t *p)
{
    if (reel_storyboard_find(p->index) == NULL) {
        return ngx_http_reel_play_absent(r, "the asset has no storyboard");
    }

    return send_manifest(r, p, print_storyboard);
}


static ngx_int_t
send_manifest(ngx_http_request_t *r, ngx_http_reel_play_t *p, print_pt print)
{
    manifest_t                *m;
    ngx_http_reel_ctx_t       *ctx;
    ngx_http_reel_loc_conf_t  *conf;

    ctx = ngx_http_get_module_ctx(r, ngx_http_reel_module);
    conf = ngx_http_get_module_loc_conf(r, ngx_http_reel_module);

    p->opts.by_duration = conf->dash_segments == NGX_HTTP_REEL_DASH_DURATION;

    m = add_manifest(r);
    if (m == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    m->gzip = conf->manifest_gzip && ngx_http_reel_gzip_wanted(r);

    if (key_of(r, p, m->gzip, &m->key) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (p->opts.token) {
        /* there is one for each viewer */
        m->zone = NULL;
    }

    if (m->zone) {
        borrow(m, ngx_http_reel_printed_get(m->zone, p->entry, &m->key));
    }

    if (m->kept) {
        ngx_str_set(&ctx->manifest_status, "HIT");
        return send_body(r, p, m);
    }

    ngx_str_set(&ctx->manifest_status, "MISS");
    m->play = p;
    m->print = print;

    if (takes_long(p)) {
        if (ngx_http_reel_task_post(r, make, made, m) != NGX_OK) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        r->main->count++;
        return NGX_DONE;
    }

    make(m, r->connection->log);

    return finish(r, m);
}


static ngx_uint_t
takes_long(ngx_http_reel_play_t *p)
{
    unsigned             i;
    uint64_t             cost;
    const reel_index_t  *ix;

    ix = p->index;

    if (p->route->of != NGX_HTTP_REEL_OF_ASSET) {
        return (uint64_t) ix->fragments * LINE_COST > LOOP_MAX;
    }

    cost = (uint64_t) ix->fragments * ix->nrenditions;

    for (i = 0; i < ix->npictures; i++) {
        cost += (uint64_t) ix->pictures[i].count * LINE_COST;
    }

    return cost > LOOP_MAX || ix->nrenditions > LOOP_RENDITIONS_MAX;
}


/* in the thread pool, where it takes long */
static void
make(void *data, ngx_log_t *log)
{
    manifest_t *m = data;

    reel_buf_init(&m->own, MANIFEST_MAX);

    m->err = m->print(&m->own, m->play);

    if (m->err == REEL_OK) {
        m->err = reel_buf_err(&m->own);
    }

    m->body.data = m->own.data;
    m->body.len = m->own.len;

    if (m->err == REEL_OK && m->gzip) {
        encode(m);
    }
}


static void
made(ngx_http_request_t *r, void *data)
{
    ngx_http_finalize_request(r, finish(r, data));
}


static ngx_int_t
finish(ngx_http_request_t *r, manifest_t *m)
{
    if (m->err != REEL_OK) {
        return refuse(r, m->play, m->err);
    }

    if (m->zone && m->body.len <= KEPT_MAX) {
        borrow(m, ngx_http_reel_printed_put(m->zone, m->play->entry, &m->key,
                                            &m->body, m->gzipped));
    }

    return send_body(r, m->play, m);
}


/* a clip has its own, which its printer sums */
static void
set_rates(ngx_http_reel_play_t *p, reel_container_t container)
{
    /* those that are kept are of clear segments */
    if (!reel_shape_is_clip(&p->opts.shape) && p->opts.protection == NULL) {
        p->opts.rates = rates_of(p->entry, p->opts.per, container);
    }
}


static const reel_rates_t *
rates_of(ngx_http_reel_entry_t *e, uint32_t per, reel_container_t container)
{
    reel_manifest_opts_t  opts;

    if (!e->rated[container]) {
        ngx_memzero(&opts, sizeof(reel_manifest_opts_t));
        opts.per = per;
        opts.container = container;
        reel_rates(&e->rates[container], &e->index, &opts);

        ngx_memory_barrier();
        e->rated[container] = 1;
    }

    ngx_memory_barrier();

    return &e->rates[container];
}


/* a movie's segments are its fragments */
const reel_rates_t *
ngx_http_reel_manifest_rates(ngx_http_reel_entry_t *e,
    reel_container_t container)
{
    return rates_of(e, 1, container);
}


static manifest_t *
add_manifest(ngx_http_request_t *r)
{
    manifest_t                 *m;
    ngx_pool_cleanup_t         *cln;
    ngx_http_reel_loc_conf_t   *conf;
    ngx_http_reel_main_conf_t  *mcf;

    mcf = ngx_http_get_module_main_conf(r, ngx_http_reel_module);
    conf = ngx_http_get_module_loc_conf(r, ngx_http_reel_module);

    cln = ngx_pool_cleanup_add(r->pool, sizeof(manifest_t));
    if (cln == NULL) {
        return NULL;
    }

    m = cln->data;
    ngx_memzero(m, sizeof(manifest_t));
    cln->handler = cleanup;

    m->zone = conf->manifest_cache ? mcf->zone : NULL;

    return m;
}


static void
cleanup(void *data)
{
    manifest_t *m = data;

    if (m->kept) {
        ngx_http_reel_printed_release(m->zone, m->kept);
    }

    reel_buf_release(&m->own);
}


/*
 * All that decides the bytes beside the entry: which form of it, whose, what
 * is printed and how it is coded.  A bare name prints other URIs, a title
 * other ones than its file, and a clip by the path does not say it in them.
 */
static ngx_int_t
key_of(ngx_http_request_t *r, ngx_http_reel_play_t *p, ngx_uint_t gzip,
    ngx_str_t *key)
{
    char       told[1 + REEL_SHAPE_MAX] = "/";
    size_t     len;
    ngx_str_t  name;

    name = p->compat ? ngx_http_reel_compat_told(p) : p->name;
    len = p->opts.told ? 1 + reel_shape_print(told + 1, p->opts.told, 1) : 0;

    key->data = ngx_pnalloc(r->pool, REEL_VERSION_HASH + name.len
                                     + p->route->name.len + p->shape.len
                                     + len + sizeof("-b-f-z-t--?") - 1);
    if (key->data == NULL) {
        return NGX_ERROR;
    }

    key->len = ngx_sprintf(key->data, "%s-%c-%c-%c-%c-%V-%V?%V%*s",
                           p->version,
                           p->compat ? 'c' : p->hash.len ? 'v' : 'b',
                           p->title ? 'l' : 'f', gzip ? 'z' : 'i',
                           p->opts.by_duration ? 'd' : 't',
                           &name, &p->route->name, &p->shape, len, told)
               - key->data;

    return NGX_OK;
}


static void
borrow(manifest_t *m, ngx_http_reel_printed_t *kept)
{
    if (kept) {
        m->kept = kept;
        m->gzipped = kept->gzipped;
        m->body.data = kept->data;
        m->body.len = kept->len;

        reel_buf_release(&m->own);
    }
}


static void
encode(manifest_t *m)
{
    reel_buf_t  b;

    if (ngx_http_reel_gzip(&m->body, &b) == NGX_OK) {
        reel_buf_release(&m->own);

        m->own = b;
        m->body.data = b.data;
        m->body.len = b.len;
        m->gzipped = 1;
    }
}


/* what the parameters ask for may not be there; all else is our fault */
static ngx_int_t
refuse(ngx_http_request_t *r, ngx_http_reel_play_t *p, reel_err_t err)
{
    const char   *code;
    ngx_uint_t    status;
    reel_span_t   span;

    if (err == REEL_UNSUPPORTED && p->opts.protection) {
        return ngx_http_reel_play_absent(r, "DASH has no such encryption: "
                                         "cenc and cbcs are for it");
    }

    if (err == REEL_NOTFOUND && p->compat && p->shape.len == 0) {
        return ngx_http_reel_play_absent(r, "the file has no such tracks");
    }

    if (err == REEL_NOTFOUND && p->shape.len) {
        return ngx_http_reel_play_absent(r,
            reel_span(&span, p->index, &p->opts) == REEL_NOTFOUND
            ? "the clip lies behind the end of the film"
            : "no rendition has such a height");
    }

    ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                  "reel: printing \"%V\" of asset \"%V\" failed: %s",
                  &p->route->name, &p->asset, reel_err_name(err));

    if (err == REEL_LIMIT) {
        return ngx_http_reel_error(r, NGX_HTTP_REEL_PROBLEM,
                                   NGX_HTTP_INTERNAL_SERVER_ERROR,
                                   "TOO_LARGE",
                                   "the manifest would have over 16 MiB; "
                                   "ask for a clip of the film", 0);
    }

    status = ngx_http_reel_err_status(err, &code);

    return ngx_http_reel_error(r, NGX_HTTP_REEL_PROBLEM, status, code,
                               "the manifest could not be made", 0);
}


static ngx_int_t
send_body(ngx_http_request_t *r, ngx_http_reel_play_t *p, manifest_t *m)
{
    ngx_str_t  etag;

    if (etag_of(r, p, m->gzipped, &etag) != NGX_OK
        || ngx_http_reel_play_headers(r, p, m->body.len, &etag) != NGX_OK
        || coding(r, m) != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_reel_play_bytes(r, m->body.data, m->body.len);
}


/* a range of coded bytes would be of those of this node alone: no ranges */
static ngx_int_t
coding(ngx_http_request_t *r, manifest_t *m)
{
    ngx_table_elt_t            *h;
    ngx_http_reel_loc_conf_t   *conf;
    ngx_http_core_loc_conf_t   *clcf;

    static ngx_str_t  gzip = ngx_string("gzip");
    static ngx_str_t  vary = ngx_string("Accept-Encoding");

    conf = ngx_http_get_module_loc_conf(r, ngx_http_reel_module);
    clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);

    if (!conf->manifest_gzip) {
        return NGX_OK;
    }

    if (clcf->gzip_vary) {
        /* nginx adds it, once */
        r->gzip_vary = 1;

    } else if (ngx_http_reel_add_header(r, "Vary", &vary) != NGX_OK) {
        return NGX_ERROR;
    }

    if (!m->gzipped) {
        return NGX_OK;
    }

    h = ngx_http_reel_push_header(r, "Content-Encoding", &gzip);
    if (h == NULL) {
        return NGX_ERROR;
    }

    r->headers_out.content_encoding = h;
    r->allow_ranges = 0;

    return NGX_OK;
}


/*
 * A publication's manifests change as its index grows.  Weak where coded:
 * another node's zlib may make other bytes of the same text.
 */
static ngx_int_t
etag_of(ngx_http_request_t *r, ngx_http_reel_play_t *p, ngx_uint_t weak,
    ngx_str_t *etag)
{
    u_char     what[2 * NGX_INT32_LEN + NGX_TIME_T_LEN + sizeof("--gd")];
    ngx_str_t  s;

    s.data = what;
    s.len = ngx_snprintf(what, sizeof(what), "%xD-%xT%s%s",
                         p->index->fragments, p->mtime,
                         p->index->growing ? "g" : "",
                         p->opts.by_duration ? "d" : "")
            - what;

    if (p->shape.len) {
        s.len = ngx_snprintf(what + s.len, sizeof(what) - s.len, "-%xD",
                             ngx_murmur_hash2(p->shape.data, p->shape.len))
                - what;
    }

    return ngx_http_reel_play_etag(r, p, &s, weak, etag);
}
