#include <inttypes.h>

#include "lib/base/rescale.h"
#include "lib/manifest/hls.h"
#include "lib/manifest/print.h"
#include "lib/manifest/protection.h"


#define US 1000000              /* a second */


typedef struct {
    const reel_index_t     *ix;
    const reel_rendition_t *r;
    const reel_rendition_t *timed;      /* whose boundaries are told */
    const reel_manifest_opts_t *o;
    const char             *prefix;
    reel_hls_names_t        names;
    uint32_t                per;
    reel_span_t             span;
    bool                    mapped;     /* has EXT-X-MAP */
    bool                    one_header;
    uint32_t                first_header;
    uint32_t                header;     /* of the last EXT-X-MAP */
    char                    hash[REEL_VERSION_HASH + 1];
    bool                    keyed;      /* an EXT-X-KEY holds … */
    uint32_t                period;     /* … of this period */
    bool                    numbered;   /* it tells a segment's number */
} media_t;


/* the durations from the first listed segment on; *ts is where that begins */
static reel_runs_t
durations_of(const media_t *m, int64_t *ts)
{
    reel_runs_t  durations = reel_runs(m->timed->duration_bytes);

    *ts = (int64_t) reel_runs_sum(&durations,
                                  (uint64_t) m->span.first * m->per);

    return durations;
}


/*
 * 4.4.3.1: no EXTINF, rounded to a second, may exceed it.  While the asset
 * grows the target must not change: then a full segment of the grid is
 * counted too.
 */
static uint64_t
target_duration(const media_t *m)
{
    int64_t      us, ts;
    uint32_t     i;
    uint64_t     longest = 0, duration;
    reel_runs_t  durations = durations_of(m, &ts);

    for (i = 0; i < m->span.count; i++) {
        duration = reel_runs_sum(&durations,
                                 reel_span_fragments(m->ix, m->per,
                                                     m->span.first + i));
        longest = duration > longest ? duration : longest;
    }

    us = reel_rescale((int64_t) longest, US, m->timed->timescale,
                      REEL_ROUND_UP);

    if (!m->span.whole || m->span.count == 0) {
        int64_t  full = reel_rescale((int64_t) m->ix->gop_ts * m->per, US,
                                     m->ix->timescale, REEL_ROUND_UP);

        us = us > full ? us : full;
    }

    return reel_hls_target(us);
}


/* 4.4.4.5; all bytes of a segment must be of one header */
static reel_err_t
add_map(reel_buf_t *b, media_t *m, uint32_t segment)
{
    bool           first = segment == m->span.first;
    unsigned       i, n;
    reel_err_t     err;
    reel_extent_t  ext[REEL_EXTENTS_MAX];

    if (!m->mapped || (!first && m->one_header)) {
        return REEL_OK;
    }

    err = reel_index_locate(m->ix, m->r, segment * m->per,
                            reel_span_fragments(m->ix, m->per, segment), ext,
                            &n);
    if (err != REEL_OK) {
        return err;
    }

    for (i = 1; i < n; i++) {
        if (ext[i].header != ext[0].header) {
            return REEL_UNSUPPORTED;
        }
    }

    if (!first && ext[0].header == m->header) {
        return REEL_OK;
    }

    m->header = ext[0].header;

    /* a header is clear, whatever its segments are */
    if (m->keyed && reel_hls_unkey(b, m->o)) {
        m->keyed = false;
    }

    reel_hls_map(b, &m->names, m->o, m->header, m->header == m->first_header);

    return REEL_OK;
}


/* 4.4.4.4: holds until the next one */
static reel_err_t
add_key(reel_buf_t *b, media_t *m, uint32_t segment)
{
    uint32_t  period;

    if (m->o->protection == NULL || m->r->kind == REEL_TEXT) {
        return REEL_OK;
    }

    period = reel_protection_period(m->o->protection, segment * m->per);

    if (m->keyed && !m->numbered && period == m->period) {
        return REEL_OK;
    }

    m->keyed = true;
    m->period = period;

    return reel_hls_keys(b, m->o, m->r, REEL_FORM_SEGMENTS, m->prefix,
                         m->hash, period,
                         m->numbered ? &segment : NULL);
}


