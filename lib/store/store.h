/*
 * reel_store_t: where the durable truth lies.  A const table of nine
 * operations over keys such as "assets/7q/01h.../index" (lib/store/layout.h
 * makes them).  Nothing here promises rename: a back end publishes whole
 * objects, by what means is its own affair.
 *
 * A store and its functions may be used by several threads at once; one
 * object or multipart by one thread at a time, but for multipart writes to
 * different offsets, and a sync beside them.  Calls may block: in nginx they
 * run in a thread pool.
 *
 * Durability: when put_if_absent, replace, multipart publish or del return
 * REEL_OK, the change survives power loss (but for reel_store_fs_unsynced).
 *
 * Errors everywhere: REEL_INVAL bad key, REEL_NOTFOUND, REEL_EXISTS,
 * REEL_NOSPACE, REEL_DENIED (permission), REEL_IO, REEL_NOMEM; REEL_AGAIN
 * only from a lock, and from read of a back end that fetches asynchronously.
 */

#ifndef REEL_STORE_STORE_H
#define REEL_STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/base/err.h"

#define REEL_STORE_KEY_MAX 255

typedef struct reel_store_s     reel_store_t;
typedef struct reel_object_s    reel_object_t;
typedef struct reel_multipart_s reel_multipart_t;

typedef struct {
    uint64_t size;              /* bytes */
    int64_t  mtime_ns;          /* Unix time */
    uint64_t version;           /* differs when the object was replaced */
} reel_store_stat_t;

/* return anything but REEL_OK to stop the listing with that code */
typedef reel_err_t (*reel_store_list_fn)(void *arg, const char *name,
    bool is_prefix);

typedef struct {
    const char *name;           /* "fs", "mem" */

    /* the object stays readable though it be deleted or replaced */
    reel_err_t (*open)(reel_store_t *s, const char *key, reel_object_t **o);

    /* up to len bytes from off; *n == 0 at the end */
    reel_err_t (*read)(reel_object_t *o, uint64_t off, void *dst, size_t len,
        size_t *n);

    /*
     * REEL_EXISTS and no change when key stands.  Do not make an object
     * below another's key: fs cannot, and says REEL_INVAL.
     */
    reel_err_t (*put_if_absent)(reel_store_t *s, const char *key,
        const void *data, size_t len);

    /* readers see the old bytes or the new ones, never a mixture */
    reel_err_t (*replace)(reel_store_t *s, const char *key,
        const void *data, size_t len);

    reel_err_t (*stat)(reel_store_t *s, const char *key,
        reel_store_stat_t *st);

    /*
     * The names directly below prefix ("" or "a/b"), in no order; none and
     * REEL_OK when there are none.  fn may change the store.  A prefix may
     * turn out to be empty.
     */
    reel_err_t (*list)(reel_store_t *s, const char *prefix,
        reel_store_list_fn fn, void *arg);

    /* REEL_OK too when key does not stand */
    reel_err_t (*del)(reel_store_t *s, const char *key);

    /* see reel_store_link */
    reel_err_t (*link)(reel_store_t *s, const char *key, const char *to);

    /* an object written in pieces; see reel_multipart_* */
    struct {
        reel_err_t (*create)(reel_store_t *s, const char *staging,
            reel_multipart_t **m);
        reel_err_t (*open)(reel_store_t *s, const char *staging,
            reel_multipart_t **m);
        reel_err_t (*size)(reel_multipart_t *m, uint64_t *size);
        reel_err_t (*read)(reel_multipart_t *m, uint64_t off, void *dst,
            size_t len, size_t *n);
        reel_err_t (*write)(reel_multipart_t *m, uint64_t off,
            const void *data, size_t len);
        reel_err_t (*sync)(reel_multipart_t *m);
        reel_err_t (*reserve)(reel_multipart_t *m, uint64_t off,
            uint64_t len);
        reel_err_t (*truncate)(reel_multipart_t *m, uint64_t size);
        reel_err_t (*copy)(reel_multipart_t *to, uint64_t off,
            reel_multipart_t *from, uint64_t from_off, uint64_t len);
        reel_err_t (*collapse)(reel_multipart_t *m, uint64_t len);
        void (*punch)(reel_multipart_t *m, uint64_t off, uint64_t len);
        reel_err_t (*lock)(reel_multipart_t *m, uint64_t off, uint64_t len,
            bool wait);
        void (*unlock)(reel_multipart_t *m, uint64_t off, uint64_t len);
        reel_err_t (*holder)(reel_multipart_t *m, uint64_t off, uint64_t len,
            uint64_t *first);
        reel_err_t (*publish)(reel_multipart_t *m, const char *key);
        void (*close)(reel_multipart_t *m);
        void (*abort)(reel_multipart_t *m);
    } multipart;

    void (*object_close)(reel_object_t *o);
    void (*close)(reel_store_t *s);
} reel_store_ops_t;

