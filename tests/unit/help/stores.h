/* empty stores, one a test, and what is in them */

#ifndef REEL_TESTS_HELP_STORES_H
#define REEL_TESTS_HELP_STORES_H

#include "lib/store/store.h"

/*
 * A store of the fs back end in a new temporary folder, or one of memory:
 * *state is the reel_store_t.  The teardown of both closes and removes it.
 */
int fs_setup(void **state);
int mem_setup(void **state);
int store_teardown(void **state);

/* that folder, and a path below it (static, until the next call) */
extern char fs_root[];
const char *fs_path(const char *below);

/* asserts what list says: names sorted, a '/' behind each prefix, blanks */
void assert_list(reel_store_t *s, const char *prefix, const char *want);

#endif
