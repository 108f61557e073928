#include "lib/auth/jws.h"
#include "lib/auth/jwt.h"
#include "lib/base/base64.h"
#include "lib/base/json.h"


static reel_err_t
parse_header(reel_jwt_t *t, reel_str_t part, reel_error_t *e)
{
    char        alg[sizeof("HS256")];
    reel_err_t  err;

    err = reel_jws_header(part, alg, sizeof(alg), t->kid, sizeof(t->kid), e);

    if (err == REEL_OK && strcmp(alg, "HS256") != 0) {
        err = reel_fail(e, REEL_UNSUPPORTED, "the token's alg is not HS256");
    }

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

    claims = reel_jws_load(part, "payload", &err, e);
    if (claims == NULL) {
        return err;
    }

    err = reel_jws_time(&t->exp, claims, "exp", e);

    if (err == REEL_OK && t->exp == 0) {
        err = reel_fail(e, REEL_BADDATA, "the token has no \"exp\"");
    }

    if (err == REEL_OK) {
        err = reel_jws_time(&t->nbf, claims, "nbf", e);
    }

    if (err == REEL_OK) {
        err = reel_jws_string(t->sub, sizeof(t->sub),
                         json_object_get(claims, "sub"), "sub", e);
    }

    if (err == REEL_OK) {
        err = reel_jws_string(t->aud, sizeof(t->aud), choose_aud(claims, aud),
                         "aud", e);
    }

    json_decref(claims);

    return err;
}


static reel_err_t
parse(reel_jwt_t *t, reel_jws_t *p, reel_str_t token, const char *aud,
    reel_error_t *e)
{
    reel_err_t  err;

    *t = (reel_jwt_t) { 0 };

    err = reel_jws_split(p, token, e);

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
    size_t      n;
    uint8_t     sig[REEL_JWS_MAX];
    reel_jws_t  p;
    reel_err_t  err;

    err = parse(t, &p, token, NULL, e);

    if (err == REEL_OK
        && reel_unbase64url(sig, sizeof(sig), &n, p.signature) != REEL_OK)
    {
        err = reel_fail(e, REEL_BADDATA, "the token's signature is not "
                        "base64url");
    }

    return err;
}


/* only borrows the secret */
static reel_jwk_t
key_of(reel_str_t secret)
{
    return (reel_jwk_t) { .alg = REEL_ALG_HS256, .signs = true,
                          .secret = (uint8_t *) (uintptr_t) secret.p,
                          .secret_len = secret.len };
}


static reel_err_t
check_signature(const reel_jws_t *p, reel_str_t secret, reel_error_t *e)
{
    size_t      n;
    uint8_t     sig[REEL_JWS_MAX];
    reel_err_t  err;
    reel_jwk_t  key = key_of(secret);

    err = reel_unbase64url(sig, sizeof(sig), &n, p->signature) == REEL_OK
          ? reel_jwk_verify(&key, p->input, sig, n) : REEL_DENIED;

    return err == REEL_DENIED ? reel_fail(e, err, "signature") : err;
}


reel_err_t
reel_jwt_verify(reel_jwt_t *t, reel_str_t token, reel_str_t secret,
    const char *aud, int64_t now_s, reel_error_t *e)
{
    reel_jws_t  p;
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
    reel_buf_t   header, payload;
    reel_err_t   err;
    reel_jwk_t   key = key_of(secret);
    reel_json_t  j;

    if (t->exp <= 0 || t->exp > REEL_JWS_TIME_MAX
        || t->nbf < 0 || t->nbf > REEL_JWS_TIME_MAX)
    {
        return REEL_INVAL;
    }

    reel_buf_init(&header, REEL_JWT_MAX);
    reel_buf_init(&payload, REEL_JWT_MAX);

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

    err = reel_buf_err(&header) != REEL_OK ? reel_buf_err(&header)
                                           : reel_buf_err(&payload);

    if (err == REEL_OK) {
        err = reel_jws_sign(out, (reel_str_t) { (char *) header.data,
                                                header.len },
                            (reel_str_t) { (char *) payload.data,
                                           payload.len }, &key);
    }

    reel_buf_release(&payload);
    reel_buf_release(&header);

    return err;
}
