#include "lib/base/reader.h"
#include "lib/mp4/subsamples.h"


#define CLEAR_MAX  UINT16_MAX

/* saiz has a byte for what a sample's take; the last one for what is left */
#define ENTRIES_MAX  40

/* from so many on, some are kept for what is left of a sample, all clear */
#define KEPT_FROM  8


reel_err_t
reel_subsamples_kind(bool *whole, reel_codec_t codec)
{
    switch (codec) {

    case REEL_CODEC_AVC:
    case REEL_CODEC_HEVC:
    case REEL_CODEC_VP9:
        *whole = false;
        return REEL_OK;

    case REEL_CODEC_AV1:
        return REEL_UNSUPPORTED;

    default:
        *whole = true;
        return REEL_OK;
    }
}


void
reel_subsamples_init(reel_subsamples_t *s, reel_scheme_t scheme,
    reel_slices_t *slices, size_t max)
{
    *s = (reel_subsamples_t) { .scheme = scheme, .slices = slices };
    reel_buf_init(&s->list, max * sizeof(reel_subsample_t));
}


void
reel_subsamples_release(reel_subsamples_t *s)
{
    reel_buf_release(&s->list);
}


void
reel_subsamples_begin(reel_subsamples_t *s)
{
    s->first = reel_subsamples_count(s);
    s->clear = 0;
}


static void
add(reel_subsamples_t *s, uint32_t hidden)
{
    reel_subsample_t  sub = { .clear = CLEAR_MAX };

    while (s->clear > CLEAR_MAX) {
        reel_buf_add(&s->list, &sub, sizeof(sub));
        s->clear -= CLEAR_MAX;
    }

    sub.clear = (uint16_t) s->clear;
    sub.hidden = hidden;
    reel_buf_add(&s->list, &sub, sizeof(sub));
    s->clear = 0;
}


reel_err_t
reel_subsamples_nal(reel_subsamples_t *s, const uint8_t *head, uint32_t have,
    uint32_t left, bool clear, uint32_t *size)
{
    uint32_t    n, lead;
    reel_err_t  err;

    if (left < REEL_NAL_LENGTH) {
        return REEL_BADDATA;
    }

    if (have < REEL_NAL_LENGTH) {
        return REEL_AGAIN;
    }

    n = reel_be32(head);

    if (n > left - REEL_NAL_LENGTH) {
        return REEL_BADDATA;
    }

    have -= REEL_NAL_LENGTH;

    err = reel_slices_clear(s->slices, head + REEL_NAL_LENGTH,
                            have < n ? have : n, n, &lead);
    if (err != REEL_OK) {
        return err;
    }

    *size = n + REEL_NAL_LENGTH;

    return reel_subsamples_add(s, lead + REEL_NAL_LENGTH, *size, left, clear);
}


/*
 * Is there an entry for size bytes, and are there some for those behind them?
 * More than an entry's clear ones are better hidden in any case.
 */
static bool
has_room(const reel_subsamples_t *s, uint32_t size, uint32_t left)
{
    uint32_t  n = reel_subsamples_count(s) - s->first;

    if (n < KEPT_FROM || size > CLEAR_MAX) {
        return n < ENTRIES_MAX - 1;
    }

    n += (s->clear + size) / CLEAR_MAX + 1;

    return n + (left - size) / CLEAR_MAX + 1 <= ENTRIES_MAX;
}


reel_err_t
reel_subsamples_add(reel_subsamples_t *s, uint32_t lead, uint32_t size,
    uint32_t left, bool clear)
{
    uint32_t  hidden = 0;

    clear |= !has_room(s, size, left);

    if (!clear && size - lead >= REEL_AES_BLOCK) {
        hidden = size - lead;

        if (s->scheme == REEL_SCHEME_CENC) {
            hidden -= hidden % REEL_AES_BLOCK;
        }
    }

    s->clear += size - hidden;

    if (hidden != 0) {
        add(s, hidden);
    }

    return reel_buf_err(&s->list);
}


reel_err_t
reel_subsamples_end(reel_subsamples_t *s, uint16_t *n)
{
    uint32_t  count;

    if (s->clear != 0 || reel_subsamples_count(s) == s->first) {
        add(s, 0);
    }

    count = reel_subsamples_count(s) - s->first;
    *n = (uint16_t) count;

    return count <= ENTRIES_MAX ? reel_buf_err(&s->list) : REEL_UNSUPPORTED;
}
