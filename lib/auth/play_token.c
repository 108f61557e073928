/* from the bytes of a token to its claims, and back */

#include "lib/auth/jws.h"
#include "lib/auth/play_token.h"
#include "lib/auth/play_token_impl.h"
#include "lib/base/base64.h"
#include "lib/base/json.h"


#define US          1000000     /* a second */
#define CLIP_MAX_S  1e9
#define HEIGHT_MAX  65535


static const struct {
    reel_token_status_t  status;
    const char          *code;
    const char          *text;
} codes[] = {
    { REEL_TOKEN_MISSING, "TOKEN_MISSING",
      "a playback token is needed here" },
    { REEL_TOKEN_MALFORMED, "TOKEN_MALFORMED",
      "the playback token or one of its claims is not well formed" },
    { REEL_TOKEN_ALG, "TOKEN_ALG",
      "the playback token's algorithm is not that of its key" },
    { REEL_TOKEN_KEY, "TOKEN_KEY",
      "no key here has the playback token's kid" },
    { REEL_TOKEN_SIGNATURE, "TOKEN_SIGNATURE",
      "the playback token's signature is wrong" },
    { REEL_TOKEN_NOT_YET, "TOKEN_NOT_YET",
      "the playback token is not valid yet" },
    { REEL_TOKEN_EXPIRED, "TOKEN_EXPIRED",
      "the playback token has expired" },
    { REEL_TOKEN_AUDIENCE, "TOKEN_AUDIENCE",
      "the playback token is for another audience" },
    { REEL_TOKEN_ASSET, "TOKEN_ASSET",
      "the playback token is for another asset" },
    { REEL_TOKEN_NETWORK, "TOKEN_NETWORK",
      "the playback token is for another network" },
    { REEL_TOKEN_COUNTRY, "TOKEN_COUNTRY",
      "the playback token is for another country" },
    { REEL_TOKEN_REFERRER, "TOKEN_REFERRER",
      "the playback token is for another site" },
    { REEL_TOKEN_HEIGHT, "TOKEN_HEIGHT",
      "the playback token does not permit such a height" },
    { REEL_TOKEN_CLIP, "TOKEN_CLIP",
      "the playback token is for another part of the film" }
};


const char *
reel_token_code(reel_token_status_t st, const char **text)
{
    size_t  i;

    for (i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        if (codes[i].status == st) {
            *text = codes[i].text;
            return codes[i].code;
        }
    }

    return NULL;
}


