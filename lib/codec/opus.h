/*
 * Opus: OpusHead (RFC 7845, 5.1) to dOps ("Encapsulation of Opus in ISO Base
 * Media File Format", 4.3.2), which differ in their byte order.
 */

#ifndef REEL_CODEC_OPUS_H
#define REEL_CODEC_OPUS_H

#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/base/err.h"
#include "lib/base/str.h"
#include "lib/codec/codec.h"

#define REEL_OPUS_RATE 48000    /* whatever was encoded */

/* appends a dOps payload made of an OpusHead */
reel_err_t reel_opus_config(reel_buf_t *dops, const uint8_t *head, size_t len)
    REEL_WARN_UNUSED;

/* REEL_BADDATA: it is no dOps payload */
reel_err_t reel_opus_facts(reel_codec_facts_t *f, reel_str_t dops)
    REEL_WARN_UNUSED;

/* "opus": what players look for, though the sample entry is named Opus */
reel_err_t reel_opus_codec_string(char *dst, size_t cap, reel_str_t dops)
    REEL_WARN_UNUSED;

#endif
