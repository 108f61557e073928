/*
 * What the store in memory keeps: entries sorted by key, each with a
 * counted blob, which outlives its entry for as long as an object or a
 * multipart holds it.
 */

#ifndef REEL_STORE_MEM_TABLE_H
#define REEL_STORE_MEM_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/err.h"

#define REEL_MEM_PAGE 4096u

typedef struct {
    uint64_t  number;           /* bytes [number x REEL_MEM_PAGE, …) */
    uint8_t  *data;
} reel_mem_page_t;

typedef struct {
    const void *owner;
    uint64_t    off, len;
} reel_mem_lock_t;

/* a hole has no pages; what lies behind len is zero */
typedef struct {
    reel_mem_page_t *pages;     /* ascending */
    size_t           npages, cap;
    uint64_t         len;
    uint64_t         version;   /* of no other blob of the table */
    unsigned         refs;
    reel_mem_lock_t *locks;
    size_t           nlocks, locks_cap;
} reel_mem_blob_t;

typedef struct {
    char            *key;
    reel_mem_blob_t *blob;
} reel_mem_entry_t;

typedef struct {
    reel_mem_entry_t *entries;
    size_t            n;
    size_t            cap;
    uint64_t          version;  /* of the blob made last */
} reel_mem_table_t;

/* one reference, the caller's; NULL: no memory */
reel_mem_blob_t *reel_mem_blob_new(reel_mem_table_t *t);
reel_mem_blob_t *reel_mem_blob_of(reel_mem_table_t *t, const void *data,
    size_t len);
void reel_mem_blob_put(reel_mem_blob_t *b);

/* a hole before off reads as zeros */
reel_err_t reel_mem_blob_write(reel_mem_blob_t *b, uint64_t off,
    const void *data, size_t len) REEL_WARN_UNUSED;
size_t reel_mem_blob_read(const reel_mem_blob_t *b, uint64_t off, void *dst,
    size_t len);
void reel_mem_blob_resize(reel_mem_blob_t *b, uint64_t len);

/* only whole pages, and not all of it: else false */
bool reel_mem_blob_collapse(reel_mem_blob_t *b, uint64_t len);
void reel_mem_blob_punch(reel_mem_blob_t *b, uint64_t off, uint64_t len);

/* the first lock on some of a range that is not owner's; NULL: none */
const reel_mem_lock_t *reel_mem_locked(const reel_mem_blob_t *b,
    const void *owner, uint64_t off, uint64_t len);
reel_err_t reel_mem_lock(reel_mem_blob_t *b, const void *owner, uint64_t off,
    uint64_t len) REEL_WARN_UNUSED;
reel_err_t reel_mem_unlock(reel_mem_blob_t *b, const void *owner,
    uint64_t off, uint64_t len) REEL_WARN_UNUSED;

/* the number of the first entry whose key is not below `key` */
size_t reel_mem_lower_bound(const reel_mem_table_t *t, const char *key);

/* valid until the next change; NULL: none */
reel_mem_entry_t *reel_mem_find(reel_mem_table_t *t, const char *key);

/* the key must be new; takes the reference to b when REEL_OK */
reel_err_t reel_mem_insert(reel_mem_table_t *t, const char *key,
    reel_mem_blob_t *b) REEL_WARN_UNUSED;
void reel_mem_drop(reel_mem_table_t *t, reel_mem_entry_t *e);

#endif
