/* lines that stand in several kinds of playlists */

#include <inttypes.h>
#include <stdio.h>

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


void
reel_hls_names(reel_hls_names_t *n, const reel_part_t *part,
    const char *suffix)
{
    const char  *track = "";

    if (part->o->tracks != NULL) {
        track = part->o->tracks[part->r - part->ix->renditions];
    }

    n->first = track[0] != '\0';
    n->before = n->first ? "seg-" : part->prefix;
    n->prefix = n->first ? "" : part->prefix;

    (void) snprintf(n->after, sizeof(n->after), "%s%s%s",
                    n->first ? "-" : "", track, suffix);
    (void) snprintf(n->header, sizeof(n->header), "init%s%s",
                    n->first ? "-" : "", track);
}


void
reel_hls_segment(reel_buf_t *b, const reel_hls_names_t *n,
    const reel_manifest_opts_t *o, uint32_t number)
{
    char  line[sizeof(n->after) + REEL_PRINT_U64], *p;

    reel_buf_addz(b, n->before);

    p = reel_print_u64(line, (uint64_t) number + n->first);
    p = reel_print_z(p, n->after);
    reel_buf_add(b, line, (size_t) (p - line));
    reel_hls_token(b, o);
    reel_buf_u8(b, '\n');
}


void
reel_hls_map(reel_buf_t *b, const reel_hls_names_t *n,
    const reel_manifest_opts_t *o, uint32_t number, bool first)
{
    reel_buf_printf(b, "#EXT-X-MAP:URI=\"%s%s", n->prefix, n->header);

    if (!first) {
        reel_buf_printf(b, "-%" PRIu32, number);
    }

    reel_buf_addz(b, ".mp4");
    reel_hls_token(b, o);
    reel_buf_addz(b, "\"\n");
}
