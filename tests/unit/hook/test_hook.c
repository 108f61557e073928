/* signature, addresses, schedule, names and the text of an event */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/hook/address.h"
#include "lib/hook/note.h"
#include "lib/hook/schedule.h"
#include "lib/hook/sign.h"

#define ASSET "01kb7h2n5d3v8m4q6r9s0t1w2x"


/* the vector of the specification's own libraries */
static void
test_signature(void **state)
{
    reel_buf_t           b;
    reel_error_t         e;
    reel_hook_secrets_t  s;

    static const char file[] = "# of staging\n"
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\r\n\n";
    static const char body[] = "{\"test\": 2432232314}";

    (void) state;

    assert_int_equal(reel_hook_secrets_parse(&s, file, sizeof(file) - 1, &e),
                     REEL_OK);
    assert_int_equal(s.n, 1);

    reel_buf_init(&b, 1024);
    assert_int_equal(reel_hook_sign(&b, &s, "msg_p5jXN8AQM9LWM0D4loKWxJek",
                                    1614265330, body, sizeof(body) - 1),
                     REEL_OK);
    assert_string_equal(reel_buf_cstr(&b),
                        "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");

    /* while secrets change, either is right */
    s.secret[s.n++] = s.secret[0];
    reel_buf_clear(&b);
    assert_int_equal(reel_hook_sign(&b, &s, "a", 1, "b", 1), REEL_OK);
    assert_int_equal(b.len, 2 * 47 + 1);
    assert_memory_equal(b.data, b.data + 48, 47);
    reel_buf_release(&b);
}


static void
test_secrets_refused(void **state)
{
    reel_error_t         e;
    reel_hook_secrets_t  s;

    static const struct {
        const char *text;
        const char *says;
    } cases[] = {
        { "", "no secret" },
        { "# none\n", "no secret" },
        { "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "line 1 does not begin" },
        { "\nwhsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2La", "line 2: a secret is" },
        { "whsec_%%%%", "line 1: a secret is" },
    };

    (void) state;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(reel_hook_secrets_parse(&s, cases[i].text,
                                                 strlen(cases[i].text), &e),
                         REEL_BADDATA);
        assert_non_null(strstr(e.text, cases[i].says));
        assert_null(strstr(e.text, "MfKQ"));
    }
}


static void
test_addresses(void **state)
{
    static const struct {
        bool    public;
        size_t  len;
        uint8_t a[16];
    } cases[] = {
        { true, 4, { 8, 8, 8, 8 } },
        { true, 4, { 172, 32, 0, 1 } },
        { true, 4, { 100, 128, 0, 1 } },
        { true, 4, { 223, 255, 255, 254 } },
        { false, 4, { 0, 0, 0, 0 } },
        { false, 4, { 10, 1, 2, 3 } },
        { false, 4, { 100, 127, 255, 255 } },
        { false, 4, { 127, 8, 8, 8 } },
        { false, 4, { 169, 254, 169, 254 } },
        { false, 4, { 172, 31, 255, 255 } },
        { false, 4, { 192, 168, 0, 1 } },
        { false, 4, { 198, 19, 0, 1 } },
        { false, 4, { 224, 0, 0, 1 } },
        { false, 4, { 255, 255, 255, 255 } },
        { true, 16, { 0x2a, 0, 0x14, 0x50, [15] = 1 } },
        { false, 16, { [15] = 1 } },                        /* ::1 */
        { false, 16, { 0 } },
        { false, 16, { 0xfe, 0x80, [15] = 1 } },
        { false, 16, { 0xfd, 1, [15] = 1 } },
        { false, 16, { 0xff, 2, [15] = 1 } },
        { false, 16, { 0x20, 1, 0x0d, 0xb8, [15] = 1 } },
        { false, 16, { 0x20, 1, 0, 0, [15] = 1 } },         /* Teredo */
        { false, 16, { [10] = 0xff, 0xff, 127, 0, 0, 1 } },
        { true, 16, { [10] = 0xff, 0xff, 8, 8, 8, 8 } },
        { false, 16, { 0, 0x64, 0xff, 0x9b, [12] = 10, 0, 0, 1 } },
        { false, 16, { 0x20, 2, 192, 168, 0, 1 } },
        { true, 16, { 0x20, 2, 8, 8, 8, 8 } },
        { false, 5, { 8, 8, 8, 8 } },
    };

    (void) state;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(reel_hook_address_public(cases[i].a, cases[i].len),
                         cases[i].public);
    }
}


