/* pipelines: the shipped file, and every way to get one wrong */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/conf/pipeline_yaml.h"
#include "tests/unit/help/files.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static char dir[] = "/tmp/reel-pipeline-XXXXXX";


static int
make_dir(void **state)
{
    (void) state;

    return mkdtemp(dir) == NULL;
}


static int
remove_dir(void **state)
{
    char file[64];

    (void) state;

    (void) snprintf(file, sizeof(file), "%s/x.yaml", dir);
    (void) unlink(file);

    return rmdir(dir);
}


static reel_err_t
load(reel_pipeline_t *p, const char *text, reel_error_t *e)
{
    char  file[64];

    (void) snprintf(file, sizeof(file), "%s/x.yaml", dir);
    file_write_text(file, text);
    e->text[0] = '\0';

    return reel_pipeline_open(p, dir, REEL_STR("x"), e);
}


/* conf/pipelines/default.yaml says all that the built-in one has */
static void
shipped_is_builtin(void **state)
{
    size_t           i;
    char            *text;
    reel_error_t     e;
    reel_pipeline_t  file, builtin;
    static const char *const keys[] = {
        "preset:", "gop_ms:", "encoder_threads:", "first_s:", "min_s:",
        "target_s:", "max_s:", "rungs:", "kbps:", "channels:", "object_s:",
        "tracks:",
        "percent:", "width:", "inspect:", "plan:", "encode_video:",
        "encode_audio:", "poster:", "storyboard:", "extract_subtitles:",
        "publish:",
    };

    (void) state;

    if (reel_pipeline_open(&file, "conf/pipelines", REEL_STR("default"), &e)
        != REEL_OK)
    {
        fail_msg("%s", e.text);
    }

    reel_pipeline_default(&builtin);
    assert_memory_equal(&file, &builtin, sizeof(file));

    /* and it keeps that because it says it, not because it is silent */
    text = file_read("conf/pipelines/default.yaml", NULL);

    for (i = 0; i < COUNT(keys); i++) {
        assert_non_null(strstr(text, keys[i]));
    }

    free(text);
}


