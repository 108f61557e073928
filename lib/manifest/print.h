/*
 * Number printers for lines that stand a thousand times in a manifest,
 * where printf would take most of the time.  Each writes at p, which must
 * have room (20 digits), and returns what follows.
 */

#ifndef REEL_MANIFEST_PRINT_H
#define REEL_MANIFEST_PRINT_H

#include <stdint.h>
#include <string.h>

#define REEL_PRINT_U64 20       /* digits of the longest number */

static inline char *
reel_print_u64(char *p, uint64_t v)
{
    char      raw[REEL_PRINT_U64];
    unsigned  n = sizeof(raw);

    do {
        raw[--n] = (char) ('0' + v % 10);
        v /= 10;
    } while (v != 0);

    memcpy(p, raw + n, sizeof(raw) - n);

    return p + (sizeof(raw) - n);
}


/* exactly six digits: microseconds behind the point */
static inline char *
reel_print_us(char *p, uint32_t us)
{
    unsigned  i;

    for (i = 6; i > 0; i--) {
        p[i - 1] = (char) ('0' + us % 10);
        us /= 10;
    }

    return p + 6;
}


static inline char *
reel_print_z(char *p, const char *z)
{
    size_t  n = strlen(z);

    memcpy(p, z, n);

    return p + n;
}

#endif
