#include <stdarg.h>
#include <stdio.h>

#include "lib/base/err.h"


static const char *const names[] = {
    [REEL_OK] = "ok",
    [REEL_NOMEM] = "nomem",
    [REEL_BADDATA] = "baddata",
    [REEL_UNSUPPORTED] = "unsupported",
    [REEL_LIMIT] = "limit",
    [REEL_IO] = "io",
    [REEL_AGAIN] = "again",
    [REEL_INVAL] = "inval",
    [REEL_NOTFOUND] = "notfound",
    [REEL_EXISTS] = "exists",
    [REEL_NOSPACE] = "nospace",
    [REEL_DENIED] = "denied",
};


reel_err_t
reel_fail(reel_error_t *e, reel_err_t code, const char *fmt, ...)
{
    va_list  ap;

    if (e == NULL) {
        return code;
    }

    va_start(ap, fmt);
    if (vsnprintf(e->text, sizeof(e->text), fmt, ap) < 0) {
        e->text[0] = '\0';
    }
    va_end(ap);

    return code;
}


const char *
reel_err_name(reel_err_t code)
{
    size_t  i = (size_t) code;

    if (i >= sizeof(names) / sizeof(names[0])) {
        return "unknown";
    }

    return names[i];
}
