/* signed calls of the API, and what its refusals mean to a person */

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/base/hex.h"
#include "lib/crypt/digest.h"
#include "reelctl/http.h"


#define TIMEOUT_S 30


/* what to do about a problem, by its code */
static const struct {
    const char  *code;
    const char  *hint;
} hints[] = {
    { "SignatureDoesNotMatch",
      "compare the key's secret with the server's access-key file; behind a "
      "proxy, Host must arrive unchanged" },
    { "InvalidAccessKeyId",
      "add the key to the server's access-key file and reload nginx, or "
      "choose another with --key-id" },
    { "RequestTimeTooSkewed", "set this machine's clock" },
    { "UNSIGNED", "name an access-key file with --keys" },
    { "NoSuchBucket", "choose one of the key's buckets with --bucket" },
    { "EntityTooLarge", "sign a higher --max-bytes, or raise "
      "reel_upload_max_size" },
    { "InsufficientStorage", "make room in the server's store" },
    { "REDIS_UNAVAILABLE", "start Redis; uploads and playback go on without" },
    { "NOT_ERRORED", "only an errored asset can be retried" },
    { NULL, NULL }
};


static int
exit_code(long status)
{
    switch (status) {

    case 401:
    case 403:
        return REEL_EXIT_DENIED;

    case 404:
    case 410:
        return REEL_EXIT_NOTFOUND;

    case 408:
    case 429:
    case 502:
    case 503:
    case 504:
        return REEL_EXIT_UNAVAILABLE;

    default:
        return REEL_EXIT_FAILED;
    }
}


/* the text between <name> and </name>: S3's errors are that flat */
static char *
xml_text(const char *body, const char *name)
{
    char         tag[32];
    const char  *from, *to;

    (void) snprintf(tag, sizeof(tag), "<%s>", name);
    from = strstr(body, tag);

    if (from == NULL) {
        return NULL;
    }

    from += strlen(tag);
    to = strchr(from, '<');

    return to != NULL ? strndup(from, (size_t) (to - from)) : NULL;
}


/* what a refusal says of itself; both are yours, NULL when absent */
static void
explain(const reel_ctl_answer_t *a, char **code, char **detail)
{
    json_t      *problem;
    const char  *body, *codez = NULL, *detailz = NULL;
    reel_buf_t   copy;

    reel_buf_init(&copy, a->body.max);
    reel_buf_add(&copy, a->body.data, a->body.len);
    body = reel_buf_cstr(&copy);

    problem = json_loads(body, 0, NULL);

    if (problem != NULL) {
        (void) json_unpack(problem, "{s?s, s?s}", "code", &codez,
                           "detail", &detailz);
        *code = codez != NULL ? strdup(codez) : NULL;
        *detail = detailz != NULL ? strdup(detailz) : NULL;

    } else {
        *code = xml_text(body, "Code");
        *detail = xml_text(body, "Message");
    }

    json_decref(problem);
    reel_buf_release(&copy);
}


void
reel_ctl_refusal_code(const reel_ctl_answer_t *a, char *dst, size_t cap)
{
    char  *code, *detail;

    explain(a, &code, &detail);
    (void) snprintf(dst, cap, "%s", code != NULL ? code : "");
    free(code);
    free(detail);
}


int
reel_ctl_refusal(const reel_ctl_t *c, const reel_ctl_answer_t *a,
    const char *what)
{
    char        *code, *detail;
    size_t       i;
    const char  *hint = NULL;

    (void) c;

    explain(a, &code, &detail);

    for (i = 0; code != NULL && hints[i].code != NULL; i++) {
        if (strcmp(code, hints[i].code) == 0) {
            hint = hints[i].hint;
        }
    }

    if (code == NULL) {
        hint = "is this a reel server, and its location right?";
    }

    (void) reel_ctl_fail(0, "%s: HTTP %ld%s%s%s%s", what, a->status,
                         code != NULL ? " " : "", code != NULL ? code : "",
                         detail != NULL ? ": " : "",
                         detail != NULL ? detail : "");

    if (hint != NULL) {
        (void) reel_ctl_fail(0, "hint: %s", hint);
    }

    free(code);
    free(detail);

    return exit_code(a->status);
}


/* the three headers of a signature; lines[] are freed by the caller */
static reel_err_t
sign(const reel_ctl_t *c, const reel_ctl_server_t *s, const char *method,
    reel_str_t path, const char *query, reel_str_t body, char *lines[3])
{
    char        stamp[17], hash[2 * REEL_SHA256_LEN + 1];
    uint8_t     raw[REEL_SHA256_LEN];
    reel_buf_t  b;
    reel_err_t  err;

    reel_sigv4_signer_t  signer = {
        .access_key = reel_str(c->key->id),
        .secret = reel_str(c->key->secret),
        .region = REEL_STR("us-east-1"),
        .service = REEL_STR("s3"),
        .time_s = time(NULL)
    };

    err = reel_sha256(raw, body.p, body.len);
    if (err != REEL_OK) {
        return err;
    }

    reel_hex(hash, raw, sizeof(raw));
    reel_sigv4_timestamp(stamp, signer.time_s);

    const reel_sigv4_header_t  headers[] = {
        { REEL_STR("host"), reel_str(s->host) },
        { REEL_STR("x-amz-content-sha256"), reel_str(hash) },
        { REEL_STR("x-amz-date"), reel_str(stamp) },
    };

    reel_sigv4_request_t  rq = {
        .method = reel_str(method), .path = path, .query = reel_str(query),
        .headers = headers, .nheaders = 3
    };

    reel_buf_init(&b, 4096);
    reel_buf_printf(&b, "x-amz-date: %s", stamp);
    lines[0] = reel_buf_take(&b, NULL);
    reel_buf_printf(&b, "x-amz-content-sha256: %s", hash);
    lines[1] = reel_buf_take(&b, NULL);
    reel_buf_addz(&b, "Authorization: ");
    err = reel_sigv4_sign_header(&b, &rq, &signer, REEL_STR(""));
    lines[2] = reel_buf_take(&b, NULL);

    return err != REEL_OK ? err : lines[0] && lines[1] && lines[2]
           ? REEL_OK : REEL_NOMEM;
}


