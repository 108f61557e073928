/*
 * What a task is told and what it answers.  A payload is the JSON string
 * that travels through Redis (≤ REEL_PAYLOAD_MAX) and is all a task needs
 * besides its source; an answer is what the child prints and what stands in
 * scratch/<job>/<task>.json.  Both sides use these structs.
 *
 * Time.  The output timeline starts at 0 = the earliest kept track.  A
 * payload gives `origin`, that instant in the source stream's time base;
 * grid k lies at k * gop_ts of `timescale`.  Chunk [frag_from, frag_to) is
 * the output fragments (= GOPs) it makes.  Sound may begin before the
 * origin, by less than a frame: what lies before it is dropped.
 */

#ifndef REEL_JOB_TASK_H
#define REEL_JOB_TASK_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/base/err.h"
#include "lib/index/index.h"
#include "lib/index/writer.h"
#include "lib/job/pipeline.h"
#include "lib/job/source.h"

#define REEL_PAYLOAD_MAX  4096
#define REEL_ANSWER_MAX   (32u << 20)   /* bytes of an answer, 25 h of sound */
#define REEL_TASK_RUNGS   REEL_PIPELINE_RUNGS
#define REEL_RUNG_EVERY   16    /* at most */
/* each sound in two channels, and in 5.1 */
#define REEL_TASK_SOUNDS  (2 * REEL_SOURCE_AUDIOS)
#define REEL_PLAN_WHY     128   /* bytes of "encoded: " and why */
#define REEL_TASK_NAME    32    /* bytes of a task's name, terminator too */

/* the grid, the same in every payload of a job */
typedef struct {
    uint32_t timescale;
    uint32_t gop_ts;            /* ticks a fragment; below copied pictures
                                   the last one may have up to twice */
    uint32_t frame_ts;          /* ticks a frame; 0 = variable rate */
    uint32_t fragments;         /* of the whole timeline */
    int64_t  end_ts;            /* end of the timeline */
} reel_grid_t;

/* where fragment n starts, or the film ends */
static inline int64_t
reel_grid_tick(const reel_grid_t *g, uint32_t n)
{
    int64_t ts = (int64_t) n * g->gop_ts;

    return n == g->fragments || ts > g->end_ts ? g->end_ts : ts;
}

typedef struct {
    char     name[33];          /* "v720" */
    uint32_t width, height;     /* even */
    uint32_t crf, max_kbps, buf_kbits;
    uint32_t every;             /* of the film's pictures it has each so many,
                                   a power of two; a GOP of a constant rate
                                   is of whole ones */
    bool     hdr;               /* the task's light is kept, in 10 bits */
    reel_video_codec_t codec;
    char     preset[16];        /* "" = the task's */
} reel_video_rung_t;

typedef struct {
    reel_grid_t       grid;
    int               stream;
    reel_rational_t   tb;
    reel_jumps_t      jumps;
    int64_t           origin;           /* timeline 0 in tb */
    int64_t           seek_pts;         /* key frame to start decoding at */
    uint32_t          chunk;            /* number, names the object */
    uint32_t          frag_from, frag_to;
    reel_rational_t   rate;
    int               rotation;
    bool              hflip, vflip, interlaced;
    reel_combed_t     combed;
    reel_source_light_t light;          /* of the film; SDR: no rung keeps it */
    char              preset[16];
    uint32_t          threads;
    reel_mark_t       mark;             /* image "": none */
    bool              copy;             /* the source's packets, not encoded:
                                           one rung */
    uint32_t          delay;            /* of them, as in reel_source_copy_t */
    uint32_t          nrungs;           /* all from one decode */
    reel_video_rung_t rungs[REEL_TASK_RUNGS];
} reel_encode_video_t;

/* pictures a second of which every so-manieth is kept */
reel_rational_t reel_rate_kept(reel_rational_t rate, uint32_t every);

/* pictures a second of one of its rungs */
reel_rational_t reel_rung_rate(const reel_encode_video_t *t,
    const reel_video_rung_t *r);

/* loudness is told the same: what is measured is what is encoded */
typedef struct {
    reel_grid_t     grid;
    int             stream;
    reel_rational_t tb;
    reel_jumps_t    jumps;
    int64_t         origin;
    bool            ends;               /* as of reel_source_audio_t */
    char            name[33];           /* "a128", "a128-fr" */
    reel_audio_codec_t codec;
    uint32_t        kbps, channels, sample_rate;
    char            language[36];
    char            label[64];
    uint32_t        roles;
    uint32_t        object_frags;       /* fragments an object, about 60 s */
    bool            copy;               /* the source's access units */
    int             lufs;               /* how loud it becomes; 0 = as it is */
    char            measured[REEL_TASK_NAME];   /* by that task; "": by the
                                                   encode itself */
    uint32_t        frag_from, frag_to; /* a0 the head, a1 … the rest */
} reel_encode_audio_t;

