/*
 * What every back end of the store must do.  setup puts an empty
 * reel_store_t into *state, teardown closes and removes it; both run for
 * each test.
 */

#ifndef REEL_TESTS_STORE_SUITE_H
#define REEL_TESTS_STORE_SUITE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "lib/store/store.h"
#include "tests/unit/help/stores.h"

int store_suite_run(const char *name, CMFixtureFunction setup,
    CMFixtureFunction teardown);
int store_suite_staged(const char *name, CMFixtureFunction setup,
    CMFixtureFunction teardown);

/* asserts that key has just these bytes, and that nothing has it */
void assert_object(reel_store_t *s, const char *key, const char *bytes);
void assert_absent(reel_store_t *s, const char *key);

reel_err_t put(reel_store_t *s, const char *key, const char *bytes);

#endif
