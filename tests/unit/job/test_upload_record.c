/* upload.json: it survives a round trip, and says what is wrong */

#include "tests/unit/job/film.h"

#include <string.h>

#include "lib/job/upload_record.h"

#define ID    "00112233445566778899aabbccddeeff"
#define ASSET "01j00000000000000000000000"
#define HASH  "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


static void
round_trip(void **state)
{
    reel_buf_t           b;
    reel_upload_facts_t  q, f = {
        .id = ID, .door = REEL_UPLOAD_IETF,
        .request = {
            .asset = ASSET, .project = "p", .pipeline = "default",
            .name = "a \"film\".mp4", .meta = "{\"title\":\"T\"}",
            .max_duration_s = 60, .created_ms = 5,
        },
        .bucket = "films", .key = "a/\xc3\xa9 b", .origin = HASH,
        .metadata = "filename Zm9v", .expect = HASH, .max_bytes = 5000000000,
        .expires_ms = 1700000000000, .partial = true,
        .concat = "final;/a /b", .access_key = "AK",
    };

    (void) state;

    reel_buf_init(&b, REEL_RECORD_MAX);
    assert_int_equal(reel_upload_facts_print(&b, &f), REEL_OK);
    assert_int_equal(reel_upload_facts_parse(&q, (char *) b.data, b.len,
                                             NULL), REEL_OK);
    assert_string_equal(q.id, ID);
    assert_int_equal(q.door, REEL_UPLOAD_IETF);
    assert_string_equal(q.request.asset, ASSET);
    assert_string_equal(q.request.name, "a \"film\".mp4");
    assert_string_equal(q.request.meta, "{\"title\":\"T\"}");
    assert_int_equal(q.request.max_duration_s, 60);
    assert_string_equal(q.bucket, "films");
    assert_string_equal(q.key, "a/\xc3\xa9 b");
    assert_string_equal(q.origin, HASH);
    assert_string_equal(q.metadata, "filename Zm9v");
    assert_string_equal(q.expect, HASH);
    assert_true(q.max_bytes == 5000000000);
    assert_true(q.expires_ms == 1700000000000);
    assert_true(q.partial);
    assert_string_equal(q.concat, "final;/a /b");
    assert_string_equal(q.access_key, "AK");
    reel_upload_facts_release(&q);

    /* what may be missing */
    f.key = f.origin = f.metadata = f.concat = NULL;
    f.expect[0] = '\0';
    reel_buf_clear(&b);
    assert_int_equal(reel_upload_facts_print(&b, &f), REEL_OK);
    assert_int_equal(reel_upload_facts_parse(&q, (char *) b.data, b.len,
                                             NULL), REEL_OK);
    assert_null(q.key);
    assert_null(q.origin);
    assert_null(q.metadata);
    assert_null(q.concat);
    assert_string_equal(q.expect, "");
    reel_upload_facts_release(&q);

    f.bucket = NULL;
    assert_int_equal(reel_upload_facts_print(&b, &f), REEL_INVAL);
    f.bucket = "films";
    f.door = (reel_upload_door_t) 4;
    assert_int_equal(reel_upload_facts_print(&b, &f), REEL_INVAL);
    reel_buf_release(&b);
}


#define REQUEST "\"request\":{\"asset\":\"" ASSET "\",\"project\":\"p\"," \
    "\"pipeline\":\"default\",\"name\":\"n\",\"size\":0,\"created_ms\":1}"
#define REST "\"bucket\":\"b\",\"max_bytes\":0,\"expires_ms\":1," \
    "\"partial\":false,\"access_key\":\"\"}"


static void
refused(void **state)
{
    size_t               i;
    reel_error_t         e;
    reel_upload_facts_t  f;
    static const struct {
        const char *json, *text;
    } rows[] = {
        { "", "upload.json:" },
        { "[]", "not a JSON object" },
        { "{\"id\":\"" ID "\",\"door\":\"tus\"," REST,
          "\"request\" is missing" },
        { "{\"id\":\"" ID "\",\"door\":\"tus\",\"request\":1," REST,
          "is not an object" },
        { "{\"id\":\"" ID "\",\"door\":\"tus\",\"request\":{}," REST,
          "\"asset\" is missing" },
        { "{\"id\":\"" ID "\",\"door\":\"ftp\"," REQUEST "," REST,
          "\"door\" is not known" },
        { "{\"id\":\"" ID "0\",\"door\":\"tus\"," REQUEST "," REST,
          "\"id\" is too long" },
        { "{\"id\":\"..\",\"door\":\"tus\"," REQUEST "," REST,
          "\"id\" is not an upload" },
        { "{\"id\":\"" ID "\",\"door\":\"tus\",\"origin\":\"ab\"," REQUEST
          "," REST, "\"origin\" is not 64" },
        { "{\"id\":\"" ID "\",\"door\":\"tus\",\"expect\":\"AB\"," REQUEST
          "," REST, "\"expect\" is not 64" },
        { "{\"id\":\"" ID "\",\"door\":\"tus\",\"max_bytes\":-1," REQUEST
          "}", "\"bucket\" is missing" },
    };

    (void) state;

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        e.text[0] = '\0';
        assert_int_equal(reel_upload_facts_parse(&f, rows[i].json,
                                                 strlen(rows[i].json), &e),
                         REEL_BADDATA);

        if (strstr(e.text, rows[i].text) == NULL) {
            fail_msg("%s: %s", rows[i].json, e.text);
        }

        assert_null(f.bucket);
        assert_null(f.request.asset);
    }
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(round_trip),
        cmocka_unit_test(refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
