/*
 * gzip for manifests: once a manifest, kept with it, not once a request as
 * nginx's own filter does it, which leaves alone what comes coded.
 */

#include "ngx_module/ngx_http_reel_play.h"

#include <zlib.h>

/* a longer one would hold up the event loop for more than some ms */
#define GZIP_MAX    (256 * 1024)
#define GZIP_LEVEL  3
#define GZIP_BITS   (MAX_WBITS + 16)
#define GZIP_MEM    8

static ngx_uint_t weight(u_char *p, u_char *last);


/* RFC 9110, 12.5.3 */
ngx_uint_t
ngx_http_reel_gzip_wanted(ngx_http_request_t *r)
{
    u_char           *p, *last, *end, *name;
    size_t            len;
    ngx_uint_t        any;
    ngx_table_elt_t  *h;

    h = r->headers_in.accept_encoding;
    if (h == NULL) {
        return 0;
    }

    any = 0;
    last = h->value.data + h->value.len;

    for (p = h->value.data; p < last; p = end + 1) {

        end = ngx_strlchr(p, last, ',');
        if (end == NULL) {
            end = last;
        }

        while (p < end && (*p == ' ' || *p == '\t')) {
            p++;
        }

        name = p;

        while (p < end && *p != ';' && *p != ' ' && *p != '\t') {
            p++;
        }

        len = p - name;

        if ((len == 4 && ngx_strncasecmp(name, (u_char *) "gzip", 4) == 0)
            || (len == 6 && ngx_strncasecmp(name, (u_char *) "x-gzip", 6)
                            == 0))
        {
            return weight(p, end);
        }

        if (len == 1 && *name == '*') {
            any = weight(p, end);
        }
    }

    return any;
}


/* 0: q=0, with as many zeros behind the point as there may be */
static ngx_uint_t
weight(u_char *p, u_char *last)
{
    p = ngx_strlchr(p, last, '=');
    if (p == NULL) {
        return 1;
    }

    for (p++; p < last; p++) {
        if (*p >= '1' && *p <= '9') {
            return 1;
        }
    }

    return 0;
}


ngx_int_t
ngx_http_reel_gzip(ngx_str_t *plain, reel_buf_t *out)
{
    int       rc;
    uLong     bound;
    z_stream  z;

    if (plain->len > GZIP_MAX) {
        return NGX_DECLINED;
    }

    ngx_memzero(&z, sizeof(z_stream));

    if (deflateInit2(&z, GZIP_LEVEL, Z_DEFLATED, GZIP_BITS, GZIP_MEM,
                     Z_DEFAULT_STRATEGY)
        != Z_OK)
    {
        return NGX_DECLINED;
    }

    bound = deflateBound(&z, plain->len);
    reel_buf_init(out, bound);
    reel_buf_zero(out, bound);

    if (reel_buf_err(out) != REEL_OK) {
        (void) deflateEnd(&z);
        return NGX_DECLINED;
    }

    z.next_in = plain->data;
    z.avail_in = plain->len;
    z.next_out = out->data;
    z.avail_out = bound;

    rc = deflate(&z, Z_FINISH);
    out->len = bound - z.avail_out;
    (void) deflateEnd(&z);

    if (rc != Z_STREAM_END) {
        reel_buf_release(out);
        return NGX_DECLINED;
    }

    return NGX_OK;
}
