#include "workerd/exec_count.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct {
    pid_t    *pids;             /* to be looked at, most + 2 at the most */
    uint32_t  n;
    uint32_t  most;
    uint32_t  threads;
    pid_t     but;
    char     *word;
    size_t    cap;
} walk_t;


static void
add_children(walk_t *w, pid_t pid, const char *thread)
{
    char   path[64];
    FILE  *f;
    pid_t  child;

    (void) snprintf(path, sizeof(path), "/proc/%d/task/%.20s/children",
                    (int) pid, thread);
    f = fopen(path, "re");
    if (f == NULL) {
        return;
    }

    while (w->n < w->most + 2
           && getdelim(&w->word, &w->cap, ' ', f) > 0)
    {
        child = (pid_t) strtol(w->word, NULL, 10);
        if (child > 0 && child != w->but) {
            w->pids[w->n++] = child;
        }
    }

    fclose(f);
}


/* its threads; children belong to the thread that started them */
static void
look_at(walk_t *w, pid_t pid)
{
    DIR            *d;
    char            path[32];
    struct dirent  *e;

    (void) snprintf(path, sizeof(path), "/proc/%d/task", (int) pid);
    d = opendir(path);
    if (d == NULL) {
        return;
    }

    while (w->threads <= w->most && (e = readdir(d)) != NULL) {
        if (e->d_name[0] != '.') {
            w->threads++;
            add_children(w, pid, e->d_name);
        }
    }

    closedir(d);
}


uint32_t
reel_exec_count(pid_t from, pid_t but, uint32_t most)
{
    walk_t  w = { .most = most, .but = but };

    w.pids = calloc((size_t) most + 2, sizeof(*w.pids));
    if (w.pids == NULL) {
        return 0;
    }

    look_at(&w, from);
    w.threads = 0;

    for (uint32_t i = 0; i < w.n && w.threads <= most; i++) {
        look_at(&w, w.pids[i]);
    }

    /* so many were found that not all of them could be kept */
    if (w.n == most + 2) {
        w.threads = most + 1;
    }

    free(w.pids);
    free(w.word);

    return w.threads;
}
