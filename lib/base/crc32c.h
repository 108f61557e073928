/* CRC-32C (Castagnoli, RFC 3720 B.4): crc32c(0, "123456789") = e3069283 */

#ifndef REEL_BASE_CRC32C_H
#define REEL_BASE_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/* start with 0; feed the result back to go on */
uint32_t reel_crc32c(uint32_t crc, const void *data, size_t len);

/* the same without the processor's instruction: what others fall back to */
uint32_t reel_crc32c_soft(uint32_t crc, const void *data, size_t len);

#endif
