/* URLs that reelctl signs, verified as the server would */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/auth/query.h"
#include "lib/base/ulid.h"
#include "reelctl/http.h"
#include "reelctl/presign.h"


#define SECRET "reel-test-secret-0123456789"


static char  keyfile[] = "/tmp/reelctl-test-XXXXXX";


static int
setup(void **state)
{
    int  fd;

    static const char  keys[] =
        "{\"access_keys\": [{\"id\": \"REEL1\", \"secret\": \"" SECRET "\","
        " \"project\": \"default\", \"buckets\": [\"video\", \"raw\"]},"
        " {\"id\": \"REEL2\", \"secret\": \"another-secret-0123\","
        " \"project\": \"other\", \"buckets\": [\"films\"]}]}";

    (void) state;

    fd = mkstemp(keyfile);
    if (fd == -1
        || write(fd, keys, sizeof(keys) - 1) != (ssize_t) sizeof(keys) - 1)
    {
        return -1;
    }

    (void) close(fd);

    return setenv("REEL_KEYS", keyfile, 1) || unsetenv("REEL_SERVER")
           || unsetenv("REEL_KEY_ID") || unsetenv("REEL_BUCKET");
}


static int
teardown(void **state)
{
    (void) state;

    return unlink(keyfile);
}


/* what the command line gives; argv ends with NULL */
static int
sign(reel_ctl_signed_t *s, const char **argv)
{
    int          code, argc;
    char        *args[32];
    reel_ctl_t   c = { 0 };

    for (argc = 0; argv[argc] != NULL; argc++) {
        assert_true(argc < 31);
        args[argc] = strdup(argv[argc]);
    }

    args[argc] = NULL;

    *s = (reel_ctl_signed_t) { 0 };
    code = reel_ctl_parse(&c, argc, args);

    if (code == REEL_EXIT_OK) {
        code = reel_ctl_presign(&c, c.argv[0], c.argv[1], s);
    }

    reel_access_keys_release(&c.keys);

    while (argc > 0) {
        free(args[--argc]);
    }

    return code;
}


#define SIGN(s, ...)                                                          \
    sign(s, (const char *[]) { "reelctl", __VA_ARGS__, NULL })


/* splits the URL; q is its query */
static reel_sigv4_status_t
verify(const char *method, const char *url, const char *host,
    const char *path, int64_t after, reel_str_t *q)
{
    reel_str_t           rest;
    reel_error_t         e;
    reel_sigv4_auth_t    a;
    reel_sigv4_header_t  h = { REEL_STR("Host"), reel_str(host) };
    reel_sigv4_request_t rq = { .headers = &h, .nheaders = 1 };
    reel_sigv4_status_t  st;

    rest = reel_str(url);
    assert_true(reel_str_prefix(rest, "http"));
    rest.p = strstr(url, "://") + 3;
    rest.len = strlen(rest.p);
    assert_true(reel_str_prefix(rest, host));
    rest.p += strlen(host);
    rest.len -= strlen(host);

    rq.method = reel_str(method);
    rq.path = reel_str_cut(rest, '?', &rq.query);
    *q = rq.query;

    if (!reel_str_eqz(rq.path, path)) {
        fail_msg("path %.*s, not %s", (int) rq.path.len, rq.path.p, path);
    }

    st = reel_sigv4_parse(&a, &rq, &e);
    if (st != REEL_SIGV4_OK) {
        return st;
    }

    assert_true(reel_str_eqz(a.service, "s3"));

    return reel_sigv4_verify(&a, &rq, REEL_STR(SECRET),
                             (int64_t) time(NULL) + after, NULL, &e);
}


