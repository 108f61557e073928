/* the sweep of uploads that nobody goes on with */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/store/layout.h"
#include "workerd/sweep_pass.h"
#include "workerd/worker.h"

#define ID     "0123456789abcdef0123456789abcde0"
#define OTHER  "0123456789abcdef0123456789abcde1"
#define ASSET  "01h00000000000000000000000"
#define SOURCE "assets/00/" ASSET "/source"
#define MINUTE INT64_C(60000)
#define HOUR   INT64_C(3600000)

#define OK(call) assert_int_equal(call, REEL_OK)

static char                dir[64];
static int64_t             now;         /* when all of it was made */
static reel_store_t       *store;
static reel_sweep_pass_t   pass;

static const reel_upload_self_t  client = { "a client", "boot" };


static int
setup(void **state)
{
    (void) state;

    now = reel_unix_ms();
    pass = (reel_sweep_pass_t) {
        .now_ms = now,
        .object_age_ms = MINUTE,
        .upload_age_ms = 24 * HOUR,
        .upload_max = 100,
        .self = { "the sweep's", "boot" }
    };

    snprintf(dir, sizeof(dir), "/tmp/reel-sweep-XXXXXX");

    return mkdtemp(dir) == NULL
           || reel_store_fs_open(dir, &store, NULL) != REEL_OK;
}


static int
teardown(void **state)
{
    char  command[128];

    (void) state;
    reel_store_close(store);
    snprintf(command, sizeof(command), "rm -rf %s", dir);

    return system(command);
}


/* which expires an hour after its last change, and holds turn 0 */
static reel_upload_t *
make(const char *id, reel_upload_door_t door)
{
    reel_upload_t        *u;
    reel_upload_facts_t   f = {
        .door = door,
        .request = {
            .asset = (char *) ASSET, .project = (char *) "p",
            .pipeline = (char *) "default", .name = (char *) "film.mp4",
            .created_ms = now
        },
        .bucket = (char *) "b",
        .expires_ms = now + HOUR,
        .access_key = "AK"
    };

    snprintf(f.id, sizeof(f.id), "%s", id);
    OK(reel_upload_create(store, &f, REEL_UPLOAD_UNKNOWN, &client, now, &u));

    return u;
}


static void
leave(const char *id, reel_upload_door_t door)
{
    reel_upload_close(make(id, door));
}


static bool
stands(const char *key)
{
    reel_store_stat_t  st;

    return reel_store_stat(store, key, &st) == REEL_OK;
}


static reel_upload_phase_t
phase(const char *id)
{
    reel_upload_t        *u;
    reel_upload_phase_t   p;

    OK(reel_upload_open(store, reel_str(id), &u));
    p = u->state.phase;
    reel_upload_close(u);

    return p;
}


static void
sweep_at(int64_t ms)
{
    pass.now_ms = ms;
    OK(reel_sweep_uploads(store, &pass));
}


/*
 * What a crash before the last step of the completion leaves: pending/ cannot
 * be written where a file has its name.
 */
static void
leave_completing(reel_upload_door_t door)
{
    reel_named_t    named;
    reel_upload_t  *u = make(ID, door);

    OK(reel_upload_write(u, "bytes", 5, false));
    OK(reel_upload_settle(u, now));
    OK(reel_store_put_if_absent(store, "pending", "", 0));
    assert_int_not_equal(reel_upload_complete(u, now, &named), REEL_OK);
    reel_upload_close(u);
    OK(reel_store_del(store, "pending"));

    assert_int_equal(phase(ID), REEL_UPLOAD_COMPLETING);
    assert_false(stands("pending/" ASSET ".1"));
}


static void
one_in_its_completion_is_completed(void **state)
{
    (void) state;
    leave_completing(REEL_UPLOAD_TUS);
    sweep_at(now);

    assert_int_equal(pass.completed, 1);
    assert_int_equal(phase(ID), REEL_UPLOAD_COMPLETE);
    assert_true(stands(SOURCE));
    assert_true(stands("assets/00/" ASSET "/request.json"));
    assert_true(stands("pending/" ASSET ".1"));
    assert_false(stands("uploads/" ID "/data"));

    /* once */
    OK(reel_store_del(store, "pending/" ASSET ".1"));
    sweep_at(now);
    assert_int_equal(pass.completed, 1);
    assert_false(stands("pending/" ASSET ".1"));
}


