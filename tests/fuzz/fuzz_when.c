/* any bytes as a condition: what is taken can be asked of a source */

#include "tests/fuzz/round_trip.h"

#include "lib/job/when.h"


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    unsigned      column;
    reel_error_t  e = { "" };
    reel_source_t s = {
        .bytes = UINT64_MAX, .format = "x",
        .video = { .stream = 0, .codec = "h264", .tb = { 1, 1 },
                   .first_pts = -REEL_PTS_MAX, .last_pts = REEL_PTS_MAX,
                   .last_dur = 1, .rate = { UINT32_MAX, 1 },
                   .width = UINT32_MAX, .height = 1 },
        .audio = { .stream = -1 },
    };

    if (reel_when_check((const char *) data, size, &column, &e) != REEL_OK) {
        need(e.text[0] != '\0');
        need(column >= 1 && column <= size + 1);
        return 0;
    }

    (void) reel_when_holds((const char *) data, size, &s);

    return 0;
}
