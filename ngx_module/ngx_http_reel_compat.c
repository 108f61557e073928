/*
 * reel_vod_compat: the URLs of nginx-vod-module, for files and titles of one
 * film.  Manifests print the same names.  All our own names stay valid in
 * such a location: titles of several films in a row are printed with them.
 *
 * A rendition is one track here.  A playlist of pictures and sound together,
 * index-v1-a1.m3u8, is a media playlist where segments of both are made, in
 * clear transport streams, and else a multivariant playlist of the two.
 */

#include "ngx_module/ngx_http_reel_title.h"

static ngx_uint_t is_ours(u_char *start, u_char *end);
static const ngx_http_reel_route_t *route_of(const reel_vod_name_t *v);
static void set_request(ngx_http_reel_play_t *p);
static unsigned place_of(const reel_index_t *ix, unsigned i);
static ngx_int_t set_tracks(ngx_http_request_t *r, ngx_http_reel_play_t *p);
static void track_at(ngx_http_reel_play_t *p, unsigned i, unsigned *file,
    unsigned *number);
static ngx_uint_t has_segments_of_both(ngx_http_reel_play_t *p);
static ngx_uint_t find_both(ngx_http_reel_play_t *p, unsigned max);
static const char *find_track(ngx_http_reel_play_t *p);
static const reel_rendition_t *rendition_at(ngx_http_reel_play_t *p,
    reel_kind_t kind, unsigned number);
static void set_track(ngx_http_reel_play_t *p, const reel_rendition_t *q);


static const char  absent[] = "the file has no such track";


#define HLS    { ngx_string("application/vnd.apple.mpegurl"), \
                 ngx_string("application/vnd.apple.mpegurl"), \
                 ngx_string("application/vnd.apple.mpegurl") }
#define MEDIA  { ngx_string("video/mp4"), ngx_string("audio/mp4"), \
                 ngx_null_string }

static const ngx_http_reel_route_t  master =
    { NGX_HTTP_REEL_OF_ASSET, ngx_string("master.m3u8"), 1,
      NGX_HTTP_REEL_IN_CONFIGURED, ngx_http_reel_manifest_master, HLS };

static const ngx_http_reel_route_t  mpd =
    { NGX_HTTP_REEL_OF_ASSET, ngx_string("manifest.mpd"), 1,
      NGX_HTTP_REEL_IN_CMAF, ngx_http_reel_manifest_mpd,
      { ngx_string("application/dash+xml"), ngx_null_string,
        ngx_null_string } };

static const ngx_http_reel_route_t  media =
    { NGX_HTTP_REEL_OF_RENDITION, ngx_string("media.m3u8"), 1,
      NGX_HTTP_REEL_IN_CONFIGURED, ngx_http_reel_manifest_media, HLS };

static const ngx_http_reel_route_t  iframes =
    { NGX_HTTP_REEL_OF_RENDITION, ngx_string("iframes.m3u8"), 1,
      NGX_HTTP_REEL_IN_CONFIGURED, ngx_http_reel_manifest_iframes, HLS };

static const ngx_http_reel_route_t  header =
    { NGX_HTTP_REEL_OF_RENDITION, ngx_string("init.mp4"), 0,
      NGX_HTTP_REEL_IN_CMAF, ngx_http_reel_segment_init, MEDIA };

static const ngx_http_reel_route_t  cmaf =
    { NGX_HTTP_REEL_OF_SEGMENT, ngx_string(".m4s"), 0,
      NGX_HTTP_REEL_IN_CMAF, ngx_http_reel_segment_media, MEDIA };

static const ngx_http_reel_route_t  ts =
    { NGX_HTTP_REEL_OF_SEGMENT, ngx_string(".ts"), 0,
      NGX_HTTP_REEL_IN_TS, ngx_http_reel_ts_media,
      { ngx_string("video/mp2t"), ngx_string("video/mp2t"),
        ngx_null_string } };

static const ngx_http_reel_route_t  text =
    { NGX_HTTP_REEL_OF_SEGMENT, ngx_string(".vtt"), 0,
      NGX_HTTP_REEL_IN_CONFIGURED, ngx_http_reel_text_segment,
      { ngx_null_string, ngx_null_string, ngx_string("text/vtt") } };

static const ngx_http_reel_route_t  key =
    { NGX_HTTP_REEL_OF_KEY, ngx_string(".key"), 0,
      NGX_HTTP_REEL_IN_CONFIGURED, ngx_http_reel_key,
      { ngx_string("application/octet-stream"),
        ngx_string("application/octet-stream"), ngx_null_string } };


