#include <string.h>

#include "lib/store/layout.h"
#include "tests/unit/store/suite.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

#define ID   "01aryz6s41tsv4rrffq69g5fav"
#define HEX "0123456789abcdef0123456789abcdef"
#define HASH "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

static const reel_str_t  id = { ID, sizeof(ID) - 1 };


/* the table of docs/store.md */
static void
keys(void **state)
{
    reel_key_t  k;

    (void) state;

    assert_int_equal(reel_key_asset(k, id), REEL_OK);
    assert_string_equal(k, "assets/av/" ID);

    assert_int_equal(reel_key_asset_part(k, id, REEL_PART_REQUEST), REEL_OK);
    assert_string_equal(k, "assets/av/" ID "/request.json");
    assert_int_equal(reel_key_asset_part(k, id, REEL_PART_TOMBSTONE),
                     REEL_OK);
    assert_string_equal(k, "assets/av/" ID "/tombstone");

    assert_int_equal(reel_key_object(k, id, REEL_STR("v1080"),
                                     REEL_STR("3-17-9f.mp4")), REEL_OK);
    assert_string_equal(k, "assets/av/" ID "/v1080/3-17-9f.mp4");
    assert_int_equal(reel_key_object(k, id, REEL_STR("image"),
                                     REEL_STR("poster-1.jpg")), REEL_OK);
    assert_string_equal(k, "assets/av/" ID "/image/poster-1.jpg");

    assert_int_equal(reel_key_upload(k, id, NULL), REEL_OK);
    assert_string_equal(k, "uploads/" ID);
    assert_int_equal(reel_key_upload(k, id, "data"), REEL_OK);
    assert_string_equal(k, "uploads/" ID "/data");
    assert_int_equal(reel_key_upload(k, REEL_STR(HEX), "data"), REEL_OK);
    assert_string_equal(k, "uploads/" HEX "/data");

    assert_int_equal(reel_key_name(k, REEL_STR(HASH)), REEL_OK);
    assert_string_equal(k, "names/e3/" HASH);

    assert_int_equal(reel_key_twin(k, REEL_STR(HASH), ID), REEL_OK);
    assert_string_equal(k, "twins/e3/" HASH "/" ID);
    assert_int_equal(reel_key_twin(k, REEL_STR(HASH), NULL), REEL_OK);
    assert_string_equal(k, "twins/e3/" HASH);
    assert_int_equal(reel_key_twin(k, REEL_STR(HASH), "../x"), REEL_INVAL);

    assert_int_equal(reel_key_pending(k, id, 1), REEL_OK);
    assert_string_equal(k, "pending/" ID ".1");
    assert_int_equal(reel_key_pending(k, id, UINT32_MAX), REEL_OK);
    assert_string_equal(k, "pending/" ID ".4294967295");

    assert_int_equal(reel_key_scratch(k, REEL_STR(ID ".1"), NULL), REEL_OK);
    assert_string_equal(k, "scratch/" ID ".1");
    assert_int_equal(reel_key_scratch(k, REEL_STR(ID ".4294967295"),
                                      "encode_video-0-17-9f.0"), REEL_OK);
    assert_string_equal(k, "scratch/" ID ".4294967295/encode_video-0-17-9f.0");
}


/* as parts of a key; NUL cannot come in a C string */
static const char *const  bad_files[] = {
    "", ".", "..", "../x", "a/b", "/a", ".hidden", "a b", "a\n", "a%00",
    "a\\b", "a#b", "a~b", "\xc3\xa9",
    "0123456789012345678901234567890123456789012345678901234567890123",
};


static void
bad_ids(void **state)
{
    size_t      i;
    reel_str_t  s;
    reel_key_t  k;
    static const char *const  bad[] = {
        "", "x", "../..", "01ARYZ6S41TSV4RRFFQ69G5FAV",
        "81aryz6s41tsv4rrffq69g5fav", "01aryz6s41tsv4rrffq69g5fa",
        "01aryz6s41tsv4rrffq69g5favv", "01aryz6s41tsv4rrffq69g5f/a",
        "01aryz6s41tsv4rrffq69g5f..", "01aryz6s41tsv4rrffq69g5fau",
    };

    (void) state;

    for (i = 0; i < COUNT(bad); i++) {
        s = reel_str(bad[i]);

        k[0] = 'x';
        assert_int_equal(reel_key_asset(k, s), REEL_INVAL);
        assert_string_equal(k, "");
        assert_int_equal(reel_key_asset_part(k, s, "index"), REEL_INVAL);
        assert_int_equal(reel_key_object(k, s, REEL_STR("v"),
                                         REEL_STR("o")), REEL_INVAL);
        assert_int_equal(reel_key_upload(k, s, "data"), REEL_INVAL);
        assert_int_equal(reel_key_upload(k, s, NULL), REEL_INVAL);
        assert_int_equal(reel_key_pending(k, s, 1), REEL_INVAL);
        assert_int_equal(reel_key_scratch(k, s, NULL), REEL_INVAL);
        assert_string_equal(k, "");
    }
}