#define REEL_COMPLEXITY_SAMPLES 6
#define REEL_COMPLEXITY_SKIP    600     /* pictures decoded in vain for one */

/* pieces of the film to be encoded in trial: pictures from from_pts on */
typedef struct {
    int             stream;
    reel_rational_t tb;
    reel_jumps_t    jumps;
    reel_rational_t rate;
    int             rotation;
    bool            hflip, vflip, interlaced;
    reel_combed_t   combed;
    uint32_t        tries;              /* then the film goes without */
    uint32_t        frames;             /* of a sample, at most */
    uint32_t        nsamples;
    struct {
        int64_t     seek_pts, from_pts;
    } samples[REEL_COMPLEXITY_SAMPLES]; /* from_pts rise */
    reel_trials_t   trials;             /* their sizes and CRFs */
} reel_complexity_t;

typedef struct {
    int             stream;
    reel_rational_t tb;
    reel_jumps_t    jumps;
    int64_t         at_pts;
    int             rotation;
    bool            hflip, vflip;
    reel_combed_t   combed;
    uint32_t        width, height;
} reel_poster_t;

/*
 * Pictures at equal steps of the timeline: picture i of each set shows the
 * film at i * interval_ms.  A set is one output: JPEGs of columns x rows
 * pictures each, behind one another.
 */
#define REEL_STORY_SETS     (REEL_PIPELINE_WIDTHS + 1)
#define REEL_STORY_PICTURES 1000

typedef struct {
    uint32_t width, height;     /* of a picture; even */
    uint32_t columns, rows;     /* of a sheet; 1 x 1: single frames */
} reel_story_set_t;

typedef struct {
    int              stream;
    reel_rational_t  tb;
    reel_jumps_t     jumps;
    int64_t          origin;    /* timeline 0 in tb */
    uint32_t         interval_ms;
    uint32_t         count;     /* pictures */
    bool             exact;     /* the picture of the instant, not the key
                                   frame before it */
    int              rotation;
    bool             hflip, vflip;
    uint32_t         tries;     /* then the film goes without */
    uint32_t         nsets;
    reel_story_set_t sets[REEL_STORY_SETS];
} reel_storyboard_t;

/*
 * Subtitles of one walk over the source.  Each that has anything to read is
 * one output and one object: WebVTT of the whole timeline.
 */
#define REEL_SUBTITLES_TEXTS 8

typedef struct {
    char            name[33];           /* "t-en", "t-en-2" */
    int             stream;
    reel_rational_t tb;
    int64_t         origin;             /* timeline 0 in tb */
    char            language[36];
    char            label[64];
    uint32_t        roles;
} reel_text_track_t;

typedef struct {
    reel_grid_t       grid;
    reel_jumps_t      jumps;            /* of all: tracks jump together */
    uint32_t          tries;            /* then the film goes without */
    uint32_t          ntexts;
    reel_text_track_t texts[REEL_SUBTITLES_TEXTS];
} reel_subtitles_t;

/*
 * A program of the pipeline's.  Only what the worker's own pipeline file
 * names is run: the command here tells whether that is still the same.
 */
typedef struct {
    char     node[REEL_NODE_NAME];
    char     file[REEL_EXEC_FILE];
    uint32_t first, count;      /* of a fan-out: so many of its tasks; 0 = it
                                   has one task, without a number */
} reel_exec_input_t;

typedef struct {
    char              node[REEL_NODE_NAME];
    uint32_t          tries;            /* then the film goes without; 0 =
                                           it does not */
    uint32_t          nwords;
    char              command[REEL_EXEC_COMMAND];
    bool              source, inspect;  /* the film, and its facts */
    uint32_t          ninputs;
    reel_exec_input_t inputs[REEL_NODE_LINKS];
    uint32_t          noutputs;
    reel_output_t     outputs[REEL_NODE_LINKS];

    /* what it is about */
    reel_each_t       each;
    uint32_t          number;           /* which of them */
    uint32_t          from_ms, to_ms;
    uint32_t          width, height;    /* 0 = no picture */
    char              rendition[33];    /* "" */
    int               stream;           /* of a sound; -1 */
    char              language[36];
} reel_exec_t;

