/*
 * AAC-LC, HE-AAC and HE-AAC v2: AudioSpecificConfig (ISO 14496-3, 1.6.2.1)
 * and its RFC 6381 string
 */

#ifndef REEL_CODEC_AAC_H
#define REEL_CODEC_AAC_H

#include <stddef.h>
#include <stdint.h>

#include "lib/base/err.h"
#include "lib/base/str.h"
#include "lib/codec/codec.h"

#define REEL_AAC_FRAME 1024     /* samples of one access unit */

/* bytes of a configuration: keeps every descriptor of esds below 128 */
#define REEL_AAC_CONFIG_MAX 64

/* object types (14496-3, table 1.17) */
#define REEL_AAC_SBR   5
#define REEL_AAC_PS    29

typedef struct {
    uint8_t  object_type;       /* 2 = AAC-LC, REEL_AAC_SBR, REEL_AAC_PS */
    uint32_t sample_rate;       /* as heard: SBR doubles the core's */
    uint8_t  channels;          /* as heard: PS makes two of one */
    uint16_t frame;             /* samples at that rate an access unit */
} reel_aac_config_t;

/*
 * SBR and PS are found where they are signalled, in either way: object types
 * 5 and 29 around AAC-LC, or the extension behind its specific config.  What
 * only the access units tell (implicit signalling) is AAC-LC.
 */
reel_err_t reel_aac_config(reel_aac_config_t *c, reel_str_t asc)
    REEL_WARN_UNUSED;

/* errors as above */
reel_err_t reel_aac_facts(reel_codec_facts_t *f, reel_str_t asc)
    REEL_WARN_UNUSED;

/* "mp4a.40.2"; dst has at least 12 bytes */
reel_err_t reel_aac_codec_string(char *dst, size_t cap, reel_str_t asc)
    REEL_WARN_UNUSED;

#define REEL_AAC_SILENCE 6      /* bytes of a silent access unit, at most */

/*
 * The bytes of a raw_data_block() without a sound, 14496-3, 4.4.2.1, of one
 * channel or two; returns their number.
 */
size_t reel_aac_silence(uint8_t dst[REEL_AAC_SILENCE], unsigned channels);

#endif
