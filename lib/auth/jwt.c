#include <jansson.h>

#include "lib/auth/jwt.h"
#include "lib/base/json.h"
#include "lib/crypt/digest.h"


#define TIME_MAX INT64_C(253402300799)      /* 9999-12-31T23:59:59Z */


typedef struct {
    reel_str_t  header;
    reel_str_t  payload;
    reel_str_t  signature;
    reel_str_t  input;          /* what was signed: header '.' payload */
} parts_t;


static int
base64url_digit(char c)
{
    if (c >= 'A' && c <= 'Z') {
        return c - 'A';
    }

    if (c >= 'a' && c <= 'z') {
        return c - 'a' + 26;
    }

    if (c >= '0' && c <= '9') {
        return c - '0' + 52;
    }

    return c == '-' ? 62 : c == '_' ? 63 : -1;
}


/* RFC 4648, 5, without padding; left-over bits must be zero */
static reel_err_t
base64url_decode(reel_buf_t *out, reel_str_t s)
{
    int       d;
    size_t    i;
    uint32_t  acc = 0;
    unsigned  bits = 0;

    for (i = 0; i < s.len; i++) {
        d = base64url_digit(s.p[i]);
        if (d < 0) {
            return REEL_BADDATA;
        }

        acc = acc << 6 | (uint32_t) d;
        bits += 6;

        if (bits >= 8) {
            bits -= 8;
            reel_buf_u8(out, (uint8_t) (acc >> bits));
            acc &= (1u << bits) - 1;
        }
    }

    if (bits >= 6 || acc != 0) {
        return REEL_BADDATA;
    }

    return reel_buf_err(out);
}


static void
base64url_encode(reel_buf_t *out, const void *data, size_t n)
{
    static const char  digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                  "abcdefghijklmnopqrstuvwxyz"
                                  "0123456789-_";

    size_t          i;
    uint32_t        acc = 0;
    unsigned        bits = 0;
    const uint8_t  *p = data;

    for (i = 0; i < n; i++) {
        acc = acc << 8 | p[i];
        bits += 8;

        while (bits >= 6) {
            bits -= 6;
            reel_buf_u8(out, (uint8_t) digits[acc >> bits & 63]);
        }
    }

    if (bits != 0) {
        reel_buf_u8(out, (uint8_t) digits[acc << (6 - bits) & 63]);
    }
}


static reel_err_t
split(parts_t *p, reel_str_t token, reel_error_t *e)
{
    reel_str_t  rest;

    if (token.len > REEL_JWT_MAX) {
        return reel_fail(e, REEL_LIMIT, "the token is longer than %d bytes",
                         REEL_JWT_MAX);
    }

    p->header = reel_str_cut(token, '.', &rest);
    p->payload = reel_str_cut(rest, '.', &p->signature);

    if (p->header.len == 0 || p->payload.len == 0 || p->signature.p == NULL
        || memchr(p->signature.p, '.', p->signature.len) != NULL)
    {
        return reel_fail(e, REEL_BADDATA, "a token has three parts");
    }

    p->input = (reel_str_t) { p->header.p,
                              p->header.len + 1 + p->payload.len };

    return REEL_OK;
}


/* a base64url part that is a JSON object; NULL with *err set */
static json_t *
load(reel_str_t part, const char *what, reel_err_t *err, reel_error_t *e)
{
    json_t      *j = NULL;
    reel_buf_t   b;

    reel_buf_init(&b, REEL_JWT_MAX);

    *err = base64url_decode(&b, part);

    if (*err == REEL_BADDATA) {
        (void) reel_fail(e, *err, "the token's %s is not base64url", what);
    }

    if (*err == REEL_OK) {
        j = json_loadb((char *) b.data, b.len, JSON_REJECT_DUPLICATES, NULL);

        if (!json_is_object(j)) {
            json_decref(j);
            j = NULL;
            *err = reel_fail(e, REEL_BADDATA, "the token's %s is not a JSON "
                             "object", what);
        }
    }

    reel_buf_release(&b);

    return j;
}


