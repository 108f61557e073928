#include <stdbool.h>
#include <stdio.h>

#include "lib/base/bits.h"
#include "lib/codec/aac.h"


#define AOT_LC   2

#define SYNC_SBR 0x2b7
#define SYNC_PS  0x548

/* syntactic elements, table 4.85 */
#define ID_SCE   0
#define ID_CPE   1
#define ID_END   7


/* 14496-3, table 1.18 */
static const uint32_t  rates[] = {
    96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000,
    11025, 8000, 7350
};

/* table 1.19; 0 = reserved, or a program config element */
static const uint8_t  channel_counts[16] = {
    0, 1, 2, 3, 4, 5, 6, 8, 0, 0, 0, 7, 8, 24, 8, 0
};


/* GetAudioObjectType(), table 1.16 */
static uint8_t
read_object_type(reel_bits_t *b)
{
    uint32_t  v = reel_bits_u(b, 5);

    if (v == 31) {
        v = 32 + reel_bits_u(b, 6);
    }

    return (uint8_t) v;
}


static uint32_t
read_rate(reel_bits_t *b)
{
    uint32_t  i = reel_bits_u(b, 4);

    if (i == 15) {
        return reel_bits_u(b, 24);
    }

    if (i >= sizeof(rates) / sizeof(rates[0])) {
        b->err = REEL_BADDATA;
        return 0;
    }

    return rates[i];
}


/*
 * The backward compatible signalling behind the specific config, table
 * 1.15: a decoder that does not know it finds plain AAC-LC.
 */
static void
read_sync_extension(reel_aac_config_t *c, reel_bits_t *b)
{
    if (b->nbits - b->bit < 17 || reel_bits_u(b, 11) != SYNC_SBR
        || read_object_type(b) != REEL_AAC_SBR || b->err != REEL_OK
        || !reel_bits_u(b, 1))
    {
        return;
    }

    c->object_type = REEL_AAC_SBR;
    c->sample_rate = read_rate(b);

    if (b->err == REEL_OK && b->nbits - b->bit >= 12
        && reel_bits_u(b, 11) == SYNC_PS && reel_bits_u(b, 1))
    {
        c->object_type = REEL_AAC_PS;
    }
}


/* GASpecificConfig(), table 4.1, of AAC-LC */
static reel_err_t
read_specific(reel_bits_t *b)
{
    if (reel_bits_u(b, 1)) {
        return REEL_UNSUPPORTED;        /* 960 samples a frame */
    }

    if (reel_bits_u(b, 1)) {
        reel_bits_u(b, 14);             /* coreCoderDelay */
    }

    reel_bits_u(b, 1);                  /* extensionFlag */

    return b->err;
}


reel_err_t
reel_aac_config(reel_aac_config_t *c, reel_str_t asc)
{
    bool         explicit_sbr;
    uint8_t      core;
    uint32_t     channels, rate;
    reel_err_t   err;
    reel_bits_t  b;

    reel_bits_init(&b, asc.p, asc.len);

    core = read_object_type(&b);
    c->object_type = core;
    rate = read_rate(&b);
    c->sample_rate = rate;
    channels = reel_bits_u(&b, 4);

    explicit_sbr = core == REEL_AAC_SBR || core == REEL_AAC_PS;

    if (explicit_sbr) {
        c->sample_rate = read_rate(&b);
        core = read_object_type(&b);
    }

    if (b.err != REEL_OK || core == 0 || rate == 0 || c->sample_rate == 0) {
        return REEL_BADDATA;
    }

    c->channels = channel_counts[channels];

    if (core != AOT_LC || c->channels == 0) {
        return REEL_UNSUPPORTED;
    }

    err = read_specific(&b);
    if (err != REEL_OK) {
        return err;
    }

    if (!explicit_sbr) {
        read_sync_extension(c, &b);
    }

    /* SBR runs at the core's rate or at twice that, 4.6.18.2 */
    if (b.err != REEL_OK
        || (c->sample_rate != rate && c->sample_rate != (uint64_t) rate * 2))
    {
        return REEL_BADDATA;
    }

    if (c->object_type == REEL_AAC_PS) {
        c->channels = 2;
    }

    c->frame = c->sample_rate == rate ? REEL_AAC_FRAME : 2 * REEL_AAC_FRAME;

    return REEL_OK;
}


reel_err_t
reel_aac_facts(reel_codec_facts_t *f, reel_str_t asc)
{
    reel_err_t         err;
    reel_aac_config_t  c;

    err = reel_aac_config(&c, asc);
    if (err != REEL_OK) {
        return err;
    }

    *f = (reel_codec_facts_t) {
        .profile = c.object_type, .sample_rate = c.sample_rate,
        .channels = c.channels, .frame = c.frame
    };

    return REEL_OK;
}


reel_err_t
reel_aac_codec_string(char *dst, size_t cap, reel_str_t asc)
{
    reel_err_t         err;
    reel_aac_config_t  c;

    err = reel_aac_config(&c, asc);
    if (err != REEL_OK) {
        return err;
    }

    if (snprintf(dst, cap, "mp4a.40.%u", c.object_type) >= (int) cap) {
        return REEL_INVAL;
    }

    return REEL_OK;
}


/* v in n bits, behind those that are there */
static uint64_t
push(uint64_t bits, unsigned n, uint64_t v)
{
    return bits << n | v;
}


/*
 * Tables 4.4 to 4.6 and 4.50: long windows of no scale factor band at all
 * have neither sections nor spectra.  The tag, ics_info() and the gain are
 * zeros; what is left are pulses, noise shaping and gain control: none.
 */
size_t
reel_aac_silence(uint8_t dst[REEL_AAC_SILENCE], unsigned channels)
{
    size_t    i, bytes;
    uint64_t  bits;

    if (channels == 2) {
        bits = push(0, 3, ID_CPE);
        bits = push(bits, 4 + 1, 1);            /* common_window */
        bits = push(bits, 11 + 2, 0);           /* ics_info, ms_mask_present */
        bits = push(bits, 2 * (8 + 3), 0);
        bits = push(bits, 3, ID_END);
        bits = push(bits, 2, 0);
        bytes = 6;

    } else {
        bits = push(0, 3, ID_SCE);
        bits = push(bits, 4 + 8 + 11 + 3, 0);
        bits = push(bits, 3, ID_END);
        bytes = 4;
    }

    for (i = 0; i < bytes; i++) {
        dst[i] = (uint8_t) (bits >> 8 * (bytes - 1 - i));
    }

    return bytes;
}
