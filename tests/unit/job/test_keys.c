#include "tests/unit/job/film.h"

#include <stdio.h>
#include <string.h>

#include "lib/job/keys.h"

#define ID "01j00000000000000000000000"


static void
keys(void **state)
{
    char              big[200];
    reel_redis_key_t  k;

    (void) state;

    assert_int_equal(reel_redis_key(k, 0, "job:", REEL_STR(ID ".1")), REEL_OK);
    assert_string_equal(k, "reel1:{r0}:job:" ID ".1");
    assert_int_equal(reel_redis_key(k, 0, "lease", (reel_str_t) { NULL, 0 }),
                     REEL_OK);
    assert_string_equal(k, "reel1:{r0}:lease");

    memset(big, 'x', sizeof(big));
    assert_int_equal(reel_redis_key(k, 0, "", (reel_str_t) { big, 200 }),
                     REEL_LIMIT);
    assert_string_equal(k, "");
    assert_int_equal(reel_redis_key(k, 0, "", (reel_str_t) { big, 117 }),
                     REEL_LIMIT);
    assert_int_equal(reel_redis_key(k, 0, "", (reel_str_t) { big, 116 }),
                     REEL_OK);
}


/* as documented: others may have to find an asset's shard too */
static void
shards(void **state)
{
    char              id[32];
    unsigned          n[7] = { 0 };
    reel_redis_key_t  k;

    (void) state;

    assert_int_equal(reel_shard_of(REEL_STR("123456789"), 64),
                     0xe3069283 % 64);
    assert_int_equal(reel_shard_of(REEL_STR("123456789"), 7),
                     0xe3069283 % 7);
    assert_int_equal(reel_shard_of(REEL_STR("123456789.12"), 7),
                     0xe3069283 % 7);
    assert_int_equal(reel_shard_of(REEL_STR(ID), 1), 0);
    assert_int_equal(reel_shard_of(REEL_STR(""), 5), 0);

    for (unsigned i = 0; i < 7000; i++) {
        (void) snprintf(id, sizeof(id), "01j%023u", i);
        n[reel_shard_of(reel_str(id), 7)]++;
    }
    for (unsigned i = 0; i < 7; i++) {
        assert_in_range(n[i], 900, 1100);
    }

    assert_int_equal(reel_redis_key(k, 63, "lease", REEL_STR("")), REEL_OK);
    assert_string_equal(k, "reel1:{r63}:lease");
    assert_int_equal(reel_redis_key(k, 64, "lease", REEL_STR("")),
                     REEL_LIMIT);
}


static void
job_ids(void **state)
{
    char        id[REEL_JOB_ID_MAX];
    size_t      i;
    uint32_t    n;
    reel_str_t  asset;
    static const char *const wrong[] = {
        "", ".", ID, ID ".", ID ".0", ID ".01", ID ".x", ID ".-1",
        ID ".4294967296", ID ".1.1", ".1", "u" ID ".1",
        "01j0000000000000000000000/.1",
    };

    (void) state;

    assert_int_equal(reel_job_id(id, REEL_STR(ID), UINT32_MAX), REEL_OK);
    assert_string_equal(id, ID ".4294967295");
    assert_int_equal(reel_job_id_parse(reel_str(id), &asset, &n), REEL_OK);
    assert_int_equal(n, UINT32_MAX);
    assert_true(reel_str_eqz(asset, ID));

    assert_int_equal(reel_job_id(id, REEL_STR(ID), 0), REEL_INVAL);
    assert_int_equal(reel_job_id(id, REEL_STR("../x"), 1), REEL_INVAL);

    for (i = 0; i < COUNT(wrong); i++) {
        assert_int_equal(reel_job_id_parse(reel_str(wrong[i]), &asset, &n),
                         REEL_INVAL);
    }
}


/* every transition is embedded, behind what it needs of the part they share */
static void
scripts(void **state)
{
    size_t             i;
    const char        *text;
    static const char *const names[] = {
        "submit", "step", "renew", "fail", "expand", "cancel", "sweep",
        "hook", "hooked", "depth", "unmet", "straggler", "shards"
    };

    (void) state;

    assert_int_equal(COUNT(names), REEL_LUA_SCRIPTS);

    for (i = 0; i < REEL_LUA_SCRIPTS; i++) {
        text = reel_lua_text((reel_lua_t) i);
        assert_string_equal(reel_lua_name((reel_lua_t) i), names[i]);
        assert_non_null(strstr(text, "local K = ARGV[1]\n"));
        assert_non_null(strstr(text, "local err = ((#KEYS ~= 1 or not K"));
        assert_non_null(strstr(text, "\nreturn "));
        assert_null(strstr(text, "SCHEMA"));            /* constants */
        assert_null(strstr(text, "--"));
    }

    /* what is rare, by its name in code, but not in texts */
    text = reel_lua_text(REEL_LUA_SUBMIT);
    assert_null(strstr(text, "local function holder("));
    assert_null(strstr(text, "job_key("));              /* inline */
    assert_non_null(strstr(text, "(K .. 'job:' .. job)"));
    assert_non_null(strstr(text, "function rare.wake("));
    assert_non_null(strstr(text, "\nrare.wake()"));
    assert_non_null(strstr(text, "K .. 'wake'"));
}


/* both say how many tasks a step has */
static void
step_most(void **state)
{
    char  most[32];

    (void) state;

    (void) snprintf(most, sizeof(most), "local MOST = %d\n", REEL_STEP_MAX);
    assert_non_null(strstr(reel_lua_text(REEL_LUA_STEP), most));
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys),
        cmocka_unit_test(shards),
        cmocka_unit_test(job_ids),
        cmocka_unit_test(scripts),
        cmocka_unit_test(step_most),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
