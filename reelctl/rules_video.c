/* Apple's HLS authoring specification, section 1: pictures */

#include <inttypes.h>
#include <stdlib.h>

#include "lib/base/rescale.h"
#include "reelctl/rules.h"


#define AVC_HIGH 100


const char *
reel_rule_range(const reel_check_init_t *i)
{
    return i->transfer == 16 ? "PQ" : i->transfer == 18 ? "HLG" : "SDR";
}


reel_str_t
reel_rule_declared_range(const reel_m3u8_entry_t *e)
{
    reel_str_t  s = reel_m3u8_get(e, "VIDEO-RANGE");

    return s.p != NULL ? s : REEL_STR("SDR");
}


bool
reel_rule_size(const reel_m3u8_entry_t *e, uint64_t *w, uint64_t *h)
{
    reel_str_t  rest, s = reel_m3u8_get(e, "RESOLUTION");

    s = reel_str_cut(s, 'x', &rest);

    return rest.p != NULL && reel_str_u64(s, 1 << 20, w) == REEL_OK
           && reel_str_u64(rest, 1 << 20, h) == REEL_OK && *w != 0 && *h != 0;
}


static bool
is_avc(const reel_check_init_t *i)
{
    return i->entry == REEL_CC("avc1") || i->entry == REEL_CC("avc3");
}


static bool
is_hevc(const reel_check_init_t *i)
{
    return i->entry == REEL_CC("hvc1") || i->entry == REEL_CC("hev1");
}


static bool
is_dolby(const reel_check_init_t *i)
{
    return i->entry == REEL_CC("dvh1") || i->entry == REEL_CC("dvhe");
}


static bool
is_av1(const reel_check_init_t *i)
{
    return i->entry == REEL_CC("av01");
}


/* a header of HLS video that was read; one turn each */
static const reel_check_init_t *
video_head(const reel_check_track_t *t)
{
    const reel_check_init_t  *i = reel_check_head_of(t);

    return !t->dash && reel_check_is_video(t) && i->read ? i : NULL;
}


/* 1.1 */
void
reel_rule_video_codec(reel_check_t *k)
{
    char                       name[5];
    unsigned                   n;
    reel_check_track_t        *t;
    const reel_check_init_t   *i;

    REEL_EACH_TRACK(k, t, n) {
        i = video_head(t);

        if (i != NULL) {
            reel_check_that(k, is_avc(i) || is_hevc(i) || is_dolby(i)
                            || is_av1(i), "%s: the video is %s", t->name,
                            reel_check_fourcc(i->entry, name));
        }
    }
}


/* 1.2 */
void
reel_rule_avc_container(reel_check_t *k)
{
    unsigned                   n;
    reel_check_track_t        *t;
    const reel_check_init_t   *i;

    REEL_EACH_TRACK(k, t, n) {
        i = video_head(t);

        if (i != NULL && is_avc(i)) {
            reel_check_that(k, t->form == REEL_CHECK_TS || i->fragmented,
                            "%s: neither fragmented MP4 nor a transport "
                            "stream", t->name);
        }
    }
}


/* 1.5, and for AV1 what goes for HEVC */
void
reel_rule_hevc_container(reel_check_t *k)
{
    unsigned                   n;
    reel_check_track_t        *t;
    const reel_check_init_t   *i;

    REEL_EACH_TRACK(k, t, n) {
        i = video_head(t);

        if (i != NULL && !is_avc(i)) {
            reel_check_that(k, t->form == REEL_CHECK_MP4 && i->fragmented,
                            "%s: %s outside of fragmented MP4", t->name,
                            i->codec);
        }
    }
}


/* one of the codec's tracks is below the bound; true: there is one at all */
static bool
some_below(reel_check_t *k, bool (*is)(const reel_check_init_t *i),
    uint8_t profile, uint8_t level, bool main_tier)
{
    bool                       any = false, holds = false;
    unsigned                   n;
    reel_check_track_t        *t;
    const reel_check_init_t   *i;

    REEL_EACH_TRACK(k, t, n) {
        i = video_head(t);

        if (i != NULL && is(i)) {
            any = true;
            holds |= i->profile <= profile && i->level <= level
                     && !(main_tier && i->tier);
        }
    }

    if (any) {
        reel_check_seen(k);
    }

    return !any || holds;
}


/* 1.3a */
void
reel_rule_avc_some(reel_check_t *k)
{
    if (!some_below(k, is_avc, AVC_HIGH, 41, false)) {
        reel_check_fault(k, "no H.264 variant is High@4.1 or below");
    }
}