bool
reel_token_looks(reel_str_t s)
{
    char      c;
    size_t    i;
    unsigned  dots = 0;

    /* base64url of '{"' and of '{ ' */
    if (!reel_str_prefix(s, "eyJ") && !reel_str_prefix(s, "eyA")) {
        return false;
    }

    for (i = 0; i < s.len; i++) {
        c = s.p[i];

        if (c == '.') {
            dots++;

        } else if (!((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z')
                     || (c >= 'a' && c <= 'z') || c == '-' || c == '_'))
        {
            return false;
        }
    }

    return dots == 2;
}


static reel_err_t
add_item(reel_play_token_t *t, reel_item_t kind, const void *p, size_t n)
{
    if (n > UINT8_MAX || sizeof(t->items) - t->len < n + 2) {
        return REEL_LIMIT;
    }

    t->items[t->len++] = (uint8_t) kind;
    t->items[t->len++] = (uint8_t) n;
    memcpy(t->items + t->len, p, n);
    t->len = (uint16_t) (t->len + n);

    return REEL_OK;
}


static reel_err_t
add_string(reel_play_token_t *t, reel_item_t kind, json_t *v)
{
    uint8_t      net[REEL_ITEM_NET_LEN];
    reel_str_t   s = { json_string_value(v), json_string_length(v) };

    if (!json_is_string(v) || s.len == 0) {
        return REEL_BADDATA;
    }

    if (kind != REEL_ITEM_NET) {
        return add_item(t, kind, s.p, s.len);
    }

    if (reel_item_net(net, s) != REEL_OK) {
        return REEL_BADDATA;
    }

    return add_item(t, kind, net, sizeof(net));
}


/* a string, or a list of at least one */
static reel_err_t
add_strings(reel_play_token_t *t, reel_item_t kind, json_t *v)
{
    size_t      i;
    reel_err_t  err = REEL_OK;

    if (v == NULL) {
        return REEL_OK;
    }

    if (!json_is_array(v)) {
        return add_string(t, kind, v);
    }

    for (i = 0; err == REEL_OK && i < json_array_size(v); i++) {
        err = add_string(t, kind, json_array_get(v, i));
    }

    /* an empty list would else be none, that is: anybody */
    return i != 0 ? err : REEL_BADDATA;
}


/* seconds, with a fraction */
static reel_err_t
get_instant(int64_t *us, json_t *claims, const char *name)
{
    json_t  *v = json_object_get(claims, name);
    double   s;

    *us = 0;

    if (v == NULL) {
        return REEL_OK;
    }

    s = json_is_number(v) ? json_number_value(v) : -1;

    if (!(s >= 0 && s <= CLIP_MAX_S)) {
        return REEL_BADDATA;
    }

    *us = (int64_t) (s * US + 0.5);

    return REEL_OK;
}


static reel_err_t
get_height(uint32_t *lines, json_t *claims)
{
    json_t  *v = json_object_get(claims, "max_height");

    *lines = 0;

    if (v == NULL) {
        return REEL_OK;
    }

    if (!json_is_integer(v) || json_integer_value(v) < 1
        || json_integer_value(v) > HEIGHT_MAX)
    {
        return REEL_BADDATA;
    }

    *lines = (uint32_t) json_integer_value(v);

    return REEL_OK;
}


static reel_err_t
parse_numbers(reel_play_token_t *t, json_t *claims)
{
    int64_t  iat;

    if (reel_jws_time(&t->exp, claims, "exp", NULL) != REEL_OK || t->exp == 0
        || reel_jws_time(&t->nbf, claims, "nbf", NULL) != REEL_OK
        || reel_jws_time(&iat, claims, "iat", NULL) != REEL_OK
        || get_instant(&t->start_us, claims, "start") != REEL_OK
        || get_instant(&t->end_us, claims, "end") != REEL_OK
        || get_height(&t->max_height, claims) != REEL_OK)
    {
        return REEL_BADDATA;
    }

    /* an end of 0 is told from none */
    if (json_object_get(claims, "end") != NULL && t->end_us <= t->start_us) {
        return REEL_BADDATA;
    }

    return REEL_OK;
}


static reel_err_t
parse_claims(reel_play_token_t *t, reel_str_t part)
{
    size_t       i;
    json_t      *claims;
    reel_err_t   err;

    static const struct {
        const char   *name;
        reel_item_t   kind;
    } lists[] = {
        { "aud", REEL_ITEM_AUD },
        { "net", REEL_ITEM_NET },
        { "country", REEL_ITEM_COUNTRY },
        { "referrer", REEL_ITEM_REFERRER }
    };

    claims = reel_jws_load(part, "payload", &err, NULL);
    if (claims == NULL) {
        return err;
    }

    err = parse_numbers(t, claims);

    if (err == REEL_OK && json_object_get(claims, "sub") != NULL) {
        err = add_string(t, REEL_ITEM_SUB, json_object_get(claims, "sub"));
    }

    for (i = 0; err == REEL_OK && i < sizeof(lists) / sizeof(lists[0]); i++) {
        err = add_strings(t, lists[i].kind,
                          json_object_get(claims, lists[i].name));
    }

    json_decref(claims);

    return err;
}


static reel_token_status_t
check_signature(const reel_jws_t *p, const reel_jwks_t *keys)
{
    char               alg[16], kid[REEL_JWK_KID_MAX + 1];
    size_t             n;
    uint8_t            sig[REEL_JWS_MAX];
    reel_err_t         err;
    const reel_jwk_t  *key;

    err = reel_jws_header(p->header, alg, sizeof(alg), kid, sizeof(kid),
                          NULL);
    if (err != REEL_OK) {
        return REEL_TOKEN_MALFORMED;
    }

    key = reel_jwks_find(keys, reel_str(kid));
    if (key == NULL) {
        return REEL_TOKEN_KEY;
    }

    if (strcmp(alg, reel_alg_name(key->alg)) != 0) {
        return REEL_TOKEN_ALG;
    }

    if (reel_unbase64url(sig, sizeof(sig), &n, p->signature) != REEL_OK) {
        return REEL_TOKEN_MALFORMED;
    }

    err = reel_jwk_verify(key, p->input, sig, n);

    return err == REEL_OK ? REEL_TOKEN_OK
           : err == REEL_DENIED ? REEL_TOKEN_SIGNATURE : REEL_TOKEN_NOMEM;
}


reel_token_status_t
reel_token_verify(reel_play_token_t *t, reel_str_t token,
    const reel_jwks_t *keys)
{
    reel_jws_t           p;
    reel_err_t           err;
    reel_token_status_t  st;

    memset(t, 0, offsetof(reel_play_token_t, items));

    if (reel_jws_split(&p, token, NULL) != REEL_OK) {
        return REEL_TOKEN_MALFORMED;
    }

    st = check_signature(&p, keys);
    if (st != REEL_TOKEN_OK) {
        return st;
    }

    err = parse_claims(t, p.payload);

    return err == REEL_OK ? REEL_TOKEN_OK
           : err == REEL_NOMEM ? REEL_TOKEN_NOMEM : REEL_TOKEN_MALFORMED;
}


reel_err_t
reel_token_sign(reel_buf_t *out, reel_str_t claims, const reel_jwk_t *key)
{
    reel_buf_t   header;
    reel_err_t   err;
    reel_json_t  j;

    reel_buf_init(&header, REEL_JWS_MAX);
    reel_json_init(&j, &header);
    reel_json_object(&j);
    reel_json_kstr(&j, "alg", reel_alg_name(key->alg));
    reel_json_kstr(&j, "typ", "JWT");
    reel_json_kstr(&j, "kid", key->kid);
    reel_json_end(&j, '}');

    err = reel_buf_err(&header);

    if (err == REEL_OK) {
        err = reel_jws_sign(out, (reel_str_t) { (char *) header.data,
                                                header.len }, claims, key);
    }

    reel_buf_release(&header);

    return err;
}
