#include "workerd/config_devices.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>


reel_err_t
reel_config_devices(void *dst, const reel_yaml_t *n, reel_error_t *e)
{
    char               *path;
    reel_err_t          err = reel_yaml_is(n, REEL_YAML_LIST, e);
    reel_devices_t     *d = dst;
    const reel_yaml_t  *item;

    if (err != REEL_OK) {
        return err;
    }

    for (item = n->child; item != NULL; item = item->next) {
        if (d->n == REEL_DEVICES) {
            return reel_yaml_fail(item, e, "more than %d devices",
                                  REEL_DEVICES);
        }

        path = d->path[d->n];
        err = reel_yaml_text(item, 1, REEL_DEVICE_MAX - 1, path, e);
        if (err != REEL_OK) {
            return err;
        }

        if (strncmp(path, "/dev/", 5) != 0 || path[5] == '\0'
            || strstr(path, "..") != NULL)
        {
            return reel_yaml_fail(item, e, "\"%.60s\" is nothing below "
                                  "/dev/", path);
        }
        d->n++;
    }

    return REEL_OK;
}


void
reel_devices_check(const reel_devices_t *d, reel_device_fn fn, void *arg)
{
    char         text[REEL_DEVICE_MAX + 128];
    const char  *path;
    struct stat  st;

    for (uint32_t i = 0; i < d->n; i++) {
        path = d->path[i];

        if (stat(path, &st) == 0
            && (S_ISDIR(st.st_mode) || access(path, R_OK | W_OK) == 0))
        {
            continue;
        }

        (void) snprintf(text, sizeof(text), "devices: programs have no %s: "
                        "%s", path, strerror(errno));
        fn(arg, text);
    }
}