/* 1.6a; HEVC counts levels in thirtieths */
void
reel_rule_hevc_some(reel_check_t *k)
{
    if (!some_below(k, is_hevc, 2, 120, true)) {
        reel_check_fault(k, "no HEVC variant is Main10@4.0, main tier, or "
                         "below");
    }
}


static void
all_below(reel_check_t *k, bool (*is)(const reel_check_init_t *i),
    uint8_t profile, uint8_t level)
{
    unsigned                   n;
    reel_check_track_t        *t;
    const reel_check_init_t   *i;

    REEL_EACH_TRACK(k, t, n) {
        i = video_head(t);

        if (i != NULL && is(i)) {
            reel_check_that(k, i->profile <= profile && i->level <= level,
                            "%s: %s", t->name, i->codec);
        }
    }
}


/* 1.3b */
void
reel_rule_avc_all(reel_check_t *k)
{
    all_below(k, is_avc, AVC_HIGH, 52);
}


/* 1.6b */
void
reel_rule_hevc_all(reel_check_t *k)
{
    all_below(k, is_hevc, 2, 153);
}


/* 1.37; AV1 counts levels from 2.0 in quarters: 6.2 is 18 */
void
reel_rule_av1_level(reel_check_t *k)
{
    all_below(k, is_av1, 7, 18);
}


/* 1.7 */
void
reel_rule_hdr(reel_check_t *k)
{
    unsigned                   n;
    const reel_check_use_t    *u;
    const reel_check_init_t   *i;
    const reel_check_track_t  *t;

    REEL_EACH_USE(k, u, n, REEL_M3U8_STREAM) {
        t = reel_use_track(k, u);
        i = t != NULL ? video_head(t) : NULL;

        if (i == NULL || reel_str_eqz(reel_rule_declared_range(u->e), "SDR"))
        {
            continue;
        }

        reel_check_that(k, is_dolby(i) || i->transfer == 16
                        || i->transfer == 18, "line %u: VIDEO-RANGE=%.*s, but "
                        "the header's transfer is %u, neither PQ nor HLG",
                        u->e->line,
                        (int) reel_rule_declared_range(u->e).len,
                        reel_rule_declared_range(u->e).p, i->transfer);
    }
}


/* 1.10 */
void
reel_rule_entries(reel_check_t *k)
{
    char                       name[5];
    unsigned                   n;
    reel_check_track_t        *t;
    const reel_check_init_t   *i;

    REEL_EACH_TRACK(k, t, n) {
        i = video_head(t);

        if (i != NULL && t->form == REEL_CHECK_MP4) {
            reel_check_that(k, i->entry != REEL_CC("avc3")
                            && i->entry != REEL_CC("hev1")
                            && i->entry != REEL_CC("dvhe"),
                            "%s: sample entry %s", t->name,
                            reel_check_fourcc(i->entry, name));
        }
    }
}


/* 1.13 */
void
reel_rule_key_frames(reel_check_t *k)
{
    unsigned               n, m;
    reel_check_track_t    *t;
    reel_check_segment_t  *s;

    REEL_EACH_TRACK(k, t, n) {

        if (t->dash || !reel_check_is_video(t) || t->form != REEL_CHECK_MP4) {
            continue;
        }

        REEL_EACH_SEGMENT(t, s, m) {
            int64_t  us = reel_check_us(s->m.sync_gap, s->m.timescale);

            if (s->m.read) {
                reel_check_that(k, us <= 2 * REEL_SECOND
                                + reel_rule_frame_us(t), "%s: %" PRId64 " ms "
                                "between key frames", s->url, us / 1000);
            }
        }
    }
}


/* 1.14 */
void
reel_rule_interlaced(reel_check_t *k)
{
    unsigned                   n;
    reel_check_track_t        *t;
    const reel_check_init_t   *i;

    REEL_EACH_TRACK(k, t, n) {
        i = video_head(t);

        if (i != NULL && (is_avc(i) || is_hevc(i))) {
            reel_check_that(k, !i->interlaced, "%s: the parameter sets allow "
                            "interlaced pictures", t->name);
        }
    }
}


static int64_t
declared_rate(const reel_m3u8_entry_t *e)
{
    int64_t     micro;
    reel_str_t  s = reel_m3u8_get(e, "FRAME-RATE");

    return s.p != NULL && reel_m3u8_decimal(s, &micro) ? micro / 1000 : 0;
}


/* 1.18 */
void
reel_rule_natural_rate(reel_check_t *k)
{
    size_t                   i;
    int64_t                  milli;
    unsigned                 n;
    const reel_check_use_t  *u;

    static const int64_t  natural[] = {
        23976, 24000, 25000, 29970, 30000, 50000, 59940, 60000
    };

    REEL_EACH_USE(k, u, n, REEL_M3U8_STREAM) {
        milli = declared_rate(u->e);

        if (milli == 0) {
            continue;
        }

        for (i = 0; i < 8 && llabs(milli - natural[i]) > 1; i++) { /* void */ }

        reel_check_that(k, i < 8, "line %u: FRAME-RATE=%" PRId64 ".%03" PRId64,
                        u->e->line, milli / 1000, milli % 1000);
    }
}


