/* asking a request to let go of an upload: see ngx_http_reel_wake.h */

#include "ngx_module/ngx_http_reel_wake.h"

#include <stddef.h>
#include <sys/random.h>
#include <sys/un.h>

#include "lib/base/hex.h"


#define NGX_HTTP_REEL_WAKE_PREFIX  "reel-"
#define NGX_HTTP_REEL_BOOT_ID      "/proc/sys/kernel/random/boot_id"


typedef struct {
    char      id[REEL_UPLOAD_ID_LEN];
    uint32_t  turn;
} ngx_http_reel_wake_msg_t;


static ngx_socket_t ngx_http_reel_wake_bind(ngx_cycle_t *cycle);
static ngx_int_t ngx_http_reel_wake_boot(ngx_cycle_t *cycle);
static socklen_t ngx_http_reel_wake_name(struct sockaddr_un *sun,
    const uint8_t *owner);
static void ngx_http_reel_wake_event(ngx_event_t *ev);
static void ngx_http_reel_wake_deliver(const ngx_http_reel_wake_msg_t *msg);


/* of this worker; there is nothing that another one needs */
static reel_upload_self_t   ngx_http_reel_wake_me;
static ngx_queue_t          ngx_http_reel_wake_watched;
static ngx_connection_t    *ngx_http_reel_wake_connection;


ngx_int_t
ngx_http_reel_wake_init(ngx_cycle_t *cycle)
{
    ngx_socket_t                s;
    ngx_connection_t           *c;
    ngx_http_reel_main_conf_t  *rmcf;

    ngx_queue_init(&ngx_http_reel_wake_watched);

    rmcf = ngx_http_cycle_get_module_main_conf(cycle, ngx_http_reel_module);

    if (rmcf == NULL || !rmcf->wakes) {
        return NGX_OK;
    }

    if (getrandom(ngx_http_reel_wake_me.owner, REEL_UPLOAD_OWNER_LEN, 0)
        != REEL_UPLOAD_OWNER_LEN
        || ngx_http_reel_wake_boot(cycle) != NGX_OK)
    {
        return NGX_ERROR;
    }

    s = ngx_http_reel_wake_bind(cycle);
    if (s == (ngx_socket_t) -1) {
        return NGX_ERROR;
    }

    c = ngx_get_connection(s, cycle->log);
    if (c == NULL) {
        (void) ngx_close_socket(s);
        return NGX_ERROR;
    }

    c->read->handler = ngx_http_reel_wake_event;
    c->read->log = cycle->log;

    /* as nginx's own channel: it keeps no worker from its exit */
    c->read->channel = 1;
    c->write->channel = 1;

    if (ngx_add_event(c->read, NGX_READ_EVENT, 0) != NGX_OK) {
        ngx_free_connection(c);
        (void) ngx_close_socket(s);
        return NGX_ERROR;
    }

    ngx_http_reel_wake_connection = c;

    return NGX_OK;
}


/* the socket that this worker's owner names; -1: logged */
static ngx_socket_t
ngx_http_reel_wake_bind(ngx_cycle_t *cycle)
{
    socklen_t           len;
    ngx_socket_t        s;
    struct sockaddr_un  sun;

    s = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (s == (ngx_socket_t) -1) {
        ngx_log_error(NGX_LOG_EMERG, cycle->log, ngx_socket_errno,
                      "reel: socket() failed");
        return s;
    }

    len = ngx_http_reel_wake_name(&sun, ngx_http_reel_wake_me.owner);

    if (bind(s, (struct sockaddr *) &sun, len) == -1) {
        ngx_log_error(NGX_LOG_EMERG, cycle->log, ngx_socket_errno,
                      "reel: bind() of the wake socket failed");
        (void) ngx_close_socket(s);
        return (ngx_socket_t) -1;
    }

    return s;
}


/*
 * "0f8e…-…" -> 16 bytes.  Where it cannot be read (/proc is not mounted, …)
 * each worker is a boot of its own: what one leaves counts for the next one
 * as far as it was synced.
 */
static ngx_int_t
ngx_http_reel_wake_boot(ngx_cycle_t *cycle)
{
    char        text[40], hex[2 * REEL_UPLOAD_BOOT_LEN];
    size_t      n;
    ssize_t     len, i;
    ngx_fd_t    fd;

    fd = ngx_open_file(NGX_HTTP_REEL_BOOT_ID, NGX_FILE_RDONLY, NGX_FILE_OPEN,
                       0);
    len = fd == NGX_INVALID_FILE ? -1 : ngx_read_fd(fd, text, sizeof(text));

    if (fd != NGX_INVALID_FILE) {
        (void) ngx_close_file(fd);
    }

    for (n = 0, i = 0; i < len && n < sizeof(hex); i++) {
        if (text[i] != '-') {
            hex[n++] = text[i];
        }
    }

    if (n == sizeof(hex)
        && reel_unhex(ngx_http_reel_wake_me.boot, REEL_UPLOAD_BOOT_LEN,
                      (reel_str_t) { hex, n })
           == REEL_OK)
    {
        return NGX_OK;
    }

    ngx_log_error(NGX_LOG_WARN, cycle->log, 0,
                  "reel: \"" NGX_HTTP_REEL_BOOT_ID "\" cannot be read: of an "
                  "upload whose worker dies only what was synced is kept");

    return getrandom(ngx_http_reel_wake_me.boot, REEL_UPLOAD_BOOT_LEN, 0)
           == REEL_UPLOAD_BOOT_LEN ? NGX_OK : NGX_ERROR;
}


