#include "workerd/av_log.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include <libavutil/log.h>


#define LOG_LINES_MAX  64
#define LOG_LINE_MAX   256


/* decoders have threads, and each of them speaks: of all that follows */
static pthread_mutex_t  lock = PTHREAD_MUTEX_INITIALIZER;

static char      last[LOG_LINE_MAX];
static unsigned  lines;
static bool      max_streams;
static bool      max_pixels;
static bool      early_end;


static void
clean(char *line)
{
    char  *p;

    for (p = line; *p != '\0'; p++) {
        if ((unsigned char) *p < 0x20 || *p == 0x7f) {
            *p = (p[1] == '\0') ? '\0' : ' ';
            if (*p == '\0') {
                break;
            }
        }
    }
}


/* a damaged file repeats itself; the last line is kept all the same */
static void
take(const char *line)
{
    if (strstr(line, "max_streams") != NULL) {
        max_streams = true;
    }

    if (strstr(line, "max pixel count") != NULL) {
        max_pixels = true;
    }

    if (strstr(line, "File ended prematurely") != NULL) {
        early_end = true;
    }

    /* a track that nobody asked for, probed by libavformat */
    if (strstr(line, "not on whitelist") != NULL) {
        return;
    }

    if (line[0] == '\0' || strcmp(line, last) == 0) {
        return;
    }

    (void) snprintf(last, sizeof(last), "%s", line);

    if (lines < LOG_LINES_MAX) {
        lines++;
        (void) fprintf(stderr, "libav: %s\n", line);

    } else if (lines == LOG_LINES_MAX) {
        lines++;
        (void) fprintf(stderr, "libav: further messages are left out\n");
    }
}


static void
log_line(void *avcl, int level, const char *fmt, va_list ap)
{
    int   prefix = 1;
    char  line[LOG_LINE_MAX];

    if (level > AV_LOG_ERROR) {
        return;
    }

    (void) av_log_format_line2(avcl, level, fmt, ap, line, sizeof(line),
                               &prefix);
    clean(line);

    (void) pthread_mutex_lock(&lock);
    take(line);
    (void) pthread_mutex_unlock(&lock);
}


void
reel_av_log_init(void)
{
    av_log_set_callback(log_line);
    last[0] = '\0';
    lines = 0;
    max_streams = false;
    max_pixels = false;
    early_end = false;
}


const char *
reel_av_log_last(void)
{
    static char  said[LOG_LINE_MAX];

    (void) pthread_mutex_lock(&lock);
    memcpy(said, last, sizeof(said));
    (void) pthread_mutex_unlock(&lock);

    return said;
}


static bool
saw(const bool *what)
{
    bool  yes;

    (void) pthread_mutex_lock(&lock);
    yes = *what;
    (void) pthread_mutex_unlock(&lock);

    return yes;
}


bool
reel_av_log_saw_max_streams(void)
{
    return saw(&max_streams);
}


bool
reel_av_log_saw_max_pixels(void)
{
    return saw(&max_pixels);
}


bool
reel_av_log_saw_end(void)
{
    return saw(&early_end);
}
