#include <stdlib.h>

#include "lib/codec/avc_slice.h"
#include "lib/codec/hevc_slice.h"
#include "lib/codec/slices.h"


/* of headers that cannot be read; of H.265 with entry points of all rows */
#define UNREAD_AVC      92
#define UNREAD_HEVC     284

/* partitions B and C (14496-10, 7.3.2.9): three numbers, of 63 bits and less */
#define PARTITION_HEAD  24

struct reel_slices_s {
    reel_codec_t codec;
    union {
        reel_avc_sets_t  avc;
        reel_hevc_sets_t hevc;
    } sets;
};

typedef enum { OTHER, SET, SLICE, PARTITION } kind_t;


reel_slices_t *
reel_slices_new(reel_codec_t codec, reel_str_t config)
{
    reel_slices_t  *s;

    if (codec != REEL_CODEC_AVC && codec != REEL_CODEC_HEVC) {
        return NULL;
    }

    s = calloc(1, sizeof(*s));
    if (s == NULL) {
        return NULL;
    }

    s->codec = codec;

    if (codec == REEL_CODEC_AVC) {
        reel_avc_sets_read(&s->sets.avc, config);
    } else {
        reel_hevc_sets_read(&s->sets.hevc, config);
    }

    return s;
}


void
reel_slices_free(reel_slices_t *s)
{
    free(s);
}


/* 14496-10, table 7-1; 23008-2, table 7-1 */
static kind_t
kind_of(const reel_slices_t *s, uint8_t header)
{
    unsigned  type;

    if (s->codec == REEL_CODEC_HEVC) {
        type = header >> 1 & 0x3f;

        return type < REEL_HEVC_VCL_END ? SLICE
               : type == REEL_HEVC_SPS || type == REEL_HEVC_PPS ? SET : OTHER;
    }

    type = header & 0x1f;

    if (reel_avc_is_slice(type)) {
        return SLICE;
    }

    if (type > REEL_NAL_PARTITION_A && type <= REEL_NAL_PARTITION_C) {
        return PARTITION;
    }

    return type == REEL_NAL_SPS || type == REEL_NAL_PPS ? SET : OTHER;
}


static void
add_set(reel_slices_t *s, const uint8_t *nal, uint32_t size)
{
    if (s->codec == REEL_CODEC_HEVC) {
        reel_hevc_sets_add(&s->sets.hevc, nal, size);
    } else {
        reel_avc_sets_add(&s->sets.avc, nal, size);
    }
}


static reel_err_t
read_slice(const reel_slices_t *s, const uint8_t *nal, uint32_t have,
    uint32_t size, uint32_t *n)
{
    size_t      bytes;
    reel_err_t  err;

    err = s->codec == REEL_CODEC_HEVC
          ? reel_hevc_slice_header(&bytes, &s->sets.hevc, nal, have)
          : reel_avc_slice_header(&bytes, &s->sets.avc, nal, have);

    if (err == REEL_OK) {
        *n = (uint32_t) bytes;
        return REEL_OK;
    }

    if (err == REEL_BADDATA && have < size && have < REEL_SLICES_LOOK_MAX) {
        return REEL_AGAIN;
    }

    *n = s->codec == REEL_CODEC_HEVC ? UNREAD_HEVC : UNREAD_AVC;

    if (*n > size) {
        *n = size;
    }

    return REEL_OK;
}


reel_err_t
reel_slices_clear(reel_slices_t *s, const uint8_t *nal, uint32_t have,
    uint32_t size, uint32_t *n)
{
    *n = size;

    if (size == 0) {
        return REEL_OK;
    }

    if (have == 0) {
        return REEL_AGAIN;
    }

    if (have > REEL_SLICES_LOOK_MAX) {
        have = REEL_SLICES_LOOK_MAX;
    }

    switch (kind_of(s, nal[0])) {

    case SLICE:
        return read_slice(s, nal, have, size, n);

    case PARTITION:
        *n = size < PARTITION_HEAD ? size : PARTITION_HEAD;
        return REEL_OK;

    case SET:
        if (have < size && have < REEL_SLICES_LOOK_MAX) {
            return REEL_AGAIN;
        }

        add_set(s, nal, have);
        return REEL_OK;

    default:
        return REEL_OK;
    }
}
