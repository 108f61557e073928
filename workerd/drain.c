#include "workerd/drain.h"

#include "workerd/log.h"
#include "workerd/presence.h"
#include "workerd/slots.h"

#define LOOK_MS 50
#define TELL_MS 5000
#define LEAVE_MS 1000

/* one daemon a process */
static reel_timer_t  timer;
static int64_t       kill_at, stop_at;


/* nobody counts on it any more; a Redis that is silent is not waited for */
static void
on_leave(void *arg)
{
    reel_worker_t  *w = arg;

    if (reel_presence_leave(w->presence) || reel_loop_now() >= stop_at) {
        reel_loop_stop(w->loop);
        return;
    }

    reel_timer_start(w->loop, &timer, LOOK_MS, on_leave, w);
}


static void
leave(reel_worker_t *w)
{
    stop_at = reel_loop_now() + LEAVE_MS;
    on_leave(w);
}


static void
on_look(void *arg)
{
    int64_t         now = reel_loop_now();
    reel_worker_t  *w = arg;

    if (reel_slots_busy(w->slots) == 0 && !reel_slots_claiming(w->slots)) {
        reel_log(REEL_LOG_INFO, "stopped");
        leave(w);
        return;
    }

    if (now >= stop_at) {
        reel_log(REEL_LOG_WARN, "stopped with %u tasks untold%s: their "
                 "leases will end", reel_slots_busy(w->slots),
                 reel_slots_claiming(w->slots) ? " and a claim unanswered"
                                               : "");
        leave(w);
        return;
    }

    if (now >= kill_at) {
        reel_slots_give_back(w->slots);
    }

    reel_timer_start(w->loop, &timer, LOOK_MS, on_look, w);
}


void
reel_drain(reel_worker_t *w)
{
    int64_t  now = reel_loop_now();

    if (w->draining) {
        kill_at = now;
    } else {
        w->draining = true;
        kill_at = now + (int64_t) w->conf.drain_s * 1000;
        reel_log(REEL_LOG_INFO, "stopping: %u tasks run, at most %u s more",
                 reel_slots_busy(w->slots), w->conf.drain_s);
        reel_presence_look(w->presence);
    }

    stop_at = kill_at + TELL_MS;
    reel_timer_start(w->loop, &timer, 0, on_look, w);
}
