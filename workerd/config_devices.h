/* devices of reel.yaml: what programs of pipelines may use of /dev */

#ifndef REEL_WORKERD_CONFIG_DEVICES_H
#define REEL_WORKERD_CONFIG_DEVICES_H

#include <stdint.h>

#include "lib/conf/yaml.h"

#define REEL_DEVICES       16
#define REEL_DEVICE_MAX    64

/* below /dev: nodes, or folders of them */
typedef struct {
    char     path[REEL_DEVICES][REEL_DEVICE_MAX];
    uint32_t n;
} reel_devices_t;

/* a reel_yaml_fn; dst is a reel_devices_t without any */
reel_err_t reel_config_devices(void *dst, const reel_yaml_t *n,
    reel_error_t *e) REEL_WARN_UNUSED;

typedef void (*reel_device_fn)(void *arg, const char *text);

/* fn hears of each that is not there, or not for this user, and why */
void reel_devices_check(const reel_devices_t *d, reel_device_fn fn,
    void *arg);

#endif
