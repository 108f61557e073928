/* WebVTT, as far as a player must be able to begin with it */

#include <stdio.h>
#include <string.h>

#include "reelctl/check.h"


/* "00:01:02.500" or "01:02.500" at s; its milliseconds */
static bool
timestamp(reel_str_t s, int64_t *ms)
{
    int64_t   v = 0, part = 0;
    unsigned  digits = 0, colons = 0;
    size_t    i;

    for (i = 0; i < s.len && s.p[i] != ' ' && s.p[i] != '\t'; i++) {

        if (s.p[i] >= '0' && s.p[i] <= '9' && digits < 9) {
            part = part * 10 + (s.p[i] - '0');
            digits++;
            continue;
        }

        if (digits == 0 || (s.p[i] != ':' && s.p[i] != '.')) {
            return false;
        }

        colons += s.p[i] == ':';
        v = (v + part) * (s.p[i] == ':' ? 60 : 1000);
        part = 0;
        digits = 0;
    }

    *ms = v + part;

    return digits == 3 && colons >= 1 && colons <= 2;
}


static void
read_cue(reel_check_media_t *m, reel_str_t line, unsigned number,
    int64_t *last)
{
    int64_t      from, to;
    reel_str_t   b;
    const char  *at = memmem(line.p, line.len, "-->", 3);

    b = (reel_str_t) { at + 3, (size_t) (line.p + line.len - at - 3) };

    while (b.len != 0 && (b.p[0] == ' ' || b.p[0] == '\t')) {
        b.p++;
        b.len--;
    }

    line.len = (size_t) (at - line.p);

    if (!timestamp(line, &from) || !timestamp(b, &to) || to <= from) {
        (void) snprintf(m->fault, sizeof(m->fault), "line %u: no cue times",
                        number);

    } else if (from < *last) {
        (void) snprintf(m->fault, sizeof(m->fault), "line %u: a cue begins "
                        "before the one above it", number);
    } else {
        *last = from;
        m->samples++;
    }
}


void
reel_check_vtt(reel_check_media_t *m, const uint8_t *p, size_t n)
{
    bool        head = true;
    int64_t     last = 0;
    unsigned    number = 0;
    reel_str_t  line, rest = { (const char *) p, n };

    *m = (reel_check_media_t) { .read = true, .timescale = 1000, .sync = true,
                                .keyframe = true };

    if (reel_str_prefix(rest, "\xef\xbb\xbf")) {
        rest.p += 3;
        rest.len -= 3;
    }

    if (!reel_str_prefix(rest, "WEBVTT")
        || (rest.len > 6 && memchr(" \t\r\n", rest.p[6], 4) == NULL))
    {
        (void) snprintf(m->fault, sizeof(m->fault),
                        "the first line is not WEBVTT");
        return;
    }

    while (rest.len != 0 && m->fault[0] == '\0') {
        line = reel_str_cut(rest, '\n', &rest);
        number++;

        if (line.len != 0 && line.p[line.len - 1] == '\r') {
            line.len--;
        }

        head &= line.len != 0;

        if (head && reel_str_prefix(line, "X-TIMESTAMP-MAP=")) {
            m->timestamp_map = memmem(line.p, line.len, "MPEGTS:", 7) != NULL
                               && memmem(line.p, line.len, "LOCAL:", 6)
                                  != NULL;
        }

        if (line.len != 0 && memmem(line.p, line.len, "-->", 3) != NULL) {
            read_cue(m, line, number, &last);
        }
    }
}
