/* every shipped pipeline: it reads, and what two films become */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/conf/pipeline_yaml.h"
#include "lib/job/show.h"
#include "tests/unit/golden.h"
#include "tests/unit/help/files.h"

/* every kind of edge: files, order, fan-outs that meet, conditions */
static const char YAML[] =
    "renditions:\n"
    "  - { short_side: 720, crf: 23, max_kbps: 900, buf_kbits: 900 }\n"
    "  - { short_side: 360, crf: 23, max_kbps: 400, buf_kbits: 400 }\n"
    "  - { short_side: 360, crf: 40, max_kbps: 300, buf_kbits: 300,\n"
    "      codec: av1 }\n"
    "tasks:\n"
    "  storyboard: { when: duration > 3600 }\n"
    "  encode_audio: { after: look }\n"
    "  light: { type: encode_video, codec: av1, after: cut,\n"
    "           needs: { slots: 2, labels: [av1] }, priority: 1 }\n"
    "  look: { type: exec, command: [/bin/look, -v], inputs: source,\n"
    "          outputs: facts.json, cost_s: 20 }\n"
    "  cut: { type: exec, command: /bin/cut, for_each: chunk,\n"
    "         inputs: [look/facts.json], outputs: [a.bin], cost_s: 0,\n"
    "         cost_percent: 50 }\n"
    "  join: { type: exec, command: /bin/join, inputs: cut/a.bin,\n"
    "          outputs: [all.bin], optional: true }\n"
    "  never: { type: exec, command: /bin/false, when: height > 5000,\n"
    "           outputs: [x] }\n"
    "  nor: { type: exec, command: /bin/false, inputs: never/x }\n"
    "  size: { type: exec, command: /bin/size, for_each: rendition,\n"
    "          after: [encode_video, light, never] }\n";

static const char *const films[] = { "film", "phone" };


/* tests/golden/<film>.inspect.json */
static void
read_film(reel_source_t *s, const char *film)
{
    char          name[64], *text;
    size_t        len;
    reel_error_t  e;

    (void) snprintf(name, sizeof(name), "%s.inspect.json", film);
    text = golden_read(name, &len);

    if (reel_source_parse(s, text, len, &e) != REEL_OK) {
        fail_msg("%s: %s", name, e.text);
    }

    free(text);
}


static void
expand(const char *file, const char *name)
{
    char             golden[128];
    size_t           i;
    reel_buf_t       b;
    reel_plan_t      plan;
    reel_error_t     e;
    reel_source_t    s;
    reel_pipeline_t  p;

    if (reel_pipeline_load(&p, file, &e) != REEL_OK) {
        fail_msg("%s", e.text);
    }

    for (i = 0; i < sizeof(films) / sizeof(films[0]); i++) {
        read_film(&s, films[i]);
        reel_buf_init(&b, 1u << 20);

        if (reel_plan(&plan, &p, &s, 0, &e) != REEL_OK) {
            fail_msg("%s: %s", file, e.text);
        }

        assert_int_equal(reel_show_plan(&b, &p, &plan, &s, REEL_SHOW_TEXT),
                         REEL_OK);
        (void) snprintf(golden, sizeof(golden), "%s.%s.plan", name,
                        films[i]);
        golden_check(golden, b.data, b.len);

        reel_buf_release(&b);
        reel_plan_release(&plan);
        reel_source_release(&s);
    }
}


/* what a film becomes that was tried: flat drawings, no sharper than 720 */
static void
by_the_film(void **state)
{
    reel_buf_t       b;
    reel_plan_t      plan;
    reel_error_t     e;
    reel_source_t    s;
    reel_pipeline_t  p;
    static const char trials[] =
        "{\"trials\":[1920,1080,23,1900,3000,200,1280,720,23,1200,4000,"
        "30000,854,480,23,1000,9000,30000,640,360,23,500,16000,40000,"
        "426,240,23,260,21000,1000000,426,240,29,140,40000,1000000]}";

    (void) state;
    read_film(&s, "film");

    if (reel_pipeline_load(&p, "conf/pipelines/per-title.yaml", &e)
        != REEL_OK)
    {
        fail_msg("%s", e.text);
    }

    reel_buf_init(&b, 1u << 20);
    assert_int_equal(reel_plan_begin(&plan, &p, &s, 0, &e), REEL_OK);
    assert_int_equal(reel_show_plan(&b, &p, &plan, &s, REEL_SHOW_TEXT),
                     REEL_OK);
    reel_plan_release(&plan);

    assert_int_equal(reel_trials_parse(&s.trials, trials, strlen(trials),
                                       &e), REEL_OK);
    assert_int_equal(reel_plan(&plan, &p, &s, 0, &e), REEL_OK);
    assert_int_equal(reel_show_plan(&b, &p, &plan, &s, REEL_SHOW_TEXT),
                     REEL_OK);
    golden_check("per-title.tried.plan", b.data, b.len);

    reel_buf_release(&b);
    reel_plan_release(&plan);
    reel_source_release(&s);
}


