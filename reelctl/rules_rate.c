/* Apple's authoring specification: declared and measured bit rates */

#include <inttypes.h>
#include <stdlib.h>

#include "reelctl/rules.h"


/* what plays beside the variant: the most that its group can ask for */
static void
worst_audio(const reel_check_t *k, const reel_m3u8_entry_t *e, uint64_t *peak,
    uint64_t *average)
{
    unsigned                   n;
    reel_str_t                 group = reel_m3u8_get(e, "AUDIO");
    const reel_check_use_t    *u;
    const reel_check_track_t  *t;

    *peak = *average = 0;

    REEL_EACH_USE(k, u, n, REEL_M3U8_MEDIA) {
        t = reel_use_track(k, u);

        if (group.p == NULL || t == NULL
            || !reel_str_eqz(reel_m3u8_get(u->e, "TYPE"), "AUDIO")
            || !reel_str_eq(reel_m3u8_get(u->e, "GROUP-ID"), group))
        {
            continue;
        }

        *peak = t->peak > *peak ? t->peak : *peak;
        *average = t->average > *average ? t->average : *average;
    }
}


/* what the variant takes, with the worst of its group; false: not measured */
static bool
measured(const reel_check_t *k, const reel_check_use_t *u, uint64_t *peak,
    uint64_t *average)
{
    const reel_check_track_t  *t = reel_use_track(k, u);

    if (t == NULL || t->average == 0) {
        return false;
    }

    worst_audio(k, u->e, peak, average);

    /* a variant of sound alone stands in its own group */
    if (t->kind == REEL_CHECK_AUDIO && *peak != 0) {
        return true;
    }

    *peak += t->peak;
    *average += t->average;

    return true;
}


static bool
within_tenth(uint64_t declared, uint64_t real)
{
    return declared * 10 >= real * 9 && declared * 10 <= real * 11;
}


/* 1.26 and 1.27 */
static void
compare(reel_check_t *k, const char *attribute, bool average)
{
    unsigned                 n;
    uint64_t                 peak, mean, declared, real;
    const reel_check_use_t  *u;

    REEL_EACH_USE(k, u, n, REEL_M3U8_STREAM) {
        declared = reel_m3u8_number(u->e, attribute);

        if (declared == 0 || !measured(k, u, &peak, &mean)) {
            continue;
        }

        real = average ? mean : peak;
        reel_check_that(k, within_tenth(declared, real), "line %u: "
                        "%s=%" PRIu64 ", measured %" PRIu64, u->e->line,
                        attribute, declared, real);
    }
}


void
reel_rule_average(reel_check_t *k)
{
    compare(k, "AVERAGE-BANDWIDTH", true);
}


void
reel_rule_peak(reel_check_t *k)
{
    compare(k, "BANDWIDTH", false);
}


/* 1.30 */
void
reel_rule_peak_ratio(reel_check_t *k)
{
    unsigned                 n;
    uint64_t                 peak, average;
    const reel_check_use_t  *u;

    REEL_EACH_USE(k, u, n, REEL_M3U8_STREAM) {
        if (measured(k, u, &peak, &average)) {
            reel_check_that(k, peak <= 2 * average, "line %u: a peak of "
                            "%" PRIu64 " over an average of %" PRIu64,
                            u->e->line, peak, average);
        }
    }
}


/* 9.13; a thousandth for the rounding of durations */
void
reel_rule_worst(reel_check_t *k)
{
    unsigned                 n;
    uint64_t                 peak, average, declared;
    const reel_check_use_t  *u;

    REEL_EACH_USE(k, u, n, REEL_M3U8_STREAM) {
        declared = reel_m3u8_number(u->e, "BANDWIDTH");

        if (measured(k, u, &peak, &average)) {
            reel_check_that(k, declared + declared / 1000 + 1 >= peak,
                            "line %u: BANDWIDTH=%" PRIu64 ", but its worst "
                            "combination peaks at %" PRIu64, u->e->line,
                            declared, peak);
        }
    }
}


/* 9.21 */
void
reel_rule_cellular(reel_check_t *k)
{
    bool                     any = false, holds = false;
    unsigned                 n;
    uint64_t                 rate, least = UINT64_MAX;
    const reel_check_use_t  *u;

    REEL_EACH_USE(k, u, n, REEL_M3U8_STREAM) {
        rate = reel_m3u8_number(u->e, "BANDWIDTH");
        any = true;
        holds |= rate <= 192000;
        least = rate < least ? rate : least;
    }

    if (any) {
        reel_check_that(k, holds, "the least variant has %" PRIu64 " b/s",
                        least);
    }
}