/* the last byte is settled, and then nobody completes it */
static void
leave_whole(reel_upload_door_t door, bool partial, uint64_t length)
{
    reel_upload_t        *u;
    reel_upload_facts_t   f = {
        .id = ID,
        .door = door,
        .partial = partial,
        .request = {
            .asset = (char *) ASSET, .project = (char *) "p",
            .pipeline = (char *) "default", .name = (char *) "film.mp4",
            .created_ms = now
        },
        .bucket = (char *) "b",
        .expires_ms = now + HOUR,
        .access_key = "AK"
    };

    OK(reel_upload_create(store, &f, length, &client, now, &u));
    OK(reel_upload_write(u, "bytes", 5, false));
    OK(reel_upload_settle(u, now));

    /* who brought them may be about to do so */
    sweep_at(now);
    assert_int_equal(pass.completed, 0);
    reel_upload_close(u);
}


static void
a_whole_one_of_tus_is_completed(void **state)
{
    (void) state;
    leave_whole(REEL_UPLOAD_TUS, false, 5);
    sweep_at(now);

    assert_int_equal(pass.completed, 1);
    assert_int_equal(phase(ID), REEL_UPLOAD_COMPLETE);
    assert_true(stands(SOURCE));
    assert_true(stands("pending/" ASSET ".1"));
    sweep_at(now);
    assert_int_equal(pass.completed, 1);
}


/* more may come, or another one is made of it, or its client says when */
static void
others_are_not(void **state)
{
    size_t  i;
    static const struct {
        reel_upload_door_t  door;
        bool                partial;
        uint64_t            length;
    } c[] = {
        { REEL_UPLOAD_TUS, false, 6 },
        { REEL_UPLOAD_TUS, false, REEL_UPLOAD_UNKNOWN },
        { REEL_UPLOAD_TUS, true, 5 },
        { REEL_UPLOAD_IETF, false, 5 },
        { REEL_UPLOAD_PUT, false, 5 },
    };

    (void) state;

    for (i = 0; i < sizeof(c) / sizeof(c[0]); i++) {
        leave_whole(c[i].door, c[i].partial, c[i].length);
        sweep_at(now);
        assert_int_equal(pass.completed, 0);
        assert_int_equal(phase(ID), REEL_UPLOAD_OPEN);
        OK(reel_store_del_tree(store, "uploads/" ID, NULL));
    }

    /* its client heard that it expired */
    leave_whole(REEL_UPLOAD_TUS, false, 5);
    sweep_at(now + HOUR + 1);
    assert_int_equal(pass.completed, 0);
    assert_int_equal(phase(ID), REEL_UPLOAD_EXPIRED);
}


static void
its_completion_is_not_limited(void **state)
{
    (void) state;
    leave_completing(REEL_UPLOAD_TUS);
    pass.upload_max = 0;
    sweep_at(now);
    assert_int_equal(pass.completed, 1);
}


static void
an_expired_one_ends(void **state)
{
    (void) state;
    leave(ID, REEL_UPLOAD_TUS);
    leave(OTHER, REEL_UPLOAD_MULTIPART);
    sweep_at(now + HOUR);
    assert_int_equal(pass.expired, 0);
    assert_int_equal(phase(ID), REEL_UPLOAD_OPEN);

    sweep_at(now + HOUR + 1);
    assert_int_equal(pass.expired, 2);
    assert_int_equal(phase(ID), REEL_UPLOAD_EXPIRED);
    assert_int_equal(phase(OTHER), REEL_UPLOAD_EXPIRED);
    assert_false(stands("uploads/" ID "/data"));
    assert_false(stands("uploads/" OTHER "/data"));
    assert_false(stands("uploads/" OTHER "/parts"));

    /* it is remembered for a day */
    sweep_at(now + 25 * HOUR);
    assert_int_equal(pass.removed, 0);
    sweep_at(now + 25 * HOUR + 1);
    assert_int_equal(pass.removed, 2);
    assert_false(stands("uploads/" ID "/upload.json"));
}


