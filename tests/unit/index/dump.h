/*
 * docs/index-format.md read a second time, field by field: prints a line
 * "offset bytes meaning" for each.  It shares no code with the reader under
 * test but reel_reader_t.
 */

#ifndef REEL_TESTS_INDEX_DUMP_H
#define REEL_TESTS_INDEX_DUMP_H

#include "lib/base/buf.h"

void dump_index(reel_buf_t *out, const void *data, size_t len);

#endif
