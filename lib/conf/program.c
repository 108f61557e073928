#include "lib/conf/program.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* what Linux reads of a script, and how many it follows */
#define HEAD_BYTES   256
#define SCRIPTS_MAX  5


/* the interpreter's path of "#! /path argument"; false: it is no script */
static bool
interpreter(const char *path, char head[HEAD_BYTES])
{
    int      fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    char    *at = head + 2;
    ssize_t  n = -1;

    if (fd >= 0) {
        n = read(fd, head, HEAD_BYTES - 1);
        (void) close(fd);
    }

    if (n < 2 || head[0] != '#' || head[1] != '!') {
        return false;
    }

    head[n] = '\0';
    at += strspn(at, " \t");
    at[strcspn(at, " \t\n")] = '\0';
    memmove(head, at, strlen(at) + 1);

    return true;
}


/* NULL, or why it cannot be run */
static const char *
fault(const char *path)
{
    struct stat  st;

    if (stat(path, &st) != 0) {
        return strerror(errno);
    }
    if (!S_ISREG(st.st_mode)) {
        return "is no file";
    }

    return faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) != 0
           ? "may not be executed" : NULL;
}


reel_err_t
reel_program_check(const char *path, reel_error_t *e)
{
    char         head[HEAD_BYTES];
    const char  *at = path, *why = NULL;

    for (int i = 0; i < SCRIPTS_MAX; i++) {
        why = fault(at);
        if (why != NULL) {
            break;
        }
        if (!interpreter(at, head)) {
            return REEL_OK;
        }
        at = head;
    }

    return why == NULL ? reel_fail(e, REEL_NOTFOUND, "%.80s: one script is "
                                   "another's interpreter too often", path)
           : at == path ? reel_fail(e, REEL_NOTFOUND, "%.120s: %s", path, why)
           : reel_fail(e, REEL_NOTFOUND, "%.80s: its interpreter %.60s: %s",
                       path, at, why);
}


void
reel_programs_check(const reel_pipeline_t *p, const char *file,
    reel_program_fn fn, void *arg)
{
    char                text[512];
    reel_error_t        e;
    const reel_node_t  *n;

    for (uint32_t i = REEL_TASK_EXEC; i < p->nnodes; i++) {
        n = &p->nodes[i];

        if (n->type == REEL_TASK_EXEC && !n->off
            && reel_program_check(n->command, &e) != REEL_OK)
        {
            (void) snprintf(text, sizeof(text), "%.200s:%u: %s cannot run on "
                            "this machine: %s", file, n->line, n->name,
                            e.text);
            fn(arg, p, n, text);
        }
    }
}