static void
each_change_gives_it_as_long_again(void **state)
{
    reel_upload_t       *u = make(ID, REEL_UPLOAD_IETF);
    reel_upload_part_t   part;

    (void) state;
    OK(reel_upload_write(u, "bytes", 5, false));
    OK(reel_upload_settle(u, now + 30 * MINUTE));
    reel_upload_close(u);
    leave(OTHER, REEL_UPLOAD_MULTIPART);

    OK(reel_upload_open(store, reel_str(OTHER), &u));
    OK(reel_upload_claim(u, 1, &client));
    OK(reel_upload_part_begin(u, 1, now, &part));
    OK(reel_upload_part_write(u, &part, 0, "x", 1));
    OK(reel_upload_part_finish(u, &part, now + 40 * MINUTE));
    reel_upload_close(u);

    sweep_at(now + 90 * MINUTE);
    assert_int_equal(pass.expired, 0);
    sweep_at(now + 90 * MINUTE + 1);
    assert_int_equal(phase(ID), REEL_UPLOAD_EXPIRED);
    assert_int_equal(phase(OTHER), REEL_UPLOAD_OPEN);
    sweep_at(now + 100 * MINUTE + 1);
    assert_int_equal(phase(OTHER), REEL_UPLOAD_EXPIRED);
}


/* whatever it is, and however old */
static void
not_while_somebody_has_a_turn(void **state)
{
    uint8_t              owner[REEL_UPLOAD_OWNER_LEN];
    reel_upload_t       *u, *v, *other;
    reel_upload_part_t   part;

    (void) state;
    leave_completing(REEL_UPLOAD_TUS);
    OK(reel_upload_open(store, reel_str(ID), &u));
    OK(reel_upload_claim(u, 0, &client));
    leave(OTHER, REEL_UPLOAD_MULTIPART);
    OK(reel_upload_open(store, reel_str(OTHER), &v));
    OK(reel_upload_claim(v, 7, &client));

    sweep_at(now + 1000 * HOUR);
    assert_int_equal(pass.completed + pass.expired + pass.removed, 0);

    /* nor was anybody told to leave */
    OK(reel_upload_check(u));
    OK(reel_upload_part_begin(v, 1, now, &part));
    OK(reel_upload_open(store, reel_str(OTHER), &other));
    OK(reel_upload_owner(other, 7, owner));
    assert_memory_equal(owner, client.owner, sizeof(owner));
    reel_upload_close(other);

    reel_upload_close(u);
    reel_upload_close(v);
    sweep_at(now + 1000 * HOUR);
    assert_int_equal(pass.completed, 1);
    assert_int_equal(pass.expired, 1);
}


/* who waits for a turn is not overtaken by the sweep */
static void
who_waits_stays_the_newest(void **state)
{
    reel_upload_t  *holder = make(ID, REEL_UPLOAD_TUS), *waits;

    (void) state;
    OK(reel_upload_open(store, reel_str(ID), &waits));
    assert_int_equal(reel_upload_claim(waits, 0, &client), REEL_AGAIN);
    reel_upload_close(holder);
    sweep_at(now + 2 * HOUR);
    assert_int_equal(pass.expired, 1);

    OK(reel_upload_claim(waits, 0, &client));
    assert_int_equal(waits->state.phase, REEL_UPLOAD_EXPIRED);
    reel_upload_close(waits);
}


static void
a_dead_put_is_not_kept(void **state)
{
    (void) state;
    leave(ID, REEL_UPLOAD_PUT);
    sweep_at(now + MINUTE - 1);
    assert_int_equal(phase(ID), REEL_UPLOAD_OPEN);
    sweep_at(now + MINUTE);
    assert_int_equal(pass.expired, 1);
    sweep_at(now + MINUTE);
    assert_int_equal(pass.removed, 1);
    assert_false(stands("uploads/" ID "/upload.json"));
}


static void
bytes_that_a_crash_left_go(void **state)
{
    reel_upload_t  *u = make(ID, REEL_UPLOAD_TUS);

    (void) state;
    OK(reel_upload_abort(u, REEL_UPLOAD_ABORTED, now));
    reel_upload_close(u);
    OK(reel_store_put_if_absent(store, "uploads/" ID "/data", "bytes", 5));

    sweep_at(now + 1);
    assert_false(stands("uploads/" ID "/data"));
    assert_int_equal(phase(ID), REEL_UPLOAD_ABORTED);

    /* which does not make it younger */
    sweep_at(now + 24 * HOUR);
    assert_int_equal(pass.removed, 1);
}


