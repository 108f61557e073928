/*
 * What reading files and copying them once costs: the CPU time of reading
 * each from the page cache, 64 KiB a piece, and of one copy of every piece
 * into packets of 188 bytes.  That is the least that a transport stream
 * needs beyond sending it.
 *
 *   readcopy <rounds> <file> ...
 *
 * Prints ns a byte.  With 0 rounds, what one scan for bytes that are 0 costs,
 * of pieces that lie in the cache.
 */

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define PIECE   65536
#define PAYLOAD 184
#define PACKET  188


static double
cpu_ns(void)
{
    struct timespec  t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);

    return (double) t.tv_sec * 1e9 + (double) t.tv_nsec;
}


static double
read_file(const char *name)
{
    int      fd;
    double   bytes = 0;
    ssize_t  n, i;

    static char  in[PIECE], out[PIECE + PIECE / PAYLOAD * 4 + PACKET];

    fd = open(name, O_RDONLY);
    if (fd == -1) {
        perror(name);
        exit(1);
    }

    while ((n = read(fd, in, PIECE)) > 0) {
        for (i = 0; i + PAYLOAD <= n; i += PAYLOAD) {
            memcpy(out + i / PAYLOAD * PACKET + 4, in + i, PAYLOAD);
        }

        /* the copy must not be left out */
        __asm__ volatile ("" : : "r" (out) : "memory");
        bytes += (double) n;
    }

    close(fd);

    return bytes;
}


static double
scan_ns(const char *name)
{
    int          fd, k;
    ssize_t      n;
    double       bytes = 0, before, used = 0;
    const char  *p;

    static char  in[PIECE];

    fd = open(name, O_RDONLY);
    if (fd == -1) {
        perror(name);
        exit(1);
    }

    while ((n = read(fd, in, PIECE)) > 0) {
        before = cpu_ns();

        for (k = 0; k < 8; k++) {
            for (p = in; p != NULL; p++) {
                p = memchr(p, 0, (size_t) (in + n - p));
                __asm__ volatile ("" : : "r" (p) : "memory");

                if (p == NULL || p + 1 == in + n) {
                    break;
                }
            }
        }

        used += cpu_ns() - before;
        bytes += 8 * (double) n;
    }

    close(fd);

    return bytes > 0 ? used / bytes : 0;
}


int
main(int argc, char **argv)
{
    int       i;
    char     *end;
    long      rounds;
    double    bytes = 0, before;

    rounds = argc > 2 ? strtol(argv[1], &end, 10) : -1;

    if (rounds == 0 && *end == '\0') {
        printf("%.4f\n", scan_ns(argv[2]));
        return 0;
    }

    if (rounds < 1 || *end != '\0') {
        fprintf(stderr, "usage: readcopy <rounds> <file> ...\n");
        return 2;
    }

    before = cpu_ns();

    while (rounds-- > 0) {
        for (i = 2; i < argc; i++) {
            bytes += read_file(argv[i]);
        }
    }

    printf("%.4f\n", (cpu_ns() - before) / bytes);

    return 0;
}
