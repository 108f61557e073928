#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/store/store.h"
#include "tests/unit/store/fs_root.h"


char         fs_root[64];
static char  path[512];


const char *
fs_path(const char *below)
{
    (void) snprintf(path, sizeof(path), "%s/%s", fs_root, below);

    return path;
}


int
fs_setup(void **state)
{
    reel_error_t   e;
    reel_store_t  *s;

    (void) snprintf(fs_root, sizeof(fs_root), "/tmp/reel-store-XXXXXX");

    if (mkdtemp(fs_root) == NULL) {
        perror(fs_root);
        return -1;
    }

    if (reel_store_fs_open(fs_root, &s, &e) != REEL_OK) {
        fprintf(stderr, "%s\n", e.text);
        return -1;
    }

    *state = s;

    return 0;
}


static int
unlink_one(const char *name, const struct stat *st, int type,
    struct FTW *where)
{
    (void) st;
    (void) type;
    (void) where;

    return remove(name);
}


int
fs_teardown(void **state)
{
    reel_store_close(*state);

    return nftw(fs_root, unlink_one, 64, FTW_DEPTH | FTW_PHYS);
}
