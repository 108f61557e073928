/* any bytes as a pipeline's YAML: what is taken can be planned with */

#include "tests/fuzz/round_trip.h"

#include "lib/job/plan.h"
#include "lib/conf/pipeline_yaml.h"


/* the queue takes tasks whose dependencies stand before them */
static void
check_order(const reel_plan_t *p)
{
    size_t i, d;

    for (i = 0; i < p->ntasks; i++) {
        for (d = 0; d < p->tasks[i].ndeps; d++) {
            need(p->tasks[i].deps[d] < i);
        }
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int64_t          key = 0;
    reel_err_t       err;
    reel_plan_t      p;
    reel_error_t     e = { "" };
    reel_pipeline_t  pl;
    reel_source_t    s = {
        .video = {
            .stream = 0, .codec = "h264", .tb = { 1, 25 }, .last_pts = 24999,
            .last_dur = 1, .frames = 25000, .constant_rate = true,
            .rate = { 25, 1 }, .width = 1920, .height = 1080,
            .keyframes = &key, .nkeyframes = 1,
        },
        .audio = { .stream = -1 },
    };

    if (reel_pipeline_parse(&pl, "fuzz.yaml", (const char *) data, size, &e)
        != REEL_OK)
    {
        need(e.text[0] != '\0');
        return 0;
    }

    need(strcmp(pl.name, "fuzz") == 0);

    /* conditions may leave nothing for this film; all else has a plan */
    err = reel_plan(&p, &pl, &s, 0, &e);
    need(err == REEL_OK || err == REEL_INVAL || err == REEL_UNSUPPORTED);

    if (err == REEL_OK) {
        need(p.ntasks >= 2);
        check_order(&p);
        reel_plan_release(&p);
    }

    return 0;
}
