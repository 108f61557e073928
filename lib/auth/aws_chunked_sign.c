/* the chain of signatures of an aws-chunked body */

#include <stdio.h>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include "lib/auth/aws_chunked_impl.h"
#include "lib/auth/sigv4_canon.h"
#include "lib/base/hex.h"
#include "lib/crypt/digest.h"


/* a context with the key in it, which EVP_MAC_init(mac, NULL, …) keeps */
static reel_err_t
keyed_mac(EVP_MAC_CTX **mac, const uint8_t key[REEL_SHA256_LEN])
{
    EVP_MAC     *hmac;
    OSSL_PARAM   params[2];

    params[0] = OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST,
                                                 (char *) "SHA256", 0);
    params[1] = OSSL_PARAM_construct_end();

    hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    if (hmac == NULL) {
        return REEL_NOMEM;
    }

    *mac = EVP_MAC_CTX_new(hmac);
    EVP_MAC_free(hmac);

    if (*mac == NULL
        || EVP_MAC_init(*mac, key, REEL_SHA256_LEN, params) != 1)
    {
        return REEL_NOMEM;
    }

    return REEL_OK;
}


reel_err_t
reel_aws_sign_init(reel_aws_chunked_t *d, const reel_sigv4_auth_t *auth,
    reel_str_t secret)
{
    int         n;
    char        stamp[17];
    uint8_t     key[REEL_SHA256_LEN];
    reel_err_t  err;

    reel_sigv4_scope_t  scope = { auth->date, auth->region, auth->service };

    if (auth->signature.len != sizeof(d->last)) {
        return REEL_INVAL;
    }

    memcpy(d->last, auth->signature.p, sizeof(d->last));

    reel_sigv4_timestamp(stamp, auth->time_s);
    n = snprintf(d->scope, sizeof(d->scope),
                 "%s\n%.*s/%.*s/%.*s/aws4_request\n", stamp,
                 (int) scope.date.len, scope.date.p,
                 (int) scope.region.len, scope.region.p,
                 (int) scope.service.len, scope.service.p);

    if (n < 0 || (size_t) n >= sizeof(d->scope)) {
        return REEL_INVAL;
    }

    d->md = EVP_MD_CTX_new();

    if (d->md == NULL || EVP_DigestInit_ex(d->md, EVP_sha256(), NULL) != 1) {
        return REEL_NOMEM;
    }

    err = reel_sigv4_key(key, secret, &scope);

    if (err == REEL_OK) {
        err = keyed_mac(&d->mac, key);
    }

    OPENSSL_cleanse(key, sizeof(key));

    return err;
}


void
reel_aws_sign_release(reel_aws_chunked_t *d)
{
    EVP_MD_CTX_free(d->md);
    EVP_MAC_CTX_free(d->mac);
    d->md = NULL;
    d->mac = NULL;
}


reel_err_t
reel_aws_sign_add(reel_aws_chunked_t *d, const void *p, size_t n)
{
    return EVP_DigestUpdate(d->md, p, n) == 1 ? REEL_OK : REEL_NOMEM;
}


bool
reel_aws_hex64(reel_str_t s)
{
    size_t  i;

    for (i = 0; i < s.len; i++) {
        if ((s.p[i] < '0' || s.p[i] > '9') && (s.p[i] < 'a' || s.p[i] > 'f'))
        {
            return false;
        }
    }

    return s.len == 64;
}


reel_err_t
reel_aws_sign_given(reel_aws_chunked_t *d, reel_str_t s)
{
    if (!reel_aws_hex64(s)) {
        return REEL_BADDATA;
    }

    memcpy(d->given, s.p, s.len);

    return REEL_OK;
}


static bool
mac_add(reel_aws_chunked_t *d, const void *p, size_t n)
{
    return EVP_MAC_update(d->mac, p, n) == 1;
}


/* title, time, scope, last signature, what stands between, hash */
static reel_err_t
check(reel_aws_chunked_t *d, const char *title, const char *between)
{
    char     hex[2 * REEL_SHA256_LEN + 1];
    size_t   n;
    uint8_t  raw[REEL_SHA256_LEN];

    if (EVP_DigestFinal_ex(d->md, raw, NULL) != 1
        || EVP_DigestInit_ex(d->md, NULL, NULL) != 1)
    {
        return REEL_NOMEM;
    }

    reel_hex(hex, raw, sizeof(raw));

    if (EVP_MAC_init(d->mac, NULL, 0, NULL) != 1
        || !mac_add(d, title, strlen(title))
        || !mac_add(d, d->scope, strlen(d->scope))
        || !mac_add(d, d->last, sizeof(d->last))
        || !mac_add(d, between, strlen(between))
        || !mac_add(d, hex, 2 * REEL_SHA256_LEN)
        || EVP_MAC_final(d->mac, raw, &n, sizeof(raw)) != 1)
    {
        return REEL_NOMEM;
    }

    reel_hex(hex, raw, sizeof(raw));

    if (!reel_memeq(hex, d->given, sizeof(d->given))) {
        return REEL_DENIED;
    }

    memcpy(d->last, d->given, sizeof(d->last));

    return REEL_OK;
}


reel_err_t
reel_aws_sign_frame(reel_aws_chunked_t *d)
{
    return check(d, REEL_SIGV4_ALGORITHM "-PAYLOAD\n",
                 "\n" REEL_SIGV4_EMPTY "\n");
}


reel_err_t
reel_aws_sign_trailer(reel_aws_chunked_t *d)
{
    return check(d, REEL_SIGV4_ALGORITHM "-TRAILER\n", "\n");
}
