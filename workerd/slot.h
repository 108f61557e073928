/* one slot, for the files that move it: slots.c, slot_report.c, lease.c */

#ifndef REEL_WORKERD_SLOT_H
#define REEL_WORKERD_SLOT_H

#include "workerd/attempt.h"
#include "workerd/child.h"
#include "workerd/loop.h"
#include "workerd/slots.h"

/* what a step may take; also what is free (room.h) */
typedef struct {
    uint32_t slots;             /* cores */
    uint32_t memory_mib;
    uint32_t lights;            /* a light task: 2, 1 when nothing else fits,
                                   or 0 */
} reel_room_t;

typedef enum {
    REEL_SLOT_IDLE,
    REEL_SLOT_CLAIMING,         /* step is under way, nothing to complete */
    REEL_SLOT_RUNNING,          /* a child works */
    REEL_SLOT_REPORTING         /* its end is being told, again and again */
} reel_slot_state_t;

typedef struct {
    reel_slots_t      *slots;
    unsigned           number;
    reel_slot_state_t  state;
    reel_attempt_t    *attempt;
    reel_proc_t       *proc;
    unsigned           progress;        /* permille */
    int64_t            started_ms;
    bool               lost;            /* the lease is another's */
    bool               shutdown;        /* killed by our own end */
    bool               second;          /* run beside another worker's */
    bool               sent;            /* the report is under way */
    reel_room_t        offered;         /* by a step that is under way */
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
    bool           renew_again;
    int64_t        measured_ms;         /* room.c's: when, and what */
    uint64_t       available_mib;
    uint32_t       cores;
    bool           disk_full;
    reel_timer_t   poll;
    reel_timer_t   renew;
    reel_timer_t   sweep;
    reel_timer_t   ended;
};

/*
 * Runs what a step's reply (behind its outcome) holds, or gives it back when
 * the daemon ends; idle when nothing.
 */
void reel_slot_take(reel_slot_t *s, const reel_reply_t *reply);

/* lets the attempt go and looks for the next */
void reel_slot_idle(reel_slot_t *s);

/* in the metrics */
void reel_slot_count(const reel_slot_t *s, reel_ending_t how);

/* tells Redis how the attempt ended (a->outcome); repeats until it is told */
void reel_slot_report(reel_slot_t *s);

/* an idle slot; NULL: nothing may be claimed now */
reel_slot_t *reel_slots_claimer(reel_slots_t *s);

/* sends a claim; false: it was not sent.  One at a time (slots->claiming) */
bool reel_slot_claim(reel_slot_t *s, reel_lua_t script, reel_args_t *a);

/* begins the arguments of a claim: worker, nonce, lease */
void reel_slot_claim_args(reel_slot_t *s, reel_args_t *a);

/* the arguments of step; complete: with the slot's attempt */
void reel_slot_step_args(reel_slot_t *s, reel_args_t *a, bool complete);

/*
 * Whether the attempt's asset has a tombstone.  Then the outbox is made to
 * cancel the job, and the attempt is of no use (ended.c).
 */
bool reel_slot_deleted(reel_slot_t *s);

/* looks for deleted assets from now on (ended.c) */
void reel_slots_watch_ended(reel_slots_t *s);

/* renews the leases of all slots now, or as soon as that is answered */
void reel_slots_renew(reel_slots_t *s);

/* looks for a task of another worker to run once more (straggler.c) */
void reel_slots_straggle(reel_slots_t *s);

/* ends leases that ran out, whoever's they were */
void reel_slots_sweep(reel_slots_t *s);

#endif
