#include "workerd/source_sum.h"

#include <stdlib.h>
#include <sys/stat.h>

#include "lib/base/rescale.h"
#include "lib/store/pread.h"
#include "workerd/loop.h"

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


bool
reel_source_sum(uint8_t sum[REEL_SHA256_LEN], int fd, uint64_t limit_ms)
{
    off_t           at = 0;
    int64_t         begun = reel_loop_now();
    ssize_t         n = 1;
    uint8_t        *buf = malloc(HASH_BUFFER);
    struct stat     st;
    reel_sha256_t  *h = reel_sha256_new();
    bool            ok = buf != NULL && h != NULL && fstat(fd, &st) == 0;

    while (ok && n > 0) {
        n = reel_pread(fd, buf, HASH_BUFFER, (uint64_t) at);

        ok = n >= 0 && reel_sha256_update(h, buf, (size_t) n) == REEL_OK;
        at += n;
        ok = ok && reel_source_sum_pays((uint64_t) at, (uint64_t) st.st_size,
                                        (uint64_t) (reel_loop_now() - begun),
                                        limit_ms);
    }

    free(buf);

    if (!ok) {
        reel_sha256_free(h);
        return false;
    }

    return reel_sha256_final(h, sum) == REEL_OK;
}
