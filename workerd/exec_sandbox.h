/*
 * What confines a program of the pipeline's: landlock shows it its folder,
 * its inputs and what programs of this machine need, namespaces (where they are
 * to be had) end with it whatever it started; exec_filter.h has the rest.
 */

#ifndef REEL_WORKERD_EXEC_SANDBOX_H
#define REEL_WORKERD_EXEC_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/err.h"

typedef enum {
    REEL_SPACES_NONE,           /* this kernel or user has none: only the
                                   filter stands */
    REEL_SPACES_OWN,
    REEL_SPACES_USER            /* in a user namespace, where limits count
                                   what is in it alone (Linux 5.14) */
} reel_spaces_t;

/*
 * In the parent of the program, before it is forked: what is forked next is
 * the first of its own process, network and IPC namespaces.
 */
reel_spaces_t reel_exec_unshare(void);

/*
 * Behind it: what is forked from now on has a /dev/shm of its own, of 64 MiB
 * at most.  False: no mount namespace is to be had.
 */
bool reel_exec_own_shm(void);

/* forks a child that tries reel_exec_unshare */
bool reel_exec_unshare_probe(void);

/*
 * In the forked child, before it is confined: forks and threads beyond most
 * fail.  Does not bind root.
 */
void reel_exec_limit(reel_spaces_t spaces, uint32_t most);

/* all borrowed */
typedef struct {
    const char        *folder;          /* may be written */
    const char        *program;         /* run */
    const char *const *files;           /* read */
    size_t             nfiles;
    const char *const *devices;         /* used as they are made for; one that
                                           is not there is left out */
    size_t             ndevices;
    bool               shm;             /* its own /dev/shm may be written */
} reel_exec_paths_t;

/*
 * In the forked child, before the program.  Irrevocable.  REEL_UNSUPPORTED:
 * the kernel has no landlock, REEL_NOTFOUND: no such program, REEL_AGAIN: one
 * of the files is not there; else REEL_IO.
 */
reel_err_t reel_exec_landlock(const reel_exec_paths_t *p) REEL_WARN_UNUSED;

#endif
