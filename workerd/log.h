/*
 * The daemon's log: one line an event on stderr, as key=value pairs, so that
 * journald, grep and a collector can all read it:
 *
 *   time=2026-01-02T03:04:05.678Z level=info pid=7 job=… task=… msg="…"
 *
 * Control characters and quotes in the text are escaped; a line is one
 * write(2).  Nothing secret may be passed.
 */

#ifndef REEL_WORKERD_LOG_H
#define REEL_WORKERD_LOG_H

#include <stdbool.h>

#include "lib/base/err.h"
#include "lib/base/str.h"

typedef enum {
    REEL_LOG_ERROR,
    REEL_LOG_WARN,
    REEL_LOG_INFO,
    REEL_LOG_DEBUG
} reel_log_level_t;

/* "error", "warn", "info" or "debug"; REEL_INVAL otherwise */
reel_err_t reel_log_level_parse(reel_log_level_t *level, reel_str_t name)
    REEL_WARN_UNUSED;

void reel_log_init(reel_log_level_t level);

void reel_log(reel_log_level_t level, const char *fmt, ...)
    REEL_PRINTF(2, 3);

/* job and task may be NULL */
void reel_log_task(reel_log_level_t level, const char *job, const char *task,
    const char *fmt, ...) REEL_PRINTF(4, 5);

/* the line without its newline, for tests; ms is Unix time */
size_t reel_log_format(char *dst, size_t cap, int64_t unix_ms,
    reel_log_level_t level, int pid, const char *job, const char *task,
    const char *text) REEL_WARN_UNUSED;

#endif
