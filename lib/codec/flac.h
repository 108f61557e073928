/*
 * FLAC (RFC 9639, 8): STREAMINFO to dfLa ("Encapsulation of FLAC in ISO Base
 * Media File Format", 3.3.2)
 */

#ifndef REEL_CODEC_FLAC_H
#define REEL_CODEC_FLAC_H

#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/base/err.h"
#include "lib/base/str.h"
#include "lib/codec/codec.h"

/*
 * Appends a dfLa payload made of STREAMINFO's 34 bytes (an encoder's global
 * header) or of a stream's beginning, "fLaC" and metadata blocks; of those
 * only STREAMINFO is kept.
 */
reel_err_t reel_flac_config(reel_buf_t *dfla, const uint8_t *extradata,
    size_t len) REEL_WARN_UNUSED;

/* frame is the longest block */
reel_err_t reel_flac_facts(reel_codec_facts_t *f, reel_str_t dfla)
    REEL_WARN_UNUSED;

/* "fLaC", as the sample entry is named */
reel_err_t reel_flac_codec_string(char *dst, size_t cap, reel_str_t dfla)
    REEL_WARN_UNUSED;

#endif
