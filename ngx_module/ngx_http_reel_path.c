/*
 * The paths of playback.  A new output is one row of routes[].  A path is
 * taken or refused as a whole, before any file is looked at.
 */

#include "ngx_module/ngx_http_reel_play.h"

#include "lib/base/ulid.h"

#define PARTS_MAX  3

static ngx_uint_t split(ngx_http_request_t *r, ngx_str_t *parts);
static ngx_int_t parse_name(ngx_http_reel_play_t *p, ngx_str_t *name,
    ngx_uint_t below);
static ngx_int_t parse_header(ngx_http_reel_play_t *p, ngx_str_t *name);
static ngx_int_t parse_number(ngx_http_reel_play_t *p, ngx_str_t *digits);
static ngx_int_t parse_rendition(ngx_http_reel_play_t *p, ngx_str_t *part);
static ngx_uint_t is_id(ngx_str_t *s);


#define NONE   { ngx_null_string, ngx_null_string, ngx_null_string }
#define HLS    { ngx_string("application/vnd.apple.mpegurl"), \
                 ngx_string("application/vnd.apple.mpegurl"), \
                 ngx_string("application/vnd.apple.mpegurl") }
#define DASH   { ngx_string("application/dash+xml"), ngx_null_string, \
                 ngx_null_string }
#define JPEG   { ngx_string("image/jpeg"), ngx_null_string, ngx_null_string }
#define TS     { ngx_string("video/mp2t"), ngx_string("video/mp2t"), \
                 ngx_null_string }
#define CMAF   { ngx_string("video/mp4"), ngx_string("audio/mp4"), \
                 ngx_null_string }
#define CUES   { ngx_null_string, ngx_null_string, ngx_string("text/vtt") }
#define KEY    { ngx_string("application/octet-stream"), \
                 ngx_string("application/octet-stream"), ngx_null_string }
#define LICENSE { ngx_string("application/json"), ngx_null_string, \
                 ngx_null_string }
#define VTT    { ngx_string("text/vtt"), ngx_null_string, ngx_null_string }

