#include "workerd/allowance.h"

#include "lib/base/rescale.h"

#define KIB (UINT64_C(1) << 10)
#define MIB (UINT64_C(1) << 20)

/* an encoder keeps its rate on average, not in each fragment */
#define RATE_FACTOR 2

/* moof and the like, a fragment; headers and short tracks, in all */
#define FRAGMENT_BOXES (4 * KIB)
#define TRACK_BOXES    MIB

/* of a child beside its codecs', and of what else the user begins */
#define CHILD_THREADS 32
#define SPARE_THREADS 512

/* descriptors of a program: interpreters, drivers and pools of processes want
   more than codecs do */
#define PROGRAM_FILES 1024

/*
 * By what the biggest honest line of a type holds.  An object's line has
 * the header in hex (16 KiB of it at most), and four numbers of 37 digits
 * and 4 commas a fragment; inspect's has REEL_SOURCE_KEYFRAMES distances
 * that sum up to less than 2 REEL_PTS_MAX; plan's longest names every task
 * of the job.  An error fits the least of these.
 */
static const struct {
    uint64_t line;
    uint64_t fragment;          /* and for each that its object can have */
} lines[REEL_TASK_TYPES] = {
    [REEL_TASK_INSPECT] = { 1024 * KIB, 0 },
    [REEL_TASK_PLAN] = { 512 * KIB, 0 },
    [REEL_TASK_ENCODE_VIDEO] = { 64 * KIB, 48 },
    [REEL_TASK_ENCODE_AUDIO] = { 64 * KIB, 48 },
    [REEL_TASK_POSTER] = { 4 * KIB, 0 },
    [REEL_TASK_STORYBOARD] = { 16 * KIB, 0 },
    [REEL_TASK_SUBTITLES] = { 4 * KIB, 48 },
    [REEL_TASK_LOUDNESS] = { 4 * KIB, 0 },
    [REEL_TASK_COMPLEXITY] = { 4 * KIB, 0 },
    [REEL_TASK_PUBLISH] = { 4 * KIB, 0 },
    [REEL_TASK_EXEC] = { 4 * KIB, 0 }
};


size_t
reel_allowance_line(const reel_attempt_t *a)
{
    uint64_t  n;

    n = lines[a->ops->type].line + lines[a->ops->type].fragment * a->frags;

    return n < REEL_CHILD_LINE_MAX ? (size_t) n : REEL_CHILD_LINE_MAX;
}


void
reel_allowance_need(reel_attempt_t *a, const reel_grid_t *g, uint32_t n,
    uint32_t kbps)
{
    int64_t  ms, bytes;

    ms = reel_rescale((int64_t) n * g->gop_ts, 1000, g->timescale,
                      REEL_ROUND_UP);
    bytes = reel_rescale(ms, (uint64_t) kbps * RATE_FACTOR, 8,
                         REEL_ROUND_UP);

    /* what saturated is more than any medium has; the sum fits 64 bits */
    bytes = bytes < INT64_MAX / 64 ? bytes : INT64_MAX / 64;

    a->need += (uint64_t) bytes + n * FRAGMENT_BOXES + TRACK_BOXES;
}


/*
 * A decoder and an encoder a rung with encoder_threads each, as many again
 * that look ahead, some that wait; for every slot, since one limit counts
 * them all.
 */
static uint32_t
threads(const reel_worker_t *w, unsigned slots)
{
    uint32_t  most = 1;

    for (size_t i = 0; i < w->npipelines; i++) {
        if (w->pipelines[i].encoder_threads > most) {
            most = w->pipelines[i].encoder_threads;
        }
    }

    return SPARE_THREADS
           + slots * (CHILD_THREADS + 2 * most * (REEL_TASK_RUNGS + 1));
}


reel_limits_t
reel_allowance_limits(const reel_attempt_t *a, unsigned slots)
{
    const reel_config_t  *conf = &a->w->conf;
    reel_limits_t         l = {
        .memory_bytes = conf->memory_mib * MIB,
        .output_bytes = conf->output_mib * MIB,
        .cpu_s = a->timeout_s * (a->slots > 1 ? a->slots : 1),
        .threads = threads(a->w, slots)
    };

    if (a->ops != NULL && a->ops->type == REEL_TASK_EXEC) {
        l.files = PROGRAM_FILES;

        /* its threads may be on all cores; the time of day ends it */
        l.cpu_s = a->timeout_s * reel_config_cores();

        /* a program's is what its node says that it needs */
        if (a->memory_mib * MIB > l.memory_bytes) {
            l.memory_bytes = a->memory_mib * MIB;
        }
    }

    if (a->memfd >= 0 && a->need < l.output_bytes) {
        l.output_bytes = a->need;
    }

    return l;
}
