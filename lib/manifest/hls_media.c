#include <inttypes.h>

#include "lib/base/rescale.h"
#include "lib/manifest/hls.h"
#include "lib/manifest/listing.h"
#include "lib/manifest/print.h"


#define US 1000000              /* a second */


typedef struct {
    const reel_index_t     *ix;
    const reel_rendition_t *r;
    const char             *prefix;
    uint32_t                per;
    uint32_t                segments;
    bool                    one_header;
    uint32_t                first_header;
    uint32_t                header;     /* of the last EXT-X-MAP */
} media_t;


static uint32_t
fragments_of(const media_t *m, uint32_t segment)
{
    uint32_t  left = m->ix->fragments - segment * m->per;

    return left < m->per ? left : m->per;
}


/*
 * 4.4.3.1: no EXTINF, rounded to a second, may exceed it.  EXTINF are
 * differences of rounded boundaries, so one may be a microsecond longer
 * than its segment.  While the asset grows the target must not change:
 * then a full segment of the grid is counted too.
 */
static uint64_t
target_duration(const media_t *m)
{
    int64_t      us;
    uint32_t     i;
    uint64_t     longest = 0, duration;
    reel_runs_t  durations = reel_runs(m->r->duration_bytes);

    for (i = 0; i < m->segments; i++) {
        duration = reel_runs_sum(&durations, fragments_of(m, i));
        longest = duration > longest ? duration : longest;
    }

    us = reel_rescale((int64_t) longest, US, m->r->timescale, REEL_ROUND_UP);

    if (m->ix->growing || m->segments == 0) {
        int64_t  full = reel_rescale((int64_t) m->ix->gop_ts * m->per, US,
                                     m->ix->timescale, REEL_ROUND_UP);

        us = us > full ? us : full;
    }

    return ((uint64_t) us + 1 + US / 2) / US;
}


/* 4.4.4.5; all bytes of a segment must be of one header */
static reel_err_t
add_map(reel_buf_t *b, media_t *m, uint32_t segment)
{
    unsigned       i, n;
    reel_err_t     err;
    reel_extent_t  ext[REEL_EXTENTS_MAX];

    if (segment != 0 && m->one_header) {
        return REEL_OK;
    }

    err = reel_index_locate(m->ix, m->r, segment * m->per,
                            fragments_of(m, segment), ext, &n);
    if (err != REEL_OK) {
        return err;
    }

    for (i = 1; i < n; i++) {
        if (ext[i].header != ext[0].header) {
            return REEL_UNSUPPORTED;
        }
    }

    if (segment == 0) {
        m->first_header = ext[0].header;
    } else if (ext[0].header == m->header) {
        return REEL_OK;
    }

    m->header = ext[0].header;

    reel_buf_printf(b, "#EXT-X-MAP:URI=\"%sinit", m->prefix);

    if (m->header != m->first_header) {
        reel_buf_printf(b, "-%" PRIu32, m->header);
    }

    reel_buf_addz(b, ".mp4\"\n");

    return REEL_OK;
}


/* boundaries are rounded, not lengths: so the sum does not drift */
static reel_err_t
add_segments(reel_buf_t *b, media_t *m)
{
    char         line[16 + 4 * REEL_PRINT_U64], *p;
    int64_t      start_us = 0, end_us, ts = 0;
    uint32_t     i;
    uint64_t     us;
    reel_err_t   err;
    reel_runs_t  durations = reel_runs(m->r->duration_bytes);

    for (i = 0; i < m->segments; i++) {

        err = add_map(b, m, i);
        if (err != REEL_OK) {
            return err;
        }

        ts += (int64_t) reel_runs_sum(&durations, fragments_of(m, i));
        end_us = reel_rescale(ts, US, m->r->timescale, REEL_ROUND_NEAR);
        us = (uint64_t) (end_us - start_us);
        start_us = end_us;

        p = reel_print_z(line, "#EXTINF:");
        p = reel_print_u64(p, us / US);
        *p++ = '.';
        p = reel_print_us(p, (uint32_t) (us % US));
        p = reel_print_z(p, ",\n");
        reel_buf_add(b, line, (size_t) (p - line));

        reel_buf_addz(b, m->prefix);

        p = reel_print_u64(line, i);
        p = reel_print_z(p, ".m4s\n");
        reel_buf_add(b, line, (size_t) (p - line));
    }

    return REEL_OK;
}


reel_err_t
reel_hls_media(reel_buf_t *b, const reel_index_t *ix,
    const reel_rendition_t *r, const reel_manifest_opts_t *o,
    const char *prefix)
{
    media_t      m = { .ix = ix, .r = r, .prefix = prefix, .per = o->per };
    reel_err_t   err;
    reel_runs_t  headers = reel_runs(r->header_bytes);

    if (o->per == 0) {
        return REEL_INVAL;
    }

    m.segments = reel_listing_segments(ix, o->per);
    m.one_header = !reel_runs_load(&headers) || headers.left >= r->objects;

    reel_buf_printf(b, "#EXTM3U\n#EXT-X-VERSION:%d\n"
                    "#EXT-X-TARGETDURATION:%" PRIu64 "\n"
                    "#EXT-X-MEDIA-SEQUENCE:0\n#EXT-X-PLAYLIST-TYPE:%s\n"
                    "#EXT-X-INDEPENDENT-SEGMENTS\n", REEL_HLS_VERSION,
                    target_duration(&m), ix->growing ? "EVENT" : "VOD");

    err = add_segments(b, &m);
    if (err != REEL_OK) {
        return err;
    }

    if (!ix->growing) {
        reel_buf_addz(b, "#EXT-X-ENDLIST\n");
    }

    return reel_buf_err(b);
}
