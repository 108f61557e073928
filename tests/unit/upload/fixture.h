/* an empty store, fs or in memory, and uploads in it */

#ifndef REEL_TESTS_UPLOAD_FIXTURE_H
#define REEL_TESTS_UPLOAD_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "lib/store/layout.h"
#include "lib/upload/upload.h"
#include "tests/unit/help/stores.h"

#define NOW     1700000000000
#define ID      "00112233445566778899aabbccddeeff"
#define OTHER   "ffeeddccbbaa99887766554433221100"
#define ASSET   "01j00000000000000000000000"
#define ASSET_2 "01j00000000000000000000001"
#define ORIGIN  "e3b0c44298fc1c149afbf4c8996fb924" \
                "27ae41e4649b934ca495991b7852b855"
#define MIB     (1u << 20)

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define OK(call) assert_int_equal(call, REEL_OK)
#define IS(err, call) assert_int_equal(call, err)

/* one test on both back ends */
#define BOTH(f) \
    { #f ", fs", f, fs_setup, store_teardown, NULL }, \
    { #f ", mem", f, mem_setup, store_teardown, NULL }
#define ON_FS(f) cmocka_unit_test_setup_teardown(f, fs_setup, store_teardown)

/* who takes turns: owners 'a' and 'b' of one boot, and of another */
extern const reel_upload_self_t  alice, bob, rebooted;

/* borrowed strings; id ID, asset ASSET */
reel_upload_facts_t facts_of(reel_upload_door_t door);

reel_upload_t *create(reel_store_t *s, const reel_upload_facts_t *f,
    uint64_t length);
reel_upload_t *open_id(reel_store_t *s, const char *id);
/* opened and turn 0 claimed */
reel_upload_t *claim(reel_store_t *s, const char *id,
    const reel_upload_self_t *self);

/* byte i of every file that these tests write, shifted by seed */
uint8_t pattern(uint64_t i, uint64_t seed);
void append(reel_upload_t *u, size_t n);
/* part `number` of `size` bytes that are `seed`'s from byte `from` on */
reel_upload_part_t put_part(reel_store_t *s, unsigned number, size_t size,
    uint64_t from, uint64_t seed);

/* key holds the first size bytes of the pattern */
void assert_pattern(reel_store_t *s, const char *key, uint64_t size,
    uint64_t seed);
void assert_stands(reel_store_t *s, const char *key, bool want);

/* ASSET is published once, whole, and its job waits */
void assert_asset(reel_store_t *s, const char *asset, uint64_t size);

#endif
