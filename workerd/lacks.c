#include "workerd/lacks.h"

#include <string.h>

#include "lib/base/crc32c.h"

#define AGAIN_MS 60000


bool
reel_lacks_news(reel_lacks_t *l, const char *text, int64_t now_ms)
{
    size_t    at = 0;
    uint32_t  sum = reel_crc32c(0, text, strlen(text));

    /* its own place, or that of what was said longest ago */
    for (size_t i = 0; i < REEL_LACKS_SAID; i++) {
        if (l->said[i].ms != 0 && l->said[i].sum == sum) {
            at = i;
            break;
        }
        at = l->said[i].ms < l->said[at].ms ? i : at;
    }

    if (l->said[at].ms != 0 && l->said[at].sum == sum
        && now_ms - l->said[at].ms < AGAIN_MS)
    {
        return false;
    }

    l->said[at].sum = sum;
    l->said[at].ms = now_ms;

    return true;
}
