/* what the files of the back end in memory share */

#ifndef REEL_STORE_MEM_H
#define REEL_STORE_MEM_H

#include "lib/store/mem_table.h"
#include "lib/store/store.h"

typedef struct {
    reel_store_t      base;
    reel_mem_table_t  table;
} reel_mem_t;

reel_err_t reel_mem_multipart_create(reel_store_t *s, const char *staging,
    reel_multipart_t **m);
reel_err_t reel_mem_multipart_open(reel_store_t *s, const char *staging,
    reel_multipart_t **m);
reel_err_t reel_mem_multipart_size(reel_multipart_t *m, uint64_t *size);
reel_err_t reel_mem_multipart_read(reel_multipart_t *m, uint64_t off,
    void *dst, size_t len, size_t *n);
reel_err_t reel_mem_multipart_write(reel_multipart_t *m, uint64_t off,
    const void *data, size_t len);
reel_err_t reel_mem_multipart_sync(reel_multipart_t *m);
reel_err_t reel_mem_multipart_reserve(reel_multipart_t *m, uint64_t off,
    uint64_t len);
reel_err_t reel_mem_multipart_truncate(reel_multipart_t *m, uint64_t size);
reel_err_t reel_mem_multipart_copy(reel_multipart_t *to, uint64_t off,
    reel_multipart_t *from, uint64_t from_off, uint64_t len);
reel_err_t reel_mem_multipart_collapse(reel_multipart_t *m, uint64_t len);
void reel_mem_multipart_punch(reel_multipart_t *m, uint64_t off,
    uint64_t len);
reel_err_t reel_mem_multipart_lock(reel_multipart_t *m, uint64_t off,
    uint64_t len, bool wait);
void reel_mem_multipart_unlock(reel_multipart_t *m, uint64_t off,
    uint64_t len);
reel_err_t reel_mem_multipart_holder(reel_multipart_t *m, uint64_t off,
    uint64_t len, uint64_t *first);
reel_err_t reel_mem_multipart_publish(reel_multipart_t *m, const char *key);
void reel_mem_multipart_close(reel_multipart_t *m);
void reel_mem_multipart_abort(reel_multipart_t *m);

#endif
