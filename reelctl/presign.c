#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "lib/auth/query.h"
#include "lib/base/hex.h"
#include "lib/base/ulid.h"
#include "lib/crypt/digest.h"
#include "lib/store/layout.h"
#include "reelctl/http.h"
#include "reelctl/presign.h"


#define NAME_MAX_BYTES 1024
#define META_MAX_BYTES 2048


static void
add_param(reel_buf_t *q, const char *name, const char *value)
{
    if (q->len != 0) {
        reel_buf_u8(q, '&');
    }

    reel_buf_addz(q, name);
    reel_buf_u8(q, '=');
    reel_uri_encode(q, reel_str(value), false);
}


static void
add_number(reel_buf_t *q, const char *name, uint64_t v)
{
    char  text[24];

    (void) snprintf(text, sizeof(text), "%llu", (unsigned long long) v);
    add_param(q, name, text);
}


static int
check_meta(const char *z)
{
    json_t        *j;
    json_error_t   e;

    if (strlen(z) > META_MAX_BYTES) {
        return reel_ctl_fail(REEL_EXIT_USAGE, "--meta has %zu bytes; at most "
                             "%d can be signed", strlen(z), META_MAX_BYTES);
    }

    j = json_loads(z, JSON_REJECT_DUPLICATES, &e);

    if (!json_is_object(j)) {
        json_decref(j);
        return reel_ctl_fail(REEL_EXIT_USAGE, "--meta must be a JSON object, "
                             "such as '{\"title\": \"…\"}'%s%s",
                             j == NULL ? ": " : "", j == NULL ? e.text : "");
    }

    json_decref(j);

    return REEL_EXIT_OK;
}


/* values that the server would refuse are better refused here */
static int
check_limits(const reel_ctl_t *c)
{
    uint8_t      raw[REEL_SHA256_LEN];
    const char  *v;

    v = c->opt[REEL_OPT_SHA256];
    if (v != NULL && reel_unhex(raw, sizeof(raw), reel_str(v)) != REEL_OK) {
        return reel_ctl_fail(REEL_EXIT_USAGE, "--sha256 must be 64 "
                             "hexadecimal digits");
    }

    v = c->opt[REEL_OPT_PIPELINE];
    if (v != NULL && !reel_name_valid(reel_str(v))) {
        return reel_ctl_fail(REEL_EXIT_USAGE, "--pipeline %s: a name has 1 "
                             "to 32 of a-z 0-9 -", v);
    }

    v = c->opt[REEL_OPT_ASSET];
    if (v != NULL && reel_ctl_asset_id(v) != REEL_EXIT_OK) {
        return REEL_EXIT_USAGE;
    }

    v = c->opt[REEL_OPT_REEL_NAME];
    if (v != NULL && (v[0] == '\0' || strlen(v) > NAME_MAX_BYTES)) {
        return reel_ctl_fail(REEL_EXIT_USAGE, "--reel-name must have 1 to %d "
                             "bytes", NAME_MAX_BYTES);
    }

    v = c->opt[REEL_OPT_TYPE];
    if (v != NULL && (v[0] == '\0' || strpbrk(v, "\r\n") != NULL)) {
        return reel_ctl_fail(REEL_EXIT_USAGE, "--type must be a media type "
                             "such as video/mp4");
    }

    v = c->opt[REEL_OPT_META];

    return v != NULL ? check_meta(v) : REEL_EXIT_OK;
}


int
reel_ctl_choose_asset(const reel_ctl_t *c, char dst[27])
{
    uint8_t          random[10];
    struct timespec  ts;

    if (c->opt[REEL_OPT_ASSET] != NULL) {
        return reel_str_copy(dst, 27, reel_str(c->opt[REEL_OPT_ASSET]))
               == REEL_OK ? REEL_EXIT_OK : REEL_EXIT_USAGE;
    }

    if (getrandom(random, sizeof(random), 0) != (ssize_t) sizeof(random)
        || clock_gettime(CLOCK_REALTIME, &ts) != 0)
    {
        return reel_ctl_fail(REEL_EXIT_FAILED, "no random numbers: %s",
                             strerror(errno));
    }

    reel_ulid(dst, (uint64_t) ts.tv_sec * 1000
                   + (uint64_t) ts.tv_nsec / 1000000, random);

    return REEL_EXIT_OK;
}


