/* parts become a source: in any order, and whatever dies meanwhile */

#include "tests/unit/upload/fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/upload/slot.h"
#include "tests/unit/upload/fault.h"

#define PARTS_MAX 16
#define STEP      (64u << 10)


/* part numbers[i] has sizes[i] bytes; 0 ends it */
typedef struct {
    uint32_t numbers[PARTS_MAX];
    uint64_t sizes[PARTS_MAX];
} film_t;


static size_t
count(const film_t *film)
{
    size_t  n = 0;

    while (n < PARTS_MAX && film->numbers[n] != 0) {
        n++;
    }

    return n;
}


static uint64_t
begins(const film_t *film, size_t i)
{
    uint64_t  at = 0;

    while (i-- > 0) {
        at += film->sizes[i];
    }

    return at;
}


static void
put(reel_store_t *s, const film_t *film, size_t i)
{
    (void) put_part(s, film->numbers[i], film->sizes[i], begins(film, i), 0);
}


/* the list as a client has it from its answers */
static reel_err_t
join(reel_store_t *s, reel_upload_t *u, const film_t *film)
{
    size_t                i, k, n, bad;
    uint64_t              tags[PARTS_MAX] = { 0 };
    reel_err_t            err;
    reel_upload_part_t   *parts;

    (void) s;
    err = reel_upload_parts(u, &parts, &n);
    if (err != REEL_OK) {
        return err;
    }

    for (i = 0; i < count(film); i++) {
        for (k = 0; k < n; k++) {
            if (parts[k].number == film->numbers[i]) {
                tags[i] = parts[k].tag;
            }
        }
    }

    free(parts);

    return reel_upload_join(u, film->numbers, tags, count(film), &bad);
}


static void
complete(reel_store_t *s, const film_t *film, uint64_t base, bool joined)
{
    char            etag[80];
    uint64_t        size = begins(film, count(film));
    reel_named_t    named;
    reel_upload_t  *u = claim(s, ID, &bob);

    OK(join(s, u, film));

    if (u->state.base != base || u->state.joined != joined) {
        fail_msg("base %llu, joined %d", (unsigned long long) u->state.base,
                 u->state.joined);
    }

    OK(reel_upload_complete(u, NOW, &named));
    assert_true(named.size == size);
    (void) snprintf(etag, sizeof(etag), "\"" ASSET "-%zu\"", count(film));
    assert_string_equal(named.etag, etag);
    assert_asset(s, ASSET, size);
    assert_list(s, "uploads/" ID, "state upload.json");

    /* S3's Complete may be repeated */
    reel_upload_close(u);
    u = claim(s, ID, &bob);
    memset(&named, 0, sizeof(named));
    OK(reel_upload_complete(u, NOW, &named));
    assert_string_equal(named.etag, etag);
    OK(reel_upload_remove(u));
    reel_upload_close(u);

    OK(reel_store_del_tree(s, "assets/00", NULL));
    OK(reel_store_del_tree(s, "pending", NULL));
}


static void
begin(reel_store_t *s)
{
    reel_upload_facts_t  f = facts_of(REEL_UPLOAD_MULTIPART);

    reel_upload_close(create(s, &f, REEL_UPLOAD_UNKNOWN));
}


/* parts of one size and a smaller last one, in each order of coming */
static void
all_orders(void **state)
{
    size_t         i, k, at[4];
    unsigned       order;
    reel_store_t  *s = *state;
    static const film_t  film = { { 1, 2, 3, 4 }, { STEP, STEP, STEP, 777 } };

    for (order = 0; order < 256; order++) {
        for (i = 0; i < 4; i++) {
            at[i] = order >> (2 * i) & 3;
        }

        for (i = 0; i < 4; i++) {
            for (k = 0; k < i; k++) {
                if (at[i] == at[k]) {
                    goto next;
                }
            }
        }

        begin(s);
        for (i = 0; i < 4; i++) {
            put(s, &film, at[i]);
        }
        complete(s, &film, 0, false);
next:
        continue;
    }
}


