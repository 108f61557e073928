#include "workerd/presence.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/version.h"
#include "workerd/log.h"
#include "workerd/room.h"
#include "workerd/shards.h"
#include "workerd/slots.h"
#include "workerd/unmet.h"

#define BEAT_MS    10000
#define LOOK_MS    1000             /* for what changed meanwhile */
#define EXPIRE_S   60
#define FORGET_MS  86400000         /* a worker of yesterday */
#define NAMES_MAX  65536            /* of all pipelines that there may be */

/* what changes from task to task */
typedef struct {
    unsigned busy;
    uint32_t slots;
    uint32_t memory_mib;
    bool     draining;
} load_t;

/* in one shard */
typedef struct {
    reel_presence_t *p;
    reel_redis_t    *redis;
} beat_t;

struct reel_presence_s {
    reel_worker_t *w;
    beat_t         beat[REEL_SHARDS_MAX];
    reel_timer_t   timer;
    reel_timer_t   look;
    load_t         told;
    bool           leaving;
    unsigned       asked;               /* answers to that */
    char           host[65];
    int64_t        started_ms;
};


static void
on_ignored(void *arg, reel_err_t err, const reel_reply_t *reply)
{
    (void) arg;

    if (err == REEL_IO && !reel_reply_full(reply)) {
        reel_log(REEL_LOG_WARN, "redis refused the heartbeat: %.200s",
                 reel_reply_str(reply).p);
    }
}


static void
send_args(beat_t *b, reel_args_t *a)
{
    /* no heartbeat without Redis: there is nobody to hear it */
    (void) !reel_redis_command(b->redis, a, on_ignored, b);
}


static void
send_hash(beat_t *b)
{
    unsigned          busy = reel_slots_busy(b->p->w->slots);
    unsigned          slots = reel_slots_count(b->p->w->slots);
    reel_args_t       a;
    reel_room_t       room = reel_room_unused(b->p->w->slots);
    reel_presence_t  *p = b->p;

    reel_args_init(&a);
    reel_args_addz(&a, "HSET");
    reel_args_key(&a, b->redis, "worker:", p->w->conf.worker);
    reel_args_addz(&a, "host");
    reel_args_addz(&a, p->host);
    reel_args_addz(&a, "pid");
    reel_args_uint(&a, (uint64_t) getpid());
    reel_args_addz(&a, "slots");
    reel_args_uint(&a, slots);
    reel_args_addz(&a, "free");
    reel_args_uint(&a, busy < slots ? slots - busy : 0);
    reel_args_addz(&a, "cores");
    reel_args_uint(&a, reel_room_cores(p->w->slots));
    reel_args_addz(&a, "cores_free");
    reel_args_uint(&a, room.slots);
    reel_args_addz(&a, "memory_mib");
    reel_args_uint(&a, p->w->room_mib);
    reel_args_addz(&a, "memory_free_mib");
    reel_args_uint(&a, room.memory_mib);
    reel_args_addz(&a, "labels");
    reel_args_addz(&a, p->w->conf.labels);
    reel_args_addz(&a, "codecs");
    reel_args_addz(&a, p->w->codecs);
    reel_args_addz(&a, "version");
    reel_args_addz(&a, REEL_VERSION);
    reel_args_addz(&a, "started_ms");
    reel_args_uint(&a, (uint64_t) p->started_ms);
    reel_args_addz(&a, "draining");
    reel_args_uint(&a, p->w->draining);
    send_args(b, &a);

    reel_args_init(&a);
    reel_args_addz(&a, "EXPIRE");
    reel_args_key(&a, b->redis, "worker:", p->w->conf.worker);
    reel_args_uint(&a, EXPIRE_S);
    send_args(b, &a);
}


