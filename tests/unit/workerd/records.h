/* parts of an asset that stands in a store; a test fails when one cannot */

#ifndef REEL_TESTS_WORKERD_RECORDS_H
#define REEL_TESTS_WORKERD_RECORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/store/layout.h"
#include "lib/store/store.h"

/* replaces it */
void put_part(reel_store_t *s, const char *asset, const char *part,
    const void *data, size_t len);

/* of no fragments, created 77 ms after the epoch; its salt is of 0x5a */
void put_index(reel_store_t *s, const char *asset, uint32_t publication,
    bool growing);

/* not ready: the code is CRASHED */
void put_result(reel_store_t *s, const char *asset, uint32_t publication,
    bool ready);

#endif
