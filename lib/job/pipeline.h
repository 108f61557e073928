/*
 * A pipeline: what a job makes of a source.  lib/conf fills it from
 * a YAML file, lib/job/plan.c expands it.
 */

#ifndef REEL_JOB_PIPELINE_H
#define REEL_JOB_PIPELINE_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/err.h"
#include "lib/base/str.h"
#include "lib/job/limits.h"

#define REEL_PIPELINE_RUNGS  16
#define REEL_PIPELINE_WIDTHS 2   /* of a storyboard's pictures */
#define REEL_PIPELINE_NODES  26

#define REEL_RUNG_BUF_LEAST  50  /* kbit: less than a picture */

#define REEL_NODE_NAME       21     /* terminated */
#define REEL_NODE_LINKS      8      /* after, inputs, outputs: of each */
#define REEL_NODE_LABELS     96
#define REEL_NODE_UNSET      UINT32_MAX
#define REEL_EXEC_COMMAND    768    /* all words, each terminated; a payload
                                       holds them, escaped, and all files */
#define REEL_EXEC_WORDS      32
#define REEL_EXEC_FILE       33     /* a file's name, terminated */

typedef enum {
    REEL_VIDEO_H264,
    REEL_VIDEO_HEVC,
    REEL_VIDEO_AV1,
    REEL_VIDEO_CODECS           /* their number */
} reel_video_codec_t;

const char *reel_video_codec_name(reel_video_codec_t c);    /* "h264" */

/* false: none has that name, and *c is as before */
bool reel_video_codec_find(const char *name, reel_video_codec_t *c);

typedef enum {
    REEL_AUDIO_AAC,
    REEL_AUDIO_OPUS,
    REEL_AUDIO_CODECS           /* their number */
} reel_audio_codec_t;

const char *reel_audio_codec_name(reel_audio_codec_t c);    /* "aac" */

/* false: none has that name, and *c is as before */
bool reel_audio_codec_find(const char *name, reel_audio_codec_t *c);

/* of Opus, a channel: libopus takes no more */
#define REEL_OPUS_KBPS_MAX 256

/* what pictures that are copied become */
typedef enum {
    REEL_COPY_ONLY,             /* the film's only rendition */
    REEL_COPY_TOP,              /* the largest one, smaller ones are encoded */
    REEL_COPY_ASES              /* their number */
} reel_copy_as_t;

/* "only", "top"; false: none has that name, and *c is as before */
bool reel_copy_as_find(const char *name, reel_copy_as_t *c);

/* speed presets of the encoder */
const char *reel_video_preset_default(reel_video_codec_t c);
bool reel_video_preset_valid(reel_video_codec_t c, const char *preset);

/* what becomes of pictures of high dynamic range */
typedef enum {
    REEL_HDR_UNSAID,            /* of a rung: as the pipeline says, H.264 MAP */
    REEL_HDR_MAP,               /* to SDR */
    REEL_HDR_KEEP,              /* in 10 bits */
    REEL_HDRS                   /* their number */
} reel_hdr_use_t;

/* "map", "keep"; false: none has that name, and *u is as before */
bool reel_hdr_use_find(const char *name, reel_hdr_use_t *u);

typedef struct {
    reel_video_codec_t codec;
    uint32_t short_side;        /* 1080, 720, … pixels, even */
    uint32_t crf;               /* 0 … 51, of AV1 0 … 63 */
    uint32_t max_kbps;          /* VBV rate */
    uint32_t buf_kbits;         /* VBV buffer */
    uint32_t max_fps;           /* 0 = as of its size, plan_rung.c */
    reel_hdr_use_t hdr;
    char     preset[16];        /* "" = as of the codec */
    char     when[REEL_WHEN_MAX + 1];
} reel_rung_t;

