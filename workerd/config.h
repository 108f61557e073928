/* reel.yaml: how one daemon is set up (docs/workerd.md describes each key) */

#ifndef REEL_WORKERD_CONFIG_H
#define REEL_WORKERD_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/err.h"
#include "workerd/config_devices.h"
#include "workerd/config_webhooks.h"
#include "workerd/log.h"
#include "workerd/redis.h"

#define REEL_WORKER_ID_MAX 64
#define REEL_PATH_MAX      512
#define REEL_LABELS_MAX    256

typedef struct {
    char              store[REEL_PATH_MAX];     /* absolute */
    char              pipelines[REEL_PATH_MAX];
    char              worker[REEL_WORKER_ID_MAX];       /* "" until set */
    reel_redis_conf_t redis;
    uint32_t          slots;            /* 0: the cores we may use … */
    bool              slots_auto;       /* … which may change */
    uint32_t          room_mib;         /* memory of all tasks; 0: by the
                                           machine */
    char              labels[REEL_LABELS_MAX];  /* csv */
    uint32_t          lease_s;
    uint32_t          poll_ms;
    uint32_t          outbox_s;
    uint32_t          sweep_s;
    uint32_t          sweep_age_s;
    uint32_t          sweep_uploads;    /* ended in one sweep, at most */
    uint32_t          upload_age_h;
    bool              reuse;            /* results of the same source */
    uint32_t          retry_age_h;      /* what an errored asset has made */
    uint32_t          straggler_s;      /* so late begins a second run; 0:
                                           never */
    uint32_t          drain_s;
    uint32_t          memory_mib;       /* of a child's address space */
    uint32_t          output_mib;       /* of one file of a child */
    uint32_t          folder_mib;       /* of a program's, beside outputs */
    uint32_t          processes;        /* and threads of a program; 0: by
                                           the cores */
    uint32_t          disk_free_mib;    /* with less no encode begins */
    uint32_t          duration_s;       /* of a film; 0: no limit */
    uint32_t          megapixels;       /* of a picture */
    bool              sandbox_required;
    reel_log_level_t  log;
    reel_redis_addr_t metrics;          /* an address in numbers; or all "":
                                           none are told */
    reel_webhooks_conf_t webhooks;
    reel_devices_t    devices;          /* that programs may use */
} reel_config_t;

/* all that a file may leave out; needs no release */
void reel_config_default(reel_config_t *c);

/* over the defaults.  e begins with file:line:column where one is known */
reel_err_t reel_config_load(reel_config_t *c, const char *file,
    reel_error_t *e) REEL_WARN_UNUSED;

/* what slots: 0 means here: affinity and the cgroup's quota, at least 1 */
uint32_t reel_config_cores(void);

#endif
