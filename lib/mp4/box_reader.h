/* walks the boxes of ISO 14496-12, 4.2, in a sticky reader */

#ifndef REEL_MP4_BOX_READER_H
#define REEL_MP4_BOX_READER_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/reader.h"

/*
 * Takes the next box of r: its type, and a reader over its payload.  False
 * at the end, and with r->err set when the box does not fit into r.  A box
 * of 64-bit size, or one to the end of the file, is REEL_UNSUPPORTED: no
 * header of ours has any.
 */
bool reel_box_next(reel_reader_t *r, uint32_t *type, reel_reader_t *body);

#endif