/* as SDKs cut: nothing moves but a last part that came first */
static void
in_place(void **state)
{
    size_t          i;
    struct stat     before, after;
    char            path[200];
    reel_named_t    named;
    reel_store_t   *s = *state;
    reel_upload_t  *u;
    static const film_t  film = { { 1, 2, 3 }, { 5 * MIB, 5 * MIB, 100 } };
    static const size_t  order[] = { 2, 1, 0 };

    begin(s);
    for (i = 0; i < 3; i++) {
        put(s, &film, order[i]);
    }

    u = claim(s, ID, &bob);
    assert_true(u->state.part_size == 5 * MIB);
    (void) snprintf(path, sizeof(path), "%s/uploads/" ID "/data", fs_root);
    assert_int_equal(stat(path, &before), 0);
    OK(join(s, u, &film));
    assert_int_equal(u->state.base, 0);
    assert_false(u->state.joined);
    OK(reel_upload_complete(u, NOW, &named));
    reel_upload_close(u);

    (void) snprintf(path, sizeof(path), "%s/assets/00/" ASSET "/source",
                    fs_root);
    assert_int_equal(stat(path, &after), 0);
    assert_int_equal(before.st_ino, after.st_ino);
    assert_int_equal(after.st_nlink, 1);
    assert_true(after.st_blocks * 512 < 11 * MIB);
    assert_asset(s, ASSET, 10 * MIB + 100);
}


/* minio-js: no part 1 */
static void
numbered_from_two(void **state)
{
    size_t         i;
    reel_store_t  *s = *state;
    static const film_t  film = { { 2, 3, 4, 5 },
        { 5 * MIB, 5 * MIB, 5 * MIB, 4097 } };
    static const film_t  odd = { { 2, 3 }, { 5 * MIB + 1, 3 } };
    static const film_t  later = { { 7 }, { 6 * MIB } };

    begin(s);
    for (i = 0; i < 4; i++) {
        put(s, &film, i);
    }
    complete(s, &film, 5 * MIB, false);

    /* not whole blocks: copied */
    begin(s);
    put(s, &odd, 0);
    put(s, &odd, 1);
    complete(s, &odd, 0, true);

    begin(s);
    put(s, &later, 0);
    complete(s, &later, 36 * MIB, false);
}


static void
cannot_collapse(void **state)
{
    reel_store_t  *s = fault_new(*state, 0);
    static const film_t  film = { { 2, 3 }, { 5 * MIB, 10 } };

    fault_no_collapse(s);
    begin(s);
    put(s, &film, 0);
    put(s, &film, 1);
    complete(s, &film, 5 * MIB, false);
    fault_free(s);
}


/* behind 4 GiB, and gaps in the numbers */
static void
large(void **state)
{
    reel_store_t  *s = *state;
    static const film_t  film = { { 1000, 1001 }, { 5 * MIB, 33 } };

    begin(s);
    put(s, &film, 0);
    put(s, &film, 1);
    complete(s, &film, 999ull * 5 * MIB, false);
}


/* put twice: the newer counts, and only once it is finished */
static void
put_again(void **state)
{
    reel_store_t         *s = *state;
    reel_upload_t        *u;
    reel_upload_part_t    p;
    static const film_t   film = { { 1, 2, 3 }, { STEP, STEP, STEP } };
    static const film_t   two = { { 1, 2 }, { STEP, STEP } };
    static const film_t   wider = { { 1, 2 }, { 150, 100 } };

    begin(s);
    put(s, &film, 0);
    (void) put_part(s, 2, 1000, 0, 9);
    put(s, &film, 2);

    /* one that broke off */
    u = open_id(s, ID);
    OK(reel_upload_claim(u, 1, &alice));
    OK(reel_upload_part_begin(u, STEP, NOW, &p));
    assert_true(p.offset >= 3 * STEP);
    OK(reel_upload_part_write(u, &p, 0, "wrong", 5));
    reel_upload_close(u);

    put(s, &film, 1);
    complete(s, &film, 0, false);

    /* both larger than their places were: they stay behind all others */
    begin(s);
    (void) put_part(s, 1, 100, 0, 9);
    (void) put_part(s, 2, 100, 0, 9);
    put(s, &two, 0);
    put(s, &two, 1);
    complete(s, &two, 245 * 4096, false);

    /* the other one stands where its end belongs */
    begin(s);
    (void) put_part(s, 1, 100, 0, 9);
    put(s, &wider, 1);
    put(s, &wider, 0);
    complete(s, &wider, 0, true);
}