static void
test_schedule(void **state)
{
    static const int64_t want_s[] = {
        5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400
    };

    (void) state;

    for (unsigned i = 0; i < 9; i++) {
        assert_int_equal(reel_hook_delay_ms(i + 1, 0), want_s[i] * 1000);
        for (uint32_t r = 1; r < 1u << 31; r = r * 3 + 1) {
            assert_in_range(reel_hook_delay_ms(i + 1, r), want_s[i] * 1000,
                            want_s[i] * 1100);
        }
    }

    assert_int_equal(reel_hook_delay_ms(10, 0), -1);
    assert_int_equal(reel_hook_delay_ms(0, 0), -1);
}


static void
test_names(void **state)
{
    char  id[REEL_HOOK_ID_MAX];

    static const char *const order[] = {
        "1", "1~1700000000000", "2", "10", "deleted", "deleted~1"
    };
    static const char *const wrong[] = {
        "", "0", "01", "x", "1~", "1~0", "1~x", "deleted~", "4294967296",
        "~1", "1.", "99999999999999999999999999999999"
    };

    (void) state;

    for (size_t i = 0; i < 6; i++) {
        assert_int_equal(reel_hook_name_check(reel_str(order[i])), REEL_OK);
        for (size_t k = 0; k < 6; k++) {
            int  c = reel_hook_name_compare(order[i], order[k]);

            assert_int_equal((c > 0) - (c < 0), (i > k) - (i < k));
        }
    }

    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        assert_int_equal(reel_hook_name_check(reel_str(wrong[i])),
                         REEL_INVAL);
    }

    /* no full stop, which ends it in what is signed; the same each time */
    assert_int_equal(reel_hook_id(id, ASSET, "2~17"), REEL_OK);
    assert_string_equal(id, "msg_" ASSET "_2");
    assert_int_equal(reel_hook_id(id, ASSET, "deleted"), REEL_OK);
    assert_string_equal(id, "msg_" ASSET "_deleted");
}


static void
put(reel_store_t *s, const char *part, const char *text)
{
    reel_key_t  key;

    assert_int_equal(reel_key_asset_part(key, reel_str(ASSET), part),
                     REEL_OK);
    assert_int_equal(reel_store_replace(s, key, text, strlen(text)), REEL_OK);
}


static void
expect(reel_store_t *s, const char *name, const char *text)
{
    reel_key_t  key;
    reel_buf_t  b;

    assert_int_equal(reel_key_hook(key, reel_str(ASSET), name), REEL_OK);

    if (text == NULL) {
        reel_store_stat_t  st;

        assert_int_equal(reel_store_stat(s, key, &st), REEL_NOTFOUND);
        return;
    }

    assert_int_equal(reel_store_get(s, key, 65536, &b), REEL_OK);
    assert_string_equal(reel_buf_cstr(&b), text);
    reel_buf_release(&b);
}


static void
test_notes(void **state)
{
    char           name[REEL_HOOK_NAME_MAX];
    reel_store_t  *s;

    static const char ready[] = "{\"type\":\"video.asset.ready\","
        "\"timestamp\":\"2026-11-29T06:00:01.250Z\",\"data\":{"
        "\"id\":\"" ASSET "\",\"project\":\"demo\",\"status\":\"ready\","
        "\"publication\":2,\"created_at\":\"2026-11-29T06:00:00.000Z\","
        "\"name\":\"a \\\"b\\\".mp4\",\"size\":7,\"pipeline\":\"default\","
        "\"duration\":10.050,\"meta\":{\"title\":\"T\","
        "\"passthrough\":\"p-1\"},\"passthrough\":\"p-1\"}}";

    (void) state;

    assert_int_equal(reel_store_mem_open(&s), REEL_OK);
    put(s, "request.json", "{\"asset\":\"" ASSET "\",\"project\":\"demo\","
        "\"pipeline\":\"default\",\"name\":\"a \\\"b\\\".mp4\",\"size\":7,"
        "\"created_ms\":1795932000000}");
    put(s, "meta.json", "{\"title\":\"T\",\"passthrough\":\"p-1\"}");
    put(s, "result.json", "{\"asset\":\"" ASSET "\",\"publication\":2,"
        "\"ready\":true,\"completed_ms\":1795932001250,"
        "\"duration_ms\":10050,\"renditions\":[]}");

    /* not set up: nothing is written */
    assert_int_equal(reel_hook_note_result(s, ASSET, 2), REEL_OK);
    expect(s, "2", NULL);
    assert_int_equal(reel_hook_note_again(s, ASSET, 5, name), REEL_NOTFOUND);

    assert_int_equal(reel_store_replace(s, REEL_KEY_HOOKS_ON, "", 0),
                     REEL_OK);
    assert_int_equal(reel_hook_note_result(s, ASSET, 1), REEL_OK);
    expect(s, "1", NULL);
    assert_int_equal(reel_hook_note_result(s, ASSET, 2), REEL_OK);
    assert_int_equal(reel_hook_note_result(s, ASSET, 2), REEL_OK);
    expect(s, "2", ready);

    assert_int_equal(reel_hook_note_again(s, ASSET, 77, name), REEL_OK);
    assert_string_equal(name, "2~77");
    expect(s, "2~77", ready);
    /* one that is asked for more often than it is told does not pile up */
    assert_int_equal(reel_hook_note_again(s, ASSET, 79, name), REEL_OK);
    expect(s, "2~77", NULL);
    expect(s, "2~79", ready);
    expect(s, "2", ready);
    /* by another clock: the newest stays */
    assert_int_equal(reel_hook_note_again(s, ASSET, 78, name), REEL_OK);
    expect(s, "2~79", ready);

    assert_int_equal(reel_hook_note_deleted(s, ASSET), REEL_OK);
    expect(s, "deleted", NULL);
    put(s, "tombstone", "{\"project\":\"demo\",\"deleted_ms\":0}");
    assert_int_equal(reel_hook_note_deleted(s, ASSET), REEL_OK);
    expect(s, "deleted", "{\"type\":\"video.asset.deleted\","
           "\"timestamp\":\"1970-01-01T00:00:00.000Z\",\"data\":{"
           "\"id\":\"" ASSET "\",\"project\":\"demo\","
           "\"status\":\"deleted\"}}");
    assert_int_equal(reel_hook_note_again(s, ASSET, 78, name), REEL_OK);
    assert_string_equal(name, "deleted~78");
    expect(s, "2~79", ready);

    reel_store_close(s);
}