/* the tasks of a node whose files stay, or that may have been given up */
typedef struct {
    char     node[REEL_NODE_NAME];
    uint32_t count;             /* 0 = one, without a number */
} reel_publish_files_t;

/*
 * publish0 (growing) shows chunk 0 as soon as its lowest rung and the head
 * of the sound stand; publish shows everything.  While growing a segment
 * is one fragment, so frag_to may be any number and no segment ever changes.
 * Both keep one salt: they are one publication.
 */
typedef struct {
    reel_grid_t grid;           /* of the whole timeline */
    bool        growing;        /* publish what is there, not the end */
    uint32_t    frag_to;        /* fragments [0, frag_to) are published */
    uint32_t    chunks;         /* video chunks; 0 = no video */
    uint32_t    first_groups;   /* groups of rungs of chunk 0: v0.0 … */
    uint32_t    groups;         /* groups of rungs of every other chunk */
    uint32_t    audios;         /* stretches of sound: a0 …; 0 = no sound */
    uint32_t    audio_tracks;   /* renditions, each in as many: a0,
                                   a0.1 …; 0 = none */
    bool        poster;
    bool        storyboard;
    uint32_t    texts;          /* tasks of subtitles: t0 … */
    uint32_t    nfiles;
    reel_publish_files_t files[REEL_PIPELINE_NODES];
    uint64_t    frames;         /* pictures each video rendition must have;
                                   0 = not known (variable rate) */
    char        copied[33];     /* but for this one, the source's packets */
    uint64_t    copied_frames;  /* beside encoded ones, which has so many;
                                   "" = none */
    char        pictures[REEL_PLAN_WHY];    /* as in reel_plan_t, for … */
    char        sound[REEL_PLAN_WHY];       /* … result.json */
} reel_publish_t;

reel_err_t reel_encode_video_print(reel_buf_t *b,
    const reel_encode_video_t *t) REEL_WARN_UNUSED;
reel_err_t reel_encode_video_parse(reel_encode_video_t *t, const char *json,
    size_t len, reel_error_t *e) REEL_WARN_UNUSED;
reel_err_t reel_encode_audio_print(reel_buf_t *b,
    const reel_encode_audio_t *t) REEL_WARN_UNUSED;
reel_err_t reel_encode_audio_parse(reel_encode_audio_t *t, const char *json,
    size_t len, reel_error_t *e) REEL_WARN_UNUSED;
reel_err_t reel_complexity_print(reel_buf_t *b, const reel_complexity_t *t)
    REEL_WARN_UNUSED;
reel_err_t reel_complexity_parse(reel_complexity_t *t, const char *json,
    size_t len, reel_error_t *e) REEL_WARN_UNUSED;
reel_err_t reel_poster_print(reel_buf_t *b, const reel_poster_t *t)
    REEL_WARN_UNUSED;
reel_err_t reel_poster_parse(reel_poster_t *t, const char *json, size_t len,
    reel_error_t *e) REEL_WARN_UNUSED;
reel_err_t reel_storyboard_print(reel_buf_t *b, const reel_storyboard_t *t)
    REEL_WARN_UNUSED;
reel_err_t reel_storyboard_parse(reel_storyboard_t *t, const char *json,
    size_t len, reel_error_t *e) REEL_WARN_UNUSED;
reel_err_t reel_subtitles_print(reel_buf_t *b, const reel_subtitles_t *t)
    REEL_WARN_UNUSED;
reel_err_t reel_subtitles_parse(reel_subtitles_t *t, const char *json,
    size_t len, reel_error_t *e) REEL_WARN_UNUSED;
reel_err_t reel_exec_print(reel_buf_t *b, const reel_exec_t *t)
    REEL_WARN_UNUSED;
reel_err_t reel_exec_parse(reel_exec_t *t, const char *json, size_t len,
    reel_error_t *e) REEL_WARN_UNUSED;
reel_err_t reel_publish_print(reel_buf_t *b, const reel_publish_t *t)
    REEL_WARN_UNUSED;
reel_err_t reel_publish_parse(reel_publish_t *t, const char *json, size_t len,
    reel_error_t *e) REEL_WARN_UNUSED;

/*
 * Task names: "inspect", "plan", "v<chunk>.<group>", "a<stretch>" of the
 * first rendition of sound and "a<stretch>.<number>" of the others, "poster",
 * "storyboard", "t<number>", "publish0", "publish".
 */
void reel_task_name_video(char dst[REEL_TASK_NAME], uint32_t chunk,
    uint32_t group);
void reel_task_name_audio(char dst[REEL_TASK_NAME], uint32_t stretch,
    uint32_t track);
