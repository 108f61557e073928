/* records of the store: they survive a round trip, and say what is wrong */

#include "tests/unit/job/film.h"

#include <stdio.h>
#include <string.h>

#include "lib/job/record.h"

#define ID "01j00000000000000000000000"
#define HASH "e3b0c44298fc1c149afbf4c8996fb924" \
    "27ae41e4649b934ca495991b7852b855"


static void
request_round_trip(void **state)
{
    reel_buf_t      b;
    reel_request_t  r = {
        .asset = ID, .project = "p1", .pipeline = "default",
        .name = "a \"film\" \xc3\xa9.mp4", .content_type = "video/mp4",
        .meta = "{\"title\":\"T\",\"n\":{\"deep\":[1,2]}}", .size = 5000000000,
        .max_duration_s = 60, .created_ms = 1700000000123, .origin = HASH,
    }, q;

    (void) state;

    reel_buf_init(&b, REEL_RECORD_MAX);
    assert_int_equal(reel_request_print(&b, &r), REEL_OK);
    assert_int_equal(reel_request_parse(&q, (char *) b.data, b.len, NULL),
                     REEL_OK);
    assert_string_equal(q.asset, r.asset);
    assert_string_equal(q.project, r.project);
    assert_string_equal(q.pipeline, r.pipeline);
    assert_string_equal(q.name, r.name);
    assert_string_equal(q.content_type, r.content_type);
    assert_string_equal(q.meta, r.meta);
    assert_null(q.sha256);
    assert_string_equal(q.origin, HASH);
    assert_int_equal(q.size, r.size);
    assert_int_equal(q.max_duration_s, 60);
    assert_int_equal(q.created_ms, r.created_ms);
    reel_request_release(&q);
    reel_buf_release(&b);

    /* what could break out of its member is not printed */
    r.meta = "{\"title\":1},\"size\":{";
    assert_int_equal(reel_request_print(&b, &r), REEL_INVAL);
    r.meta = "[]";
    assert_int_equal(reel_request_print(&b, &r), REEL_INVAL);
    r.meta = NULL;
    r.name = NULL;
    assert_int_equal(reel_request_print(&b, &r), REEL_INVAL);
    reel_buf_release(&b);
}


#define REQ(rest) "{\"asset\":\"" ID "\",\"project\":\"p\"," \
    "\"pipeline\":\"default\",\"name\":\"n\",\"created_ms\":1" rest "}"


static void
request_refused(void **state)
{
    size_t          i;
    reel_error_t    e;
    reel_request_t  r;
    static const struct {
        const char *json, *text;
    } rows[] = {
        { "", "request.json:" },
        { "[]", "not a JSON object" },
        { "{\"asset\":\"" ID "\"}", "\"project\" is missing" },
        { REQ(""), "\"size\" is missing" },
        { REQ(",\"size\":null"), "\"size\" is missing" },
        { REQ(",\"size\":-1"), "\"size\" is -1, not within" },
        { REQ(",\"size\":1.5"), "\"size\" is not an integer" },
        { REQ(",\"size\":\"1\""), "\"size\" is not an integer" },
        { REQ(",\"size\":1,\"meta\":[]"), "\"meta\" is not an object" },
        { REQ(",\"size\":1,\"sha256\":\"ab\""), "\"sha256\" is not 64" },
        { REQ(",\"size\":1,\"origin\":\"ab\""), "\"origin\" is not 64" },
        { REQ(",\"size\":1,\"size\":1"), "duplicate" },
        { "{\"asset\":\"../../../etc/passwd12345678\"", "request.json" },
        { "{\"asset\":\"../../../../../etc/passwd0\",\"project\":\"p\","
          "\"pipeline\":\"default\",\"name\":\"n\",\"size\":1,"
          "\"created_ms\":1}", "not an asset's id" },
        { "{\"asset\":\"" ID "\",\"project\":\"p\",\"pipeline\":\"../x\","
          "\"name\":\"n\",\"size\":1,\"created_ms\":1}",
          "not a pipeline's name" },
    };

    (void) state;

    for (i = 0; i < COUNT(rows); i++) {
        assert_int_equal(reel_request_parse(&r, rows[i].json,
                             strlen(rows[i].json), &e), REEL_BADDATA);
        assert_non_null(strstr(e.text, rows[i].text));
        assert_null(r.asset);
    }

    /* unknown members are those of a later version */
    assert_int_equal(reel_request_parse(&r, REQ(",\"size\":1,\"new\":[]"),
                         strlen(REQ(",\"size\":1,\"new\":[]")), &e),
                     REEL_OK);
    reel_request_release(&r);
    assert_int_equal(reel_request_parse(&r, "{}", REEL_RECORD_MAX + 1, &e),
                     REEL_LIMIT);
}


