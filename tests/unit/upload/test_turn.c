/* who may write: tickets, locks, and what a killed process leaves */

#include "tests/unit/upload/fixture.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/unit/upload/fault.h"


static void
assert_owner(reel_upload_t *u, unsigned turn, const reel_upload_self_t *who)
{
    uint8_t  owner[REEL_UPLOAD_OWNER_LEN];

    OK(reel_upload_owner(u, turn, owner));
    assert_memory_equal(owner, who->owner, sizeof(owner));
}


static void
taken_over(void **state)
{
    uint8_t               owner[REEL_UPLOAD_OWNER_LEN];
    reel_store_t         *s = *state;
    reel_upload_t        *a, *b, *c;
    reel_upload_facts_t   f = facts_of(REEL_UPLOAD_TUS);

    a = create(s, &f, 1000);
    append(a, 100);
    OK(reel_upload_check(a));
    IS(REEL_INVAL, reel_upload_claim(a, 0, &alice));

    /* announced: the older one stops at once, and is told of by its owner */
    b = open_id(s, ID);
    IS(REEL_AGAIN, reel_upload_claim(b, 0, &bob));
    assert_false(b->held);
    assert_owner(b, 0, &alice);
    IS(REEL_DENIED, reel_upload_check(a));
    IS(REEL_DENIED, reel_upload_write(a, "x", 1, false));
    IS(REEL_AGAIN, reel_upload_claim(b, 0, &bob));

    /* the newest wins, not the first */
    c = open_id(s, ID);
    IS(REEL_AGAIN, reel_upload_claim(c, 0, &rebooted));
    IS(REEL_DENIED, reel_upload_claim(b, 0, &bob));
    assert_owner(c, 0, &alice);

    /* what came so far is kept, but not acknowledged */
    IS(REEL_DENIED, reel_upload_settle(a, NOW));
    reel_upload_close(a);
    IS(REEL_NOTFOUND, reel_upload_owner(c, 0, owner));
    IS(REEL_DENIED, reel_upload_claim(b, 0, &bob));
    OK(reel_upload_claim(c, 0, &rebooted));
    assert_owner(b, 0, &rebooted);
    assert_int_equal(c->state.offset, 100);
    assert_int_equal(c->state.durable, 100);
    append(c, 10);

    /* a new request of the older one is the newer then */
    reel_upload_close(b);
    b = open_id(s, ID);
    IS(REEL_AGAIN, reel_upload_claim(b, 0, &bob));
    IS(REEL_DENIED, reel_upload_write(c, "x", 1, false));
    reel_upload_close(c);
    OK(reel_upload_claim(b, 0, &bob));
    assert_int_equal(b->state.offset, 100);
    reel_upload_close(b);
}


/* what was received before the holder heard of it */
static void
leaves(void **state)
{
    reel_store_t         *s = *state;
    reel_upload_t        *a, *b;
    reel_upload_facts_t   f = facts_of(REEL_UPLOAD_TUS);

    a = create(s, &f, 1000);
    append(a, 100);
    b = open_id(s, ID);
    IS(REEL_AGAIN, reel_upload_claim(b, 0, &bob));

    IS(REEL_DENIED, reel_upload_write(a, "x", 1, false));
    reel_upload_leave(a);
    OK(reel_upload_write(a, "x", 1, false));
    OK(reel_upload_write(a, "yz", 2, true));
    OK(reel_upload_confirm(a));
    IS(REEL_AGAIN, reel_upload_claim(b, 0, &bob));
    IS(REEL_DENIED, reel_upload_check(a));
    IS(REEL_DENIED, reel_upload_settle(a, NOW));
    reel_upload_close(a);

    OK(reel_upload_claim(b, 0, &bob));
    assert_int_equal(b->state.offset, 103);
    assert_int_equal(b->state.durable, 103);
    reel_upload_close(b);
}


static void
same_boot(void **state)
{
    reel_store_t         *s = *state;
    reel_upload_t        *u;
    reel_upload_facts_t   f = facts_of(REEL_UPLOAD_IETF);

    u = create(s, &f, 1000);
    append(u, 100);
    OK(reel_upload_settle(u, NOW));
    append(u, 100);
    OK(reel_upload_write(u, "not confirmed", 13, true));
    reel_upload_close(u);

    /* of the same boot: all is there, and durable now */
    u = claim(s, ID, &bob);
    assert_int_equal(u->state.offset, 200);
    assert_int_equal(u->state.durable, 200);
    append(u, 50);
    reel_upload_close(u);

    u = open_id(s, ID);
    assert_int_equal(u->state.durable, 200);
    assert_int_equal(u->state.offset, 250);
    reel_upload_close(u);

    /* after a loss of power, or on another host, what was durable is */
    u = claim(s, ID, &rebooted);
    assert_int_equal(u->state.offset, 200);
    append(u, 800);
    OK(reel_upload_settle(u, NOW));
    reel_upload_close(u);
    assert_pattern(s, "uploads/" ID "/data", 1000, 0);
}


