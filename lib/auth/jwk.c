#include <stdlib.h>

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>

#include "lib/auth/jwk.h"
#include "lib/auth/secret_json.h"
#include "lib/base/base64.h"
#include "lib/crypt/digest.h"


#define SECRET_MIN  32
#define SECRET_MAX  256
#define MEMBER_MAX  512         /* bytes of an RSA modulus of 4096 bits */
#define RSA_MIN     256         /* 2048 bits */
#define EC_LEN      32
#define ED_LEN      32


/* bytes of a base64url member */
typedef struct {
    uint8_t bytes[MEMBER_MAX];
    size_t  len;                /* 0: it is not there */
} member_t;

typedef reel_err_t (*parse_pt)(reel_jwk_t *k, json_t *entry, size_t at,
    reel_error_t *e);

static reel_err_t parse_oct(reel_jwk_t *k, json_t *entry, size_t at,
    reel_error_t *e);
static reel_err_t parse_rsa(reel_jwk_t *k, json_t *entry, size_t at,
    reel_error_t *e);
static reel_err_t parse_ec(reel_jwk_t *k, json_t *entry, size_t at,
    reel_error_t *e);
static reel_err_t parse_okp(reel_jwk_t *k, json_t *entry, size_t at,
    reel_error_t *e);


static const struct {
    const char  *kty;
    reel_alg_t   alg;
    const char  *crv;           /* NULL: it has none */
    parse_pt     parse;
} kinds[] = {
    { "oct", REEL_ALG_HS256, NULL, parse_oct },
    { "RSA", REEL_ALG_RS256, NULL, parse_rsa },
    { "EC", REEL_ALG_ES256, "P-256", parse_ec },
    { "OKP", REEL_ALG_EDDSA, "Ed25519", parse_okp }
};

#define NKINDS (sizeof(kinds) / sizeof(kinds[0]))


const char *
reel_alg_name(reel_alg_t alg)
{
    static const char *const  names[] = {
        "", "HS256", "RS256", "ES256", "EdDSA"
    };

    return names[alg];
}


/* wants: 0 any length from min on; an absent one has len 0 */
static reel_err_t
get_member(member_t *m, json_t *entry, const char *name, size_t at,
    reel_error_t *e)
{
    json_t  *v = json_object_get(entry, name);

    m->len = 0;

    if (v == NULL) {
        return REEL_OK;
    }

    if (!json_is_string(v)
        || reel_unbase64url(m->bytes, sizeof(m->bytes), &m->len,
                            (reel_str_t) { json_string_value(v),
                                           json_string_length(v) })
           != REEL_OK
        || m->len == 0)
    {
        m->len = 0;
        return reel_fail(e, REEL_BADDATA, "keys[%zu].%s is not base64url of "
                         "1 to %d bytes", at, name, MEMBER_MAX);
    }

    return REEL_OK;
}


static void
wipe_member(member_t *m)
{
    OPENSSL_cleanse(m->bytes, sizeof(m->bytes));
}


static reel_err_t
parse_oct(reel_jwk_t *k, json_t *entry, size_t at, reel_error_t *e)
{
    member_t    m;
    reel_err_t  err;

    err = get_member(&m, entry, "k", at, e);

    if (err == REEL_OK && (m.len < SECRET_MIN || m.len > SECRET_MAX)) {
        err = reel_fail(e, REEL_BADDATA, "keys[%zu].k must have %d to %d "
                        "bytes", at, SECRET_MIN, SECRET_MAX);
    }

    if (err == REEL_OK) {
        k->secret = malloc(m.len);
        err = k->secret != NULL ? REEL_OK : REEL_NOMEM;
    }

    if (err == REEL_OK) {
        memcpy(k->secret, m.bytes, m.len);
        k->secret_len = m.len;
        k->signs = true;
    }

    wipe_member(&m);

    return err;
}


/* a key of what bld holds, taken; NULL: it is none */
static EVP_PKEY *
build(const char *type, OSSL_PARAM_BLD *bld, bool private)
{
    EVP_PKEY      *pkey = NULL;
    OSSL_PARAM    *params = OSSL_PARAM_BLD_to_param(bld);
    EVP_PKEY_CTX  *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);

    if (params == NULL || ctx == NULL || EVP_PKEY_fromdata_init(ctx) != 1
        || EVP_PKEY_fromdata(ctx, &pkey,
                             private ? EVP_PKEY_KEYPAIR : EVP_PKEY_PUBLIC_KEY,
                             params)
           != 1)
    {
        pkey = NULL;
    }

    EVP_PKEY_CTX_free(ctx);
    OSSL_PARAM_free(params);
    OSSL_PARAM_BLD_free(bld);

    return pkey;
}


static BIGNUM *
number(const member_t *m)
{
    return BN_bin2bn(m->bytes, (int) m->len, NULL);
}


