/*
 * Any bytes as WebVTT: what is read prints to what is read again alike, and
 * a segment has no cue but those that are seen in it.
 */

#include "lib/text/webvtt.h"
#include "tests/fuzz/harness.h"

#define PRINT_MAX (8u << 20)


static void
check_cut(reel_str_t file, int64_t from, int64_t to)
{
    reel_vtt_t      v, w;
    reel_buf_t      b;
    reel_vtt_cue_t  c, d;

    reel_buf_init(&b, PRINT_MAX);

    if (reel_vtt_cut(&b, file, from, to, 0, NULL) == REEL_OK) {
        need(reel_vtt_open(&v, file, NULL) == REEL_OK);
        need(reel_vtt_open(&w, (reel_str_t) { (char *) b.data, b.len }, NULL)
             == REEL_OK);

        while (reel_vtt_next(&v, &c, NULL) == REEL_OK) {
            need(c.start_ms >= 0 && c.end_ms > c.start_ms);

            if (c.start_ms < to && c.end_ms > from) {
                need(reel_vtt_next(&w, &d, NULL) == REEL_OK);
                need(c.start_ms == d.start_ms && c.end_ms == d.end_ms);
                need(reel_str_eq(c.settings, d.settings));
                need(reel_str_eq(c.text, d.text));
            }
        }

        need(reel_vtt_next(&w, &d, NULL) == REEL_NOTFOUND);
    }

    reel_buf_release(&b);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    reel_str_t  file = { (const char *) data, size };

    check_cut(file, 0, REEL_VTT_TIME_MAX);
    check_cut(file, 2000, 8000);

    return 0;
}