/* boundaries are rounded, not lengths: so the sum does not drift */
static reel_err_t
add_segments(reel_buf_t *b, media_t *m)
{
    int64_t      start_us, end_us, ts;
    uint32_t     i;
    reel_err_t   err;
    reel_runs_t  durations = durations_of(m, &ts);

    start_us = reel_rescale(ts, US, m->timed->timescale, REEL_ROUND_NEAR);

    for (i = m->span.first; i < m->span.first + m->span.count; i++) {

        err = add_map(b, m, i);

        if (err == REEL_OK) {
            err = add_key(b, m, i);
        }

        if (err != REEL_OK) {
            return err;
        }

        ts += (int64_t) reel_runs_sum(&durations,
                                      reel_span_fragments(m->ix, m->per, i));
        end_us = reel_rescale(ts, US, m->timed->timescale, REEL_ROUND_NEAR);
        reel_hls_extinf(b, end_us - start_us);
        start_us = end_us;

        reel_hls_segment(b, &m->names, m->o, i);
    }

    return REEL_OK;
}


/* what o and r make of a playlist */
static reel_err_t
init_media(media_t *m, const reel_part_t *part)
{
    const char                  *suffix;
    const reel_manifest_opts_t  *o = part->o;

    reel_err_t   err;
    reel_runs_t  headers = reel_runs(m->r->header_bytes);

    err = reel_span(&m->span, m->ix, o);
    if (err != REEL_OK) {
        return err;
    }

    m->per = o->per;
    m->timed = m->r->kind == REEL_TEXT ? m->span.grid : m->r;
    m->mapped = false;

    if (m->r->kind == REEL_TEXT) {
        suffix = ".vtt";
    } else if (o->container == REEL_CONTAINER_TS) {
        suffix = ".ts";
    } else {
        suffix = ".m4s";
        m->mapped = true;
    }

    reel_hls_names(&m->names, part, suffix);

    m->first_header = (uint32_t) reel_runs_at(m->r->header_bytes, 0);
    m->one_header = !reel_runs_load(&headers)
                    || headers.left >= m->r->objects;

    return REEL_OK;
}


/* *target: the longest of all */
static reel_err_t
init_part(media_t *m, const reel_part_t *part, uint64_t *target)
{
    uint64_t    own;
    reel_err_t  err;

    *m = (media_t) {
        .ix = part->ix, .r = part->r, .o = part->o, .prefix = part->prefix
    };

    err = init_media(m, part);
    if (err != REEL_OK) {
        return err;
    }

    if (m->o->protection != NULL) {
        reel_version_hash(m->hash, m->ix, m->o);
    }

    own = target_duration(m);
    *target = own > *target ? own : *target;

    return REEL_OK;
}


reel_err_t
reel_hls_media(reel_buf_t *b, const reel_index_t *ix,
    const reel_rendition_t *r, const reel_manifest_opts_t *o,
    const char *prefix)
{
    reel_part_t  part = { ix, r, o, prefix };

    return reel_hls_media_parts(b, &part, 1);
}


reel_err_t
reel_hls_media_parts(reel_buf_t *b, const reel_part_t *parts, unsigned n)
{
    int         version;
    media_t     m, next;
    unsigned    i;
    uint32_t    at;
    uint64_t    target = 0;
    reel_err_t  err;

    for (i = n; i-- != 0; /* void */) {
        err = init_part(&m, &parts[i], &target);
        if (err != REEL_OK) {
            return err;
        }
    }

    version = m.mapped ? REEL_HLS_VERSION : REEL_HLS_VERSION_TS;

    if (parts[0].o->protection != NULL && version < REEL_HLS_VERSION_KEYS) {
        version = REEL_HLS_VERSION_KEYS;
    }

    reel_buf_printf(b, "#EXTM3U\n#EXT-X-VERSION:%d\n"
                    "#EXT-X-TARGETDURATION:%" PRIu64 "\n"
                    "#EXT-X-MEDIA-SEQUENCE:%" PRIu32 "\n"
                    "#EXT-X-PLAYLIST-TYPE:%s\n"
                    "#EXT-X-INDEPENDENT-SEGMENTS\n",
                    version, target, m.span.first,
                    m.span.whole ? "VOD" : "EVENT");
    reel_hls_start(b, &m.span, parts[0].o);

    err = add_segments(b, &m);
    at = m.span.first + m.span.count;

    for (i = 1; err == REEL_OK && i < n; i++) {
        reel_buf_addz(b, "#EXT-X-DISCONTINUITY\n");

        err = init_part(&next, &parts[i], &target);
        if (err == REEL_OK) {
            next.numbered = reel_hls_whole(next.o) && at != next.span.first;
            at += next.span.count;

            if (next.mapped) {
                reel_hls_unkey(b, next.o);
            }

            err = add_segments(b, &next);
        }
    }

    if (err != REEL_OK) {
        return err;
    }

    if (m.span.whole) {
        reel_buf_addz(b, "#EXT-X-ENDLIST\n");
    }

    return reel_buf_err(b);
}