void
ngx_http_reel_wake_exit(ngx_cycle_t *cycle)
{
    if (ngx_http_reel_wake_connection) {
        ngx_close_connection(ngx_http_reel_wake_connection);
        ngx_http_reel_wake_connection = NULL;
    }
}


static socklen_t
ngx_http_reel_wake_name(struct sockaddr_un *sun, const uint8_t *owner)
{
    size_t  prefix;

    prefix = sizeof(NGX_HTTP_REEL_WAKE_PREFIX) - 1;

    ngx_memzero(sun, sizeof(struct sockaddr_un));
    sun->sun_family = AF_UNIX;

    /* sun_path[0] stays 0: abstract */
    ngx_memcpy(sun->sun_path + 1, NGX_HTTP_REEL_WAKE_PREFIX, prefix);
    reel_hex(sun->sun_path + 1 + prefix, owner, REEL_UPLOAD_OWNER_LEN);

    return offsetof(struct sockaddr_un, sun_path) + 1 + prefix
           + 2 * REEL_UPLOAD_OWNER_LEN;
}


const reel_upload_self_t *
ngx_http_reel_wake_self(void)
{
    return &ngx_http_reel_wake_me;
}


static void
ngx_http_reel_wake_event(ngx_event_t *ev)
{
    ssize_t                    n;
    ngx_connection_t          *c;
    ngx_http_reel_wake_msg_t   msg;

    c = ev->data;

    for ( ;; ) {
        n = recv(c->fd, &msg, sizeof(msg), MSG_TRUNC);

        if (n == -1) {
            if (ngx_socket_errno == NGX_EINTR) {
                continue;
            }

            break;
        }

        /* anybody on this host may send here, but for the id to guess */
        if (n == sizeof(msg)) {
            ngx_http_reel_wake_deliver(&msg);
        }
    }

    if (ngx_handle_read_event(ev, 0) != NGX_OK) {
        ngx_log_error(NGX_LOG_ALERT, ev->log, 0,
                      "reel: the wake socket cannot be watched");
    }
}


static void
ngx_http_reel_wake_deliver(const ngx_http_reel_wake_msg_t *msg)
{
    ngx_queue_t           *q, *next;
    ngx_http_reel_wake_t  *w;

    for (q = ngx_queue_head(&ngx_http_reel_wake_watched);
         q != ngx_queue_sentinel(&ngx_http_reel_wake_watched);
         q = next)
    {
        next = ngx_queue_next(q);
        w = ngx_queue_data(q, ngx_http_reel_wake_t, queue);

        if ((msg->turn == 0 || msg->turn == w->turn)
            && ngx_memcmp(msg->id, w->id, REEL_UPLOAD_ID_LEN) == 0)
        {
            w->leave(w->data);
        }
    }
}


void
ngx_http_reel_wake_watch(ngx_http_reel_wake_t *w)
{
    if (w->queue.prev == NULL) {
        ngx_queue_insert_tail(&ngx_http_reel_wake_watched, &w->queue);
    }
}


void
ngx_http_reel_wake_unwatch(ngx_http_reel_wake_t *w)
{
    if (w->queue.prev) {
        ngx_queue_remove(&w->queue);
        w->queue.prev = NULL;
        w->queue.next = NULL;
    }
}


ngx_int_t
ngx_http_reel_wake_send(const uint8_t *owner, const char *id,
    ngx_uint_t turn)
{
    ssize_t                    n;
    socklen_t                  len;
    struct sockaddr_un         sun;
    ngx_http_reel_wake_msg_t   msg;

    ngx_memzero(&msg, sizeof(msg));
    ngx_memcpy(msg.id, id, REEL_UPLOAD_ID_LEN);
    msg.turn = turn;

    len = ngx_http_reel_wake_name(&sun, owner);

    n = sendto(ngx_http_reel_wake_connection->fd, &msg, sizeof(msg),
               MSG_NOSIGNAL, (struct sockaddr *) &sun, len);

    /* a full queue: it is alive, and the caller asks again */
    return n == -1 && ngx_socket_errno == ECONNREFUSED ? NGX_DECLINED
                                                       : NGX_OK;
}
