/*
 * libav's messages: errors go to stderr, of which the parent keeps the end;
 * a hostile file can make libav print millions of lines, so their number is
 * bounded.
 */

#ifndef REEL_WORKERD_AV_LOG_H
#define REEL_WORKERD_AV_LOG_H

#include <stdbool.h>

/* sends libav's log through here; to be called once, before the rest */
void reel_av_log_init(void);

/* the last error that libav printed, without its line end; "" = none; a copy,
   until the next call.  libav may print from any thread, one asks */
const char *reel_av_log_last(void);

/* libav has no codes of its own for these limits: it only says so */
bool reel_av_log_saw_max_streams(void);
bool reel_av_log_saw_max_pixels(void);
bool reel_av_log_saw_end(void);         /* a file that ends too early */

#endif
