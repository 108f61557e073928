/*
 * Plain movie files as assets: what of a path is the file, and segments made
 * of its samples: a moof from memory, then the bytes where they lie in the
 * file, by sendfile, or gathered if they lie in many short runs.
 */

#include "ngx_module/ngx_http_reel_look.h"
#include "ngx_module/ngx_http_reel_piece.h"
#include "ngx_module/ngx_http_reel_remote.h"
#include "ngx_module/ngx_http_reel_zone.h"

#include "lib/base/hex.h"
#include "lib/crypt/digest.h"
#include "lib/mp4/cmaf.h"

/* a segment of more is made in the thread pool: its file has few key frames */
#define SAMPLES_NOW  8192

/* bytes: shorter runs, on an average, are gathered */
#define RUN_SHORT    (8 * 1024)

/* a segment: what a thread may touch */
typedef struct {
    ngx_pool_t              *pool;      /* of its own */
    ngx_http_reel_piece_t    in;
    reel_samples_cursor_t    cursor;

    ngx_chain_t             *out;       /* stretches of the file … */
    ngx_chain_t            **last;
    ngx_buf_t               *buf;       /* … of which this is the last */
    ngx_uint_t               runs;      /* how many stretches these are */
    off_t                    len;       /* of all */
    reel_buf_t               moof;
    reel_err_t               err;
} piece_t;

static ngx_int_t set_uri(ngx_http_request_t *r, ngx_str_t *uri,
    ngx_http_reel_place_t *place, ngx_str_t *prefix);
static ngx_uint_t below(ngx_http_request_t *r, ngx_str_t *path);
static ngx_int_t name_file(ngx_http_request_t *r, ngx_http_reel_play_t *p,
    ngx_file_t **file);
static ngx_int_t open_file(ngx_http_request_t *r, ngx_http_reel_play_t *p,
    ngx_file_t **file);
static void begin_piece(ngx_http_reel_play_t *p,
    const reel_rendition_t *rendition, uint32_t fragment,
    ngx_http_reel_piece_t *piece, reel_samples_cursor_t *c);
static reel_err_t list_samples(ngx_http_reel_piece_t *piece,
    reel_samples_cursor_t *c, ngx_pool_t *pool);
static piece_t *create_piece(ngx_http_request_t *r, ngx_http_reel_play_t *p,
    ngx_file_t *file);
static void free_piece(void *data);
static void make_piece(void *data, ngx_log_t *log);
static reel_err_t collect(piece_t *piece);
static reel_err_t add_bytes(piece_t *piece, off_t offset, uint32_t size);
static void piece_made(ngx_http_request_t *r, void *data);
static ngx_int_t send_piece(ngx_http_request_t *r, ngx_http_reel_play_t *p,
    piece_t *piece);


/*
 * Names of routes do not say how much of the path is the file's: first the
 * last part but one is taken for a rendition, then for the file.
 */
ngx_int_t
ngx_http_reel_movie_path(ngx_http_request_t *r, ngx_http_reel_play_t *p)
{
    u_char     *b;
    ngx_str_t   name, rendition;

    name.data = r->uri.data + r->uri.len;
    rendition.data = NULL;

    for (b = name.data; b > r->uri.data; b--) {
        if (b[-1] != '/') {
            continue;
        }

        if (name.data == r->uri.data + r->uri.len) {
            name.data = b;
            name.len = r->uri.data + r->uri.len - b;
            continue;
        }

        rendition.data = b;
        rendition.len = name.data - 1 - b;
        break;
    }

    if (rendition.data == NULL) {
        return NGX_DECLINED;
    }

    p->asset.data = r->uri.data;

    if (rendition.data - 1 > r->uri.data
        && ngx_http_reel_path_name(p, &name, &rendition) == NGX_OK)
    {
        p->asset.len = rendition.data - 1 - r->uri.data;
        return ngx_http_reel_movie_file(r, p);
    }

    ngx_str_null(&p->name);
    ngx_str_null(&p->hash);

    if (ngx_http_reel_path_name(p, &name, NULL) != NGX_OK) {
        return NGX_DECLINED;
    }

    p->asset.len = name.data - 1 - r->uri.data;

    return ngx_http_reel_movie_file(r, p);
}


/* root or alias decide; the zone's key is a digest of the path */
ngx_int_t
ngx_http_reel_movie_file(ngx_http_request_t *r, ngx_http_reel_play_t *p)
{
    ngx_int_t                  rc;
    reel_str_t                 path;
    ngx_http_reel_loc_conf_t  *conf;

    conf = ngx_http_get_module_loc_conf(r, ngx_http_reel_module);

    if (conf->vod_compat) {
        /* names of ours stand behind it too, in its playlists */
        path.p = (char *) p->asset.data;
        path.len = p->asset.len;
        reel_vod_clip(&path, &p->clip.start_us, &p->clip.end_us);
        p->asset.len = path.len;
    }

    if (!below(r, &p->asset)) {
        return NGX_DECLINED;
    }

    rc = ngx_http_reel_title_path(r, p);

    return rc == NGX_DECLINED ? ngx_http_reel_movie_place(r, &p->asset,
                                                          &p->place)
                              : rc;
}


