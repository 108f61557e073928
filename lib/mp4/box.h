/*
 * Boxes of ISO 14496-12, 4.2, written into a reel_buf_t: begin() returns
 * where the box starts, end() patches its 32-bit size.  After an error of
 * the buffer both are no-ops.
 */

#ifndef REEL_MP4_BOX_H
#define REEL_MP4_BOX_H

#include <stdint.h>

#include "lib/base/buf.h"

#define REEL_FOURCC(a, b, c, d)                                               \
    ((uint32_t) (a) << 24 | (uint32_t) (b) << 16 | (uint32_t) (c) << 8        \
     | (uint32_t) (d))

#define REEL_BOX_HEAD      8    /* size and type */
#define REEL_FULL_BOX_HEAD 12   /* version and flags too */

/* sample flags, 8.8.3.1: what a moof and its reader call (non-)sync */
#define REEL_FLAGS_SYNC     0x02000000u     /* depends on no other */
#define REEL_FLAGS_NON_SYNC 0x01010000u     /* depends; non-sync */

/* optional fields, 8.8.7 and 8.8.8 */
#define REEL_TFHD_BASE_OFFSET  0x000001u
#define REEL_TFHD_DESCRIPTION  0x000002u
#define REEL_TFHD_DURATION     0x000008u
#define REEL_TFHD_SIZE         0x000010u
#define REEL_TFHD_FLAGS        0x000020u
#define REEL_TFHD_BASE_IS_MOOF 0x020000u

#define REEL_TRUN_DATA_OFFSET  0x000001u
#define REEL_TRUN_FIRST_FLAGS  0x000004u
#define REEL_TRUN_DURATION     0x000100u
#define REEL_TRUN_SIZE         0x000200u
#define REEL_TRUN_FLAGS        0x000400u
#define REEL_TRUN_CTS          0x000800u

/* where the box begins: end, which writes its size, is told that */
size_t reel_box_begin(reel_buf_t *b, uint32_t type);
size_t reel_full_box_begin(reel_buf_t *b, uint32_t type, uint8_t version,
    uint32_t flags);
void reel_box_end(reel_buf_t *b, size_t start);

#endif