static void
test_name(void **state)
{
    char                value[64];
    reel_str_t          q;
    reel_ctl_signed_t   s;

    (void) state;

    assert_int_equal(SIGN(&s, "presign", "PUT", "a b/\xc3\xbc'(+)%.mp4"),
                     REEL_EXIT_OK);
    assert_string_equal(s.bucket, "video");
    assert_int_equal(verify("PUT", s.url, "127.0.0.1:8080",
                            "/upload/video/a%20b/%C3%BC%27%28%2B%29%25.mp4",
                            0, &q),
                     REEL_SIGV4_OK);

    /* an id of its own, which the URL carries */
    assert_int_equal(reel_query_get_decoded(q, "reel-asset", value, 64),
                     REEL_OK);
    assert_true(reel_ulid_valid(reel_str(value)));
    assert_string_equal(value, s.asset);
    assert_true(s.expires_at - time(NULL) <= 3600);
    assert_true(s.expires_at - time(NULL) > 3590);

    assert_int_equal(verify("GET", s.url, "127.0.0.1:8080",
                            "/upload/video/a%20b/%C3%BC%27%28%2B%29%25.mp4",
                            0, &q),
                     REEL_SIGV4_MISMATCH);
    assert_int_equal(verify("PUT", s.url, "127.0.0.1:8080",
                            "/upload/video/a%20b/%C3%BC%27%28%2B%29%25.mp4",
                            3605, &q),
                     REEL_SIGV4_EXPIRED);
    reel_ctl_signed_release(&s);
}


/* one name, one second, two URLs: two uploads */
static void
test_never_the_same(void **state)
{
    reel_ctl_signed_t  one, two;

    (void) state;

    assert_int_equal(SIGN(&one, "presign", "PUT", "x.mp4"), REEL_EXIT_OK);
    assert_int_equal(SIGN(&two, "presign", "PUT", "x.mp4"), REEL_EXIT_OK);
    assert_string_not_equal(one.url, two.url);
    assert_string_not_equal(one.asset, two.asset);
    reel_ctl_signed_release(&one);
    reel_ctl_signed_release(&two);
}


static void
test_limits(void **state)
{
    char                value[256];
    size_t              i;
    reel_str_t          q;
    reel_ctl_signed_t   s;

    static const struct { const char *name, *value; } want[] = {
        { "reel-max-bytes", "2147483648" },
        { "reel-max-duration", "5400" },
        { "reel-type", "video/mp4" },
        { "reel-sha256", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca4"
                         "95991b7852b855" },
        { "reel-name", "Ein Film & mehr" },
        { "reel-pipeline", "fast" },
        { "reel-meta", "{\"title\": \"\xc3\xbc\"}" },
        { "reel-asset", "01j8zzzzzzzzzzzzzzzzzzzzzz" },
        { "X-Amz-Expires", "604800" },
    };

    (void) state;

    assert_int_equal(SIGN(&s, "--server", "https://reel.test/x/", "presign",
                          "PUT", "--max-bytes=2G", "--max-duration", "90m",
                          "f.mp4", "--type", "video/mp4", "--sha256",
                          want[3].value, "--reel-name", "Ein Film & mehr",
                          "--pipeline", "fast", "--meta",
                          "{\"title\": \"\xc3\xbc\"}", "--asset",
                          "01j8zzzzzzzzzzzzzzzzzzzzzz", "--expires", "7d",
                          "--bucket", "raw", "--upload-path", "/up"),
                     REEL_EXIT_OK);
    assert_int_equal(verify("PUT", s.url, "reel.test", "/x/up/raw/f.mp4", 0,
                            &q),
                     REEL_SIGV4_OK);

    for (i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
        assert_int_equal(reel_query_get_decoded(q, want[i].name, value, 256),
                         REEL_OK);
        assert_string_equal(value, want[i].value);
    }

    reel_ctl_signed_release(&s);
}


static void
test_path(void **state)
{
    reel_str_t          q, v;
    reel_ctl_signed_t   s;

    (void) state;

    assert_int_equal(SIGN(&s, "presign", "GET",
                          "/api/assets/01j8zzzzzzzzzzzzzzzzzzzzzz/events"),
                     REEL_EXIT_OK);
    assert_null(s.bucket);
    assert_int_equal(verify("GET", s.url, "127.0.0.1:8080",
                            "/api/assets/01j8zzzzzzzzzzzzzzzzzzzzzz/events",
                            0, &q),
                     REEL_SIGV4_OK);
    assert_false(reel_query_get(q, "reel-asset", &v));
    reel_ctl_signed_release(&s);

    assert_int_equal(SIGN(&s, "presign", "GET", "/api/assets?limit=2&b",
                          "--server", "http://[::1]:80"),
                     REEL_EXIT_OK);
    assert_int_equal(verify("GET", s.url, "[::1]", "/api/assets", 0, &q),
                     REEL_SIGV4_OK);
    assert_true(reel_query_get(q, "limit", &v));
    reel_ctl_signed_release(&s);
}


