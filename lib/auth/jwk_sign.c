/* signatures of tokens: RFC 7518, 3.2 to 3.4; RFC 8037, 3.1 */

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>

#include "lib/auth/jwk.h"
#include "lib/crypt/digest.h"


#define EC_LEN   32             /* of r and of s */
#define DER_MAX  80             /* SEQUENCE of two INTEGER of 33 bytes */


static reel_err_t
verify_hmac(const reel_jwk_t *k, reel_str_t input, const uint8_t *sig,
    size_t len)
{
    uint8_t     mac[REEL_SHA256_LEN];
    reel_err_t  err;

    err = reel_hmac_sha256(mac, k->secret, k->secret_len, input.p, input.len);

    if (err == REEL_OK
        && (len != sizeof(mac) || !reel_memeq(sig, mac, sizeof(mac))))
    {
        err = REEL_DENIED;
    }

    return err;
}


/* 3.4: r and s as numbers of 32 bytes; EVP takes DER.  0: no memory */
static size_t
to_der(uint8_t der[DER_MAX], const uint8_t *sig)
{
    int         n = 0;
    BIGNUM     *r, *s;
    uint8_t    *p = der;
    ECDSA_SIG  *ec = ECDSA_SIG_new();

    r = BN_bin2bn(sig, EC_LEN, NULL);
    s = BN_bin2bn(sig + EC_LEN, EC_LEN, NULL);

    if (ec == NULL || r == NULL || s == NULL || ECDSA_SIG_set0(ec, r, s) != 1)
    {
        BN_free(r);
        BN_free(s);

    } else if (i2d_ECDSA_SIG(ec, NULL) <= DER_MAX) {
        n = i2d_ECDSA_SIG(ec, &p);
    }

    ECDSA_SIG_free(ec);

    return n > 0 ? (size_t) n : 0;
}


static reel_err_t
from_der(uint8_t *sig, const uint8_t *der, size_t len)
{
    ECDSA_SIG   *ec = d2i_ECDSA_SIG(NULL, &der, (long) len);
    reel_err_t   err = REEL_NOMEM;

    if (ec != NULL
        && BN_bn2binpad(ECDSA_SIG_get0_r(ec), sig, EC_LEN) == EC_LEN
        && BN_bn2binpad(ECDSA_SIG_get0_s(ec), sig + EC_LEN, EC_LEN) == EC_LEN)
    {
        err = REEL_OK;
    }

    ECDSA_SIG_free(ec);

    return err;
}


static const EVP_MD *
digest_of(reel_alg_t alg)
{
    return alg == REEL_ALG_EDDSA ? NULL : EVP_sha256();
}


reel_err_t
reel_jwk_verify(const reel_jwk_t *k, reel_str_t input, const uint8_t *sig,
    size_t len)
{
    int          ok;
    uint8_t      der[DER_MAX];
    EVP_MD_CTX  *md;

    if (k->alg == REEL_ALG_HS256) {
        return verify_hmac(k, input, sig, len);
    }

    if (k->alg == REEL_ALG_ES256) {
        if (len != 2 * EC_LEN) {
            return REEL_DENIED;
        }

        len = to_der(der, sig);
        sig = der;

        if (len == 0) {
            return REEL_NOMEM;
        }
    }

    md = EVP_MD_CTX_new();

    if (md == NULL
        || EVP_DigestVerifyInit(md, NULL, digest_of(k->alg), NULL, k->pkey)
           != 1)
    {
        EVP_MD_CTX_free(md);
        return REEL_NOMEM;
    }

    ok = EVP_DigestVerify(md, sig, len, (const uint8_t *) input.p, input.len);
    EVP_MD_CTX_free(md);

    return ok == 1 ? REEL_OK : REEL_DENIED;
}


reel_err_t
reel_jwk_sign(const reel_jwk_t *k, reel_str_t input,
    uint8_t sig[REEL_JWK_SIG_MAX], size_t *len)
{
    size_t       n = REEL_JWK_SIG_MAX;
    uint8_t      der[DER_MAX], *out = sig;
    EVP_MD_CTX  *md;
    reel_err_t   err = REEL_NOMEM;

    if (!k->signs) {
        return REEL_INVAL;
    }

    if (k->alg == REEL_ALG_HS256) {
        *len = REEL_SHA256_LEN;
        return reel_hmac_sha256(sig, k->secret, k->secret_len, input.p,
                                input.len);
    }

    if (k->alg == REEL_ALG_ES256) {
        out = der;
        n = sizeof(der);
    }

    md = EVP_MD_CTX_new();

    if (md != NULL
        && EVP_DigestSignInit(md, NULL, digest_of(k->alg), NULL, k->pkey) == 1
        && EVP_DigestSign(md, out, &n, (const uint8_t *) input.p, input.len)
           == 1)
    {
        err = REEL_OK;
        *len = n;
    }

    EVP_MD_CTX_free(md);

    if (err == REEL_OK && out == der) {
        *len = 2 * EC_LEN;
        err = from_der(sig, der, n);
    }

    return err;
}
