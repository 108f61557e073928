/* tracks as encoders make them, and boxes found by their path */

#ifndef REEL_TESTS_MP4_TRACKS_H
#define REEL_TESTS_MP4_TRACKS_H

#include "lib/mp4/cmaf.h"

reel_cmaf_track_t track_video(void);
reel_cmaf_track_t track_audio(void);

/* one of each other codec, and what its string is */
typedef struct {
    const char       *name;     /* of its golden header, <name>.init.mp4 */
    const char       *string;
    reel_cmaf_track_t track;
} track_case_t;

extern const track_case_t  track_cases[];
extern const size_t        track_ncases;

/*
 * The payload of the first box of that path, "moov/trak/tkhd"; p == NULL
 * when it does not stand.  Sample entries and full boxes of a list are
 * entered behind their fields.
 */
reel_str_t find_box(reel_str_t in, const char *path);

uint32_t be32(const char *p);

#endif
