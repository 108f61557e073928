#include <inttypes.h>

#include "lib/base/rescale.h"
#include "lib/manifest/dash_attr.h"


#define US 1000000              /* a second */


/* element text, XML 1.0 2.4; control characters are not in an index */
void
reel_dash_text(reel_buf_t *b, reel_str_t s)
{
    size_t  i;

    for (i = 0; i < s.len; i++) {
        switch (s.p[i]) {
        case '&':
            reel_buf_addz(b, "&amp;");
            break;
        case '<':
            reel_buf_addz(b, "&lt;");
            break;
        case '>':
            reel_buf_addz(b, "&gt;");
            break;
        default:
            reel_buf_u8(b, (uint8_t) s.p[i]);
        }
    }
}


/* xs:duration in seconds, without zeros at its end */
void
reel_dash_duration(reel_buf_t *b, const char *name, int64_t ts,
    uint32_t timescale)
{
    uint64_t  us, rest;
    unsigned  digits = 6;

    us = (uint64_t) reel_rescale(ts, US, timescale, REEL_ROUND_NEAR);
    rest = us % US;

    reel_buf_printf(b, " %s=\"PT%" PRIu64, name, us / US);

    if (rest != 0) {
        while (rest % 10 == 0) {
            rest /= 10;
            digits--;
        }

        reel_buf_printf(b, ".%0*" PRIu64, (int) digits, rest);
    }

    reel_buf_addz(b, "S\"");
}


/*
 * xs:dateTime of Unix milliseconds.  gmtime() would read the time zone from
 * the environment; the Gregorian calendar repeats every 146097 days, and a
 * year that begins in March has its leap day at the end.
 */
void
reel_dash_time(reel_buf_t *b, const char *name, int64_t unix_ms)
{
    uint64_t  s, day, era, year, month;

    s = (uint64_t) unix_ms / 1000;
    day = s / 86400 + 719468;           /* since 0000-03-01 */
    s %= 86400;

    era = day / 146097;
    day %= 146097;
    year = (day - day / 1460 + day / 36524 - day / 146096) / 365;
    day -= 365 * year + year / 4 - year / 100;
    month = (5 * day + 2) / 153;
    day -= (153 * month + 2) / 5;
    year += era * 400 + (month >= 10);
    month = month < 10 ? month + 3 : month - 9;

    reel_buf_printf(b, " %s=\"%04" PRIu64 "-%02" PRIu64 "-%02" PRIu64
                    "T%02" PRIu64 ":%02" PRIu64 ":%02" PRIu64 "Z\"", name,
                    year, month, day + 1, s / 3600, s / 60 % 60, s % 60);
}
