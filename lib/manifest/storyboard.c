/* a WebVTT file of thumbnails: which part of which sheet shows when */

#include <inttypes.h>

#include "lib/base/rescale.h"
#include "lib/manifest/manifest.h"


static void
put_time(reel_buf_t *b, uint64_t ms)
{
    reel_buf_printf(b, "%02" PRIu64 ":%02u:%02u.%03u", ms / 3600000,
                    (unsigned) (ms / 60000 % 60), (unsigned) (ms / 1000 % 60),
                    (unsigned) (ms % 1000));
}


const reel_pictures_t *
reel_storyboard_find(const reel_index_t *ix)
{
    unsigned  i;

    for (i = 0; i < ix->npictures; i++) {
        if (ix->pictures[i].columns * ix->pictures[i].rows > 1) {
            return &ix->pictures[i];
        }
    }

    return NULL;
}


reel_err_t
reel_storyboard_vtt(reel_buf_t *b, const reel_index_t *ix,
    const char *hash, const char *token)
{
    uint32_t                i, per, tile;
    uint64_t                from, to, end;
    const reel_pictures_t  *q = reel_storyboard_find(ix);

    if (q == NULL) {
        return REEL_NOTFOUND;
    }

    per = q->columns * q->rows;
    end = (uint64_t) reel_rescale(ix->end_ts, 1000, ix->timescale,
                                  REEL_ROUND_NEAR);

    reel_buf_addz(b, "WEBVTT\n");

    for (i = 0; i < q->count; i++) {
        from = (uint64_t) i * q->interval_ms;
        to = from + q->interval_ms;
        tile = i % per;

        /* the last one shows to the end */
        if (i + 1 == q->count && end > from) {
            to = end;
        }

        reel_buf_addz(b, "\n");
        put_time(b, from);
        reel_buf_addz(b, " --> ");
        put_time(b, to);
        reel_buf_printf(b, "\n" REEL_STORYBOARD "~%.*s/%u.jpg%s%s"
                        "#xywh=%u,%u,%u,%u\n", REEL_VERSION_HASH, hash,
                        i / per, token != NULL ? "?" : "",
                        token != NULL ? token : "",
                        tile % q->columns * q->width,
                        tile / q->columns * q->height, q->width, q->height);
    }

    return reel_buf_err(b);
}