static void
meta(void **state)
{
    char          big[REEL_META_MAX + 2];
    reel_buf_t    b;
    reel_error_t  e;
    reel_meta_t   m;
    static const char one[] = "{\"title\":\"T\",\"passthrough\":\"p\"}";
    static const char patch[] = "{\"title\":\"U\",\"passthrough\":null}";
    static const char wrong[] = "{\"title\":\"V\",\"creator\":5}";

    (void) state;

    assert_int_equal(reel_meta_parse(&m, one, strlen(one), &e), REEL_OK);
    assert_string_equal(m.title, "T");
    assert_null(m.creator);
    assert_int_equal(reel_meta_patch(&m, patch, strlen(patch), &e), REEL_OK);
    assert_string_equal(m.title, "U");
    assert_null(m.passthrough);

    /* applied whole or not at all */
    assert_int_equal(reel_meta_patch(&m, wrong, strlen(wrong), &e),
                     REEL_INVAL);
    assert_non_null(strstr(e.text, "\"creator\" is not a string"));
    assert_string_equal(m.title, "U");
    assert_int_equal(reel_meta_patch(&m, "{\"owner\":\"x\"}", 13, &e),
                     REEL_INVAL);
    assert_string_equal(e.text, "meta: \"owner\" is not known");
    assert_int_equal(reel_meta_patch(&m, "{\"owner\":null}", 14, &e),
                     REEL_INVAL);

    reel_buf_init(&b, 1024);
    assert_int_equal(reel_meta_print(&b, &m), REEL_OK);
    assert_string_equal(reel_buf_cstr(&b), "{\"title\":\"U\"}");
    reel_buf_release(&b);
    reel_meta_release(&m);

    memset(big, ' ', sizeof(big));
    memcpy(big, "{}", 2);
    assert_int_equal(reel_meta_parse(&m, big, REEL_META_MAX, &e), REEL_OK);
    assert_int_equal(reel_meta_parse(&m, big, REEL_META_MAX + 1, &e),
                     REEL_LIMIT);

    memset(big, 'a', sizeof(big));
    memcpy(big, "{\"title\":\"", 10);
    memcpy(big + 10 + 1024, "\"}", 2);
    assert_int_equal(reel_meta_parse(&m, big, 10 + 1024 + 2, &e), REEL_OK);
    reel_meta_release(&m);
    memset(big + 10, 'a', 1100);
    memcpy(big + 10 + 1025, "\"}", 2);
    assert_int_equal(reel_meta_parse(&m, big, 10 + 1025 + 2, &e),
                     REEL_LIMIT);
    assert_null(m.title);
}


static void
result_round_trip(void **state)
{
    reel_buf_t               b;
    reel_result_t            q;
    reel_result_rendition_t  rend[] = {
        { .name = "v720", .kind = 1, .codec = "avc1.64001f", .width = 1280,
          .height = 720, .rate_num = 30000, .rate_den = 1001, .peak = 3000000,
          .average = 2000000, .bytes = 77 },
        { .name = "a128", .kind = 2, .codec = "mp4a.40.2", .channels = 2,
          .sample_rate = 48000, .rate_den = 1, .peak = 130000,
          .average = 128000, .bytes = 5 },
    };
    reel_result_t            r = {
        .asset = ID, .publication = 3, .ready = true, .completed_ms = 5,
        .duration_ms = 30000, .renditions = rend, .nrenditions = 2,
    };

    (void) state;

    reel_buf_init(&b, REEL_RECORD_MAX);
    assert_int_equal(reel_result_print(&b, &r), REEL_OK);
    assert_int_equal(reel_result_parse(&q, (char *) b.data, b.len, NULL),
                     REEL_OK);
    assert_int_equal(q.publication, 3);
    assert_true(q.ready);
    assert_int_equal(q.nrenditions, 2);
    assert_memory_equal(q.renditions, rend, sizeof(rend));
    assert_null(q.code);
    reel_result_release(&q);
    reel_buf_clear(&b);

    r = (reel_result_t) { .asset = ID, .publication = 1,
                          .code = "NOT_A_VIDEO", .stage = "inspect",
                          .detail = "No.", .log = "line\n\x01" };
    assert_int_equal(reel_result_print(&b, &r), REEL_OK);
    assert_int_equal(reel_result_parse(&q, (char *) b.data, b.len, NULL),
                     REEL_OK);
    assert_false(q.ready);
    assert_string_equal(q.code, "NOT_A_VIDEO");
    assert_string_equal(q.stage, "inspect");
    assert_string_equal(q.log, "line\n\x01");
    assert_false(q.retryable);
    reel_result_release(&q);

    r.code = NULL;
    assert_int_equal(reel_result_print(&b, &r), REEL_INVAL);
    reel_buf_release(&b);
}


