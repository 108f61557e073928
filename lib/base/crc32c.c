#include <string.h>

#include "lib/base/crc32c.h"


#define POLY 0x82f63b78u        /* 0x1edc6f41 reflected */


/*
 * Software: four bits a step, by a table small enough to stand here.  An
 * index has at most 16 MiB and is checked once a load.
 */
uint32_t
reel_crc32c_soft(uint32_t crc, const void *data, size_t len)
{
    const uint8_t  *p = data;
    static const uint32_t  t[16] = {
        0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1,
        0x417b1dbc, 0x5125dad3, 0x61c69362, 0x7198540d,
        0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9,
        0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75,
    };

    crc = ~crc;

    while (len-- > 0) {
        crc ^= *p++;
        crc = crc >> 4 ^ t[crc & 15];
        crc = crc >> 4 ^ t[crc & 15];
    }

    return ~crc;
}


#if defined(__x86_64__)

__attribute__((target("sse4.2")))
static uint32_t
crc_sse42(uint32_t crc, const uint8_t *p, size_t len)
{
    uint64_t  c = crc, word;

    for (; len >= sizeof(word); len -= sizeof(word), p += sizeof(word)) {
        memcpy(&word, p, sizeof(word));
        c = __builtin_ia32_crc32di(c, word);
    }

    crc = (uint32_t) c;

    while (len-- > 0) {
        crc = __builtin_ia32_crc32qi(crc, *p++);
    }

    return crc;
}

#endif


uint32_t
reel_crc32c(uint32_t crc, const void *data, size_t len)
{
#if defined(__x86_64__)
    if (__builtin_cpu_supports("sse4.2")) {
        return ~crc_sse42(~crc, data, len);
    }
#endif

    return reel_crc32c_soft(crc, data, len);
}
