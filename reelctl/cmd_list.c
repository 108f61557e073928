#include <string.h>

#include "reelctl/list.h"
#include "reelctl/progress.h"


/* "  7 %", or "-": it is errored, or nobody knows */
static const char *
percent(const json_t *a, char dst[16])
{
    const json_t  *p = json_object_get(a, "progress");
    const char    *state = reel_ctl_text(p, "state");

    if (json_object_get(p, "percent") == NULL
        || strcmp(state, "unknown") == 0 || strcmp(state, "errored") == 0)
    {
        return "-";
    }

    (void) snprintf(dst, 16, "%.0f %%",
                    json_number_value(json_object_get(p, "percent")));

    return dst;
}


static void
print_asset(const json_t *a)
{
    char  size[24], duration[24], done[16];

    reel_ctl_size(size, json_number_value(json_object_get(a, "size")));
    reel_ctl_clock(duration, json_is_number(json_object_get(a, "duration"))
                   ? json_number_value(json_object_get(a, "duration")) : -1);

    reel_ctl_put_safe(stdout, reel_ctl_text(a, "id"));
    (void) printf("  %-9.16s  %5s  %8s  %10s  ", reel_ctl_text(a, "status"),
                  percent(a, done), duration, size);
    reel_ctl_put_safe(stdout, reel_ctl_text(a, "name"));
    (void) fputc('\n', stdout);
}


static const reel_ctl_list_t  assets = {
    "assets", REEL_OPT_STATE, { "preparing", "ready", "errored" }, print_asset
};


int
reel_ctl_cmd_list(reel_ctl_t *c)
{
    return reel_ctl_list(c, &assets);
}