static void
test_ended(void **state)
{
    reel_buf_t         b;
    reel_request_t     rq = { .name = "x", .pipeline = "default" };
    reel_result_t      r = {
        .code = "NOT_A_VIDEO", .stage = "inspect", .log = "secret tail",
        .detail = "The file is not a video.", .publication = 1
    };
    reel_hook_event_t  e = {
        .type = REEL_HOOK_ERRORED, .asset = ASSET, .project = "demo",
        .publication = 1, .request = &rq, .result = &r
    };
    static reel_result_file_t  files[101];

    (void) state;

    reel_buf_init(&b, REEL_HOOK_EVENT_MAX);
    assert_int_equal(reel_hook_event_print(&b, &e), REEL_OK);
    assert_non_null(strstr(reel_buf_cstr(&b), "\"error\":{\"code\":"
                           "\"NOT_A_VIDEO\",\"stage\":\"inspect\","
                           "\"detail\":\"The file is not a video.\","
                           "\"retryable\":false}"));
    assert_null(strstr(reel_buf_cstr(&b), "secret tail"));
    reel_buf_clear(&b);

    /* one that plays, and what is amiss with it */
    r = (reel_result_t) { .ready = true, .publication = 1, .warnings.of = {
        [REEL_WARN_CLOCK_JUMPS] = { 2, 3000, "inspect", "track 0" } } };
    e.type = REEL_HOOK_READY;
    assert_int_equal(reel_hook_event_print(&b, &e), REEL_OK);
    assert_non_null(strstr(reel_buf_cstr(&b), "\"duration\":0.000,"
                           "\"warnings\":[{\"code\":\"CLOCK_JUMPS\","
                           "\"stage\":\"inspect\",\"detail\":\""));
    assert_null(strstr(reel_buf_cstr(&b), "\"files\""));
    reel_buf_clear(&b);

    /* what its programs made, while that fits */
    r.files = files;
    for (r.nfiles = 0; r.nfiles < 101; r.nfiles++) {
        files[r.nfiles] = (reel_result_file_t) { "x", "de.vtt", "1-a", 77 };
    }
    r.nfiles = 1;
    assert_int_equal(reel_hook_event_print(&b, &e), REEL_OK);
    assert_non_null(strstr(reel_buf_cstr(&b), ",\"files\":[{\"task\":\"x\","
                           "\"name\":\"de.vtt\",\"bytes\":77}]"));
    reel_buf_clear(&b);
    r.nfiles = 101;
    assert_int_equal(reel_hook_event_print(&b, &e), REEL_OK);
    assert_null(strstr(reel_buf_cstr(&b), "\"files\""));
    reel_buf_release(&b);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_signature),
        cmocka_unit_test(test_secrets_refused),
        cmocka_unit_test(test_addresses),
        cmocka_unit_test(test_schedule),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_notes),
        cmocka_unit_test(test_ended),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
