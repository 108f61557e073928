#include <stdlib.h>

#include <openssl/crypto.h>

#include "lib/auth/query.h"
#include "lib/auth/sigv4_canon.h"
#include "lib/base/hex.h"
#include "lib/crypt/digest.h"


#define HEADERS_MAX 64


/* HMAC(HMAC(HMAC(HMAC("AWS4" + secret, date), region), service), …) */
reel_err_t
reel_sigv4_key(uint8_t key[REEL_SHA256_LEN], reel_str_t secret,
    const reel_sigv4_scope_t *scope)
{
    size_t      i;
    uint8_t     first[4 + REEL_SIGV4_SECRET_MAX];
    reel_err_t  err;
    reel_str_t  steps[] = { scope->region, scope->service,
                            REEL_STR("aws4_request") };

    if (secret.len > REEL_SIGV4_SECRET_MAX) {
        return REEL_INVAL;
    }

    memcpy(first, "AWS4", 4);
    memcpy(first + 4, secret.p, secret.len);

    err = reel_hmac_sha256(key, first, 4 + secret.len, scope->date.p,
                           scope->date.len);
    OPENSSL_cleanse(first, sizeof(first));

    for (i = 0; err == REEL_OK && i < 3; i++) {
        err = reel_hmac_sha256(key, key, REEL_SHA256_LEN, steps[i].p,
                               steps[i].len);
    }

    return err;
}


reel_err_t
reel_sigv4_signature(char dst[65], reel_str_t secret,
    const reel_sigv4_scope_t *scope, int64_t time_s, reel_str_t canonical)
{
    char        stamp[17], hash_hex[2 * REEL_SHA256_LEN + 1];
    uint8_t     key[REEL_SHA256_LEN], hash[REEL_SHA256_LEN];
    reel_err_t  err;
    reel_buf_t  sts;

    err = reel_sha256(hash, canonical.p, canonical.len);
    if (err != REEL_OK) {
        return err;
    }

    reel_hex(hash_hex, hash, sizeof(hash));
    reel_sigv4_timestamp(stamp, time_s);

    reel_buf_init(&sts, 1024);
    reel_buf_addz(&sts, REEL_SIGV4_ALGORITHM "\n");
    reel_buf_addz(&sts, stamp);
    reel_buf_u8(&sts, '\n');
    reel_buf_adds(&sts, scope->date);
    reel_buf_u8(&sts, '/');
    reel_buf_adds(&sts, scope->region);
    reel_buf_u8(&sts, '/');
    reel_buf_adds(&sts, scope->service);
    reel_buf_addz(&sts, "/aws4_request\n");
    reel_buf_addz(&sts, hash_hex);

    err = reel_buf_err(&sts);

    if (err == REEL_OK) {
        err = reel_sigv4_key(key, secret, scope);
    }

    if (err == REEL_OK) {
        err = reel_hmac_sha256(hash, key, sizeof(key), sts.data, sts.len);
        OPENSSL_cleanse(key, sizeof(key));
    }

    if (err == REEL_OK) {
        reel_hex(dst, hash, sizeof(hash));
    }

    reel_buf_release(&sts);

    return err;
}


static int
name_compare(const void *pa, const void *pb)
{
    const char *const  *a = pa, *const  *b = pb;

    return strcmp(*a, *b);
}


/* the lower-case names of all headers, sorted, each once, joined by ';' */
static reel_err_t
list_headers(reel_buf_t *out, const reel_sigv4_request_t *rq)
{
    size_t       i, k;
    reel_buf_t   lower;
    reel_err_t   err;
    const char  *names[HEADERS_MAX], *p;

    if (rq->nheaders > HEADERS_MAX) {
        return REEL_LIMIT;
    }

    reel_buf_init(&lower, 16384);

    for (i = 0; i < rq->nheaders; i++) {
        for (k = 0; k < rq->headers[i].name.len; k++) {
            uint8_t  c = (uint8_t) rq->headers[i].name.p[k];

            reel_buf_u8(&lower, c >= 'A' && c <= 'Z' ? c | 0x20 : c);
        }

        reel_buf_u8(&lower, '\0');
    }

    err = reel_buf_err(&lower);
    if (err != REEL_OK) {
        goto done;
    }

    for (i = 0, p = (const char *) lower.data; i < rq->nheaders; i++) {
        names[i] = p;
        p += strlen(p) + 1;
    }

    qsort(names, rq->nheaders, sizeof(names[0]), name_compare);

    for (i = 0; i < rq->nheaders; i++) {
        if (i != 0 && strcmp(names[i], names[i - 1]) == 0) {
            continue;
        }

        if (i != 0) {
            reel_buf_u8(out, ';');
        }

        reel_buf_addz(out, names[i]);
    }

    err = reel_buf_err(out);

done:

    reel_buf_release(&lower);

    return err;
}


/* which payload hash to sign: the given one, the request's, the default */
static reel_err_t
choose_payload(char dst[72], const reel_sigv4_request_t *rq, reel_str_t given,
    bool presigned)
{
    reel_err_t  err;

    if (given.len != 0) {
        return reel_str_copy(dst, 72, given);
    }

    err = reel_sigv4_payload(dst, rq, presigned);

    if (err == REEL_NOTFOUND) {
        return reel_str_copy(dst, 72, presigned
                             ? REEL_STR(REEL_SIGV4_UNSIGNED)
                             : REEL_STR(REEL_SIGV4_EMPTY));
    }

    return err == REEL_OK ? REEL_OK : REEL_INVAL;
}


static void
add_param(reel_buf_t *out, const char *name, reel_str_t value)
{
    if (out->len != 0) {
        reel_buf_u8(out, '&');
    }

    reel_buf_addz(out, name);
    reel_buf_u8(out, '=');
    reel_uri_encode(out, value, false);
}


