#include "lib/store/pread.h"

#include <errno.h>
#include <unistd.h>


ssize_t
reel_pread(int fd, void *dst, size_t len, uint64_t off)
{
    ssize_t   n;
    size_t    got = 0;
    uint8_t  *p = dst;

    /* there is no file behind what off_t holds, and none that crosses it */
    if (off > INT64_MAX) {
        return 0;
    }
    if (len > (uint64_t) INT64_MAX - off) {
        len = (size_t) ((uint64_t) INT64_MAX - off);
    }

    while (got < len) {
        n = pread(fd, p + got, len - got, (off_t) off);

        if (n == 0) {
            break;
        }
        if (n > 0) {
            got += (size_t) n;
            off += (uint64_t) n;
        } else if (errno != EINTR) {
            return -1;
        }
    }

    return (ssize_t) got;
}
