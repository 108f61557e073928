#include <string.h>

#include "lib/job/pipeline.h"

static const reel_pipeline_t builtin = {
    .name = "default",
    .preset = "veryfast",
    .gop_ms = 2000,
    .chunk_min_s = 6,
    .chunk_target_s = 12,
    .chunk_max_s = 30,
    .first_chunk_s = 4,
    .encoder_threads = 1,
    .nrungs = 5,
    .rungs = {
        { .short_side = 1080, .crf = 23, .max_kbps = 7800,
          .buf_kbits = 11700 },
        { .short_side = 720, .crf = 23, .max_kbps = 4500,
          .buf_kbits = 6750 },
        { .short_side = 480, .crf = 23, .max_kbps = 2000,
          .buf_kbits = 3000 },
        { .short_side = 360, .crf = 23, .max_kbps = 1100,
          .buf_kbits = 1650 },
        { .short_side = 240, .crf = 23, .max_kbps = 500,
          .buf_kbits = 750 },
    },
    .audio_kbps = 128,
    .audio_channels = 2,
    .audio_object_s = 60,
    .audio_tracks = 8,
    .poster_percent = 10,
    .poster_width = 1280,
    .story_interval_s = 2,
    .nstory_widths = 2,
    .story_widths = { 320, 640 },
    .story_tile_width = 160,
    .story_columns = 5,
    .story_rows = 5,
    .subtitles = true,
    .tasks = {
        [REEL_TASK_INSPECT] = { .attempts = 3, .timeout_s = 300 },
        [REEL_TASK_PLAN] = { .attempts = 3, .timeout_s = 60 },
        [REEL_TASK_ENCODE_VIDEO] = { .attempts = 3, .timeout_s = 1800 },
        [REEL_TASK_ENCODE_AUDIO] = { .attempts = 3, .timeout_s = 1800 },
        [REEL_TASK_POSTER] = { .attempts = 3, .timeout_s = 300 },
        [REEL_TASK_STORYBOARD] = { .attempts = 3, .timeout_s = 900 },
        [REEL_TASK_SUBTITLES] = { .attempts = 3, .timeout_s = 900 },
        [REEL_TASK_PUBLISH] = { .attempts = 3, .timeout_s = 300 },
    },
};


void
reel_pipeline_default(reel_pipeline_t *p)
{
    memcpy(p, &builtin, sizeof(*p));
}


reel_err_t
reel_pipeline_check(const reel_pipeline_t *p, const char **key,
    reel_error_t *e)
{
    uint32_t i;

    *key = "rungs";

    if (p->nrungs == 0 || p->nrungs > REEL_PIPELINE_RUNGS) {
        return reel_fail(e, REEL_INVAL, "1 to %d rungs are possible, not %u",
                         REEL_PIPELINE_RUNGS, p->nrungs);
    }

    for (i = 1; i < p->nrungs; i++) {
        if (p->rungs[i].short_side >= p->rungs[i - 1].short_side) {
            return reel_fail(e, REEL_INVAL,
                             "short_side %u does not fall below %u",
                             p->rungs[i].short_side,
                             p->rungs[i - 1].short_side);
        }
    }

    *key = "chunks";

    if (p->chunk_target_s < p->chunk_min_s
        || p->chunk_target_s > p->chunk_max_s)
    {
        return reel_fail(e, REEL_INVAL, "target_s %u lies outside %u to %u",
                         p->chunk_target_s, p->chunk_min_s, p->chunk_max_s);
    }

    if (p->chunk_max_s < 2 * p->chunk_min_s) {
        return reel_fail(e, REEL_INVAL, "max_s %u is less than twice min_s "
                         "%u: some lengths could not be cut",
                         p->chunk_max_s, p->chunk_min_s);
    }

    *key = "storyboard";

    if (p->nstory_widths == 0 || p->nstory_widths > REEL_PIPELINE_WIDTHS
        || (p->nstory_widths > 1
            && p->story_widths[1] <= p->story_widths[0]))
    {
        return reel_fail(e, REEL_INVAL, "widths are 1 or %d that rise",
                         REEL_PIPELINE_WIDTHS);
    }

    if (p->story_columns * p->story_rows < 2) {
        return reel_fail(e, REEL_INVAL, "a sheet has two pictures at least");
    }

    *key = NULL;
    return REEL_OK;
}