typedef enum {
    REEL_TASK_INSPECT,
    REEL_TASK_PLAN,
    REEL_TASK_ENCODE_VIDEO,
    REEL_TASK_ENCODE_AUDIO,
    REEL_TASK_POSTER,
    REEL_TASK_STORYBOARD,
    REEL_TASK_SUBTITLES,
    REEL_TASK_LOUDNESS,
    REEL_TASK_COMPLEXITY,
    REEL_TASK_PUBLISH,
    REEL_TASK_EXEC,             /* the last: those before it are built in */
    REEL_TASK_TYPES             /* their number */
} reel_task_type_t;

const char *reel_task_type_name(reel_task_type_t t);    /* "encode_video" */

typedef enum {
    REEL_EACH_NONE,
    REEL_EACH_CHUNK,
    REEL_EACH_RENDITION,
    REEL_EACH_AUDIO_TRACK,
    REEL_EACHES                 /* their number */
} reel_each_t;

const char *reel_each_name(reel_each_t e);              /* "chunk" */

/* a file that exec makes */
typedef struct {
    char     name[REEL_EXEC_FILE];
    uint32_t max_mib;
    bool     keep;              /* an object of the asset, not only an input */
} reel_output_t;

/* a file that exec gets: "source", "inspect", or of a task */
typedef struct {
    char from[REEL_NODE_NAME];
    char file[REEL_EXEC_FILE];  /* "" of the first two */
} reel_input_t;

/*
 * A node of the graph: what becomes none, one or many tasks of a type.  The
 * first REEL_TASK_EXEC of a pipeline are the built-in ones, named after
 * their types.
 */
typedef struct {
    char             name[REEL_NODE_NAME];
    reel_task_type_t type;
    bool             off;
    bool             optional;              /* exec: the film may go without */
    reel_each_t      each;
    char             when[REEL_WHEN_MAX + 1];
    uint32_t         attempts;
    uint32_t         timeout_s;
    uint32_t         slots, memory_mib, priority;   /* or REEL_NODE_UNSET */
    uint32_t         cost_s;                /* exec: what a task takes … */
    uint32_t         cost_percent;          /* … and of the time of the film,
                                               or chunk, that it is about */
    char             labels[REEL_NODE_LABELS];      /* csv, sorted */
    reel_video_codec_t codec;               /* encode_video; _CODECS = rest */
    uint32_t         nafter;
    char             after[REEL_NODE_LINKS][REEL_NODE_NAME];
    uint32_t         nwords;
    char             command[REEL_EXEC_COMMAND];
    uint32_t         line;                  /* of its command in the file */
    uint32_t         ninputs;
    reel_input_t     inputs[REEL_NODE_LINKS];
    uint32_t         noutputs;
    reel_output_t    outputs[REEL_NODE_LINKS];
} reel_node_t;

typedef enum {
    REEL_MARK_TOP_LEFT,
    REEL_MARK_TOP_RIGHT,
    REEL_MARK_BOTTOM_LEFT,
    REEL_MARK_BOTTOM_RIGHT,
    REEL_MARK_CENTER,
    REEL_MARK_POSITIONS         /* their number */
} reel_mark_position_t;

const char *reel_mark_position_name(reel_mark_position_t p);

/* false: none has that name, and *p is as before */
bool reel_mark_position_find(const char *name, reel_mark_position_t *p);

#define REEL_MARK_BYTES  (1u << 20)     /* of the image, at most */
#define REEL_MARK_CHARS  64             /* of the text, at most */
#define REEL_MARK_DRAWN  "text"         /* the image's name, where plan draws
                                           it of the text */

/* of a text that names no font: of Debian's fonts-dejavu-core */
#define REEL_MARK_FONT   "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf"

/* an image over each picture of each rendition */
typedef struct {
    char     image[REEL_EXEC_FILE];     /* PNG beside the pipeline; "" = no */
    char     sum[65];                   /* SHA-256 of its bytes, hex */
    char     text[4 * REEL_MARK_CHARS + 1];     /* UTF-8; "" = an image */
    char     font[REEL_EXEC_FILE];      /* beside the pipeline; "" = above */
    uint32_t color;                     /* of the text, 0xrrggbb */
    reel_mark_position_t position;
    uint32_t opacity;                   /* percent */
    uint32_t width;                     /* percent of the picture's */
    uint32_t margin;                    /* percent of its shorter side */
} reel_mark_t;