static void
all_values(void **state)
{
    reel_error_t    e;
    reel_pipeline_t p;

    (void) state;

    assert_int_equal(load(&p,
        "preset: slow\n"
        "gop_ms: 1000\n"
        "copy_codecs: [ hevc ]\n"
        "copy_max_kbps: 900\n"
        "copy_as: only\n"
        "encoder_threads: 2\n"
        "chunks: { first_s: 3, min_s: 4, target_s: 5, max_s: 10 }\n"
        "rungs:\n"
        "  - { short_side: 2160, crf: 20, max_kbps: 1000, buf_kbits: 1500 }\n"
        "  - { short_side: 144, crf: 30, max_kbps: 100, buf_kbits: 150,\n"
        "      max_fps: 25 }\n"
        "audio: { kbps: 0, channels: 1, object_s: 30 }\n"
        "poster: { percent: 0, width: 640 }\n"
        "storyboard: { interval_s: 7, widths: [ 200 ], tile_width: 80, "
        "columns: 4, rows: 1 }\n"
        "subtitles: false\n"
        "tasks: { plan: { attempts: 9 }, poster: { timeout_s: 11 } }\n",
        &e), REEL_OK);
    assert_string_equal(p.name, "x");
    assert_string_equal(p.preset, "slow");
    assert_int_equal(p.gop_ms, 1000);
    assert_int_equal(p.copy_codecs, 1u << REEL_VIDEO_HEVC);
    assert_int_equal(p.copy_max_kbps, 900);
    assert_int_equal(p.copy_as, REEL_COPY_ONLY);
    assert_int_equal(p.encoder_threads, 2);
    assert_int_equal(p.first_chunk_s, 3);
    assert_int_equal(p.chunk_min_s, 4);
    assert_int_equal(p.chunk_target_s, 5);
    assert_int_equal(p.chunk_max_s, 10);
    assert_int_equal(p.nrungs, 2);
    assert_int_equal(p.rungs[1].short_side, 144);
    assert_int_equal(p.rungs[1].crf, 30);
    assert_int_equal(p.rungs[1].max_kbps, 100);
    assert_int_equal(p.rungs[1].buf_kbits, 150);
    assert_int_equal(p.rungs[0].max_fps, 0);
    assert_int_equal(p.rungs[1].max_fps, 25);
    assert_int_equal(p.audio_kbps, 0);
    assert_int_equal(p.audio_channels, 1);
    assert_int_equal(p.audio_object_s, 30);
    assert_int_equal(p.poster_percent, 0);
    assert_int_equal(p.poster_width, 640);
    assert_int_equal(p.story_interval_s, 7);
    assert_false(p.subtitles);
    assert_int_equal(p.nstory_widths, 1);
    assert_int_equal(p.story_widths[0], 200);
    assert_int_equal(p.story_tile_width, 80);
    assert_int_equal(p.story_columns, 4);
    assert_int_equal(p.story_rows, 1);
    assert_int_equal(p.nodes[REEL_TASK_PLAN].attempts, 9);
    assert_int_equal(p.nodes[REEL_TASK_PLAN].timeout_s, 60);
    assert_int_equal(p.nodes[REEL_TASK_POSTER].timeout_s, 11);

    /* nothing said: the built-in one under this name */
    assert_int_equal(load(&p, "", &e), REEL_OK);
    assert_int_equal(p.nrungs, 5);
    assert_int_equal(p.copy_codecs, 1u << REEL_VIDEO_H264);
    assert_string_equal(p.name, "x");

    assert_int_equal(p.copy_as, REEL_COPY_ONLY);
    assert_int_equal(load(&p, "copy_as: top\ncopy_max_kbps: 1\n", &e),
                     REEL_OK);
    assert_int_equal(p.copy_as, REEL_COPY_TOP);
    assert_int_equal(load(&p, "copy_codecs: [ h264, hevc ]\n", &e), REEL_OK);
    assert_int_equal(p.copy_codecs,
                     1u << REEL_VIDEO_H264 | 1u << REEL_VIDEO_HEVC);
}


#define RUNG(side) "  - { short_side: " #side ", crf: 23, max_kbps: 100," \
                   " buf_kbits: 150 }\n"


#define EXEC(more)                                                           \
    "tasks: { x: { type: exec, command: /bin/x, " more " } }\n"


typedef struct {
    const char *yaml, *text;            /* the error, behind the file's name */
} refusal_t;


static void
all_refused(const refusal_t *row, size_t n)
{
    int             bad = 0;
    char            want[256];
    reel_error_t    e;
    reel_pipeline_t p;

    for (size_t i = 0; i < n; i++) {
        assert_int_equal(load(&p, row[i].yaml, &e), REEL_BADDATA);
        (void) snprintf(want, sizeof(want), "%s/x.yaml:%s", dir,
                        row[i].text);

        if (strncmp(e.text, want, strlen(want)) != 0) {
            print_error("\"%s\", not \"%s\"\n", e.text, want);
            bad++;
        }
    }

    assert_int_equal(bad, 0);
}