static void
add_params(reel_buf_t *q, const reel_sigv4_signer_t *s, const char *stamp,
    reel_str_t signed_headers)
{
    reel_buf_t  b;

    add_param(q, "X-Amz-Algorithm", REEL_STR(REEL_SIGV4_ALGORITHM));

    reel_buf_init(&b, 1024);
    reel_buf_adds(&b, s->access_key);
    reel_buf_printf(&b, "/%.8s/", stamp);
    reel_buf_adds(&b, s->region);
    reel_buf_u8(&b, '/');
    reel_buf_adds(&b, s->service);
    reel_buf_addz(&b, "/aws4_request");
    add_param(q, "X-Amz-Credential",
              (reel_str_t) { (char *) b.data, b.len });

    if (reel_buf_err(&b) != REEL_OK) {
        q->err = reel_buf_err(&b);
    }

    reel_buf_release(&b);

    add_param(q, "X-Amz-Date", reel_str(stamp));
    add_param(q, "X-Amz-SignedHeaders", signed_headers);
    reel_buf_printf(q, "&X-Amz-Expires=%u", (unsigned) s->expires_s);

    if (s->session_token.len != 0) {
        add_param(q, "X-Amz-Security-Token", s->session_token);
    }
}


/* canonical request and signature of rq, whose headers are listed in list */
static reel_err_t
sign(char hex[65], const reel_sigv4_request_t *rq,
    const reel_sigv4_signer_t *s, const char *stamp, reel_str_t list,
    const char *payload)
{
    reel_buf_t          canonical;
    reel_err_t          err;
    reel_sigv4_scope_t  scope = { { stamp, 8 }, s->region, s->service };

    reel_buf_init(&canonical, REEL_SIGV4_CANON_MAX);

    err = reel_sigv4_canon(&canonical, rq, list, payload, REEL_CANON_S3,
                           NULL);

    if (err == REEL_OK) {
        err = reel_sigv4_signature(hex, s->secret, &scope, s->time_s,
                  (reel_str_t) { (char *) canonical.data, canonical.len });
    }

    reel_buf_release(&canonical);

    return err;
}


reel_err_t
reel_sigv4_presign(reel_buf_t *out, const reel_sigv4_request_t *rq,
    const reel_sigv4_signer_t *s, reel_str_t payload_hash)
{
    char                  stamp[17], hex[65], payload[72];
    reel_buf_t            q, list;
    reel_err_t            err;
    reel_str_t            none;
    reel_sigv4_request_t  full = *rq;

    if (s->expires_s == 0 || s->expires_s > REEL_SIGV4_MAX_EXPIRES
        || reel_sigv4_header(rq, "host") == NULL
        || reel_query_get(rq->query, "X-Amz-Signature", &none)
        || reel_query_get(rq->query, "X-Amz-Algorithm", &none))
    {
        return REEL_INVAL;
    }

    reel_sigv4_timestamp(stamp, s->time_s);
    reel_buf_init(&q, REEL_SIGV4_CANON_MAX);
    reel_buf_init(&list, 16384);

    err = choose_payload(payload, rq, payload_hash, true);
    if (err != REEL_OK) {
        goto done;
    }

    err = list_headers(&list, rq);
    if (err != REEL_OK) {
        goto done;
    }

    reel_buf_adds(&q, rq->query);
    add_params(&q, s, stamp, (reel_str_t) { (char *) list.data, list.len });

    err = reel_buf_err(&q);
    if (err != REEL_OK) {
        goto done;
    }

    full.query = (reel_str_t) { (char *) q.data, q.len };

    err = sign(hex, &full, s, stamp,
               (reel_str_t) { (char *) list.data, list.len }, payload);
    if (err != REEL_OK) {
        goto done;
    }

    reel_buf_add(out, q.data, q.len);
    reel_buf_addz(out, "&X-Amz-Signature=");
    reel_buf_addz(out, hex);
    err = reel_buf_err(out);

done:

    reel_buf_release(&list);
    reel_buf_release(&q);

    return err;
}


reel_err_t
reel_sigv4_sign_header(reel_buf_t *out, const reel_sigv4_request_t *rq,
    const reel_sigv4_signer_t *s, reel_str_t payload_hash)
{
    char                        stamp[17], hex[65], payload[72];
    reel_buf_t                  list;
    reel_err_t                  err;
    const reel_sigv4_header_t  *date;

    reel_sigv4_timestamp(stamp, s->time_s);

    date = reel_sigv4_header(rq, "x-amz-date");

    if (date == NULL || !reel_str_eqz(date->value, stamp)
        || reel_sigv4_header(rq, "host") == NULL)
    {
        return REEL_INVAL;
    }

    err = choose_payload(payload, rq, payload_hash, false);
    if (err != REEL_OK) {
        return err;
    }

    reel_buf_init(&list, 16384);

    err = list_headers(&list, rq);

    if (err == REEL_OK) {
        err = sign(hex, rq, s, stamp,
                   (reel_str_t) { (char *) list.data, list.len }, payload);
    }

    if (err == REEL_OK) {
        reel_buf_addz(out, REEL_SIGV4_ALGORITHM " Credential=");
        reel_buf_adds(out, s->access_key);
        reel_buf_printf(out, "/%.8s/", stamp);
        reel_buf_adds(out, s->region);
        reel_buf_u8(out, '/');
        reel_buf_adds(out, s->service);
        reel_buf_addz(out, "/aws4_request, SignedHeaders=");
        reel_buf_add(out, list.data, list.len);
        reel_buf_printf(out, ", Signature=%s", hex);
        err = reel_buf_err(out);
    }

    reel_buf_release(&list);

    return err;
}
