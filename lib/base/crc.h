/*
 * The reflected CRCs that start with all ones and end inverted: 32 bits
 * (zlib's and ISO 3309's), 32 bits of Castagnoli (RFC 3720 B.4) and 64 bits
 * of NVMe (NVM Command Set 1.0, 5.2.1.3.4).  Of "123456789" they are
 * cbf43926, e3069283 and ae8b14860a799888.
 *
 * One engine for all: 64 bytes a turn by carry-less multiplication where the
 * processor has it, else eight bytes by eight tables.
 */

#ifndef REEL_BASE_CRC_H
#define REEL_BASE_CRC_H

#include <stddef.h>
#include <stdint.h>

/*
 * A polynomial.  All is reflected: the lowest bit is the highest power.
 * fold<n> are x^(n + 63) and x^(n - 1) mod it, in the upper bits of a word;
 * table[k][b] is the byte b followed by k zero bytes.
 */
typedef struct {
    uint64_t mask;              /* its width in ones */
    uint64_t fold512[2];
    uint64_t fold128[2];
    uint64_t table[8][256];
} reel_crc_t;

extern const reel_crc_t reel_crc_32;
extern const reel_crc_t reel_crc_32c;
extern const reel_crc_t reel_crc_64nvme;

/* start with 0; feed the result back to go on */
uint64_t reel_crc(const reel_crc_t *k, uint64_t crc, const void *data,
    size_t len);

/* the same by the tables alone: what other processors have */
uint64_t reel_crc_soft(const reel_crc_t *k, uint64_t crc, const void *data,
    size_t len);

/* of A followed by B, from those of A and of B and the length of B */
uint64_t reel_crc_combine(const reel_crc_t *k, uint64_t a, uint64_t b,
    uint64_t len_b);

#endif
