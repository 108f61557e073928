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
    uint32_t lights;            /* light tasks: of all that may run the first
                                   has a place of its own, and others what
                                   nothing else takes */
} reel_room_t;

typedef enum {
    REEL_SLOT_IDLE,
    REEL_SLOT_CLAIMING,         /* step is under way, nothing to complete */
    REEL_SLOT_RUNNING,          /* a child works */
    REEL_SLOT_REPORTING         /* its end is being told, again and again */
} reel_slot_state_t;

typedef struct {
    reel_slots_t      *slots;
    reel_redis_t      *redis;           /* the shard of its task or claim */
    unsigned           number;
    reel_slot_state_t  state;
    reel_attempt_t    *attempt;
    reel_proc_t       *proc;
    unsigned           progress;        /* permille */
    int64_t            started_ms;
    uint64_t           cpu_ms;          /* of the child that ended */
    bool               lost;            /* the lease is another's */
    bool               shutdown;        /* killed by our own end */
    bool               second;          /* run beside another worker's */
    bool               waits;           /* to be told by the next step … */
    bool               refused;         /* … alone: Redis refused it */
    bool               sent;            /* the report is under way */
    bool               leaves;          /* … and offers the task's room, too */
    reel_room_t        offered;         /* what is under way may take */
    bool               late;            /* that claim is slow: others went on */
    char              *log;             /* end of stderr, owned */
    reel_timer_t       retry;
} reel_slot_t;

/* the step of a shard that is under way (step.c) */
typedef struct {
    reel_slots_t *slots;
    reel_redis_t *redis;
    reel_slot_t  *slot[REEL_STEP_MAX];  /* those that take part in it: */
    unsigned      done;                 /* so many have a task that is done, … */
    unsigned      n;                    /* … an idle one may be the last; 0:
                                           no step is under way */
    bool          offers;               /* n tasks may be claimed, … */
    reel_room_t   offered;              /* … of so much room */
    unsigned      next;                 /* who is looked at first */
} reel_step_t;

/* of each shard */
typedef struct {
    reel_step_t step;
    bool        asked;                  /* for a second run, under way */
    bool        heard;                  /* that it has work, meanwhile */
    bool        quiet;                  /* it had nothing for … */
    reel_room_t none;                   /* … so much room */
    bool        renewing;
    bool        renew_again;
} reel_slots_shard_t;

struct reel_slots_s {
    reel_worker_t *w;
    reel_slot_t   *slot;                /* n of them */
    unsigned       n;
    reel_slots_shard_t *shard;
    unsigned       turn[2];             /* the shard that is asked next, for
                                           light tasks alone, for any */
    unsigned       reserved;            /* makes room for a task of it, … */
    int64_t        reserved_ms;         /* … as was said then; 0: no */
    reel_slot_t   *claiming;            /* one idle slot at a time … */
    int64_t        claim_ms;            /* … since then */
    unsigned       claims;              /* unanswered, slow ones too */
    unsigned       stragglers;          /* shards not yet asked for one */
    int64_t        measured_ms;         /* room.c's: when, and what */
    uint64_t       available_mib;
    uint32_t       cores;
    bool           disk_full;
    int64_t        lacked_ms;           /* it lacked something then; 0: no */
    int64_t        spent_ms;            /* a task found no room then; 0: no */
    reel_timer_t   poll;
    reel_timer_t   renew;
    reel_timer_t   sweep;
    reel_timer_t   ended;
};

/* runs the task that a reply holds from at on, or gives it back when the
   daemon ends; idle when there is none */
void reel_slot_take(reel_slot_t *s, const reel_reply_t *reply, size_t at);

/* it has a task, whose lease is ours */
bool reel_slot_busy(const reel_slot_t *s);

/* lets the attempt go and looks for the next */
void reel_slot_idle(reel_slot_t *s);

/* in the metrics */
void reel_slot_count(const reel_slot_t *s, reel_ending_t how);

/* tells Redis how the attempt ended (a->outcome); repeats until it is told */
void reel_slot_report(reel_slot_t *s);

/* an idle slot; NULL: nothing may be claimed now */
reel_slot_t *reel_slots_claimer(const reel_slots_t *s);

/* of the room there is, what may be claimed of a shard */
reel_room_t reel_slots_offer(const reel_slots_t *s, unsigned shard,
    reel_room_t room);

/* an idle slot's claim of a shard is sent, and was answered: one at a time
   (slots->claiming) */
void reel_slot_claims(reel_slot_t *s, reel_redis_t *r);
void reel_slot_claimed(reel_slot_t *s);

/* begins the arguments of a claim: worker, nonce, lease */
void reel_slots_claim_args(const reel_slots_t *s, reel_args_t *a);

/* what a step that claims n tasks says of the worker: room, labels */
void reel_slots_room_args(const reel_slots_t *s, reel_args_t *a, unsigned n,
    const reel_room_t *offered);

/* whether a shard's step may claim now; offered: of which room (claim.c) */
bool reel_slots_may_claim(reel_slots_t *s, const reel_redis_t *r,
    reel_room_t *offered);

/* of how many claimed tasks a step's reply tells, behind its outcomes */
size_t reel_step_tasks(const reel_step_t *st, const reel_reply_t *reply);

/* what the reply to a step that claimed says of its shard (claim.c) */
void reel_slots_answered(reel_slots_t *s, const reel_step_t *st,
    const reel_reply_t *reply);

/* the shard has had its turn: of cores, or of light tasks alone */
void reel_slots_pass_turn(reel_slots_t *s, const reel_step_t *st);

/* it refused a claim (REEL_IO) */
void reel_slots_refused(reel_slots_t *s, unsigned shard,
    const reel_reply_t *reply);

/* sends what waits to be told a shard, and claims from it when it is its turn;
   nothing while a step is under way there, which comes back to it (step.c) */
void reel_slots_step(reel_slots_t *s, reel_redis_t *r);

/* that the slot's task is done was told: Redis said so of it; or it was not,
   and will be told again */
void reel_slot_told(reel_slot_t *s, reel_str_t said);
void reel_slot_untold(reel_slot_t *s, reel_err_t err,
    const reel_reply_t *reply);

/*
 * Whether the attempt's asset has a tombstone, or its user cancelled the job.
 * Then the outbox is made to cancel it, and the attempt is of no use (ended.c).
 */
bool reel_slot_unwanted(reel_slot_t *s);

/* looks for those from now on (ended.c) */
void reel_slots_watch_ended(reel_slots_t *s);

/* renews the leases of all slots now, or as soon as that is answered; of one
   shard */
void reel_slots_renew(reel_slots_t *s);
void reel_slots_renew_of(reel_slots_t *s, unsigned shard);

/* looks for a task of another worker to run once more, in one shard after the
   other; goes on with that (straggler.c) */
void reel_slots_straggle(reel_slots_t *s);
void reel_slots_straggle_on(reel_slots_t *s);

/* ends leases that ran out, whoever's they were */
void reel_slots_sweep(reel_slots_t *s);

#endif
