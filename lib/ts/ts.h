/*
 * One elementary stream as an MPEG-2 transport stream (ISO 13818-1): H.264
 * as access units with start codes (14496-10, annex B), AAC as ADTS frames
 * (14496-3, 1.A.2).  Fed with the samples of stored fragments in the order
 * of their bytes, it makes one segment of HLS.
 *
 * A segment stands alone: PAT and PMT, then a PES packet for each picture,
 * or for the frames of at most 100 ms of sound.  Each PES packet begins with
 * a PCR; where a picture is shown for longer, packets with a PCR alone
 * follow.  The counters of a segment begin with 0 and it has a multiple of
 * 16 packets of payload, so that they go on over all segments of a
 * rendition, whoever made each.
 *
 * All times are those of the stored track + REEL_TS_OFFSET, modulo 2^33.
 * No DTS lies behind its PTS: where composition offsets are negative, all
 * DTS of the segment are earlier by the most negative one.
 *
 * It allocates nothing, and stops after any packet: input and output may be
 * cut anywhere.
 */

#ifndef REEL_TS_TS_H
#define REEL_TS_TS_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/err.h"
#include "lib/base/str.h"

#define REEL_TS_PACKET     188

/* 90 kHz: what timeline 0 is in every transport stream of ours */
#define REEL_TS_OFFSET     900000

/* 90 kHz: how far the PCR, when bytes come in, is before their DTS */
#define REEL_TS_LEAD       63000

#define REEL_TS_PID_PMT    0x1000
#define REEL_TS_PID_VIDEO  0x100
#define REEL_TS_PID_AUDIO  0x101

/* less input than this is taken only at the end of a fragment */
#define REEL_TS_INPUT_MIN  (REEL_TS_PACKET + 4)

typedef enum {
    REEL_TS_AVC,
    REEL_TS_AAC
} reel_ts_codec_t;

typedef struct {
    reel_ts_codec_t codec;
    reel_str_t      sets;       /* AVC: parameter sets with start codes */
    uint8_t         adts[7];    /* AAC: a frame's header, its length 0 */
    reel_str_t      asc;        /* … and its AudioSpecificConfig, borrowed */
    uint8_t         aac;        /* … and object type */
} reel_ts_config_t;

/* what reel_ts_config needs for a configuration of len bytes */
#define REEL_TS_SETS_MAX(len)  (2 * (len))

/*
 * Reads an AVCDecoderConfigurationRecord (14496-15, 5.3.3.1.2) or an
 * AudioSpecificConfig (14496-3, 1.6.2.1), which is borrowed.  mem has
 * REEL_TS_SETS_MAX bytes and lives as long as c.  REEL_BADDATA;
 * REEL_UNSUPPORTED: samples whose lengths are not of 4 bytes, or sound that
 * ADTS cannot say.
 */
reel_err_t reel_ts_config(reel_ts_config_t *c, reel_ts_codec_t codec,
    reel_str_t config, uint8_t *mem) REEL_WARN_UNUSED;

typedef struct {
    uint32_t size;
    uint32_t duration;          /* ticks */
    int32_t  cts_offset;        /* presentation - decode, ticks */
    bool     sync;
} reel_ts_sample_t;

typedef struct {
    const reel_ts_config_t *config;
    const reel_ts_sample_t *samples;
    uint32_t                nsamples;   /* 1 … 2^20; 0: alone in a segment */
    int64_t                 decode_ts;  /* of the first one, ticks */
} reel_ts_fragment_t;

/* what a segment is of a transport stream: all of it, or see mux.h */
typedef enum {
    REEL_TS_ALONE,
    REEL_TS_PICTURES,           /* has the tables, which name both */
    REEL_TS_SOUND               /* no tables and no PCR */
} reel_ts_part_t;

typedef struct {
    reel_ts_part_t            part;
    uint32_t                  timescale;
    uint32_t                  number;   /* of the segment in its rendition */
    uint32_t                  nfragments;
    const reel_ts_fragment_t *fragments;        /* of one codec */
} reel_ts_segment_t;

typedef struct {
    /* to be read: where it is */
    uint64_t size;              /* of the whole segment */
    uint64_t out;               /* bytes of it that were written */
    uint32_t fragment;          /* whose bytes come next; nfragments: none */
    uint64_t taken;             /* bytes of its samples so far … */
    uint64_t left;              /* … and from here on */

    /* its own */
    const reel_ts_segment_t *seg;
    reel_ts_codec_t codec;
    uint32_t tick;              /* what 100 ms are */
    int64_t  lead_ts;           /* DTS are so much earlier */
    int64_t  stop_ts;           /* no PES begins that has a later one */
    uint8_t  spread;            /* packets that the last PES has more */

    uint32_t sample;            /* next to begin */
    int64_t  decode_ts;         /* of it */
    uint8_t  counter;

    bool     first;             /* the next packet begins the PES */
    bool     sync;
    int64_t  pes_ts;            /* DTS of the PES, ticks */
    uint32_t packets;           /* of it that are left */
    uint64_t bytes;             /* likewise */
    uint32_t aus;               /* samples of it that were not begun */
    uint32_t idle, idled;       /* packets with a PCR alone: left, made */

    uint8_t  head[32];          /* what stands before a sample's bytes */
    uint8_t  head_len, head_at;
    size_t   sets_at, sets_len;
    uint32_t data;              /* bytes of the sample that are left */
    uint32_t nal;               /* bytes to the next NAL unit's length */
    uint8_t  code;              /* bytes of a start code that was cut */
    bool     begins;            /* of the sample nothing was taken yet */
    uint8_t  blank;             /* bytes of a delimiter that become zeros */
} reel_ts_t;

/*
 * Begins a segment; seg and what it points to are borrowed for ts's life.
 * ts->size is what will be written, exactly.  REEL_INVAL: no fragments or
 * samples, several codecs, a timescale of 0; REEL_BADDATA: times beyond 2^62;
 * REEL_LIMIT: a frame longer than ADTS can say.
 */
reel_err_t reel_ts_init(reel_ts_t *ts, const reel_ts_segment_t *seg)
    REEL_WARN_UNUSED;

/*
 * Goes to the last PES packet that begins at or before byte offset of the
 * segment; ts->out tells where that is.
 */
void reel_ts_seek(reel_ts_t *ts, uint64_t offset);

/*
 * Writes whole packets: at most cap bytes to out, *written of them.  in are
 * len bytes of the samples of fragment ts->fragment, from ts->taken on; they
 * may be changed, and those that were taken are counted there.  len must be
 * ts->left or at least REEL_TS_INPUT_MIN to get on.  Comes back when out is
 * full, when it needs more input, before a PES packet that begins later than
 * ts->stop_ts, or at the end of a fragment: then ts->fragment is the next
 * one.  REEL_BADDATA: a sample is not made of whole
 * NAL units; nothing more can be written then.
 */
reel_err_t reel_ts_write(reel_ts_t *ts, uint8_t *out, size_t cap,
    uint8_t *in, size_t len, size_t *written) REEL_WARN_UNUSED;

#endif