/* renditions and how they are encoded */
static void
ladder_refused(void **state)
{
    static const refusal_t rows[] = {
        { "presett: fast\n", "1:1: unknown key \"presett\"" },
        { "preset: placebo\n", "1:9: \"placebo\" is not a preset" },
        { "preset: [fast]\n", "1:9: preset must be a single value" },
        { "gop_ms: 100\n", "1:9: gop_ms must lie within 500 to 10000" },
        { "gop_ms: two\n", "1:9: gop_ms must be a whole number" },
        { "encoder_threads: 0\n", "1:18: encoder_threads must lie within" },
        { "rungs: {}\n", "1:8: rungs must be a list, not a map" },
        { "rungs: []\n", "1:8: rungs: 1 to 16 rungs are possible, not 0" },
        { "rungs:\n  - 1080\n", "2:5: value must be a map" },
        { "rungs:\n  - { short_side: 720 }\n", "2:5: \"crf\" is missing" },
        { "rungs:\n" RUNG(721), "2:19: short_side must be even, not 721" },
        { "rungs:\n" RUNG(20), "2:19: short_side must lie within 64" },
        { "hdr: on\n", "1:6: hdr must be map or keep, not \"on\"" },
        { "rungs:\n  - { short_side: 480, crf: 1, max_kbps: 99, "
          "buf_kbits: 99, hdr: keep }\n", "1:1: hdr: HDR is kept in HEVC and AV1" },
        { "rungs:\n" RUNG(480) RUNG(480),
          "2:3: rungs: short_side 480 does not fall below 480" },
        { "rungs:\n" RUNG(360) RUNG(480),
          "2:3: rungs: short_side 480 does not fall below 360" },
        { "rungs:\n  - { short_side: 64, crf: 52, max_kbps: 100,"
          " buf_kbits: 150 }\n", "2:28: crf must lie within 0 to 51" },
        { "rungs:\n" RUNG(4320) RUNG(4318) RUNG(4316) RUNG(4314) RUNG(4312)
          RUNG(4310) RUNG(4308) RUNG(4306) RUNG(4304) RUNG(4302) RUNG(4300)
          RUNG(4298) RUNG(4296) RUNG(4294) RUNG(4292) RUNG(4290) RUNG(4288),
          "18:5: more than 16 rungs" },
        { "chunks: { target_s: 40 }\n",
          "1:9: chunks: target_s 40 lies outside 6 to 30" },
        { "chunks:\n  min_s: 12\n  max_s: 23\n",
          "2:3: chunks: max_s 23 is less than twice min_s 12" },
        { "chunks: { min: 6 }\n", "1:11: unknown key \"min\"" },
    };

    (void) state;

    all_refused(rows, COUNT(rows));
}


static void
copies_refused(void **state)
{
    static const refusal_t rows[] = {
        { "copy_codecs: av1\n", "1:14: \"av1\" is not copied: h264 or hevc" },
        { "copy_codecs: [ h264, mpeg4 ]\n", "1:22: \"mpeg4\" is no codec" },
        { "copy_max_kbps: 9\ncopy_as: all\n",
          "2:10: copy_as must be only or top, not \"all\"" },
        { "copy_as: top\n",
          "1:10: copy_as: nothing is copied while copy_max_kbps is 0" },
        { "copy_as: top\ncopy_max_kbps: 9\ncopy_codecs: [ h264, hevc ]\n",
          "3:14: copy_codecs: copy_as: top needs renditions of hevc below" },
        { "copy_as: top\ncopy_max_kbps: 9\ncodec: hevc\n",
          "1:1: copy_codecs: copy_as: top needs renditions of h264 below" },
    };

    (void) state;

    all_refused(rows, COUNT(rows));
}


/* rates by the film */
static void
trials_refused(void **state)
{
    static const refusal_t rows[] = {
        { "per_title: { crf_above: 2 }\n", "1:12: \"ssim\" is missing" },
        { "per_title: { ssim: 98 }\n", "1:20: ssim must lie within 900" },
        { "per_title: { ssim: 980, crf_above: 7 }\n",
          "1:36: crf_above must" },
        { "per_title: { ssim: 980 }\ntasks:\n"
          "  complexity: { after: poster }\n", "3:24: complexity: the place of" },
        { "codec: hevc\nper_title: { ssim: 980 }\n",
          "2:12: per_title: rates by the film are of renditions of h264" },
    };

    (void) state;

    all_refused(rows, COUNT(rows));
}