/* what is not listed is left out, though it lies in between */
static void
left_out(void **state)
{
    reel_store_t        *s = *state;
    reel_upload_t       *u;
    reel_upload_part_t   p;
    static const film_t  film = { { 1, 2, 3, 4 }, { STEP, 0, STEP, 5 } };
    static const film_t  listed = { { 1, 3, 4 }, { STEP, STEP, 5 } };
    static const film_t  middle = { { 3, 4 }, { STEP, 5 } };

    begin(s);
    put(s, &film, 0);
    (void) put_part(s, 2, STEP, 7, 0);
    put(s, &film, 2);
    put(s, &film, 3);
    complete(s, &listed, 0, true);

    /* the first ones and the last ones */
    begin(s);
    (void) put_part(s, 1, STEP, 7, 0);
    put(s, &middle, 0);
    put(s, &middle, 1);
    (void) put_part(s, 5, STEP, 7, 0);
    complete(s, &middle, 2 * STEP, false);

    /* and what was begun and never came */
    begin(s);
    put(s, &film, 0);
    u = open_id(s, ID);
    OK(reel_upload_claim(u, 2, &alice));
    OK(reel_upload_part_begin(u, STEP, NOW, &p));
    OK(reel_upload_part_write(u, &p, 0, "wrong", 5));
    reel_upload_close(u);
    put(s, &film, 2);
    complete(s, &(film_t) { { 1, 3 }, { STEP, STEP } }, 0, false);
}


static void
bad_lists(void **state)
{
    size_t                bad;
    uint64_t              tags[3];
    reel_named_t          named;
    reel_store_t         *s = *state;
    reel_upload_t        *u;
    reel_upload_facts_t   f = facts_of(REEL_UPLOAD_MULTIPART);
    static const film_t   film = { { 1, 2 }, { STEP, STEP } };

    f.max_bytes = 2 * STEP;
    reel_upload_close(create(s, &f, REEL_UPLOAD_UNKNOWN));
    tags[0] = put_part(s, 1, STEP, 0, 0).tag;
    tags[1] = put_part(s, 2, STEP, 0, 0).tag;
    tags[2] = tags[1];

    u = open_id(s, ID);
    IS(REEL_INVAL, reel_upload_join(u, film.numbers, tags, 2, &bad));
    OK(reel_upload_claim(u, 0, &bob));
    IS(REEL_INVAL, reel_upload_complete(u, NOW, &named));
    IS(REEL_INVAL, reel_upload_join(u, film.numbers, tags, 0, &bad));
    IS(REEL_INVAL, reel_upload_join(u, film.numbers, tags, 10001, &bad));
    u->facts.max_bytes--;
    IS(REEL_LIMIT, reel_upload_join(u, film.numbers, tags, 2, &bad));
    u->facts.max_bytes++;
    IS(REEL_INVAL, reel_upload_join(u, (uint32_t[]) { 1, 1 }, tags, 2,
                                    &bad));
    tags[1]++;
    IS(REEL_BADDATA, reel_upload_join(u, film.numbers, tags, 2, &bad));
    assert_int_equal(bad, 1);
    tags[1]--;
    IS(REEL_BADDATA, reel_upload_join(u, (uint32_t[]) { 1, 2, 3 }, tags, 3,
                                      &bad));
    assert_int_equal(bad, 2);
    IS(REEL_BADDATA, reel_upload_join(u, (uint32_t[]) { 0 }, tags, 1, &bad));
    IS(REEL_BADDATA, reel_upload_join(u, (uint32_t[]) { 10001 }, tags, 1,
                                      &bad));
    assert_int_equal(bad, 0);

    /* nothing of it has done harm */
    OK(reel_upload_join(u, film.numbers, tags, 1, &bad));
    OK(reel_upload_complete(u, NOW, &named));
    assert_int_equal(named.size, STEP);
    reel_upload_close(u);
    assert_asset(s, ASSET, STEP);
}


/* ---- crashes ---- */

typedef struct {
    film_t   film;
    size_t   order[PARTS_MAX];      /* of coming */
    uint64_t unlisted;              /* parts 1 and 9 of that size come first */
    bool     no_collapse;
} story_t;