static EVP_PKEY *
build_rsa(const member_t *n, const member_t *pub, const member_t *d)
{
    BIGNUM          *bn[3];
    EVP_PKEY        *pkey = NULL;
    OSSL_PARAM_BLD  *bld = OSSL_PARAM_BLD_new();

    bn[0] = number(n);
    bn[1] = number(pub);
    bn[2] = d->len != 0 ? number(d) : NULL;

    if (bld != NULL && bn[0] != NULL && bn[1] != NULL
        && OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_RSA_N, bn[0]) == 1
        && OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_RSA_E, bn[1]) == 1
        && (bn[2] == NULL
            || OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_RSA_D, bn[2])
               == 1))
    {
        pkey = build("RSA", bld, bn[2] != NULL);

    } else {
        OSSL_PARAM_BLD_free(bld);
    }

    BN_free(bn[0]);
    BN_free(bn[1]);
    BN_clear_free(bn[2]);

    return pkey;
}


static reel_err_t
parse_rsa(reel_jwk_t *k, json_t *entry, size_t at, reel_error_t *e)
{
    member_t    n, pub, d;
    reel_err_t  err;

    err = get_member(&n, entry, "n", at, e);

    if (err == REEL_OK) {
        err = get_member(&pub, entry, "e", at, e);
    }

    if (err == REEL_OK) {
        err = get_member(&d, entry, "d", at, e);
    }

    if (err != REEL_OK) {
        return err;
    }

    if (n.len < RSA_MIN || n.bytes[0] < 0x80 || pub.len == 0 || pub.len > 8
        || (pub.bytes[pub.len - 1] & 1) == 0
        || (pub.len == 1 && pub.bytes[0] < 3))
    {
        err = reel_fail(e, REEL_BADDATA, "keys[%zu] is no RSA key of 2048 to "
                        "4096 bits", at);
    } else {
        k->pkey = build_rsa(&n, &pub, &d);
        k->signs = d.len != 0;
    }

    wipe_member(&d);

    return err;
}


/* the point as SEC 1 has it, uncompressed; EVP checks that it is one */
static EVP_PKEY *
build_ec(const member_t *x, const member_t *y, const member_t *d)
{
    BIGNUM          *bn = d->len != 0 ? number(d) : NULL;
    uint8_t          point[1 + 2 * EC_LEN] = { 4 };
    EVP_PKEY        *pkey = NULL;
    OSSL_PARAM_BLD  *bld = OSSL_PARAM_BLD_new();

    memcpy(point + 1, x->bytes, EC_LEN);
    memcpy(point + 1 + EC_LEN, y->bytes, EC_LEN);

    if (bld != NULL
        && OSSL_PARAM_BLD_push_utf8_string(bld, OSSL_PKEY_PARAM_GROUP_NAME,
                                           "prime256v1", 0)
           == 1
        && OSSL_PARAM_BLD_push_octet_string(bld, OSSL_PKEY_PARAM_PUB_KEY,
                                            point, sizeof(point))
           == 1
        && (bn == NULL
            || OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_PRIV_KEY, bn)
               == 1))
    {
        pkey = build("EC", bld, bn != NULL);

    } else {
        OSSL_PARAM_BLD_free(bld);
    }

    BN_clear_free(bn);

    return pkey;
}


static reel_err_t
parse_ec(reel_jwk_t *k, json_t *entry, size_t at, reel_error_t *e)
{
    member_t    x, y, d;
    reel_err_t  err;

    err = get_member(&x, entry, "x", at, e);

    if (err == REEL_OK) {
        err = get_member(&y, entry, "y", at, e);
    }

    if (err == REEL_OK) {
        err = get_member(&d, entry, "d", at, e);
    }

    if (err != REEL_OK) {
        return err;
    }

    if (x.len != EC_LEN || y.len != EC_LEN
        || (d.len != 0 && d.len != EC_LEN))
    {
        err = reel_fail(e, REEL_BADDATA, "keys[%zu]: x, y and d of P-256 "
                        "have %d bytes each", at, EC_LEN);
    } else {
        k->pkey = build_ec(&x, &y, &d);
        k->signs = d.len != 0;
    }

    wipe_member(&d);

    return err;
}


static reel_err_t
parse_okp(reel_jwk_t *k, json_t *entry, size_t at, reel_error_t *e)
{
    member_t    x, d;
    reel_err_t  err;

    err = get_member(&x, entry, "x", at, e);

    if (err == REEL_OK) {
        err = get_member(&d, entry, "d", at, e);
    }

    if (err != REEL_OK) {
        return err;
    }

    if (x.len != ED_LEN || (d.len != 0 && d.len != ED_LEN)) {
        err = reel_fail(e, REEL_BADDATA, "keys[%zu]: x and d of Ed25519 have "
                        "%d bytes each", at, ED_LEN);

    } else if (d.len != 0) {
        k->pkey = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL,
                                               d.bytes, d.len);
        k->signs = true;

    } else {
        k->pkey = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL,
                                              x.bytes, x.len);
    }

    wipe_member(&d);

    return err;
}


/* absent, or that string */
static bool
is_or_absent(json_t *entry, const char *name, const char *want)
{
    json_t  *v = json_object_get(entry, name);

    return v == NULL
           || (json_is_string(v) && strcmp(json_string_value(v), want) == 0);
}


