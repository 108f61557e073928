/* what every harness has */

#ifndef REEL_TESTS_FUZZ_HARNESS_H
#define REEL_TESTS_FUZZ_HARNESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* the fuzzer keeps what makes it abort */
static inline void
need(bool held)
{
    if (!held) {
        abort();
    }
}

#endif