/* quiet: the store may die at any time */
static reel_err_t
try_part(reel_store_t *s, const film_t *film, size_t i)
{
    size_t               k, n = (size_t) film->sizes[i];
    uint8_t             *p = malloc(n + 1);
    reel_err_t           err;
    reel_upload_t       *u;
    reel_upload_part_t   part;

    for (k = 0; k < n; k++) {
        p[k] = pattern(begins(film, i) + k, 0);
    }

    err = reel_upload_open(s, REEL_STR(ID), &u);

    if (err == REEL_OK) {
        err = reel_upload_claim(u, film->numbers[i], &alice);
    }

    if (err == REEL_OK) {
        err = reel_upload_part_begin(u, n, NOW, &part);
    }

    if (err == REEL_OK) {
        err = reel_upload_part_write(u, &part, 0, p, n);
    }

    if (err == REEL_OK) {
        err = reel_upload_part_finish(u, &part, NOW);
    }

    reel_upload_close(u);
    free(p);

    return err;
}


static reel_err_t
session(reel_store_t *s, const story_t *story, unsigned *acked)
{
    size_t                i;
    reel_err_t            err;
    reel_named_t          named;
    reel_upload_t        *u;
    reel_upload_facts_t   f = facts_of(REEL_UPLOAD_MULTIPART);

    err = reel_upload_create(s, &f, REEL_UPLOAD_UNKNOWN, &alice, NOW, &u);
    reel_upload_close(u);

    if (err == REEL_OK && story->unlisted != 0) {
        err = try_part(s, &(film_t) { { 1 }, { story->unlisted } }, 0);

        if (err == REEL_OK) {
            err = try_part(s, &(film_t) { { 9 }, { story->unlisted } }, 0);
        }
    }

    for (i = 0; err == REEL_OK && i < count(&story->film); i++) {
        *acked = (unsigned) i + 1;
        err = try_part(s, &story->film, story->order[i]);
        *acked = (unsigned) i + 1 + (err == REEL_OK);
    }

    if (err == REEL_OK) {
        err = reel_upload_open(s, REEL_STR(ID), &u);
    }

    if (err == REEL_OK) {
        err = reel_upload_claim(u, 0, &bob);

        if (err == REEL_OK) {
            err = join(s, u, &story->film);
        }

        if (err == REEL_OK) {
            err = reel_upload_complete(u, NOW, &named);
        }

        reel_upload_close(u);
    }

    return err;
}


/* as long as the upload is open, each finished part has its bytes */
static void
assert_untouched(reel_store_t *s, const story_t *story,
    const reel_upload_part_t *parts, size_t n)
{
    size_t             i, k, got;
    uint8_t           *buf;
    uint64_t           from;
    reel_multipart_t  *m;

    OK(reel_multipart_open(s, "uploads/" ID "/data", &m));

    for (i = 0; i < n; i++) {
        from = 0;

        for (k = 0; k < count(&story->film); k++) {
            if (story->film.numbers[k] == parts[i].number) {
                from = begins(&story->film, k);
            }
        }

        buf = malloc(parts[i].size + 1);
        OK(reel_multipart_read(m, parts[i].offset, buf, parts[i].size, &got));
        assert_int_equal(got, parts[i].size);

        for (k = 0; k < got; k++) {
            if (buf[k] != pattern(from + k, 0)) {
                fail_msg("part %u is not what it was", parts[i].number);
            }
        }

        free(buf);
    }

    reel_multipart_close(m);
}


/* the client: what it lacks comes again, then Complete, maybe repeated */
static void
finish_session(reel_store_t *s, const story_t *story, unsigned acked)
{
    size_t                i, k, n;
    reel_named_t          named;
    reel_upload_t        *u;
    reel_upload_part_t   *parts;

    u = claim(s, ID, &rebooted);

    if (u->state.phase == REEL_UPLOAD_OPEN) {
        OK(reel_upload_parts(u, &parts, &n));
        reel_upload_close(u);
        assert_true(n + 1 >= acked);
        assert_untouched(s, story, parts, n);

        for (i = 0; i < count(&story->film); i++) {
            for (k = 0; k < n; k++) {
                if (parts[k].number == story->film.numbers[i]) {
                    break;
                }
            }

            if (k == n) {
                put(s, &story->film, i);
            }
        }

        free(parts);
        u = claim(s, ID, &rebooted);
        OK(join(s, u, &story->film));
    }

    OK(reel_upload_complete(u, NOW, &named));
    assert_true(named.size == begins(&story->film, count(&story->film)));
    reel_upload_close(u);
    assert_asset(s, ASSET, named.size);
}


