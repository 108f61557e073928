/*
 * A pipeline: what a job makes of a source.  lib/conf fills it from
 * a YAML file, lib/job/plan.c expands it.
 */

#ifndef REEL_JOB_PIPELINE_H
#define REEL_JOB_PIPELINE_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/err.h"

#define REEL_PIPELINE_RUNGS  16
#define REEL_PIPELINE_WIDTHS 2   /* of a storyboard's pictures */

typedef struct {
    uint32_t short_side;        /* 1080, 720, … pixels, even */
    uint32_t crf;               /* x264, 0 … 51 */
    uint32_t max_kbps;          /* VBV rate */
    uint32_t buf_kbits;         /* VBV buffer */
} reel_rung_t;

/* what every task type may set; 0 = the built-in default */
typedef struct {
    uint32_t attempts;
    uint32_t timeout_s;
} reel_task_opts_t;

typedef enum {
    REEL_TASK_INSPECT,
    REEL_TASK_PLAN,
    REEL_TASK_ENCODE_VIDEO,
    REEL_TASK_ENCODE_AUDIO,
    REEL_TASK_POSTER,
    REEL_TASK_STORYBOARD,
    REEL_TASK_SUBTITLES,
    REEL_TASK_PUBLISH,
    REEL_TASK_TYPES             /* their number */
} reel_task_type_t;

const char *reel_task_type_name(reel_task_type_t t);    /* "encode_video" */

typedef struct {
    char             name[33];
    char             preset[16];            /* x264 */
    uint32_t         gop_ms;                /* 2000 */
    uint32_t         chunk_min_s;           /* 6 */
    uint32_t         chunk_target_s;        /* 12 */
    uint32_t         chunk_max_s;           /* 30 */
    uint32_t         first_chunk_s;         /* 4 */
    uint32_t         encoder_threads;       /* 1 */
    uint32_t         nrungs;
    reel_rung_t      rungs[REEL_PIPELINE_RUNGS];    /* falling short side */
    uint32_t         audio_kbps;            /* 128; 0 = no audio */
    uint32_t         audio_channels;        /* 2 */
    uint32_t         audio_object_s;        /* 60 */
    uint32_t         audio_tracks;          /* 8 at most */
    uint32_t         poster_percent;        /* 10: where in the film */
    uint32_t         poster_width;          /* 1280 at most */
    uint32_t         story_interval_s;      /* 2 at least; 0 = none */
    uint32_t         nstory_widths;         /* 2 */
    uint32_t         story_widths[REEL_PIPELINE_WIDTHS];    /* rising */
    uint32_t         story_tile_width;      /* 160 */
    uint32_t         story_columns;         /* 5 tiles a sheet … */
    uint32_t         story_rows;            /* … 5 */
    bool             subtitles;             /* true */
    reel_task_opts_t tasks[REEL_TASK_TYPES];
} reel_pipeline_t;

/* the values of conf/pipelines/default.yaml; a test compares the two */
void reel_pipeline_default(reel_pipeline_t *p);

/*
 * What the members must fulfil together (rungs fall, chunk sizes contain
 * one another): REEL_INVAL with a text, and *key says which part is wrong
 * ("rungs", "chunks").  Each member's own range is for who reads it from
 * outside.
 */
reel_err_t reel_pipeline_check(const reel_pipeline_t *p, const char **key,
    reel_error_t *e) REEL_WARN_UNUSED;

#endif
