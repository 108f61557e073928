/*
 * The worker's buffers.  Those used last are used first, while they are in
 * the processor's cache; more than some are not kept.  They are mapped, not
 * allocated: what malloc gets back it rarely gives back.  To unmap one may
 * take long, 0.7 ms where virtual processors have to be told of it: so those
 * of as many streams as a busy worker has stay.
 */

#include "ngx_module/ngx_http_reel_stream.h"

#include <sys/mman.h>

#define BUFFERS_KEPT  64

static u_char     *kept[BUFFERS_KEPT];
static ngx_uint_t  nkept;


u_char *
ngx_http_reel_buffer_get(ngx_log_t *log)
{
    u_char  *p;

    if (nkept) {
        return kept[--nkept];
    }

    p = mmap(NULL, NGX_HTTP_REEL_STREAM_BUFFER, PROT_READ|PROT_WRITE,
             MAP_PRIVATE|MAP_ANON, -1, 0);

    if (p == MAP_FAILED) {
        ngx_log_error(NGX_LOG_ALERT, log, ngx_errno,
                      "reel: mmap() of a buffer failed");
        return NULL;
    }

    return p;
}


void
ngx_http_reel_buffer_put(u_char *p)
{
    if (nkept < BUFFERS_KEPT) {
        kept[nkept++] = p;
        return;
    }

    (void) munmap(p, NGX_HTTP_REEL_STREAM_BUFFER);
}
