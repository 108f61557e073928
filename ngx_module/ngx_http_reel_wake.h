/*
 * Asking a request to let go of an upload.  Each worker listens on a
 * datagram socket of its own (Linux's abstract names: nothing is left when
 * it dies); its name is the `owner` that lib/upload notes beside a turn.
 * Who wants the turn sends upload id and turn there.  So it works between
 * workers, over a reload, and between several nginx on one host; a holder
 * on another host sees the newcomer's ticket at its next write.
 */

#ifndef NGX_HTTP_REEL_WAKE_H
#define NGX_HTTP_REEL_WAKE_H

#include "ngx_module/ngx_http_reel_module.h"

#include "lib/upload/upload.h"

typedef struct ngx_http_reel_wake_s  ngx_http_reel_wake_t;

struct ngx_http_reel_wake_s {
    ngx_queue_t    queue;               /* NULL prev: not watched */
    const char    *id;                  /* REEL_UPLOAD_ID_LEN characters */
    ngx_uint_t     turn;
    void          *data;
    void         (*leave)(void *data);  /* in the event loop; may unwatch */
};

/* nothing where no location has uploads */
ngx_int_t ngx_http_reel_wake_init(ngx_cycle_t *cycle);
void ngx_http_reel_wake_exit(ngx_cycle_t *cycle);

/* this worker, to lib/upload; for pool threads too */
const reel_upload_self_t *ngx_http_reel_wake_self(void);

/* leave(data) is called when somebody wants turn `turn` of upload `id`, or
   turn 0 of it.  Both are safe to repeat */
void ngx_http_reel_wake_watch(ngx_http_reel_wake_t *w);
void ngx_http_reel_wake_unwatch(ngx_http_reel_wake_t *w);

/* NGX_DECLINED: that worker is dead (or on another host) */
ngx_int_t ngx_http_reel_wake_send(const uint8_t *owner, const char *id,
    ngx_uint_t turn);

#endif