static void
marks_refused(void **state)
{
    static const refusal_t rows[] = {
        { "watermark: { opacity: 5 }\n", "1:12: a watermark is an image or" },
        { "watermark: { image: a.png, text: b }\n",
          "1:34: a watermark is an image or a text" },
        { "watermark: { image: a.png, color: red }\n",
          "1:35: color is of a text" },
        { "watermark: { image: a.png, font: a.ttf }\n",
          "1:34: font is of a text" },
        { "watermark: { text: a, color: pink }\n", "1:30: color is a name" },
        { "watermark: { text: a, color: '#12345g' }\n",
          "1:30: color is a name of HTML's sixteen or \"#rrggbb\", not" },
        { "watermark: { text: a, font: ../a.ttf }\n",
          "1:29: \"../a.ttf\" is not a file's name" },
        { "watermark: { text: '' }\n", "1:20: text must have 1" },
        { "watermark: { text: \"a\\nb\" }\n",
          "1:20: text: U+000A is a control character" },
        { "watermark: { text: \"a\\u202e\" }\n",
          "1:20: text: U+202E is a control character" },
        { "watermark: { text: \"\\u05d0\" }\n",
          "1:20: text: U+05D0 is of a script" },
        { "watermark: { text: "
          "1234567890123456789012345678901234567890123456789012345678901234a }\n",
          "1:20: text must have at most 64 characters, not 65" },
        { "watermark: { image: ../a.png }\n", "1:21: \"../a.png\" is not" },
        { "watermark: { image: a.png, position: left }\n",
          "1:38: position is top-left, " },
        { "watermark: { image: a.png, opacity: 0 }\n", "1:37: opacity must" },
    };

    (void) state;

    all_refused(rows, COUNT(rows));
}


static void
sound_refused(void **state)
{
    static const refusal_t rows[] = {
        { "audio: { codec: mp3 }\n", "1:17: \"mp3\" is no codec" },
        { "audio: { loudness_lufs: 16 }\n",
          "1:25: loudness_lufs must lie within -40 to -5, not \"16\"" },
        { "audio: { loudness_lufs: -4 }\n", "1:25: loudness_lufs must" },
        { "audio: { kbps: 12 }\n", "1:16: kbps must be 0 (no sound) or at" },
        { "audio: { codec: opus, channels: 1, kbps: 257 }\n",
          "1:42: kbps must be at most 256 for opus" },
        { "audio: { tracks: 0 }\n", "1:18: tracks must lie within 1" },
        { "audio: { channels: 6 }\n", "1:20: channels must lie within 1" },
    };

    (void) state;

    all_refused(rows, COUNT(rows));
}


static void
pictures_refused(void **state)
{
    static const refusal_t rows[] = {
        { "storyboard: { widths: [] }\n",
          "1:13: storyboard: widths are 1 or 2" },
        { "storyboard: { widths: [ 300, 200 ] }\n",
          "1:13: storyboard: widths are 1 or 2" },
        { "storyboard: { widths: [ 1, 200 ] }\n",
          "1:25: value must lie within 16" },
        { "storyboard: { widths: [ 20, 30, 40 ] }\n",
          "1:33: more than 2 widths" },
        { "storyboard: { columns: 1, rows: 1 }\n",
          "1:13: storyboard: a sheet has two pictures at least" },
        { "poster: { percent: 101 }\n", "1:20: percent must lie within 0" },
    };

    (void) state;

    all_refused(rows, COUNT(rows));
}


static void
tasks_refused(void **state)
{
    static const refusal_t rows[] = {
        { "tasks: { encode: { attempts: 3 } }\n",
          "1:10: \"encode\" is no built-in task" },
        { "tasks: { plan: { attempts: 0 } }\n",
          "1:28: attempts must lie within 1 to 20" },
        { "tasks: { plan: 3 }\n", "1:16: plan must be a map" },
        { "tasks:\n  plan: { timeout_s: 9 }\n",
          "2:22: timeout_s must lie within 10" },
    };

    (void) state;

    all_refused(rows, COUNT(rows));
}


