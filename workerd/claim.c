/*
 * From which shard the next task is taken: from each in turn, so that none
 * starves, and from the others while it has nothing for the room there is.
 * One claim at a time: another would be offered what this one may take.
 *
 * A large task for which a shard has room made (step.lua) has no use of it
 * while the others go on taking cores: until it is there they are asked for
 * light tasks alone.
 */

#include <inttypes.h>
#include <stdio.h>

#include "lib/base/hex.h"
#include "workerd/log.h"
#include "workerd/room.h"
#include "workerd/shards.h"
#include "workerd/slot.h"

/* as long as Redis keeps a reservation that nobody renews */
#define RESERVED_MS 30000

/* a shard that is silent for so long does not keep us from the others */
#define SLOW_MS 1000

/* of step's reply: the queue of the task */
#define QUEUE 10


void
reel_slots_heard(reel_slots_t *s, unsigned shard)
{
    s->shard[shard].quiet = false;
    s->shard[shard].heard = true;
}


void
reel_slots_heard_all(reel_slots_t *s)
{
    for (unsigned k = 0; k < reel_shards_count(s->w->shards); k++) {
        reel_slots_heard(s, k);
    }
}


static bool
reserved(const reel_slots_t *s)
{
    return s->reserved_ms != 0
           && reel_loop_now() - s->reserved_ms < RESERVED_MS
           && reel_redis_up(reel_shards_at(s->w->shards, s->reserved));
}


reel_room_t
reel_slots_offer(const reel_slots_t *s, unsigned shard, reel_room_t room)
{
    if (reserved(s) && shard != s->reserved) {
        room.slots = 0;
    }

    return room;
}


/* it had nothing for as much when it was asked last */
static bool
quiet(const reel_slots_t *s, unsigned shard, const reel_room_t *room)
{
    const reel_room_t  *none = &s->shard[shard].none;

    return s->shard[shard].quiet && room->slots <= none->slots
           && room->memory_mib <= none->memory_mib
           && room->lights <= none->lights;
}


/* whose turn it is, or NULL; offered: of room, to it */
static reel_redis_t *
whose_turn(const reel_slots_t *s, reel_room_t room, reel_room_t *offered)
{
    unsigned       n = reel_shards_count(s->w->shards), k;
    unsigned       first = reserved(s) ? s->reserved
                           : s->turn[room.slots > 0];
    reel_redis_t  *r;

    for (unsigned i = 0; i < n; i++) {
        k = (first + i) % n;
        r = reel_shards_at(s->w->shards, k);
        *offered = reel_slots_offer(s, k, room);

        if (reel_redis_up(r) && !s->shard[k].asked && !quiet(s, k, offered)) {
            return r;
        }
    }

    return NULL;
}


void
reel_slot_claim_args(reel_slot_t *s, reel_args_t *a)
{
    char            hex[17];
    uint8_t         nonce[8];
    reel_worker_t  *w = s->slots->w;

    reel_random(nonce, sizeof(nonce));
    reel_hex(hex, nonce, sizeof(nonce));

    reel_args_init(a);
    reel_args_addz(a, w->conf.worker);
    reel_args_addz(a, hex);
    reel_args_uint(a, (uint64_t) w->conf.lease_s * 1000);
}


/* of a step; a: what it completes, NULL: nothing */
static void
add_done(reel_args_t *args, const reel_attempt_t *a)
{
    reel_args_addz(args, a != NULL ? a->job : "");
    reel_args_addz(args, a != NULL ? a->task : "");
    reel_args_addz(args, a != NULL ? a->token : "");
}


void
reel_slots_room_args(const reel_slots_t *s, reel_args_t *a,
    const reel_room_t *offered)
{
    char  room[96];

    (void) snprintf(room, sizeof(room), "%" PRIu32 " %" PRIu32 " %" PRIu32
                    " %" PRIu32 " %" PRIu32, offered->slots,
                    offered->memory_mib, reel_room_cores(s), s->w->room_mib,
                    offered->lights);
    reel_args_addz(a, room);
    reel_args_addz(a, s->w->labels);
}


/* the step that is about to be sent claims as well */
static void
offer_room(reel_slot_t *s, const reel_redis_t *r, reel_args_t *a,
    const reel_room_t *offered)
{
    unsigned       shard = reel_redis_shard(r);
    reel_slots_t  *slots = s->slots;

    reel_slots_room_args(slots, a, offered);
    s->offered = *offered;
    s->offers = true;
    slots->shard[shard].heard = false;
}


void
reel_slot_complete_args(reel_slot_t *s, reel_args_t *a)
{
    reel_room_t    offered;
    reel_slots_t  *slots = s->slots;

    reel_slot_claim_args(s, a);
    add_done(a, s->attempt);

    /* what waited for it may be ready now */
    reel_slots_heard(slots, reel_redis_shard(s->redis));

    if (!slots->w->draining
        && whose_turn(slots, reel_room_free(slots, s), &offered) == s->redis)
    {
        offer_room(s, s->redis, a, &offered);
    }
}