static void
parts_and_zero(void **state)
{
    reel_store_t         *s = *state;
    reel_upload_t        *a, *b, *z;
    reel_upload_part_t    pa, pb;
    reel_upload_facts_t   f = facts_of(REEL_UPLOAD_MULTIPART);

    z = create(s, &f, REEL_UPLOAD_UNKNOWN);
    a = open_id(s, ID);
    IS(REEL_AGAIN, reel_upload_claim(a, 7, &alice));
    assert_owner(a, 7, &alice);
    reel_upload_close(z);
    OK(reel_upload_claim(a, 7, &alice));

    b = open_id(s, ID);
    OK(reel_upload_claim(b, 8, &bob));
    OK(reel_upload_part_begin(a, 10, NOW, &pa));
    OK(reel_upload_part_begin(b, 10, NOW, &pb));

    /* who ends the upload sends all writers of parts away, one by one */
    z = open_id(s, ID);
    IS(REEL_AGAIN, reel_upload_claim(z, 0, &rebooted));
    assert_owner(z, 0, &alice);
    assert_owner(z, 8, &bob);
    IS(REEL_DENIED, reel_upload_check(a));
    IS(REEL_DENIED, reel_upload_part_write(b, &pb, 0, "x", 1));
    reel_upload_close(a);
    IS(REEL_AGAIN, reel_upload_claim(z, 0, &rebooted));
    assert_owner(z, 0, &bob);
    reel_upload_close(b);
    OK(reel_upload_claim(z, 0, &rebooted));
    reel_upload_close(z);

    /* the same part twice: the newer */
    a = open_id(s, ID);
    OK(reel_upload_claim(a, 7, &alice));
    OK(reel_upload_part_begin(a, 1, NOW, &pa));
    OK(reel_upload_part_write(a, &pa, 0, "x", 1));
    b = open_id(s, ID);
    IS(REEL_AGAIN, reel_upload_claim(b, 7, &bob));
    IS(REEL_DENIED, reel_upload_part_finish(a, &pa, NOW));
    reel_upload_close(a);
    OK(reel_upload_claim(b, 7, &bob));
    IS(REEL_INVAL, reel_upload_claim(b, 8, &bob));
    reel_upload_close(b);
    b = open_id(s, ID);
    IS(REEL_INVAL, reel_upload_claim(b, 10001, &bob));
    reel_upload_close(b);
}


static void
swept(void **state)
{
    reel_store_t         *s = *state;
    reel_upload_t        *u, *v;
    reel_upload_facts_t   f = facts_of(REEL_UPLOAD_TUS);

    u = create(s, &f, 10);
    v = open_id(s, ID);
    OK(reel_upload_abort(u, REEL_UPLOAD_ABORTED, NOW));
    OK(reel_upload_remove(u));
    reel_upload_close(u);
    IS(REEL_NOTFOUND, reel_upload_claim(v, 0, &bob));
    assert_false(v->held);
    reel_upload_close(v);
}


static double
seconds(void)
{
    struct timespec  ts;

    (void) clock_gettime(CLOCK_MONOTONIC, &ts);

    return (double) ts.tv_sec + (double) ts.tv_nsec / 1e9;
}


/* writes until it is killed; what it settled it says through the pipe */
static void
child_writes(int out)
{
    uint64_t              i, told;
    uint8_t               buf[10007];
    reel_store_t         *s;
    reel_upload_t        *u;

    if (reel_store_fs_open(fs_root, &s, NULL) != REEL_OK
        || reel_upload_open(s, REEL_STR(ID), &u) != REEL_OK
        || reel_upload_claim(u, 0, &alice) != REEL_OK)
    {
        _exit(1);
    }

    for ( ;; ) {
        for (i = 0; i < sizeof(buf); i++) {
            buf[i] = pattern(u->state.offset + i, 0);
        }

        if (reel_upload_write(u, buf, sizeof(buf), false) != REEL_OK) {
            _exit(2);
        }

        if (u->state.offset / sizeof(buf) % 8 == 0) {
            if (reel_upload_settle(u, NOW) != REEL_OK) {
                _exit(3);
            }

            told = u->state.offset;
            if (write(out, &told, sizeof(told)) != (ssize_t) sizeof(told)) {
                _exit(4);
            }
        }
    }
}


