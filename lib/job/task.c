/* names and arithmetic of tasks; each kind of payload has its own file */

#include <stdio.h>

#include "lib/base/rescale.h"
#include "lib/job/task.h"

#define AU_SAMPLES    1024      /* AAC-LC, ISO 14496-3 */
#define OPUS_SAMPLES  960       /* 20 ms at 48 kHz */


const char *
reel_task_type_name(reel_task_type_t t)
{
    static const char *const names[REEL_TASK_TYPES] = {
        [REEL_TASK_INSPECT] = "inspect",
        [REEL_TASK_PLAN] = "plan",
        [REEL_TASK_ENCODE_VIDEO] = "encode_video",
        [REEL_TASK_ENCODE_AUDIO] = "encode_audio",
        [REEL_TASK_POSTER] = "poster",
        [REEL_TASK_STORYBOARD] = "storyboard",
        [REEL_TASK_SUBTITLES] = "extract_subtitles",
        [REEL_TASK_LOUDNESS] = "loudness",
        [REEL_TASK_COMPLEXITY] = "complexity",
        [REEL_TASK_PUBLISH] = "publish",
        [REEL_TASK_EXEC] = "exec",
    };

    return names[t];
}


void
reel_task_name_video(char dst[REEL_TASK_NAME], uint32_t chunk, uint32_t group)
{
    (void) snprintf(dst, REEL_TASK_NAME, "v%u.%u", chunk, group);
}


void
reel_task_name_audio(char dst[REEL_TASK_NAME], uint32_t stretch,
    uint32_t track)
{
    if (track == 0) {
        (void) snprintf(dst, REEL_TASK_NAME, "a%u", stretch);
    } else {
        (void) snprintf(dst, REEL_TASK_NAME, "a%u.%u", stretch, track);
    }
}


void
reel_task_name_text(char dst[REEL_TASK_NAME], uint32_t number)
{
    (void) snprintf(dst, REEL_TASK_NAME, "t%u", number);
}


void
reel_task_name_exec(char dst[REEL_TASK_NAME], const char *node,
    bool numbered, uint32_t number)
{
    if (numbered) {
        (void) snprintf(dst, REEL_TASK_NAME, "%s.%u", node, number);
    } else {
        (void) snprintf(dst, REEL_TASK_NAME, "%s", node);
    }
}


uint32_t
reel_audio_frame(reel_audio_codec_t c)
{
    return c == REEL_AUDIO_OPUS ? OPUS_SAMPLES : AU_SAMPLES;
}


uint32_t
reel_audio_unit_rate(reel_audio_codec_t c, uint32_t sample_rate)
{
    return (uint32_t) ((uint64_t) sample_rate * AU_SAMPLES
                       / reel_audio_frame(c));
}


/* access units that start before tick ts: the first at or after it */
static int64_t
au_at(const reel_grid_t *g, uint32_t sample_rate, int64_t ts)
{
    return reel_rescale(ts, sample_rate, (uint64_t) g->timescale * AU_SAMPLES,
                        REEL_ROUND_UP);
}


int64_t
reel_audio_first_au(const reel_grid_t *g, uint32_t sample_rate, uint32_t k)
{
    return au_at(g, sample_rate, (int64_t) k * g->gop_ts);
}


int64_t
reel_audio_total_aus(const reel_grid_t *g, uint32_t sample_rate)
{
    int64_t cover, last;

    if (g->fragments == 0) {
        return 0;
    }

    cover = au_at(g, sample_rate, g->end_ts);
    last = reel_audio_first_au(g, sample_rate, g->fragments - 1) + 1;

    return cover > last ? cover : last;
}
