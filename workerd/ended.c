/*
 * Tasks of jobs that ended under them.  Redis says so as soon as a job
 * fails or is cancelled (K:wake, "ended <job>"): the leases are renewed at
 * once, which tells what is not ours any more.  A deleted asset and a job that
 * its user cancelled are seen in the store, with Redis or without; the outbox
 * then cancels the job in Redis.
 */

#include <string.h>

#include "workerd/final.h"
#include "workerd/log.h"
#include "workerd/outbox.h"
#include "workerd/slot.h"

#define TICK_MS 1000
#define ENDED   "ended "


bool
reel_slot_unwanted(reel_slot_t *s)
{
    bool             dead, cancelled = false;
    reel_attempt_t  *a = s->attempt;

    if (reel_final_tombstone(a->w->store, a->asset, &dead) != REEL_OK) {
        return false;
    }

    if (!dead && (reel_final_cancelled(a->w->store, a->job, &cancelled)
                  != REEL_OK || !cancelled))
    {
        return false;
    }

    reel_log_task(REEL_LOG_INFO, a->job, a->task,
                  dead ? "the asset was deleted" : "the job was cancelled");
    reel_outbox_look(a->w->outbox);

    return true;
}


static void
on_tick(void *arg)
{
    reel_slot_t   *slot;
    reel_slots_t  *s = arg;

    for (unsigned i = 0; i < s->n; i++) {
        slot = &s->slot[i];

        if (slot->state == REEL_SLOT_RUNNING && !slot->lost
            && reel_slot_unwanted(slot))
        {
            slot->lost = true;
            reel_child_kill(slot->proc);
        }
    }

    reel_timer_start(s->w->loop, &s->ended, TICK_MS, on_tick, s);
}


void
reel_slots_watch_ended(reel_slots_t *s)
{
    reel_timer_start(s->w->loop, &s->ended, TICK_MS, on_tick, s);
}


bool
reel_slots_ended(reel_slots_t *s, reel_str_t message)
{
    reel_str_t  job;

    if (!reel_str_prefix(message, ENDED)) {
        return false;
    }

    job = (reel_str_t) { message.p + strlen(ENDED),
                         message.len - strlen(ENDED) };

    for (unsigned i = 0; i < s->n; i++) {
        if (s->slot[i].state == REEL_SLOT_RUNNING
            && reel_str_eqz(job, s->slot[i].attempt->job))
        {
            reel_slots_renew(s);
            break;
        }
    }

    return true;
}