/* codecs, conditions and edges */
static void
graphs_refused(void **state)
{
    static const refusal_t rows[] = {
        { "codec: vp9\n", "1:8: \"vp9\" is no codec" },
        { "codec: av1\npreset: fast\n", "2:9: \"fast\" is not a preset of "
          "SVT-AV1" },
        { "preset: 8\n", "1:9: \"8\" is not a preset of x264" },
        { "rungs:\n" RUNG(480) "renditions:\n" RUNG(480),
          "4:3: rungs and renditions are the same" },
        { "renditions:\n  - { short_side: 64, crf: 2, max_kbps: 100,"
          " buf_kbits: 150, when: 'height >' }\n",
          "2:77: when: a fact, number or quoted text" },
        { "tasks: { poster: { when: size > 3 } }\n",
          "1:26: when: no such fact" },
        { "tasks: { poster: { when: height > 3 & video } }\n",
          "1:37: when: \"and\", \"or\" or the end" },
        { "tasks: { inspect: false }\n", "1:19: inspect: no job can do" },
        { "tasks: { plan: { when: video } }\n",
          "1:24: plan: plan has no condition" },
        { "tasks: { publish: { after: poster } }\n",
          "1:28: publish: the place of publish is fixed" },
        { "tasks: { poster: { after: publish } }\n",
          "1:27: poster: publish is the last" },
        { "tasks: { poster: { after: postre } }\n",
          "1:27: poster: there is no task \"postre\"" },
        { "tasks: { poster: { for_each: chunk } }\n",
          "1:30: poster: poster is not done for each chunk" },
        { "tasks: { poster: { for_each: frame } }\n",
          "1:30: for_each is chunk, rendition or audio_track" },
        { "tasks: { encode_video: false, encode_audio: false }\n",
          "1:24: encode_video: neither pictures nor sound" },
        { "tasks:\n  poster: { after: [encode_audio, storyboard] }\n"
          "  storyboard: { after: poster }\n",
          "3:24: storyboard: \"storyboard\" and \"poster\" wait for one" },
    };

    (void) state;

    all_refused(rows, COUNT(rows));
}


/* tasks of the user's own */
static void
programs_refused(void **state)
{
    static const refusal_t rows[] = {
        { "tasks: { x: { type: exec } }\n", "1:13: x: \"command\" is missing" },
        { "tasks: { x: { type: exec, command: [ls, -l] } }\n",
          "1:37: x: the program must be an absolute path" },
        { EXEC("cost_s: 86401"), "1:52: cost_s must lie within 0 to 86400" },
        { EXEC("cost_percent: -1"), "1:58: cost_percent must be a whole number" },
        { "tasks: { poster: { cost_s: 5 } }\n", "1:20: unknown key \"cost_s\"" },
        { "tasks: { x: { type: shell } }\n", "1:21: there is no type" },
        { "tasks: { x: { type: poster } }\n", "1:21: there is one task of" },
        { "tasks: { poster: { type: exec } }\n",
          "1:26: a task \"poster\" has that type" },
        { "tasks: { a0: { type: exec } }\n", "1:10: \"a0\" cannot be a" },
        { "tasks: { a_b: { type: exec } }\n", "1:10: \"a_b\" cannot be a" },
        { "tasks: { x: { type: encode_video } }\n",
          "1:13: x: \"codec\" is missing" },
        { "tasks: { x: { type: encode_video, codec: av1 } }\n",
          "1:42: x: no rendition is of av1" },
        { EXEC("inputs: [film]"), "1:53: x: \"film\" is no input" },
        { EXEC("inputs: [y/z.txt]"), "1:53: x: there is no task \"y\"" },
        { EXEC("inputs: [poster/z]"), "1:53: x: \"poster\" has no output" },
        { EXEC("inputs: [source, ../../etc/passwd]"), "1:61: \"../etc/" },
        { EXEC("outputs: [.x]"), "1:54: \".x\" is not a file's name" },
        { EXEC("outputs: [{ name: a/b }]"), "1:62: \"a/b\" is not a" },
        { EXEC("outputs: [a, a]"), "1:57: x: \"a\" is there twice" },
        { EXEC("needs: { slots: 300 }"), "1:60: slots must lie within" },
        { EXEC("needs: { labels: [GPU] }"), "1:62: a label has" },
        { EXEC("priority: 10"), "1:54: priority must lie within 0 to 9" },
        { EXEC("retries: 3"), "1:44: unknown key \"retries\"" },
    };

    (void) state;

    all_refused(rows, COUNT(rows));
}


