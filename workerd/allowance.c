#include "workerd/allowance.h"

#define KIB (UINT64_C(1) << 10)

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
    [REEL_TASK_PUBLISH] = { 4 * KIB, 0 }
};


size_t
reel_allowance_line(const reel_attempt_t *a)
{
    uint64_t  n;

    n = lines[a->ops->type].line + lines[a->ops->type].fragment * a->frags;

    return n < REEL_CHILD_LINE_MAX ? (size_t) n : REEL_CHILD_LINE_MAX;
}
