/*
 * Playback: what a token permits of a film, as far as that shows in the index
 * only: heights of renditions, instants of segments.  Limits come as
 * parameters, so that an edge which checked the token can pass them on.
 */

#include "ngx_module/ngx_http_reel_play.h"

#include "lib/base/rescale.h"
#include "lib/manifest/span.h"

static reel_token_status_t check_clip(ngx_http_reel_play_t *p);
static reel_token_status_t check_segment(ngx_http_reel_play_t *p);


reel_token_status_t
ngx_http_reel_limit_check(ngx_http_request_t *r, ngx_http_reel_play_t *p)
{
    if (ngx_http_reel_token_late(r, reel_rescale(p->index->end_ts, 1,
                                                 p->index->timescale,
                                                 REEL_ROUND_UP)))
    {
        return REEL_TOKEN_EXPIRED;
    }

    if (p->rendition && p->rendition->kind == REEL_VIDEO
        && p->limits.max_height
        && p->rendition->height > p->limits.max_height)
    {
        return REEL_TOKEN_HEIGHT;
    }

    return reel_shape_is_clip(&p->limits) ? check_clip(p) : REEL_TOKEN_OK;
}


/* manifests are narrowed to it; what else shows the film lies in it or not */
static reel_token_status_t
check_clip(ngx_http_reel_play_t *p)
{
    uint64_t                sheet_ms;
    const reel_pictures_t  *q;

    if (p->outside) {
        return REEL_TOKEN_CLIP;
    }

    if (p->route->of == NGX_HTTP_REEL_OF_SEGMENT) {
        return check_segment(p);
    }

    if (p->route->answer == ngx_http_reel_image_sheet) {
        q = reel_storyboard_find(p->index);
        sheet_ms = q ? (uint64_t) q->columns * q->rows * q->interval_ms : 0;

        return ngx_http_reel_limit_overlaps(p, p->number * sheet_ms,
                                            sheet_ms)
               ? REEL_TOKEN_OK : REEL_TOKEN_CLIP;
    }

    return p->route->answer == ngx_http_reel_download ? REEL_TOKEN_CLIP
                                                      : REEL_TOKEN_OK;
}


/* those that a playlist of the clip lists, of any form */
static reel_token_status_t
check_segment(ngx_http_reel_play_t *p)
{
    uint32_t              first, number;
    reel_span_t           span;
    reel_manifest_opts_t  opts;

    opts = p->opts;
    opts.shape = p->limits;

    if (reel_span(&span, p->index, &opts) != REEL_OK) {
        return REEL_TOKEN_CLIP;
    }

    /* an MPD needs the sound of the one before, see dash_template.c */
    first = span.first;
    first -= first && p->rendition && p->rendition->kind == REEL_AUDIO;

    /* an I-frame is named by its fragment */
    number = p->route->answer == ngx_http_reel_sealed_iframe
             ? p->number / p->opts.per : p->number;

    return number >= first && number < span.first + span.count
           ? REEL_TOKEN_OK : REEL_TOKEN_CLIP;
}


ngx_uint_t
ngx_http_reel_limit_overlaps(ngx_http_reel_play_t *p, uint64_t from_ms,
    uint64_t len_ms)
{
    return (from_ms + len_ms) * 1000 > (uint64_t) p->limits.start_us
           && (p->limits.end_us == 0
               || from_ms * 1000 < (uint64_t) p->limits.end_us);
}