struct reel_store_s {
    const reel_store_ops_t *ops;
};

struct reel_object_s {
    reel_store_t     *store;
    reel_store_stat_t st;
    int               fd;       /* -1 when the back end has none; borrowed */
};

struct reel_multipart_s {
    reel_store_t *store;
    int           fd;           /* -1 when the back end has none; borrowed */
};

/*
 * Opens the fs back end below root (an absolute path that must exist).
 * Files get mode 0660 and folders 0770, less the umask.
 */
reel_err_t reel_store_fs_open(const char *root, reel_store_t **s,
    reel_error_t *e) REEL_WARN_UNUSED;

/*
 * The same store, of the fs back end, and nothing is synced: what is done
 * survives the death of processes, in its order, and as for a loss of power
 * what the file system promises by itself.  It goes with s.
 */
reel_store_t *reel_store_fs_unsynced(reel_store_t *s);

/* the in-memory back end: for tests; one thread, no fds, no rename */
reel_err_t reel_store_mem_open(reel_store_t **s) REEL_WARN_UNUSED;

void reel_store_close(reel_store_t *s);                 /* NULL is fine */

reel_err_t reel_store_open(reel_store_t *s, const char *key,
    reel_object_t **o) REEL_WARN_UNUSED;
reel_err_t reel_object_read(reel_object_t *o, uint64_t off, void *dst,
    size_t len, size_t *n) REEL_WARN_UNUSED;
void reel_object_close(reel_object_t *o);               /* NULL is fine */

reel_err_t reel_store_put_if_absent(reel_store_t *s, const char *key,
    const void *data, size_t len) REEL_WARN_UNUSED;
reel_err_t reel_store_replace(reel_store_t *s, const char *key,
    const void *data, size_t len) REEL_WARN_UNUSED;
reel_err_t reel_store_stat(reel_store_t *s, const char *key,
    reel_store_stat_t *st) REEL_WARN_UNUSED;

/* in *there whether it stands; REEL_OK also when not */
reel_err_t reel_store_stands(reel_store_t *s, const char *key, bool *there)
    REEL_WARN_UNUSED;

reel_err_t reel_store_list(reel_store_t *s, const char *prefix,
    reel_store_list_fn fn, void *arg) REEL_WARN_UNUSED;
reel_err_t reel_store_del(reel_store_t *s, const char *key) REEL_WARN_UNUSED;

/*
 * Gives an object a second name, if absent: REEL_EXISTS otherwise,
 * REEL_NOTFOUND when there is no object, REEL_UNSUPPORTED when the back end
 * can give it no more names.  The bytes take no more room, and stand until
 * the last name is deleted; so neither may be written to any more.
 */
reel_err_t reel_store_link(reel_store_t *s, const char *key, const char *to)
    REEL_WARN_UNUSED;

/*
 * Starts an object of unknown name: its bytes are staged under the key
 * `staging`, which a crash may leave behind and a sweep removes.  size is
 * the length when known, so that a full medium shows now (REEL_NOSPACE),
 * else 0.  REEL_EXISTS when the staging key stands.
 */
reel_err_t reel_multipart_create(reel_store_t *s, const char *staging,
    uint64_t size, reel_multipart_t **m) REEL_WARN_UNUSED;

/* goes on with one that is staged already, maybe by another process */
reel_err_t reel_multipart_open(reel_store_t *s, const char *staging,
    reel_multipart_t **m) REEL_WARN_UNUSED;

/* one behind the last byte written */
reel_err_t reel_multipart_size(reel_multipart_t *m, uint64_t *size)
    REEL_WARN_UNUSED;

