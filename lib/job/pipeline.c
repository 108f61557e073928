#include <stdio.h>
#include <string.h>

#include "lib/job/pipeline.h"
#include "lib/job/source.h"

#define SVT_PRESET_MAX 13
#define ATTEMPTS   3

/* of a program that does not say what it needs */
#define EXEC_S     1800
#define EXEC_SLOTS 1
#define EXEC_MIB   256

#define NODE(t, n, timeout)                                                  \
    [t] = { .type = (t), .name = n, .attempts = ATTEMPTS,                    \
            .timeout_s = (timeout), .slots = REEL_NODE_UNSET,                \
            .memory_mib = REEL_NODE_UNSET, .priority = REEL_NODE_UNSET,      \
            .codec = REEL_VIDEO_CODECS }

static const reel_pipeline_t builtin = {
    .name = "default",
    .preset = "veryfast",
    .hdr = REEL_HDR_MAP,
    .gop_ms = 2000,
    .copy_codecs = 1u << REEL_VIDEO_H264,
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
    .audio_surround_kbps = 384,
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
    .mark = { .color = 0xffffff,
              .position = REEL_MARK_TOP_RIGHT, .opacity = 80, .width = 12,
              .margin = 3 },
    .title_crf_above = REEL_TRIAL_STEP,
    .title_drop_percent = 80,
    .nnodes = REEL_TASK_EXEC,
    .nodes = {
        NODE(REEL_TASK_INSPECT, "inspect", 300),
        NODE(REEL_TASK_PLAN, "plan", 60),
        NODE(REEL_TASK_ENCODE_VIDEO, "encode_video", 1800),
        NODE(REEL_TASK_ENCODE_AUDIO, "encode_audio", 1800),
        NODE(REEL_TASK_POSTER, "poster", 300),
        NODE(REEL_TASK_STORYBOARD, "storyboard", 900),
        NODE(REEL_TASK_SUBTITLES, "extract_subtitles", 900),
        NODE(REEL_TASK_LOUDNESS, "loudness", 1800),
        NODE(REEL_TASK_COMPLEXITY, "complexity", 300),
        NODE(REEL_TASK_PUBLISH, "publish", 300),
    },
};


void
reel_pipeline_default(reel_pipeline_t *p)
{
    memcpy(p, &builtin, sizeof(*p));
}


void
reel_node_init(reel_node_t *n, reel_task_type_t type, const char *name)
{
    size_t len = strlen(name);

    *n = (reel_node_t) {
        .type = type,
        .attempts = ATTEMPTS,
        .timeout_s = type == REEL_TASK_EXEC ? EXEC_S
                                            : builtin.nodes[type].timeout_s,
        .slots = type == REEL_TASK_EXEC ? EXEC_SLOTS : REEL_NODE_UNSET,
        .memory_mib = type == REEL_TASK_EXEC ? EXEC_MIB : REEL_NODE_UNSET,
        .priority = REEL_NODE_UNSET,
        .cost_s = 1,
        .codec = REEL_VIDEO_CODECS
    };

    memcpy(n->name, name, len < sizeof(n->name) ? len : sizeof(n->name) - 1);
}


bool
reel_file_name_valid(reel_str_t s)
{
    size_t i;

    for (i = 0; i < s.len; i++) {
        if (!((s.p[i] >= 'a' && s.p[i] <= 'z')
              || (s.p[i] >= 'A' && s.p[i] <= 'Z')
              || (s.p[i] >= '0' && s.p[i] <= '9')
              || (i > 0 && (s.p[i] == '.' || s.p[i] == '_'
                            || s.p[i] == '-'))))
        {
            return false;
        }
    }

    return s.len > 0 && s.len < REEL_EXEC_FILE;
}


const reel_node_t *
reel_pipeline_node(const reel_pipeline_t *p, const char *name)
{
    uint32_t i;

    for (i = 0; i < p->nnodes; i++) {
        if (strcmp(p->nodes[i].name, name) == 0) {
            return &p->nodes[i];
        }
    }

    return NULL;
}