/* the top of a ladder is copied, whose rate leaves room below it */
static void
on_top(void **state)
{
    size_t           i;
    reel_buf_t       b;
    reel_plan_t      plan;
    reel_error_t     e;
    reel_source_t    s;
    reel_pipeline_t  p;
    static const char *const goldens[] = { "copy-ladder.top.plan",
                                           "copy-ladder.top.json" };

    (void) state;
    read_film(&s, "film");
    s.video.copy.kbps = 4000;

    if (reel_pipeline_load(&p, "conf/pipelines/copy-ladder.yaml", &e)
        != REEL_OK)
    {
        fail_msg("%s", e.text);
    }

    assert_int_equal(reel_plan(&plan, &p, &s, 0, &e), REEL_OK);

    for (i = 0; i < 2; i++) {
        reel_buf_init(&b, 1u << 20);
        assert_int_equal(reel_show_plan(&b, &p, &plan, &s, i == 0
                                        ? REEL_SHOW_TEXT : REEL_SHOW_JSON),
                         REEL_OK);
        golden_check(goldens[i], b.data, b.len);
        reel_buf_release(&b);
    }

    reel_plan_release(&plan);
    reel_source_release(&s);
}


static void
shipped(void **state)
{
    int             n = 0;
    DIR            *d = opendir("conf/pipelines");
    char            file[300], name[64];
    size_t          len;
    struct dirent  *entry;

    (void) state;
    assert_non_null(d);

    while ((entry = readdir(d)) != NULL) {
        len = strcspn(entry->d_name, ".");

        if (len > 0 && strcmp(entry->d_name + len, ".yaml") == 0) {
            (void) snprintf(name, sizeof(name), "%.*s", (int) len,
                            entry->d_name);
            (void) snprintf(file, sizeof(file), "conf/pipelines/%s",
                            entry->d_name);
            expand(file, name);
            n++;
        }
    }

    closedir(d);
    assert_true(n >= 9);
}


/* only where a file is read is its folder looked at */
static void
a_watermark_is_beside_its_file(void **state)
{
    char             dir[] = "/tmp/reel-mark-XXXXXX", file[64], png[64];
    reel_error_t     e = { "" };
    reel_pipeline_t  p;
    static const char text[] = "gop_ms: 500\nwatermark: { image: m.png }\n";

    (void) state;
    assert_int_equal(reel_pipeline_parse(&p, "x.yaml", text, strlen(text),
                                         &e), REEL_OK);
    assert_string_equal(p.mark.sum, "");

    assert_int_equal(reel_pipeline_parse(&p, "x.yaml", "hdr: keep\n"
                                         "watermark: { image: m.png }\n",
                                         38, &e), REEL_BADDATA);
    assert_string_equal(e.text, "x.yaml:1:6: hdr: HDR cannot be kept below a "
                        "watermark");

    assert_non_null(mkdtemp(dir));
    (void) snprintf(file, sizeof(file), "%s/x.yaml", dir);
    (void) snprintf(png, sizeof(png), "%s/m.png", dir);
    file_write_text(file, text);

    assert_int_equal(reel_pipeline_load(&p, file, &e), REEL_BADDATA);
    assert_non_null(strstr(e.text, "x.yaml:2:21: watermark: \"m.png\" cannot"));

    file_write_text(png, "GIF89a and more");
    assert_int_equal(reel_pipeline_load(&p, file, &e), REEL_BADDATA);
    assert_non_null(strstr(e.text, "is no PNG"));

    file_write_text(png, "\x89PNG\r\n\x1a\n");
    assert_int_equal(reel_pipeline_load(&p, file, &e), REEL_OK);
    assert_string_equal(p.mark.sum, "4c4b6a3be1314ab86138bef4314dde022e600960"
                                    "d8689a2c8f8631802d20dab6");

    (void) remove(png);
    (void) remove(file);
    (void) remove(dir);
}


