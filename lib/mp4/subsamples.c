#include "lib/base/reader.h"
#include "lib/mp4/subsamples.h"


#define LENGTH     4            /* bytes of a NAL unit's length */

/*
 * Clear bytes of a slice, length included: no slice header is as long.  Of
 * H.265 it has the entry points of all rows of a picture.
 */
#define LEAD_AVC   96
#define LEAD_HEVC  288

#define CLEAR_MAX  UINT16_MAX

/* saiz has a byte for what a sample's take; the last one for what is left */
#define ENTRIES_MAX  40


reel_err_t
reel_subsamples_kind(bool *whole, reel_codec_t codec)
{
    switch (codec) {

    case REEL_CODEC_AVC:
    case REEL_CODEC_HEVC:
        *whole = false;
        return REEL_OK;

    case REEL_CODEC_AV1:
    case REEL_CODEC_VP9:
        return REEL_UNSUPPORTED;

    default:
        *whole = true;
        return REEL_OK;
    }
}


void
reel_subsamples_init(reel_subsamples_t *s, reel_codec_t codec, size_t max)
{
    *s = (reel_subsamples_t) { .codec = codec };
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


/* 14496-10, table 7-1; 23008-2, table 7-1 */
static bool
is_slice(const reel_subsamples_t *s, uint8_t header)
{
    if (s->codec == REEL_CODEC_HEVC) {
        return (header >> 1 & 0x3f) < 32;
    }

    return (header & 0x1f) >= 1 && (header & 0x1f) <= 5;
}


reel_err_t
reel_subsamples_nal(reel_subsamples_t *s, const uint8_t head[REEL_NAL_HEAD],
    uint32_t left, bool clear, uint32_t *size)
{
    uint32_t  n, lead, hidden = 0;

    n = reel_be32(head);

    if (left < LENGTH || n > left - LENGTH) {
        return REEL_BADDATA;
    }

    *size = n + LENGTH;
    lead = s->codec == REEL_CODEC_HEVC ? LEAD_HEVC : LEAD_AVC;

    clear |= reel_subsamples_count(s) - s->first >= ENTRIES_MAX - 1;

    if (!clear && n != 0 && *size > lead && is_slice(s, head[LENGTH])) {
        hidden = (*size - lead) / REEL_AES_BLOCK * REEL_AES_BLOCK;
    }

    s->clear += *size - hidden;

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
