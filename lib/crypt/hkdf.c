#include <openssl/crypto.h>

#include "lib/crypt/digest.h"
#include "lib/crypt/hkdf.h"


/* 2.3: T(i) = HMAC(PRK, T(i - 1) | info | i) */
static reel_err_t
expand(uint8_t *out, size_t n, const uint8_t *prk, reel_str_t info)
{
    size_t      len = 0, part;
    uint8_t     in[REEL_SHA256_LEN + REEL_HKDF_INFO_MAX + 1];
    uint8_t     t[REEL_SHA256_LEN];
    uint8_t     i = 0;
    reel_err_t  err = REEL_OK;

    while (n != 0) {
        memcpy(in, t, len);

        if (info.len != 0) {
            memcpy(in + len, info.p, info.len);
        }

        in[len + info.len] = ++i;

        err = reel_hmac_sha256(t, prk, REEL_SHA256_LEN, in,
                               len + info.len + 1);
        if (err != REEL_OK) {
            break;
        }

        len = sizeof(t);
        part = n < len ? n : len;
        memcpy(out, t, part);
        out += part;
        n -= part;
    }

    OPENSSL_cleanse(in, sizeof(in));
    OPENSSL_cleanse(t, sizeof(t));

    return err;
}


reel_err_t
reel_hkdf_sha256(uint8_t *out, size_t n, reel_str_t key, reel_str_t salt,
    reel_str_t info)
{
    uint8_t     prk[REEL_SHA256_LEN];
    reel_err_t  err;

    static const uint8_t  zeros[REEL_SHA256_LEN];

    if (info.len > REEL_HKDF_INFO_MAX || n > REEL_HKDF_OUT_MAX) {
        return REEL_INVAL;
    }

    if (salt.len == 0) {
        salt = (reel_str_t) { (const char *) zeros, sizeof(zeros) };
    }

    err = reel_hmac_sha256(prk, salt.p, salt.len, key.p, key.len);

    if (err == REEL_OK) {
        err = expand(out, n, prk, info);
    }

    OPENSSL_cleanse(prk, sizeof(prk));

    return err;
}
