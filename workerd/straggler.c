/*
 * A worker that has nothing to do runs once more what takes another one much
 * longer than it should: a slow machine, a disk that hangs.  Redis knows
 * what is late and that nothing is ready (straggler.lua).  The first result
 * counts; the other run is let go like any whose lease was lost.
 *
 * One at a time, so that not much waits when there is work again.
 */

#include "workerd/room.h"


static bool
has_one(const reel_slots_t *s)
{
    for (unsigned i = 0; i < s->n; i++) {
        if (s->slot[i].second) {
            return true;
        }
    }

    return false;
}


void
reel_slots_straggle(reel_slots_t *s)
{
    reel_args_t           a;
    reel_slot_t          *slot;
    const reel_config_t  *c = &s->w->conf;

    if (c->straggler_s == 0 || s->claiming || has_one(s)) {
        return;
    }

    slot = reel_slots_claimer(s);
    if (slot == NULL) {
        return;
    }

    slot->offered = reel_room_free(s, slot);
    slot->offered.lights = 0;
    if (slot->offered.slots == 0) {
        slot->offered = (reel_room_t) { 0 };
        return;
    }

    reel_slot_claim_args(slot, &a);
    reel_args_uint(&a, (uint64_t) c->straggler_s * 1000);
    reel_args_uint(&a, slot->offered.slots);
    reel_args_uint(&a, slot->offered.memory_mib);
    reel_args_addz(&a, s->w->labels);

    slot->second = reel_slot_claim(slot, REEL_LUA_STRAGGLER, &a);
    if (!slot->second) {
        slot->offered = (reel_room_t) { 0 };
    }
}
