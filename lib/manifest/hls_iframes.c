/*
 * I-frame playlists (RFC 8216bis, 4.4.3.6): each fragment's first sample,
 * with the moof before it (Apple, 6.10), as a byte range of its segment.
 */

#include <inttypes.h>

#include "lib/base/rescale.h"
#include "lib/manifest/hls.h"
#include "lib/manifest/print.h"
#include "lib/manifest/protection.h"


#define US 1000000              /* a second */


typedef struct {
    const reel_index_t     *ix;
    const reel_rendition_t *r;
    const reel_manifest_opts_t *o;
    const char             *prefix;
    reel_hls_names_t        names;
    uint32_t                per;
    uint32_t                first;      /* fragments listed: [first, end) */
    uint32_t                end;
    reel_span_t             span;
    reel_runs_t             headers;    /* by object */
    uint32_t                header;     /* of the fragment at hand */
    char                    hash[REEL_VERSION_HASH + 1];
    bool                    keyed;      /* an EXT-X-KEY holds … */
    uint32_t                period;     /* … of this period */
    bool                    numbered;   /* it tells a fragment's number */
} iframes_t;


static uint64_t
target_duration(const iframes_t *m)
{
    int64_t      us, full = 0;
    uint32_t     i;
    uint64_t     longest = 0, d;
    reel_runs_t  durations = reel_runs(m->r->duration_bytes);

    (void) reel_runs_sum(&durations, m->first);

    for (i = m->first; i < m->end; i++) {
        d = reel_runs_next(&durations);
        longest = d > longest ? d : longest;
    }

    us = reel_rescale((int64_t) longest, US, m->r->timescale, REEL_ROUND_UP);

    if (!m->span.whole || m->first == m->end) {
        full = reel_rescale(m->ix->gop_ts, US, m->ix->timescale,
                            REEL_ROUND_UP);
    }

    return reel_hls_target(us > full ? us : full);
}


/* 4.4.4.5; version 5 knows it in these playlists */
static reel_err_t
add_map(reel_buf_t *b, iframes_t *m, uint32_t fragment)
{
    unsigned       n;
    uint32_t       first;
    reel_err_t     err;
    reel_extent_t  ext[REEL_EXTENTS_MAX];

    if (fragment != m->first && m->headers.left >= m->r->objects) {
        return REEL_OK;
    }

    err = reel_index_locate(m->ix, m->r, fragment, 1, ext, &n);

    if (err != REEL_OK
        || (fragment != m->first && ext[0].header == m->header))
    {
        return err;
    }

    m->header = ext[0].header;
    first = (uint32_t) reel_runs_at(m->r->header_bytes, 0);

    if (m->keyed && reel_hls_unkey(b, m->o)) {
        m->keyed = false;
    }

    reel_hls_map(b, &m->names, m->o, m->header, m->header == first);

    return REEL_OK;
}


static reel_err_t
add_key(reel_buf_t *b, iframes_t *m, uint32_t fragment)
{
    uint32_t  period;

    if (m->o->protection == NULL) {
        return REEL_OK;
    }

    period = reel_protection_period(m->o->protection, fragment);

    if (m->keyed && !m->numbered && period == m->period) {
        return REEL_OK;
    }

    m->keyed = true;
    m->period = period;

    return reel_hls_keys(b, m->o, m->r, REEL_FORM_IFRAMES, m->prefix,
                         m->hash, period,
                         m->numbered ? &fragment : NULL);
}


/* what an encrypted one is named: it is made for itself */
static void
add_name(reel_buf_t *b, const iframes_t *m, uint32_t fragment)
{
    char  line[16 + REEL_PRINT_U64], *p;

    reel_buf_addz(b, m->prefix);

    p = reel_print_u64(line, fragment);
    p = reel_print_z(p, ".iframe.m4s");
    reel_buf_add(b, line, (size_t) (p - line));
    reel_hls_token(b, m->o);
    reel_buf_addz(b, "\n");
}


static void
add_range(reel_buf_t *b, const iframes_t *m, const reel_fragments_t *f,
    uint64_t offset)
{
    char  line[32 + 3 * REEL_PRINT_U64], *p;

    p = reel_print_z(line, "#EXT-X-BYTERANGE:");
    p = reel_print_u64(p, f->iframe);
    *p++ = '@';
    p = reel_print_u64(p, offset);
    *p++ = '\n';
    reel_buf_add(b, line, (size_t) (p - line));

    reel_hls_segment(b, &m->names, m->o, f->number / m->per);
}


