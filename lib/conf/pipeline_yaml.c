#include "lib/conf/pipeline_yaml.h"

#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "lib/conf/pipeline_part.h"
#include "lib/job/source.h"
#include "lib/store/layout.h"


static reel_err_t
check_preset(const reel_yaml_t *n, reel_video_codec_t codec,
    const char *preset, reel_error_t *e)
{
    if (n == NULL || reel_video_preset_valid(codec, preset)) {
        return REEL_OK;
    }

    if (codec == REEL_VIDEO_AV1) {
        return reel_yaml_fail(n, e, "\"%s\" is not a preset of SVT-AV1 (0 to "
                              "13)", preset);
    }

    return reel_yaml_fail(n, e, "\"%s\" is not a preset of %s (ultrafast "
                          "to veryslow)", preset,
                          codec == REEL_VIDEO_HEVC ? "x265" : "x264");
}


static reel_err_t
read_short_side(void *dst, const reel_yaml_t *n, reel_error_t *e)
{
    uint32_t   *v = dst;
    reel_err_t  err;

    err = reel_yaml_u32(n, 64, 4320, v, e);

    if (err == REEL_OK && *v % 2 != 0) {
        return reel_yaml_fail(n, e, "short_side must be even, not %u", *v);
    }

    return err;
}


static reel_err_t
read_hdr(void *dst, const reel_yaml_t *n, reel_error_t *e)
{
    char        text[8];
    reel_err_t  err = reel_yaml_text(n, 1, sizeof(text) - 1, text, e);

    if (err == REEL_OK && !reel_hdr_use_find(text, dst)) {
        err = reel_yaml_fail(n, e, "hdr must be map or keep, not \"%s\"",
                             text);
    }

    return err;
}


static reel_err_t
read_rung(reel_rung_t *rung, const reel_yaml_t *n, reel_error_t *e)
{
    reel_err_t  err;

    static const reel_yaml_key_t keys[] = {
        FN("codec", reel_rung_t, codec, reel_conf_codec),
        { "short_side", REEL_YAML_TYPE_FN, offsetof(reel_rung_t, short_side),
          0, 0, read_short_side, true },
        { "crf", REEL_YAML_TYPE_U32, offsetof(reel_rung_t, crf),
          0, 63, NULL, true },
        { "max_kbps", REEL_YAML_TYPE_U32, offsetof(reel_rung_t, max_kbps),
          50, 200000, NULL, true },
        { "buf_kbits", REEL_YAML_TYPE_U32, offsetof(reel_rung_t, buf_kbits),
          REEL_RUNG_BUF_LEAST, 400000, NULL, true },
        U32("max_fps", reel_rung_t, max_fps, 15, 240),
        FN("hdr", reel_rung_t, hdr, read_hdr),
        { "preset", REEL_YAML_TYPE_TEXT, offsetof(reel_rung_t, preset),
          1, sizeof(rung->preset) - 1, NULL, false },
        FN("when", reel_rung_t, when, reel_conf_when),
    };

    err = reel_yaml_map(rung, n, ROWS(keys), e);

    if (err == REEL_OK && rung->crf > 51 && rung->codec != REEL_VIDEO_AV1) {
        err = reel_yaml_fail(reel_yaml_find(n, "crf"), e, "crf must lie "
                             "within 0 to 51, not %u", rung->crf);
    }

    if (err == REEL_OK) {
        err = check_preset(reel_yaml_find(n, "preset"), rung->codec,
                           rung->preset, e);
    }

    return err;
}


static reel_err_t
read_rungs(void *dst, const reel_yaml_t *n, reel_error_t *e)
{
    reel_err_t         err, now;
    reel_pipeline_t   *p = dst;
    const reel_yaml_t *item;

    err = reel_yaml_is(n, REEL_YAML_LIST, e);
    if (err != REEL_OK) {
        return err;
    }

    p->nrungs = 0;

    for (item = n->child; item != NULL && reel_yaml_goes_on(n, err);
         item = item->next)
    {
        if (p->nrungs == REEL_PIPELINE_RUNGS) {
            return reel_yaml_fail(item, e, "more than %d rungs",
                                  REEL_PIPELINE_RUNGS);
        }

        p->rungs[p->nrungs] = (reel_rung_t) { .codec = p->codec };
        now = read_rung(&p->rungs[p->nrungs++], item, e);
        err = err != REEL_OK ? err : now;
    }

    return err;
}


