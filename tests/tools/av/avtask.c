/*
 * Runs one libav task on a file, without a worker, queue or sandbox:
 *
 *     avtask inspect <source>
 *     avtask <another type> <source> <prefix> <payload.json>
 *            [first fragment to resume at]
 *
 * Lines that a parent would get go to stdout; output i to <prefix>.<i>.
 */

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "workerd/child_io.h"


static const struct {
    const char  *name;
    int        (*run)(reel_child_t *c);
} tasks[] = {
    { "inspect",      reel_av_inspect },
    { "encode_video", reel_av_encode_video },
    { "encode_audio", reel_av_encode_audio },
    { "poster",       reel_av_poster },
    { "storyboard",   reel_av_storyboard },
    { "extract_subtitles", reel_av_subtitles },
    { "complexity",   reel_av_complexity },
    { "loudness",     reel_av_loudness },
};


static int
usage(void)
{
    fprintf(stderr, "usage: avtask <task> <source> [<prefix> <payload.json> "
                    "[<fragment>]]\n");
    return 2;
}


static char *
read_all(const char *path, size_t *len)
{
    int          fd;
    char        *p;
    ssize_t      n;
    struct stat  st;

    p = NULL;
    fd = open(path, O_RDONLY);

    if (fd >= 0 && fstat(fd, &st) == 0) {
        p = malloc((size_t) st.st_size + 1);
        n = p != NULL ? read(fd, p, (size_t) st.st_size) : -1;
        if (n < 0) {
            free(p);
            p = NULL;
        }
        *len = n < 0 ? 0 : (size_t) n;
    }

    if (fd >= 0) {
        close(fd);
    }

    return p;
}


static int
open_outputs(reel_child_t *c, const char *prefix)
{
    char  path[4096];

    for (c->nout = 0; c->nout < REEL_CHILD_OUTPUTS; c->nout++) {
        (void) snprintf(path, sizeof(path), "%s.%u", prefix, c->nout);

        c->out_fd[c->nout] = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0666);
        if (c->out_fd[c->nout] < 0) {
            perror(path);
            return -1;
        }
    }

    return 0;
}


/* removes what the task had no use for */
static void
close_outputs(reel_child_t *c, const char *prefix)
{
    char         path[4096];
    unsigned     i;
    struct stat  st;

    for (i = 0; i < c->nout; i++) {
        if (fstat(c->out_fd[i], &st) == 0 && st.st_size == 0) {
            (void) snprintf(path, sizeof(path), "%s.%u", prefix, i);
            (void) unlink(path);
        }
        close(c->out_fd[i]);
    }
}


int
main(int argc, char **argv)
{
    int           status;
    char         *payload;
    unsigned      i;
    reel_child_t  c = { .ctl_fd = STDOUT_FILENO };

    if (argc != 3 && argc != 5 && argc != 6) {
        return usage();
    }

    for (i = 0; i < sizeof(tasks) / sizeof(tasks[0]); i++) {
        if (strcmp(tasks[i].name, argv[1]) == 0) {
            break;
        }
    }

    if (i == sizeof(tasks) / sizeof(tasks[0])) {
        return usage();
    }

    c.source_fd = open(argv[2], O_RDONLY);
    if (c.source_fd < 0) {
        perror(argv[2]);
        return 2;
    }

    payload = NULL;

    if (argc > 3) {
        payload = read_all(argv[4], &c.payload.len);
        if (payload == NULL) {
            perror(argv[4]);
            return 2;
        }
        c.payload.p = payload;

        if (open_outputs(&c, argv[3]) != 0) {
            return 2;
        }
    }

    if (argc == 6) {
        c.resume_frag = (uint32_t) strtoul(argv[5], NULL, 10);
    }

    reel_av_prewarm();
    status = tasks[i].run(&c);

    if (argc > 3) {
        close_outputs(&c, argv[3]);
    }

    free(payload);
    close(c.source_fd);

    return status;
}