static void
a_pass_does_so_much_and_no_more(void **state)
{
    char      id[REEL_UPLOAD_ID_LEN + 1];
    unsigned  i;

    (void) state;

    for (i = 0; i < 7; i++) {
        snprintf(id, sizeof(id), "%032x", i);
        leave(id, REEL_UPLOAD_TUS);
    }

    OK(reel_store_put_if_absent(store, "uploads/" ID "/state", "", 0));
    pass.upload_max = 3;

    for (i = 0; i < 4; i++) {
        pass.expired = 0;
        pass.removed = 0;
        sweep_at(now + 25 * HOUR);
        assert_int_equal(pass.expired + pass.removed, i < 2 ? 3 : i == 2 ? 2
                                                                         : 0);
    }
}


static void
what_is_broken_goes_after_a_day(void **state)
{
    char  path[128];

    (void) state;

    /* being made when the power went; never made; torn; none of ours */
    OK(reel_store_put_if_absent(store, "uploads/" ID "/state", "", 0));
    snprintf(path, sizeof(path), "%s/uploads/%032d", dir, 7);
    assert_int_equal(mkdir(path, 0700), 0);
    leave(OTHER, REEL_UPLOAD_TUS);
    OK(reel_store_replace(store, "uploads/" OTHER "/upload.json", "{", 1));
    OK(reel_store_put_if_absent(store, "uploads/notes/x", "", 0));

    sweep_at(now + 23 * HOUR);
    assert_true(stands("uploads/" ID "/state"));
    assert_true(stands("uploads/" OTHER "/state"));

    sweep_at(now + 25 * HOUR);
    assert_false(stands("uploads/" ID "/state"));
    assert_false(stands("uploads/" OTHER "/state"));
    assert_int_equal(rmdir(path), -1);
    assert_true(stands("uploads/notes/x"));
}


static void
not_while_it_is_being_made(void **state)
{
    reel_multipart_t  *m;

    (void) state;
    OK(reel_multipart_create(store, "uploads/" ID "/state", 0, &m));
    OK(reel_multipart_lock(m, 0, 1, false));
    sweep_at(now + 25 * HOUR);
    assert_true(stands("uploads/" ID "/state"));
    reel_multipart_close(m);
    sweep_at(now + 25 * HOUR);
    assert_false(stands("uploads/" ID "/state"));
}


/* a folder that this user may not read, among others that it may */
static void
an_unreadable_one_does_not_stop_the_sweep(void **state)
{
    char   command[128], bad[128];
    uid_t  user = geteuid() == 0 ? 64123 : geteuid();

    (void) state;
    leave("00000000000000000000000000000001", REEL_UPLOAD_TUS);
    leave("00000000000000000000000000000002", REEL_UPLOAD_TUS);
    leave("00000000000000000000000000000003", REEL_UPLOAD_TUS);

    snprintf(bad, sizeof(bad), "%s/uploads/%032d", dir, 2);
    snprintf(command, sizeof(command), "chown -R %u %s", user, dir);
    assert_int_equal(system(command), 0);
    assert_int_equal(chmod(bad, 0), 0);

    assert_int_equal(seteuid(user), 0);
    sweep_at(now + 2 * HOUR);
    assert_int_equal(seteuid(getuid()), 0);

    assert_int_equal(chmod(bad, 0700), 0);
    assert_int_equal(pass.expired, 2);
    assert_int_equal(phase("00000000000000000000000000000002"),
                     REEL_UPLOAD_OPEN);
}


#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
    const struct CMUnitTest  tests[] = {
        T(one_in_its_completion_is_completed),
        T(a_whole_one_of_tus_is_completed), T(others_are_not),
        T(its_completion_is_not_limited), T(an_expired_one_ends),
        T(each_change_gives_it_as_long_again),
        T(not_while_somebody_has_a_turn), T(who_waits_stays_the_newest),
        T(a_dead_put_is_not_kept), T(bytes_that_a_crash_left_go),
        T(a_pass_does_so_much_and_no_more),
        T(what_is_broken_goes_after_a_day), T(not_while_it_is_being_made),
        T(an_unreadable_one_does_not_stop_the_sweep)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
