/* parts: their records, and where each one goes */

#include "tests/unit/upload/fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/base/hex.h"
#include "lib/upload/part_log.h"

#define LEN REEL_UPLOAD_RECORD_LEN


static void
layout(void **state)
{
    char                  hex[2 * LEN + 1];
    size_t                i;
    uint8_t               raw[LEN], bad[LEN];
    reel_upload_record_t  r = {
        REEL_UPLOAD_PART_DONE, {
            .number = 0x2107, .offset = 0x1112131415161718,
            .size = 0x0102030405060708, .tag = 0x2122232425262728,
            .finished_ms = 0x3132333435363738, .sum_kind = 6,
            .sum = "0123456789abcdef0123456789abcdef",
        }
    }, q;

    (void) state;

    reel_upload_record_print(raw, &r);
    reel_hex(hex, raw, LEN);
    assert_string_equal(hex,
        "02000000" "07210000" "1817161514131211" "0807060504030201"
        "2827262524232221" "3837363534333231" "0600000000000000"
        "3031323334353637383961626364656630313233343536373839616263646566"
        "0000000000000000000000000000000000000000000000000000000000000000"
        "000000000000000000000000" "a46f68e1");

    OK(reel_upload_record_parse(&q, raw));
    assert_int_equal(q.kind, r.kind);
    assert_int_equal(q.part.number, r.part.number);
    assert_true(q.part.offset == r.part.offset && q.part.size == r.part.size
                && q.part.tag == r.part.tag
                && q.part.finished_ms == r.part.finished_ms);
    assert_int_equal(q.part.sum_kind, 6);
    assert_memory_equal(q.part.sum, r.part.sum, sizeof(q.part.sum));

    for (i = 0; i < LEN; i++) {
        memcpy(bad, raw, LEN);
        bad[i] ^= 0x80;
        IS(REEL_BADDATA, reel_upload_record_parse(&q, bad));
        memcpy(bad, raw, LEN);
        memset(bad + i, 0, LEN - i);
        IS(REEL_BADDATA, reel_upload_record_parse(&q, bad));
    }
}


static void
unsound(void **state)
{
    size_t                i;
    uint8_t               raw[LEN];
    reel_upload_record_t  q;
    static const reel_upload_record_t  t[] = {
        { 0, { .number = 1 } },
        { 3, { .number = 1 } },
        { REEL_UPLOAD_PART_DONE, { .number = 0 } },
        { REEL_UPLOAD_PART_DONE, { .number = 10001 } },
        { REEL_UPLOAD_PART_DONE, { .number = 1, .offset = 1ull << 63 } },
        { REEL_UPLOAD_PART_DONE, { .number = 1, .size = 1ull << 63 } },
        { REEL_UPLOAD_PART_DONE, { .number = 1, .size = INT64_MAX,
                                   .offset = 1 } },
        { REEL_UPLOAD_PART_DONE, { .number = 1, .finished_ms = -1 } },
    };

    (void) state;

    for (i = 0; i < COUNT(t); i++) {
        reel_upload_record_print(raw, &t[i]);
        IS(REEL_BADDATA, reel_upload_record_parse(&q, raw));
    }
}


typedef struct {
    reel_upload_part_kind_t kind;
    uint32_t number;
    uint64_t offset, size;
} log_t;

#define M(n)  ((uint64_t) (n) << 20)
#define FAR_5 (M(5) * 10000)
#define B     REEL_UPLOAD_PART_BEGUN
#define D     REEL_UPLOAD_PART_DONE