static void
nodes(void **state)
{
    reel_error_t        e;
    reel_pipeline_t     p;
    const reel_node_t  *n;

    (void) state;

    if (load(&p,
        "codec: hevc\n"
        "renditions:\n"
        "  - { short_side: 720, crf: 28, max_kbps: 900, buf_kbits: 900 }\n"
        "  - { short_side: 720, crf: 60, max_kbps: 900, buf_kbits: 900,\n"
        "      codec: av1, preset: 12, when: duration < 600 }\n"
        "tasks:\n"
        "  poster: false\n"
        "  storyboard: { when: 'height >= 1080', after: words,\n"
        "                needs: { labels: [gpu, av1, gpu] } }\n"
        "  light: { type: encode_video, codec: av1, for_each: rendition,\n"
        "           needs: { slots: 2, memory_mib: 900 }, priority: 2 }\n"
        "  words:\n"
        "    type: exec\n"
        "    command: [ /usr/bin/words, --all, '' ]\n"
        "    inputs: [ source, inspect ]\n"
        "    outputs: [ a.vtt, { name: b, max_mib: 3, keep: false } ]\n"
        "  count:\n"
        "    { type: exec, command: /bin/count, inputs: words/b,\n"
        "      optional: true, for_each: audio_track }\n", &e) != REEL_OK)
    {
        fail_msg("%s", e.text);
    }

    assert_string_equal(p.preset, "veryfast");
    assert_int_equal(p.rungs[0].codec, REEL_VIDEO_HEVC);
    assert_int_equal(p.rungs[1].codec, REEL_VIDEO_AV1);
    assert_string_equal(p.rungs[1].preset, "12");
    assert_string_equal(p.rungs[1].when, "duration < 600");
    assert_true(p.nodes[REEL_TASK_POSTER].off);
    assert_int_equal(p.nnodes, REEL_TASK_EXEC + 3);

    n = &p.nodes[REEL_TASK_STORYBOARD];
    assert_string_equal(n->when, "height >= 1080");
    assert_string_equal(n->labels, "av1,gpu");
    assert_string_equal(n->after[0], "words");
    assert_int_equal(n->slots, REEL_NODE_UNSET);

    n = reel_pipeline_node(&p, "light");
    assert_int_equal(n->type, REEL_TASK_ENCODE_VIDEO);
    assert_int_equal(n->codec, REEL_VIDEO_AV1);
    assert_int_equal(n->each, REEL_EACH_RENDITION);
    assert_int_equal(n->slots, 2);
    assert_int_equal(n->memory_mib, 900);
    assert_int_equal(n->priority, 2);

    n = reel_pipeline_node(&p, "words");
    assert_int_equal(n->nwords, 3);
    assert_memory_equal(n->command, "/usr/bin/words\0--all\0\0", 23);
    assert_string_equal(n->inputs[1].from, "inspect");
    assert_int_equal(n->outputs[0].max_mib, 64);
    assert_true(n->outputs[0].keep);
    assert_int_equal(n->outputs[1].max_mib, 3);
    assert_false(n->outputs[1].keep || n->optional);
    assert_int_equal(n->attempts, 3);

    n = reel_pipeline_node(&p, "count");
    assert_string_equal(n->inputs[0].from, "words");
    assert_string_equal(n->inputs[0].file, "b");
    assert_true(n->optional);
}


