#include "lib/job/redis_addr.h"

#include <stdio.h>
#include <string.h>

#define UNIX "unix:"


static reel_err_t
parse_socket(reel_redis_addr_t *a, reel_str_t path)
{
    return path.len > 0 && memchr(path.p, '\0', path.len) == NULL
           ? reel_str_copy(a->socket, sizeof(a->socket), path) : REEL_INVAL;
}


/* without its brackets, which it needs when it has colons itself */
static reel_err_t
parse_host(reel_redis_addr_t *a, reel_str_t host)
{
    if (host.len >= 2 && host.p[0] == '[' && host.p[host.len - 1] == ']') {
        host.p++;
        host.len -= 2;

    } else if (memchr(host.p, ':', host.len) != NULL) {
        return REEL_INVAL;
    }

    return host.len > 0 ? reel_str_copy(a->host, sizeof(a->host), host)
                        : REEL_INVAL;
}


reel_err_t
reel_redis_addr_parse(reel_redis_addr_t *a, reel_str_t text)
{
    size_t      i;
    uint64_t    port;
    reel_err_t  err;

    *a = (reel_redis_addr_t) { .port = 0 };

    if (reel_str_prefix(text, UNIX)) {
        err = parse_socket(a, (reel_str_t) { text.p + sizeof(UNIX) - 1,
                                             text.len - sizeof(UNIX) + 1 });
        return err == REEL_OK ? REEL_OK : REEL_INVAL;
    }

    for (i = text.len; i > 0 && text.p[i - 1] != ':'; i--) { /* void */ }

    if (i < 2
        || reel_str_u64((reel_str_t) { text.p + i, text.len - i }, UINT16_MAX,
                        &port) != REEL_OK
        || port == 0
        || parse_host(a, (reel_str_t) { text.p, i - 1 }) != REEL_OK)
    {
        return REEL_INVAL;
    }

    a->port = (uint16_t) port;

    return REEL_OK;
}


const char *
reel_redis_addr_print(const reel_redis_addr_t *a, reel_redis_addr_text_t dst)
{
    const char  *form = strchr(a->host, ':') != NULL ? "[%s]:%u" : "%s:%u";

    if (a->socket[0] != '\0') {
        (void) snprintf(dst, sizeof(reel_redis_addr_text_t), UNIX "%s",
                        a->socket);
    } else {
        (void) snprintf(dst, sizeof(reel_redis_addr_text_t), form, a->host,
                        a->port);
    }

    return dst;
}
