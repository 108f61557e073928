/*
 * A job between Redis, workers and the store: leases, fences, second runs,
 * fan-in, publish and deletion, as in lib/job/lua, workerd/outbox.c and
 * workerd/task_publish.c.  `make model` searches all its states with spin.
 *
 * One asset, one publication: plan expands into two encodes, publish waits
 * for both. An encode that runs may be begun once more by the other worker,
 * when nothing is ready. At any time the asset may be deleted, which cancels
 * its job. What can go wrong, FAULTS times in all and in any order:
 *   - a worker dies in a task, before or after what it wrote
 *   - a worker sleeps until its lease has ended, and goes on
 *   - an answer of Redis is lost: of a claim, or of a completion
 *   - a try fails: class retry asks for another, fail says that none will do,
 *     release that this one is not to count (lacks is a release, and after its
 *     hour the end that retry has)
 *   - Redis loses everything
 *
 * Checked:
 *   - the job ends: no run of the model is endless, and where nothing can go
 *     on pending/ is empty, and a result stands or, of a deleted asset,
 *     nothing
 *   - a result never changes: published at most once
 *   - publish runs only when all answers stand: no early completion
 *   - no lost completion: what a worker completes under a claim that nobody
 *     ended counts, and nothing else does; each task counts once
 *   - a task fails when its tries are used up, or none will do, and no other
 *     run of it goes on; of the former one stands in quarantine, once a job
 *
 * Left out: queues, labels and order, backoff, progress, the growing
 * publication, a retry by the client. A step of several tasks is steps of one
 * each with nothing between them, which is searched. A lock of the file system
 * (reel_final_lock) ends with its holder's death.  A worker has one claim at
 * a time here, so its number serves as its token.  What is the same but for
 * the names of workers or encodes is searched once: worker 1 claims first,
 * and encode 1 is the first.
 */

#ifndef FAULTS
#define FAULTS 2
#endif
#ifndef TRIES
#define TRIES   2
#endif
#define TASKS   4
#define PLAN    0
#define PUBLISH 3
#define NONE    4                   /* no task */
#define HAD     3                   /* no worker: a second run that ended */

mtype = { absent, waiting, ready, running, delayed, done, failed, cancelled };
mtype = { none, is_ready, is_errored };
mtype = { retry, fail, release };

byte faults = FAULTS;
bool begun, begun1;                 /* the first claims, of plan, encode 1 */

/* ---- Redis ---- */

bool  job;                          /* its hash stands */
mtype state = absent;               /* running, done, failed, cancelled */
mtype ts[TASKS] = absent;
byte  token[TASKS];                 /* 0: none */
byte  second[TASKS];                /* of the second run */
byte  tries[TASKS];
byte  deps;                         /* of publish */
byte  left;
bool  quarantined;

/* do their leases get renewed? not known to Redis, which sees them end */
bool  alive[TASKS];
bool  alive2[TASKS];

/* ---- workers 1 and 2: what they are at, and whether that claim ended ---- */

byte  cur[3] = NONE;
bool  cut[3];

/* ---- the store ---- */

bool  pending = true;
bool  dead;                         /* the tombstone */
bool  answer[TASKS];
bool  locked;
bool  index;
mtype result = none;

#define me     (_pid + 1)
#define FIRST  (token[t] == me)
#define SECOND (second[t] == me)
#define HOLDS  (job && ts[t] == running && (FIRST || SECOND))
#define DONE   (job && ts[t] == done && FIRST)
#define AT_WORK(w) (cur[w] == t && !cut[w])
#define TWO(t) (second[t] == 1 || second[t] == 2)
#define STANDS (index || result != none)

#define READY(t)     (job && state == running && ts[t] == ready)
#define NO_READY     (!READY(0) && !READY(1) && !READY(2) && !READY(3))
#define STRAGGLES(t) (NO_READY && job && state == running \
                      && ts[t] == running && token[t] != me \
                      && second[t] == 0 && tries[t] < TRIES)

inline cancel_tasks(i) {
    i = 0;
    do
    :: i < TASKS ->
        if
        :: ts[i] == waiting || ts[i] == ready || ts[i] == delayed ->
            ts[i] = cancelled
        :: else
        fi;
        i++
    :: else -> break
    od;
    i = 0
}

