/* numbers of docs/index-format.md that reader and writer share */

#ifndef REEL_INDEX_FORMAT_H
#define REEL_INDEX_FORMAT_H

#include <stdint.h>

#define REEL_IX_MAGIC        "\x89REELIX\n"
#define REEL_IX_MAGIC_LEN    8
#define REEL_IX_HEAD         48         /* bytes before the sections */
#define REEL_IX_TAIL         4          /* CRC-32C */

#define REEL_IX_GROWING      1u         /* flag of the file */
#define REEL_IX_CONSTANT     1u         /* flag of GRID */

/* section types */
#define REEL_IX_GRID         1u
#define REEL_IX_HEADER       2u
#define REEL_IX_OBJECTS      3u
#define REEL_IX_RENDITION    4u
#define REEL_IX_IMAGE        5u
#define REEL_IX_PICTURES     6u
#define REEL_IX_SAMPLES      7u

#define REEL_IX_TS_MAX       ((UINT64_C(1) << 53) - 1)
#define REEL_IX_HEADER_MAX   16384
#define REEL_IX_SAMPLES_MAX  (1u << 20)
#define REEL_IX_NAME_MAX     32
#define REEL_IX_CODEC_MAX    63
#define REEL_IX_LANGUAGE_MAX 35
#define REEL_IX_LABEL_MAX    127
#define REEL_IX_OFFSETS      1u         /* flag of SAMPLES */
#define REEL_IX_TILES_MAX    32         /* columns, rows */
#define REEL_IX_COUNT_MAX    (1u << 20) /* pictures */
#define REEL_IX_INTERVAL_MAX 3600000u   /* ms */

#endif
