#include "workerd/resolve.h"

#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "workerd/child.h"

#define TIMEOUT_S   60
#define HOST_MAX    256
#define ADDRESS_MAX (INET6_ADDRSTRLEN + 20)     /* with a zone */

struct reel_resolve_s {
    reel_resolve_fn  fn;            /* NULL: nobody asks any more */
    void            *arg;
    reel_proc_t     *proc;
    char             host[HOST_MAX];
    char             address[ADDRESS_MAX];
};


bool
reel_resolve_numeric(const char *host)
{
    bool              numeric;
    struct addrinfo  *list;
    struct addrinfo   hints = {
        .ai_flags = AI_NUMERICHOST, .ai_socktype = SOCK_STREAM
    };

    numeric = getaddrinfo(host, NULL, &hints, &list) == 0;
    if (numeric) {
        freeaddrinfo(list);
    }

    return numeric;
}


/* the child: one line with the address, or the reason on stderr */
static int
look_up(reel_child_t *c, void *arg)
{
    int                rc = 0;
    char               text[ADDRESS_MAX];
    struct addrinfo   *list;
    struct addrinfo    hints = { .ai_socktype = SOCK_STREAM };
    reel_resolve_t    *r = arg;

    static const int families[] = { AF_INET, AF_INET6 };

    for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++) {
        hints.ai_family = families[i];
        rc = getaddrinfo(r->host, NULL, &hints, &list);
        if (rc == 0) {
            break;
        }
    }

    if (rc == 0) {
        rc = getnameinfo(list->ai_addr, list->ai_addrlen, text,
                         sizeof(text), NULL, 0, NI_NUMERICHOST);
    }

    if (rc != 0) {
        fputs(gai_strerror(rc), stderr);
        return 1;
    }

    return dprintf(c->ctl_fd, "%s\n", text) > 0 ? 0 : 1;
}


static void
on_line(void *arg, const char *line, size_t len)
{
    reel_resolve_t  *r = arg;

    (void) !reel_str_copy(r->address, sizeof(r->address),
                          (reel_str_t) { line, len });
}


static void
on_exited(void *arg, reel_exit_t how, int detail, const char *tail,
    size_t tail_len)
{
    bool             found;
    const char      *why = tail;
    reel_resolve_t  *r = arg;

    (void) detail;

    found = how == REEL_EXIT_DONE && r->address[0] != '\0';

    if (how == REEL_EXIT_TIMEOUT) {
        why = "no answer";
    } else if (tail_len == 0) {
        why = "the resolver died";
    }

    if (r->fn != NULL) {
        r->fn(r->arg, found ? r->address : NULL, why);
    }

    free(r);
}


reel_err_t
reel_resolve_start(reel_loop_t *l, const char *host, reel_resolve_fn fn,
    void *arg, reel_resolve_t **out)
{
    reel_err_t         err;
    reel_resolve_t    *r = calloc(1, sizeof(*r));
    reel_child_spec_t  spec = {
        .main = look_up,
        .arg = r,
        .io = { .source_fd = -1, .ctl_fd = -1 },
        .timeout_s = TIMEOUT_S
    };

    static const reel_child_ops_t ops = { on_line, on_exited };

    if (r == NULL) {
        return REEL_NOMEM;
    }

    r->fn = fn;
    r->arg = arg;

    err = reel_str_copy(r->host, sizeof(r->host), reel_str(host));
    if (err == REEL_OK) {
        err = reel_child_start(l, &spec, &ops, r, &r->proc);
    }

    if (err != REEL_OK) {
        free(r);
        return err;
    }

    *out = r;

    return REEL_OK;
}


void
reel_resolve_cancel(reel_resolve_t *r)
{
    if (r != NULL) {
        r->fn = NULL;
        reel_child_kill(r->proc);
    }
}