/* what is on record, which part comes, and where it goes */
static const struct {
    const char *name;
    log_t       log[6];
    uint64_t    part_size;
    uint32_t    number;
    uint64_t    size;
    uint64_t    want, want_size;
} places[] = {
    { "the first part tells the size", { { 0 } }, 0, 1, M(8), 0, M(8) },
    { "so does any large one", { { 0 } }, 0, 3, M(8), M(16), M(8) },
    { "a small one that comes first is the last", { { 0 } }, 0, 4, M(1),
      FAR_5, 0 },
    { "but for part 1", { { 0 } }, 0, 1, 3, 0, 3 },
    { "one of nothing", { { 0 } }, 0, 1, 0, FAR_5, 0 },
    { "after it part 1 has its place", { { B, 4, FAR_5, M(1) } }, 0, 1, M(8),
      0, M(8) },
    { "its own place", { { D, 1, 0, M(5) } }, M(5), 3, M(5), M(10), M(5) },
    { "the last is smaller", { { D, 1, 0, M(5) } }, M(5), 3, 7, M(10), M(5) },
    { "a larger one has none", { { D, 1, 0, M(5) } }, M(5), 2, M(5) + 1,
      FAR_5, M(5) },
    { "the next one of those goes behind", { { B, 7, FAR_5, M(6) + 1 } },
      M(5), 2, M(6), FAR_5 + M(6) + 4096, M(5) },
    { "a finished part is not written over", { { D, 2, M(5), M(5) } }, M(5),
      2, M(5), FAR_5, M(5) },
    { "nor if it was smaller", { { D, 2, M(5), 10 } }, M(5), 2, M(5),
      FAR_5, M(5) },
    { "one that was not finished is", { { B, 2, M(5), M(5) } }, M(5), 2,
      M(5), M(5), M(5) },
    { "one off the grid once more", { { B, 2, FAR_5, M(6) } }, M(5), 2, M(6),
      FAR_5, M(5) },
    { "and smaller", { { B, 2, FAR_5, M(7) } }, M(5), 2, M(6), FAR_5, M(5) },
    { "larger, it goes behind", { { B, 2, FAR_5, M(6) } }, M(5), 2, M(7),
      FAR_5 + M(6), M(5) },
    { "a place that a second one left is free", { { D, 2, M(5), M(5) },
      { B, 2, FAR_5, M(5) }, { D, 2, FAR_5, M(5) } }, M(5), 2, M(5), M(5),
      M(5) },
    { "one promised to another is not", { { B, 9, M(5), 1 } }, M(5), 2, M(5),
      FAR_5, M(5) },
    { "nor one that it finished", { { B, 9, M(5), 1 }, { D, 9, M(5), 1 } },
      M(5), 2, M(5), FAR_5, M(5) },
    { "far, but not too far", { { D, 1, 0, M(5000) } }, M(5000), 2, M(5001),
      1ull << 40, M(5000) },
    { "part 10000 of 5 GiB", { { D, 1, 0, M(5120) } }, M(5120), 10000,
      M(5120), M(5120) * 9999, M(5120) },
    { "a size that has no grid", { { 0 } }, INT64_MAX / 2, 3, 1, 1ull << 40,
      INT64_MAX / 2 },
};


static void
table_of(reel_upload_table_t *t, const log_t *log, size_t n)
{
    size_t   i;
    uint8_t  raw[LEN];

    *t = (reel_upload_table_t) { 0 };

    for (i = 0; i < n && log[i].kind != 0; i++) {
        reel_upload_record_print(raw, &(reel_upload_record_t) {
            log[i].kind, { .number = log[i].number, .size = log[i].size,
                           .offset = log[i].offset } });
        OK(reel_upload_table_add(t, raw));
    }

    assert_int_equal(t->end, i * LEN);
}


static void
placed(void **state)
{
    size_t                i;
    uint64_t              size, off;
    reel_upload_table_t   t;

    (void) state;

    for (i = 0; i < COUNT(places); i++) {
        table_of(&t, places[i].log, COUNT(places[i].log));
        size = places[i].part_size;
        OK(reel_upload_table_place(&t, places[i].number, places[i].size,
                                   &size, &off));

        if (off != places[i].want || size != places[i].want_size) {
            fail_msg("%s: at %llu, part size %llu", places[i].name,
                     (unsigned long long) off, (unsigned long long) size);
        }

        reel_upload_table_release(&t);
    }

    table_of(&t, (log_t[]) { { D, 1, INT64_MAX - M(2), M(1) } }, 1);
    size = M(5);
    IS(REEL_LIMIT, reel_upload_table_place(&t, 2, M(6), &size, &off));
    reel_upload_table_release(&t);
}


