/* Apple's authoring specification, section 6: I-frame playlists */

#include <inttypes.h>
#include <stdlib.h>

#include "lib/base/rescale.h"
#include "reelctl/rules.h"


/* 6.1 */
void
reel_rule_has_iframes(reel_check_t *k)
{
    bool                     video = false, any = false;
    unsigned                 n;
    uint64_t                 w, h;
    const reel_check_use_t  *u;

    for (n = 0; n < k->nuses; n++) {
        u = &k->uses[n];
        any |= u->e->tag == REEL_M3U8_ISTREAM;
        video |= u->e->tag == REEL_M3U8_STREAM
                 && reel_rule_size(u->e, &w, &h);
    }

    if (video) {
        reel_check_that(k, any, "no EXT-X-I-FRAME-STREAM-INF");
    }

    REEL_EACH_USE(k, u, n, REEL_M3U8_ISTREAM) {
        const reel_check_track_t  *t = reel_use_track(k, u);

        reel_check_that(k, t != NULL && t->list.iframes_only, "line %u: its "
                        "playlist lacks EXT-X-I-FRAMES-ONLY", u->e->line);
    }
}


static int64_t
mean_us(const reel_check_track_t *t)
{
    return t->nsegments != 0 ? t->duration_us / t->nsegments : 0;
}


/* 6.2; one of them is enough */
void
reel_rule_dense(reel_check_t *k)
{
    bool                       any = false, holds = false;
    unsigned                   n;
    const reel_check_use_t    *u;
    const reel_check_track_t  *t;

    REEL_EACH_USE(k, u, n, REEL_M3U8_ISTREAM) {
        t = reel_use_track(k, u);

        if (t != NULL && t->nsegments != 0) {
            any = true;
            holds |= mean_us(t) <= REEL_SECOND * 11 / 10;
        }
    }

    if (any) {
        reel_check_that(k, holds, "no I-frame playlist has a picture each "
                        "second");
    }
}


/* the least variant of that size */
static uint64_t
normal_rate(const reel_check_t *k, const reel_m3u8_entry_t *e)
{
    unsigned                 n;
    uint64_t                 rate, least = 0;
    const reel_check_use_t  *u;

    REEL_EACH_USE(k, u, n, REEL_M3U8_STREAM) {
        if (reel_str_eq(reel_m3u8_get(u->e, "RESOLUTION"),
                        reel_m3u8_get(e, "RESOLUTION")))
        {
            rate = reel_m3u8_number(u->e, "AVERAGE-BANDWIDTH");
            least = least == 0 || rate < least ? rate : least;
        }
    }

    return least;
}


/* 6.5; twice as much is let pass */
void
reel_rule_trick_rate(reel_check_t *k)
{
    int64_t                    want;
    unsigned                   n;
    uint64_t                   normal;
    const reel_check_use_t    *u;
    const reel_check_track_t  *t;

    REEL_EACH_USE(k, u, n, REEL_M3U8_ISTREAM) {
        t = reel_use_track(k, u);
        normal = normal_rate(k, u->e);

        if (t == NULL || t->average == 0 || normal == 0
            || mean_us(t) > REEL_SECOND * 11 / 10)
        {
            continue;
        }

        want = reel_rescale((int64_t) normal, REEL_SECOND,
                            (uint64_t) mean_us(t) * 8, REEL_ROUND_NEAR);
        reel_check_that(k, t->average <= 2 * (uint64_t) want, "line %u: "
                        "%" PRIu64 " b/s where %" PRId64 " are advised",
                        u->e->line, t->average, want);
    }
}


/* 6.7: what one picture a second should take; scaled to the real spacing */
void
reel_rule_trick_ladder(reel_check_t *k)
{
    size_t                     i;
    unsigned                   n;
    uint64_t                   w, h, rate;
    const reel_check_use_t    *u;
    const reel_check_track_t  *t;

    static const struct {
        uint64_t  height, kbps;
    } ladder[] = {
        { 360, 45 }, { 432, 90 }, { 540, 250 }, { 720, 375 }, { 1080, 580 }
    };

    REEL_EACH_USE(k, u, n, REEL_M3U8_ISTREAM) {
        t = reel_use_track(k, u);

        if (t == NULL || t->average == 0 || !reel_rule_size(u->e, &w, &h)
            || !reel_str_prefix(reel_m3u8_get(u->e, "CODECS"), "avc1"))
        {
            continue;
        }

        for (i = 0; i < 4 && ladder[i].height < h; i++) { /* void */ }

        rate = (uint64_t) reel_rescale((int64_t) t->average,
                                       (uint64_t) mean_us(t), REEL_SECOND,
                                       REEL_ROUND_NEAR);
        reel_check_that(k, rate <= ladder[i].kbps * 2000, "line %u: %" PRIu64
                        " bits a picture, %" PRIu64 " are advised", u->e->line,
                        rate, ladder[i].kbps * 1000);
    }
}


/* 6.10 */
void
reel_rule_moof_included(reel_check_t *k)
{
    unsigned               n, m;
    reel_check_track_t    *t;
    reel_check_segment_t  *s;

    REEL_EACH_TRACK(k, t, n) {

        if (t->kind != REEL_CHECK_IFRAMES || t->form != REEL_CHECK_MP4) {
            continue;
        }

        REEL_EACH_SEGMENT(t, s, m) {
            if (s->status == 0 || (!s->m.read && s->size == 0)) {
                continue;
            }

            if (!s->m.read) {
                continue;
            }

            reel_check_that(k, s->m.fragments != 0 && s->m.keyframe
                            && s->m.sync && s->size >= s->m.first_size,
                            "%s line %u: bytes %" PRIu64 " to %" PRIu64 " are "
                            "no moof with its whole IDR picture (%" PRIu64
                            " bytes)", t->name, s->line, s->offset,
                            s->offset + s->size, s->m.first_size);
        }
    }
}


/* 6.16 */
void
reel_rule_trick_sdr(reel_check_t *k)
{
    bool                     any = false, sdr = false;
    unsigned                 n;
    const reel_check_use_t  *u;

    REEL_EACH_USE(k, u, n, REEL_M3U8_ISTREAM) {
        any = true;
        sdr |= reel_str_eqz(reel_rule_declared_range(u->e), "SDR");
    }

    if (any) {
        reel_check_that(k, sdr, "every I-frame playlist is HDR");
    }
}
