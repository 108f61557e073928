#include "workerd/room.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>

#include "workerd/cgroup.h"
#include "workerd/log.h"

/* what was measured holds for so long */
#define FRESH_MS 1000

/* nothing begins for so long when a task found no room in the store: then one
   is tried again, for it may be small, and what ends gives room back */
#define SPENT_MS 10000

/* of the machine's memory, and of the group's limit */
#define MACHINE_PERCENT 80
#define GROUP_PERCENT   90


/* MiB of a line of /proc/meminfo; 0 = no such line */
static uint64_t
meminfo(const char *name)
{
    char      line[128];
    FILE     *f = fopen("/proc/meminfo", "re");
    size_t    n = strlen(name);
    uint64_t  kib = 0;

    if (f == NULL) {
        return 0;
    }

    while (fgets(line, sizeof(line), f) != NULL) {
        if (strncmp(line, name, n) == 0 && line[n] == ':') {
            kib = strtoull(line + n + 1, NULL, 10);
            break;
        }
    }

    fclose(f);

    return kib >> 10;
}


/* MiB of a file of the control group; false: no limit, no such file */
static bool
group_mib(const char *file, uint64_t *mib)
{
    char      line[64];
    uint64_t  bytes;

    if (reel_cgroup_line(line, sizeof(line), file) == NULL
        || reel_str_u64(reel_str(line), UINT64_MAX, &bytes) != REEL_OK)
    {
        return false;
    }

    *mib = bytes >> 20;

    return true;
}


uint32_t
reel_room_memory(const reel_config_t *c)
{
    uint64_t  mib, most;

    if (c->room_mib != 0) {
        return c->room_mib;
    }

    mib = meminfo("MemTotal") * MACHINE_PERCENT / 100;

    if (group_mib("memory.max", &most) && most * GROUP_PERCENT / 100 < mib) {
        mib = most * GROUP_PERCENT / 100;
    }

    return mib > UINT32_MAX ? UINT32_MAX : (uint32_t) mib;
}


reel_err_t
reel_room_needs(reel_str_t queue, uint32_t *slots, uint32_t *memory_mib)
{
    uint64_t    n, mib;
    reel_str_t  head, rest, memory, labels;

    head = reel_str_cut(queue, ':', &rest);
    memory = reel_str_cut(rest, ':', &labels);

    if (rest.p == NULL || labels.p == NULL
        || reel_str_u64(head, UINT32_MAX, &n) != REEL_OK
        || reel_str_u64(memory, UINT32_MAX, &mib) != REEL_OK)
    {
        return REEL_BADDATA;
    }

    *slots = (uint32_t) n;
    *memory_mib = (uint32_t) mib;

    return REEL_OK;
}


uint64_t
reel_room_group(uint64_t limit, uint64_t used, uint64_t cached)
{
    uint64_t  left = limit > used ? limit - used : 0;

    /* the machine's cache is others' too */
    return left + (cached < used ? cached : used) / 2;
}


/* memory that could be had now; the cache of files gives way */
static uint64_t
available_mib(const reel_config_t *c)
{
    uint64_t  mib, most, used;

    /* asked for by the operator: then it counts, not what others leave */
    if (c->room_mib != 0) {
        return UINT64_MAX;
    }

    mib = meminfo("MemAvailable");

    if (group_mib("memory.max", &most) && group_mib("memory.current", &used))
    {
        most = reel_room_group(most, used, meminfo("Cached"));
        mib = most < mib ? most : mib;
    }

    return mib;
}


/* that are free; more than any limit when it cannot be told */
static uint64_t
store_mib(const reel_config_t *c)
{
    struct statvfs  st;

    if (statvfs(c->store, &st) != 0) {
        return UINT64_MAX;
    }

    return (uint64_t) st.f_bavail * st.f_frsize >> 20;
}


static void
measure_store(reel_slots_t *s)
{
    bool      full;
    uint64_t  limit = s->w->conf.disk_free_mib, mib;

    if (limit == 0 && s->spent_ms == 0) {
        return;
    }

    mib = store_mib(&s->w->conf);
    full = mib < limit;

    if (full != s->disk_full) {
        reel_log(full ? REEL_LOG_WARN : REEL_LOG_INFO, "store: %s",
                 full ? "less than limits.disk_free_mib are free: no encode "
                        "begins" : "there is room again");
        s->disk_full = full;
    }

    if (s->spent_ms != 0 && (mib >= REEL_ROOM_STORE_MIB
                             || reel_loop_now() - s->spent_ms >= SPENT_MS))
    {
        s->spent_ms = 0;
    }
}