void reel_task_name_text(char dst[REEL_TASK_NAME], uint32_t number);
void reel_task_name_exec(char dst[REEL_TASK_NAME], const char *node,
    bool numbered, uint32_t number);    /* "<node>", "<node>.<number>" */

/*
 * Access-unit arithmetic of the audio grid, in one place: the first access
 * unit (of 1024 samples) whose pts is >= grid k, and the number of access
 * units of the whole timeline: they cover end_ts, and at least one starts
 * in the last slot.
 */
uint32_t reel_audio_frame(reel_audio_codec_t c);    /* samples: 1024, 960 */

/* in whose place a codec of other units gives the rate at which 1024 samples
   take as long as one of them */
uint32_t reel_audio_unit_rate(reel_audio_codec_t c, uint32_t sample_rate);
int64_t reel_audio_first_au(const reel_grid_t *g, uint32_t sample_rate,
    uint32_t k);
int64_t reel_audio_total_aus(const reel_grid_t *g, uint32_t sample_rate);

/* one finished object of an answer */
typedef struct {
    char                rendition[33];
    char                name[64];       /* "<chunk>-<token>.mp4", "" while
                                           the child knows no token */
    uint32_t            frag_from;
    uint64_t            base;           /* bytes of the CMAF header */
    uint64_t            bytes;
    uint8_t            *header;         /* CMAF header, owned */
    size_t              header_len;
    reel_ix_fragment_t *frags;          /* owned */
    uint32_t            nfrags;
    uint64_t            samples;        /* sum, for the count check */

    /* facts of the rendition, from the encoder's own output */
    reel_kind_t         kind;
    char                codec[64];      /* RFC 6381 */
    uint32_t            timescale;
    uint32_t            width, height;
    reel_rational_t     rate;
    uint32_t            channels, sample_rate;
    char                language[36];
    char                label[64];      /* sound, text */
    uint32_t            roles;          /* sound, text */
} reel_encoded_t;

/* one finished set of pictures of an answer */
typedef struct {
    char     object[64];        /* "frames-320-<token>.jpgs", "" while the
                                   child knows no token */
    uint32_t width, height, columns, rows, interval_ms, count;
    uint32_t nsheets;           /* ceil(count / (columns * rows)) */
    uint32_t sizes[REEL_STORY_PICTURES];        /* bytes of each sheet */
    uint64_t bytes;             /* their sum */
} reel_story_t;

/* a file that exec made: file/<object> of the asset */
#define REEL_ANSWER_FILES REEL_NODE_LINKS

typedef struct {
    char     name[REEL_EXEC_FILE];
    char     object[64];
    uint64_t bytes;
    bool     keep;              /* beyond the job's end */
} reel_file_t;

/*
 * The answer of encode_video, encode_audio (and its .part), poster,
 * storyboard, extract_subtitles, loudness, complexity and exec.
 */
typedef struct {
    char            digest[65];         /* SHA-256 hex of the payload */
    reel_encoded_t *objects;            /* owned */
    size_t          nobjects;
    char            image[64];          /* poster: object name */
    uint32_t        image_width, image_height, image_bytes;
    reel_story_t   *stories;            /* owned */
    size_t          nstories;
    size_t          nfiles;
    reel_file_t     files[REEL_ANSWER_FILES];
    bool            loudness;           /* it was measured: */
    int             clufs;              /* hundredths of LUFS */
    reel_trials_t   trials;             /* complexity */
    reel_warnings_t warnings;
} reel_answer_t;

#define REEL_CLUFS_MIN (-10000)
#define REEL_CLUFS_MAX 3000

reel_err_t reel_encoded_print(reel_buf_t *b, const reel_encoded_t *o)
    REEL_WARN_UNUSED;
reel_err_t reel_encoded_parse(reel_encoded_t *o, const char *json, size_t len,
    reel_error_t *e) REEL_WARN_UNUSED;
void reel_encoded_release(reel_encoded_t *o);
reel_err_t reel_story_print(reel_buf_t *b, const reel_story_t *s)
    REEL_WARN_UNUSED;
reel_err_t reel_story_parse(reel_story_t *s, const char *json, size_t len,
    reel_error_t *e) REEL_WARN_UNUSED;
reel_err_t reel_answer_print(reel_buf_t *b, const reel_answer_t *a)
    REEL_WARN_UNUSED;
reel_err_t reel_answer_parse(reel_answer_t *a, const char *json, size_t len,
    reel_error_t *e) REEL_WARN_UNUSED;
void reel_answer_release(reel_answer_t *a);

#endif
