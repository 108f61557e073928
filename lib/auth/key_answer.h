/*
 * What a key server answers: JSON, {"key": "<64 hexadecimal digits>"}, other
 * members being passed over.  Parsed from bytes.
 */

#ifndef REEL_AUTH_KEY_ANSWER_H
#define REEL_AUTH_KEY_ANSWER_H

#include <stddef.h>
#include <stdint.h>

#include "lib/base/err.h"

#define REEL_KEY_ANSWER_LEN  32

/*
 * REEL_BADDATA with a text that has no byte of the answer: key is as it was,
 * so that an older one goes on being good.
 */
reel_err_t reel_key_answer_parse(uint8_t key[REEL_KEY_ANSWER_LEN],
    const char *json, size_t len, reel_error_t *e) REEL_WARN_UNUSED;

#endif