/* an optional string member; REEL_BADDATA when it is not one or too long */
static reel_err_t
get_string(char *dst, size_t cap, json_t *v, const char *name,
    reel_error_t *e)
{
    if (v == NULL) {
        dst[0] = '\0';
        return REEL_OK;
    }

    if (!json_is_string(v)
        || reel_str_copy(dst, cap, (reel_str_t) { json_string_value(v),
                                                  json_string_length(v) })
           != REEL_OK)
    {
        return reel_fail(e, REEL_BADDATA, "\"%s\" must be a string of at "
                         "most %zu bytes", name, cap - 1);
    }

    return REEL_OK;
}


/* NumericDate: RFC 7519, 2; may have a fraction */
static reel_err_t
get_time(int64_t *dst, json_t *claims, const char *name, reel_error_t *e)
{
    double   d;
    json_t  *v;

    v = json_object_get(claims, name);
    d = json_is_number(v) ? json_number_value(v) : -1;

    if (v == NULL) {
        *dst = 0;
        return REEL_OK;
    }

    if (!(d >= 0 && d <= (double) TIME_MAX)) {
        return reel_fail(e, REEL_BADDATA, "\"%s\" must be seconds since 1970",
                         name);
    }

    *dst = (int64_t) d;

    return REEL_OK;
}


static reel_err_t
parse_header(reel_jwt_t *t, reel_str_t part, reel_error_t *e)
{
    json_t      *header, *alg;
    reel_err_t   err;

    header = load(part, "header", &err, e);
    if (header == NULL) {
        return err;
    }

    alg = json_object_get(header, "alg");

    if (!json_is_string(alg) || strcmp(json_string_value(alg), "HS256") != 0)
    {
        err = reel_fail(e, REEL_UNSUPPORTED, "the token's alg is not HS256");

    } else if (json_object_get(header, "crit") != NULL) {
        err = reel_fail(e, REEL_UNSUPPORTED, "the token has \"crit\"");

    } else {
        err = get_string(t->kid, sizeof(t->kid),
                         json_object_get(header, "kid"), "kid", e);
    }

    json_decref(header);

    return err;
}


/* aud may be a list: then that entry counts which is the wanted one */
static json_t *
choose_aud(json_t *claims, const char *want)
{
    size_t   i;
    json_t  *aud, *v;

    aud = json_object_get(claims, "aud");

    if (!json_is_array(aud)) {
        return aud;
    }

    json_array_foreach(aud, i, v) {
        if (want != NULL && json_is_string(v)
            && reel_str_eqz((reel_str_t) { json_string_value(v),
                                           json_string_length(v) }, want))
        {
            return v;
        }
    }

    return json_array_get(aud, 0);
}


static reel_err_t
parse_claims(reel_jwt_t *t, reel_str_t part, const char *aud, reel_error_t *e)
{
    json_t      *claims;
    reel_err_t   err;

    claims = load(part, "payload", &err, e);
    if (claims == NULL) {
        return err;
    }

    err = get_time(&t->exp, claims, "exp", e);

    if (err == REEL_OK && t->exp == 0) {
        err = reel_fail(e, REEL_BADDATA, "the token has no \"exp\"");
    }

    if (err == REEL_OK) {
        err = get_time(&t->nbf, claims, "nbf", e);
    }

    if (err == REEL_OK) {
        err = get_string(t->sub, sizeof(t->sub),
                         json_object_get(claims, "sub"), "sub", e);
    }

    if (err == REEL_OK) {
        err = get_string(t->aud, sizeof(t->aud), choose_aud(claims, aud),
                         "aud", e);
    }

    json_decref(claims);

    return err;
}


static reel_err_t
parse(reel_jwt_t *t, parts_t *p, reel_str_t token, const char *aud,
    reel_error_t *e)
{
    reel_err_t  err;

    *t = (reel_jwt_t) { 0 };

    err = split(p, token, e);

    if (err == REEL_OK) {
        err = parse_header(t, p->header, e);
    }

    if (err == REEL_OK) {
        err = parse_claims(t, p->payload, aud, e);
    }

    return err;
}


reel_err_t
reel_jwt_peek(reel_jwt_t *t, reel_str_t token, reel_error_t *e)
{
    parts_t     p;
    reel_buf_t  b;
    reel_err_t  err;

    err = parse(t, &p, token, NULL, e);
    if (err != REEL_OK) {
        return err;
    }

    reel_buf_init(&b, REEL_JWT_MAX);
    err = base64url_decode(&b, p.signature);
    reel_buf_release(&b);

    if (err == REEL_BADDATA) {
        (void) reel_fail(e, err, "the token's signature is not base64url");
    }

    return err;
}


