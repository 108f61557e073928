/* Any bytes as SubRip: what comes of them is WebVTT, cue by cue in order */

#include "lib/text/srt.h"
#include "lib/text/webvtt.h"
#include "tests/fuzz/harness.h"

#define PRINT_MAX (1u << 20)


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int64_t         last = 0;
    reel_str_t      file = { (const char *) data, size }, out;
    reel_vtt_t      v;
    reel_buf_t      b;
    reel_vtt_cue_t  cue;

    if (reel_vtt_check(file, NULL) == REEL_OK) {
        need(reel_vtt_open(&v, file, NULL) == REEL_OK);
    }

    reel_buf_init(&b, PRINT_MAX);

    if (reel_srt_vtt(&b, file, NULL) == REEL_OK) {
        out = (reel_str_t) { (const char *) b.data, b.len };

        need(reel_vtt_open(&v, out, NULL) == REEL_OK);

        while (reel_vtt_next(&v, &cue, NULL) == REEL_OK) {
            need(cue.start_ms >= last && cue.end_ms > cue.start_ms);
            last = cue.start_ms;
        }
    }

    reel_buf_release(&b);

    return 0;
}
