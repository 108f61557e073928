/*
 * Bars on a terminal, elsewhere lines or, with --json, events; all of it on
 * stderr
 */

#ifndef REEL_CTL_PROGRESS_H
#define REEL_CTL_PROGRESS_H

#include "reelctl/ctl.h"

int64_t reel_ctl_now_ms(void);          /* monotonic */
void reel_ctl_sleep_ms(unsigned ms);
bool reel_ctl_is_tty(void);             /* stderr */

/* one line "label [###...]  34 % tail", cut to the terminal, no newline */
void reel_ctl_bar(const char *label, double fraction, const char *tail);

/* "1.2 GiB", "0:42", "1:02:03"; dst has 24 bytes */
void reel_ctl_size(char *dst, double bytes);
void reel_ctl_clock(char *dst, double seconds);

typedef struct {
    const reel_ctl_t *c;
    const char *label;
    uint64_t    total;
    uint64_t    base;           /* sent by an earlier command */
    int64_t     began_ms;
    int64_t     drawn_ms;
    int64_t     mark_ms;        /* the rate is taken from here on … */
    uint64_t    mark;
    double      rate;           /* … bytes a second, smoothed */
    int         tenth;          /* last one told when there is no terminal */
} reel_ctl_upload_t;

/* sent is of the whole, base among it */
void reel_ctl_upload_begin(reel_ctl_upload_t *u, const reel_ctl_t *c,
    const char *label, uint64_t total, uint64_t base);
void reel_ctl_upload_progress(void *upload, uint64_t sent);
void reel_ctl_upload_end(reel_ctl_upload_t *u, bool whole);

/* makes room for a line where the bar stands */
void reel_ctl_upload_line(void);

#endif