/* the claim of this worker is over */
inline cut_off(w) {
    if
    :: w != 0 && w != HAD && cur[w] == t -> cut[w] = true
    :: else
    fi
}

inline no_second(value) {
    second[t] = value;
    alive2[t] = false
}

inline promote() {
    token[t] = second[t];
    alive[t] = alive2[t];
    no_second(0)
}

/* fail_task; is2: the second run ended so */
inline fail_task(is2, class, i) {
    if
    :: is2 -> cut_off(second[t])
    :: else -> cut_off(token[t])
    fi;
    if
    :: class == release -> assert(tries[t] > 0); tries[t]--
    :: else
    fi;
    if
    :: TWO(t) ->                    /* go_on */
        if
        :: is2 -> no_second(HAD)
        :: else -> promote()
        fi
    :: else ->
        assert(!AT_WORK(1) && !AT_WORK(2));
        token[t] = 0;
        alive[t] = false;
        no_second(0);
        if
        :: class != fail && tries[t] < TRIES -> ts[t] = delayed
        :: else ->
            assert(state == running && !quarantined && class != release);
            quarantined = class == retry;
            ts[t] = failed;
            cancel_tasks(i);
            state = failed
        fi
    fi
}

inline complete() {
    assert(left > 0);
    if
    :: SECOND -> cut_off(token[t]); promote()
    :: else -> cut_off(second[t])
    fi;
    no_second(0);
    alive[t] = false;
    ts[t] = done;
    left--;
    if
    :: t == PLAN ->                 /* expand */
        ts[1] = ready;
        ts[2] = ready;
        ts[PUBLISH] = waiting;
        deps = 2;
        left = left + 3
    :: t == 1 || t == 2 ->
        deps--;
        if
        :: deps == 0 -> ts[PUBLISH] = ready
        :: else
        fi
    :: else
    fi;
    if
    :: left == 0 -> state = done
    :: else
    fi
}

/* of a job that ended under it */
inline drop_running() {
    ts[t] = cancelled;
    alive[t] = false;
    no_second(0)
}

/* nobody renews the lease of this worker's run any more */
inline asleep() {
    if
    :: job && FIRST -> alive[t] = false
    :: job && SECOND -> alive2[t] = false
    :: else
    fi
}

/* on to the next claim */
inline leave() {
    cur[me] = NONE;
    cut[me] = false;
    t = 0
}

active [2] proctype worker() {      /* the first ones: their _pid is 0, 1 */
    byte t, i;

end:
    atomic {                        /* step, or straggler */
        if
        :: READY(0) && (begun || me == 1) -> t = 0; begun = true
        :: READY(1) -> t = 1; begun1 = true
        :: READY(2) && begun1 -> t = 2
        :: READY(3) -> t = 3
        :: STRAGGLES(1) -> t = 1; second[t] = me
        :: STRAGGLES(2) -> t = 2; second[t] = me
        fi;

        tries[t]++;
        assert(tries[t] <= TRIES);
        if
        :: SECOND -> alive2[t] = true
        :: else -> ts[t] = running; token[t] = me; alive[t] = true
        fi;

        if
        :: cur[me] = t
        :: faults > 0 ->            /* it sleeps: its lease ends */
            faults--;
            cur[me] = t;
            asleep()
        :: faults > 0 ->            /* the answer to the claim is lost */
            faults--;
            asleep();
            leave();
            goto end
        fi
    }

    atomic {                        /* the try */
        if
        :: t == PLAN
        :: t == 1 || t == 2 ->
            answer[t] = true;
            if
            :: true
            :: faults > 0 -> faults--; asleep(); leave(); goto end
            fi
        :: t == PUBLISH -> goto publish
        :: faults > 0 -> faults--; asleep(); leave(); goto end
        :: faults > 0 ->
            faults--;
            if
            :: HOLDS && state == running && SECOND -> fail_task(true, retry, i)
            :: HOLDS && state == running && SECOND -> fail_task(true, fail, i)
            :: HOLDS && state == running && SECOND ->
                fail_task(true, release, i)
            :: HOLDS && state == running && FIRST -> fail_task(false, retry, i)
            :: HOLDS && state == running && FIRST -> fail_task(false, fail, i)
            :: HOLDS && state == running && FIRST ->
                fail_task(false, release, i)
            :: else
            fi;
            leave();
            goto end
        :: !HOLDS || state != running ->
            if                      /* heard at renew: the child is killed */
            :: HOLDS -> drop_running()
            :: else
            fi;
            leave();
            goto end
        fi
    }
    goto tell;

publish:                            /* looks, writes index, then result */
    atomic {
        !locked -> locked = true;
        if
        :: result != none || dead ->
            locked = false;
            goto tell
        :: else ->
            assert(answer[1] && answer[2]);
            index = true
        fi
    }
    atomic {
        assert(result == none);
        result = is_ready           /* a tombstone may stand by now */
    }
    atomic {
        if
        :: dead -> index = false; result = none
        :: !dead
        :: faults > 0 ->
            faults--;
            locked = false;
            asleep();
            leave();
            goto end
        fi;
        locked = false
    }

tell:
    atomic {                        /* step completes, by the token */
        assert(cut[me] || !job || state != running || HOLDS || DONE);
        if
        :: HOLDS && state == running ->
            assert(!cut[me]);
            assert(t == PLAN || t == PUBLISH || answer[t]);
            complete()
        :: HOLDS && state != running -> drop_running()
        :: !HOLDS                   /* stale, or completed before */
        fi;

        if                          /* that answer is lost: asked again */
        :: faults > 0 -> faults--; goto tell
        :: t == PUBLISH && DONE
        :: t != PUBLISH || !DONE -> leave(); goto end
        fi
    }

    atomic {                        /* publish's done: the entry goes */
        assert(result != none || dead);
        pending = false;
        leave();
        goto end
    }
}