static reel_err_t
parse_kid(reel_jwk_t *k, json_t *entry, size_t at, reel_error_t *e)
{
    size_t       i;
    json_t      *v = json_object_get(entry, "kid");
    const char  *z = json_string_value(v);

    if (z == NULL || z[0] == '\0' || json_string_length(v) > REEL_JWK_KID_MAX)
    {
        return reel_fail(e, REEL_BADDATA, "keys[%zu].kid must be a string of "
                         "1 to %d bytes", at, REEL_JWK_KID_MAX);
    }

    for (i = 0; z[i] != '\0'; i++) {
        if ((uint8_t) z[i] < ' ') {
            return reel_fail(e, REEL_BADDATA, "keys[%zu].kid has control "
                             "characters", at);
        }
    }

    k->kid = strdup(z);

    return k->kid != NULL ? REEL_OK : REEL_NOMEM;
}


static reel_err_t
parse_key(reel_jwk_t *k, json_t *entry, size_t at, reel_error_t *e)
{
    size_t       i;
    reel_err_t   err;
    const char  *kty = json_string_value(json_object_get(entry, "kty"));

    err = parse_kid(k, entry, at, e);
    if (err != REEL_OK) {
        return err;
    }

    for (i = 0; i < NKINDS; i++) {
        if (kty != NULL && strcmp(kty, kinds[i].kty) == 0) {
            break;
        }
    }

    if (i == NKINDS) {
        return reel_fail(e, REEL_BADDATA, "keys[%zu].kty must be oct, RSA, "
                         "EC or OKP", at);
    }

    if (kinds[i].crv != NULL
        && (json_object_get(entry, "crv") == NULL
            || !is_or_absent(entry, "crv", kinds[i].crv)))
    {
        return reel_fail(e, REEL_BADDATA, "keys[%zu].crv must be %s", at,
                         kinds[i].crv);
    }

    k->alg = kinds[i].alg;

    if (!is_or_absent(entry, "alg", reel_alg_name(k->alg))
        || !is_or_absent(entry, "use", "sig"))
    {
        return reel_fail(e, REEL_BADDATA, "keys[%zu]: alg of this kind is "
                         "%s, use is sig", at, reel_alg_name(k->alg));
    }

    err = kinds[i].parse(k, entry, at, e);

    if (err == REEL_OK && k->pkey == NULL && k->secret == NULL) {
        err = reel_fail(e, REEL_BADDATA, "keys[%zu] is no such key: its "
                        "members do not fit each other", at);
    }

    return err;
}


static reel_err_t
parse_set(reel_jwks_t *k, json_t *list, reel_error_t *e)
{
    size_t      i, j, n = json_array_size(list);
    json_t     *entry;
    reel_err_t  err;

    if (n == 0 || n > REEL_JWKS_MAX) {
        return reel_fail(e, REEL_BADDATA, "\"keys\" must be a list of 1 to "
                         "%d keys", REEL_JWKS_MAX);
    }

    k->keys = calloc(n, sizeof(reel_jwk_t));
    if (k->keys == NULL) {
        return REEL_NOMEM;
    }

    for (i = 0; i < n; i++) {
        entry = json_array_get(list, i);
        k->nkeys = i + 1;

        err = parse_key(&k->keys[i], entry, i, e);
        if (err != REEL_OK) {
            return err;
        }

        for (j = 0; j < i; j++) {
            if (strcmp(k->keys[i].kid, k->keys[j].kid) == 0) {
                return reel_fail(e, REEL_BADDATA, "keys[%zu].kid is that of "
                                 "keys[%zu]", i, j);
            }
        }
    }

    return REEL_OK;
}


reel_err_t
reel_jwks_parse(reel_jwks_t *k, const char *json, size_t len, reel_error_t *e)
{
    json_t      *root;
    reel_err_t   err;

    *k = (reel_jwks_t) { 0 };

    err = reel_secret_json(&root, json, len, "the key file is not", e);
    if (err != REEL_OK) {
        return err;
    }

    err = parse_set(k, json_object_get(root, "keys"), e);

    if (err == REEL_OK) {
        err = reel_sha256(k->digest, json, len);
    }

    if (err != REEL_OK) {
        reel_jwks_release(k);
    }

    reel_secret_json_free(root);

    return err;
}


void
reel_jwks_release(reel_jwks_t *k)
{
    size_t       i;
    reel_jwk_t  *one;

    for (i = 0; i < k->nkeys; i++) {
        one = &k->keys[i];

        if (one->secret != NULL) {
            OPENSSL_cleanse(one->secret, one->secret_len);
        }

        free(one->secret);
        free(one->kid);
        EVP_PKEY_free(one->pkey);
    }

    free(k->keys);
    *k = (reel_jwks_t) { 0 };
}


const reel_jwk_t *
reel_jwks_find(const reel_jwks_t *k, reel_str_t kid)
{
    size_t  i;

    if (kid.len == 0) {
        return k->nkeys == 1 ? &k->keys[0] : NULL;
    }

    for (i = 0; i < k->nkeys; i++) {
        if (reel_str_eqz(kid, k->keys[i].kid)) {
            return &k->keys[i];
        }
    }

    return NULL;
}