/* which pipelines it plans, and programs of them it cannot run */
static void
send_pipelines(beat_t *b)
{
    reel_buf_t      names;
    reel_args_t     a;
    reel_worker_t  *w = b->p->w;

    reel_buf_init(&names, NAMES_MAX);
    for (size_t i = 0; i < w->npipelines; i++) {
        reel_buf_printf(&names, "%s%s", i > 0 ? "," : "",
                        w->pipelines[i].name);
    }

    reel_args_init(&a);
    reel_args_addz(&a, "HSET");
    reel_args_key(&a, b->redis, "worker:", w->conf.worker);
    reel_args_addz(&a, "pipelines");
    reel_args_addz(&a, reel_buf_cstr(&names));
    reel_args_addz(&a, "programs_lacking");
    reel_args_addz(&a, reel_buf_cstr(&w->programs_lacking));
    send_args(b, &a);
    reel_buf_release(&names);
}


/* TIME's answer: seconds, microseconds */
static void
on_time(void *arg, reel_err_t err, const reel_reply_t *reply)
{
    uint64_t      ms;
    reel_args_t   a;
    beat_t       *b = arg;

    if (err != REEL_OK || reel_reply_len(reply) != 2 || b->p->leaving) {
        return;
    }

    ms = reel_reply_uint(reel_reply_at(reply, 0)) * 1000
         + reel_reply_uint(reel_reply_at(reply, 1)) / 1000;

    reel_args_init(&a);
    reel_args_addz(&a, "ZADD");
    reel_args_key(&a, b->redis, "workers", "");
    reel_args_uint(&a, ms);
    reel_args_addz(&a, b->p->w->conf.worker);
    send_args(b, &a);

    if (ms > FORGET_MS) {
        reel_args_init(&a);
        reel_args_addz(&a, "ZREMRANGEBYSCORE");
        reel_args_key(&a, b->redis, "workers", "");
        reel_args_addz(&a, "-inf");
        reel_args_uint(&a, ms - FORGET_MS);
        send_args(b, &a);
    }

    send_pipelines(b);
    send_hash(b);
}


/* somebody changed the number of shards: we would look in the wrong ones */
static void
on_shards(void *arg, reel_err_t err, const reel_reply_t *reply)
{
    beat_t         *b = arg;
    uint64_t        held = reel_reply_uint(reel_reply_at(reply, 0));
    reel_shards_t  *shards = b->p->w->shards;

    on_ignored(arg, err, reply);

    if (err == REEL_OK && held != reel_shards_count(shards)) {
        reel_shards_refused(shards, (unsigned) held);
    }
}


static void
beat(beat_t *b)
{
    reel_args_t  a;

    reel_args_init(&a);
    reel_args_uint(&a, reel_shards_count(b->p->w->shards));
    (void) !reel_redis_script(b->redis, REEL_LUA_SHARDS, "shards", "", &a,
                              on_shards, b);

    reel_args_init(&a);
    reel_args_addz(&a, "TIME");
    (void) !reel_redis_command(b->redis, &a, on_time, b);
    reel_unmet_look(b->redis);
}


static load_t
load_of(const reel_presence_t *p)
{
    reel_room_t  room = reel_room_unused(p->w->slots);

    return (load_t) {
        .busy = reel_slots_busy(p->w->slots),
        .slots = room.slots,
        .memory_mib = room.memory_mib,
        .draining = p->w->draining
    };
}


void
reel_presence_look(reel_presence_t *p)
{
    load_t  now = load_of(p);

    if (p->leaving || (now.busy == p->told.busy && now.slots == p->told.slots
                       && now.memory_mib == p->told.memory_mib
                       && now.draining == p->told.draining))
    {
        return;
    }

    p->told = now;
    for (unsigned k = 0; k < reel_shards_count(p->w->shards); k++) {
        send_hash(&p->beat[k]);
    }
}


void
reel_presence_pipelines(reel_presence_t *p)
{
    for (unsigned k = 0; !p->leaving && k < reel_shards_count(p->w->shards);
         k++)
    {
        send_pipelines(&p->beat[k]);
        send_hash(&p->beat[k]);         /* and when it is forgotten */
    }
}


static void
on_look(void *arg)
{
    reel_presence_t  *p = arg;

    reel_presence_look(p);
    reel_timer_start(p->w->loop, &p->look, LOOK_MS, on_look, p);
}


static void
on_left(void *arg, reel_err_t err, const reel_reply_t *reply)
{
    reel_presence_t  *p = arg;

    (void) err;
    (void) reply;
    p->asked--;
}


