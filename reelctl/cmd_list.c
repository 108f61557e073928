#include "reelctl/list.h"
#include "reelctl/progress.h"


static void
print_asset(const json_t *a)
{
    char  size[24], duration[24];

    reel_ctl_size(size, json_number_value(json_object_get(a, "size")));
    reel_ctl_clock(duration, json_is_number(json_object_get(a, "duration"))
                   ? json_number_value(json_object_get(a, "duration")) : -1);

    reel_ctl_put_safe(stdout, reel_ctl_text(a, "id"));
    (void) printf("  %-9.16s  %3.0f %%  %8s  %10s  ",
                  reel_ctl_text(a, "status"),
                  json_number_value(json_object_get(
                      json_object_get(a, "progress"), "percent")),
                  duration, size);
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
