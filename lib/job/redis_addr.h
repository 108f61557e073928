/* where a Redis, a sentinel, or who asks for the metrics is to be found */

#ifndef REEL_JOB_REDIS_ADDR_H
#define REEL_JOB_REDIS_ADDR_H

#include <stdint.h>

#include "lib/base/err.h"
#include "lib/base/str.h"

/* that are tried in turn */
#define REEL_REDIS_ADDRS 8

typedef struct {
    char     socket[108];       /* unix path, or "" and … */
    char     host[256];         /* … a name or numbers, without brackets */
    uint16_t port;
} reel_redis_addr_t;

/* "unix:PATH", "10.0.0.5:6379", "[::1]:6379" */
typedef char reel_redis_addr_text_t[288];

/* REEL_INVAL: text is not of that form, or too long.  Nothing is looked up */
reel_err_t reel_redis_addr_parse(reel_redis_addr_t *a, reel_str_t text)
    REEL_WARN_UNUSED;

/* as it is parsed.  Returns dst */
const char *reel_redis_addr_print(const reel_redis_addr_t *a,
    reel_redis_addr_text_t dst);

#endif
