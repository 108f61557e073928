#include "workerd/cgroup.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#define ROOT "/sys/fs/cgroup"


static char *
first_line(char *dst, size_t cap, const char *path)
{
    FILE  *f = fopen(path, "re");
    char  *got;

    if (f == NULL) {
        return NULL;
    }

    got = fgets(dst, (int) cap, f);
    fclose(f);

    if (got != NULL) {
        dst[strcspn(dst, "\n")] = '\0';
    }

    return got;
}


/* from "0::/path" */
static char *
own_line(char *dst, size_t cap, const char *file)
{
    char   line[PATH_MAX], path[2 * PATH_MAX];
    FILE  *f = fopen("/proc/self/cgroup", "re");
    char  *got = NULL;

    if (f == NULL) {
        return NULL;
    }

    while (fgets(line, sizeof(line), f) != NULL) {
        if (strncmp(line, "0::/", 4) == 0) {
            line[strcspn(line, "\n")] = '\0';
            snprintf(path, sizeof(path), ROOT "%s/%s", line + 3, file);
            got = first_line(dst, cap, path);
        }
    }

    fclose(f);

    return got;
}


char *
reel_cgroup_line(char *dst, size_t cap, const char *file)
{
    char   path[PATH_MAX];
    char  *got = own_line(dst, cap, file);

    if (got != NULL && strncmp(got, "max", 3) != 0) {
        return got;
    }

    /* in a container our group is the root that we see */
    snprintf(path, sizeof(path), ROOT "/%s", file);

    return first_line(dst, cap, path);
}