static reel_err_t
check_signature(const parts_t *p, reel_str_t secret, reel_error_t *e)
{
    uint8_t     mac[REEL_SHA256_LEN];
    reel_buf_t  b;
    reel_err_t  err;

    reel_buf_init(&b, REEL_JWT_MAX);

    err = base64url_decode(&b, p->signature);
    if (err != REEL_OK) {
        goto done;
    }

    err = reel_hmac_sha256(mac, secret.p, secret.len, p->input.p,
                           p->input.len);
    if (err != REEL_OK) {
        goto done;
    }

    if (b.len != sizeof(mac) || !reel_memeq(b.data, mac, sizeof(mac))) {
        err = REEL_DENIED;
    }

done:

    if (err == REEL_BADDATA || err == REEL_DENIED) {
        err = reel_fail(e, REEL_DENIED, "signature");
    }

    reel_buf_release(&b);

    return err;
}


reel_err_t
reel_jwt_verify(reel_jwt_t *t, reel_str_t token, reel_str_t secret,
    const char *aud, int64_t now_s, reel_error_t *e)
{
    parts_t     p;
    reel_err_t  err;

    err = parse(t, &p, token, aud, e);
    if (err != REEL_OK) {
        return err;
    }

    err = check_signature(&p, secret, e);
    if (err != REEL_OK) {
        return err;
    }

    if (now_s >= t->exp + REEL_JWT_LEEWAY_S) {
        return reel_fail(e, REEL_DENIED, "expired");
    }

    if (t->nbf > now_s + REEL_JWT_LEEWAY_S) {
        return reel_fail(e, REEL_DENIED, "not yet valid");
    }

    if (aud != NULL && strcmp(t->aud, aud) != 0) {
        return reel_fail(e, REEL_DENIED, "wrong audience");
    }

    return REEL_OK;
}


static void
add_optional(reel_json_t *j, const char *name, const char *value)
{
    if (value[0] != '\0') {
        reel_json_kstr(j, name, value);
    }
}


reel_err_t
reel_jwt_sign(reel_buf_t *out, const reel_jwt_t *t, reel_str_t secret)
{
    uint8_t      mac[REEL_SHA256_LEN];
    reel_buf_t   header, payload, token;
    reel_err_t   err;
    reel_json_t  j;

    if (t->exp <= 0 || t->exp > TIME_MAX || t->nbf < 0 || t->nbf > TIME_MAX) {
        return REEL_INVAL;
    }

    reel_buf_init(&header, REEL_JWT_MAX);
    reel_buf_init(&payload, REEL_JWT_MAX);
    reel_buf_init(&token, REEL_JWT_MAX);

    reel_json_init(&j, &header);
    reel_json_object(&j);
    reel_json_kstr(&j, "alg", "HS256");
    reel_json_kstr(&j, "typ", "JWT");
    add_optional(&j, "kid", t->kid);
    reel_json_end(&j, '}');

    reel_json_init(&j, &payload);
    reel_json_object(&j);
    add_optional(&j, "sub", t->sub);
    add_optional(&j, "aud", t->aud);
    reel_json_kint(&j, "exp", t->exp);

    if (t->nbf != 0) {
        reel_json_kint(&j, "nbf", t->nbf);
    }

    reel_json_end(&j, '}');

    base64url_encode(&token, header.data, header.len);
    reel_buf_u8(&token, '.');
    base64url_encode(&token, payload.data, payload.len);

    err = reel_buf_err(&token);

    if (err == REEL_OK) {
        err = reel_hmac_sha256(mac, secret.p, secret.len, token.data,
                               token.len);
    }

    if (err == REEL_OK) {
        reel_buf_u8(&token, '.');
        base64url_encode(&token, mac, sizeof(mac));
        reel_buf_add(out, token.data, token.len);
        err = reel_buf_err(&token) != REEL_OK ? reel_buf_err(&token)
                                              : reel_buf_err(out);
    }

    reel_buf_release(&token);
    reel_buf_release(&payload);
    reel_buf_release(&header);

    return err;
}
