/*
 * What the segments of a worker do in one turn of its event loop is bounded.
 * It is reckoned in bytes that are made or sent, and in what costs as much.
 * Who finds that it was enough waits for the next turn, of which those that
 * wait have half at least, in the order in which they came: so neither they
 * starve nor those whom an event wakes.
 */

#ifndef NGX_HTTP_REEL_TURN_H
#define NGX_HTTP_REEL_TURN_H

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

/* zeroed, but for the first three */
typedef struct {
    ngx_http_request_t      *request;
    void                   (*handler)(void *data);
    void                    *data;
    ngx_queue_t              queue;
    unsigned                 waits:1;
} ngx_http_reel_turn_t;

/* is it enough for this turn? */
ngx_uint_t ngx_http_reel_turn_over(void);

void ngx_http_reel_turn_spend(size_t n);

/* t->handler is called in a later turn, unless t leaves */
void ngx_http_reel_turn_wait(ngx_http_reel_turn_t *t);
void ngx_http_reel_turn_leave(ngx_http_reel_turn_t *t);

/*
 * Returns what handler returns, which is called now or, if it was enough for
 * this turn, in a later one, where r is finalized with that.
 */
ngx_int_t ngx_http_reel_turn_run(ngx_http_request_t *r,
    ngx_http_handler_pt handler);

#endif
