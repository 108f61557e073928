#include "workerd/notify.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>


static reel_err_t
tell(const char *name)
{
    int                 fd;
    size_t              len = strlen(name);
    ssize_t             sent;
    struct sockaddr_un  to = { .sun_family = AF_UNIX };
    static const char   ready[] = "READY=1";

    if ((name[0] != '/' && name[0] != '@') || len >= sizeof(to.sun_path)) {
        return REEL_INVAL;
    }

    memcpy(to.sun_path, name, len);
    if (name[0] == '@') {
        to.sun_path[0] = '\0';
    }

    fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return REEL_IO;
    }

    sent = sendto(fd, ready, sizeof(ready) - 1, MSG_NOSIGNAL,
                  (const struct sockaddr *) &to,
                  (socklen_t) (offsetof(struct sockaddr_un, sun_path) + len));
    close(fd);

    return sent == (ssize_t) sizeof(ready) - 1 ? REEL_OK : REEL_IO;
}


reel_err_t
reel_notify_ready(void)
{
    reel_err_t   err;
    const char  *name = getenv("NOTIFY_SOCKET");

    if (name == NULL) {
        return REEL_OK;
    }

    err = tell(name);
    (void) unsetenv("NOTIFY_SOCKET");

    return err;
}
