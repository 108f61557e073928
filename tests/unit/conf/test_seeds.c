/*
 * What the fuzzer of tasks begins with is what the planner says today: a seed
 * that no parser takes any more would lead it nowhere.
 * REEL_GOLDEN_WRITE=1 writes tests/fuzz/corpus/task anew.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/conf/pipeline_yaml.h"
#include "lib/job/plan.h"
#include "tests/unit/golden.h"

/* one of each type, with most of what they may be told */
static const char YAML[] =
    "per_title: { ssim: 980, crf_above: 6, drop_percent: 80 }\n"
    "renditions:\n"
    "  - { short_side: 720, crf: 23, max_kbps: 900, buf_kbits: 900 }\n"
    "  - { short_side: 360, crf: 40, max_kbps: 300, buf_kbits: 300 }\n"
    "audio: { loudness_lufs: -16 }\n"
    "storyboard: { interval_s: 2 }\n"
    "tasks:\n"
    "  look: { type: exec, command: [/bin/look, -v], inputs: [source, inspect],\n"
    "          outputs: facts.json, cost_s: 20 }\n"
    "  cut: { type: exec, command: /bin/cut, for_each: chunk,\n"
    "         inputs: [look/facts.json], outputs: [a.bin], cost_s: 0,\n"
    "         cost_percent: 50 }\n"
    "  join: { type: exec, command: /bin/join, inputs: cut/a.bin,\n"
    "          outputs: [all.bin], optional: true }\n";

/* the names of tests/fuzz/fuzz_task.c */
static const struct {
    const char *task, *format;
} seeds[] = {
    { "complexity", "complexity" },
    { "v0.0", "encode_video" },
    { "a0", "encode_audio" },
    { "loudness", "encode_audio" },
    { "poster", "poster" },
    { "storyboard", "storyboard" },
    { "t0", "subtitles" },
    { "look", "exec" },
    { "cut.1", "exec" },
    { "join", "exec" },
    { "publish0", "publish" },
    { "publish", "publish" }
};


static void
read_film(reel_source_t *s, const char *name)
{
    char          *text;
    size_t         len;
    reel_error_t   e;

    text = golden_read(name, &len);
    if (reel_source_parse(s, text, len, &e) != REEL_OK) {
        fail_msg("%s: %s", name, e.text);
    }
    free(text);
}


/* those seeds whose task is in the plan; how many */
static size_t
check(const reel_plan_t *plan)
{
    char        path[128];
    size_t      i, k, n = 0;
    reel_buf_t  b;

    for (i = 0; i < plan->ntasks; i++) {
        for (k = 0; k < sizeof(seeds) / sizeof(seeds[0]); k++) {
            if (strcmp(plan->tasks[i].name, seeds[k].task) == 0) {
                reel_buf_init(&b, REEL_PAYLOAD_MAX);
                reel_buf_addz(&b, seeds[k].format);
                reel_buf_u8(&b, ' ');
                reel_buf_addz(&b, plan->tasks[i].payload);
                assert_int_equal(reel_buf_err(&b), REEL_OK);

                (void) snprintf(path, sizeof(path), "../fuzz/corpus/task/%s",
                                seeds[k].task);
                golden_check(path, b.data, b.len);
                reel_buf_release(&b);
                n++;
            }
        }
    }

    return n;
}


static void
every_type(void **state)
{
    size_t           n;
    reel_plan_t      plan;
    reel_error_t     e;
    reel_source_t    s;
    reel_pipeline_t  p;

    (void) state;
    read_film(&s, "film.inspect.json");

    if (reel_pipeline_parse(&p, "seeds.yaml", YAML, strlen(YAML), &e)
        != REEL_OK)
    {
        fail_msg("%s", e.text);
    }

    assert_int_equal(reel_plan_begin(&plan, &p, &s, 0, &e), REEL_OK);
    n = check(&plan);
    reel_plan_release(&plan);

    assert_int_equal(reel_plan(&plan, &p, &s, 0, &e), REEL_OK);
    n += check(&plan);
    reel_plan_release(&plan);

    assert_int_equal(n, sizeof(seeds) / sizeof(seeds[0]));
    reel_source_release(&s);
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_type),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
