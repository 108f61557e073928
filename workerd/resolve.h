/*
 * The address of a host, without waiting for DNS: libc's resolver blocks,
 * for half a minute when no server answers, and leases would end meanwhile.
 * So a child asks.  (Not a thread: the daemon forks all the time, and a
 * child must not inherit a lock that a thread of its parent held.)
 */

#ifndef REEL_WORKERD_RESOLVE_H
#define REEL_WORKERD_RESOLVE_H

#include <stdbool.h>

#include "lib/base/err.h"
#include "workerd/loop.h"

typedef struct reel_resolve_s reel_resolve_t;

/* address is numeric (IPv4 first), or NULL and why says what is wrong */
typedef void (*reel_resolve_fn)(void *arg, const char *address,
    const char *why);

/* host is an address already; there is nothing to ask */
bool reel_resolve_numeric(const char *host);

/*
 * fn is called once, from the loop; *r is gone then.  Needs
 * reel_children_init.  REEL_NOMEM, REEL_IO: no child can be had.
 */
reel_err_t reel_resolve_start(reel_loop_t *l, const char *host,
    reel_resolve_fn fn, void *arg, reel_resolve_t **r) REEL_WARN_UNUSED;

/* fn will not be called; NULL is fine */
void reel_resolve_cancel(reel_resolve_t *r);

#endif