const char *
reel_each_name(reel_each_t e)
{
    static const char *const names[REEL_EACHES] = {
        "none", "chunk", "rendition", "audio_track"
    };

    return names[e];
}


const char *
reel_mark_position_name(reel_mark_position_t p)
{
    static const char *const names[REEL_MARK_POSITIONS] = {
        "top-left", "top-right", "bottom-left", "bottom-right", "center"
    };

    return names[p];
}


bool
reel_mark_position_find(const char *name, reel_mark_position_t *p)
{
    int i;

    for (i = 0; i < REEL_MARK_POSITIONS; i++) {
        if (strcmp(name, reel_mark_position_name((reel_mark_position_t) i))
            == 0)
        {
            *p = (reel_mark_position_t) i;
            return true;
        }
    }

    return false;
}


reel_err_t
reel_pipeline_path(char *dst, size_t size, reel_str_t folder,
    const char *file)
{
    int         n;
    const char *between;

    between = folder.len > 0 && folder.p[folder.len - 1] != '/' ? "/" : "";
    n = snprintf(dst, size, "%.*s%s%s", (int) folder.len, folder.p, between,
                 file);

    return n > 0 && (size_t) n < size ? REEL_OK : REEL_LIMIT;
}


reel_err_t
reel_mark_font(char *dst, size_t size, const reel_mark_t *m,
    reel_str_t folder)
{
    return m->font[0] != '\0'
           ? reel_pipeline_path(dst, size, folder, m->font)
           : reel_pipeline_path(dst, size, reel_str(""), REEL_MARK_FONT);
}


const char *
reel_video_codec_name(reel_video_codec_t c)
{
    static const char *const names[REEL_VIDEO_CODECS] = {
        "h264", "hevc", "av1"
    };

    return names[c];
}


bool
reel_video_codec_find(const char *name, reel_video_codec_t *c)
{
    int i;

    for (i = 0; i < REEL_VIDEO_CODECS; i++) {
        if (strcmp(name, reel_video_codec_name((reel_video_codec_t) i)) == 0) {
            *c = (reel_video_codec_t) i;
            return true;
        }
    }

    return false;
}


bool
reel_hdr_use_find(const char *name, reel_hdr_use_t *u)
{
    static const char *const names[REEL_HDRS] = { "", "map", "keep" };
    int                      i;

    for (i = REEL_HDR_MAP; i < REEL_HDRS; i++) {
        if (strcmp(name, names[i]) == 0) {
            *u = (reel_hdr_use_t) i;
            return true;
        }
    }

    return false;
}


bool
reel_copy_as_find(const char *name, reel_copy_as_t *c)
{
    static const char *const names[REEL_COPY_ASES] = { "only", "top" };
    int                      i;

    for (i = 0; i < REEL_COPY_ASES; i++) {
        if (strcmp(name, names[i]) == 0) {
            *c = (reel_copy_as_t) i;
            return true;
        }
    }

    return false;
}


const char *
reel_audio_codec_name(reel_audio_codec_t c)
{
    static const char *const names[REEL_AUDIO_CODECS] = { "aac", "opus" };

    return names[c];
}


bool
reel_audio_codec_find(const char *name, reel_audio_codec_t *c)
{
    int i;

    for (i = 0; i < REEL_AUDIO_CODECS; i++) {
        if (strcmp(name, reel_audio_codec_name((reel_audio_codec_t) i)) == 0) {
            *c = (reel_audio_codec_t) i;
            return true;
        }
    }

    return false;
}


const char *
reel_video_preset_default(reel_video_codec_t c)
{
    return c == REEL_VIDEO_AV1 ? "10" : builtin.preset;
}


bool
reel_video_preset_valid(reel_video_codec_t c, const char *preset)
{
    size_t     i;
    uint64_t   n;

    static const char *const presets[] = {
        "ultrafast", "superfast", "veryfast", "faster", "fast", "medium",
        "slow", "slower", "veryslow",
    };

    if (c == REEL_VIDEO_AV1) {
        return reel_str_u64(reel_str(preset), SVT_PRESET_MAX, &n) == REEL_OK;
    }

    for (i = 0; i < sizeof(presets) / sizeof(presets[0]); i++) {
        if (strcmp(presets[i], preset) == 0) {
            return true;
        }
    }

    return false;
}