static void
killed_in_the_middle(void **state)
{
    int                   fd[2], status;
    pid_t                 pid;
    unsigned              round;
    uint64_t              told = 0, acked = 0;
    reel_err_t            err;
    reel_store_t         *s = *state;
    reel_upload_t        *u;
    reel_upload_facts_t   f = facts_of(REEL_UPLOAD_TUS);

    reel_upload_close(create(s, &f, REEL_UPLOAD_UNKNOWN));

    for (round = 0; round < 10; round++) {
        assert_int_equal(pipe(fd), 0);
        pid = fork();
        assert_true(pid != -1);

        if (pid == 0) {
            child_writes(fd[1]);
        }

        (void) close(fd[1]);
        assert_int_equal(read(fd[0], &told, sizeof(told)), sizeof(told));

        /* asked to leave in every other round, it may be gone at once */
        if (round & 1) {
            u = open_id(s, ID);
            err = reel_upload_claim(u, 0, &bob);
            assert_true(err == REEL_AGAIN || err == REEL_OK);
            reel_upload_close(u);
        }

        usleep(1000 * (round % 4));
        assert_int_equal(kill(pid, SIGKILL), 0);
        assert_int_equal(waitpid(pid, &status, 0), pid);

        assert_true(WIFSIGNALED(status)
                    || ((round & 1) && (WEXITSTATUS(status) == 2
                                        || WEXITSTATUS(status) == 3)));

        while (read(fd[0], &told, sizeof(told)) == (ssize_t) sizeof(told)) {
            acked = told;
        }

        (void) close(fd[0]);

        u = claim(s, ID, &bob);
        assert_true(u->state.offset >= acked);
        assert_true(u->state.offset == u->state.durable);
        reel_upload_close(u);
    }

    u = claim(s, ID, &bob);
    assert_true(u->state.offset > 0);
    OK(reel_upload_set_length(u, u->state.offset + 1, NOW));
    append(u, 1);
    OK(reel_upload_settle(u, NOW));
    told = u->state.length;
    reel_upload_close(u);
    assert_pattern(s, "uploads/" ID "/data", told, 0);
}


/* holds the turn until somebody newer wants it */
static void
child_holds(int out)
{
    reel_store_t   *s;
    reel_upload_t  *u;

    if (reel_store_fs_open(fs_root, &s, NULL) != REEL_OK
        || reel_upload_open(s, REEL_STR(ID), &u) != REEL_OK
        || reel_upload_claim(u, 0, &alice) != REEL_OK
        || write(out, "x", 1) != 1)
    {
        _exit(1);
    }

    while (reel_upload_check(u) == REEL_OK) {
        usleep(500);
    }

    if (reel_upload_settle(u, NOW) != REEL_DENIED) {
        _exit(2);
    }

    reel_upload_close(u);
    _exit(0);
}


static void
two_processes(void **state)
{
    int                   fd[2], status;
    char                  c;
    pid_t                 pid;
    double                began;
    unsigned              tries = 0;
    reel_err_t            err;
    reel_store_t         *s = *state;
    reel_upload_t        *u;
    reel_upload_facts_t   f = facts_of(REEL_UPLOAD_TUS);

    reel_upload_close(create(s, &f, 100));
    assert_int_equal(pipe(fd), 0);
    pid = fork();
    assert_true(pid != -1);

    if (pid == 0) {
        child_holds(fd[1]);
    }

    assert_int_equal(read(fd[0], &c, 1), 1);
    u = open_id(s, ID);
    began = seconds();

    while ((err = reel_upload_claim(u, 0, &bob)) == REEL_AGAIN) {
        assert_true(++tries < 10000);
        usleep(500);
    }

    assert_int_equal(err, REEL_OK);
    assert_true(tries > 0);
    assert_true(seconds() - began < 1);
    append(u, 100);
    OK(reel_upload_settle(u, NOW));
    reel_upload_close(u);

    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    (void) close(fd[0]);
    (void) close(fd[1]);
}