/* parts of 5, 4 (a second one of 7 under way) and 3 under way: 15 */
static void
fitting(void **state)
{
    size_t                i;
    reel_upload_table_t   t;
    static const struct {
        uint32_t number;
        uint64_t size, max;
        bool     want;
    } c[] = {
        { 4, 1, 0, true }, { 4, UINT64_MAX, 0, true },
        { 4, 1, 16, true }, { 4, 1, 15, false }, { 4, 0, 15, true },
        { 4, 2, 16, false }, { 4, 17, 16, false }, { 4, 1, 4, false },
        { 4, UINT64_MAX, UINT64_MAX - 1, false },
        { 1, 6, 16, true }, { 1, 7, 16, false },
        { 2, 8, 16, true }, { 2, 9, 16, false },
        { 3, 4, 16, true }, { 3, 5, 16, false },
        { 10000, 1, 16, true }, { 10000, 2, 16, false },
    };

    (void) state;

    table_of(&t, (log_t[]) { { D, 1, 0, 5 }, { D, 2, 5, 4 },
                             { B, 2, 100, 7 }, { B, 3, 200, 3 } }, 4);

    for (i = 0; i < COUNT(c); i++) {
        if (reel_upload_table_fits(&t, c[i].number, c[i].size, c[i].max)
            != c[i].want)
        {
            fail_msg("%zu: part %u", i, c[i].number);
        }
    }

    reel_upload_table_release(&t);
}


/* bytes of the medium that data has */
static uint64_t
taken(void)
{
    char         path[128];
    struct stat  st;

    (void) snprintf(path, sizeof(path), "%s/uploads/" ID "/data", fs_root);
    assert_int_equal(stat(path, &st), 0);

    return (uint64_t) st.st_blocks * 512;
}


/* what is set aside for parts is no more than the upload may have */
static void
set_aside(void **state)
{
    unsigned              i;
    reel_store_t         *s = *state;
    reel_upload_t        *u[3], *v;
    reel_upload_part_t    p;
    reel_upload_facts_t   f = facts_of(REEL_UPLOAD_MULTIPART);

    f.max_bytes = 3 * MIB;
    reel_upload_close(create(s, &f, REEL_UPLOAD_UNKNOWN));

    for (i = 0; i < 3; i++) {
        u[i] = open_id(s, ID);
        OK(reel_upload_claim(u[i], i + 1, &alice));
        OK(reel_upload_part_begin(u[i], MIB, NOW, &p));
    }

    v = open_id(s, ID);
    OK(reel_upload_claim(v, 4, &bob));
    IS(REEL_LIMIT, reel_upload_part_begin(v, 1, NOW, &p));

    /* one that was cut counts no more */
    reel_upload_close(u[1]);
    IS(REEL_LIMIT, reel_upload_part_begin(v, MIB + 1, NOW, &p));
    OK(reel_upload_part_begin(v, MIB, NOW, &p));
    reel_upload_close(u[0]);
    reel_upload_close(u[2]);
    reel_upload_close(v);
}


static void
given_back(void **state)
{
    size_t                n;
    uint64_t              tags[3];
    unsigned              i;
    reel_named_t          named;
    reel_store_t         *s = *state;
    reel_upload_t        *u, *v;
    reel_multipart_t     *m;
    reel_upload_part_t    p, *parts;
    reel_upload_facts_t   f = facts_of(REEL_UPLOAD_MULTIPART);

    OK(reel_multipart_create(s, "uploads/" ID "/data", 4 * MIB, &m));

    if (taken() < 4 * MIB) {
        reel_multipart_abort(m);
        print_message("skipped: nothing is reserved on this file system\n");
        skip();
    }

    reel_multipart_punch(m, 0, 4 * MIB);
    i = taken() >= MIB;
    reel_multipart_abort(m);

    if (i) {
        print_message("skipped: this file system gives nothing back\n");
        skip();
    }

    f.max_bytes = 16 * MIB;
    reel_upload_close(create(s, &f, REEL_UPLOAD_UNKNOWN));
    (void) put_part(s, 1, MIB, 0, 0);

    /* finished again and again, one of them is there */
    for (i = 0; i < 6; i++) {
        (void) put_part(s, 2, MIB, MIB, 0);
        (void) put_part(s, 3, MIB + 4096 * i, 2 * MIB, 0);
        assert_true(taken() < 4 * MIB);
    }

    /* cut again and again, whatever its size: the last one's is set aside */
    for (i = 0; i < 6; i++) {
        u = open_id(s, ID);
        OK(reel_upload_claim(u, 4, &alice));
        OK(reel_upload_part_begin(u, i % 2 ? 1 : (1 + i) * MIB, NOW, &p));
        reel_upload_close(u);
        assert_true(taken() < (5 + i) * MIB);
    }

    /* where the limit is met, what was cut has no room */
    u = open_id(s, ID);
    OK(reel_upload_claim(u, 4, &alice));
    OK(reel_upload_part_begin(u, 12 * MIB, NOW, &p));
    reel_upload_close(u);
    assert_true(taken() >= 15 * MIB);
    v = open_id(s, ID);
    OK(reel_upload_claim(v, 5, &alice));
    OK(reel_upload_part_begin(v, 2 * MIB, NOW, &p));
    reel_upload_close(v);
    assert_true(taken() < 6 * MIB);

    /* nothing that counts was touched */
    u = claim(s, ID, &bob);
    OK(reel_upload_parts(u, &parts, &n));
    assert_int_equal(n, 3);

    for (i = 0; i < 3; i++) {
        tags[i] = parts[i].tag;
    }

    free(parts);
    OK(reel_upload_join(u, (uint32_t[]) { 1, 2, 3 }, tags, 3, &n));
    OK(reel_upload_complete(u, NOW, &named));
    reel_upload_close(u);
    assert_asset(s, ASSET, 3 * MIB + 5 * 4096);
}


