#include "lib/job/moved.h"


reel_err_t
reel_redis_moved(reel_str_t error, reel_str_t *host, uint16_t *port)
{
    size_t      i;
    uint64_t    n;
    reel_str_t  at;

    if (!reel_str_prefix(error, "MOVED ")) {
        return REEL_NOTFOUND;
    }

    (void) reel_str_cut(error, ' ', &at);
    (void) reel_str_cut(at, ' ', &at);

    if (at.p == NULL) {
        return REEL_INVAL;
    }

    for (i = at.len; i > 0 && at.p[i - 1] != ':'; i--) { /* void */ }

    if (i < 2
        || reel_str_u64((reel_str_t) { at.p + i, at.len - i }, UINT16_MAX, &n)
           != REEL_OK
        || n == 0)
    {
        return REEL_INVAL;
    }

    *host = (reel_str_t) { at.p, i - 1 };
    *port = (uint16_t) n;

    return REEL_OK;
}