static void
result_files(void **state)
{
    reel_buf_t          b;
    reel_json_t         j;
    reel_result_t       q;
    reel_result_file_t  files[] = {
        { "captions.3", "de.vtt", "0-7-ab", 77 },
        { "x", "de.vtt", "1-8-cd", 0 }
    };
    reel_result_t       r = { .asset = ID, .publication = 1, .ready = true,
                              .files = files, .nfiles = 2 };

    (void) state;

    reel_buf_init(&b, REEL_RECORD_MAX);
    assert_int_equal(reel_result_print(&b, &r), REEL_OK);
    assert_int_equal(reel_result_parse(&q, (char *) b.data, b.len, NULL),
                     REEL_OK);
    assert_int_equal(q.nfiles, 2);
    assert_memory_equal(q.files, files, sizeof(files));

    assert_ptr_equal(reel_result_file(&q, REEL_STR("x"), REEL_STR("de.vtt")),
                     &q.files[1]);
    assert_null(reel_result_file(&q, REEL_STR("x"), REEL_STR("de.vt")));
    assert_null(reel_result_file(&q, REEL_STR("captions"),
                                 REEL_STR("de.vtt")));
    reel_buf_clear(&b);

    /* for others: where it lies is nobody's business */
    reel_json_init(&j, &b);
    reel_json_object(&j);
    reel_result_files_print(&j, &q);
    reel_json_end(&j, '}');
    assert_string_equal(reel_buf_cstr(&b),
                        "{\"files\":[{\"task\":\"captions.3\","
                        "\"name\":\"de.vtt\",\"bytes\":77},"
                        "{\"task\":\"x\",\"name\":\"de.vtt\","
                        "\"bytes\":0}]}");
    reel_result_release(&q);
    reel_buf_clear(&b);

    /* a name that no pipeline can give */
    files[0].name[0] = '"';
    assert_int_equal(reel_result_print(&b, &r), REEL_OK);
    assert_int_equal(reel_result_parse(&q, (char *) b.data, b.len, NULL),
                     REEL_BADDATA);
    reel_buf_release(&b);
}


/* one of a kind, however often a child says it */
static void
warnings(void **state)
{
    unsigned         i;
    reel_buf_t       b;
    reel_error_t     e = { "" };
    reel_result_t    q, r = { .asset = ID, .publication = 1, .ready = true };
    reel_warnings_t  w = { 0 }, later = { 0 };

    static const char one[] = "{\"code\":\"DAMAGED\",\"count\":2,"
                              "\"at_ms\":4000,\"where\":\"track 1\"}";
    static const char two[] = "{\"code\":\"DAMAGED\",\"count\":4294967295,"
                              "\"at_ms\":30,\"where\":\"track 2\"}";
    static const char none[] = "{\"code\":\"ENDS\",\"count\":1,"
                               "\"where\":\"\"}";

    (void) state;

    assert_false(reel_warnings_any(&w));
    for (i = 0; i < 100; i++) {
        assert_int_equal(reel_warning_parse(&w, one, sizeof(one) - 1, &e),
                         REEL_OK);
    }
    assert_int_equal(w.of[REEL_WARN_DAMAGED].count, 200);
    assert_string_equal(w.of[REEL_WARN_DAMAGED].where, "track 1");
    assert_int_equal(reel_warning_parse(&w, none, sizeof(none) - 1, &e),
                     REEL_BADDATA);
    assert_string_equal(e.text, "warning: \"code\" is none");

    assert_int_equal(reel_warning_parse(&later, two, sizeof(two) - 1, &e),
                     REEL_OK);
    reel_warnings_merge(&w, &later);
    assert_int_equal(w.of[REEL_WARN_DAMAGED].count, UINT32_MAX);
    assert_int_equal(w.of[REEL_WARN_DAMAGED].at_ms, 30);
    assert_string_equal(w.of[REEL_WARN_DAMAGED].where, "track 1, track 2");

    /* they travel with the record, those of a newer reel do not */
    reel_warnings_stage(&w, "encode_audio");
    r.warnings = w;
    reel_buf_init(&b, REEL_RECORD_MAX);
    assert_int_equal(reel_result_print(&b, &r), REEL_OK);
    assert_int_equal(reel_result_parse(&q, (char *) b.data, b.len, &e),
                     REEL_OK);
    assert_int_equal(q.warnings.of[REEL_WARN_DAMAGED].count, UINT32_MAX);
    assert_string_equal(q.warnings.of[REEL_WARN_DAMAGED].stage,
                        "encode_audio");
    assert_int_equal(q.warnings.of[REEL_WARN_ENDS_EARLY].count, 0);
    reel_result_release(&q);

    memcpy(memmem(b.data, b.len, "DAMAGED", 7), "UNKNOWN", 7);
    assert_int_equal(reel_result_parse(&q, (char *) b.data, b.len, &e),
                     REEL_OK);
    assert_false(reel_warnings_any(&q.warnings));
    reel_result_release(&q);
    reel_buf_release(&b);
}


