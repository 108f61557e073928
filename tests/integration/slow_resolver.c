/*
 * Preloaded, it is a DNS that can be slow: "slow.test" is 127.0.0.1, but as
 * long as the file $REEL_SLOW stands nobody answers; "none.test" does not
 * exist.  Whoever waits leaves $REEL_SLOW.asked.
 */

#include <dlfcn.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef int (*getaddrinfo_fn)(const char *, const char *,
    const struct addrinfo *, struct addrinfo **);


static void
wait_while_slow(const char *path)
{
    int   fd;
    char  asked[4096];

    while (access(path, F_OK) == 0) {
        snprintf(asked, sizeof(asked), "%s.asked", path);
        fd = open(asked, O_CREAT | O_WRONLY, 0600);
        if (fd >= 0) {
            close(fd);
        }
        usleep(20000);
    }
}


int
getaddrinfo(const char *host, const char *service,
    const struct addrinfo *hints, struct addrinfo **list)
{
    getaddrinfo_fn  real;

    if (host != NULL && strcmp(host, "none.test") == 0) {
        return EAI_NONAME;
    }

    if (host != NULL && strcmp(host, "slow.test") == 0
        && !(hints != NULL && (hints->ai_flags & AI_NUMERICHOST)))
    {
        wait_while_slow(getenv("REEL_SLOW"));
        host = "127.0.0.1";
    }

    *(void **) &real = dlsym(RTLD_NEXT, "getaddrinfo");

    return real(host, service, hints, list);
}