/* how many claims of a part at once, of many processes: one at a time */
static void
crowd(void **state)
{
    int                   status;
    pid_t                 pid[8];
    size_t                i, n;
    unsigned              turn;
    reel_store_t         *s = *state;
    reel_upload_t        *u;
    reel_upload_part_t   *parts;
    reel_upload_facts_t   f = facts_of(REEL_UPLOAD_MULTIPART);

    reel_upload_close(create(s, &f, REEL_UPLOAD_UNKNOWN));

    for (i = 0; i < COUNT(pid); i++) {
        pid[i] = fork();
        assert_true(pid[i] != -1);

        if (pid[i] == 0) {
            if (reel_store_fs_open(fs_root, &s, NULL) != REEL_OK) {
                _exit(1);
            }

            for (turn = 1 + (unsigned) i; turn <= 64; turn += COUNT(pid)) {
                (void) put_part(s, turn, 1000 + turn, 0, turn);
            }

            _exit(0);
        }
    }

    for (i = 0; i < COUNT(pid); i++) {
        assert_int_equal(waitpid(pid[i], &status, 0), pid[i]);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    }

    u = open_id(s, ID);
    OK(reel_upload_parts(u, &parts, &n));
    assert_int_equal(n, 64);

    for (i = 0; i < n; i++) {
        assert_int_equal(parts[i].number, i + 1);
        assert_int_equal(parts[i].size, 1001 + i);

        for (turn = 0; turn < i; turn++) {
            assert_true(parts[turn].offset + parts[turn].size
                        <= parts[i].offset
                        || parts[i].offset + parts[i].size
                           <= parts[turn].offset);
        }
    }

    free(parts);
    reel_upload_close(u);
}


/*
 * Power is lost at each change, with what was not synced lost, kept or torn
 * at random: what was acknowledged is there.
 */
static void
lossy_session(reel_store_t *s, uint64_t *acked)
{
    unsigned        i;
    uint8_t         buf[1000];
    reel_upload_t  *u;
    reel_upload_facts_t  f = facts_of(REEL_UPLOAD_TUS);

    if (reel_upload_create(s, &f, REEL_UPLOAD_UNKNOWN, &alice, NOW, &u)
        != REEL_OK)
    {
        return;
    }

    for (i = 0; i < 30; i++) {
        for (size_t k = 0; k < sizeof(buf); k++) {
            buf[k] = pattern(u->state.offset + k, 0);
        }

        if (reel_upload_write(u, buf, sizeof(buf), false) != REEL_OK) {
            break;
        }

        if ((i % 7 == 3 && reel_upload_flush(u) != REEL_OK)) {
            break;
        }

        if (u->state.durable > *acked) {
            /* told while the request goes on */
            if (reel_upload_checkpoint(u) != REEL_OK) {
                break;
            }

            *acked = u->state.durable;
        }

        if (i % 5 == 4) {
            if (reel_upload_settle(u, NOW) != REEL_OK) {
                break;
            }

            *acked = u->state.offset;
        }

        if (i % 11 == 10) {
            /* somebody else goes on */
            reel_upload_close(u);
            if (reel_upload_open(s, REEL_STR(ID), &u) != REEL_OK) {
                return;
            }

            if (reel_upload_claim(u, 0, &bob) != REEL_OK) {
                break;
            }

            *acked = u->state.offset;
        }
    }

    reel_upload_close(u);
}


static void
power_loss(void **state)
{
    unsigned        n, seed, dead;
    uint64_t        acked;
    reel_err_t      err;
    reel_store_t   *s, *inner;
    reel_upload_t  *u;

    (void) state;

    for (seed = 1; seed <= 20; seed++) {
        for (n = 1, dead = 1; dead; n++) {
            OK(reel_store_mem_open(&inner));
            s = fault_new(inner, n);
            acked = 0;
            lossy_session(s, &acked);
            dead = fault_dead(s);
            fault_power_loss(s, seed * 1000 + n);
            fault_free(s);

            err = reel_upload_open(inner, REEL_STR(ID), &u);

            if (err == REEL_OK) {
                err = reel_upload_claim(u, 0, &rebooted);
            }

            if (acked != 0) {
                assert_int_equal(err, REEL_OK);
                assert_true(u->state.offset >= acked);
            }

            if (err == REEL_OK) {
                OK(reel_upload_set_length(u, u->state.offset + 10, NOW));
                append(u, 10);
                OK(reel_upload_settle(u, NOW));
                acked = u->state.offset;
                reel_upload_close(u);
                assert_int_equal(acked % 1000, 10);

                /* bytes that were not acknowledged may lie behind them */
                u = claim(inner, ID, &bob);
                reel_named_t  named;
                OK(reel_upload_complete(u, NOW, &named));
                assert_asset(inner, ASSET, acked);
            }

            reel_upload_close(u);
            reel_store_close(inner);
        }

        assert_true(n > 60);
    }
}


