/* what a worker has for tasks, and what of it a step is told */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "workerd/room.h"


enum {
    CLAIMS, FREE, FREE_MIB, LIGHTS, ALL, ALL_MIB, ALL_LIGHTS, NUMBERS
};

/* what a step tells of the worker */
static void
told(const reel_args_t *a, unsigned long number[NUMBERS])
{
    char    text[64], *p = text;
    size_t  i;

    assert_true(a->n > 0 && a->ends[0] < sizeof(text));
    memcpy(text, a->data.data, a->ends[0]);
    text[a->ends[0]] = '\0';

    for (i = 0; i < NUMBERS; i++) {
        number[i] = strtoul(p, &p, 10);
    }

    assert_ptr_equal(p, text + a->ends[0]);
}


/* a worker of 8 cores at its start, whose quota is another now */
static void
expect_step(uint32_t cores, uint32_t busy, unsigned free, unsigned all)
{
    unsigned long   number[NUMBERS];
    reel_args_t     a;
    reel_room_t     room;
    reel_worker_t   w = { .conf = { .slots = 8, .slots_auto = true } };
    reel_attempt_t  attempt = { .slots = busy };
    reel_slot_t     slot[2] = { { .number = 0 }, { .attempt = &attempt } };
    reel_slots_t    s = {
        .w = &w, .slot = slot, .n = 2, .cores = cores,
        .measured_ms = reel_loop_now(), .available_mib = 1024
    };

    slot[0].slots = &s;
    slot[1].slots = &s;

    room = reel_room_free(&s);
    reel_args_init(&a);
    reel_slots_room_args(&s, &a, 3, &room);
    told(&a, number);
    assert_int_equal(number[FREE], free);
    assert_int_equal(number[ALL], all);
    assert_int_equal(number[CLAIMS], 3);
    assert_int_equal(number[LIGHTS], busy > 0 ? 9 : 8);
    assert_int_equal(number[ALL_LIGHTS], 9);
    reel_args_release(&a);
}


static void
test_cores_that_were_taken_away(void **state)
{
    (void) state;

    expect_step(8, 3, 5, 8);
    expect_step(2, 0, 2, 2);        /* free = all: what is large runs */
    expect_step(2, 1, 1, 2);
    expect_step(2, 4, 0, 2);
    expect_step(16, 0, 8, 8);
}


static void
test_a_slow_claim_keeps_nothing_from_others(void **state)
{
    reel_worker_t  w = { .conf = { .slots = 8 } };
    reel_slot_t    slot[2] = {
        { .number = 0 },
        { .state = REEL_SLOT_CLAIMING, .offered = { 3, 100, 1 } }
    };
    reel_slots_t   s = {
        .w = &w, .slot = slot, .n = 2, .cores = 8,
        .measured_ms = reel_loop_now(), .available_mib = 1024
    };

    (void) state;

    assert_int_equal(reel_room_free(&s).slots, 5);
    slot[1].late = true;
    assert_int_equal(reel_room_free(&s).slots, 8);
    assert_int_equal(slot[1].offered.slots, 3);
}


/* `reelctl workers` had idle ones busy whenever they asked just then */
static void
test_a_claim_under_way_is_no_work(void **state)
{
    reel_worker_t   w = { .conf = { .slots = 8 }, .room_mib = 1000 };
    reel_attempt_t  attempt = { .slots = 2, .memory_mib = 300 };
    reel_slot_t     slot[2] = {
        { .attempt = &attempt },
        { .state = REEL_SLOT_CLAIMING, .offered = { 6, 700, 1 } }
    };
    reel_slots_t    s = {
        .w = &w, .slot = slot, .n = 2, .cores = 8,
        .measured_ms = reel_loop_now(), .available_mib = 1024
    };

    (void) state;

    assert_int_equal(reel_room_free(&s).slots, 0);
    assert_int_equal(reel_room_unused(&s).slots, 6);
    assert_int_equal(reel_room_unused(&s).memory_mib, 700);
    slot[0].attempt = NULL;
    assert_int_equal(reel_room_unused(&s).slots, 8);
    assert_int_equal(reel_room_unused(&s).memory_mib, 1000);
}


/* a step that two tell of their ends, and one looks with them */
static void
test_a_step_offers_what_is_done(void **state)
{
    reel_worker_t   w = { .conf = { .slots = 8 }, .room_mib = 1000 };
    reel_attempt_t  attempt[3] = {
        { .slots = 2, .memory_mib = 300 }, { .memory_mib = 100 },
        { .slots = 1, .memory_mib = 200 }
    };
    reel_slot_t     slot[4] = {
        { .attempt = &attempt[0], .leaves = true },
        { .attempt = &attempt[1], .leaves = true },
        { .attempt = &attempt[2] }, { .number = 3 }
    };
    reel_slots_t    s = {
        .w = &w, .slot = slot, .n = 4, .cores = 8,
        .measured_ms = reel_loop_now(), .available_mib = 4000
    };
    reel_room_t     room = reel_room_free(&s);

    (void) state;

    assert_int_equal(room.slots, 7);
    assert_int_equal(room.memory_mib, 800);
    assert_int_equal(room.lights, 9);

    /* under way: others have none of it, and three may get a light task */
    slot[0].offered = (reel_room_t) { 7, 800, 1 };
    slot[1].offered.lights = slot[3].offered.lights = 1;
    room = reel_room_free(&s);
    assert_int_equal(room.slots, 0);
    assert_int_equal(room.memory_mib, 0);
    assert_int_equal(room.lights, 6);
}


