/*
 * A job between Redis, workers and the store: leases, fences, fan-in and
 * publish, as in lib/job/lua, workerd/outbox.c and workerd/task_publish.c.
 * `make model` searches all its states with spin.
 *
 * One asset, one publication: plan expands into two encodes, publish waits
 * for both. What can go wrong, FAULTS times in all and in any order:
 *   - a worker dies in a task, before or after what it wrote
 *   - a worker sleeps until its lease has ended, and goes on
 *   - an answer of Redis is lost: of a claim, or of a completion
 *   - a try fails and asks for another
 *   - Redis loses everything
 *
 * Checked:
 *   - the job ends: a result stands and pending/ is empty (ends, with weak
 *     fairness)
 *   - a result never changes, and the index has one salt in all its writes:
 *     published at most once
 *   - publish runs only when all answers stand: no lost and no early
 *     completion
 *   - two claims of a task have two tokens; only the current one counts
 *
 * Left out: classes, labels and order, backoff, progress, the growing
 * publication, deletion. A lock of the file system (reel_final_lock) is an atomic section
 * that ends with its holder's death.
 */

#ifndef FAULTS
#define FAULTS 2
#endif
#define TRIES   2
#define TASKS   4
#define PLAN    0
#define PUBLISH 3

mtype = { absent, waiting, ready, running, delayed, done, failed, cancelled };
mtype = { none, is_ready, is_errored };

byte faults = FAULTS;

/* ---- Redis ---- */

bool  job;                          /* its hash stands */
mtype state = absent;               /* running, done, failed */
mtype ts[TASKS] = absent;
byte  token[TASKS];                 /* 0: none */
byte  tries[TASKS];
byte  deps;                         /* of publish */
byte  left;
byte  fence;                        /* begins at the clock: never goes back */

/* who is at it; not known to Redis, which sees leases that end */
bool  alive[TASKS];

/* ---- the store ---- */

bool  pending = true;
bool  answer[TASKS];
bool  locked;
byte  salt;                         /* of the index; 0: none stands */
mtype result = none;

#define HOLDS (job && token[t] == k && ts[t] == running)
#define ENDED (result != none && !pending)
#define QUIET (ENDED && (!job || state != running))

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
    od
}

/* fail_task: class retry */
inline fail_task(t, i) {
    token[t] = 0;
    if
    :: tries[t] < TRIES -> ts[t] = delayed
    :: else ->
        ts[t] = failed;
        cancel_tasks(i);
        state = failed
    fi
}

inline complete(t) {
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

/* final.c: errored, unless a result stands; then the entry goes */
inline final_failed() {
    if
    :: result == none -> result = is_errored
    :: else
    fi;
    pending = false
}

/* submits what Redis does not have, writes down what ended */
active proctype outbox() {
    do
    :: atomic { pending && !job ->
        job = true;
        state = running;
        ts[PLAN] = ready;
        ts[1] = absent; ts[2] = absent; ts[PUBLISH] = absent;
        left = 1
       }
    :: atomic { pending && job && state != running && !locked ->
        final_failed()
       }
    :: QUIET -> break
    od
}

/* what time alone changes */
active proctype sweep() {
    byte i, t;

    do
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
        :: state == running -> fail_task(t, i)
        :: else -> ts[t] = cancelled
        fi
       }
    :: QUIET -> break
    od
}

/* all that can be lost at once; the store stands */
active proctype loss() {
    byte i;

    if
    :: atomic { faults > 0 && job ->
        faults--;
        job = false;
        state = absent;
        i = 0;
        do
        :: i < TASKS ->
            ts[i] = absent; token[i] = 0; tries[i] = 0; alive[i] = false;
            i++
        :: else -> break
        od;
        deps = 0;
        left = 0
       }
    :: ENDED
    fi
}

/* the child of publish: looks, writes index, then result, under the lock */
inline publish(dies) {
    atomic { !locked -> locked = true };
    if
    :: result != none -> skip       /* what ended, ended */
    :: else ->
        assert(answer[1] && answer[2]);
        if
        :: salt == 0 -> salt = k    /* its own random one */
        :: else                     /* that of the index that stands */
        fi;
        if
        :: atomic { faults > 0 -> faults--; dies = true }
        :: atomic {
            assert(result == none);
            assert(salt != 0);
            result = is_ready
           }
        fi
    fi;
    locked = false
}

active [2] proctype worker() {
    byte t, k, i;
    bool dies;

again:
    do
    :: atomic {                     /* claim */
        if
        :: job && state == running && ts[0] == ready -> t = 0
        :: job && state == running && ts[1] == ready -> t = 1
        :: job && state == running && ts[2] == ready -> t = 2
        :: job && state == running && ts[3] == ready -> t = 3
        :: QUIET -> goto end_of_all
        fi;
        fence++;
        k = fence;
        assert(token[t] != k);
        ts[t] = running;
        token[t] = k;
        tries[t]++;
        alive[t] = true
       };
       dies = false;

       if                           /* the answer to the claim is lost */
       :: atomic { faults > 0 -> faults--;
            if
            :: token[t] == k -> alive[t] = false
            :: else
            fi;
            goto again
          }
       :: skip
       fi;

       if                           /* it sleeps: its lease ends */
       :: atomic { faults > 0 -> faults--;
            if
            :: token[t] == k -> alive[t] = false
            :: else
            fi
          }
       :: skip
       fi;

       if                           /* the try */
       :: t == PLAN
       :: t == 1 || t == 2 -> answer[t] = true
       :: t == PUBLISH -> publish(dies)
       :: atomic { faults > 0 -> faults--; dies = true }
       :: atomic { faults > 0 -> faults--;
            if
            :: HOLDS && state == running -> fail_task(t, i)
            :: else
            fi;
            goto again
          }
       fi;

       if
       :: dies ->
            atomic {
                if
                :: token[t] == k -> alive[t] = false
                :: else
                fi
            };
            goto again
       :: else
       fi;

tell:
       atomic {                     /* step completes, by the token */
            if
            :: HOLDS ->
                if
                :: state == running ->
                    assert(t == PLAN || t == PUBLISH || answer[t]);
                    complete(t)
                :: else -> ts[t] = cancelled
                fi
            :: else                 /* stale, or completed before */
            fi
       };

       if                           /* that answer is lost: asked again */
       :: atomic { faults > 0 -> faults-- }; goto tell
       :: skip
       fi;

       if                           /* publish's done: the entry goes */
       :: atomic { t == PUBLISH && job && token[t] == k && ts[t] == done ->
            assert(result != none);
            pending = false
          }
       :: else
       fi
    od;

end_of_all:
    skip
}

/* it changes at most once, from none */
active proctype watch() {
    mtype seen;

    result != none;
    seen = result;
end:
    result != seen;
    assert(false)
}

ltl ends { <> [] ENDED }
