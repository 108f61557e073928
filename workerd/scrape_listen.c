/* the socket that metrics are asked for at */

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "workerd/scrape.h"

/* who connects waits here while all connections are taken */
#define BACKLOG 16

typedef union {
    struct sockaddr     any;
    struct sockaddr_in  v4;
    struct sockaddr_in6 v6;
    struct sockaddr_un  un;
} address_t;


/* its size; 0: not an address in numbers */
static socklen_t
address(address_t *a, const reel_redis_addr_t *at)
{
    memset(a, 0, sizeof(*a));

    if (at->socket[0] != '\0') {
        a->un.sun_family = AF_UNIX;
        memcpy(a->un.sun_path, at->socket, sizeof(a->un.sun_path));
        return sizeof(a->un);
    }

    if (inet_pton(AF_INET, at->host, &a->v4.sin_addr) == 1) {
        a->v4.sin_family = AF_INET;
        a->v4.sin_port = htons(at->port);
        return sizeof(a->v4);
    }

    if (inet_pton(AF_INET6, at->host, &a->v6.sin6_addr) == 1) {
        a->v6.sin6_family = AF_INET6;
        a->v6.sin6_port = htons(at->port);
        return sizeof(a->v6);
    }

    errno = EINVAL;

    return 0;
}


/* a socket that a worker left behind, at which nobody listens */
static bool
left_behind(const address_t *a, socklen_t len)
{
    int          fd, rc, saved = errno;
    bool         left = false;
    struct stat  st;

    if (a->any.sa_family == AF_UNIX && lstat(a->un.sun_path, &st) == 0
        && S_ISSOCK(st.st_mode))
    {
        fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (fd >= 0) {
            rc = connect(fd, &a->any, len);
            left = rc != 0 && errno == ECONNREFUSED;
            close(fd);
        }
    }

    errno = saved;

    return left;
}


static int
bind_at(int fd, const address_t *a, socklen_t len)
{
    int     rc;
    mode_t  mask;

    /* what its mode would be later, others could use before */
    mask = umask(0117);
    rc = bind(fd, &a->any, len);
    if (rc != 0 && errno == EADDRINUSE && left_behind(a, len)
        && unlink(a->un.sun_path) == 0)
    {
        rc = bind(fd, &a->any, len);
    }
    umask(mask);

    return rc;
}


int
reel_scrape_listen(const reel_redis_addr_t *at)
{
    int        fd, on = 1, saved;
    address_t  a;
    socklen_t  len = address(&a, at);

    if (len == 0) {
        return -1;
    }

    fd = socket(a.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
                0);
    if (fd < 0) {
        return -1;
    }

    /* a worker that is started again need not wait; of no use elsewhere */
    (void) setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));

    if (bind_at(fd, &a, len) != 0 || listen(fd, BACKLOG) != 0) {
        saved = errno;
        close(fd);
        errno = saved;
        return -1;
    }

    return fd;
}