/* all that is wrong with a file, in its order */
static void
several(void **state)
{
    size_t              i;
    char                file[64];
    reel_error_t        e;
    reel_pipeline_t     p;
    reel_yaml_faults_t  f = { 0 };

    static const char *const want[] = {
        "1:9: gop_ms", "2:1: unknown key \"colour\"", "4:5: \"crf\"",
        "4:5: \"max_kbps\"", "4:5: \"buf_kbits\"", "5:27: short_side",
        "7:17: when:", "8:14: there is no type",
    };

    (void) state;

    assert_int_equal(load(&p, "gop_ms: 1\ncolour: red\nrungs:\n"
        "  - { short_side: 100 }\n"
        "  - { crf: 9, short_side: 1, max_kbps: 100, buf_kbits: 100 }\n"
        "tasks:\n  plan: { when: 3 }\n  x: { type: y }\n", &e),
        REEL_BADDATA);
    assert_non_null(strstr(e.text, ":1:9: gop_ms"));

    (void) snprintf(file, sizeof(file), "%s/x.yaml", dir);
    assert_int_equal(reel_pipeline_read(&p, file, &f, &e), REEL_BADDATA);

    for (i = 0; i < f.n && i < COUNT(want); i++) {
        if (strstr(f.v[i].text, want[i]) == NULL) {
            fail_msg("\"%s\", not \"%s\"", f.v[i].text, want[i]);
        }
    }

    assert_int_equal(f.n, COUNT(want));

    /* once, though it is looked at twice */
    f.n = 0;
    assert_int_equal(load(&p, "codec:\n", &e), REEL_BADDATA);
    assert_int_equal(reel_pipeline_read(&p, file, &f, &e), REEL_BADDATA);
    assert_int_equal(f.n, 1);

    /* and of the graph */
    f.n = 0;
    assert_int_equal(load(&p, "tasks:\n  poster: { after: x }\n"
        "  storyboard: { after: y }\n", &e), REEL_BADDATA);
    assert_int_equal(reel_pipeline_read(&p, file, &f, &e), REEL_BADDATA);
    assert_int_equal(f.n, 2);
    assert_non_null(strstr(f.v[1].text, "x.yaml:3:24: storyboard: there is "
                           "no task \"y\""));
}


/* nobody writes into them: who waited would wait for ever */
static void
fifos(void **state)
{
    char             file[64], fifo[64];
    reel_error_t     e;
    reel_pipeline_t  p;

    static const char *const texts[] = {
        "watermark: { image: fifo.png }\n",
        "watermark: { text: a, font: fifo.png }\n",
    };

    (void) state;

    (void) snprintf(fifo, sizeof(fifo), "%s/fifo.png", dir);
    assert_int_equal(mkfifo(fifo, 0600), 0);

    for (size_t i = 0; i < COUNT(texts); i++) {
        assert_int_equal(load(&p, texts[i], &e), REEL_BADDATA);
        assert_non_null(strstr(e.text, "\"fifo.png\" is no regular file"));
    }
    assert_int_equal(unlink(fifo), 0);

    (void) snprintf(file, sizeof(file), "%s/x.yaml", dir);
    (void) unlink(file);
    assert_int_equal(mkfifo(file, 0600), 0);
    assert_int_equal(reel_pipeline_load(&p, file, &e), REEL_INVAL);
    assert_non_null(strstr(e.text, "x.yaml: is no regular file"));
    assert_int_equal(unlink(file), 0);
}


static void
names(void **state)
{
    size_t          i;
    reel_error_t    e;
    reel_pipeline_t p;
    static const char *const wrong[] = {
        "", ".", "..", "../default", "a/b", "Default", "-a", "a.yaml",
        "a23456789012345678901234567890123",
    };

    (void) state;

    for (i = 0; i < COUNT(wrong); i++) {
        assert_int_equal(reel_pipeline_open(&p, "conf/pipelines",
                             reel_str(wrong[i]), &e), REEL_INVAL);
        assert_non_null(strstr(e.text, "is not a pipeline's name"));
    }

    assert_int_equal(reel_pipeline_open(&p, "conf/pipelines",
                         REEL_STR("nosuch"), &e), REEL_NOTFOUND);
    assert_int_equal(reel_pipeline_load(&p, "conf/pipelines/A.yaml", &e),
                     REEL_INVAL);
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shipped_is_builtin),
        cmocka_unit_test(all_values),
        cmocka_unit_test(ladder_refused),
        cmocka_unit_test(copies_refused),
        cmocka_unit_test(trials_refused),
        cmocka_unit_test(marks_refused),
        cmocka_unit_test(sound_refused),
        cmocka_unit_test(pictures_refused),
        cmocka_unit_test(tasks_refused),
        cmocka_unit_test(graphs_refused),
        cmocka_unit_test(programs_refused),
        cmocka_unit_test(nodes),
        cmocka_unit_test(several),
        cmocka_unit_test(fifos),
        cmocka_unit_test(names),
    };

    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
