#include "workerd/av_fault.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include <libavutil/error.h>

#include "workerd/av_log.h"


/* codes whose cause may pass: the task is tried again */
static const char *const retry_codes[] = {
    "IO", "NO_MEMORY", "NO_SPACE", "INTERNAL", "MISMATCH", NULL
};


int
reel_av_cause(int averr)
{
    void  *room;

    if (averr != AVERROR(ENOMEM)) {
        return averr;
    }

    /* not malloc(): the compiler may leave out what nobody uses */
    room = mmap(NULL, REEL_AV_ALLOC_MAX, PROT_READ | PROT_WRITE,
                MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (room == MAP_FAILED) {
        return averr;
    }

    (void) munmap(room, REEL_AV_ALLOC_MAX);

    return AVERROR_INVALIDDATA;
}


int
reel_av_fault(reel_av_fault_t *f, const char *code, const char *stage,
    const char *fmt, ...)
{
    va_list  ap;

    if (f->code != NULL) {
        return -1;
    }

    f->code = code;
    f->stage = stage;

    va_start(ap, fmt);
    (void) vsnprintf(f->text, sizeof(f->text), fmt, ap);
    va_end(ap);

    return -1;
}


int
reel_av_fault_lib(reel_av_fault_t *f, int averr, const char *stage,
    const char *what)
{
    const char  *code;
    char         text[AV_ERROR_MAX_STRING_SIZE];

    switch (averr) {
    case AVERROR(ENOMEM):
        code = "NO_MEMORY";
        break;
    case AVERROR(EIO):
        code = "IO";
        break;
    case AVERROR(ENOSPC):
        code = "NO_SPACE";
        break;
    case AVERROR_INVALIDDATA:
    case AVERROR_EOF:
    case AVERROR_PATCHWELCOME:
        code = "BAD_MEDIA";
        break;
    default:
        code = "INTERNAL";
    }

    if (av_strerror(averr, text, sizeof(text)) != 0) {
        (void) snprintf(text, sizeof(text), "error %d", averr);
    }

    return reel_av_fault(f, code, stage, "%s: %s%s%s", what, text,
                         *reel_av_log_last() ? "; " : "",
                         reel_av_log_last());
}


int
reel_av_fault_memory(reel_av_fault_t *f, int averr, const char *stage,
    const char *what)
{
    return averr == AVERROR(ENOMEM)
           ? reel_av_fault_lib(f, averr, stage, what) : 0;
}


int
reel_av_fault_passed(reel_av_fault_t *f, const reel_av_fault_t *tried)
{
    return tried->code != NULL && strcmp(tried->code, "NO_MEMORY") == 0
           ? reel_av_fault(f, tried->code, tried->stage, "%s", tried->text)
           : 0;
}


int
reel_av_fault_err(reel_av_fault_t *f, reel_err_t err, const char *stage,
    const char *what)
{
    const char  *code;

    switch (err) {
    case REEL_NOMEM:
        code = "NO_MEMORY";
        break;
    case REEL_IO:
        code = "IO";
        break;
    case REEL_NOSPACE:
        code = "NO_SPACE";
        break;
    default:
        code = "INTERNAL";
    }

    return reel_av_fault(f, code, stage, "%s: %s", what, reel_err_name(err));
}


int
reel_av_fault_report(reel_child_t *c, const reel_av_fault_t *f)
{
    unsigned  i;

    if (f->code == NULL) {
        return reel_child_fail(c, true, "INTERNAL", "task",
                               "failed without a reason");
    }

    for (i = 0; retry_codes[i] != NULL; i++) {
        if (strcmp(retry_codes[i], f->code) == 0) {
            break;
        }
    }

    return reel_child_fail(c, retry_codes[i] != NULL, f->code, f->stage,
                           "%s", f->text);
}