int
reel_ctl_limits(const reel_ctl_t *c, reel_buf_t *q)
{
    int       code;
    size_t    i;
    uint64_t  bytes, duration;

    static const struct {
        reel_ctl_opt_t  opt;
        const char     *name;
    } params[] = {
        { REEL_OPT_TYPE, "reel-type" },
        { REEL_OPT_SHA256, "reel-sha256" },
        { REEL_OPT_REEL_NAME, "reel-name" },
        { REEL_OPT_PIPELINE, "reel-pipeline" },
        { REEL_OPT_META, "reel-meta" },
    };

    code = check_limits(c);

    if (code == REEL_EXIT_OK) {
        code = reel_ctl_opt_bytes(c, REEL_OPT_MAX_BYTES, 0, &bytes);
    }

    if (code == REEL_EXIT_OK) {
        code = reel_ctl_opt_seconds(c, REEL_OPT_MAX_DURATION, UINT32_MAX, 0,
                                    &duration);
    }

    if (code != REEL_EXIT_OK) {
        return code;
    }

    if (c->opt[REEL_OPT_MAX_BYTES] != NULL) {
        add_number(q, "reel-max-bytes", bytes);
    }

    if (c->opt[REEL_OPT_MAX_DURATION] != NULL) {
        add_number(q, "reel-max-duration", duration);
    }

    for (i = 0; i < sizeof(params) / sizeof(params[0]); i++) {
        if (c->opt[params[i].opt] != NULL) {
            add_param(q, params[i].name, c->opt[params[i].opt]);
        }
    }

    return REEL_EXIT_OK;
}


/* clients resolve "." and "..", and would send what was not signed */
static int
check_name(const char *name)
{
    reel_str_t  rest, part;

    if (name[0] == '\0' || strlen(name) > NAME_MAX_BYTES) {
        return reel_ctl_fail(REEL_EXIT_USAGE, "a name must have 1 to %d "
                             "bytes", NAME_MAX_BYTES);
    }

    for (rest = reel_str(name); rest.p != NULL; /* void */ ) {
        part = reel_str_cut(rest, '/', &rest);

        if (reel_str_eqz(part, ".") || reel_str_eqz(part, "..")) {
            return reel_ctl_fail(REEL_EXIT_USAGE, "a name must not have the "
                                 "part \".\" or \"..\": clients would remove "
                                 "it from the URL");
        }
    }

    return REEL_EXIT_OK;
}


int
reel_ctl_name_path(const reel_ctl_t *c, const reel_ctl_server_t *server,
    const char *name, const char **bucket, reel_buf_t *path)
{
    int  code;

    code = check_name(name);
    if (code != REEL_EXIT_OK) {
        return code;
    }

    *bucket = reel_ctl_opt(c, REEL_OPT_BUCKET, "REEL_BUCKET",
                           c->key->buckets[0]);

    if (!reel_access_key_has_bucket(c->key, reel_str(*bucket))) {
        return reel_ctl_fail(REEL_EXIT_USAGE, "the key %s has no bucket "
                             "\"%s\"", c->key->id, *bucket);
    }

    code = reel_ctl_location(c, server, REEL_OPT_UPLOAD_PATH, "/upload/",
                             path);
    if (code != REEL_EXIT_OK) {
        return code;
    }

    reel_buf_addz(path, *bucket);
    reel_buf_u8(path, '/');
    reel_uri_encode(path, reel_str(name), true);

    return REEL_EXIT_OK;
}


static int
name_path(const reel_ctl_t *c, const reel_ctl_server_t *server,
    const char *name, reel_ctl_signed_t *s, reel_buf_t *path)
{
    int          code;
    const char  *bucket;

    code = reel_ctl_name_path(c, server, name, &bucket, path);
    if (code != REEL_EXIT_OK) {
        return code;
    }

    s->bucket = strdup(bucket);

    return s->bucket != NULL ? REEL_EXIT_OK
           : reel_ctl_fail(REEL_EXIT_FAILED, "out of memory");
}


/* a path is taken as it stands, so it must be fit for the wire */
static int
plain_path(const reel_ctl_server_t *server, const char *target,
    reel_buf_t *path, reel_buf_t *query)
{
    reel_str_t   rest;
    const char  *p;

    for (p = target; *p > ' ' && *p < 0x7f && *p != '#'; p++) {
        /* void */
    }

    if (*p != '\0') {
        return reel_ctl_fail(REEL_EXIT_USAGE, "the path must be "
                             "percent-encoded: no blank, '#' or byte above "
                             "126 (a name without a leading slash is "
                             "encoded for you)");
    }

    reel_buf_addz(path, server->base);
    reel_buf_adds(path, reel_str_cut(reel_str(target), '?', &rest));

    if (rest.p != NULL) {
        reel_buf_adds(query, rest);
    }

    return REEL_EXIT_OK;
}