static void
bad_uploads(void **state)
{
    size_t      i;
    reel_key_t  k;
    static const char *const  bad[] = {
        HEX "0", "0123456789abcdef0123456789abcde",
        "0123456789ABCDEF0123456789ABCDEF",
        "0123456789abcdef0123456789abcdeg",
        "0123456789abcdef/../0123456789ab",
    };

    (void) state;

    for (i = 0; i < COUNT(bad); i++) {
        assert_int_equal(reel_key_upload(k, reel_str(bad[i]), NULL),
                         REEL_INVAL);
        assert_string_equal(k, "");
    }

    /* it is no asset's */
    assert_int_equal(reel_key_asset(k, REEL_STR(HEX)), REEL_INVAL);
}


static void
bad_names(void **state)
{
    size_t      i;
    reel_key_t  k;
    static const char *const  jobs[] = {
        ID, ID ".", ID ".0", ID ".01", ID ".-1", ID ".+1", ID ".1.2",
        ID ".4294967296", ID ".1x", ID "/1", "." ID, ".1",
    };
    static const char *const  hashes[] = {
        "", "e3", HASH "0", "E" HASH, "E3B0C44298FC1C149AFBF4C8996FB92427"
        "AE41E4649B934CA495991B7852B855", "../" HASH,
        "g3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "..b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    };

    (void) state;

    for (i = 0; i < COUNT(bad_files); i++) {
        assert_int_equal(reel_key_asset_part(k, id, bad_files[i]),
                         REEL_INVAL);
        assert_int_equal(reel_key_upload(k, id, bad_files[i]), REEL_INVAL);
        assert_int_equal(reel_key_object(k, id, REEL_STR("v"),
                                         reel_str(bad_files[i])),
                         REEL_INVAL);

        if (strlen(bad_files[i]) < 64) {
            assert_int_equal(reel_key_scratch(k, REEL_STR(ID ".1"),
                                              bad_files[i]), REEL_INVAL);
        }

        assert_string_equal(k, "");
    }

    /* 63 bytes are an object's longest name */
    assert_int_equal(reel_key_object(k, id, REEL_STR("v"),
        (reel_str_t) { bad_files[COUNT(bad_files) - 1], 63 }), REEL_OK);
    assert_int_equal(reel_key_object(k, id, REEL_STR("v"),
        (reel_str_t) { "a\0b", 3 }), REEL_INVAL);

    for (i = 0; i < COUNT(jobs); i++) {
        assert_int_equal(reel_key_scratch(k, reel_str(jobs[i]), NULL),
                         REEL_INVAL);
    }

    assert_int_equal(reel_key_pending(k, id, 0), REEL_INVAL);

    for (i = 0; i < COUNT(hashes); i++) {
        assert_int_equal(reel_key_name(k, reel_str(hashes[i])), REEL_INVAL);
        assert_int_equal(reel_key_twin(k, reel_str(hashes[i]), ID),
                         REEL_INVAL);
    }
}


static void
renditions(void **state)
{
    int         c, valid;
    char        s[2];
    size_t      i;
    reel_key_t  k;
    static const struct {
        const char *name;
        bool        valid;
    } t[] = {
        { "v1080", true }, { "a128-en", true }, { "0", true },
        { "a-", true }, { "a--b", true },
        { "01234567890123456789012345678901", true },
        { "012345678901234567890123456789012", false },
        { "", false }, { "-a", false }, { "A", false }, { "a_b", false },
        { "a.b", false }, { "a/b", false }, { "..", false }, { "a ", false },
        { "\xc3\xa9", false },
    };

    (void) state;

    for (i = 0; i < COUNT(t); i++) {
        assert_int_equal(reel_name_valid(reel_str(t[i].name)), t[i].valid);
        assert_int_equal(reel_key_object(k, id, reel_str(t[i].name),
                                         REEL_STR("o")),
                         t[i].valid ? REEL_OK : REEL_INVAL);
    }

    for (valid = 0, c = 0; c < 256; c++) {
        s[0] = 'a';
        s[1] = (char) c;
        valid += reel_name_valid((reel_str_t) { s, 2 });
    }

    assert_int_equal(valid, 26 + 10 + 1);
}


/* whatever is longest still is a key that the store takes */
static void
longest(void **state)
{
    char        name[128];
    reel_key_t  k;

    (void) state;

    memset(name, 'n', sizeof(name));
    name[127] = '\0';

    assert_int_equal(reel_key_scratch(k, REEL_STR(ID ".4294967295"), name),
                     REEL_OK);
    assert_true(reel_store_key_valid(k));

    assert_int_equal(reel_key_object(k, id,
        REEL_STR("01234567890123456789012345678901"),
        (reel_str_t) { name, 63 }), REEL_OK);
    assert_true(reel_store_key_valid(k));

    memset(name, 'n', sizeof(name));
    assert_int_equal(reel_key_object(k, id, REEL_STR("v"),
                                     (reel_str_t) { name, 128 }),
                     REEL_INVAL);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(keys),
        cmocka_unit_test(bad_ids),
        cmocka_unit_test(bad_uploads),
        cmocka_unit_test(bad_names),
        cmocka_unit_test(renditions),
        cmocka_unit_test(longest),
    };

    return cmocka_run_group_tests_name("layout", tests, NULL, NULL);
}
