/*
 * Sounds whose access units are copied, not encoded.  inspect says whether
 * they can stand as they are; here is whether the pipeline wants them, and
 * whether they lie on the sound's line.
 */

#include <stdio.h>
#include <string.h>

#include "lib/base/rescale.h"
#include "lib/job/plan_part.h"

/* units begin no further than this from where those of the line do */
#define OFF_MS      2
#define RATE_LEAST  8000
#define RATE_MOST   96000


/* samples by which units begin behind those of the line, or before */
static int64_t
off_the_line(const reel_source_audio_t *a, int64_t origin)
{
    int64_t at, unit = reel_audio_frame(REEL_AUDIO_AAC);

    at = reel_rescale(a->units.first_pts - origin,
                      (uint64_t) a->tb.num * a->sample_rate, a->tb.den,
                      REEL_ROUND_NEAR) % unit;

    return at > unit / 2 ? at - unit : at < -unit / 2 ? at + unit : at;
}


/* NULL: it is copied; else why not, in buf where it has numbers */
static const char *
refuse(char buf[REEL_COPY_WHY], const reel_pipeline_t *pl,
    const reel_source_t *src, const reel_source_audio_t *a, int64_t origin)
{
    int64_t off;

    if (pl->audio_codec != REEL_AUDIO_AAC) {
        return "Opus is made of it";
    }
    if (pl->audio_lufs != 0
        && reel_node_wanted(pl, REEL_TASK_LOUDNESS, src))
    {
        return "its loudness is to change";
    }
    if (!a->units.known) {
        return "it was inspected before reel looked at its units";
    }
    if (a->units.refused[0] != '\0') {
        return a->units.refused;
    }
    if (a->channels > pl->audio_channels) {
        return "it has more channels than audio.channels";
    }
    if (a->sample_rate < RATE_LEAST || a->sample_rate > RATE_MOST) {
        return "its sample rate is unusual";
    }

    if (a->units.kbps > pl->audio_copy_max_kbps) {
        (void) snprintf(buf, REEL_COPY_WHY, "it has %u kbit/s, more than "
                        "audio.copy_max_kbps %u", a->units.kbps,
                        pl->audio_copy_max_kbps);
        return buf;
    }

    off = off_the_line(a, origin);

    if ((off < 0 ? -off : off) * 1000 > (int64_t) a->sample_rate * OFF_MS) {
        (void) snprintf(buf, REEL_COPY_WHY, "its units begin %lld samples "
                        "off the film's", (long long) off);
        return buf;
    }

    return NULL;
}


void
reel_plan_copy_sounds(reel_timeline_t *t, const reel_pipeline_t *pl,
    const reel_source_t *src)
{
    char        buf[REEL_COPY_WHY], why[REEL_COPY_WHY] = "";
    uint32_t    i, n = 0, first = 0;
    const char *no;

    if (pl->audio_copy_max_kbps == 0) {
        return;
    }

    for (i = 0; i < t->naudios; i++) {
        no = refuse(buf, pl, src, reel_source_audio(src, i),
                    t->audio_origin[i]);
        t->copied[i] = no == NULL;
        n += no == NULL;

        if (no != NULL && why[0] == '\0') {
            (void) snprintf(why, sizeof(why), "%s", no);
            first = i + 1;
        }
    }

    if (n == 0) {
        (void) snprintf(t->sound, sizeof(t->sound), "encoded: %s", why);

    } else if (n < t->naudios) {
        (void) snprintf(t->sound, sizeof(t->sound),
                        "copied, track %u encoded: %s", first, why);

    } else {
        (void) snprintf(t->sound, sizeof(t->sound), "copied");
    }
}