static const ngx_http_reel_route_t  routes[] = {

    { NGX_HTTP_REEL_OF_SEGMENT, ngx_string(".iframe.m4s"), 0,
      NGX_HTTP_REEL_IN_CMAF, ngx_http_reel_sealed_iframe, CMAF },

    { NGX_HTTP_REEL_OF_SEGMENT, ngx_string(".m4s"), 0,
      NGX_HTTP_REEL_IN_CMAF, ngx_http_reel_segment_media, CMAF },

    { NGX_HTTP_REEL_OF_SEGMENT, ngx_string(".ts"), 0,
      NGX_HTTP_REEL_IN_TS, ngx_http_reel_ts_media, TS },

    { NGX_HTTP_REEL_OF_RENDITION, ngx_string("init.mp4"), 0,
      NGX_HTTP_REEL_IN_CMAF, ngx_http_reel_segment_init, CMAF },

    { NGX_HTTP_REEL_OF_HEADER, ngx_string(".mp4"), 0,
      NGX_HTTP_REEL_IN_CMAF, ngx_http_reel_segment_init, CMAF },

    { NGX_HTTP_REEL_OF_RENDITION, ngx_string("media.m3u8"), 1,
      NGX_HTTP_REEL_IN_CONFIGURED, ngx_http_reel_manifest_media, HLS },

    { NGX_HTTP_REEL_OF_RENDITION, ngx_string("iframes.m3u8"), 1,
      NGX_HTTP_REEL_IN_CONFIGURED, ngx_http_reel_manifest_iframes, HLS },

    { NGX_HTTP_REEL_OF_ASSET, ngx_string("master.m3u8"), 1,
      NGX_HTTP_REEL_IN_CONFIGURED, ngx_http_reel_manifest_master, HLS },

    { NGX_HTTP_REEL_OF_ASSET, ngx_string("manifest.mpd"), 1,
      NGX_HTTP_REEL_IN_CMAF, ngx_http_reel_manifest_mpd, DASH },

    { NGX_HTTP_REEL_OF_ASSET, ngx_string("poster.jpg"), 0,
      NGX_HTTP_REEL_IN_CMAF, ngx_http_reel_image_poster, JPEG },

    { NGX_HTTP_REEL_OF_ASSET, ngx_string("thumb.jpg"), 0,
      NGX_HTTP_REEL_IN_CMAF, ngx_http_reel_image_thumb, JPEG },

    { NGX_HTTP_REEL_OF_ASSET, ngx_string(REEL_STORYBOARD ".jpg"), 0,
      NGX_HTTP_REEL_IN_CMAF, ngx_http_reel_image_sheet, JPEG },

    { NGX_HTTP_REEL_OF_ASSET, ngx_string(REEL_STORYBOARD ".vtt"), 1,
      NGX_HTTP_REEL_IN_CMAF, ngx_http_reel_manifest_storyboard, VTT },

    { NGX_HTTP_REEL_OF_SHEET, ngx_string(".jpg"), 0,
      NGX_HTTP_REEL_IN_CMAF, ngx_http_reel_image_sheet, JPEG },

    { NGX_HTTP_REEL_OF_RENDITION, ngx_string("subtitles.vtt"), 0,
      NGX_HTTP_REEL_IN_CONFIGURED, ngx_http_reel_text_whole, CUES },

    { NGX_HTTP_REEL_OF_SEGMENT, ngx_string(".vtt"), 0,
      NGX_HTTP_REEL_IN_CONFIGURED, ngx_http_reel_text_segment, CUES },

    { NGX_HTTP_REEL_OF_KEY, ngx_string(".iframe.key"), 0,
      NGX_HTTP_REEL_IN_CONFIGURED, ngx_http_reel_key_iframe, KEY },

    { NGX_HTTP_REEL_OF_KEY, ngx_string(".key"), 0,
      NGX_HTTP_REEL_IN_CONFIGURED, ngx_http_reel_key, KEY },

    { NGX_HTTP_REEL_OF_ASSET, ngx_string("license"), 0,
      NGX_HTTP_REEL_IN_CMAF, ngx_http_reel_license, LICENSE },

    { NGX_HTTP_REEL_OF_ASSET, ngx_string("download.mp4"), 0,
      NGX_HTTP_REEL_IN_CMAF, ngx_http_reel_download, CMAF },

    { 0, ngx_null_string, 0, 0, NULL, NONE }
};


ngx_int_t
ngx_http_reel_path_parse(ngx_http_request_t *r, ngx_http_reel_play_t *p)
{
    ngx_str_t   parts[PARTS_MAX];
    ngx_uint_t  n;

    n = split(r, parts);
    if (n < 2) {
        return NGX_DECLINED;
    }

    p->asset = parts[0];
    p->place = ngx_http_reel_place_asset(r, &p->asset);

    return ngx_http_reel_path_name(p, &parts[n - 1],
                                   n == 2 ? NULL : &parts[1]);
}


ngx_int_t
ngx_http_reel_path_name(ngx_http_reel_play_t *p, ngx_str_t *name,
    ngx_str_t *rendition)
{
    if (parse_name(p, name, rendition != NULL) != NGX_OK) {
        return NGX_DECLINED;
    }

    return rendition ? parse_rendition(p, rendition) : NGX_OK;
}


/*
 * The parts of the path below the location, from the id on: 2 or 3, else 0.
 * A regular expression does not tell where the location ends: there they
 * are the last parts of the path.
 */
static ngx_uint_t
split(ngx_http_request_t *r, ngx_str_t *parts)
{
    u_char                    *p, *end;
    ngx_str_t                  rest;
    ngx_uint_t                 n;
    ngx_http_core_loc_conf_t  *clcf;

    clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);
    end = r->uri.data + r->uri.len;
    n = PARTS_MAX;

    for (p = end; p > r->uri.data && n > 0; p--) {
        if (p[-1] == '/') {
            parts[--n].data = p;
            parts[n].len = end - p;
            end = p - 1;

            if (n < PARTS_MAX - 1 && is_id(&parts[n])) {
                break;
            }
        }
    }

    if (n > PARTS_MAX - 2 || !is_id(&parts[n])) {
        return 0;
    }

#if (NGX_PCRE)
    if (clcf->regex == NULL && !clcf->noname)
#else
    if (!clcf->noname)