static reel_err_t
add_all(reel_buf_t *b, iframes_t *m)
{
    int64_t           start_us, end_us;
    uint64_t          offset = 0;
    reel_err_t        err;
    reel_fragments_t  f;

    reel_fragments_init(&f, m->ix, m->r);

    while (reel_fragments_next(&f) && f.number < m->end) {

        if (f.number % m->per == 0) {
            offset = 0;
        }

        if (f.number >= m->first) {
            err = add_map(b, m, f.number);

            if (err == REEL_OK) {
                err = add_key(b, m, f.number);
            }

            if (err != REEL_OK) {
                return err;
            }

            start_us = reel_rescale(f.start_ts, US, m->r->timescale,
                                    REEL_ROUND_NEAR);
            end_us = reel_rescale(f.start_ts + f.duration, US,
                                  m->r->timescale, REEL_ROUND_NEAR);
            reel_hls_extinf(b, end_us - start_us);

            if (m->o->protection != NULL) {
                add_name(b, m, f.number);
            } else {
                add_range(b, m, &f, offset);
            }
        }

        offset += f.size;
    }

    return REEL_OK;
}


/* *target: the longest of all */
static reel_err_t
init_part(iframes_t *m, const reel_part_t *part, uint64_t *target)
{
    uint64_t                     own;
    reel_err_t                   err;
    const reel_manifest_opts_t  *o = part->o;

    if (part->r->kind != REEL_VIDEO || o->container != REEL_CONTAINER_CMAF) {
        return REEL_INVAL;
    }

    *m = (iframes_t) {
        .ix = part->ix, .r = part->r, .o = o, .prefix = part->prefix,
        .per = o->per
    };
    reel_hls_names(&m->names, part, ".m4s");

    err = reel_span(&m->span, m->ix, o);
    if (err != REEL_OK) {
        return err;
    }

    m->first = m->span.first * o->per;
    m->end = m->first + m->span.count * o->per;
    m->end = m->end < m->ix->fragments ? m->end : m->ix->fragments;
    m->headers = reel_runs(m->r->header_bytes);
    (void) reel_runs_load(&m->headers);

    if (o->protection != NULL) {
        reel_version_hash(m->hash, m->ix, o);
    }

    own = target_duration(m);
    *target = own > *target ? own : *target;

    return REEL_OK;
}


reel_err_t
reel_hls_iframes(reel_buf_t *b, const reel_index_t *ix,
    const reel_rendition_t *r, const reel_manifest_opts_t *o,
    const char *prefix)
{
    reel_part_t  part = { ix, r, o, prefix };

    return reel_hls_iframes_parts(b, &part, 1);
}


reel_err_t
reel_hls_iframes_parts(reel_buf_t *b, const reel_part_t *parts, unsigned n)
{
    unsigned    i;
    uint32_t    at;
    uint64_t    target = 0;
    iframes_t   m, next;
    reel_err_t  err;

    for (i = n; i-- != 0; /* void */) {
        err = init_part(&m, &parts[i], &target);
        if (err != REEL_OK) {
            return err;
        }
    }

    reel_buf_printf(b, "#EXTM3U\n#EXT-X-VERSION:%d\n"
                    "#EXT-X-TARGETDURATION:%" PRIu64 "\n"
                    "#EXT-X-MEDIA-SEQUENCE:%" PRIu32 "\n"
                    "#EXT-X-PLAYLIST-TYPE:%s\n"
                    "#EXT-X-I-FRAMES-ONLY\n", REEL_HLS_VERSION,
                    target, m.first,
                    m.span.whole ? "VOD" : "EVENT");
    reel_hls_start(b, &m.span, parts[0].o);

    err = add_all(b, &m);
    at = m.end;

    for (i = 1; err == REEL_OK && i < n; i++) {
        reel_buf_addz(b, "#EXT-X-DISCONTINUITY\n");

        err = init_part(&next, &parts[i], &target);
        if (err == REEL_OK) {
            next.numbered = reel_hls_whole(next.o) && at != next.first;
            at += next.end - next.first;
            reel_hls_unkey(b, next.o);
            err = add_all(b, &next);
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
