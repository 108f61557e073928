/* a line of `doctor` each, for its own files only */

#ifndef REEL_CTL_DOCTOR_IMPL_H
#define REEL_CTL_DOCTOR_IMPL_H

#include "reelctl/queue.h"

typedef enum {
    REEL_DOCTOR_OK,
    REEL_DOCTOR_SKIP,           /* it was not named */
    REEL_DOCTOR_WARN,
    REEL_DOCTOR_FAIL            /* the exit code tells it */
} reel_ctl_grade_t;

typedef struct {
    reel_ctl_t *c;
    json_t     *checks;         /* with --json */
    json_t     *live;           /* workers; NULL: they could not be asked for */
    unsigned    failed;
} reel_ctl_doctor_t;

/* prints the line of a check, or keeps it for JSON; counts what failed */
void reel_ctl_doctor_say(reel_ctl_doctor_t *d, reel_ctl_grade_t g,
    const char *name, const char *fmt, ...) REEL_PRINTF(4, 5);

/* what wakes workers, workers, what waits for none of them, quarantine, jobs:
   of a Redis that answers */
void reel_ctl_doctor_queues(reel_ctl_doctor_t *d, reel_ctl_redis_t *r);

/* reads d's live workers of a Redis that answers */
void reel_ctl_doctor_live(reel_ctl_doctor_t *d, reel_ctl_redis_t *r);

/* what the server offers against what they have */
void reel_ctl_doctor_pipelines(reel_ctl_doctor_t *d);

/* events that webhooks have yet to tell, below the store's folder */
void reel_ctl_doctor_hooks(reel_ctl_doctor_t *d, const char *store);

#endif