/* within each codec */
static reel_err_t
check_rungs(const reel_pipeline_t *p, reel_error_t *e)
{
    uint32_t i, k, last[REEL_VIDEO_CODECS];

    if (p->nrungs == 0 || p->nrungs > REEL_PIPELINE_RUNGS) {
        return reel_fail(e, REEL_INVAL, "1 to %d rungs are possible, not %u",
                         REEL_PIPELINE_RUNGS, p->nrungs);
    }

    for (k = 0; k < REEL_VIDEO_CODECS; k++) {
        last[k] = UINT32_MAX;
    }

    for (i = 0; i < p->nrungs; i++) {
        k = p->rungs[i].codec;

        if (p->rungs[i].short_side >= last[k]) {
            return reel_fail(e, REEL_INVAL,
                             "short_side %u does not fall below %u",
                             p->rungs[i].short_side, last[k]);
        }

        last[k] = p->rungs[i].short_side;
    }

    return REEL_OK;
}


/* players have no HDR in H.264, and an image of SDR would glare in PQ */
static reel_err_t
check_hdr(const reel_pipeline_t *p, reel_error_t *e)
{
    uint32_t i;
    bool     keeps = p->hdr == REEL_HDR_KEEP;

    for (i = 0; i < p->nrungs; i++) {
        if (p->rungs[i].hdr == REEL_HDR_KEEP
            && p->rungs[i].codec == REEL_VIDEO_H264)
        {
            return reel_fail(e, REEL_INVAL, "HDR is kept in HEVC and AV1, "
                             "not in H.264");
        }

        keeps |= p->rungs[i].hdr == REEL_HDR_KEEP;
    }

    return keeps && p->mark.image[0] != '\0'
           ? reel_fail(e, REEL_INVAL, "HDR cannot be kept below a watermark")
           : REEL_OK;
}


static bool
has_codec(const reel_pipeline_t *p, uint32_t codec)
{
    uint32_t i;

    for (i = 0; i < p->nrungs && p->rungs[i].codec != codec; i++) {
        /* void */
    }

    return i < p->nrungs;
}


/* players stay in a codec: the top of a ladder is of the ladder's */
static reel_err_t
check_copy(const reel_pipeline_t *p, const char **key, reel_error_t *e)
{
    uint32_t c;

    if (p->copy_as != REEL_COPY_TOP) {
        return REEL_OK;
    }

    *key = "copy_as";

    if (p->copy_max_kbps == 0) {
        return reel_fail(e, REEL_INVAL, "nothing is copied while "
                         "copy_max_kbps is 0");
    }

    *key = "copy_codecs";

    for (c = 0; c < REEL_VIDEO_CODECS; c++) {
        if ((p->copy_codecs >> c & 1) && !has_codec(p, c)) {
            return reel_fail(e, REEL_INVAL, "copy_as: top needs renditions "
                             "of %s below it, and there is none",
                             reel_video_codec_name((reel_video_codec_t) c));
        }
    }

    return REEL_OK;
}


/* only renditions of H.264 are tried */
static reel_err_t
check_title(const reel_pipeline_t *p, reel_error_t *e)
{
    return p->title_ssim != 0 && !has_codec(p, REEL_VIDEO_H264)
           ? reel_fail(e, REEL_INVAL, "rates by the film are of renditions "
                       "of h264, and there is none")
           : REEL_OK;
}


reel_err_t
reel_pipeline_check(const reel_pipeline_t *p, const char **key,
    reel_error_t *e)
{
    *key = "rungs";

    if (check_rungs(p, e) != REEL_OK) {
        return REEL_INVAL;
    }

    *key = "hdr";

    if (check_hdr(p, e) != REEL_OK) {
        return REEL_INVAL;
    }

    if (check_copy(p, key, e) != REEL_OK) {
        return REEL_INVAL;
    }

    *key = "per_title";

    if (check_title(p, e) != REEL_OK) {
        return REEL_INVAL;
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
