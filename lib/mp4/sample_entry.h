/*
 * Sample entries of stsd: what a decoder must know (ISO 14496-12, 8.5.2).
 * All that sets one codec apart from another in a file is its row here.
 */

#ifndef REEL_MP4_SAMPLE_ENTRY_H
#define REEL_MP4_SAMPLE_ENTRY_H

#include "lib/base/reader.h"
#include "lib/codec/codec.h"
#include "lib/mp4/cmaf.h"

typedef struct {
    reel_codec_t codec;
    uint32_t     track;         /* REEL_TRACK_VIDEO or _AUDIO */
    char         entry[5];      /* type of the sample entry, */
    char         box[5];        /* and of the box with the configuration, */
    size_t       config_max;    /* which is no longer */

    /* the CMAF media profile, or whatever else readers look for; 0 = none */
    uint32_t   (*brand)(const reel_cmaf_track_t *t,
                        const reel_codec_facts_t *f);

    /* what a configuration tells, and its RFC 6381 string */
    reel_err_t (*facts)(reel_codec_facts_t *f, reel_str_t config);
    reel_err_t (*string)(char *dst, size_t cap, reel_str_t config);

    /* the payload of that box; NULL: the configuration and nothing else */
    void       (*write)(reel_buf_t *b, const reel_cmaf_track_t *t);
    reel_err_t (*read)(reel_cmaf_track_t *t, reel_reader_t *r);
} reel_mp4_codec_t;

/* NULL when there is none */
const reel_mp4_codec_t *reel_mp4_codec(reel_codec_t codec);

/* appends the entry of a track that has been checked */
void reel_mp4_write_entry(reel_buf_t *b, const reel_cmaf_track_t *t);

/* reads an entry's payload into t, of which codec and below are filled in */
reel_err_t reel_mp4_read_entry(reel_cmaf_track_t *t, uint32_t type,
    reel_reader_t *r, reel_error_t *e) REEL_WARN_UNUSED;

#endif