/* up to len bytes from off; *n < len at the end; holes read as zeros */
reel_err_t reel_multipart_read(reel_multipart_t *m, uint64_t off, void *dst,
    size_t len, size_t *n) REEL_WARN_UNUSED;
reel_err_t reel_multipart_write(reel_multipart_t *m, uint64_t off,
    const void *data, size_t len) REEL_WARN_UNUSED;

/* what was written so far survives power loss in the staging object */
reel_err_t reel_multipart_sync(reel_multipart_t *m) REEL_WARN_UNUSED;

/*
 * Sets space aside for a range, so that a full medium shows now
 * (REEL_NOSPACE); the size stays.  What is not used of it is given back by
 * publish.
 */
reel_err_t reel_multipart_reserve(reel_multipart_t *m, uint64_t off,
    uint64_t len) REEL_WARN_UNUSED;
reel_err_t reel_multipart_truncate(reel_multipart_t *m, uint64_t size)
    REEL_WARN_UNUSED;

/*
 * Copies a range of one staged object of the store into another, or within
 * one where the ranges do not overlap (REEL_INVAL); shares blocks where the
 * medium can.  REEL_IO when `from` ends before.
 */
reel_err_t reel_multipart_copy(reel_multipart_t *to, uint64_t off,
    reel_multipart_t *from, uint64_t from_off, uint64_t len)
    REEL_WARN_UNUSED;

/*
 * Removes the first len bytes, and nothing is copied.  REEL_UNSUPPORTED
 * where the medium cannot, or not at this len; nothing has changed then.
 */
reel_err_t reel_multipart_collapse(reel_multipart_t *m, uint64_t len)
    REEL_WARN_UNUSED;

/*
 * Nobody needs these bytes any more: where the medium can, they take no room,
 * reserved or written, and read as zeros.  The object may become as long as
 * where they end.
 */
void reel_multipart_punch(reel_multipart_t *m, uint64_t off, uint64_t len);

/*
 * A range of byte numbers that one handle at a time holds, whatever lies
 * there; it gives it back when it is closed or its process dies.
 * REEL_AGAIN: another has some of it; with wait only where nobody can wait.
 */
reel_err_t reel_multipart_lock(reel_multipart_t *m, uint64_t off,
    uint64_t len, bool wait) REEL_WARN_UNUSED;
void reel_multipart_unlock(reel_multipart_t *m, uint64_t off, uint64_t len);

/* where a range begins that others hold some of; REEL_NOTFOUND: nobody */
reel_err_t reel_multipart_holder(reel_multipart_t *m, uint64_t off,
    uint64_t len, uint64_t *first) REEL_WARN_UNUSED;

/*
 * Makes the bytes durable and gives them a second name, key, if absent:
 * REEL_EXISTS otherwise; REEL_NOTFOUND when the staging key was deleted
 * meanwhile.  Both keys have one reel_store_stat_t.version then, and nothing
 * may be written any more.
 */
reel_err_t reel_multipart_publish(reel_multipart_t *m, const char *key)
    REEL_WARN_UNUSED;

/*
 * Publishes and takes the staging key away.  Frees m whatever the outcome;
 * on failure the staged bytes are gone.
 */
reel_err_t reel_multipart_complete(reel_multipart_t *m, const char *key)
    REEL_WARN_UNUSED;

/* frees m; the staged bytes stay; NULL is fine */
void reel_multipart_close(reel_multipart_t *m);
/* frees m, and the staged bytes go; NULL is fine */
void reel_multipart_abort(reel_multipart_t *m);

/*
 * Reads a whole object of at most max bytes into b (initialised here;
 * release it).  REEL_LIMIT when it is longer.
 */
reel_err_t reel_store_get(reel_store_t *s, const char *key, size_t max,
    reel_buf_t *b) REEL_WARN_UNUSED;

/*
 * Deletes every object below prefix, but for the key `keep` (may be NULL),
 * and what a back end keeps for an empty prefix.  Goes on after a failure
 * and returns the first one.
 */
reel_err_t reel_store_del_tree(reel_store_t *s, const char *prefix,
    const char *keep) REEL_WARN_UNUSED;

/*
 * True for a relative key of [A-Za-z0-9._~-] parts separated by single '/',
 * none of them "." or "..", at most REEL_STORE_KEY_MAX bytes.
 */
bool reel_store_key_valid(const char *key);

#endif
