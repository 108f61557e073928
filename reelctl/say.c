/* what goes to the terminal */

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "reelctl/ctl.h"
#include "reelctl/progress.h"


static void
say(const char *kind, const char *fmt, va_list ap)
{
    char  text[1024];

    (void) vsnprintf(text, sizeof(text), fmt, ap);
    (void) fprintf(stderr, "reelctl: %s", kind);
    reel_ctl_put_safe(stderr, text);
    (void) fputc('\n', stderr);
}


int
reel_ctl_fail(int code, const char *fmt, ...)
{
    va_list  ap;

    va_start(ap, fmt);
    say("", fmt, ap);
    va_end(ap);

    return code;
}


void
reel_ctl_warn(const char *fmt, ...)
{
    va_list  ap;

    va_start(ap, fmt);
    say("warning: ", fmt, ap);
    va_end(ap);
}


int
reel_ctl_put_json(json_t *j)
{
    int  rc;

    if (j == NULL) {
        return reel_ctl_fail(REEL_EXIT_FAILED, "out of memory");
    }

    rc = json_dumpf(j, stdout, JSON_COMPACT | JSON_REAL_PRECISION(12));
    json_decref(j);

    if (rc != 0) {
        return reel_ctl_fail(REEL_EXIT_FAILED, "cannot write the answer");
    }

    (void) fputc('\n', stdout);

    return reel_ctl_done();
}


/* a person at the terminal has the bar instead */
bool
reel_ctl_events(const reel_ctl_t *c)
{
    return c->json && !reel_ctl_is_tty();
}


/* one line of stderr: stdout is the result's */
void
reel_ctl_event(const reel_ctl_t *c, json_t *j)
{
    if (j != NULL && reel_ctl_events(c)) {
        (void) json_dumpf(j, stderr, JSON_COMPACT | JSON_REAL_PRECISION(12));
        (void) fputc('\n', stderr);
        (void) fflush(stderr);
    }

    json_decref(j);
}


/*
 * Names come from uploaders: an escape sequence among them must not reach
 * the terminal.  C0, DEL and C1 (in UTF-8: c2 80 … c2 9f) become '?'.
 */
void
reel_ctl_put_safe(FILE *f, const char *z)
{
    const unsigned char  *p;

    for (p = (const unsigned char *) z; *p != '\0'; p++) {

        if (p[0] == 0xc2 && p[1] >= 0x80 && p[1] <= 0x9f) {
            (void) fputc('?', f);
            p++;

        } else {
            (void) fputc(*p < ' ' || *p == 0x7f ? '?' : *p, f);
        }
    }
}


int
reel_ctl_done(void)
{
    if (fflush(stdout) != 0 || ferror(stdout)) {
        return reel_ctl_fail(REEL_EXIT_FAILED, "cannot write to stdout: %s",
                             strerror(errno));
    }

    return REEL_EXIT_OK;
}