static void
passed_over(void **state)
{
    uint8_t               raw[LEN] = { 1, 2, 3 };
    reel_upload_table_t   t;

    (void) state;

    table_of(&t, (log_t[]) { { D, 7, M(5), M(1) } }, 1);
    OK(reel_upload_table_add(&t, raw));
    memset(raw, 0, LEN);
    OK(reel_upload_table_add(&t, raw));
    assert_int_equal(t.end, 3 * LEN);
    assert_int_equal(t.max, 7);
    assert_true(t.high == M(6));
    assert_int_equal(reel_upload_table_row(&t, 7)->done.number, 7);
    reel_upload_table_release(&t);
}


static void
recorded(void **state)
{
    size_t                n;
    reel_store_t         *s = *state;
    reel_upload_t        *u, *v;
    reel_upload_part_t    p, q, *parts;
    reel_upload_facts_t   f = facts_of(REEL_UPLOAD_MULTIPART);

    reel_upload_close(create(s, &f, REEL_UPLOAD_UNKNOWN));
    p = put_part(s, 3, 1000, 0, 3);
    q = put_part(s, 1, 2000, 0, 1);
    assert_true(p.tag != 0 && q.tag != 0 && p.tag != q.tag);

    u = open_id(s, ID);
    assert_true(u->state.touched_ms == NOW + 1);
    assert_true(u->state.part_size == 2000);
    OK(reel_upload_parts(u, &parts, &n));
    assert_int_equal(n, 2);
    assert_int_equal(parts[0].number, 1);
    assert_int_equal(parts[0].size, 2000);
    assert_true(parts[0].tag == q.tag && parts[1].tag == p.tag);
    assert_int_equal(parts[1].number, 3);
    assert_true(parts[1].finished_ms == NOW + 1);
    free(parts);

    /* one under way changes nothing, and may be given up */
    OK(reel_upload_claim(u, 3, &alice));
    OK(reel_upload_part_begin(u, 10, NOW + 50, &p));
    OK(reel_upload_part_write(u, &p, 0, "0123", 4));
    IS(REEL_INVAL, reel_upload_part_finish(u, &p, NOW));
    IS(REEL_INVAL, reel_upload_part_write(u, &p, 5, "5", 1));
    IS(REEL_LIMIT, reel_upload_part_write(u, &p, 4, "0123456", 7));
    IS(REEL_LIMIT, reel_upload_part_write(u, &p, UINT64_MAX, "", 1));
    v = open_id(s, ID);
    assert_true(v->state.touched_ms == NOW + 50);
    OK(reel_upload_parts(v, &parts, &n));
    assert_int_equal(n, 2);
    assert_int_equal(parts[1].size, 1000);
    free(parts);
    reel_upload_close(v);

    p.sum_kind = 3;
    memcpy(p.sum, "sumsumsu", 8);
    OK(reel_upload_part_write(u, &p, 4, "456789", 6));
    OK(reel_upload_part_finish(u, &p, NOW + 60));
    OK(reel_upload_parts(u, &parts, &n));
    assert_int_equal(n, 2);
    assert_int_equal(parts[1].size, 10);
    assert_int_equal(parts[1].sum_kind, 3);
    assert_memory_equal(parts[1].sum, "sumsumsu", 8);
    free(parts);
    reel_upload_close(u);
}