ngx_int_t
ngx_http_reel_compat_path(ngx_http_request_t *r, ngx_http_reel_play_t *p)
{
    u_char           *b, *last;
    reel_vod_name_t  *v;

    v = ngx_palloc(r->pool, sizeof(reel_vod_name_t));
    if (v == NULL) {
        return NGX_ERROR;
    }

    last = r->uri.data + r->uri.len;

    for (b = last; b > r->uri.data && b[-1] != '/'; b--) { /* void */ }

    if (b - r->uri.data < 2 || is_ours(r->uri.data, b - 1)
        || !reel_vod_name(v, (reel_str_t) { (char *) b,
                                            (size_t) (last - b) }))
    {
        return ngx_http_reel_movie_path(r, p);
    }

    p->compat = v;
    p->route = route_of(v);
    p->asset.data = r->uri.data;
    p->asset.len = b - r->uri.data - 1;

    set_request(p);

    return ngx_http_reel_movie_file(r, p);
}


/* "<rendition>~<hash>/init.mp4" */
static ngx_uint_t
is_ours(u_char *start, u_char *end)
{
    return end - start > REEL_VERSION_HASH + 1
           && end[-REEL_VERSION_HASH - 1] == '~'
           && ngx_strlchr(end - REEL_VERSION_HASH, end, '/') == NULL;
}


static const ngx_http_reel_route_t *
route_of(const reel_vod_name_t *v)
{
    unsigned     track;
    reel_kind_t  kind;

    switch (v->kind) {

    case REEL_VOD_INDEX:
        return reel_vod_track(v, &kind, &track) == REEL_OK ? &media : &master;
    case REEL_VOD_MASTER:
        return &master;

    case REEL_VOD_MPD:
        return &mpd;

    case REEL_VOD_IFRAMES:
        return &iframes;

    case REEL_VOD_HEADER:
        return &header;

    case REEL_VOD_KEY:
        return &key;

    default:
        return reel_str_eqz(v->suffix, ".ts") ? &ts
               : reel_str_eqz(v->suffix, ".vtt") ? &text : &cmaf;
    }
}


/* a playlist of both, of one file of a title: its index is enough */
ngx_uint_t
ngx_http_reel_compat_both(ngx_http_request_t *r, ngx_http_reel_play_t *p)
{
    unsigned                   video, audio;
    ngx_http_reel_loc_conf_t  *conf;

    conf = ngx_http_get_module_loc_conf(r, ngx_http_reel_module);

    return p->compat && p->compat->kind == REEL_VOD_INDEX
           && p->route == &master && p->compat->n
           && p->compat->choices[0].file
           && conf->hls_segments == REEL_CONTAINER_TS
           && reel_vod_pair(p->compat, &video, &audio) == REEL_OK;
}


/* what a path of ours would say; a segment's number counts from 0 there */
static void
set_request(ngx_http_reel_play_t *p)
{
    if (p->route->of == NGX_HTTP_REEL_OF_ASSET) {
        return;
    }

    p->name = ngx_http_reel_compat_told(p);

    if (p->name.len == 0) {
        ngx_str_set(&p->name, "v1");
    }

    if (p->route->of == NGX_HTTP_REEL_OF_SEGMENT) {
        p->segment.data = (u_char *) p->compat->digits.p;
        p->segment.len = p->compat->digits.len;
        p->number = (uint32_t) p->compat->number - 1;
    }
}


ngx_str_t
ngx_http_reel_compat_told(ngx_http_reel_play_t *p)
{
    reel_str_t  told;

    told = p->compat->told;

    return (ngx_str_t) { told.len, (u_char *) told.p };
}


ngx_uint_t
ngx_http_reel_compat_file(ngx_http_reel_play_t *p)
{
    return reel_vod_file(p->compat);
}


const char *
ngx_http_reel_compat_loaded(ngx_http_request_t *r, ngx_http_reel_play_t *p)
{
    p->second = NULL;

    if (p->title && p->title->row) {
        return p->route->of == NGX_HTTP_REEL_OF_ASSET ? NULL
               : "films in a row have other names: load the manifest again";
    }

    if (reel_shape_is_clip(&p->clip)) {
        p->opts.told = &p->told;
    }

    if (p->route == &master && p->compat->kind == REEL_VOD_INDEX
        && has_segments_of_both(p) && find_both(p, 2))
    {
        p->route = &media;
        set_request(p);
    }

    if (p->route->manifest && set_tracks(r, p) != NGX_OK) {
        return "there is no memory";
    }

    return p->route->of == NGX_HTTP_REEL_OF_ASSET || p->second
           ? NULL : find_track(p);
}


static ngx_uint_t
has_segments_of_both(ngx_http_reel_play_t *p)
{
    return p->opts.container == REEL_CONTAINER_TS
           && p->opts.protection == NULL
           && (p->title ? p->title->first == NULL
                        : ngx_http_reel_compat_file(p) == 1);
}


