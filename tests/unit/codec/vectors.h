/* configurations as hex, and what must hold for any of them */

#ifndef REEL_TESTS_VECTORS_H
#define REEL_TESTS_VECTORS_H

#include "lib/base/buf.h"
#include "lib/codec/codec.h"

typedef reel_err_t (*facts_fn)(reel_codec_facts_t *f, reel_str_t config);
typedef reel_err_t (*string_fn)(char *dst, size_t cap, reel_str_t config);
typedef reel_err_t (*config_fn)(reel_buf_t *out, const uint8_t *data,
    size_t len);

/* the bytes of a hex text in a block of just that size; free() p */
reel_str_t vector(const char *hex);

/*
 * Facts of a config, and its string: as wanted.  No bound of a shorter one
 * is broken, and a buffer that is too small is refused.
 */
void vector_check(const char *hex, facts_fn facts, string_fn string,
    const char *want, reel_codec_facts_t *f);

/* facts() and string() refuse it with that error */
void vector_refused(const char *hex, facts_fn facts, string_fn string,
    reel_err_t err);

/* what config() makes of in, as hex; in cut anywhere does no harm */
void vector_config(const char *in, config_fn config, const char *want);

#endif