static void
refused(void **state)
{
    size_t                n;
    reel_store_t         *s = *state;
    reel_upload_t        *u;
    reel_upload_part_t    p, *parts;
    reel_upload_facts_t   f = facts_of(REEL_UPLOAD_MULTIPART);

    f.max_bytes = 100;
    u = create(s, &f, REEL_UPLOAD_UNKNOWN);
    IS(REEL_INVAL, reel_upload_part_begin(u, 1, NOW, &p));
    IS(REEL_INVAL, reel_upload_write(u, "x", 1, false));
    reel_upload_close(u);

    u = open_id(s, ID);
    IS(REEL_INVAL, reel_upload_part_begin(u, 1, NOW, &p));
    OK(reel_upload_claim(u, 1, &alice));
    IS(REEL_LIMIT, reel_upload_part_begin(u, 101, NOW, &p));
    IS(REEL_INVAL, reel_upload_part_write(u, &(reel_upload_part_t) {
        .number = 1, .size = 5 }, 0, "x", 1));
    OK(reel_upload_part_begin(u, 5, NOW, &p));
    IS(REEL_INVAL, reel_upload_settle(u, NOW));
    IS(REEL_INVAL, reel_upload_abort(u, REEL_UPLOAD_ABORTED, NOW));
    reel_upload_close(u);

    u = claim(s, ID, &bob);
    OK(reel_upload_abort(u, REEL_UPLOAD_ABORTED, NOW));
    IS(REEL_NOTFOUND, reel_upload_parts(u, &parts, &n));
    reel_upload_close(u);
    assert_list(s, "uploads/" ID, "state upload.json");
    u = open_id(s, ID);
    OK(reel_upload_claim(u, 1, &alice));
    IS(REEL_INVAL, reel_upload_part_begin(u, 5, NOW, &p));
    assert_null(parts);
    OK(reel_upload_remove(u));
    reel_upload_close(u);

    f.door = REEL_UPLOAD_TUS;
    u = create(s, &f, 5);
    IS(REEL_INVAL, reel_upload_parts(u, &parts, &n));
    reel_upload_close(u);
    u = open_id(s, ID);
    OK(reel_upload_claim(u, 1, &alice));
    IS(REEL_INVAL, reel_upload_part_begin(u, 5, NOW, &p));
    reel_upload_close(u);
}


/* a record that a crash cut in half is as none, and is written over */
static void
torn_tail(void **state)
{
    size_t                n;
    uint64_t              size;
    reel_store_t         *s = *state;
    reel_upload_t        *u;
    reel_multipart_t     *m;
    reel_upload_part_t   *parts;
    reel_upload_facts_t   f = facts_of(REEL_UPLOAD_MULTIPART);

    reel_upload_close(create(s, &f, REEL_UPLOAD_UNKNOWN));
    (void) put_part(s, 1, 10, 0, 0);
    (void) put_part(s, 2, 10, 0, 0);

    OK(reel_multipart_open(s, "uploads/" ID "/parts", &m));
    OK(reel_multipart_size(m, &size));
    assert_int_equal(size, 4 * LEN);
    OK(reel_multipart_truncate(m, size - 7));

    u = open_id(s, ID);
    OK(reel_upload_parts(u, &parts, &n));
    assert_int_equal(n, 1);
    free(parts);
    reel_upload_close(u);

    (void) put_part(s, 3, 10, 0, 0);
    OK(reel_multipart_size(m, &size));
    assert_int_equal(size, 5 * LEN);
    reel_multipart_close(m);

    u = open_id(s, ID);
    OK(reel_upload_parts(u, &parts, &n));
    assert_int_equal(n, 2);
    assert_int_equal(parts[1].number, 3);
    free(parts);
    reel_upload_close(u);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(layout),
        cmocka_unit_test(unsound),
        cmocka_unit_test(placed),
        cmocka_unit_test(passed_over),
        cmocka_unit_test(fitting),
        BOTH(set_aside),
        ON_FS(given_back),
        BOTH(recorded),
        BOTH(refused),
        BOTH(torn_tail),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
