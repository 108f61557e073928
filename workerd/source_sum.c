#include "workerd/source_sum.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/rescale.h"

#define HASH_BUFFER (1u << 20)

/* what a medium gives is not known before */
#define TRIAL_MS 1000


bool
reel_source_sum_pays(uint64_t done, uint64_t size, uint64_t ms,
    uint64_t limit_ms)
{
    if (ms < TRIAL_MS || done >= size) {
        return ms <= limit_ms;
    }

    return done > 0
           && (uint64_t) reel_rescale((int64_t) size, ms, done,
                                      REEL_ROUND_UP) <= limit_ms;
}


static uint64_t
since(const struct timespec *begun)
{
    struct timespec  now;

    clock_gettime(CLOCK_MONOTONIC, &now);

    return (uint64_t) ((now.tv_sec - begun->tv_sec) * 1000
                       + (now.tv_nsec - begun->tv_nsec) / 1000000);
}


bool
reel_source_sum(uint8_t sum[REEL_SHA256_LEN], int fd, uint64_t limit_ms)
{
    off_t            at = 0;
    ssize_t          n = 1;
    uint8_t         *buf = malloc(HASH_BUFFER);
    struct stat      st;
    struct timespec  begun;
    reel_sha256_t   *h = reel_sha256_new();
    bool             ok = buf != NULL && h != NULL && fstat(fd, &st) == 0;

    clock_gettime(CLOCK_MONOTONIC, &begun);

    while (ok && n > 0) {
        n = pread(fd, buf, HASH_BUFFER, at);
        if (n < 0 && errno == EINTR) {
            n = 1;
            continue;
        }

        ok = n >= 0 && reel_sha256_update(h, buf, (size_t) n) == REEL_OK;
        at += n;
        ok = ok && reel_source_sum_pays((uint64_t) at,
                                        (uint64_t) st.st_size, since(&begun),
                                        limit_ms);
    }

    free(buf);

    if (!ok) {
        reel_sha256_free(h);
        return false;
    }

    return reel_sha256_final(h, sum) == REEL_OK;
}
