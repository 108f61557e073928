/* a store of the fs back end in a new temporary folder */

#ifndef REEL_TESTS_STORE_FS_ROOT_H
#define REEL_TESTS_STORE_FS_ROOT_H

/* the folder, and a path below it (static, until the next call) */
extern char fs_root[];
const char *fs_path(const char *below);

int fs_setup(void **state);
int fs_teardown(void **state);

#endif