ngx_int_t
ngx_http_reel_movie_map(ngx_http_request_t *r, ngx_str_t *uri,
    ngx_str_t *path)
{
    u_char     *last;
    size_t      root;
    ngx_str_t   own;

    own = r->uri;
    r->uri = *uri;
    last = ngx_http_map_uri_to_path(r, path, &root, 0);
    r->uri = own;

    if (last == NULL) {
        return NGX_ERROR;
    }

    *last = '\0';
    path->len = last - path->data;

    return NGX_OK;
}


ngx_int_t
ngx_http_reel_movie_place(ngx_http_request_t *r, ngx_str_t *uri,
    ngx_http_reel_place_t *place)
{
    uint8_t                    digest[REEL_SHA256_LEN];
    ngx_int_t                  rc;
    ngx_http_reel_loc_conf_t  *conf;

    conf = ngx_http_get_module_loc_conf(r, ngx_http_reel_module);

    rc = conf->upstream.len ? set_uri(r, uri, place, &conf->upstream)
                            : ngx_http_reel_movie_map(r, uri, &place->root);
    if (rc != NGX_OK) {
        return NGX_ERROR;
    }

    place->id.len = REEL_ULID_LEN;
    place->id.data = ngx_pnalloc(r->pool, REEL_ULID_LEN + 1);

    if (place->id.data == NULL
        || reel_sha256(digest, place->root.data, place->root.len) != REEL_OK)
    {
        return NGX_ERROR;
    }

    reel_hex((char *) place->id.data, digest, REEL_ULID_LEN / 2);
    place->look = conf->upstream.len ? ngx_http_reel_remote_print
                                     : ngx_http_reel_movie_look;

    return NGX_OK;
}


/* what follows the location, behind the name of the internal one */
static ngx_int_t
set_uri(ngx_http_request_t *r, ngx_str_t *uri, ngx_http_reel_place_t *place,
    ngx_str_t *prefix)
{
    size_t      len;
    u_char     *b;
    ngx_str_t   rest;

    if (ngx_http_reel_below_location(r, &rest) != NGX_OK) {
        return NGX_ERROR;
    }

    while (rest.len && *rest.data == '/') {
        rest.data++;
        rest.len--;
    }

    /* uri is below the same location */
    len = rest.data - r->uri.data;
    if (len > uri->len) {
        return NGX_ERROR;
    }

    rest.data = uri->data + len;
    rest.len = uri->len - len;

    b = ngx_pnalloc(r->pool, prefix->len + rest.len + 1);
    if (b == NULL) {
        return NGX_ERROR;
    }

    place->root.data = b;
    b = ngx_cpymem(b, prefix->data, prefix->len);
    b = ngx_cpymem(b, rest.data, rest.len);
    *b = '\0';

    place->root.len = b - place->root.data;
    place->uri = place->root;

    return NGX_OK;
}


/*
 * A file lies behind the location's name and a slash: nothing else may be
 * mapped by alias, which takes that name for granted.
 */
static ngx_uint_t
below(ngx_http_request_t *r, ngx_str_t *path)
{
    ngx_str_t                  rest;
    ngx_http_core_loc_conf_t  *clcf;

    clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);

#if (NGX_PCRE)
    if (clcf->regex) {
        return path->len > 1;
    }
#endif

    if (clcf->noname) {
        return path->len > 1;
    }

    return ngx_http_reel_below_location(r, &rest) == NGX_OK
           && path->data + path->len > rest.data;
}