/* who was asked has had its turn: of cores, or of light tasks alone */
static void
pass_turn(reel_slot_t *s)
{
    reel_slots_t  *slots = s->slots;

    slots->turn[s->offered.slots > 0] = (reel_redis_shard(s->redis) + 1)
                                        % reel_shards_count(slots->w->shards);
}


void
reel_slot_answered(reel_slot_t *s, const reel_reply_t *reply)
{
    unsigned       shard = reel_redis_shard(s->redis);
    reel_slots_t  *slots = s->slots;
    bool           some = reel_reply_len(reply) > 2;
    bool           light = reel_str_prefix(reel_reply_str(reel_reply_at(
                               reply, QUEUE)), "0:");

    if (!s->offers) {
        return;
    }

    /* a shard that gave a light task has not had the cores yet */
    if (!light || s->offered.slots == 0) {
        pass_turn(s);
    }

    if (reel_reply_len(reply) == 2) {
        slots->reserved = shard;
        slots->reserved_ms = reel_loop_now();

    } else if (slots->reserved == shard && !light) {
        slots->reserved_ms = 0;
    }

    if (!some && !slots->shard[shard].heard) {
        slots->shard[shard].quiet = true;
        slots->shard[shard].none = s->offered;
    }
}


/* it has no task for any room until the next poll, and the others may have */
static void
refuses(reel_slots_t *s, unsigned shard)
{
    s->shard[shard].quiet = true;
    s->shard[shard].none = (reel_room_t) { UINT32_MAX, UINT32_MAX,
                                           UINT32_MAX };
}


static void
on_claim(void *arg, reel_err_t err, const reel_reply_t *reply)
{
    reel_slot_t   *s = arg;
    reel_slots_t  *slots = s->slots;

    slots->shard[reel_redis_shard(s->redis)].asked = false;
    slots->claims--;
    if (slots->claiming == s) {
        slots->claiming = NULL;
    }
    s->state = REEL_SLOT_IDLE;

    if (err == REEL_OK) {
        reel_slot_answered(s, reply);
    } else {
        pass_turn(s);
    }
    s->offered = (reel_room_t) { 0 };
    s->offers = false;

    if (err == REEL_IO) {
        reel_log(REEL_LOG_ERROR, "redis: a claim was refused: %.200s",
                 reel_reply_str(reply).p);
        refuses(slots, reel_redis_shard(s->redis));
    }

    if (err == REEL_OK) {
        reel_slot_take(s, reply);
    }
    if (s->attempt == NULL) {
        s->second = false;
    }

    reel_slots_wake(slots);
    reel_slots_straggle_on(slots);
}


/* what a shard was offered that does not answer, others may take (room.c) */
static bool
is_slow(reel_slots_t *s)
{
    if (reel_loop_now() - s->claim_ms < SLOW_MS
        || reel_shards_count(s->w->shards) == 1)
    {
        return false;
    }

    s->claiming->late = true;
    s->claiming = NULL;

    return true;
}


reel_slot_t *
reel_slots_claimer(const reel_slots_t *s)
{
    if (s->w->draining) {
        return NULL;
    }

    for (unsigned i = 0; i < s->n; i++) {
        if (s->slot[i].state == REEL_SLOT_IDLE) {
            return &s->slot[i];
        }
    }

    return NULL;
}


bool
reel_slot_claim(reel_slot_t *slot, reel_redis_t *r, reel_lua_t script,
    reel_args_t *a)
{
    reel_slots_t  *s = slot->slots;

    if (reel_redis_script(r, script, "lease", "", a, on_claim, slot)
        != REEL_OK)
    {
        slot->offered = (reel_room_t) { 0 };
        slot->offers = false;
        return false;
    }

    slot->redis = r;
    slot->state = REEL_SLOT_CLAIMING;
    slot->late = false;
    s->shard[reel_redis_shard(r)].asked = true;
    s->claiming = slot;
    s->claims++;
    s->claim_ms = reel_loop_now();

    return true;
}


void
reel_slots_wake(reel_slots_t *s)
{
    reel_args_t    a;
    reel_room_t    offered;
    reel_slot_t   *slot;
    reel_redis_t  *r;

    if (s->claiming != NULL && !is_slow(s)) {
        return;
    }

    slot = reel_slots_claimer(s);
    if (slot == NULL) {
        return;
    }

    r = whose_turn(s, reel_room_free(s, slot), &offered);
    if (r != NULL) {
        reel_slot_claim_args(slot, &a);
        add_done(&a, NULL);
        offer_room(slot, r, &a, &offered);
        (void) reel_slot_claim(slot, r, REEL_LUA_STEP, &a);
    }
}


bool
reel_slots_claiming(const reel_slots_t *s)
{
    return s->claims > 0;
}
