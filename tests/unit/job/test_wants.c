#include "tests/unit/job/film.h"

#include <stdio.h>

#include "lib/job/wants.h"


/* "<node>: <encoders>" of those that are used, in order */
static const char *
wants(char dst[512], const reel_pipeline_t *p)
{
    size_t      n, len = 0;
    const char *encoders[REEL_WANTS_MAX];

    dst[0] = '\0';

    for (uint32_t i = 0; i < p->nnodes; i++) {
        if (!reel_node_used(p, &p->nodes[i])) {
            continue;
        }

        n = reel_node_encoders(p, &p->nodes[i], encoders);
        len += (size_t) snprintf(dst + len, 512 - len, "%s%s",
                                 len > 0 ? " " : "", p->nodes[i].name);

        for (size_t k = 0; k < n; k++) {
            len += (size_t) snprintf(dst + len, 512 - len, "%c%s",
                                     k == 0 ? ':' : ',', encoders[k]);
        }
    }

    return dst;
}


static void
of_the_default(void **state)
{
    char            text[512];
    reel_pipeline_t p;

    (void) state;

    reel_pipeline_default(&p);
    assert_string_equal(wants(text, &p), "inspect plan encode_video:libx264 "
                        "encode_audio:aac poster storyboard "
                        "extract_subtitles publish");
}


static void
as_it_is_set(void **state)
{
    char            text[512];
    reel_node_t    *n;
    reel_pipeline_t p;

    (void) state;

    reel_pipeline_default(&p);
    p.rungs[0].codec = REEL_VIDEO_AV1;
    p.rungs[1].codec = REEL_VIDEO_HEVC;
    n = &p.nodes[p.nnodes++];
    reel_node_init(n, REEL_TASK_ENCODE_VIDEO, "slow");
    n->codec = REEL_VIDEO_AV1;
    reel_node_init(&p.nodes[p.nnodes++], REEL_TASK_EXEC, "words");
    p.audio_codec = REEL_AUDIO_OPUS;
    p.audio_surround = true;
    p.audio_lufs = -16;
    p.title_ssim = 980;
    p.story_interval_s = 0;
    p.subtitles = false;
    p.nodes[REEL_TASK_POSTER].off = true;
    assert_string_equal(wants(text, &p), "inspect plan "
                        "encode_video:libx264,libx265 "
                        "encode_audio:libopus,aac loudness "
                        "complexity:libx264 publish slow:libsvtav1 words");

    /* nothing is left for the built-in one */
    for (uint32_t i = 0; i < p.nrungs; i++) {
        p.rungs[i].codec = REEL_VIDEO_AV1;
    }
    p.audio_kbps = 0;
    p.title_ssim = 0;
    n->off = true;
    assert_string_equal(wants(text, &p), "inspect plan publish words");
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(of_the_default),
        cmocka_unit_test(as_it_is_set),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
