/*
 * What `inspect` found in a source: the facts that the planner needs, and
 * no more.  Printed as JSON into scratch/<job>/inspect.json.
 */

#ifndef REEL_JOB_SOURCE_H
#define REEL_JOB_SOURCE_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/base/err.h"
#include "lib/base/json.h"
#include "lib/codec/codec.h"
#include "lib/index/index.h"
#include "lib/job/warning.h"

#define REEL_SOURCE_KEYFRAMES (1u << 16)    /* printed at most */
#define REEL_SOURCE_TEXTS     32
#define REEL_SOURCE_AUDIOS    8         /* of other languages or roles */
#define REEL_SOURCE_DELAY     16        /* pictures, of any decoder */
#define REEL_SOURCE_KBPS      1000000
#define REEL_PTS_MAX          ((int64_t) 1 << 60)   /* of any pts, either way */

typedef struct {
    uint32_t num, den;          /* den > 0 */
} reel_rational_t;

/*
 * Where a transport or program stream sets its clock anew: what stands at
 * byte `pos` or behind it has its times shifted by `shift` ticks, and so
 * begins at `at`.  Ascending in pos.
 */
#define REEL_SOURCE_JUMPS 32

typedef struct {
    int64_t pos, at, shift;
} reel_jump_t;

typedef struct {
    uint32_t    n;
    reel_jump_t jump[REEL_SOURCE_JUMPS];
} reel_jumps_t;

/* fields of two instants of which the pictures themselves say nothing */
typedef enum {
    REEL_COMBED_NO,
    REEL_COMBED_TOP,            /* the upper lines are the earlier ones */
    REEL_COMBED_BOTTOM
} reel_combed_t;

/* of the first picture */
typedef struct {
    reel_video_range_t range;
    reel_hdr_t         told;    /* of PQ, where the file says it */
} reel_source_light_t;

/* whether the packets can stand in the output as they are */
typedef struct {
    bool     known;             /* facts of before reel looked have none */
    char     refused[64];       /* why not; "" = they can, and: */
    uint32_t gop;               /* pictures: at each multiple of so many, from
                                   the first, is a key frame; 0 = only there */
    uint32_t delay;             /* pictures that decoding runs ahead */
    uint32_t kbps;              /* the most that a GOP has */
} reel_source_copy_t;

/* the same of a sound's access units, of AAC-LC */
typedef struct {
    bool     known;
    char     refused[64];       /* why not; "" = they can, and: */
    int64_t  first_pts;         /* where unit 0 begins; unit n lies as many
                                   units' samples behind it */
    uint32_t kbps;              /* on average */
} reel_source_units_t;

typedef struct {
    int             stream;     /* index in the container; -1 = no video */
    char            codec[32];  /* libavcodec's name */
    reel_rational_t tb;         /* of the pts below */
    reel_jumps_t    jumps;      /* all pts are of the times so shifted */
    int64_t         first_pts;  /* first picture shown */
    int64_t         last_pts;   /* last picture shown … */
    int64_t         last_dur;   /* … and how long, ticks; > 0 */
    uint64_t        frames;     /* pictures shown */
    bool            constant_rate;
    reel_rational_t rate;       /* frames a second; average if variable */
    uint32_t        width, height;      /* shown: after rotation and SAR */
    int             rotation;   /* clockwise degrees to apply: 0 90 180 270 */
    bool            hflip, vflip;       /* applied before rotation */
    bool            interlaced;
    reel_combed_t   combed;             /* interlaced then, too */
    reel_source_light_t light;
    reel_source_copy_t copy;
    /*
     * pts of the packets with a key frame, ascending.  A list beyond
     * REEL_SOURCE_KEYFRAMES is printed thinned: each 2nd, 4th … of them,
     * so that the facts of any film fit a line of the child contract.
     */
    int64_t        *keyframes;          /* owned */
    size_t          nkeyframes;
} reel_source_video_t;

typedef struct {
    int             stream;     /* -1 = no audio */
    char            codec[32];
    reel_rational_t tb;
    reel_jumps_t    jumps;
    int64_t         first_pts;
    int64_t         end_pts;    /* end of the last packet */
    bool            ends;       /* packets' times are where they end */
    uint32_t        sample_rate;
    uint32_t        channels;
    char            language[36];       /* BCP 47, "" unknown */
    char            label[64];          /* UTF-8, no control characters */
    uint32_t        roles;              /* REEL_ROLE_* of lib/index */
    reel_source_units_t units;
} reel_source_audio_t;

/* the picture of a cover, which is no film */
typedef struct {
    int             stream;
    reel_rational_t tb;
    uint32_t        width, height;      /* 0 = none */
} reel_source_cover_t;

/* subtitles that can become WebVTT */
typedef struct {
    int             stream;
    char            codec[32];
    reel_rational_t tb;
    char            language[36];       /* BCP 47, "" unknown */
    char            label[64];          /* UTF-8, no control characters */
    uint32_t        roles;              /* REEL_ROLE_* of lib/index */
} reel_source_text_t;

/*
 * What trial encodes of a few seconds found: a size at a quality each.  The
 * last one is the smallest size once more, REEL_TRIAL_STEP of CRF worse.
 */
#define REEL_TRIALS      17
#define REEL_TRIAL_STEP  6
#define REEL_LOSS_ALL    1000000

typedef struct {
    uint32_t width, height, crf;
    uint32_t kbps;
    uint32_t loss;      /* 1 - SSIM of the luma, millionths */
    uint32_t soft;      /* the same between this size and the next smaller
                           one scaled up, neither encoded; LOSS_ALL = not
                           known */
} reel_trial_t;

typedef struct {
    uint32_t     n;             /* 0 = nothing was tried */
    reel_trial_t v[REEL_TRIALS];
} reel_trials_t;

typedef struct {
    char                format[64];     /* demuxer */
    uint64_t            bytes;
    reel_source_video_t video;
    reel_source_audio_t audio;          /* the one to begin with … */
    reel_source_audio_t more[REEL_SOURCE_AUDIOS - 1];   /* … and others */
    size_t              nmore;
    reel_source_cover_t cover;
    reel_source_text_t  texts[REEL_SOURCE_TEXTS];
    size_t              ntexts;
    reel_trials_t       trials;         /* of the task complexity */
    reel_warnings_t     warnings;       /* of which the planner knows nothing */
} reel_source_t;

/* of libavformat's names: times behind a seek are the same as those of a file
   that is read from its beginning */
bool reel_format_seeks(const char *format);

/* of the same: packets are found without reading those between them */
bool reel_format_is_indexed(const char *format);

/* sound i of 1 + nmore */
const reel_source_audio_t *reel_source_audio(const reel_source_t *s,
    size_t i);

/* "trials", left out where there is none: the numbers of each in a row */
void reel_trials_print(reel_json_t *j, const reel_trials_t *t);

/* of the object that it prints into */
reel_err_t reel_trials_parse(reel_trials_t *t, const char *json, size_t len,
    reel_error_t *e) REEL_WARN_UNUSED;

reel_err_t reel_source_print(reel_buf_t *b, const reel_source_t *s)
    REEL_WARN_UNUSED;
reel_err_t reel_source_parse(reel_source_t *s, const char *json, size_t len,
    reel_error_t *e) REEL_WARN_UNUSED;
void reel_source_release(reel_source_t *s);

#endif
