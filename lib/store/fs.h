/*
 * What the files of the fs back end share.  Below the root every folder is
 * opened by itself, relative to its parent and never through a symbolic
 * link, so nothing that stands in the tree leads out of it.
 */

#ifndef REEL_STORE_FS_H
#define REEL_STORE_FS_H

#include <sys/stat.h>

#include "lib/store/store.h"

/*
 * No key has a '#', so temp names collide with none.  Whoever writes a temp
 * file holds a lock (flock) on it: one without is left from a crash, and
 * the next list of its folder removes it.
 */
#define REEL_FS_TEMP_PREFIX "#tmp-"
#define REEL_FS_TEMP_MAX    (sizeof(REEL_FS_TEMP_PREFIX) + 32)

/*
 * A folder may be removed, being empty, between its opening and the first
 * file in it: then the system says ENOENT and the whole is tried again.
 */
#define REEL_FS_TRIES       32

typedef struct {
    reel_store_t base;
    int          root;
    bool         unsynced;      /* reel_store_fs_unsynced */
} reel_fs_t;

/* the folder of a key, and the key's last part */
typedef struct {
    const reel_fs_t *fs;
    int              dir;       /* owned */
    const char      *leaf;      /* points into the key */
} reel_fs_place_t;

/* the one mapping of errno */
reel_err_t reel_fs_errno(int e);

/* never follows the last part; closes on exec */
int reel_fs_openat(int dir, const char *name, int flags);

/* the folder `key`, "" the root itself; -1 and errno on failure */
int reel_fs_folder(const reel_fs_t *fs, const char *key);

/*
 * Finds the folder of key; with create, makes what is missing of it and
 * syncs each folder that got a new one.  REEL_NOTFOUND without create, or
 * when a folder was removed meanwhile.
 */
reel_err_t reel_fs_place(const reel_fs_t *fs, const char *key, bool create,
    reel_fs_place_t *p) REEL_WARN_UNUSED;
void reel_fs_place_close(reel_fs_place_t *p);

/* all syncs there are; nothing where the store is not synced */
reel_err_t reel_fs_sync_dir(const reel_fs_t *fs, int dir) REEL_WARN_UNUSED;
reel_err_t reel_fs_sync_data(const reel_fs_t *fs, int fd) REEL_WARN_UNUSED;
reel_err_t reel_fs_write(int fd, uint64_t off, const void *data, size_t len)
    REEL_WARN_UNUSED;

/*
 * Removes the folders above key that are empty, up to but not including
 * the first level, which an operator may have prepared.
 */
void reel_fs_prune(const reel_fs_t *fs, const char *key);

/* opens a temp file with a name that nobody can foretell, and locks it */
reel_err_t reel_fs_temp(int dir, char name[REEL_FS_TEMP_MAX], int *fd)
    REEL_WARN_UNUSED;

/* removes the temp file `name` if its writer is dead */
void reel_fs_reap(int dir, const char *name);

/* up to len bytes from off; fewer at the end */
reel_err_t reel_fs_read(int fd, uint64_t off, void *dst, size_t len,
    size_t *n) REEL_WARN_UNUSED;

/* fs_range.c: what touches a staged file but through read and write */
reel_err_t reel_fs_reserve(reel_multipart_t *m, uint64_t off, uint64_t len);
reel_err_t reel_fs_truncate(reel_multipart_t *m, uint64_t size);
reel_err_t reel_fs_copy(reel_multipart_t *to, uint64_t off,
    reel_multipart_t *from, uint64_t from_off, uint64_t len);
reel_err_t reel_fs_collapse(reel_multipart_t *m, uint64_t len);
void reel_fs_punch(reel_multipart_t *m, uint64_t off, uint64_t len);
reel_err_t reel_fs_lock(reel_multipart_t *m, uint64_t off, uint64_t len,
    bool wait);
void reel_fs_unlock(reel_multipart_t *m, uint64_t off, uint64_t len);
reel_err_t reel_fs_holder(reel_multipart_t *m, uint64_t off, uint64_t len,
    uint64_t *first);

reel_err_t reel_fs_multipart_create(reel_store_t *s, const char *staging,
    reel_multipart_t **m);
reel_err_t reel_fs_multipart_open(reel_store_t *s, const char *staging,
    reel_multipart_t **m);
reel_err_t reel_fs_multipart_size(reel_multipart_t *m, uint64_t *size);
reel_err_t reel_fs_multipart_read(reel_multipart_t *m, uint64_t off,
    void *dst, size_t len, size_t *n);
reel_err_t reel_fs_multipart_write(reel_multipart_t *m, uint64_t off,
    const void *data, size_t len);
reel_err_t reel_fs_multipart_sync(reel_multipart_t *m);
reel_err_t reel_fs_multipart_publish(reel_multipart_t *m, const char *key);
void reel_fs_multipart_close(reel_multipart_t *m);
void reel_fs_multipart_abort(reel_multipart_t *m);

#endif