/* 1.19 */
void
reel_rule_sixty(reel_check_t *k)
{
    unsigned                 n;
    const reel_check_use_t  *u;

    REEL_EACH_USE(k, u, n, REEL_M3U8_STREAM) {
        if (declared_rate(u->e) != 0) {
            reel_check_that(k, declared_rate(u->e) <= 60000, "line %u: "
                            "FRAME-RATE is above 60", u->e->line);
        }
    }
}


/* 1.24 */
void
reel_rule_sdr(reel_check_t *k)
{
    bool                     sdr = false, any = false;
    unsigned                 n;
    uint64_t                 w, h;
    const reel_check_use_t  *u;

    REEL_EACH_USE(k, u, n, REEL_M3U8_STREAM) {
        if (reel_rule_size(u->e, &w, &h)) {
            any = true;
            sdr |= reel_str_eqz(reel_rule_declared_range(u->e), "SDR");
        }
    }

    if (any) {
        reel_check_that(k, sdr, "every variant is HDR");
    }
}


/* 1.32: the first one; an asset may have none near */
void
reel_rule_default_variant(reel_check_t *k)
{
    bool                     any = false;
    unsigned                 n;
    uint64_t                 w, h, rate, first = 0, below = 0;
    const reel_check_use_t  *u;

    REEL_EACH_USE(k, u, n, REEL_M3U8_STREAM) {
        rate = reel_m3u8_number(u->e, "BANDWIDTH");

        if (!reel_rule_size(u->e, &w, &h)) {
            continue;
        }

        first = any ? first : rate;
        any = true;

        if (rate <= 2200000 && rate > below) {
            below = rate;
        }
    }

    if (any) {
        reel_check_that(k, (below == 0 || first == below)
                        || (first <= 2500000 && first > below),
                        "the first variant has %" PRIu64 " b/s, another one "
                        "%" PRIu64, first, below);
    }
}


/* 1.33; a side may be rounded to even */
void
reel_rule_aspect(reel_check_t *k)
{
    unsigned                 n;
    uint64_t                 w, h, w0 = 0, h0 = 0;
    const reel_check_use_t  *u;

    REEL_EACH_USE(k, u, n, REEL_M3U8_STREAM) {

        if (!reel_rule_size(u->e, &w, &h)) {
            continue;
        }

        if (w0 == 0) {
            w0 = w;
            h0 = h;
        }

        reel_check_that(k, llabs((int64_t) (w * h0) - (int64_t) (w0 * h))
                        <= (int64_t) (2 * (h0 > w0 ? h0 : w0)
                                      + 2 * (h > w ? h : w)),
                        "line %u: %" PRIu64 "x%" PRIu64 " has not the shape "
                        "of %" PRIu64 "x%" PRIu64, u->e->line, w, h, w0, h0);
    }
}


/* 1.34 */
void
reel_rule_uhd(reel_check_t *k)
{
    bool                     any = false, holds = false;
    unsigned                 n;
    uint64_t                 w, h;
    const reel_check_use_t  *u;

    REEL_EACH_USE(k, u, n, REEL_M3U8_STREAM) {
        if (reel_rule_size(u->e, &w, &h) && w >= 3840) {
            any = true;
            holds |= reel_m3u8_number(u->e, "BANDWIDTH") <= 15000000;
        }
    }

    if (any) {
        reel_check_that(k, holds, "no UHD variant has 15 Mb/s or less");
    }
}


int64_t
reel_rule_length_us(const reel_check_media_t *m, int64_t told_us)
{
    int64_t  sum = reel_check_us(m->duration, m->timescale);
    int64_t  shown = reel_check_us(m->shown, m->timescale);

    return m->shown > 0 && llabs(shown - told_us) < llabs(sum - told_us)
           ? shown : sum;
}


int64_t
reel_rule_frame_us(const reel_check_track_t *t)
{
    unsigned                     n;
    const reel_check_segment_t  *s;

    REEL_EACH_SEGMENT(t, s, n) {
        if (s->m.read && s->m.samples != 0 && s->m.duration > 0
            && s->m.timescale != 0)
        {
            return reel_rescale(s->m.duration, REEL_SECOND,
                                (uint64_t) s->m.timescale * s->m.samples,
                                REEL_ROUND_UP);
        }
    }

    return REEL_SECOND / 24;
}
