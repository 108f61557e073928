/* CRC-32C (Castagnoli, RFC 3720 B.4): crc32c(0, "123456789") = e3069283 */

#ifndef REEL_BASE_CRC32C_H
#define REEL_BASE_CRC32C_H

#include "lib/base/crc.h"

/* start with 0; feed the result back to go on */
static inline uint32_t
reel_crc32c(uint32_t crc, const void *data, size_t len)
{
    return (uint32_t) reel_crc(&reel_crc_32c, crc, data, len);
}

#endif
