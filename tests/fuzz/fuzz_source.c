/*
 * Facts of a source, which a child says: whatever it claims, the planner
 * ends, and its tasks cover the film.
 */

#include "tests/fuzz/round_trip.h"

#include "lib/job/plan.h"

#define LONGEST_S  (6 * 3600)   /* longer plans are right, but slow */

FORMAT(source, reel_source_release)


static void
check_video(const reel_planned_t *k, uint32_t *next)
{
    reel_encode_video_t t;

    need(reel_encode_video_parse(&t, k->payload, strlen(k->payload), NULL)
         == REEL_OK);
    need(t.frag_from == *next || t.frag_to == *next);
    *next = t.frag_to;
}


static void
check_audio(const reel_planned_t *k, uint32_t *next)
{
    reel_encode_audio_t t;

    need(reel_encode_audio_parse(&t, k->payload, strlen(k->payload), NULL)
         == REEL_OK);
    need(t.frag_from == *next);
    *next = t.frag_to;
}


static void
plan(const reel_source_t *s)
{
    size_t           i;
    uint32_t         video = 0, audio = 0;
    reel_plan_t      p;
    reel_error_t     e;
    reel_pipeline_t  pl;

    reel_pipeline_default(&pl);

    if (reel_plan(&p, &pl, s, LONGEST_S, &e) != REEL_OK) {
        need(p.ntasks == 0 && e.text[0] != '\0');
        return;
    }

    for (i = 0; i < p.ntasks; i++) {
        if (p.tasks[i].type == REEL_TASK_ENCODE_VIDEO) {
            check_video(&p.tasks[i], &video);
        } else if (p.tasks[i].type == REEL_TASK_ENCODE_AUDIO) {
            check_audio(&p.tasks[i], &audio);
        }
    }

    need(video == 0 || video == p.grid.fragments);
    need(audio == 0 || audio == p.grid.fragments);
    need(video != 0 || audio != 0);
    reel_plan_release(&p);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    reel_source_t s;

    static const format_t format = ROW(source);

    if (round_trip(&format, &s, data, size)
        && reel_source_parse(&s, (const char *) data, size, NULL) == REEL_OK)
    {
        plan(&s);
        reel_source_release(&s);
    }

    return 0;
}
