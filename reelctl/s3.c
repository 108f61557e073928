#include <stdlib.h>
#include <time.h>

#include "lib/auth/query.h"
#include "lib/base/hex.h"
#include "lib/crypt/digest.h"
#include "reelctl/presign.h"
#include "reelctl/s3.h"


#define UNSIGNED "UNSIGNED-PAYLOAD"     /* the checksum covers it */


/* extra is a header of S3's whose name sorts before all x-amz-content- */
static int
sign(const reel_ctl_s3_t *s, const char *method, const char *query,
    const char *payload, const char *extra, const char *value,
    reel_ctl_call_t *call)
{
    char        stamp[17];
    size_t      n = 0;
    reel_buf_t  b;
    reel_err_t  err;

    const reel_access_key_t    *key = s->how->c->key;
    const reel_sigv4_signer_t   signer = {
        .access_key = reel_str(key->id), .secret = reel_str(key->secret),
        .region = REEL_STR("us-east-1"), .service = REEL_STR("s3"),
        .time_s = time(NULL)
    };
    reel_sigv4_header_t         headers[4];
    const reel_sigv4_request_t  rq = {
        .method = reel_str(method), .query = reel_str(query),
        .path = { (const char *) s->path.data, s->path.len },
        .headers = headers, .nheaders = extra != NULL ? 4 : 3
    };

    reel_sigv4_timestamp(stamp, signer.time_s);

    headers[n++] = (reel_sigv4_header_t) { REEL_STR("host"),
                                           reel_str(s->server.host) };
    if (extra != NULL) {
        headers[n++] = (reel_sigv4_header_t) { reel_str(extra),
                                               reel_str(value) };
    }

    headers[n++] = (reel_sigv4_header_t) { REEL_STR("x-amz-content-sha256"),
                                           reel_str(payload) };
    headers[n] = (reel_sigv4_header_t) { REEL_STR("x-amz-date"),
                                         reel_str(stamp) };

    reel_buf_init(&b, 32768);
    reel_buf_addz(&b, s->server.origin);
    reel_buf_adds(&b, rq.path);
    reel_buf_printf(&b, "?%s", query);
    call->url = reel_buf_take(&b, NULL);
    reel_buf_printf(&b, "x-amz-date: %s", stamp);
    call->lines[0] = reel_buf_take(&b, NULL);
    reel_buf_printf(&b, "x-amz-content-sha256: %s", payload);
    call->lines[1] = reel_buf_take(&b, NULL);
    reel_buf_addz(&b, "Authorization: ");
    err = reel_sigv4_sign_header(&b, &rq, &signer, REEL_STR(""));
    call->lines[2] = reel_buf_take(&b, NULL);

    if (extra != NULL) {
        reel_buf_printf(&b, "%s: %s", extra, value);
        call->lines[3] = reel_buf_take(&b, NULL);
    }

    if (err != REEL_OK || call->url == NULL || call->lines[0] == NULL
        || call->lines[1] == NULL || call->lines[2] == NULL
        || (extra != NULL && call->lines[3] == NULL))
    {
        return reel_ctl_fail(REEL_EXIT_FAILED, "cannot sign: %s",
                             err != REEL_OK ? reel_err_name(err)
                                            : "the URL is too long");
    }

    return REEL_EXIT_OK;
}


static int
make(const reel_ctl_ask_t *q, reel_ctl_call_t *call)
{
    char         hash[2 * REEL_SHA256_LEN + 1];
    uint8_t      raw[REEL_SHA256_LEN];
    const char  *body = q->body != NULL ? q->body : "";

    const reel_ctl_s3_t  *s = q->door;

    if (reel_sha256(raw, body, strlen(body)) != REEL_OK) {
        return reel_ctl_fail(REEL_EXIT_FAILED, "cannot hash");
    }

    reel_hex(hash, raw, sizeof(raw));

    /* parts have a CRC-32C: S3 wants to know that beforehand */
    return s->upload[0] == '\0'
           ? sign(s, q->method, q->query, hash, "x-amz-checksum-algorithm",
                  "CRC32C", call)
           : sign(s, q->method, q->query, hash, NULL, NULL, call);
}


/* "uploadId=…" behind what is in b */
static void
add_upload(const reel_ctl_s3_t *s, reel_buf_t *b)
{
    reel_buf_addz(b, "uploadId=");
    reel_uri_encode(b, reel_str(s->upload), false);
}


int
reel_ctl_s3_part(const reel_ctl_s3_t *s, const reel_ctl_parts_t *p, size_t i,
    reel_ctl_call_t *call)
{
    int         code;
    reel_buf_t  query;

    reel_buf_init(&query, 8192);
    reel_buf_printf(&query, "partNumber=%zu&", i + 1);
    add_upload(s, &query);
    code = sign(s, "PUT", reel_buf_cstr(&query), UNSIGNED,
                "x-amz-checksum-crc32c", p->part[i].sum, call);
    reel_buf_release(&query);

    return code;
}