/* of a file beside the pipeline; folder: its own, "" = the current one */
reel_err_t reel_pipeline_path(char *dst, size_t size, reel_str_t folder,
    const char *file) REEL_WARN_UNUSED;

/* the path of its text's font; folder: as above */
reel_err_t reel_mark_font(char *dst, size_t size, const reel_mark_t *m,
    reel_str_t folder) REEL_WARN_UNUSED;

typedef struct {
    char             name[33];
    reel_video_codec_t codec;               /* of rungs that say none */
    char             preset[16];            /* of that codec's encoder */
    reel_hdr_use_t   hdr;                   /* of rungs that say none: MAP */
    uint32_t         gop_ms;                /* 2000 */
    uint32_t         copy_max_kbps;         /* 0 = pictures are encoded */
    uint32_t         copy_codecs;           /* bits, 1 << reel_video_codec_t;
                                               of H.264 alone */
    reel_copy_as_t   copy_as;               /* REEL_COPY_ONLY */
    uint32_t         chunk_min_s;           /* 6 */
    uint32_t         chunk_target_s;        /* 12 */
    uint32_t         chunk_max_s;           /* 30 */
    uint32_t         first_chunk_s;         /* 4 */
    uint32_t         encoder_threads;       /* 1 */
    uint32_t         nrungs;
    reel_rung_t      rungs[REEL_PIPELINE_RUNGS];    /* falling short side */
    reel_audio_codec_t audio_codec;
    uint32_t         audio_kbps;            /* 128; 0 = no audio */
    uint32_t         audio_copy_max_kbps;   /* 0 = it is encoded */
    uint32_t         audio_channels;        /* 2 */
    bool             audio_surround;        /* 5.1 beside it, where there is */
    uint32_t         audio_surround_kbps;   /* 384 */
    uint32_t         audio_object_s;        /* 60 */
    uint32_t         audio_tracks;          /* 8 at most */
    int              audio_lufs;            /* loudness; 0 = as it is */
    uint32_t         poster_percent;        /* 10: where in the film */
    uint32_t         poster_width;          /* 1280 at most */
    uint32_t         story_interval_s;      /* 2 at least; 0 = none */
    uint32_t         nstory_widths;         /* 2 */
    uint32_t         story_widths[REEL_PIPELINE_WIDTHS];    /* rising */
    uint32_t         story_tile_width;      /* 160 */
    uint32_t         story_columns;         /* 5 tiles a sheet … */
    uint32_t         story_rows;            /* … 5 */
    bool             subtitles;             /* true */
    reel_mark_t      mark;
    uint32_t         title_ssim;            /* rates by the film: enough, in
                                               thousandths; 0 = as written */
    uint32_t         title_crf_above;       /* 6: added at most */
    uint32_t         title_drop_percent;    /* 80: of the next larger rate */
    uint32_t         nnodes;                /* REEL_TASK_EXEC or more */
    reel_node_t      nodes[REEL_PIPELINE_NODES];
} reel_pipeline_t;

/* the values of conf/pipelines/default.yaml; a test compares the two */
void reel_pipeline_default(reel_pipeline_t *p);

/* a node of that type and name with nothing else said; name fits */
void reel_node_init(reel_node_t *n, reel_task_type_t type, const char *name);

/* of exec's files: [A-Za-z0-9][A-Za-z0-9._-]{0,31} */
bool reel_file_name_valid(reel_str_t s);

/* NULL: none has that name */
const reel_node_t *reel_pipeline_node(const reel_pipeline_t *p,
    const char *name);

/*
 * What the members must fulfil together (rungs fall, chunk sizes contain
 * one another): REEL_INVAL with a text, and *key says which part is wrong
 * ("rungs", "chunks").  Each member's own range is for who reads it from
 * outside.
 */
reel_err_t reel_pipeline_check(const reel_pipeline_t *p, const char **key,
    reel_error_t *e) REEL_WARN_UNUSED;

#endif