static reel_err_t
read_chunks(void *dst, const reel_yaml_t *n, reel_error_t *e)
{
    static const reel_yaml_key_t keys[] = {
        U32("first_s", reel_pipeline_t, first_chunk_s, 1, 60),
        U32("min_s", reel_pipeline_t, chunk_min_s, 1, 600),
        U32("target_s", reel_pipeline_t, chunk_target_s, 1, 600),
        U32("max_s", reel_pipeline_t, chunk_max_s, 2, 1200),
    };

    return reel_yaml_map(dst, n, ROWS(keys), e);
}


/* below full scale: all that is asked for is negative */
static reel_err_t
read_lufs(void *dst, const reel_yaml_t *n, reel_error_t *e)
{
    int        *v = dst;
    char        text[8];
    uint64_t    lufs;
    reel_err_t  err = reel_yaml_text(n, 1, sizeof(text) - 1, text, e);

    if (err == REEL_OK
        && (text[0] != '-'
            || reel_str_u64(reel_str(text + 1), 40, &lufs) != REEL_OK
            || lufs < 5))
    {
        return reel_yaml_fail(n, e, "loudness_lufs must lie within -40 to "
                              "-5, not \"%s\"", text);
    }
    if (err == REEL_OK) {
        *v = -(int) lufs;
    }

    return err;
}


static reel_err_t
read_audio_codec(void *dst, const reel_yaml_t *n, reel_error_t *e)
{
    char        text[16];
    reel_err_t  err = reel_yaml_text(n, 1, sizeof(text) - 1, text, e);

    if (err == REEL_OK && !reel_audio_codec_find(text, dst)) {
        err = reel_yaml_fail(n, e, "\"%s\" is no codec that sound is made "
                             "of: aac or opus", text);
    }

    return err;
}


/* what libopus takes, of one channel or of two */
static reel_err_t
check_opus(const reel_pipeline_t *p, const reel_yaml_t *n, reel_error_t *e)
{
    uint32_t            most = REEL_OPUS_KBPS_MAX * p->audio_channels;
    const reel_yaml_t  *at = reel_yaml_find(n, "kbps");

    if (p->audio_codec != REEL_AUDIO_OPUS || p->audio_kbps <= most) {
        return REEL_OK;
    }

    return reel_yaml_fail(at == NULL ? n : at, e, "kbps must be at most %u "
                          "for opus with %u channel, not %u", most,
                          p->audio_channels, p->audio_kbps);
}


static reel_err_t
read_audio(void *dst, const reel_yaml_t *n, reel_error_t *e)
{
    reel_err_t         err;
    reel_pipeline_t   *p = dst;
    const reel_yaml_t *kbps;

    static const reel_yaml_key_t keys[] = {
        FN("codec", reel_pipeline_t, audio_codec, read_audio_codec),
        U32("kbps", reel_pipeline_t, audio_kbps, 0, 320),
        U32("copy_max_kbps", reel_pipeline_t, audio_copy_max_kbps, 0, 1000),
        U32("channels", reel_pipeline_t, audio_channels, 1, 2),
        { "surround", REEL_YAML_TYPE_BOOL,
          offsetof(reel_pipeline_t, audio_surround), 0, 0, NULL, false },
        U32("surround_kbps", reel_pipeline_t, audio_surround_kbps, 128, 512),
        U32("object_s", reel_pipeline_t, audio_object_s, 6, 600),
        U32("tracks", reel_pipeline_t, audio_tracks, 1, 8),
        FN("loudness_lufs", reel_pipeline_t, audio_lufs, read_lufs),
    };

    err = reel_yaml_map(dst, n, ROWS(keys), e);
    kbps = reel_yaml_find(n, "kbps");

    if (err == REEL_OK && kbps != NULL && p->audio_kbps != 0
        && p->audio_kbps < 32)
    {
        return reel_yaml_fail(kbps, e, "kbps must be 0 (no sound) or at "
                              "least 32, not %u", p->audio_kbps);
    }

    return err == REEL_OK ? check_opus(p, n, e) : err;
}


static reel_err_t
read_poster(void *dst, const reel_yaml_t *n, reel_error_t *e)
{
    static const reel_yaml_key_t keys[] = {
        U32("percent", reel_pipeline_t, poster_percent, 0, 100),
        U32("width", reel_pipeline_t, poster_width, 16, 3840),
    };

    return reel_yaml_map(dst, n, ROWS(keys), e);
}


