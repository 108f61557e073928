/* how many cores this process may use */

#include <sched.h>

#include "workerd/cgroup.h"
#include "workerd/config.h"


/* "200000 100000" or "max 100000" (cgroup v2 cpu.max); 0 = no quota */
static uint32_t
quota(void)
{
    char        line[64];
    uint64_t    most, period;
    reel_str_t  rest, head;

    if (reel_cgroup_line(line, sizeof(line), "cpu.max") == NULL) {
        return 0;
    }

    head = reel_str_cut(reel_str(line), ' ', &rest);

    if (rest.p == NULL || reel_str_u64(head, UINT32_MAX, &most) != REEL_OK
        || reel_str_u64(rest, UINT32_MAX, &period) != REEL_OK || period == 0)
    {
        return 0;
    }

    return (uint32_t) ((most + period - 1) / period);
}


uint32_t
reel_config_cores(void)
{
    int        count;
    uint32_t   most = quota(), n = 1;
    cpu_set_t  set;

    CPU_ZERO(&set);
    if (sched_getaffinity(0, sizeof(set), &set) == 0) {
        count = CPU_COUNT(&set);
        n = count > 0 ? (uint32_t) count : 1;
    }

    return most != 0 && most < n ? most : n;
}