static reel_err_t
sign(const reel_ctl_t *c, const reel_ctl_server_t *server, const char *method,
    const reel_buf_t *path, const reel_buf_t *query, uint64_t expires,
    reel_ctl_signed_t *s)
{
    reel_buf_t  url;
    reel_err_t  err;

    const reel_sigv4_header_t  host = { REEL_STR("host"),
                                        reel_str(server->host) };
    const reel_sigv4_signer_t  signer = {
        .access_key = reel_str(c->key->id),
        .secret = reel_str(c->key->secret),
        .region = REEL_STR("us-east-1"),
        .service = REEL_STR("s3"),
        .time_s = time(NULL),
        .expires_s = (uint32_t) expires
    };
    const reel_sigv4_request_t  rq = {
        .method = reel_str(method),
        .path = { (const char *) path->data, path->len },
        .query = { (const char *) query->data, query->len },
        .headers = &host,
        .nheaders = 1
    };

    err = reel_buf_err(path) != REEL_OK ? reel_buf_err(path)
                                        : reel_buf_err(query);
    if (err != REEL_OK) {
        return err;
    }

    reel_buf_init(&url, 32768);
    reel_buf_addz(&url, server->origin);
    reel_buf_adds(&url, rq.path);
    reel_buf_u8(&url, '?');
    err = reel_sigv4_presign(&url, &rq, &signer, REEL_STR(""));

    if (err != REEL_OK) {
        reel_buf_release(&url);
        return err;
    }

    s->expires_at = signer.time_s + (int64_t) expires;
    s->url = reel_buf_take(&url, NULL);

    return s->url != NULL ? REEL_OK : REEL_NOMEM;
}


static int
check_method(const char *method)
{
    if (method[0] == '\0' || strspn(method, "ABCDEFGHIJKLMNOPQRSTUVWXYZ")
                             != strlen(method))
    {
        return reel_ctl_fail(REEL_EXIT_USAGE, "\"%s\" is not a method such "
                             "as PUT", method);
    }

    return REEL_EXIT_OK;
}


static int
read_expires(const reel_ctl_t *c, uint64_t *expires)
{
    int  code;

    code = reel_ctl_opt_seconds(c, REEL_OPT_EXPIRES, REEL_SIGV4_MAX_EXPIRES,
                                3600, expires);

    if (code == REEL_EXIT_OK && *expires == 0) {
        return reel_ctl_fail(REEL_EXIT_USAGE, "--expires must be above 0");
    }

    return code;
}


/* path and query of what is to be signed, and which asset it makes */
static int
compose(const reel_ctl_t *c, const reel_ctl_server_t *server,
    const char *method, const char *target, reel_ctl_signed_t *s,
    reel_buf_t *path, reel_buf_t *query)
{
    int  code;

    code = target[0] == '/' ? plain_path(server, target, path, query)
                            : name_path(c, server, target, s, path);

    if (code == REEL_EXIT_OK) {
        code = reel_ctl_limits(c, query);
    }

    if (code == REEL_EXIT_OK
        && (c->opt[REEL_OPT_ASSET] != NULL
            || (s->bucket != NULL && strcmp(method, "PUT") == 0)))
    {
        code = reel_ctl_choose_asset(c, s->asset);
        add_param(query, "reel-asset", s->asset);
    }

    return code;
}


static int
refuse(reel_err_t err)
{
    return reel_ctl_fail(err == REEL_INVAL ? REEL_EXIT_USAGE
                                           : REEL_EXIT_FAILED,
                         "cannot sign this: %s",
                         err == REEL_INVAL ? "it is signed already"
                                           : reel_err_name(err));
}


int
reel_ctl_presign(reel_ctl_t *c, const char *method, const char *target,
    reel_ctl_signed_t *s)
{
    int                 code;
    uint64_t            expires;
    reel_err_t          err;
    reel_buf_t          path, query;
    reel_ctl_server_t   server = { 0 };

    *s = (reel_ctl_signed_t) { 0 };
    reel_buf_init(&path, 16384);
    reel_buf_init(&query, 16384);

    code = check_method(method);

    if (code == REEL_EXIT_OK) {
        code = read_expires(c, &expires);
    }

    if (code == REEL_EXIT_OK) {
        code = reel_ctl_key(c);
    }

    if (code == REEL_EXIT_OK) {
        code = reel_ctl_server(c, &server);
    }

    if (code == REEL_EXIT_OK) {
        code = compose(c, &server, method, target, s, &path, &query);
    }

    if (code == REEL_EXIT_OK) {
        err = sign(c, &server, method, &path, &query, expires, s);
        code = err == REEL_OK ? REEL_EXIT_OK : refuse(err);
    }

    reel_ctl_server_release(&server);
    reel_buf_release(&path);
    reel_buf_release(&query);

    return code;
}


void
reel_ctl_signed_release(reel_ctl_signed_t *s)
{
    free(s->url);
    free(s->bucket);
    *s = (reel_ctl_signed_t) { 0 };
}