/* outbox and sweep, of any worker */
active proctype keeper() {
    byte t, i;

    do
    :: atomic { pending && !job && !dead ->         /* submit */
        job = true;
        state = running;
        ts[PLAN] = ready;
        left = 1
       }
    :: atomic { dead && job && state == running ->  /* cancel */
        state = cancelled;
        cancel_tasks(i)
       }
    :: atomic { pending && dead -> pending = false }
    :: atomic { (pending && job && !dead && !locked
                 && (state == failed || state == done)) ->
        if                          /* final.c: unless a result stands */
        :: result == none ->
            assert(state == failed);
            result = is_errored
        :: else
        fi;
        pending = false
       }
    :: atomic { dead && STANDS && !locked ->        /* of the store */
        index = false;
        result = none
       }
    :: atomic { job && ts[0] == delayed -> ts[0] = ready }
    :: atomic { job && ts[1] == delayed -> ts[1] = ready }
    :: atomic { job && ts[2] == delayed -> ts[2] = ready }
    :: atomic { job && ts[3] == delayed -> ts[3] = ready }
    :: atomic {                     /* a lease that nobody renews ends */
        if
        :: job && ts[0] == running && !alive[0] -> t = 0
        :: job && ts[1] == running && !alive[1] -> t = 1
        :: job && ts[2] == running && !alive[2] -> t = 2
        :: job && ts[3] == running && !alive[3] -> t = 3
        fi;
        if
        :: state == running -> fail_task(false, retry, i)
        :: else -> drop_running()
        fi;
        t = 0
       }
    :: atomic {
        if
        :: job && ts[1] == running && TWO(1) && !alive2[1] -> t = 1
        :: job && ts[2] == running && TWO(2) && !alive2[2] -> t = 2
        fi;
        if
        :: state == running -> fail_task(true, retry, i)
        :: else -> no_second(0)
        fi;
        t = 0
       }
    :: timeout ->                   /* nothing goes on any more */
        assert(!pending && (!job || state != running));
        assert(dead -> !STANDS : result != none);
        break
    od
}

/* what comes from outside, at any time */
active proctype fate() {
    byte t;

end:
    do
    :: atomic { faults > 0 && job ->                /* Redis loses all */
        faults--;
        job = false;
        state = absent;
        t = 0;
        do
        :: t < TASKS ->
            ts[t] = absent; token[t] = 0; second[t] = 0; tries[t] = 0;
            alive[t] = false; alive2[t] = false;
            t++
        :: else -> break
        od;
        t = 0;
        deps = 0;
        left = 0;
        quarantined = false;
        cut[1] = cur[1] != NONE;
        cut[2] = cur[2] != NONE
       }
    :: atomic { !dead -> dead = true };             /* deletion */
       atomic { index = false; result = none; pending = false }
    od
}