/*
 * The two tracks that are told, or the first ones of a file that has no more
 * than max renditions; 0: they have no segments together.
 */
static ngx_uint_t
find_both(ngx_http_reel_play_t *p, unsigned max)
{
    unsigned                 video, audio;
    reel_err_t               err;
    const reel_rendition_t  *v, *a;

    err = reel_vod_pair(p->compat, &video, &audio);

    if (err == REEL_UNSUPPORTED
        || (err == REEL_NOTFOUND && p->index->nrenditions > max))
    {
        return 0;
    }

    v = rendition_at(p, REEL_VIDEO, video);
    a = rendition_at(p, REEL_AUDIO, audio);

    if (v == NULL || a == NULL || !reel_ts_carries(v) || !reel_ts_carries(a))
    {
        return 0;
    }

    set_track(p, v);
    p->second = a;

    return 1;
}


/* which one of its kind rendition i of an index is, from 1 */
static unsigned
place_of(const reel_index_t *ix, unsigned i)
{
    unsigned  k, n;

    for (n = 1, k = 0; k < i; k++) {
        n += ix->renditions[k].kind == ix->renditions[i].kind;
    }

    return n;
}


static void
track_at(ngx_http_reel_play_t *p, unsigned i, unsigned *file,
    unsigned *number)
{
    const reel_composed_t  *c;

    if (p->title && p->title->first) {
        c = p->title->first;
        *file = c->source[i] + 1;
        *number = place_of(c->origins[i].ix, c->number[i]);
        return;
    }

    *file = p->title ? (unsigned) ngx_http_reel_compat_file(p) : 1;
    *number = place_of(p->index, i);
}


static ngx_int_t
set_tracks(ngx_http_request_t *r, ngx_http_reel_play_t *p)
{
    unsigned                 i, file, number;
    u_char                  *b;
    reel_track_name_t       *tracks;
    const reel_rendition_t  *q;

    static const char        letters[] = " vas";

    tracks = ngx_pcalloc(r->pool, p->index->nrenditions
                                  * sizeof(reel_track_name_t));
    if (tracks == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < p->index->nrenditions; i++) {
        q = &p->index->renditions[i];
        track_at(p, i, &file, &number);

        if (q->kind != REEL_TEXT && p->route->of == NGX_HTTP_REEL_OF_ASSET
            && !reel_vod_chosen(p->compat, file, q->kind, number))
        {
            continue;
        }

        b = (u_char *) tracks[i];

        if (p->title) {
            b = ngx_sprintf(b, "f%ud-", file);
        }

        b = ngx_sprintf(b, "%c%ud", letters[q->kind], number);

        if (p->second && (u_char *) q->name.p == p->track.data) {
            b = ngx_sprintf(b, "-a%ud",
                            place_of(p->index, (unsigned) (p->second
                                               - p->index->renditions)));
        }

        *b = '\0';
    }

    p->opts.tracks = tracks;

    return NGX_OK;
}


/* NULL: p->track is its name; else why there is none */
static const char *
find_track(ngx_http_reel_play_t *p)
{
    unsigned                 number, audio;
    reel_err_t               err;
    reel_kind_t              kind;
    const reel_rendition_t  *q;

    if (p->title == NULL && ngx_http_reel_compat_file(p) != 1) {
        return absent;
    }

    if (p->route == &ts && find_both(p, REEL_INDEX_MAX_RENDITIONS)) {
        return NULL;
    }

    err = reel_vod_track(p->compat, &kind, &number);

    if (err != REEL_OK && (p->route == &iframes || p->route == &key)) {
        kind = REEL_VIDEO;
        err = reel_vod_pair(p->compat, &number, &audio);
        err = err == REEL_NOTFOUND ? REEL_OK : err;
    }

    if (err != REEL_OK) {
        return "pictures and sound have segments of their own here: load "
               "the playlist again";
    }

    q = rendition_at(p, kind, number);
    if (q == NULL) {
        return absent;
    }

    set_track(p, q);

    return NULL;
}


static const reel_rendition_t *
rendition_at(ngx_http_reel_play_t *p, reel_kind_t kind, unsigned number)
{
    unsigned  i;

    for (i = 0; i < p->index->nrenditions; i++) {
        if (p->index->renditions[i].kind == kind
            && place_of(p->index, i) == number)
        {
            return &p->index->renditions[i];
        }
    }

    return NULL;
}


static void
set_track(ngx_http_reel_play_t *p, const reel_rendition_t *q)
{
    p->track.data = (u_char *) q->name.p;
    p->track.len = q->name.len;
}