/* nobody is told of bytes that a loss of power could take back */
static void
told(void **state)
{
    uint8_t               more[101] = { 0 };
    reel_store_t         *s = *state;
    reel_upload_t        *u, *v;
    reel_upload_facts_t   f = facts_of(REEL_UPLOAD_TUS);

    u = create(s, &f, 1000);
    append(u, 100);
    assert_int_equal(u->safe, 0);
    OK(reel_upload_settle(u, NOW));
    assert_int_equal(u->safe, 100);

    /* durable is ahead: the slot that says so is not synced yet */
    append(u, 100);
    OK(reel_upload_flush(u));
    append(u, 100);
    assert_int_equal(u->state.durable, 200);
    assert_int_equal(u->safe, 100);

    v = open_id(s, ID);
    assert_int_equal(v->state.durable, 200);
    assert_int_equal(v->safe, 100);
    reel_upload_close(v);

    OK(reel_upload_checkpoint(u));
    assert_int_equal(u->safe, 200);
    reel_upload_close(u);

    u = claim(s, ID, &bob);
    assert_int_equal(u->state.offset, 300);
    assert_int_equal(u->safe, 300);

    /* over the length: what was before it is kept, and told */
    append(u, 600);
    IS(REEL_LIMIT, reel_upload_write(u, more, sizeof(more), false));
    assert_int_equal(u->safe, 300);
    OK(reel_upload_settle(u, NOW));
    assert_int_equal(u->safe, 900);
    reel_upload_close(u);
}


/*
 * A sync that fails drops what it had to write, and the next one says OK:
 * nothing of that may be acknowledged by anybody.
 */
static void
sync_failed(void **state)
{
    int                   way;
    uint64_t              want;
    reel_named_t          named;
    reel_store_t         *s, *inner;
    reel_upload_t        *u;
    reel_upload_facts_t   f = facts_of(REEL_UPLOAD_TUS);

    (void) state;

    for (way = 0; way < 5; way++) {
        OK(reel_store_mem_open(&inner));
        s = fault_new(inner, 0);
        u = create(s, &f, 1000);
        append(u, 100);
        OK(reel_upload_settle(u, NOW));
        append(u, 100);

        switch (way) {
        case 0:
            fault_fail_sync(s, "/data");
            IS(REEL_IO, reel_upload_settle(u, NOW));
            break;
        case 1:
            fault_fail_sync(s, "/data");
            IS(REEL_IO, reel_upload_flush(u));
            break;
        case 2:
            fault_fail_sync(s, "/state");
            IS(REEL_IO, reel_upload_settle(u, NOW));
            break;
        case 3:
            append(u, 800);
            fault_fail_sync(s, "/data");
            IS(REEL_IO, reel_upload_complete(u, NOW, &named));
            break;
        default:
            /* killed; who claims it meets the failure */
            reel_upload_close(u);
            u = open_id(s, ID);
            fault_fail_sync(s, "/data");
            IS(REEL_IO, reel_upload_claim(u, 0, &bob));
        }

        assert_int_equal(u->safe, 100);

        if (way != 1 && way != 4) {
            IS(REEL_IO, reel_upload_settle(u, NOW));
            assert_int_equal(u->safe, 100);
            IS(REEL_IO, reel_upload_write(u, "x", 1, false));
            IS(REEL_IO, reel_upload_complete(u, NOW, &named));
        }

        reel_upload_close(u);

        u = claim(s, ID, &bob);
        assert_int_equal(u->state.offset, 100);
        append(u, 300);
        OK(reel_upload_settle(u, NOW));
        reel_upload_close(u);

        fault_power_loss(s, 5);
        fault_free(s);
        u = claim(inner, ID, &rebooted);
        want = u->state.offset;
        assert_int_equal(want, 400);
        append(u, 600);
        OK(reel_upload_complete(u, NOW, &named));
        reel_upload_close(u);
        assert_asset(inner, ASSET, 1000);
        reel_store_close(inner);
    }
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        BOTH(taken_over),
        BOTH(leaves),
        BOTH(same_boot),
        BOTH(parts_and_zero),
        BOTH(swept),
        ON_FS(two_processes),
        ON_FS(killed_in_the_middle),
        ON_FS(crowd),
        cmocka_unit_test(power_loss),
        BOTH(told),
        cmocka_unit_test(sync_failed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