static const story_t  stories[] = {
    { { { 1, 2, 3 }, { STEP, STEP, 100 } }, { 0, 1, 2 }, 0, false },
    { { { 1, 2, 3 }, { STEP, STEP, 100 } }, { 2, 1, 0 }, 0, false },
    { { { 1, 2, 3 }, { 3, STEP, 100 } }, { 0, 2, 1 }, 0, false },
    { { { 2, 3 }, { STEP, 100 } }, { 0, 1 }, STEP, false },
    { { { 2, 3 }, { STEP, 100 } }, { 0, 1 }, STEP, true },
    { { { 2, 3 }, { STEP + 1, 100 } }, { 0, 1 }, STEP + 1, false },
};


static void
crash(bool power)
{
    size_t         i;
    unsigned       n, dead, acked;
    reel_err_t     err;
    reel_store_t  *s, *dying;
    reel_upload_t *u;

    for (i = 0; i < COUNT(stories); i++) {
        for (n = 1, dead = 1; dead; n++) {
            OK(reel_store_mem_open(&s));
            dying = fault_new(s, n);
            acked = 0;

            if (stories[i].no_collapse) {
                fault_no_collapse(dying);
            }

            err = session(dying, &stories[i], &acked);
            dead = fault_dead(dying);
            assert_true(dead || err == REEL_OK);

            if (power) {
                fault_power_loss(dying, 77 * n);
            }

            fault_free(dying);
            err = reel_upload_open(s, REEL_STR(ID), &u);
            reel_upload_close(u);

            if (err == REEL_OK) {
                finish_session(s, &stories[i], acked);

            } else {
                /* it was never told */
                assert_int_equal(acked, 0);
            }

            reel_store_close(s);
        }
    }
}


static void
killed(void **state)
{
    (void) state;
    crash(false);
}


static void
power_lost(void **state)
{
    (void) state;
    crash(true);
}


/* ---- beyond 4 GiB, one byte behind another ---- */

static void
appended_behind_4_gib(void **state)
{
    size_t                i, n;
    uint8_t               raw[REEL_UPLOAD_SLOT_LEN], buf[100];
    uint64_t              at = (5ull << 30) + 1;
    reel_named_t          named;
    reel_store_t         *s = *state;
    reel_object_t        *o;
    reel_upload_t        *u;
    reel_multipart_t     *m;
    reel_upload_facts_t   f = facts_of(REEL_UPLOAD_TUS);
    reel_upload_slot_t    slot = { .seq = 9 };

    reel_upload_close(create(s, &f, REEL_UPLOAD_UNKNOWN));

    /* as if so much had come: a hole */
    OK(reel_multipart_open(s, "uploads/" ID "/data", &m));
    OK(reel_multipart_truncate(m, at));
    reel_multipart_close(m);
    slot.state.length = at + 100;
    slot.state.offset = at;
    slot.state.durable = at;
    reel_upload_slot_print(raw, &slot);
    OK(reel_multipart_open(s, "uploads/" ID "/state", &m));
    OK(reel_multipart_write(m, 4096, raw, sizeof(raw)));
    reel_multipart_close(m);

    u = claim(s, ID, &bob);
    assert_true(u->state.offset == at);
    append(u, 60);
    reel_upload_close(u);
    u = claim(s, ID, &bob);
    assert_true(u->state.durable == at + 60);
    append(u, 40);
    IS(REEL_LIMIT, reel_upload_write(u, "x", 1, false));
    OK(reel_upload_complete(u, NOW, &named));
    assert_true(named.size == at + 100);
    reel_upload_close(u);

    OK(reel_store_open(s, "assets/00/" ASSET "/source", &o));
    assert_true(o->st.size == at + 100);
    OK(reel_object_read(o, at, buf, sizeof(buf), &n));
    assert_int_equal(n, 100);

    for (i = 0; i < n; i++) {
        assert_int_equal(buf[i], pattern(at + i, 0));
    }

    reel_object_close(o);
}


