#include "lib/hook/schedule.h"

#include <stddef.h>

#define MINUTE 60
#define HOUR   3600

static const uint32_t delays_s[] = {
    5, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR, 14 * HOUR,
    20 * HOUR, 24 * HOUR
};


int64_t
reel_hook_delay_ms(unsigned tried, uint32_t random)
{
    int64_t ms;

    if (tried == 0 || tried > sizeof(delays_s) / sizeof(delays_s[0])) {
        return -1;
    }

    ms = (int64_t) delays_s[tried - 1] * 1000;

    /* so that what failed together does not come back together */
    return ms + (int64_t) (random % (uint64_t) (ms / 10 + 1));
}
