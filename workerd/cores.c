/* how many cores this process may use */

#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "workerd/config.h"


/* "200000 100000" or "max 100000" (cgroup v2 cpu.max); 0 = no quota */
static uint32_t
quota_of(const char *file)
{
    char        line[64];
    FILE       *f = fopen(file, "re");
    char       *got;
    uint64_t    quota, period;
    reel_str_t  rest, head;

    if (f == NULL) {
        return 0;
    }

    got = fgets(line, sizeof(line), f);
    fclose(f);
    if (got == NULL) {
        return 0;
    }

    line[strcspn(line, "\n")] = '\0';
    head = reel_str_cut(reel_str(line), ' ', &rest);

    if (rest.p == NULL || reel_str_u64(head, UINT32_MAX, &quota) != REEL_OK
        || reel_str_u64(rest, UINT32_MAX, &period) != REEL_OK || period == 0)
    {
        return 0;
    }

    return (uint32_t) ((quota + period - 1) / period);
}


/* the path of our group below /sys/fs/cgroup, from "0::/path" */
static uint32_t
group_quota(void)
{
    char      line[PATH_MAX], file[PATH_MAX + 64];
    FILE     *f = fopen("/proc/self/cgroup", "re");
    uint32_t  n = 0;

    if (f == NULL) {
        return 0;
    }

    while (fgets(line, sizeof(line), f) != NULL) {
        if (strncmp(line, "0::/", 4) == 0) {
            line[strcspn(line, "\n")] = '\0';
            snprintf(file, sizeof(file), "/sys/fs/cgroup%s/cpu.max",
                     line + 3);
            n = quota_of(file);
        }
    }

    fclose(f);

    /* in a container our group is the root that we see */
    return n != 0 ? n : quota_of("/sys/fs/cgroup/cpu.max");
}


uint32_t
reel_config_cores(void)
{
    int        count;
    uint32_t   quota = group_quota(), n = 1;
    cpu_set_t  set;

    CPU_ZERO(&set);
    if (sched_getaffinity(0, sizeof(set), &set) == 0) {
        count = CPU_COUNT(&set);
        n = count > 0 ? (uint32_t) count : 1;
    }

    return quota != 0 && quota < n ? quota : n;
}
