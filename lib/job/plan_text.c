/* subtitles: the names of their renditions, and tasks of a few each */

#include <stdio.h>
#include <string.h>

#include "lib/base/rescale.h"
#include "lib/job/plan_part.h"

#define LANGUAGE_MAX    24
#define COST_MS         200


void
reel_plan_name(char dst[33], const char *prefix, const char *language,
    unsigned nth)
{
    char     lang[LANGUAGE_MAX + 1];
    size_t   i, len;

    len = strlen(language);
    len = len > LANGUAGE_MAX ? LANGUAGE_MAX : len;

    for (i = 0; i < len; i++) {
        lang[i] = language[i];
        lang[i] = lang[i] >= 'A' && lang[i] <= 'Z' ? (char) (lang[i] | 0x20)
                                                   : lang[i];
    }

    lang[len] = '\0';

    if (nth == 1) {
        (void) snprintf(dst, 33, "%s-%s", prefix, len > 0 ? lang : "und");
    } else {
        (void) snprintf(dst, 33, "%s-%s-%u", prefix, len > 0 ? lang : "und",
                        nth);
    }
}


/*
 * "t-en", or "t-en-2" where that is taken: of languages that differ in case,
 * or behind what a name holds, too
 */
static void
name_texts(char names[][33], const reel_source_text_t *texts, size_t n)
{
    size_t   i, k;
    unsigned nth;

    for (i = 0; i < n; i++) {
        nth = 1;

        do {
            reel_plan_name(names[i], "t", texts[i].language, nth++);
            for (k = 0; k < i && strcmp(names[k], names[i]) != 0; k++) {
                /* void */
            }
        } while (k < i);
    }
}


/* timeline 0 in another track's time base */
static int64_t
origin_in(const reel_planner_t *p, reel_rational_t tb)
{
    int64_t         at;
    reel_rational_t from;

    at = p->t.video ? p->t.video_origin : p->t.audio_origin[0];
    from = p->t.video ? p->src->video.tb : p->src->audio.tb;

    /* ticks are rounded once: through nanoseconds they would be twice */
    at = reel_rescale(at, (uint64_t) from.num * tb.den,
                      (uint64_t) from.den * tb.num, REEL_ROUND_NEAR);

    return at > REEL_PTS_MAX ? REEL_PTS_MAX
           : at < -REEL_PTS_MAX ? -REEL_PTS_MAX : at;
}


static void
add_task(reel_planner_t *p, uint32_t number, size_t from, size_t to,
    char names[][33])
{
    size_t                    i;
    reel_buf_t                b;
    reel_planned_t           *k;
    reel_subtitles_t          t = {
        .grid = p->t.grid,
        .jumps = p->src->video.stream >= 0 ? p->src->video.jumps
                                           : p->src->audio.jumps
    };
    reel_text_track_t        *x;
    const reel_source_text_t *s;

    k = reel_plan_add_task(p, REEL_TASK_SUBTITLES, REEL_SLOTS_LIGHT,
                           (uint64_t) COST_MS * 1000
                           + reel_plan_read_us(p, false));
    if (k == NULL) {
        return;
    }

    reel_task_name_text(k->name, number);
    t.tries = k->attempts;
    k->attempts += REEL_SPARE_ATTEMPTS;

    for (i = from; i < to; i++) {
        s = &p->src->texts[i];
        x = &t.texts[t.ntexts++];
        *x = (reel_text_track_t) {
            .stream = s->stream, .tb = s->tb, .roles = s->roles,
            .origin = origin_in(p, s->tb)
        };
        memcpy(x->name, names[i], sizeof(x->name));
        memcpy(x->language, s->language, sizeof(x->language));
        memcpy(x->label, s->label, sizeof(x->label));
    }

    reel_buf_init(&b, REEL_PAYLOAD_MAX + 1);
    reel_plan_set_payload(p, k, &b, reel_subtitles_print(&b, &t));
}


uint32_t
reel_plan_texts(const reel_planner_t *p)
{
    if (!p->pl->subtitles
        || !reel_node_wanted(p->pl, REEL_TASK_SUBTITLES, p->src))
    {
        return 0;
    }

    return (uint32_t) ((p->src->ntexts + REEL_SUBTITLES_TEXTS - 1)
                       / REEL_SUBTITLES_TEXTS);
}


void
reel_plan_add_texts(reel_planner_t *p)
{
    size_t   from, to;
    uint32_t i, n = reel_plan_texts(p);
    char     names[REEL_SOURCE_TEXTS][33];

    name_texts(names, p->src->texts, p->src->ntexts);

    for (i = 0; i < n; i++) {
        from = (size_t) i * REEL_SUBTITLES_TEXTS;
        to = from + REEL_SUBTITLES_TEXTS;
        add_task(p, i, from, to > p->src->ntexts ? p->src->ntexts : to,
                 names);
    }
}