bool
reel_presence_leave(reel_presence_t *p)
{
    beat_t       *b;
    reel_args_t   a;

    for (unsigned k = 0; !p->leaving && k < reel_shards_count(p->w->shards);
         k++)
    {
        b = &p->beat[k];

        reel_args_init(&a);
        reel_args_addz(&a, "ZREM");
        reel_args_key(&a, b->redis, "workers", "");
        reel_args_addz(&a, p->w->conf.worker);
        p->asked += reel_redis_command(b->redis, &a, on_left, p) == REEL_OK;

        reel_args_init(&a);
        reel_args_addz(&a, "DEL");
        reel_args_key(&a, b->redis, "worker:", p->w->conf.worker);
        p->asked += reel_redis_command(b->redis, &a, on_left, p) == REEL_OK;
    }

    p->leaving = true;

    return p->asked == 0;
}


static void
on_beat(void *arg)
{
    reel_presence_t  *p = arg;

    if (p->leaving) {
        return;
    }

    for (unsigned k = 0; k < reel_shards_count(p->w->shards); k++) {
        beat(&p->beat[k]);
    }

    reel_timer_start(p->w->loop, &p->timer, BEAT_MS, on_beat, p);
}


/* a warning for a setting that loses jobs or videos' places in the queue */
static void
on_config(void *arg, reel_err_t err, const reel_reply_t *reply)
{
    reel_str_t  name, value;

    (void) arg;

    if (err == REEL_IO) {
        reel_log(REEL_LOG_INFO, "redis: CONFIG GET is not allowed: its "
                 "durability is not checked");
    }

    for (size_t i = 0; err == REEL_OK && i + 1 < reel_reply_len(reply);
         i += 2)
    {
        name = reel_reply_str(reel_reply_at(reply, i));
        value = reel_reply_str(reel_reply_at(reply, i + 1));

        if (reel_str_eqz(name, "appendonly")
            && !reel_str_eqz(value, "yes"))
        {
            reel_log(REEL_LOG_WARN, "REDIS WILL FORGET JOBS WHEN IT "
                     "RESTARTS: set appendonly yes (jobs then begin anew "
                     "from pending/)");
        }

        if (reel_str_eqz(name, "maxmemory-policy")
            && !reel_str_eqz(value, "noeviction"))
        {
            reel_log(REEL_LOG_WARN, "REDIS MAY EVICT JOBS: set "
                     "maxmemory-policy noeviction (it is %.*s)",
                     (int) value.len, value.p);
        }
    }
}


void
reel_presence_up(reel_presence_t *p, reel_redis_t *r)
{
    reel_args_t  a;

    static const char *const names[] = { "appendonly", "maxmemory-policy" };

    for (size_t i = 0; i < 2; i++) {
        reel_args_init(&a);
        reel_args_addz(&a, "CONFIG");
        reel_args_addz(&a, "GET");
        reel_args_addz(&a, names[i]);
        (void) !reel_redis_command(r, &a, on_config, p);
    }

    beat(&p->beat[reel_redis_shard(r)]);
}


reel_presence_t *
reel_presence_new(reel_worker_t *w)
{
    reel_presence_t  *p = calloc(1, sizeof(*p));

    if (p == NULL) {
        return NULL;
    }

    p->w = w;
    for (unsigned k = 0; k < reel_shards_count(w->shards); k++) {
        p->beat[k] = (beat_t) { p, reel_shards_at(w->shards, k) };
    }
    p->started_ms = reel_unix_ms();
    if (gethostname(p->host, sizeof(p->host) - 1) != 0) {
        memcpy(p->host, "unknown", sizeof("unknown"));
    }

    p->told = load_of(p);
    reel_timer_start(w->loop, &p->timer, BEAT_MS, on_beat, p);
    reel_timer_start(w->loop, &p->look, LOOK_MS, on_look, p);

    return p;
}


void
reel_presence_free(reel_presence_t *p)
{
    if (p != NULL) {
        reel_timer_stop(&p->timer);
        reel_timer_stop(&p->look);
        free(p);
    }
}
