#include <openssl/evp.h>

#include "lib/base/crc.h"
#include "lib/crypt/sum.h"


typedef struct {
    const char        *name;
    const char        *s3;
    const char        *digest;
    size_t             len;
    const reel_crc_t  *crc;         /* this, … */
    const EVP_MD    *(*md)(void);   /* … or that */
} row_t;


static const row_t  rows[REEL_SUM_KINDS] = {
    [REEL_SUM_NONE] = { "", "", "", 0, NULL, NULL },
    [REEL_SUM_CRC32] = { "crc32", "CRC32", "", 4, &reel_crc_32, NULL },
    [REEL_SUM_CRC32C] = { "crc32c", "CRC32C", "crc32c", 4, &reel_crc_32c,
                          NULL },
    [REEL_SUM_CRC64NVME] = { "crc64nvme", "CRC64NVME", "", 8,
                             &reel_crc_64nvme, NULL },
    [REEL_SUM_MD5] = { "md5", "", "md5", 16, NULL, EVP_md5 },
    [REEL_SUM_SHA1] = { "sha1", "SHA1", "sha", 20, NULL, EVP_sha1 },
    [REEL_SUM_SHA256] = { "sha256", "SHA256", "sha-256", 32, NULL,
                          EVP_sha256 },
};


static const row_t *
row_of(reel_sum_kind_t kind)
{
    return &rows[(unsigned) kind < REEL_SUM_KINDS ? kind : REEL_SUM_NONE];
}


size_t
reel_sum_len(reel_sum_kind_t kind)
{
    return row_of(kind)->len;
}


const char *
reel_sum_name(reel_sum_kind_t kind)
{
    return row_of(kind)->name;
}


const char *
reel_sum_s3(reel_sum_kind_t kind)
{
    return row_of(kind)->s3;
}


const char *
reel_sum_digest(reel_sum_kind_t kind)
{
    return row_of(kind)->digest;
}


reel_err_t
reel_sum_init(reel_sum_t *s, reel_sum_kind_t kind)
{
    const row_t  *row = row_of(kind);

    *s = (reel_sum_t) { .kind = kind };

    if (row->len == 0) {
        return REEL_INVAL;
    }

    if (row->crc != NULL) {
        return REEL_OK;
    }

    s->md = EVP_MD_CTX_new();
    if (s->md == NULL) {
        return REEL_NOMEM;
    }

    if (EVP_DigestInit_ex(s->md, row->md(), NULL) != 1) {
        reel_sum_release(s);
        return REEL_UNSUPPORTED;
    }

    return REEL_OK;
}


/* with a valid context EVP fails for want of memory only */
reel_err_t
reel_sum_update(reel_sum_t *s, const void *p, size_t n)
{
    if (s->md == NULL) {
        s->crc = reel_crc(rows[s->kind].crc, s->crc, p, n);
        return REEL_OK;
    }

    return EVP_DigestUpdate(s->md, p, n) == 1 ? REEL_OK : REEL_NOMEM;
}


static void
put(uint8_t *out, size_t len, uint64_t crc)
{
    while (len-- > 0) {
        out[len] = (uint8_t) crc;
        crc >>= 8;
    }
}


static uint64_t
get(const uint8_t *p, size_t len)
{
    uint64_t  crc = 0;

    while (len-- > 0) {
        crc = crc << 8 | *p++;
    }

    return crc;
}


reel_err_t
reel_sum_final(reel_sum_t *s, uint8_t out[REEL_SUM_MAX])
{
    int  ok = 1;

    if (s->md == NULL) {
        put(out, reel_sum_len(s->kind), s->crc);

    } else {
        ok = EVP_DigestFinal_ex(s->md, out, NULL);
    }

    reel_sum_release(s);

    return ok == 1 ? REEL_OK : REEL_NOMEM;
}


void
reel_sum_release(reel_sum_t *s)
{
    EVP_MD_CTX_free(s->md);
    s->md = NULL;
    s->crc = 0;
}


reel_err_t
reel_sum_combine(reel_sum_kind_t kind, uint8_t out[REEL_SUM_MAX],
    const uint8_t *a, const uint8_t *b, uint64_t len_b)
{
    const row_t  *row = row_of(kind);

    if (row->crc == NULL) {
        return REEL_INVAL;
    }

    put(out, row->len, reel_crc_combine(row->crc, get(a, row->len),
                                        get(b, row->len), len_b));

    return REEL_OK;
}
