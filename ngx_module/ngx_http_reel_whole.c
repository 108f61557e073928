/*
 * AES-128 of HLS: a segment encrypted as a whole (RFC 8216bis, 4.4.4.4 and
 * 5.2), CBC with PKCS7 padding.  It goes around another stream, so each byte
 * hangs on all before it: a range is made from the beginning.
 */

#include "ngx_module/ngx_http_reel_protect.h"

#include "lib/crypt/aes.h"

typedef struct {
    const ngx_http_reel_stream_ops_t  *ops;     /* of what is encrypted */
    off_t                    length;            /* likewise */
    off_t                    made;
    reel_aes_t              *aes;
    uint8_t                  iv[REEL_AES_BLOCK];
    uint8_t                  carry[REEL_AES_BLOCK];
    size_t                   ncarry;
} whole_t;

static ngx_int_t prepare(ngx_http_reel_stream_t *s);
static off_t seek(ngx_http_reel_stream_t *s, off_t offset);
static ngx_int_t produce(ngx_http_reel_stream_t *s, u_char *p, size_t size,
    size_t *n);
static size_t pad(whole_t *w, u_char *p, size_t len);
static void cleanup(void *data);


static const ngx_http_reel_stream_ops_t  whole = { prepare, seek, produce };


ngx_int_t
ngx_http_reel_whole(ngx_http_request_t *r, ngx_http_reel_play_t *p,
    ngx_http_reel_stream_t *s, reel_form_t form, uint32_t fragment)
{
    whole_t             *w;
    reel_err_t           err;
    ngx_pool_cleanup_t  *cln;
    reel_content_key_t   key;

    cln = ngx_pool_cleanup_add(r->pool, sizeof(whole_t));
    if (cln == NULL) {
        return NGX_ERROR;
    }

    w = cln->data;
    ngx_memzero(w, sizeof(whole_t));
    cln->handler = cleanup;

    err = reel_protection_key(&key, &p->opts, p->rendition, form,
                              reel_protection_period(p->opts.protection,
                                                     fragment));
    if (err != REEL_OK) {
        return NGX_ERROR;
    }

    /* the number of the segment, as players count it */
    w->iv[12] = (uint8_t) (p->number >> 24);
    w->iv[13] = (uint8_t) (p->number >> 16);
    w->iv[14] = (uint8_t) (p->number >> 8);
    w->iv[15] = (uint8_t) p->number;

    w->aes = reel_aes_new(REEL_AES_CBC, key.key);
    ngx_explicit_memzero(&key, sizeof(key));

    if (w->aes == NULL || reel_aes_begin(w->aes, w->iv) != REEL_OK) {
        return NGX_ERROR;
    }

    w->ops = s->ops;
    s->ops = &whole;
    s->outer = w;

    return NGX_OK;
}


static void
cleanup(void *data)
{
    whole_t *w = data;

    reel_aes_free(w->aes);
}


static ngx_int_t
prepare(ngx_http_reel_stream_t *s)
{
    whole_t *w = s->outer;

    ngx_int_t  rc;

    rc = w->ops->prepare(s);

    if (rc == NGX_OK) {
        w->length = s->length;
        s->length = (s->length / REEL_AES_BLOCK + 1) * REEL_AES_BLOCK;
    }

    return rc;
}


static off_t
seek(ngx_http_reel_stream_t *s, off_t offset)
{
    return 0;
}


static ngx_int_t
produce(ngx_http_reel_stream_t *s, u_char *p, size_t size, size_t *n)
{
    whole_t *w = s->outer;

    size_t     len;
    ngx_int_t  rc;

    do {
        /* what is carried goes before; nothing changes on NGX_AGAIN */
        ngx_memcpy(p, w->carry, w->ncarry);
        len = 0;

        if (w->made < w->length) {
            rc = w->ops->produce(s, p + w->ncarry,
                                 size - 2 * REEL_AES_BLOCK, &len);
            if (rc != NGX_OK) {
                return rc;
            }
        }

        w->made += len;
        *n = pad(w, p, w->ncarry + len);

    } while (*n == 0);

    return reel_aes_run(w->aes, p, p, *n) == REEL_OK ? NGX_OK : NGX_ERROR;
}


/* how many of len bytes are encrypted now; at the end, with the padding */
static size_t
pad(whole_t *w, u_char *p, size_t len)
{
    size_t  blocks;

    if (w->made >= w->length) {
        blocks = REEL_AES_BLOCK - len % REEL_AES_BLOCK;
        ngx_memset(p + len, (int) blocks, blocks);
        w->ncarry = 0;
        return len + blocks;
    }

    blocks = len / REEL_AES_BLOCK * REEL_AES_BLOCK;
    w->ncarry = len - blocks;
    ngx_memcpy(w->carry, p + blocks, w->ncarry);

    return blocks;
}
