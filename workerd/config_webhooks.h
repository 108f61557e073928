/* the endpoints that webhooks of reel.yaml names (docs/webhooks.md) */

#ifndef REEL_WORKERD_CONFIG_WEBHOOKS_H
#define REEL_WORKERD_CONFIG_WEBHOOKS_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/hook/event.h"
#include "lib/hook/sign.h"
#include "lib/conf/yaml.h"

#define REEL_WEBHOOKS_MAX 8

typedef struct {
    char     name[33];          /* [a-z0-9-]: Redis knows it by this */
    char     url[513];
    char     secret_file[513];
    char     ca_file[513];      /* "": the system's */
    char     project[129];      /* "": of all */
    unsigned types;             /* 1 << reel_hook_type_t */
    bool     allow_private;
} reel_webhook_conf_t;

typedef struct {
    reel_webhook_conf_t endpoint[REEL_WEBHOOKS_MAX];
    size_t              n;
} reel_webhooks_conf_t;

/* a reel_yaml_fn: the list, its secrets read once to see that they are good */
reel_err_t reel_config_webhooks(void *dst, const reel_yaml_t *n,
    reel_error_t *e);

#endif
