#include "lib/auth/jws.h"
#include "lib/base/base64.h"


reel_err_t
reel_jws_split(reel_jws_t *p, reel_str_t token, reel_error_t *e)
{
    reel_str_t  rest;

    if (token.len > REEL_JWS_MAX) {
        return reel_fail(e, REEL_LIMIT, "the token is longer than %d bytes",
                         REEL_JWS_MAX);
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


json_t *
reel_jws_load(reel_str_t part, const char *what, reel_err_t *err,
    reel_error_t *e)
{
    json_t   *j;
    size_t    n;
    uint8_t   raw[REEL_JWS_MAX];

    *err = reel_unbase64url(raw, sizeof(raw), &n, part);

    if (*err != REEL_OK) {
        *err = reel_fail(e, REEL_BADDATA, "the token's %s is not base64url",
                         what);
        return NULL;
    }

    j = json_loadb((char *) raw, n, JSON_REJECT_DUPLICATES, NULL);

    if (!json_is_object(j)) {
        json_decref(j);
        *err = reel_fail(e, REEL_BADDATA, "the token's %s is not a JSON "
                         "object", what);
        return NULL;
    }

    return j;
}


reel_err_t
reel_jws_string(char *dst, size_t cap, json_t *v, const char *name,
    reel_error_t *e)
{
    dst[0] = '\0';

    if (v == NULL) {
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


reel_err_t
reel_jws_time(int64_t *dst, json_t *claims, const char *name,
    reel_error_t *e)
{
    double   d;
    json_t  *v;

    v = json_object_get(claims, name);
    d = json_is_number(v) ? json_number_value(v) : -1;

    if (v == NULL) {
        *dst = 0;
        return REEL_OK;
    }

    if (!(d >= 0 && d <= (double) REEL_JWS_TIME_MAX)) {
        return reel_fail(e, REEL_BADDATA, "\"%s\" must be seconds since 1970",
                         name);
    }

    *dst = (int64_t) d;

    return REEL_OK;
}


reel_err_t
reel_jws_header(reel_str_t part, char *alg, size_t alg_cap, char *kid,
    size_t kid_cap, reel_error_t *e)
{
    json_t      *header;
    reel_err_t   err;

    alg[0] = '\0';
    kid[0] = '\0';

    header = reel_jws_load(part, "header", &err, e);
    if (header == NULL) {
        return err;
    }

    if (json_object_get(header, "crit") != NULL) {
        err = reel_fail(e, REEL_UNSUPPORTED, "the token has \"crit\"");

    } else if (reel_jws_string(alg, alg_cap, json_object_get(header, "alg"),
                               "alg", NULL)
               != REEL_OK)
    {
        /* one that we do not know */
        alg[0] = '\0';
    }

    if (err == REEL_OK) {
        err = reel_jws_string(kid, kid_cap, json_object_get(header, "kid"),
                              "kid", e);
    }

    json_decref(header);

    return err;
}


static void
add_part(reel_buf_t *b, const void *p, size_t n)
{
    char  text[REEL_BASE64URL_LEN(REEL_JWS_MAX) + 1];

    reel_base64url(text, p, n);
    reel_buf_add(b, text, REEL_BASE64URL_LEN(n));
}


reel_err_t
reel_jws_sign(reel_buf_t *out, reel_str_t header, reel_str_t payload,
    const reel_jwk_t *key)
{
    size_t      len = 0;
    uint8_t     sig[REEL_JWK_SIG_MAX];
    reel_buf_t  token;
    reel_err_t  err;

    if (header.len > REEL_JWS_MAX || payload.len > REEL_JWS_MAX) {
        return REEL_LIMIT;
    }

    reel_buf_init(&token, REEL_JWS_MAX);
    add_part(&token, header.p, header.len);
    reel_buf_u8(&token, '.');
    add_part(&token, payload.p, payload.len);

    err = reel_buf_err(&token);

    if (err == REEL_OK) {
        err = reel_jwk_sign(key, (reel_str_t) { (char *) token.data,
                                                token.len }, sig, &len);
    }

    if (err == REEL_OK) {
        reel_buf_u8(&token, '.');
        add_part(&token, sig, len);
        err = reel_buf_err(&token);
    }

    if (err == REEL_OK) {
        reel_buf_add(out, token.data, token.len);
        err = reel_buf_err(out);
    }

    reel_buf_release(&token);

    return err;
}
