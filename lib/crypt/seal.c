#include <string.h>

#include "lib/crypt/seal.h"


#define CYCLE    ((REEL_CBCS_CRYPT + REEL_CBCS_SKIP) * REEL_AES_BLOCK)

/* blocks that are gathered for one call */
#define GATHER   512


reel_err_t
reel_seal_init(reel_seal_t *s, reel_scheme_t scheme, const uint8_t key[16])
{
    *s = (reel_seal_t) { .cbcs = scheme == REEL_SCHEME_CBCS };

    if (scheme != REEL_SCHEME_CENC && scheme != REEL_SCHEME_CBCS) {
        return REEL_INVAL;
    }

    s->aes = reel_aes_new(s->cbcs ? REEL_AES_CBC : REEL_AES_CTR, key);

    return s->aes != NULL ? REEL_OK : REEL_NOMEM;
}


void
reel_seal_release(reel_seal_t *s)
{
    reel_aes_free(s->aes);
    s->aes = NULL;
}


/* goes on to the next subsample, if there is one */
static reel_err_t
next(reel_seal_t *s)
{
    if (s->nsubs == 0) {
        return REEL_BADDATA;
    }

    s->clear = s->subs->clear;
    s->hidden = s->subs->hidden;
    s->at = 0;
    s->subs++;
    s->nsubs--;

    return s->cbcs && s->hidden != 0 ? reel_aes_begin(s->aes, s->iv)
                                     : REEL_OK;
}


reel_err_t
reel_seal_begin(reel_seal_t *s, const uint8_t iv[16],
    const reel_subsample_t *subs, uint32_t nsubs, uint32_t size)
{
    memcpy(s->iv, iv, sizeof(s->iv));
    s->subs = subs;
    s->nsubs = nsubs;
    s->whole = subs == NULL;
    s->clear = 0;
    s->hidden = s->whole ? size : 0;
    s->at = 0;

    if (s->whole || !s->cbcs) {
        return reel_aes_begin(s->aes, iv);
    }

    return REEL_OK;
}


static void
copy(uint8_t *out, const uint8_t *in, size_t n)
{
    if (out != in) {
        memcpy(out, in, n);
    }
}


/* all whole blocks; the rest stays clear, once it is the end */
static reel_err_t
run_whole(reel_seal_t *s, uint8_t *out, const uint8_t *in, size_t n,
    size_t *done)
{
    size_t      blocks = n / REEL_AES_BLOCK * REEL_AES_BLOCK;
    reel_err_t  err;

    err = reel_aes_run(s->aes, out, in, blocks);
    if (err != REEL_OK) {
        return err;
    }

    *done = blocks;

    if (n == s->hidden) {
        copy(out + blocks, in + blocks, n - blocks);
        *done = n;
    }

    return REEL_OK;
}


/* gathers the first block of each cycle, encrypts them, puts them back */
static reel_err_t
run_pattern(reel_seal_t *s, uint8_t *out, const uint8_t *in, size_t n,
    size_t *done)
{
    size_t      at, first, i, k = 0;
    uint8_t     blocks[GATHER * REEL_AES_BLOCK];
    reel_err_t  err;

    /* a cut lies at a block's start, so none is begun */
    first = (CYCLE - s->at % CYCLE) % CYCLE;

    for (at = first; at < n && n - at >= REEL_AES_BLOCK && k < GATHER;
         at += CYCLE)
    {
        memcpy(blocks + k++ * REEL_AES_BLOCK, in + at, REEL_AES_BLOCK);
    }

    if (k == GATHER) {
        n = at < n ? at : n;

    } else if (at < n && n < s->hidden) {
        n = at;                         /* its block is not whole */
    }

    copy(out, in, n);
    *done = n;

    if (k == 0) {
        return REEL_OK;
    }

    err = reel_aes_run(s->aes, blocks, blocks, k * REEL_AES_BLOCK);

    for (i = 0, at = first; i < k; i++, at += CYCLE) {
        memcpy(out + at, blocks + i * REEL_AES_BLOCK, REEL_AES_BLOCK);
    }

    return err;
}


static reel_err_t
run_hidden(reel_seal_t *s, uint8_t *out, const uint8_t *in, size_t n,
    size_t *done)
{
    if (!s->cbcs) {
        *done = n;
        return reel_aes_run(s->aes, out, in, n);
    }

    return s->whole ? run_whole(s, out, in, n, done)
                    : run_pattern(s, out, in, n, done);
}


reel_err_t
reel_seal_run(reel_seal_t *s, uint8_t *out, const uint8_t *in, size_t n,
    size_t *done)
{
    size_t      part;
    reel_err_t  err;

    *done = 0;

    while (n != 0) {

        if (s->clear == 0 && s->hidden == 0) {
            err = next(s);
            if (err != REEL_OK) {
                return err;
            }

            continue;
        }

        if (s->clear != 0) {
            part = n < s->clear ? n : s->clear;
            copy(out, in, part);
            s->clear -= (uint32_t) part;

        } else {
            part = n < s->hidden ? n : s->hidden;

            err = run_hidden(s, out, in, part, &part);
            if (err != REEL_OK) {
                return err;
            }

            if (part == 0) {
                break;
            }

            s->hidden -= (uint32_t) part;
            s->at += (uint32_t) part;
        }

        out += part;
        in += part;
        n -= part;
        *done += part;
    }

    return REEL_OK;
}


void
reel_cenc_iv(uint8_t iv[16], uint8_t ordinal, int64_t decode_ts)
{
    unsigned  i;

    memset(iv, 0, 16);
    iv[0] = ordinal;

    for (i = 7; i > 0; i--) {
        iv[i] = (uint8_t) decode_ts;
        decode_ts >>= 8;
    }
}
