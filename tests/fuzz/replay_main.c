/*
 * Replays inputs through a libFuzzer harness without libFuzzer:
 *
 *     replay_<x> file ...
 *
 * Each runs in a process of its own, in a heap block of just its length, so
 * that a sanitizer sees every byte read beyond it and one crash does not
 * hide the next.  The empty input is always one of them.  Prints a line for
 * each input that failed and, last, "passed failed".
 */

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>


#define INPUT_MAX (64 << 20)
#define LIMIT_S   60            /* of one input */


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv) __attribute__((weak));


/* NULL and a message when the file cannot be read */
static uint8_t *
load(const char *path, size_t *size)
{
    int          fd;
    size_t       got = 0;
    ssize_t      n;
    uint8_t     *data = NULL;
    struct stat  st;

    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd == -1 || fstat(fd, &st) == -1) {
        perror(path);
        goto fail;
    }

    if (!S_ISREG(st.st_mode) || st.st_size > INPUT_MAX) {
        fprintf(stderr, "%s: no file of at most 64 MiB\n", path);
        goto fail;
    }

    *size = (size_t) st.st_size;

    data = malloc(*size ? *size : 1);
    if (data == NULL) {
        perror(path);
        goto fail;
    }

    while (got < *size) {
        n = read(fd, data + got, *size - got);

        if (n <= 0) {
            fprintf(stderr, "%s: cannot be read whole\n", path);
            goto fail;
        }

        got += (size_t) n;
    }

    (void) close(fd);

    return data;

fail:

    free(data);

    if (fd != -1) {
        (void) close(fd);
    }

    return NULL;
}


static void
run(const char *path)
{
    size_t    size = 0;
    uint8_t  *data;

    data = path != NULL ? load(path, &size) : malloc(1);
    if (data == NULL) {
        exit(2);
    }

    if (size == 0) {
        /* a block of no length: its first byte is one too many */
        free(data);
        data = malloc(0);
    }

    (void) alarm(LIMIT_S);
    (void) LLVMFuzzerTestOneInput(data, size);
    free(data);

    /* not _exit(): leaks are looked for at exit */
    exit(0);
}


static bool
replay(const char *path)
{
    int    status;
    pid_t  pid, got;

    fflush(NULL);

    pid = fork();

    if (pid == -1) {
        perror("fork");
        return false;
    }

    if (pid == 0) {
        run(path);
    }

    do {
        got = waitpid(pid, &status, 0);
    } while (got == -1 && errno == EINTR);

    if (got == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0) {
        return true;
    }

    printf("failed: %s\n", path != NULL ? path : "(empty)");

    return false;
}


int
main(int argc, char **argv)
{
    int       i;
    unsigned  passed = 0, failed = 0;

    if (LLVMFuzzerInitialize != NULL) {
        (void) LLVMFuzzerInitialize(&argc, &argv);
    }

    for (i = 0; i < argc; i++) {
        if (replay(i != 0 ? argv[i] : NULL)) {
            passed++;

        } else {
            failed++;
        }
    }

    printf("%u %u\n", passed, failed);

    return failed != 0;
}
