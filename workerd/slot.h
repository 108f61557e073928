/* one slot, for the files that move it: slots.c, slot_report.c, lease.c */

#ifndef REEL_WORKERD_SLOT_H
#define REEL_WORKERD_SLOT_H

#include "workerd/attempt.h"
#include "workerd/child.h"
#include "workerd/loop.h"
#include "workerd/slots.h"

typedef enum {
    REEL_SLOT_IDLE,
    REEL_SLOT_CLAIMING,         /* step is under way, nothing to complete */
    REEL_SLOT_RUNNING,          /* a child works */
    REEL_SLOT_REPORTING         /* its end is being told, again and again */
} reel_slot_state_t;

typedef struct {
    reel_slots_t      *slots;
    unsigned           number;
    bool               light;           /* for that class only */
    reel_slot_state_t  state;
    reel_attempt_t    *attempt;
    reel_proc_t       *proc;
    unsigned           progress;        /* permille */
    int64_t            started_ms;
    bool               lost;            /* the lease is another's */
    bool               shutdown;        /* killed by our own end */
    bool               sent;            /* the report is under way */
    char              *log;             /* end of stderr, owned */
    reel_timer_t       retry;
} reel_slot_t;

struct reel_slots_s {
    reel_worker_t *w;
    reel_slot_t   *slot;                /* n of them */
    unsigned       n;
    bool           claiming;            /* one claim at a time */
    bool           again;               /* woken meanwhile */
    bool           renewing;
    reel_timer_t   poll;
    reel_timer_t   renew;
    reel_timer_t   sweep;
};

/*
 * Runs what a step's reply (behind its outcome) holds, or gives it back when
 * the daemon ends; idle when nothing.
 */
void reel_slot_take(reel_slot_t *s, const reel_reply_t *reply);

/* lets the attempt go and looks for the next */
void reel_slot_idle(reel_slot_t *s);

/* tells Redis how the attempt ended (a->outcome); repeats until it is told */
void reel_slot_report(reel_slot_t *s);

/* the arguments of step; complete: with the slot's attempt */
void reel_slot_step_args(reel_slot_t *s, reel_args_t *a, bool complete);

/* renews the leases of all slots now */
void reel_slots_renew(reel_slots_t *s);

/* ends leases that ran out, whoever's they were */
void reel_slots_sweep(reel_slots_t *s);

#endif
