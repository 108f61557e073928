/*
 * What the parts of one daemon share.  main.c makes it, in this order:
 * configuration, store, pipelines, sandbox probe, loop, shards, slots,
 * outbox, cancels, sweep, completion, webhooks, scrape; it is taken down in
 * the reverse.
 */

#ifndef REEL_WORKERD_WORKER_H
#define REEL_WORKERD_WORKER_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/job/pipeline.h"
#include "lib/store/store.h"
#include "workerd/build_id.h"
#include "workerd/config.h"
#include "workerd/lacks.h"
#include "workerd/loop.h"
#include "workerd/metrics.h"
#include "workerd/programs.h"
#include "workerd/redis.h"

#define REEL_TOKEN_MAX 64       /* <fence>-<nonce> and its terminator */

typedef struct reel_shards_s     reel_shards_t;
typedef struct reel_slots_s      reel_slots_t;
typedef struct reel_outbox_s     reel_outbox_t;
typedef struct reel_cancels_s    reel_cancels_t;
typedef struct reel_sweep_s      reel_sweep_t;
typedef struct reel_completion_s reel_completion_t;
typedef struct reel_presence_s   reel_presence_t;
typedef struct reel_webhooks_s   reel_webhooks_t;
typedef struct reel_scrape_s     reel_scrape_t;

typedef struct {
    reel_config_t      conf;
    char               fingerprint[128];    /* of the encoders */
    char               build[REEL_BUILD_ID];
    char               codecs[256];         /* csv, those it has */
    char               labels[REEL_LABELS_MAX + 256];   /* of the file, and
                                                           codecs */
    uint32_t           room_mib;            /* memory for tasks */
    reel_pipeline_t   *pipelines;           /* owned */
    size_t             npipelines;
    int64_t            read_ms;             /* they were read then, Unix */
    reel_buf_t         programs_lacking;    /* csv, "<pipeline>/<task>" of
                                               what cannot run here; as of
                                               the last read */
    reel_programs_t    programs;            /* of earlier reads */
    reel_store_t      *store;
    reel_loop_t       *loop;
    reel_shards_t     *shards;
    reel_slots_t      *slots;
    reel_outbox_t     *outbox;
    reel_cancels_t    *cancels;
    reel_sweep_t      *sweep;
    reel_completion_t *completion;
    reel_presence_t   *presence;
    reel_webhooks_t   *webhooks;
    reel_scrape_t     *scrape;              /* NULL: no metrics asked for */
    reel_metrics_t     metrics;
    reel_lacks_t       lacks;
    bool               draining;            /* claims nothing any more */
    bool               refused;             /* by Redis: another number of
                                               shards */
    bool               once;                /* ends when all is done */
} reel_worker_t;

/* Unix milliseconds; the store's records carry them, Redis has its own */
int64_t reel_unix_ms(void);

/* cryptographic randomness; ends the process when there is none */
void reel_random(void *dst, size_t n);

/* NULL when there is none of that name */
const reel_pipeline_t *reel_worker_pipeline(const reel_worker_t *w,
    const char *name);

#endif
