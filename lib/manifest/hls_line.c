/* lines that stand in several kinds of playlists */

#include <inttypes.h>

#include "lib/manifest/hls.h"
#include "lib/manifest/print.h"


#define US 1000000              /* a second */


/* 4.4.2.2; in the media playlists too, for players that see but one */
void
reel_hls_start(reel_buf_t *b, const reel_span_t *s,
    const reel_manifest_opts_t *o)
{
    uint64_t  us;

    if (!reel_shape_is_clip(&o->shape) || o->shape.start_us <= s->first_us) {
        return;
    }

    us = (uint64_t) (o->shape.start_us - s->first_us);

    reel_buf_printf(b, "#EXT-X-START:TIME-OFFSET=%" PRIu64 ".%06" PRIu64
                    ",PRECISE=YES\n", us / US, us % US);
}


/*
 * EXTINF are differences of rounded boundaries, so one may be a microsecond
 * longer than its segment
 */
uint64_t
reel_hls_target(int64_t longest_us)
{
    return ((uint64_t) longest_us + 1 + US / 2) / US;
}


void
reel_hls_extinf(reel_buf_t *b, int64_t us)
{
    char  line[16 + REEL_PRINT_U64], *p;

    p = reel_print_z(line, "#EXTINF:");
    p = reel_print_u64(p, (uint64_t) us / US);
    *p++ = '.';
    p = reel_print_us(p, (uint32_t) ((uint64_t) us % US));
    p = reel_print_z(p, ",\n");
    reel_buf_add(b, line, (size_t) (p - line));
}


void
reel_hls_token(reel_buf_t *b, const reel_manifest_opts_t *o)
{
    if (o->token != NULL) {
        reel_buf_addz(b, "?");
        reel_buf_addz(b, o->token);
    }
}