static void
a_watermark_may_be_a_text(void **state)
{
    char             dir[] = "/tmp/reel-mark-XXXXXX", file[64], font[64];
    reel_error_t     e = { "" };
    reel_pipeline_t  p;
    static const char text[] = "watermark: { text: '\xc2\xa9 %{pts} \\', "
                               "font: f.ttf, color: '#0a1B2c' }\n";

    (void) state;
    assert_int_equal(reel_pipeline_parse(&p, "x.yaml", text, strlen(text),
                                         &e), REEL_OK);
    assert_string_equal(p.mark.text, "\xc2\xa9 %{pts} \\");
    assert_string_equal(p.mark.font, "f.ttf");
    assert_int_equal(p.mark.color, 0x0a1b2c);

    assert_int_equal(reel_pipeline_parse(&p, "x.yaml", "watermark: { text: "
                                         "a, color: aqua }\n", 36, &e),
                     REEL_OK);
    assert_int_equal(p.mark.color, 0x00ffff);
    assert_int_equal(reel_pipeline_parse(&p, "x.yaml", "watermark: { text: "
                                         "a }\n", 23, &e), REEL_OK);
    assert_int_equal(p.mark.color, 0xffffff);

    /* it is laid over the pictures as an image is */
    assert_int_equal(reel_pipeline_parse(&p, "x.yaml", "hdr: keep\n"
                                         "watermark: { text: a }\n", 33,
                                         &e), REEL_BADDATA);

    assert_non_null(mkdtemp(dir));
    (void) snprintf(file, sizeof(file), "%s/x.yaml", dir);
    (void) snprintf(font, sizeof(font), "%s/f.ttf", dir);
    file_write_text(file, text);

    assert_int_equal(reel_pipeline_load(&p, file, &e), REEL_BADDATA);
    assert_non_null(strstr(e.text, "x.yaml:1:40: watermark: \"f.ttf\" cannot "
                           "be opened"));

    file_write_text(font, "no font");
    assert_int_equal(reel_pipeline_load(&p, file, &e), REEL_BADDATA);
    assert_non_null(strstr(e.text, "is no TrueType or OpenType font"));

    file_write_text(font, "OTTO");
    assert_int_equal(reel_pipeline_load(&p, file, &e), REEL_OK);

    (void) remove(font);
    (void) remove(file);
    (void) remove(dir);
}


/* pictures a second and light of each rendition, in all forms */
static void
rates_and_light(void **state)
{
    size_t           i;
    reel_buf_t       b;
    reel_plan_t      plan;
    reel_error_t     e;
    reel_source_t    s;
    reel_pipeline_t  p;

    static const struct {
        reel_show_form_t  form;
        const char       *kept, *mapped;
    } forms[] = {
        { REEL_SHOW_TEXT, "\n# h720: 1280x720 59.94/s hevc pq\n",
          "\n# v360: 640x360 29.97/s h264 sdr\n" },
        { REEL_SHOW_JSON, "\"name\":\"h720\",\"width\":1280,\"height\":720,"
          "\"rate\":[60000,1001],\"codec\":\"hevc\",\"range\":\"pq\"",
          "\"rate\":[30000,1001],\"codec\":\"h264\",\"range\":\"sdr\"" },
        { REEL_SHOW_DOT, "\\nh720 1280x720 59.94/s hevc pq",
          "\\nv360 640x360 29.97/s h264 sdr" },
    };
    static const char text[] =
        "hdr: keep\n"
        "renditions:\n"
        "  - { codec: hevc, short_side: 720, crf: 26, max_kbps: 3000, "
        "buf_kbits: 4500 }\n"
        "  - { short_side: 360, crf: 23, max_kbps: 900, buf_kbits: 1350, "
        "max_fps: 30 }\n";

    (void) state;
    read_film(&s, "film");
    s.video.rate = (reel_rational_t) { 60000, 1001 };
    s.video.light.range = REEL_RANGE_PQ;

    if (reel_pipeline_parse(&p, "x.yaml", text, strlen(text), &e) != REEL_OK
        || reel_plan(&plan, &p, &s, 0, &e) != REEL_OK)
    {
        fail_msg("%s", e.text);
    }

    reel_buf_init(&b, 1u << 20);

    for (i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        assert_int_equal(reel_show_plan(&b, &p, &plan, &s, forms[i].form),
                         REEL_OK);

        if (strstr(reel_buf_cstr(&b), forms[i].kept) == NULL
            || strstr(reel_buf_cstr(&b), forms[i].mapped) == NULL)
        {
            fail_msg("%s", reel_buf_cstr(&b));
        }

        reel_buf_clear(&b);
    }

    reel_buf_release(&b);
    reel_plan_release(&plan);
    reel_source_release(&s);
}


