#include "workerd/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#define LINE_MAX_BYTES 2048

static const char *const names[] = { "error", "warn", "info", "debug" };

static reel_log_level_t max_level = REEL_LOG_INFO;


reel_err_t
reel_log_level_parse(reel_log_level_t *level, reel_str_t name)
{
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (reel_str_eqz(name, names[i])) {
            *level = (reel_log_level_t) i;
            return REEL_OK;
        }
    }

    return REEL_INVAL;
}


void
reel_log_init(reel_log_level_t level)
{
    max_level = level;
}


/* appends what fits of text in quotes, escaped; returns the new length */
static size_t
add_quoted(char *dst, size_t cap, size_t n, const char *text)
{
    /* room for one escaped character, the quote and the terminator */
    for (dst[n++] = '"'; *text != '\0' && cap - n > 8; text++) {
        unsigned char  c = (unsigned char) *text;

        if (c == '"' || c == '\\') {
            dst[n++] = '\\';
            dst[n++] = (char) c;

        } else if (c == '\n') {
            dst[n++] = '\\';
            dst[n++] = 'n';

        } else if (c < 0x20 || c == 0x7f) {
            n += (size_t) snprintf(dst + n, cap - n, "\\x%02x", c);

        } else {
            dst[n++] = (char) c;
        }
    }

    dst[n++] = '"';
    dst[n] = '\0';

    return n;
}


size_t
reel_log_format(char *dst, size_t cap, int64_t unix_ms,
    reel_log_level_t level, int pid, const char *job, const char *task,
    const char *text)
{
    int        n;
    size_t     len;
    time_t     sec = (time_t) (unix_ms / 1000);
    struct tm  tm;

    gmtime_r(&sec, &tm);

    n = snprintf(dst, cap, "time=%04d-%02d-%02dT%02d:%02d:%02d.%03dZ "
                 "level=%s pid=%d%s%.80s%s%.80s msg=",
                 tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour,
                 tm.tm_min, tm.tm_sec, (int) (unix_ms % 1000),
                 names[level], pid,
                 job != NULL ? " job=" : "", job != NULL ? job : "",
                 task != NULL ? " task=" : "", task != NULL ? task : "");

    if (n < 0 || (size_t) n + 16 > cap) {
        if (cap > 0) {
            dst[0] = '\0';
        }
        return 0;
    }

    len = add_quoted(dst, cap, (size_t) n, text);

    return len;
}


static void
write_line(reel_log_level_t level, const char *job, const char *task,
    const char *fmt, va_list ap)
{
    int              saved = errno;
    char             text[LINE_MAX_BYTES / 2], line[LINE_MAX_BYTES];
    size_t           n;
    ssize_t          rc;
    struct timespec  ts;

    clock_gettime(CLOCK_REALTIME, &ts);
    vsnprintf(text, sizeof(text), fmt, ap);

    n = reel_log_format(line, sizeof(line) - 1,
                        (int64_t) ts.tv_sec * 1000 + ts.tv_nsec / 1000000,
                        level, (int) getpid(), job, task, text);
    line[n++] = '\n';

    /* a log that cannot be written must not stop the work */
    rc = write(STDERR_FILENO, line, n);
    (void) rc;

    errno = saved;
}


void
reel_log(reel_log_level_t level, const char *fmt, ...)
{
    va_list  ap;

    if (level > max_level) {
        return;
    }

    va_start(ap, fmt);
    write_line(level, NULL, NULL, fmt, ap);
    va_end(ap);
}


void
reel_log_task(reel_log_level_t level, const char *job, const char *task,
    const char *fmt, ...)
{
    va_list  ap;

    if (level > max_level) {
        return;
    }

    va_start(ap, fmt);
    write_line(level, job, task, fmt, ap);
    va_end(ap);
}