static void
measure(reel_slots_t *s)
{
    int64_t         now = reel_loop_now();
    reel_worker_t  *w = s->w;

    if (s->measured_ms != 0 && now - s->measured_ms < FRESH_MS) {
        return;
    }

    s->measured_ms = now;
    s->available_mib = available_mib(&w->conf);
    s->cores = w->conf.slots_auto ? reel_config_cores() : w->conf.slots;
    measure_store(s);
}


void
reel_room_spend(reel_slots_t *s)
{
    bool  before = s->spent_ms != 0;

    s->spent_ms = reel_loop_now();
    s->measured_ms = 0;

    if (reel_room_spent(s) && !before) {
        reel_log(REEL_LOG_WARN, "store: a task found no room: none begins for "
                 "%d s, or until there is some", SPENT_MS / 1000);
    }
}


bool
reel_room_spent(reel_slots_t *s)
{
    measure(s);

    return s->spent_ms != 0;
}


/* nothing runs in one that cannot tell its end to a dead shard, and a claim
   that is slow has what is left when it is answered */
static bool
holds_room(const reel_slot_t *s)
{
    return !(s->state == REEL_SLOT_REPORTING && !reel_redis_up(s->redis))
           && !(s->state == REEL_SLOT_CLAIMING && s->late);
}


/* cores, memory and light tasks of what runs, and, where claims is true, of
   what may be claimed just now */
static void
count_used(const reel_slots_t *s, bool claims, uint64_t *slots,
    uint64_t *mib, unsigned *lights)
{
    const reel_slot_t     *slot;
    const reel_attempt_t  *a;

    *slots = 0;
    *mib = 0;
    *lights = 0;

    for (unsigned i = 0; i < s->n; i++) {
        slot = &s->slot[i];
        a = slot->attempt;

        if (!holds_room(slot)) {
            continue;
        }

        if (claims) {
            *slots += slot->offered.slots;
            *mib += slot->offered.memory_mib;
            *lights += slot->offered.lights;
        }

        if (a != NULL && !(claims && slot->leaves)) {
            *slots += a->slots;
            *mib += a->memory_mib;
            *lights += a->slots == 0;
        }
    }
}


uint32_t
reel_room_cores(const reel_slots_t *s)
{
    return s->w->conf.slots < s->cores ? s->w->conf.slots : s->cores;
}


static reel_room_t
room_left(reel_slots_t *s, bool claims)
{
    uint64_t     slots, mib, most;
    unsigned     lights, places = REEL_ROOM_LIGHTS(s->w->conf.slots);
    reel_room_t  r = { 0 };

    if (reel_room_spent(s)) {
        return r;
    }

    count_used(s, claims, &slots, &mib, &lights);

    r.lights = lights < places ? places - lights : 0;

    most = s->w->room_mib > mib ? s->w->room_mib - mib : 0;
    most = s->available_mib < most ? s->available_mib : most;
    r.memory_mib = (uint32_t) most;

    if (!s->disk_full) {
        most = reel_room_cores(s);
        r.slots = most > slots ? (uint32_t) (most - slots) : 0;
    }

    return r;
}


reel_room_t
reel_room_free(reel_slots_t *s)
{
    return room_left(s, true);
}


reel_room_t
reel_room_unused(reel_slots_t *s)
{
    return room_left(s, false);
}


bool
reel_room_shrink(reel_room_t *room, reel_str_t queue)
{
    uint32_t  slots, mib;

    if (reel_room_needs(queue, &slots, &mib) != REEL_OK) {
        return false;
    }

    room->slots -= slots < room->slots ? slots : room->slots;
    room->memory_mib -= mib < room->memory_mib ? mib : room->memory_mib;
    room->lights -= slots == 0 && room->lights > 0;

    return slots == 0;
}


reel_use_t
reel_room_use(const reel_slots_t *s)
{
    reel_use_t             u = { 0 };
    const reel_attempt_t  *a;

    for (unsigned i = 0; i < s->n; i++) {
        a = s->slot[i].attempt;

        /* one of an unknown type does not run */
        if (a != NULL && a->ops != NULL) {
            u.cores += a->slots;
            u.memory_mib += a->memory_mib;
            u.tasks[a->ops->type]++;
        }
    }

    return u;
}