/* the URL is origin, path and query; body is text or NULL */
static reel_err_t
call(reel_ctl_t *c, const reel_ctl_server_t *s, const char *method,
    reel_str_t path, const char *query, const char *body,
    reel_ctl_answer_t *a, reel_error_t *e)
{
    char                *lines[3] = { NULL, NULL, NULL };
    size_t               i;
    reel_buf_t           url;
    reel_err_t           err;
    reel_ctl_request_t   rq = { 0 };

    reel_buf_init(&url, 16384);

    err = sign(c, s, method, path, query,
               body != NULL ? reel_str(body) : REEL_STR(""), lines);
    if (err != REEL_OK) {
        (void) reel_fail(e, err, "cannot sign: %s", reel_err_name(err));
        goto done;
    }

    reel_buf_addz(&url, s->origin);
    reel_buf_adds(&url, path);
    reel_buf_addz(&url, query[0] != '\0' ? "?" : "");
    reel_buf_addz(&url, query);

    err = reel_buf_err(&url);
    if (err != REEL_OK) {
        (void) reel_fail(e, err, "the URL is too long");
        goto done;
    }

    rq.method = method;
    rq.url = reel_buf_cstr(&url);
    rq.body = body;
    rq.body_len = body != NULL ? strlen(body) : 0;
    rq.fd = -1;
    rq.timeout_s = TIMEOUT_S;
    rq.headers[0] = "Accept: application/json, application/problem+json";
    rq.headers[1] = "Content-Type: application/json";

    for (i = 0; i < 3; i++) {
        rq.headers[2 + i] = lines[i];
    }

    err = reel_ctl_http(c, &rq, a, e);

done:

    for (i = 0; i < 3; i++) {
        free(lines[i]);
    }

    reel_buf_release(&url);

    return err;
}


int
reel_ctl_api_try(reel_ctl_t *c, const char *method, const char *path,
    const char *query, json_t *body, reel_ctl_answer_t *a, reel_err_t *err,
    reel_error_t *e)
{
    int                 code;
    char               *text = NULL;
    reel_buf_t          full;
    reel_ctl_server_t   s = { 0 };

    *a = (reel_ctl_answer_t) { 0 };
    reel_buf_init(&full, 8192);

    code = reel_ctl_key(c);

    if (code == REEL_EXIT_OK) {
        code = reel_ctl_server(c, &s);
    }

    if (code == REEL_EXIT_OK) {
        code = reel_ctl_location(c, &s, REEL_OPT_API_PATH, "/api/", &full);
    }

    if (code != REEL_EXIT_OK) {
        goto done;
    }

    reel_buf_addz(&full, path);

    if (body != NULL) {
        text = json_dumps(body, JSON_COMPACT);
    }

    if (reel_buf_err(&full) != REEL_OK || (body != NULL && text == NULL)) {
        code = reel_ctl_fail(REEL_EXIT_FAILED, "out of memory");
        goto done;
    }

    *err = call(c, &s, method, (reel_str_t) { (char *) full.data, full.len },
                query, text, a, e);

done:

    free(text);
    reel_ctl_server_release(&s);
    reel_buf_release(&full);

    return code;
}


int
reel_ctl_api(reel_ctl_t *c, const char *method, const char *path,
    const char *query, json_t *body, json_t **out)
{
    int                 code;
    char                what[128];
    reel_err_t          err = REEL_OK;
    reel_error_t        e = { "" };
    reel_ctl_answer_t   a;

    if (out != NULL) {
        *out = NULL;
    }

    code = reel_ctl_api_try(c, method, path, query, body, &a, &err, &e);
    if (code != REEL_EXIT_OK) {
        goto done;
    }

    if (err != REEL_OK) {
        code = reel_ctl_fail(err == REEL_IO ? REEL_EXIT_UNAVAILABLE
                                            : REEL_EXIT_FAILED,
                             "%s (server %s; is nginx running there?)",
                             e.text,
                             reel_ctl_opt(c, REEL_OPT_SERVER, "REEL_SERVER",
                                          "http://127.0.0.1:8080"));
        goto done;
    }

    if (a.status < 200 || a.status > 299) {
        (void) snprintf(what, sizeof(what), "%s %s", method, path);
        code = reel_ctl_refusal(c, &a, what);
        goto done;
    }

    if (out != NULL) {
        *out = json_loadb((char *) a.body.data, a.body.len, 0, NULL);

        if (*out == NULL) {
            code = reel_ctl_fail(REEL_EXIT_FAILED, "the server's answer is "
                                 "not JSON: is %s the API's location?",
                                 reel_ctl_opt(c, REEL_OPT_API_PATH,
                                              "REEL_API_PATH", "/api/"));
        }
    }

done:

    reel_ctl_answer_release(&a);

    return code;
}


int
reel_ctl_get_asset(reel_ctl_t *c, const char *id, json_t **asset)
{
    int   code;
    char  path[64];

    code = reel_ctl_asset_id(id);
    if (code != REEL_EXIT_OK) {
        return code;
    }

    (void) snprintf(path, sizeof(path), "assets/%s", id);

    return reel_ctl_api(c, "GET", path, "", NULL, asset);
}