/* as step.lua counts it */
static void
test_what_a_task_takes(void **state)
{
    reel_room_t  room = { 4, 1000, 2 };

    (void) state;

    assert_false(reel_room_shrink(&room, REEL_STR("1:384:")));
    assert_int_equal(room.slots, 3);
    assert_int_equal(room.memory_mib, 616);
    assert_int_equal(room.lights, 2);
    assert_true(reel_room_shrink(&room, REEL_STR("0:100:gpu")));
    assert_int_equal(room.slots, 3);
    assert_int_equal(room.memory_mib, 516);
    assert_int_equal(room.lights, 1);

    /* larger than the whole worker */
    assert_false(reel_room_shrink(&room, REEL_STR("8:9000:")));
    assert_int_equal(room.slots, 0);
    assert_int_equal(room.memory_mib, 0);
    assert_false(reel_room_shrink(&room, REEL_STR("x")));
    assert_int_equal(room.lights, 1);
}


static void
test_memory_of_a_group(void **state)
{
    (void) state;

    assert_int_equal(reel_room_group(1000, 400, 0), 600);
    assert_int_equal(reel_room_group(1000, 400, 200), 700);
    /* a group that uses little has none of the machine's cache */
    assert_int_equal(reel_room_group(1000, 100, 64000), 950);
    assert_int_equal(reel_room_group(1000, 1010, 64000), 505);
    assert_int_equal(reel_room_group(1000, 0, 64000), 1000);
}


static const reel_config_t  config = { .slots = 2, .room_mib = 1024 };

static char           dir[32];
static reel_worker_t  worker = { .room_mib = 1024 };
static reel_slot_t    two[2] = { { .number = 0 }, { .number = 1 } };
static reel_slots_t   slots = { .w = &worker, .slot = two, .n = 2 };


static int
of_a_store(void **state)
{
    (void) state;

    snprintf(dir, sizeof(dir), "/tmp/reel-room-XXXXXX");
    assert_non_null(mkdtemp(dir));
    worker.conf = config;
    snprintf(worker.conf.store, sizeof(worker.conf.store), "%s", dir);
    slots.measured_ms = slots.spent_ms = 0;
    slots.disk_full = false;

    return 0;
}


static int
unmount(void **state)
{
    (void) state;

    (void) umount2(dir, MNT_DETACH);

    return rmdir(dir);
}


static void
expect_free(uint32_t cores, uint32_t lights)
{
    reel_room_t  room;

    slots.measured_ms = 0;
    room = reel_room_free(&slots);
    assert_int_equal(room.slots, cores);
    assert_int_equal(room.lights, lights);
}


/* on a medium of 1 MiB, of which a task needed more */
static void
test_a_full_store_begins_nothing(void **state)
{
    (void) state;

    if (mount("reel-test", dir, "tmpfs", 0, "size=1m,mode=0700") == -1) {
        print_message("skipped: mount tmpfs: %s\n", strerror(errno));
        skip();
    }

    /* nobody has looked, or lacked anything, yet */
    expect_free(2, 3);
    reel_room_spend(&slots);
    assert_true(reel_room_spent(&slots));
    expect_free(0, 0);

    /* what is small may have room: one is tried after a while */
    slots.spent_ms -= 10000;
    expect_free(2, 3);

    worker.conf.disk_free_mib = 2;
    expect_free(0, 3);
    reel_room_spend(&slots);
    expect_free(0, 0);

    /* others left, and it shows at once */
    assert_int_equal(umount(dir), 0);
    expect_free(2, 3);
    assert_false(reel_room_spent(&slots));
}


static void
test_one_that_is_too_large_keeps_nobody(void **state)
{
    (void) state;

    reel_room_spend(&slots);
    assert_false(reel_room_spent(&slots));
    expect_free(2, 3);

    /* a store that cannot be asked is no full one */
    snprintf(worker.conf.store, sizeof(worker.conf.store), "/nowhere");
    reel_room_spend(&slots);
    expect_free(2, 3);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_cores_that_were_taken_away),
        cmocka_unit_test(test_a_slow_claim_keeps_nothing_from_others),
        cmocka_unit_test(test_a_claim_under_way_is_no_work),
        cmocka_unit_test(test_a_step_offers_what_is_done),
        cmocka_unit_test(test_what_a_task_takes),
        cmocka_unit_test(test_memory_of_a_group),
        cmocka_unit_test_setup_teardown(test_a_full_store_begins_nothing,
                                        of_a_store, unmount),
        cmocka_unit_test_setup_teardown(
            test_one_that_is_too_large_keeps_nobody, of_a_store, unmount),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
