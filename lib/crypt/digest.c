#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "lib/crypt/digest.h"


struct reel_sha256_s {
    EVP_MD_CTX *md;
};


reel_sha256_t *
reel_sha256_new(void)
{
    reel_sha256_t  *h;

    h = OPENSSL_zalloc(sizeof(*h));
    if (h == NULL) {
        return NULL;
    }

    h->md = EVP_MD_CTX_new();

    if (h->md == NULL || EVP_DigestInit_ex(h->md, EVP_sha256(), NULL) != 1) {
        reel_sha256_free(h);
        return NULL;
    }

    return h;
}


/* with a valid context EVP fails for want of memory only */
reel_err_t
reel_sha256_update(reel_sha256_t *h, const void *p, size_t n)
{
    return EVP_DigestUpdate(h->md, p, n) == 1 ? REEL_OK : REEL_NOMEM;
}


reel_err_t
reel_sha256_final(reel_sha256_t *h, uint8_t out[REEL_SHA256_LEN])
{
    int  ok;

    ok = EVP_DigestFinal_ex(h->md, out, NULL);
    reel_sha256_free(h);

    return ok == 1 ? REEL_OK : REEL_NOMEM;
}


void
reel_sha256_free(reel_sha256_t *h)
{
    if (h == NULL) {
        return;
    }

    EVP_MD_CTX_free(h->md);
    OPENSSL_free(h);
}


reel_err_t
reel_sha256(uint8_t out[REEL_SHA256_LEN], const void *p, size_t n)
{
    if (EVP_Digest(p, n, out, NULL, EVP_sha256(), NULL) != 1) {
        return REEL_NOMEM;
    }

    return REEL_OK;
}


reel_err_t
reel_sha256_parts(uint8_t out[REEL_SHA256_LEN], const reel_str_t *parts,
    size_t n)
{
    size_t          i;
    reel_err_t      err = REEL_OK;
    reel_sha256_t  *h = reel_sha256_new();

    if (h == NULL) {
        return REEL_NOMEM;
    }

    for (i = 0; err == REEL_OK && i < n; i++) {
        err = reel_sha256_update(h, parts[i].p, parts[i].len);
    }

    if (err != REEL_OK) {
        reel_sha256_free(h);
        return err;
    }

    return reel_sha256_final(h, out);
}


reel_err_t
reel_hmac_sha256(uint8_t out[REEL_SHA256_LEN], const void *key,
    size_t key_len, const void *p, size_t n)
{
    size_t  len = 0;

    /* an empty key may come as NULL, which EVP would take for "none set" */
    if (key_len == 0) {
        key = "";
    }

    if (EVP_Q_mac(NULL, "HMAC", NULL, "SHA256", NULL, key, key_len, p, n,
                  out, REEL_SHA256_LEN, &len)
        == NULL || len != REEL_SHA256_LEN)
    {
        return REEL_NOMEM;
    }

    return REEL_OK;
}


int
reel_memeq(const void *a, const void *b, size_t n)
{
    return CRYPTO_memcmp(a, b, n) == 0;
}
