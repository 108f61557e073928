/*
 * Parts that several payloads and answers have in common, printed and read
 * in one place.  Private to lib/job.
 */

#ifndef REEL_JOB_PART_H
#define REEL_JOB_PART_H

#include "lib/base/json.h"
#include "lib/job/fields.h"
#include "lib/job/task.h"

void reel_part_rational(reel_json_t *j, const char *key, reel_rational_t r);

int64_t reel_part_pts(reel_fields_t *f, const char *key);
int reel_part_rotation(reel_fields_t *f);       /* 0 90 180 270 */

/* "combed", left out where nothing is */
void reel_part_combed_print(reel_json_t *j, reel_combed_t c);
reel_combed_t reel_part_combed(reel_fields_t *f);

/* "sdr", "hlg", "pq" */
const char *reel_part_range(reel_video_range_t r);

/* "light", left out where it is SDR */
void reel_part_light_print(reel_json_t *j, const reel_source_light_t *l);
void reel_part_light_parse(reel_fields_t *f, reel_source_light_t *l);

/* "command": n words, each terminated, one behind the other */
void reel_part_words_print(reel_json_t *j, const char *words, uint32_t n);

void reel_part_grid_print(reel_json_t *j, const reel_grid_t *g);
void reel_part_grid_parse(reel_grid_t *g, reel_fields_t *f);

/* frag_from < frag_to <= fragments of the grid */
void reel_part_range_parse(reel_fields_t *f, const reel_grid_t *g,
    uint32_t *from, uint32_t *to);

/* what both kinds of encoding and the poster are told about their stream */
void reel_part_stream_print(reel_json_t *j, int stream, reel_rational_t tb);
void reel_part_stream_parse(reel_fields_t *f, int *stream,
    reel_rational_t *tb);

/* "jumps", left out where there is none: pos, at, shift of each in a row */
void reel_part_jumps_print(reel_json_t *j, const reel_jumps_t *jumps);
void reel_part_jumps_parse(reel_fields_t *f, reel_jumps_t *jumps);

/* the way back of reel_trials_print */
void reel_part_trials_parse(reel_fields_t *f, reel_trials_t *t);

/* sets of pictures within an answer */
void reel_part_story_print(reel_json_t *j, const reel_story_t *s);
void reel_part_story_parse(reel_fields_t *f, reel_story_t *s);
bool reel_part_object_name(const char *z);      /* "" is one too */

/* what reel_warnings_print wrote; other kinds are passed over */
#define REEL_PART_WARNINGS 64
void reel_part_warnings_parse(reel_fields_t *f, reel_warnings_t *w);

/* the end of a payload's printing: fits REEL_PAYLOAD_MAX or REEL_LIMIT */
reel_err_t reel_part_payload(const reel_buf_t *b, size_t before);

#endif
