/*
 * The child's side of docs/child-contract.md: what a task function gets and
 * how it answers.  Task functions run in a forked, confined child and
 * return its exit status; they never touch Redis or the store.
 */

#ifndef REEL_WORKERD_CHILD_IO_H
#define REEL_WORKERD_CHILD_IO_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/base/err.h"
#include "lib/base/str.h"
#include "lib/job/source.h"
#include "lib/job/task.h"

#define REEL_CHILD_OUTPUTS 16

/* a line to the parent, its newline too; most tasks may say less */
#define REEL_CHILD_LINE_MAX (16u << 20)

typedef struct {
    int         source_fd;              /* read-only, seekable */
    int         ctl_fd;                 /* lines to the parent */
    int         out_fd[REEL_CHILD_OUTPUTS];
    unsigned    nout;
    int         image_fd;               /* of a watermark; 0: none */
    reel_str_t  payload;                /* JSON of the task */
    uint64_t    max_duration_s;         /* inspect: 0 = none */
    uint64_t    max_pixels;             /* inspect: 0 = as many as any task
                                           decodes */

    /* encode_audio: objects that stand already; go on behind them */
    uint32_t    resume_frag;            /* first fragment to make */
    int         gain_cdb;               /* hundredths of dB */
} reel_child_t;

/* permille, monotonic; rate-limited by the callee, so call it freely */
void reel_child_progress(reel_child_t *c, unsigned permille);

/* o->name is empty; the parent names it.  output: index into out_fd */
reel_err_t reel_child_object(reel_child_t *c, const reel_encoded_t *o,
    unsigned output, uint64_t from) REEL_WARN_UNUSED;
reel_err_t reel_child_source(reel_child_t *c, const reel_source_t *s)
    REEL_WARN_UNUSED;
reel_err_t reel_child_image(reel_child_t *c, unsigned output, uint32_t width,
    uint32_t height, uint32_t bytes) REEL_WARN_UNUSED;

/* s->object is empty; s is output's whole content */
reel_err_t reel_child_story(reel_child_t *c, const reel_story_t *s,
    unsigned output) REEL_WARN_UNUSED;

/* clufs: hundredths of LUFS */
reel_err_t reel_child_loudness(reel_child_t *c, int clufs) REEL_WARN_UNUSED;

/* what complexity measured */
reel_err_t reel_child_trials(reel_child_t *c, const reel_trials_t *t)
    REEL_WARN_UNUSED;

/* the film goes on with it; where: what it is about, in words */
reel_err_t reel_child_warning(reel_child_t *c, reel_warning_code_t code,
    const reel_warning_t *x) REEL_WARN_UNUSED;

/*
 * Tells the parent why the task fails and returns the exit status to
 * return.  retry: the fault may pass.  code is one of
 * docs/child-contract.md, stage says where ("demux", "decode", "scale",
 * "encode", "write").
 */
int reel_child_fail(reel_child_t *c, bool retry, const char *code,
    const char *stage, const char *fmt, ...) REEL_PRINTF(5, 6);

/* sends b, one JSON object without a newline, and releases it */
reel_err_t reel_child_line(reel_child_t *c, reel_buf_t *b) REEL_WARN_UNUSED;

/* writes all of p at the descriptor's position; REEL_NOSPACE, REEL_IO */
reel_err_t reel_child_write(int fd, const void *p, size_t len)
    REEL_WARN_UNUSED;

/* what was written survives power loss; REEL_NOSPACE, REEL_IO */
reel_err_t reel_child_sync(int fd) REEL_WARN_UNUSED;

/*
 * The confined tasks, one file each: workerd/av_inspect.c, av_video.c,
 * av_copy.c, av_copy_sound.c, av_audio.c, av_poster.c, av_storyboard.c,
 * av_subtitles.c, av_loudness.c, av_complexity.c.  0 = done, else the status
 * of reel_child_fail.
 */
int reel_av_inspect(reel_child_t *c);
int reel_av_encode_video(reel_child_t *c);
int reel_av_encode_audio(reel_child_t *c);
int reel_av_poster(reel_child_t *c);
int reel_av_storyboard(reel_child_t *c);
int reel_av_subtitles(reel_child_t *c);
int reel_av_loudness(reel_child_t *c);
int reel_av_complexity(reel_child_t *c);

/* where encode_video and encode_audio are told to copy: they go on here */
int reel_av_copy_video(reel_child_t *c, const reel_encode_video_t *task);
int reel_av_copy_audio(reel_child_t *c, const reel_encode_audio_t *task);

/*
 * To be called in the child before the filter is set: initialises what
 * libav, x264 and libc would otherwise open later (CPU detection, locale,
 * time zone).
 */
void reel_av_prewarm(void);

#endif
