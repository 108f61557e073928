#include <limits.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "lib/crypt/aes.h"


/* what one call takes: int, of whole blocks */
#define RUN_MAX  ((size_t) INT_MAX - 63)


struct reel_aes_s {
    EVP_CIPHER_CTX *ctx;
    reel_aes_mode_t mode;
};


reel_aes_t *
reel_aes_new(reel_aes_mode_t mode, const uint8_t key[16])
{
    reel_aes_t        *a;
    const EVP_CIPHER  *cipher;

    a = OPENSSL_zalloc(sizeof(*a));
    if (a == NULL) {
        return NULL;
    }

    cipher = mode == REEL_AES_CTR ? EVP_aes_128_ctr() : EVP_aes_128_cbc();
    a->mode = mode;
    a->ctx = EVP_CIPHER_CTX_new();

    if (a->ctx == NULL
        || EVP_EncryptInit_ex(a->ctx, cipher, NULL, key, NULL) != 1
        || EVP_CIPHER_CTX_set_padding(a->ctx, 0) != 1)
    {
        reel_aes_free(a);
        return NULL;
    }

    return a;
}


void
reel_aes_free(reel_aes_t *a)
{
    if (a == NULL) {
        return;
    }

    EVP_CIPHER_CTX_free(a->ctx);
    OPENSSL_free(a);
}


reel_err_t
reel_aes_begin(reel_aes_t *a, const uint8_t iv[16])
{
    return EVP_EncryptInit_ex(a->ctx, NULL, NULL, NULL, iv) == 1
           ? REEL_OK : REEL_NOMEM;
}


reel_err_t
reel_aes_run(reel_aes_t *a, uint8_t *out, const uint8_t *in, size_t n)
{
    int     len;
    size_t  part;

    if (a->mode == REEL_AES_CBC && n % REEL_AES_BLOCK != 0) {
        return REEL_INVAL;
    }

    while (n != 0) {
        part = n < RUN_MAX ? n : RUN_MAX / REEL_AES_BLOCK * REEL_AES_BLOCK;

        if (EVP_EncryptUpdate(a->ctx, out, &len, in, (int) part) != 1) {
            return REEL_NOMEM;
        }

        out += part;
        in += part;
        n -= part;
    }

    return REEL_OK;
}