ngx_int_t
ngx_http_reel_movie_piece(ngx_http_request_t *r, ngx_http_reel_play_t *p,
    const reel_rendition_t *rendition, uint32_t fragment,
    ngx_http_reel_piece_t *piece)
{
    ngx_int_t              rc;
    reel_samples_cursor_t  c;

    rc = p->place.uri.len ? name_file(r, p, &piece->file)
                          : open_file(r, p, &piece->file);

    if (rc == NGX_DECLINED) {
        return ngx_http_reel_play_again(r, p);
    }

    begin_piece(p, rendition, fragment, piece, &c);

    if (rc != NGX_OK || list_samples(piece, &c, r->pool) != REEL_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return NGX_DECLINED;
}


ngx_int_t
ngx_http_reel_movie_media(ngx_http_request_t *r, ngx_http_reel_play_t *p)
{
    piece_t     *piece;
    ngx_int_t    rc;
    ngx_file_t  *file;

    if (p->number >= p->index->fragments) {
        return ngx_http_reel_play_absent(r, "the rendition has no such "
                                         "segment");
    }

    if (p->place.uri.len) {
        return ngx_http_reel_gathered_media(r, p);
    }

    rc = open_file(r, p, &file);

    if (rc == NGX_DECLINED) {
        return ngx_http_reel_play_again(r, p);
    }

    piece = (rc == NGX_OK) ? create_piece(r, p, file) : NULL;
    if (piece == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (piece->cursor.left <= SAMPLES_NOW) {
        make_piece(piece, r->connection->log);
        return send_piece(r, p, piece);
    }

    if (ngx_http_reel_task_post(r, make_piece, piece_made, piece) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    r->main->count++;

    return NGX_DONE;
}


/* of an upstream: for the log */
static ngx_int_t
name_file(ngx_http_request_t *r, ngx_http_reel_play_t *p, ngx_file_t **file)
{
    *file = ngx_pcalloc(r->pool, sizeof(ngx_file_t));
    if (*file == NULL) {
        return NGX_ERROR;
    }

    (*file)->fd = NGX_INVALID_FILE;
    (*file)->name = p->place.uri;
    (*file)->log = r->connection->log;

    return NGX_OK;
}


/* NGX_DECLINED: it is gone, or no longer the file that was indexed */
static ngx_int_t
open_file(ngx_http_request_t *r, ngx_http_reel_play_t *p, ngx_file_t **file)
{
    ngx_open_file_info_t       of;
    ngx_http_core_loc_conf_t  *clcf;

    clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);

    ngx_memzero(&of, sizeof(ngx_open_file_info_t));

    of.read_ahead = clcf->read_ahead;
    of.directio = clcf->directio;
    of.valid = clcf->open_file_cache_valid;
    of.min_uses = clcf->open_file_cache_min_uses;
    of.errors = clcf->open_file_cache_errors;
    of.events = clcf->open_file_cache_events;

    if (ngx_http_set_disable_symlinks(r, clcf, &p->file, &of) != NGX_OK) {
        return NGX_ERROR;
    }

    if (ngx_open_cached_file(clcf->open_file_cache, &p->file, &of, r->pool)
        != NGX_OK)
    {
        if (of.err == NGX_ENOENT || of.err == NGX_ENOTDIR) {
            return NGX_DECLINED;
        }

        ngx_log_error(NGX_LOG_ERR, r->connection->log, of.err,
                      "reel: %s \"%V\" failed",
                      of.failed ? of.failed : "open", &p->file);
        return NGX_ERROR;
    }

    if (!of.is_file || (uint64_t) of.size != p->entry->st.size
        || of.uniq != (ngx_file_uniq_t) p->entry->st.version
        || of.mtime != (time_t) (p->entry->st.mtime_ns / 1000000000))
    {
        return NGX_DECLINED;
    }

    *file = ngx_pcalloc(r->pool, sizeof(ngx_file_t));
    if (*file == NULL) {
        return NGX_ERROR;
    }

    (*file)->fd = of.fd;
    (*file)->name = p->file;
    (*file)->log = r->connection->log;
    (*file)->directio = of.is_directio;

    return NGX_OK;
}


static void
begin_piece(ngx_http_reel_play_t *p, const reel_rendition_t *rendition,
    uint32_t fragment, ngx_http_reel_piece_t *piece, reel_samples_cursor_t *c)
{
    piece->header = (uint32_t) reel_runs_at(rendition->header_bytes, 0);
    piece->track_id = rendition->kind == REEL_VIDEO ? REEL_TRACK_VIDEO
                                                    : REEL_TRACK_AUDIO;
    piece->sequence = fragment + 1;

    reel_samples_seek(c, &p->index->samples[rendition
                                            - p->index->renditions],
                      fragment);
}


/* maybe in a thread */
static reel_err_t
list_samples(ngx_http_reel_piece_t *piece, reel_samples_cursor_t *c,
    ngx_pool_t *pool)
{
    reel_sample_t  q;

    if (c->left > REEL_SAMPLES_MAX) {
        return REEL_LIMIT;
    }

    piece->samples = ngx_palloc(pool, (c->left + 1)
                                      * sizeof(reel_cmaf_sample_t));
    piece->offsets = ngx_palloc(pool, (c->left + 1) * sizeof(off_t));

    if (piece->samples == NULL || piece->offsets == NULL) {
        return REEL_NOMEM;
    }

    piece->decode_ts = c->decode_ts;

    for ( /* void */ ; reel_samples_next(c, &q); piece->nsamples++) {
        piece->offsets[piece->nsamples] = (off_t) q.offset;
        piece->samples[piece->nsamples] = (reel_cmaf_sample_t) {
            .size = q.size,
            .duration = q.duration,
            .cts_offset = q.cts_offset,
            .sync = q.sync
        };
    }

    return REEL_OK;
}


static piece_t *
create_piece(ngx_http_request_t *r, ngx_http_reel_play_t *p, ngx_file_t *file)
{
    piece_t             *piece;
    ngx_pool_cleanup_t  *cln;

    cln = ngx_pool_cleanup_add(r->pool, sizeof(piece_t));
    if (cln == NULL) {
        return NULL;
    }

    piece = cln->data;
    ngx_memzero(piece, sizeof(piece_t));

    piece->pool = ngx_create_pool(NGX_DEFAULT_POOL_SIZE, ngx_cycle->log);
    if (piece->pool == NULL) {
        return NULL;
    }

    cln->handler = free_piece;

    piece->in.file = file;
    piece->last = &piece->out;

    begin_piece(p, p->rendition, p->number, &piece->in, &piece->cursor);

    reel_buf_init(&piece->moof, 64u << 20);

    return piece;
}


static void
free_piece(void *data)
{
    piece_t *piece = data;

    reel_buf_release(&piece->moof);
    ngx_destroy_pool(piece->pool);
}


/* maybe in a thread */
static void
make_piece(void *data, ngx_log_t *log)
{
    piece_t *piece = data;

    piece->err = collect(piece);

    if (piece->err == REEL_OK) {
        piece->err = reel_cmaf_fragment(&piece->moof, piece->in.track_id,
                                        piece->in.sequence,
                                        piece->in.decode_ts,
                                        piece->in.samples,
                                        piece->in.nsamples);
    }
}


/* the samples of the segment, and where in the file their bytes lie */
static reel_err_t
collect(piece_t *piece)
{
    uint32_t    i;
    reel_err_t  err;

    err = list_samples(&piece->in, &piece->cursor, piece->pool);

    for (i = 0; err == REEL_OK && i < piece->in.nsamples; i++) {
        if (piece->in.samples[i].size) {
            err = add_bytes(piece, piece->in.offsets[i],
                            piece->in.samples[i].size);
        }
    }

    return err;
}


static reel_err_t
add_bytes(piece_t *piece, off_t offset, uint32_t size)
{
    ngx_buf_t    *b;
    ngx_chain_t  *cl;

    piece->len += size;

    if (piece->buf && piece->buf->file_last == offset) {
        piece->buf->file_last += size;
        return REEL_OK;
    }

    b = ngx_calloc_buf(piece->pool);
    cl = ngx_alloc_chain_link(piece->pool);

    if (b == NULL || cl == NULL) {
        return REEL_NOMEM;
    }

    piece->runs++;

    b->file = piece->in.file;
    b->in_file = 1;
    b->file_pos = offset;
    b->file_last = offset + size;

    cl->buf = b;
    cl->next = NULL;

    *piece->last = cl;
    piece->last = &cl->next;
    piece->buf = b;

    return REEL_OK;
}


static void
piece_made(ngx_http_request_t *r, void *data)
{
    ngx_http_reel_ctx_t  *ctx;

    ctx = ngx_http_reel_get_ctx(r);

    ngx_http_finalize_request(r, ctx ? send_piece(r, ctx->data, data)
                                     : NGX_ERROR);
}


static ngx_int_t
send_piece(ngx_http_request_t *r, ngx_http_reel_play_t *p, piece_t *piece)
{
    ngx_buf_t    *b;
    ngx_str_t     etag;
    ngx_chain_t   out;

    if (piece->err != REEL_OK) {
        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                      "reel: segment %uD of \"%V\" of \"%V\": %s",
                      p->number, &p->name, &p->file,
                      reel_err_name(piece->err));
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (piece->runs > 1 && piece->len / (off_t) piece->runs < RUN_SHORT) {
        return ngx_http_reel_gathered_send(r, p, &piece->in, &piece->moof);
    }

    b = ngx_calloc_buf(r->pool);

    if (b == NULL
        || ngx_http_reel_play_etag(r, p, &p->segment, 0, &etag) != NGX_OK
        || ngx_http_reel_play_headers(r, p, piece->len + piece->moof.len,
                                      &etag)
           != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    b->pos = piece->moof.data;
    b->last = b->pos + piece->moof.len;
    b->memory = 1;

    out.buf = b;
    out.next = piece->out;

    b = piece->buf ? piece->buf : b;
    b->last_in_chain = 1;
    b->last_buf = (r == r->main);

    ngx_http_reel_socket_no_delay(r);

    return ngx_http_reel_play_output(r, &out);
}
