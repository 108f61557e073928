/* the client's socket, while an answer of many pieces is sent */

#include "ngx_module/ngx_http_reel_play.h"


/*
 * Where tcp_nopush corks a response, nginx on Linux leaves Nagle's algorithm
 * on.  Pieces of files do not end with a packet, so a short packet goes out
 * in the middle, and the last one would then wait for its acknowledgement
 * (40 ms on loopback).  The cork does not mind the option.
 */
void
ngx_http_reel_socket_no_delay(ngx_http_request_t *r)
{
    int                        on;
    ngx_connection_t          *c;
    ngx_http_core_loc_conf_t  *clcf;

    c = r->connection;
    clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);

    if (c->sendfile && clcf->tcp_nopush && clcf->tcp_nodelay
        && c->tcp_nodelay == NGX_TCP_NODELAY_UNSET
        && c->sockaddr->sa_family != AF_UNIX)
    {
        on = 1;

        if (setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, (void *) &on,
                       sizeof(int))
            == -1)
        {
            ngx_log_error(NGX_LOG_INFO, c->log, ngx_socket_errno,
                          "setsockopt(TCP_NODELAY) failed");
        }
    }
}


ngx_uint_t
ngx_http_reel_socket_timed_out(ngx_http_request_t *r)
{
    ngx_connection_t  *c;

    c = r->connection;

    if (!c->write->timedout) {
        return 0;
    }

    ngx_log_error(NGX_LOG_INFO, c->log, NGX_ETIMEDOUT, "client timed out");
    c->timedout = 1;
    ngx_http_finalize_request(r, NGX_HTTP_REQUEST_TIME_OUT);

    return 1;
}


ngx_int_t
ngx_http_reel_socket_wait(ngx_http_request_t *r)
{
    ngx_event_t               *wev;
    ngx_http_core_loc_conf_t  *clcf;

    clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);
    wev = r->connection->write;

    if (!wev->delayed) {
        ngx_add_timer(wev, clcf->send_timeout);
    }

    return ngx_handle_write_event(wev, clcf->send_lowat);
}
