#include "workerd/outcome.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/utf8.h"

#define OURS "Something on our side failed; it was tried again."

static const reel_code_t codes[] = {
    { "INTERNAL", true, true, true, "A bug; the log says more." },
    { "NOT_A_VIDEO", false, true, false,
      "The file is not a video or sound file that reel can read." },
    { "FORBIDDEN_FORMAT", false, true, false,
      "Playlists and scripts that point at other files are not accepted." },
    { "UNSUPPORTED_CODEC", false, true, false,
      "The file uses a codec that is not supported." },
    { "TRUNCATED", false, true, false,
      "The file ends too early; upload it again." },
    { "LIMIT_DURATION", false, true, false,
      "The film is longer than allowed." },
    { "LIMIT_PIXELS", false, true, false, "The film is larger than allowed." },
    { "LIMIT_STREAMS", false, true, false,
      "The film has more tracks than allowed." },
    { "BAD_MEDIA", false, true, false,
      "The file is damaged and could not be decoded." },
    { "REJECTED", false, true, false, "The film was rejected." },
    { "BAD_PIPELINE", false, true, true,
      "The pipeline file is missing or wrong." },
    { "MISMATCH", true, true, true,
      "Parts do not fit together (publish's checks)." },
    { "CRASHED", true, true, true, OURS },
    { "TIMEOUT", true, true, true, OURS },
    { "WORKER_LOST", true, true, true, OURS },
    { "NO_WORKER", false, true, true,
      "No machine here can do this; its operator has been told." },
    { "CANCELLED", true, true, true, "It was cancelled." },
    { "NO_MEMORY", true, true, true, OURS },
    { "IO", true, true, true, OURS },
    /* waiting for room, or for the next daemon, is no fault of the task */
    { "NO_SPACE", true, false, true, OURS },
    { "SHUTDOWN", true, false, true, OURS },
    /* nor is waiting for a twin */
    { "TWIN", true, false, true, OURS }
};

_Static_assert(sizeof(codes) / sizeof(codes[0]) == REEL_CODES,
               "REEL_CODES is their number");


const reel_code_t *
reel_code_find(const char *code)
{
    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        if (strcmp(codes[i].code, code) == 0) {
            return &codes[i];
        }
    }

    return &codes[0];
}


size_t
reel_code_count(void)
{
    return sizeof(codes) / sizeof(codes[0]);
}


const reel_code_t *
reel_code_at(size_t i)
{
    return &codes[i];
}


void
reel_outcome_fail(reel_outcome_t *o, const char *code, const char *stage,
    const char *fmt, ...)
{
    char                text[1024];
    va_list             ap;
    const reel_code_t  *c = reel_code_find(code);

    o->failed = true;
    o->retry = c->retry;
    o->lacks = false;
    snprintf(o->code, sizeof(o->code), "%s", c->code);
    (void) reel_utf8_clean(o->stage, sizeof(o->stage), stage, strlen(stage),
                           true);

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);

    (void) reel_utf8_clean(o->detail, sizeof(o->detail), text, strlen(text),
                           true);
}


const char *
reel_outcome_code(reel_err_t err)
{
    switch (err) {
    case REEL_NOMEM:
        return "NO_MEMORY";
    case REEL_NOSPACE:
        return "NO_SPACE";
    case REEL_IO:
    case REEL_AGAIN:
    case REEL_DENIED:
    case REEL_NOTFOUND:
        return "IO";
    default:
        return "INTERNAL";
    }
}


unsigned
reel_backoff_ms(unsigned n, unsigned random)
{
    unsigned  ms = 60000, floor;

    if (n < 1) {
        n = 1;
    }

    if (n <= 6) {
        ms = 1000u << (n - 1);
    }

    floor = ms / 4;

    return floor + random % (ms - floor + 1);
}
