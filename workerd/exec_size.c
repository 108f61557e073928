#include "workerd/exec_size.h"

#include <fcntl.h>
#include <fts.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

#define BLOCK 512               /* of st_blocks, whatever the medium's is */


/* a folder whose mode hides what is in it is opened once more, then not */
static bool
opens(FTS *f, FTSENT *e)
{
    return e->fts_number++ == 0
           && fchmodat(AT_FDCWD, e->fts_accpath, 0700, AT_SYMLINK_NOFOLLOW)
              == 0
           && fts_set(f, e, FTS_AGAIN) == 0;
}


uint64_t
reel_exec_size(const char *folder)
{
    FTS         *f;
    FTSENT      *e;
    char        *paths[] = { (char *) folder, NULL };
    uint64_t     n, bytes = 0;

    /* with chdir: a program's folders may be deeper than a path is long */
    f = fts_open(paths, FTS_PHYSICAL | FTS_XDEV, NULL);
    if (f == NULL) {
        return 0;
    }

    while ((e = fts_read(f)) != NULL) {
        if (e->fts_info == FTS_DP || e->fts_info == FTS_NS
            || (e->fts_info == FTS_DNR && opens(f, e)))
        {
            continue;
        }

        /* a file is met once by each of its names */
        n = (uint64_t) e->fts_statp->st_blocks * BLOCK;
        bytes += e->fts_info == FTS_F && e->fts_statp->st_nlink > 1
                 ? n / e->fts_statp->st_nlink : n;
    }

    (void) fts_close(f);

    return bytes;
}