static reel_err_t
read_widths(void *dst, const reel_yaml_t *n, reel_error_t *e)
{
    reel_err_t         err;
    reel_pipeline_t   *p = dst;
    const reel_yaml_t *item;

    err = reel_yaml_is(n, REEL_YAML_LIST, e);
    p->nstory_widths = 0;

    for (item = n->child; err == REEL_OK && item != NULL; item = item->next) {
        if (p->nstory_widths == REEL_PIPELINE_WIDTHS) {
            return reel_yaml_fail(item, e, "more than %d widths",
                                  REEL_PIPELINE_WIDTHS);
        }

        err = reel_yaml_u32(item, 16, 1920,
                            &p->story_widths[p->nstory_widths++], e);
    }

    return err;
}


static reel_err_t
read_storyboard(void *dst, const reel_yaml_t *n, reel_error_t *e)
{
    static const reel_yaml_key_t keys[] = {
        U32("interval_s", reel_pipeline_t, story_interval_s, 0, 3600),
        { "widths", REEL_YAML_TYPE_FN, 0, 0, 0, read_widths, false },
        U32("tile_width", reel_pipeline_t, story_tile_width, 16, 640),
        U32("columns", reel_pipeline_t, story_columns, 1, 16),
        U32("rows", reel_pipeline_t, story_rows, 1, 16),
    };

    return reel_yaml_map(dst, n, ROWS(keys), e);
}


static reel_err_t
read_per_title(void *dst, const reel_yaml_t *n, reel_error_t *e)
{
    static const reel_yaml_key_t keys[] = {
        { "ssim", REEL_YAML_TYPE_U32, offsetof(reel_pipeline_t, title_ssim),
          900, 999, NULL, true },
        U32("crf_above", reel_pipeline_t, title_crf_above, 0,
            REEL_TRIAL_STEP),
        U32("drop_percent", reel_pipeline_t, title_drop_percent, 50, 100),
    };

    return reel_yaml_map(dst, n, ROWS(keys), e);
}


/* what the rungs go by, before them; what is wrong is told with the others */
static void
read_encoder(reel_pipeline_t *p, const reel_yaml_t *root)
{
    const char         *preset;
    const reel_yaml_t  *n = reel_yaml_find(root, "codec");

    if (n != NULL && n->kind == REEL_YAML_SCALAR) {
        (void) reel_video_codec_find(n->text, &p->codec);
    }

    preset = reel_video_preset_default(p->codec);
    memcpy(p->preset, preset, strlen(preset) + 1);
    for (uint32_t i = 0; i < p->nrungs; i++) {
        p->rungs[i].codec = p->codec;
    }
}


static reel_err_t
check_together(reel_pipeline_t *p, const reel_yaml_t *root, reel_error_t *e)
{
    const char         *key;
    reel_error_t        why;
    const reel_yaml_t  *n;

    if (reel_yaml_find(root, "rungs") != NULL
        && (n = reel_yaml_find(root, "renditions")) != NULL)
    {
        return reel_yaml_fail(n, e, "rungs and renditions are the same: "
                              "write one of them");
    }

    if (reel_pipeline_check(p, &key, &why) != REEL_OK) {
        n = reel_yaml_find(root, key);
        if (n == NULL && strcmp(key, "rungs") == 0) {
            n = reel_yaml_find(root, "renditions");
        }

        return reel_yaml_fail(n == NULL ? root : n, e, "%s: %s", key,
                              why.text);
    }

    return reel_conf_graph(p, reel_yaml_find(root, "tasks"), root, e);
}