/* each reason, in the words of both forms; what is off is not among them */
static void
left_out(void **state)
{
    reel_buf_t       b;
    reel_plan_t      plan;
    reel_error_t     e;
    reel_source_t    s;
    reel_pipeline_t  p;

    static const char text[] =
        "renditions:\n"
        "  - { short_side: 720, crf: 26, max_kbps: 3000, buf_kbits: 4500 }\n"
        "  - { short_side: 360, crf: 23, max_kbps: 900, buf_kbits: 1350 }\n"
        "  - { short_side: 240, crf: 23, max_kbps: 400, buf_kbits: 600, "
        "when: duration < 1 }\n"
        "audio: { kbps: 0 }\n"
        "tasks:\n"
        "  poster: false\n"
        "  look: { type: exec, command: /bin/true, outputs: [x], "
        "when: height >= 1080 }\n"
        "  then: { type: exec, command: /bin/true, inputs: look/x }\n"
        "  each: { type: exec, command: /bin/true, for_each: audio_track }\n"
        "  stays: { type: exec, command: /bin/true, after: look }\n";

    (void) state;
    read_film(&s, "film");
    s.video.width = 640;
    s.video.height = 360;

    if (reel_pipeline_parse(&p, "x.yaml", text, strlen(text), &e) != REEL_OK
        || reel_plan(&plan, &p, &s, 0, &e) != REEL_OK)
    {
        fail_msg("%s", e.text);
    }

    reel_buf_init(&b, 1u << 20);
    assert_int_equal(reel_show_plan(&b, &p, &plan, &s, REEL_SHOW_TEXT),
                     REEL_OK);
    assert_string_equal(strstr(reel_buf_cstr(&b), "# left out"),
                        "# left out: look (when height >= 1080)\n"
                        "# left out: then (without look)\n"
                        "# left out: each (no audio_track)\n"
                        "# left out: v720 (larger than the film)\n"
                        "# left out: v240 (when duration < 1)\n");
    reel_buf_clear(&b);

    assert_int_equal(reel_show_plan(&b, &p, &plan, &s, REEL_SHOW_JSON),
                     REEL_OK);
    assert_non_null(strstr(reel_buf_cstr(&b), "\"left_out\":[{\"name\":"
                           "\"look\",\"why\":\"when height >= 1080\"},"));

    reel_buf_release(&b);
    reel_plan_release(&plan);
    reel_source_release(&s);
}


/* the three forms of the same */
static void
forms(void **state)
{
    reel_buf_t       b;
    reel_plan_t      plan;
    reel_error_t     e;
    reel_source_t    s;
    reel_pipeline_t  p;

    (void) state;
    assert_int_equal(reel_pipeline_parse(&p, "x.yaml", YAML, strlen(YAML),
                                         &e), REEL_OK);
    read_film(&s, "phone");
    assert_int_equal(reel_plan(&plan, &p, &s, 0, &e), REEL_OK);

    reel_buf_init(&b, 1u << 20);
    assert_int_equal(reel_show_plan(&b, &p, &plan, &s, REEL_SHOW_TEXT),
                     REEL_OK);
    reel_buf_printf(&b, "\n");
    assert_int_equal(reel_show_pipeline(&b, &p, REEL_SHOW_TEXT), REEL_OK);
    golden_check("nodes.txt", b.data, b.len);
    reel_buf_clear(&b);

    assert_int_equal(reel_show_plan(&b, &p, &plan, &s, REEL_SHOW_JSON),
                     REEL_OK);
    assert_int_equal(reel_show_pipeline(&b, &p, REEL_SHOW_JSON), REEL_OK);
    golden_check("nodes.json", b.data, b.len);
    reel_buf_clear(&b);

    assert_int_equal(reel_show_plan(&b, &p, &plan, &s, REEL_SHOW_DOT),
                     REEL_OK);
    assert_int_equal(reel_show_pipeline(&b, &p, REEL_SHOW_DOT), REEL_OK);
    golden_check("nodes.dot", b.data, b.len);

    reel_buf_release(&b);
    reel_plan_release(&plan);
    reel_source_release(&s);
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shipped),
        cmocka_unit_test(by_the_film),
        cmocka_unit_test(on_top),
        cmocka_unit_test(a_watermark_is_beside_its_file),
        cmocka_unit_test(a_watermark_may_be_a_text),
        cmocka_unit_test(rates_and_light),
        cmocka_unit_test(left_out),
        cmocka_unit_test(forms),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