static void
test_refused(void **state)
{
    size_t              i;
    char                longname[1100];
    reel_ctl_signed_t   s;

    static const char  *bad[][8] = {
        { "presign", "PUT" },
        { "presign", "PUT", "a", "b" },
        { "presign", "put", "a" },
        { "presign", "PUT", "" },
        { "presign", "PUT", "a/../b" },
        { "presign", "PUT", "." },
        { "presign", "GET", "/a b" },
        { "presign", "GET", "/a#b" },
        { "presign", "GET", "/\xc3\xbc" },
        { "presign", "GET", "/a?X-Amz-Signature=x" },
        { "presign", "PUT", "a", "--expires", "0" },
        { "presign", "PUT", "a", "--expires", "8d" },
        { "presign", "PUT", "a", "--expires", "604801" },
        { "presign", "PUT", "a", "--expires", "-1" },
        { "presign", "PUT", "a", "--expires", "h" },
        { "presign", "PUT", "a", "--expires", "" },
        { "presign", "PUT", "a", "--expires" },
        { "presign", "PUT", "a", "--max-bytes", "1.5G" },
        { "presign", "PUT", "a", "--max-bytes", "9000000T" },
        { "presign", "PUT", "a", "--max-duration", "x" },
        { "presign", "PUT", "a", "--sha256", "abc" },
        { "presign", "PUT", "a", "--meta", "[1]" },
        { "presign", "PUT", "a", "--meta", "{" },
        { "presign", "PUT", "a", "--pipeline", "A_b" },
        { "presign", "PUT", "a", "--asset", "../x" },
        { "presign", "PUT", "a", "--reel-name", "" },
        { "presign", "PUT", "a", "--type", "a\nb" },
        { "presign", "PUT", "a", "--bucket", "films" },
        { "presign", "PUT", "a", "--key-id", "REEL3" },
        { "presign", "PUT", "a", "--server", "ftp://h" },
        { "presign", "PUT", "a", "--server", "http://u:p@h" },
        { "presign", "PUT", "a", "--server", "http://h/?q" },
        { "presign", "PUT", "a", "--server", "" },
        { "presign", "PUT", "a", "--upload-path", "up" },
        { "presign", "PUT", "a", "--upload-path", "/u p" },
        { "presign", "PUT", "a", "--title", "x" },
        { "presing", "PUT", "a" },
        { "--frobnicate", "presign", "PUT", "a" },
    };

    (void) state;

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        if (SIGN(&s, bad[i][0], bad[i][1], bad[i][2], bad[i][3], bad[i][4],
                 bad[i][5])
            != REEL_EXIT_USAGE)
        {
            fail_msg("%s %s %s %s", bad[i][1], bad[i][2] ? bad[i][2] : "",
                     bad[i][3] ? bad[i][3] : "", bad[i][4] ? bad[i][4] : "");
        }

        assert_null(s.url);
        reel_ctl_signed_release(&s);
    }

    memset(longname, 'x', sizeof(longname) - 1);
    longname[sizeof(longname) - 1] = '\0';
    assert_int_equal(SIGN(&s, "presign", "PUT", longname), REEL_EXIT_USAGE);
    longname[1024] = '\0';
    assert_int_equal(SIGN(&s, "presign", "PUT", longname), REEL_EXIT_OK);
    reel_ctl_signed_release(&s);
}


static void
test_key_choice(void **state)
{
    reel_str_t          q, v;
    reel_ctl_signed_t   s;

    (void) state;

    assert_int_equal(SIGN(&s, "presign", "PUT", "a", "--key-id", "REEL2"),
                     REEL_EXIT_OK);
    assert_string_equal(s.bucket, "films");
    assert_int_equal(verify("PUT", s.url, "127.0.0.1:8080",
                            "/upload/films/a", 0, &q),
                     REEL_SIGV4_MISMATCH);
    assert_true(reel_query_get(q, "X-Amz-Credential", &v));
    assert_true(reel_str_prefix(v, "REEL2%2F"));
    reel_ctl_signed_release(&s);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_name),
        cmocka_unit_test(test_never_the_same),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_path),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_key_choice),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