static reel_err_t
read_pipeline(reel_pipeline_t *p, const reel_yaml_t *root, reel_error_t *e)
{
    reel_err_t  err;

    static const reel_yaml_key_t keys[] = {
        FN("codec", reel_pipeline_t, codec, reel_conf_codec),
        { "preset", REEL_YAML_TYPE_TEXT, offsetof(reel_pipeline_t, preset),
          1, sizeof(p->preset) - 1, NULL, false },
        FN("hdr", reel_pipeline_t, hdr, read_hdr),
        U32("gop_ms", reel_pipeline_t, gop_ms, 500, 10000),
        U32("copy_max_kbps", reel_pipeline_t, copy_max_kbps, 0, 200000),
        FN("copy_codecs", reel_pipeline_t, copy_codecs,
           reel_conf_copy_codecs),
        FN("copy_as", reel_pipeline_t, copy_as, reel_conf_copy_as),
        U32("encoder_threads", reel_pipeline_t, encoder_threads, 1, 64),
        { "chunks", REEL_YAML_TYPE_FN, 0, 0, 0, read_chunks, false },
        { "rungs", REEL_YAML_TYPE_FN, 0, 0, 0, read_rungs, false },
        { "renditions", REEL_YAML_TYPE_FN, 0, 0, 0, read_rungs, false },
        { "audio", REEL_YAML_TYPE_FN, 0, 0, 0, read_audio, false },
        { "poster", REEL_YAML_TYPE_FN, 0, 0, 0, read_poster, false },
        { "storyboard", REEL_YAML_TYPE_FN, 0, 0, 0, read_storyboard, false },
        { "subtitles", REEL_YAML_TYPE_BOOL,
          offsetof(reel_pipeline_t, subtitles), 0, 0, NULL, false },
        FN("watermark", reel_pipeline_t, mark, reel_conf_watermark),
        { "per_title", REEL_YAML_TYPE_FN, 0, 0, 0, read_per_title, false },
        { "tasks", REEL_YAML_TYPE_FN, 0, 0, 0, reel_conf_tasks, false },
    };

    err = reel_yaml_is(root, REEL_YAML_MAP, e);
    if (err != REEL_OK) {
        return err;
    }

    read_encoder(p, root);
    err = reel_yaml_map(p, root, ROWS(keys), e);

    if (err == REEL_OK) {
        err = check_preset(reel_yaml_find(root, "preset"), p->codec,
                           p->preset, e);
    }

    /* what is wrong in itself would be told again */
    if (err == REEL_OK) {
        err = check_together(p, root, e);
    }

    return err;
}


/* all defaults, and the file's name without folder and .yaml */
static reel_err_t
begin(reel_pipeline_t *p, const char *file, reel_error_t *e)
{
    size_t      len;
    const char *base;

    reel_pipeline_default(p);

    base = strrchr(file, '/');
    base = base == NULL ? file : base + 1;
    len = strcspn(base, ".");

    if (!reel_name_valid((reel_str_t) { base, len })) {
        return reel_fail(e, REEL_INVAL, "%.100s: not named after a pipeline, "
                         "[a-z0-9-].yaml", file);
    }

    return reel_str_copy(p->name, sizeof(p->name),
                         (reel_str_t) { base, len });
}


/* root is released; file: NULL when its folder is not looked at */
static reel_err_t
finish(reel_pipeline_t *p, const char *file, reel_yaml_t *root,
    reel_err_t err, reel_yaml_faults_t *f, reel_error_t *e)
{
    if (err == REEL_OK && f != NULL) {
        reel_yaml_collect(root, f);
    }
    if (err == REEL_OK) {
        err = read_pipeline(p, root, e);
    }
    if (err == REEL_OK && file != NULL && p->mark.image[0] != '\0') {
        err = reel_conf_watermark_read(&p->mark, file, root, e);
    }

    reel_yaml_free(root);

    return err;
}


reel_err_t
reel_pipeline_parse(reel_pipeline_t *p, const char *file, const char *text,
    size_t len, reel_error_t *e)
{
    reel_err_t   err;
    reel_yaml_t *root = NULL;

    err = begin(p, file, e);

    if (err == REEL_OK) {
        err = reel_yaml_parse(&root, file, text, len, e);
    }

    return finish(p, NULL, root, err, NULL, e);
}


reel_err_t
reel_pipeline_read(reel_pipeline_t *p, const char *file,
    reel_yaml_faults_t *f, reel_error_t *e)
{
    reel_err_t   err;
    reel_yaml_t *root = NULL;

    err = begin(p, file, e);

    if (err == REEL_OK) {
        err = reel_yaml_load_regular(&root, file, e);
    }

    return finish(p, file, root, err, f, e);
}


reel_err_t
reel_pipeline_load(reel_pipeline_t *p, const char *file, reel_error_t *e)
{
    return reel_pipeline_read(p, file, NULL, e);
}


reel_err_t
reel_pipeline_open(reel_pipeline_t *p, const char *dir, reel_str_t name,
    reel_error_t *e)
{
    int  n;
    char file[PATH_MAX];

    /* a name is data from outside: never a path */
    if (!reel_name_valid(name)) {
        return reel_fail(e, REEL_INVAL, "\"%.*s\" is not a pipeline's name",
                         (int) (name.len < 64 ? name.len : 64), name.p);
    }

    n = snprintf(file, sizeof(file), "%s/%.*s.yaml", dir, (int) name.len,
                 name.p);

    if (n < 0 || (size_t) n >= sizeof(file)) {
        return reel_fail(e, REEL_LIMIT, "the folder's path is too long");
    }

    return reel_pipeline_load(p, file, e);
}