#endif
    {
        /* nothing may stand between the location and the id */
        if (ngx_http_reel_below_location(r, &rest) != NGX_OK
            || rest.data != parts[n].data)
        {
            return 0;
        }
    }

    ngx_memmove(parts, &parts[n], (PARTS_MAX - n) * sizeof(ngx_str_t));

    return PARTS_MAX - n;
}


static ngx_uint_t
is_id(ngx_str_t *s)
{
    return reel_ulid_valid((reel_str_t) { (char *) s->data, s->len });
}


/* below: the name stands in a rendition's folder */
static ngx_int_t
parse_name(ngx_http_reel_play_t *p, ngx_str_t *name, ngx_uint_t below)
{
    ngx_str_t                     digits;
    const ngx_http_reel_route_t  *route;

    for (route = routes; route->answer; route++) {

        if (below != (route->of != NGX_HTTP_REEL_OF_ASSET)
            || name->len < route->name.len
            || ngx_memcmp(name->data + name->len - route->name.len,
                          route->name.data, route->name.len) != 0)
        {
            continue;
        }

        p->route = route;

        digits.data = name->data;
        digits.len = name->len - route->name.len;

        if (route->of == NGX_HTTP_REEL_OF_SEGMENT
            || route->of == NGX_HTTP_REEL_OF_KEY
            || route->of == NGX_HTTP_REEL_OF_SHEET)
        {
            p->segment = digits;
            return parse_number(p, &digits);
        }

        if (route->of == NGX_HTTP_REEL_OF_HEADER) {
            p->header = digits;
            return parse_header(p, &digits);
        }

        return digits.len == 0 ? NGX_OK : NGX_DECLINED;
    }

    return NGX_DECLINED;
}


static ngx_int_t
parse_header(ngx_http_reel_play_t *p, ngx_str_t *name)
{
    ngx_str_t  digits;

    static ngx_str_t  prefix = ngx_string("init-");

    if (name->len < prefix.len
        || ngx_memcmp(name->data, prefix.data, prefix.len) != 0)
    {
        return NGX_DECLINED;
    }

    digits.data = name->data + prefix.len;
    digits.len = name->len - prefix.len;

    return parse_number(p, &digits);
}


/* one spelling a number, so that caches hold a segment once */
static ngx_int_t
parse_number(ngx_http_reel_play_t *p, ngx_str_t *digits)
{
    uint64_t    n;
    reel_err_t  err;

    if (digits->len == 0 || (digits->len > 1 && digits->data[0] == '0')) {
        return NGX_DECLINED;
    }

    err = reel_str_u64((reel_str_t) { (char *) digits->data, digits->len },
                       NGX_MAX_UINT32_VALUE, &n);

    if (err == REEL_INVAL) {
        return NGX_DECLINED;
    }

    /* one that does not fit is a number still: of no segment */
    p->number = err == REEL_OK ? (uint32_t) n : NGX_MAX_UINT32_VALUE;

    return NGX_OK;
}


/* <rendition>[~<hash>] */
static ngx_int_t
parse_rendition(ngx_http_reel_play_t *p, ngx_str_t *part)
{
    size_t   i;
    u_char  *tilde, c;

    static ngx_str_t  sheets = ngx_string(REEL_STORYBOARD);

    p->name = *part;

    tilde = ngx_strlchr(part->data, part->data + part->len, '~');

    if (tilde) {
        p->name.len = tilde - part->data;
        p->hash.data = tilde + 1;
        p->hash.len = part->len - p->name.len - 1;

        if (p->hash.len != REEL_VERSION_HASH) {
            return NGX_DECLINED;
        }

        for (i = 0; i < p->hash.len; i++) {
            c = p->hash.data[i];

            if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'))) {
                return NGX_DECLINED;
            }
        }
    }

    if (p->route->of == NGX_HTTP_REEL_OF_SHEET) {
        return p->name.len == sheets.len
               && ngx_memcmp(p->name.data, sheets.data, sheets.len) == 0
               ? NGX_OK : NGX_DECLINED;
    }

    return reel_name_valid((reel_str_t) { (char *) p->name.data,
                                          p->name.len })
           ? NGX_OK : NGX_DECLINED;
}
