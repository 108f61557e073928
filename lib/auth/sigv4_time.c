/* the two forms of a date that a signed request carries */

#include <time.h>

#include "lib/auth/sigv4_canon.h"


#define TIME_MAX INT64_C(253402300799)      /* 9999-12-31T23:59:59Z */


/* n decimal digits at *p, which moves on; -1 when they are no digits */
static int
digits(const char **p, unsigned n)
{
    int  v;

    for (v = 0; n != 0; n--, (*p)++) {
        if (**p < '0' || **p > '9') {
            return -1;
        }

        v = v * 10 + (**p - '0');
    }

    return v;
}


/* refuses the 31st of February, which timegm() would make March */
static reel_err_t
to_seconds(struct tm *tm, int64_t *time_s)
{
    time_t     t;
    struct tm  back, want = *tm;

    t = timegm(tm);

    if (t < 0 || gmtime_r(&t, &back) == NULL
        || back.tm_mday != want.tm_mday || back.tm_mon != want.tm_mon
        || back.tm_year != want.tm_year || back.tm_hour != want.tm_hour
        || back.tm_min != want.tm_min || back.tm_sec != want.tm_sec)
    {
        return REEL_BADDATA;
    }

    *time_s = t;

    return REEL_OK;
}


reel_err_t
reel_sigv4_time_iso(reel_str_t s, int64_t *time_s)
{
    struct tm    tm = { 0 };
    const char  *p = s.p;

    if (s.len != 16 || p[8] != 'T' || p[15] != 'Z') {
        return REEL_BADDATA;
    }

    tm.tm_year = digits(&p, 4) - 1900;
    tm.tm_mon = digits(&p, 2) - 1;
    tm.tm_mday = digits(&p, 2);
    p = s.p + 9;
    tm.tm_hour = digits(&p, 2);
    tm.tm_min = digits(&p, 2);
    tm.tm_sec = digits(&p, 2);

    return to_seconds(&tm, time_s);
}


reel_err_t
reel_sigv4_time_http(reel_str_t s, int64_t *time_s)
{
    static const char  months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

    int          i;
    struct tm    tm = { 0 };
    const char  *p;

    if (s.len != 29 || memcmp(s.p + 25, " GMT", 4) != 0
        || s.p[4] != ' ' || s.p[7] != ' ' || s.p[11] != ' '
        || s.p[19] != ':' || s.p[22] != ':')
    {
        return REEL_BADDATA;
    }

    tm.tm_mon = -1;

    for (i = 0; i < 12; i++) {
        if (memcmp(s.p + 8, months + 3 * i, 3) == 0) {
            tm.tm_mon = i;
        }
    }

    p = s.p + 5;
    tm.tm_mday = digits(&p, 2);
    p = s.p + 12;
    tm.tm_year = digits(&p, 4) - 1900;
    p = s.p + 17;
    tm.tm_hour = digits(&p, 2);
    p = s.p + 20;
    tm.tm_min = digits(&p, 2);
    p = s.p + 23;
    tm.tm_sec = digits(&p, 2);

    return to_seconds(&tm, time_s);
}


void
reel_sigv4_timestamp(char *dst, int64_t time_s)
{
    time_t     t;
    struct tm  tm;

    t = time_s < 0 ? 0 : time_s > TIME_MAX ? TIME_MAX : time_s;

    if (gmtime_r(&t, &tm) == NULL
        || strftime(dst, 17, "%Y%m%dT%H%M%SZ", &tm) == 0)
    {
        dst[0] = '\0';
    }
}
