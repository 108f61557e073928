/*
 * What this worker lacks: of tasks that it claims (each comes again until
 * another worker has taken it), and of its store.  Each is said once a minute.
 */

#ifndef REEL_WORKERD_LACKS_H
#define REEL_WORKERD_LACKS_H

#include <stdbool.h>
#include <stdint.h>

#define REEL_LACKS_SAID 16

typedef struct {
    struct {
        uint32_t sum;           /* of the text */
        int64_t  ms;            /* said then; 0: never */
    } said[REEL_LACKS_SAID];
} reel_lacks_t;

/* shall this be said now?  Then it counts as said */
bool reel_lacks_news(reel_lacks_t *l, const char *text, int64_t now_ms);

#endif