int
reel_ctl_s3_create(reel_ctl_s3_t *s)
{
    int                 code;
    char                type[512];
    reel_buf_t          query;
    reel_ctl_t         *c = s->how->c;
    reel_ctl_answer_t   a = { 0 };

    reel_ctl_ask_t  q = {
        .how = s->how, .method = "POST", .make = make, .door = s,
        .body = "", .what = "the upload cannot begin"
    };

    reel_buf_init(&query, 16384);
    code = reel_ctl_limits(c, &query);

    if (code == REEL_EXIT_OK) {
        code = reel_ctl_choose_asset(c, s->asset);
    }

    if (code != REEL_EXIT_OK) {
        goto done;
    }

    reel_buf_printf(&query, "%sreel-asset=%s&uploads=",
                    query.len != 0 ? "&" : "", s->asset);
    q.query = reel_buf_cstr(&query);

    if (c->opt[REEL_OPT_TYPE] != NULL) {
        (void) snprintf(type, sizeof(type), "Content-Type: %s",
                        c->opt[REEL_OPT_TYPE]);
        q.type = type;
    }

    s->upload[0] = '\0';
    code = reel_ctl_ask(&q, &a);

    if (code == REEL_EXIT_OK && a.status != 200) {
        code = reel_ctl_refusal(c, &a, "the upload was refused");
        goto done;
    }

    if (code == REEL_EXIT_OK) {
        reel_ctl_xml_value(&a, "UploadId", s->upload, sizeof(s->upload));

        if (s->upload[0] == '\0') {
            code = reel_ctl_fail(REEL_EXIT_FAILED, "the server began no "
                                 "upload in parts: is this location "
                                 "reel_upload? (--part-size 0 sends one "
                                 "PUT)");
        }
    }

done:

    reel_buf_release(&query);
    reel_ctl_answer_release(&a);

    return code;
}


int
reel_ctl_s3_list(reel_ctl_s3_t *s, reel_ctl_parts_t *p)
{
    int                 code;
    char                refused[32];
    uint64_t            marker = 0, next;
    reel_buf_t          query;
    reel_error_t        e = { "" };
    reel_ctl_answer_t   a;

    reel_ctl_ask_t  q = {
        .how = s->how, .method = "GET", .make = make, .door = s,
        .what = "the parts that are there cannot be listed"
    };

    reel_buf_init(&query, 8192);

    do {
        reel_buf_clear(&query);
        reel_buf_printf(&query, "max-parts=1000&part-number-marker=%llu&",
                        (unsigned long long) marker);
        add_upload(s, &query);
        q.query = reel_buf_cstr(&query);
        next = 0;

        code = reel_ctl_ask(&q, &a);

        if (code == REEL_EXIT_OK && a.status == 404) {
            reel_ctl_refusal_code(&a, refused, sizeof(refused));

            if (strcmp(refused, "NoSuchUpload") == 0) {
                reel_ctl_answer_release(&a);
                code = REEL_EXIT_NOTFOUND;
                break;
            }
        }

        if (code == REEL_EXIT_OK && a.status != 200) {
            code = reel_ctl_refusal(s->how->c, &a, q.what);

        } else if (code == REEL_EXIT_OK
                   && (reel_ctl_xml_listed(&a, p, &next, &e)
                       != REEL_OK || (next != 0 && next <= marker)))
        {
            code = reel_ctl_fail(REEL_EXIT_FAILED, "%s: %s", q.what,
                                 e.text);
        }

        reel_ctl_answer_release(&a);
        marker = next;

    } while (code == REEL_EXIT_OK && marker != 0);

    reel_buf_release(&query);

    return code;
}


int
reel_ctl_s3_complete(reel_ctl_s3_t *s, const reel_ctl_parts_t *p,
    reel_ctl_outcome_t *out)
{
    int                 code;
    reel_buf_t          body, query;
    reel_ctl_answer_t   a = { 0 };

    reel_ctl_ask_t  q = {
        .how = s->how, .method = "POST", .make = make, .door = s,
        .type = "Content-Type: application/xml",
        .what = "the upload cannot be completed"
    };

    reel_buf_init(&query, 8192);
    add_upload(s, &query);
    reel_ctl_xml_complete(&body, p);
    q.query = reel_buf_cstr(&query);
    q.body = reel_buf_cstr(&body);

    code = reel_buf_err(&body) == REEL_OK
           ? reel_ctl_ask(&q, &a)
           : reel_ctl_fail(REEL_EXIT_FAILED, "out of memory");

    if (code == REEL_EXIT_OK) {
        code = reel_ctl_completed(s->how, &a, out);
    }

    reel_ctl_answer_release(&a);
    reel_buf_release(&body);
    reel_buf_release(&query);

    return code;
}


bool
reel_ctl_s3_abort(reel_ctl_s3_t *s)
{
    bool                done;
    reel_buf_t          query;
    reel_ctl_how_t      once = *s->how;
    reel_ctl_answer_t   a;

    reel_ctl_ask_t  q = {
        .how = &once, .method = "DELETE", .make = make, .door = s,
        .what = "the earlier upload stays until it expires"
    };

    once.retries = 0;
    reel_buf_init(&query, 8192);
    add_upload(s, &query);
    q.query = reel_buf_cstr(&query);

    done = reel_ctl_ask(&q, &a) == REEL_EXIT_OK && a.status == 204;

    reel_ctl_answer_release(&a);
    reel_buf_release(&query);

    return done;
}
