/* headers of encrypted segments, and what boxes say of a key */

#include "ngx_module/ngx_http_reel_sealed.h"


reel_err_t
ngx_http_reel_sealed_protect(ngx_http_reel_play_t *p, reel_protect_t *protect,
    uint32_t period, reel_content_key_t *key)
{
    reel_err_t                err;
    const reel_protection_t  *pr;

    pr = p->opts.protection;

    protect->scheme = pr->keys.scheme;
    protect->ordinal = (uint8_t) (p->rendition - p->index->renditions);
    protect->rotated = pr->period != 0;

    err = reel_protection_key(key, &p->opts, p->rendition,
                              REEL_FORM_SEGMENTS, period);
    if (err != REEL_OK) {
        return err;
    }

    ngx_memcpy(protect->kid, key->kid, REEL_KID);

    if (pr->keys.scheme == REEL_SCHEME_CBCS) {
        err = reel_protection_iv(protect->iv, &p->opts, p->rendition, period);
    }

    return err;
}


reel_err_t
ngx_http_reel_sealed_header(ngx_http_request_t *r, ngx_http_reel_play_t *p,
    reel_str_t header, ngx_str_t *out)
{
    bool                 whole;
    reel_buf_t           pssh, b;
    reel_err_t           err;
    reel_protect_t       protect;
    reel_cmaf_track_t    track;
    reel_content_key_t   key;

    ngx_memzero(&protect, sizeof(reel_protect_t));

    err = reel_cmaf_read_header(&track, header.p, header.len, NULL);

    if (err == REEL_OK) {
        err = reel_subsamples_kind(&whole, track.codec);
    }

    if (err == REEL_OK) {
        protect.whole = whole;
        err = ngx_http_reel_sealed_protect(p, &protect, 0, &key);
    }

    if (err != REEL_OK) {
        return err;
    }

    reel_buf_init(&pssh, NGX_HTTP_REEL_SEALED_MOOF_MAX);
    reel_buf_init(&b, NGX_HTTP_REEL_SEALED_MOOF_MAX);

    reel_protection_pssh(&pssh, p->opts.protection, &key);
    ngx_explicit_memzero(&key, sizeof(key));

    protect.pssh = (reel_str_t) { (char *) pssh.data, pssh.len };
    err = reel_buf_err(&pssh);

    if (err == REEL_OK) {
        err = reel_protect_header(&b, header, &protect);
    }

    reel_buf_release(&pssh);

    if (err != REEL_OK) {
        reel_buf_release(&b);
        return err;
    }

    return ngx_http_reel_to_pool(r, &b, out);
}
