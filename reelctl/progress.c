#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "reelctl/ctl.h"
#include "reelctl/progress.h"


#define DRAW_MS  100
#define EVENT_MS 1000
#define RATE_MS  500
#define LABEL    16             /* columns of a bar's label */


int64_t
reel_ctl_now_ms(void)
{
    struct timespec  ts;

    (void) clock_gettime(CLOCK_MONOTONIC, &ts);

    return (int64_t) ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}


void
reel_ctl_sleep_ms(unsigned ms)
{
    struct timespec  ts = { ms / 1000, (long) (ms % 1000) * 1000000 };

    (void) nanosleep(&ts, NULL);
}


bool
reel_ctl_is_tty(void)
{
    const char  *term = getenv("TERM");

    return isatty(STDERR_FILENO) == 1
           && (term == NULL || strcmp(term, "dumb") != 0);
}


static int
columns(void)
{
    struct winsize  ws;

    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &ws) == 0 && ws.ws_col > 0) {
        return ws.ws_col;
    }

    return 80;
}


/* fits LABEL columns (of ASCII), no character cut in two */
static void
put_label(const char *label)
{
    char    text[LABEL + 1];
    size_t  n = strlen(label);

    if (n > LABEL) {
        for (n = LABEL; n != 0 && ((uint8_t) label[n] & 0xc0) == 0x80; n--) {
            /* void */
        }
    }

    (void) snprintf(text, sizeof(text), "%.*s", (int) n, label);
    reel_ctl_put_safe(stderr, text);

    for ( /* void */ ; n < LABEL; n++) {
        (void) fputc(' ', stderr);
    }
}


void
reel_ctl_bar(const char *label, double fraction, const char *tail)
{
    int  i, width, full;

    fraction = fraction < 0 ? 0 : fraction > 1 ? 1 : fraction;

    /* label, blank, brackets, " 100 % ", tail; the last column stays free */
    width = columns() - LABEL - 3 - 7 - (int) strlen(tail) - 1;
    width = width < 4 ? 4 : width > 50 ? 50 : width;
    full = (int) (fraction * width + 0.5);

    (void) fputc('\r', stderr);
    put_label(label);
    (void) fputs(" [", stderr);

    for (i = 0; i < width; i++) {
        (void) fputc(i < full ? '#' : '.', stderr);
    }

    (void) fprintf(stderr, "] %3d %% %s\033[K", (int) (fraction * 100), tail);
}


void
reel_ctl_size(char *dst, double bytes)
{
    static const char  *units[] = { "B", "KiB", "MiB", "GiB", "TiB" };

    size_t  i;

    for (i = 0; bytes >= 1024 && i < 4; i++) {
        bytes /= 1024;
    }

    (void) snprintf(dst, 24, i == 0 ? "%.0f %s" : "%.1f %s", bytes,
                    units[i]);
}


void
reel_ctl_clock(char *dst, double seconds)
{
    unsigned  s;

    if (!(seconds >= 0 && seconds < 360000)) {
        (void) snprintf(dst, 24, "--:--");
        return;
    }

    s = (unsigned) (seconds + 0.5);

    if (s >= 3600) {
        (void) snprintf(dst, 24, "%u:%02u:%02u", s / 3600, s / 60 % 60,
                        s % 60);
    } else {
        (void) snprintf(dst, 24, "%u:%02u", s / 60, s % 60);
    }
}


void
reel_ctl_upload_begin(reel_ctl_upload_t *u, const reel_ctl_t *c,
    const char *label, uint64_t total, uint64_t base)
{
    *u = (reel_ctl_upload_t) { .c = c, .label = label, .total = total,
                               .base = base, .mark = base };
    u->began_ms = u->mark_ms = reel_ctl_now_ms();
    u->tenth = total != 0 ? (int) (base * 10 / total) : 0;
}


static void
measure(reel_ctl_upload_t *u, uint64_t sent, int64_t now)
{
    double  rate;

    if (sent < u->mark) {
        /* it began again */
        u->mark = sent;
        u->mark_ms = now;
    }

    if (now - u->mark_ms < RATE_MS) {
        return;
    }

    rate = (double) (sent - u->mark) * 1000 / (double) (now - u->mark_ms);
    u->rate = u->rate == 0 ? rate : 0.7 * u->rate + 0.3 * rate;
    u->mark = sent;
    u->mark_ms = now;
}


static void
draw(reel_ctl_upload_t *u, uint64_t sent, double rate, const char *eta)
{
    char    size[24], speed[24], tail[80];
    double  fraction;

    fraction = u->total != 0 ? (double) sent / (double) u->total : 1;
    reel_ctl_size(size, (double) sent);
    reel_ctl_size(speed, rate);
    (void) snprintf(tail, sizeof(tail), "%s  %s/s  %s", size, speed, eta);

    if (reel_ctl_is_tty()) {
        reel_ctl_bar(u->label, fraction, tail);

    } else if ((int) (fraction * 10) != u->tenth) {
        u->tenth = (int) (fraction * 10);
        reel_ctl_put_safe(stderr, u->label);
        (void) fprintf(stderr, ": uploaded %3d %%  %s\n",
                       (int) (fraction * 100), tail);
    }

    (void) fflush(stderr);
}


static void
tell(const reel_ctl_upload_t *u, uint64_t sent, double rate)
{
    json_t  *j;

    j = json_pack("{s:s, s:I, s:I, s:I}", "event", "progress", "sent",
                  (json_int_t) sent, "size", (json_int_t) u->total,
                  "bytes_per_s", (json_int_t) rate);

    if (j != NULL && rate > 0) {
        json_object_set_new(j, "left_s",
                            json_real((double) (u->total - sent) / rate));
    }

    reel_ctl_event(u->c, j);
}


void
reel_ctl_upload_progress(void *upload, uint64_t sent)
{
    bool                events;
    char                eta[32], left[24];
    double              rate;
    int64_t             now = reel_ctl_now_ms();
    reel_ctl_upload_t  *u = upload;

    events = reel_ctl_events(u->c);

    if (sent <= u->base || sent >= u->total
        || now - u->drawn_ms < (events ? EVENT_MS : DRAW_MS))
    {
        return;
    }

    u->drawn_ms = now;
    measure(u, sent, now);

    rate = u->rate;
    if (rate == 0 && now > u->began_ms) {
        /* the first moments */
        rate = (double) (sent - u->base) * 1000 / (double) (now - u->began_ms);
    }

    if (events) {
        tell(u, sent, rate);
        return;
    }

    reel_ctl_clock(left, rate > 0 ? (double) (u->total - sent) / rate : -1);
    (void) snprintf(eta, sizeof(eta), "eta %s", left);
    draw(u, sent, rate, eta);
}


void
reel_ctl_upload_end(reel_ctl_upload_t *u, bool whole)
{
    char    took[32], clock[24];
    double  s, rate;

    s = (double) (reel_ctl_now_ms() - u->began_ms) / 1000;
    rate = s > 0 ? (double) (u->total - u->base) / s : 0;

    if (whole && reel_ctl_events(u->c)) {
        tell(u, u->total, rate);

    } else if (whole) {
        reel_ctl_clock(clock, s);
        (void) snprintf(took, sizeof(took), "in %s", clock);
        u->tenth = -1;
        draw(u, u->total, rate, took);
    }

    if (reel_ctl_is_tty()) {
        (void) fputc('\n', stderr);
    }
}


void
reel_ctl_upload_line(void)
{
    if (reel_ctl_is_tty()) {
        (void) fputs("\r\033[K", stderr);
    }
}