/* what is joined stays within its bounds, and whole */
static void
warnings_where(void **state)
{
    unsigned         i;
    reel_warning_t   x = { .count = 1, .at_ms = -1 };
    reel_warnings_t  w = { 0 };

    (void) state;

    for (i = 10; i < 99; i++) {
        snprintf(x.where, sizeof(x.where), "track %u", i);
        reel_warnings_add(&w, REEL_WARN_TRACK_LEFT_OUT, &x);
    }

    assert_int_equal(w.of[REEL_WARN_TRACK_LEFT_OUT].count, 89);
    assert_int_equal(w.of[REEL_WARN_TRACK_LEFT_OUT].at_ms, -1);
    assert_int_equal(strlen(w.of[REEL_WARN_TRACK_LEFT_OUT].where), 158);
    assert_memory_equal(w.of[REEL_WARN_TRACK_LEFT_OUT].where + 150,
                        "track 25", 8);
}


/* each place once, also of a list; "track 1" is none of "track 10" */
static void
warnings_where_once(void **state)
{
    const reel_warning_t  *text;
    reel_warnings_t        w = { 0 };
    reel_warning_t         more = { .count = 1, .at_ms = -1 };
    static const char     *const where[] = {
        "track 10", "track 1", "track 10", "track 1, track 3, track 10", ""
    };

    (void) state;

    for (size_t i = 0; i < sizeof(where) / sizeof(where[0]); i++) {
        snprintf(more.where, sizeof(more.where), "%s", where[i]);
        reel_warnings_add(&w, REEL_WARN_TEXT_LEFT_OUT, &more);
    }

    text = &w.of[REEL_WARN_TEXT_LEFT_OUT];
    assert_int_equal(text->count, 5);
    assert_string_equal(text->where, "track 10, track 1, track 3");
}


static void
named(void **state)
{
    reel_buf_t    b;
    reel_error_t  e;
    reel_named_t  in = { .asset = ID, .etag = "\"abc\"", .size = 9 }, out;

    (void) state;

    reel_buf_init(&b, 1024);
    assert_int_equal(reel_named_print(&b, &in), REEL_OK);
    assert_int_equal(reel_named_parse(&out, (char *) b.data, b.len, &e),
                     REEL_OK);
    assert_string_equal(out.asset, ID);
    assert_string_equal(out.etag, "\"abc\"");
    assert_int_equal(out.size, 9);
    assert_int_equal(reel_named_parse(&out, "{\"asset\":\"x\"}", 13, &e),
                     REEL_BADDATA);
    reel_buf_release(&b);
}


/* the table of docs/store.md, row by row */
static void
states(void **state)
{
    reel_result_t ready = { .publication = 2, .ready = true };
    reel_result_t errored = { .publication = 2 };

    (void) state;

    assert_int_equal(reel_asset_state(false, true, NULL, false),
                     REEL_ASSET_DELETED);
    assert_int_equal(reel_asset_state(true, true, &ready, true),
                     REEL_ASSET_DELETED);
    assert_int_equal(reel_asset_state(false, false, NULL, false),
                     REEL_ASSET_ABSENT);
    assert_int_equal(reel_asset_state(true, false, NULL, false),
                     REEL_ASSET_PREPARING);
    assert_int_equal(reel_asset_state(true, false, &errored, true),
                     REEL_ASSET_PREPARING);
    assert_int_equal(reel_asset_state(true, false, &ready, true),
                     REEL_ASSET_PREPARING);
    assert_int_equal(reel_asset_state(true, false, &ready, false),
                     REEL_ASSET_READY);
    assert_int_equal(reel_asset_state(true, false, &errored, false),
                     REEL_ASSET_ERRORED);
    assert_string_equal(reel_asset_state_name(REEL_ASSET_PREPARING),
                        "preparing");
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(request_round_trip),
        cmocka_unit_test(request_refused),
        cmocka_unit_test(meta),
        cmocka_unit_test(result_round_trip),
        cmocka_unit_test(result_files),
        cmocka_unit_test(warnings),
        cmocka_unit_test(warnings_where),
        cmocka_unit_test(warnings_where_once),
        cmocka_unit_test(named),
        cmocka_unit_test(states),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
