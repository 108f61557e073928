#include "lib/job/wants.h"

#include "lib/job/plan_part.h"


/* is it the one that makes the pipeline's renditions of that codec? */
static bool
encodes(const reel_pipeline_t *p, const reel_node_t *n, reel_video_codec_t c)
{
    uint32_t i;

    if (&p->nodes[reel_plan_encoder(p, c)] != n) {
        return false;
    }

    for (i = 0; i < p->nrungs; i++) {
        if (p->rungs[i].codec == c) {
            return true;
        }
    }

    return false;
}


static size_t
video_encoders(const reel_pipeline_t *p, const reel_node_t *n,
    const char **encoders)
{
    int    c;
    size_t k = 0;

    static const char *const names[REEL_VIDEO_CODECS] = {
        [REEL_VIDEO_H264] = REEL_ENCODER_H264,
        [REEL_VIDEO_HEVC] = REEL_ENCODER_HEVC,
        [REEL_VIDEO_AV1] = REEL_ENCODER_AV1
    };

    for (c = 0; c < REEL_VIDEO_CODECS; c++) {
        if (encodes(p, n, (reel_video_codec_t) c)) {
            encoders[k++] = names[c];
        }
    }

    return k;
}


/* 5.1 is AAC, whatever the other is */
static size_t
audio_encoders(const reel_pipeline_t *p, const char **encoders)
{
    size_t k = 0;

    if (p->audio_codec == REEL_AUDIO_OPUS) {
        encoders[k++] = REEL_ENCODER_OPUS;
    }
    if (p->audio_codec == REEL_AUDIO_AAC || p->audio_surround) {
        encoders[k++] = REEL_ENCODER_AAC;
    }

    return k;
}


bool
reel_node_used(const reel_pipeline_t *p, const reel_node_t *n)
{
    const char *encoders[REEL_WANTS_MAX];

    if (n->off) {
        return false;
    }

    switch (n->type) {

    case REEL_TASK_ENCODE_VIDEO:
        return video_encoders(p, n, encoders) > 0;

    case REEL_TASK_ENCODE_AUDIO:
        return p->audio_kbps > 0;

    case REEL_TASK_LOUDNESS:
        return p->audio_kbps > 0 && p->audio_lufs != 0;

    case REEL_TASK_STORYBOARD:
        return p->story_interval_s > 0;

    case REEL_TASK_SUBTITLES:
        return p->subtitles;

    case REEL_TASK_COMPLEXITY:
        return p->title_ssim != 0;

    default:
        return true;
    }
}


size_t
reel_node_encoders(const reel_pipeline_t *p, const reel_node_t *n,
    const char *encoders[REEL_WANTS_MAX])
{
    if (!reel_node_used(p, n)) {
        return 0;
    }

    switch (n->type) {

    case REEL_TASK_ENCODE_VIDEO:
        return video_encoders(p, n, encoders);

    case REEL_TASK_ENCODE_AUDIO:
        return audio_encoders(p, encoders);

    case REEL_TASK_COMPLEXITY:
        encoders[0] = REEL_ENCODER_H264;
        return 1;

    default:
        return 0;
    }
}
