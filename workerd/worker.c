#include "workerd/worker.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>


int64_t
reel_unix_ms(void)
{
    struct timespec  ts;

    clock_gettime(CLOCK_REALTIME, &ts);

    return (int64_t) ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}


void
reel_random(void *dst, size_t n)
{
    char  *p = dst;

    while (n > 0) {
        ssize_t  got = getrandom(p, n, 0);

        if (got < 0) {
            if (errno == EINTR) {
                continue;
            }
            abort();            /* no kernel that we run on does this */
        }

        p += got;
        n -= (size_t) got;
    }
}


const reel_pipeline_t *
reel_worker_pipeline(const reel_worker_t *w, const char *name)
{
    for (size_t i = 0; i < w->npipelines; i++) {
        if (strcmp(w->pipelines[i].name, name) == 0) {
            return &w->pipelines[i];
        }
    }

    return NULL;
}
