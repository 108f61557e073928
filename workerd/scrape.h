/*
 * The door for Prometheus: an HTTP/1.1 listener of one page, GET /metrics,
 * in the daemon's loop.
 *
 * Guarantees: nothing here blocks; at most REEL_SCRAPE_CONNS connections
 * are open, others wait in the kernel; a request has at most
 * REEL_SCRAPE_REQUEST bytes; who does not send or take in time is let go.
 * A scrape asks Redis and is answered without what it did not tell in time.
 * Each connection carries one request.  Children inherit no descriptor.
 */

#ifndef REEL_WORKERD_SCRAPE_H
#define REEL_WORKERD_SCRAPE_H

#include "lib/base/buf.h"
#include "workerd/worker.h"

#define REEL_SCRAPE_CONNS   8
#define REEL_SCRAPE_REQUEST 4096

/* where conf.metrics says.  NULL: it was logged why not */
reel_scrape_t *reel_scrape_new(reel_worker_t *w);
void reel_scrape_free(reel_scrape_t *s);        /* NULL is fine */

/*
 * What the n bytes that came of a request are answered: 200, an error's
 * status, or 0: there must be more (RFC 9112, 2.1 and 3).
 */
unsigned reel_scrape_status(const char *p, size_t n);

/* the head of a response whose body has so many bytes */
void reel_scrape_head(reel_buf_t *b, unsigned status, size_t body);

/* a listening socket, not blocking; -1: errno says why not */
int reel_scrape_listen(const reel_redis_addr_t *at);

#endif
