/* to where a Redis Cluster's node sends whoever asks for another's slot */

#ifndef REEL_JOB_MOVED_H
#define REEL_JOB_MOVED_H

#include "lib/base/err.h"
#include "lib/base/str.h"

/* so often in a row it is followed: nodes may name each other in a circle */
#define REEL_REDIS_HOPS 5

/*
 * Of an error reply "MOVED <slot> <host>:<port>": the host, which is a part
 * of error (an IPv6 address has no brackets there), and the port, from 1.
 * REEL_NOTFOUND: it is another error; REEL_INVAL: it does not say whereto.
 */
reel_err_t reel_redis_moved(reel_str_t error, reel_str_t *host,
    uint16_t *port) REEL_WARN_UNUSED;

#endif