/* ---- tus concatenation ---- */

static reel_upload_t *
part_of(reel_store_t *s, const char *id, size_t n, uint64_t seed_from)
{
    size_t                i;
    uint8_t              *p = malloc(n + 1);
    reel_upload_t        *u;
    reel_upload_facts_t   f = facts_of(REEL_UPLOAD_TUS);

    memcpy(f.id, id, sizeof(f.id));
    f.partial = true;
    u = create(s, &f, n);

    for (i = 0; i < n; i++) {
        p[i] = pattern(seed_from + i, 0);
    }

    OK(reel_upload_write(u, p, n, false));
    OK(reel_upload_settle(u, NOW));
    reel_upload_close(u);
    free(p);

    return open_id(s, id);
}


static void
concatenated(void **state)
{
    reel_named_t          named;
    reel_store_t         *s = *state;
    reel_upload_t        *u, *v, *from[4];
    reel_upload_facts_t   f = facts_of(REEL_UPLOAD_TUS);
    static const char     ids[3][33] = {
        "00000000000000000000000000000001",
        "00000000000000000000000000000002",
        "00000000000000000000000000000003",
    };

    from[0] = part_of(s, ids[0], 3 * STEP, 0);
    from[1] = part_of(s, ids[1], 0, 0);
    from[2] = part_of(s, ids[2], 1001, 3 * STEP);
    from[3] = from[1];

    u = create(s, &f, 3 * STEP + 1001);
    OK(reel_upload_concat(u, from, 4, NOW));
    assert_int_equal(u->state.durable, 3 * STEP + 1001);
    OK(reel_upload_complete(u, NOW, &named));
    reel_upload_close(u);
    assert_asset(s, ASSET, 3 * STEP + 1001);

    /* they may be used again, and are as they were */
    assert_int_equal(from[0]->state.phase, REEL_UPLOAD_OPEN);
    assert_pattern(s, "uploads/00000000000000000000000000000001/data",
                   3 * STEP, 0);

    memcpy(f.id, OTHER, sizeof(f.id));
    f.request.asset = ASSET_2;
    f.max_bytes = 3 * STEP + 1000;
    u = create(s, &f, REEL_UPLOAD_UNKNOWN);
    IS(REEL_LIMIT, reel_upload_concat(u, from, 3, NOW));
    OK(reel_upload_abort(u, REEL_UPLOAD_ABORTED, NOW));
    OK(reel_upload_remove(u));
    reel_upload_close(u);

    f.max_bytes = 0;
    u = create(s, &f, 3 * STEP);
    IS(REEL_LIMIT, reel_upload_concat(u, from, 3, NOW));
    OK(reel_upload_abort(u, REEL_UPLOAD_ABORTED, NOW));
    OK(reel_upload_remove(u));
    reel_upload_close(u);

    /* one that is not whole, or was not made for it */
    u = create(s, &f, REEL_UPLOAD_UNKNOWN);
    f.partial = true;
    memcpy(f.id, "0123456789abcdef0123456789abcdef", sizeof(f.id));
    v = create(s, &f, 10);
    append(v, 9);
    IS(REEL_INVAL, reel_upload_concat(u, &v, 1, NOW));
    append(v, 1);
    OK(reel_upload_concat(u, &v, 1, NOW));
    OK(reel_upload_abort(v, REEL_UPLOAD_ABORTED, NOW));
    IS(REEL_INVAL, reel_upload_concat(u, &v, 1, NOW));
    IS(REEL_INVAL, reel_upload_concat(u, &u, 1, NOW));
    IS(REEL_INVAL, reel_upload_concat(from[0], from, 1, NOW));
    reel_upload_close(u);
    reel_upload_close(v);

    reel_upload_close(from[0]);
    reel_upload_close(from[1]);
    reel_upload_close(from[2]);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        BOTH(all_orders),
        ON_FS(in_place),
        BOTH(numbered_from_two),
        BOTH(cannot_collapse),
        BOTH(large),
        BOTH(put_again),
        BOTH(left_out),
        BOTH(bad_lists),
        cmocka_unit_test(killed),
        cmocka_unit_test(power_lost),
        BOTH(appended_behind_4_gib),
        BOTH(concatenated),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
