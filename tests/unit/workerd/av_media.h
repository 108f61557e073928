/*
 * For the tests of av_*: media made by the ffmpeg program in a folder that
 * is removed afterwards, tasks run on it, and what they made read back.
 */

#ifndef REEL_TESTS_AV_MEDIA_H
#define REEL_TESTS_AV_MEDIA_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <jansson.h>

#include "lib/job/plan.h"
#include "workerd/child_io.h"

/* group setup and teardown: the folder */
int media_setup(void **state);
int media_teardown(void **state);

/* its path + "/" + name, in a static buffer of four */
const char *media_path(const char *name);

/* runs ffmpeg -v error -y <args> <name>; fails the test when that fails */
void media_make(const char *name, const char *args);
/* n other bytes, `behind` bytes behind where its first `tag` begins */
void media_patch(const char *name, const char *tag, size_t behind,
    const void *bytes, size_t n);

/* all of a file; media_read: to be freed, with a byte of zero behind it */
void *media_read(const char *name, size_t *len);
void media_write(const char *name, const void *data, size_t len);

/*
 * A clip whose pictures carry their number: 16 columns of 10 pixels, 32
 * lines, black for 0 and white for 1, the lowest bit on the left.
 */
#define MEDIA_NUMBERED                                                       \
    "color=black:s=160x32:r=%s:d=%s,format=gray,geq=lum="                    \
    "'if(mod(floor(N/pow(2,floor(X/10))),2),235,16)',format=yuv420p"

/* what a task answered */
typedef struct {
    int      status;
    json_t  *lines;             /* array; json_decref it */
} media_answer_t;

/*
 * Runs a task in this process.  Output i goes to <out>.<i> of the folder;
 * out may be NULL.
 */
media_answer_t media_run(int (*task)(reel_child_t *), const char *source,
    const char *payload, size_t len, const char *out, uint32_t resume_frag,
    uint64_t max_duration_s);

/* the first line that has this key: its value, else NULL; borrowed */
json_t *media_line(const media_answer_t *a, const char *key);

/* inspect's facts; the test fails when it does not succeed */
void media_inspect(reel_source_t *s, const char *source);

/* the code of the error line, "" when the task succeeded; static */
const char *media_error(int (*task)(reel_child_t *), const char *source);

/*
 * Appends the objects of output i that the answer tells to the file `to`:
 * whole when it is empty, else without their CMAF headers.
 */
void media_join(const media_answer_t *a, unsigned output, const char *out,
    const char *to);

/* the numbers and ticks of the pictures in a joined file, by ffmpeg */
typedef struct {
    size_t    n;
    int       number[4096];
    int64_t   pts_us[4096];
} media_pictures_t;

void media_pictures(media_pictures_t *p, const char *name);

/* the sound of a joined file as mono 16-bit at 48 kHz; free() it */
int16_t *media_sound(const char *name, size_t *n);

/* the same, of so many channels side by side; n instants of all of them
   times their number */
int16_t *media_sound_of(const char *name, int channels, size_t *n);

/* encode_video's payload for chunk [from, to) of a source, one rung */
void media_video_gop(reel_encode_video_t *t, const reel_source_t *s,
    uint32_t from, uint32_t to, uint32_t gop_ms);

/* the same, in GOPs of two seconds */
void media_video_task(reel_encode_video_t *t, const reel_source_t *s,
    uint32_t from, uint32_t to);

/* encodes the first rung of such a payload and appends it to the joined file */
void media_encode(const reel_encode_video_t *t, const char *source,
    const char *joined);

/* the same of [from, to) */
void media_encode_chunk(const reel_source_t *s, const char *source,
    uint32_t from, uint32_t to, const char *joined);

#endif
