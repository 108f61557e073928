#include "lib/job/redis_error.h"

#include <string.h>

/* "ERR unknown command 'AUTH', with args beginning with: 'secret' " */
#define QUOTED ", with args beginning with"


reel_str_t
reel_redis_error(reel_str_t error)
{
    const char  *at = error.len == 0 ? NULL
                      : memmem(error.p, error.len, QUOTED, sizeof(QUOTED) - 1);

    if (at != NULL) {
        error.len = (size_t) (at - error.p);
    }

    return error;
}
