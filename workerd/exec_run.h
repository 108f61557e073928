/*
 * The child's side of exec: the folder is made, the program run in it, its
 * outputs copied into the descriptors of the child.
 */

#ifndef REEL_WORKERD_EXEC_RUN_H
#define REEL_WORKERD_EXEC_RUN_H

#include <stdbool.h>
#include <stdint.h>

#include "workerd/child_io.h"

/* an input: in/<name> leads to path */
typedef struct {
    char  name[REEL_TASK_NAME + REEL_EXEC_FILE];
    char *path;                 /* absolute, owned by the caller */
} reel_exec_file_t;

typedef struct {
    const reel_exec_t      *task;
    const char             *folder;     /* absolute, <name>-<token>.d; made,
                                           then removed */
    const char             *asset, *job, *name;
    const reel_exec_file_t *files;
    size_t                  nfiles;
    uint64_t                folder_most;        /* bytes that all it writes
                                                   may have at once */
    const char *const      *devices;            /* that it may use */
    size_t                  ndevices;
    uint32_t                tasks_most; /* processes and threads, all of them;
                                           more end it */
    bool                    best_effort;        /* without landlock, too */
} reel_exec_run_t;

/* 0, or the status of reel_child_fail */
int reel_exec_run(reel_child_t *c, const reel_exec_run_t *r);

#endif
