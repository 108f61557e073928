#include <inttypes.h>
#include <stdio.h>

#include "lib/base/hex.h"
#include "lib/manifest/protection.h"


/* bytes, as lib/mp4/protect.c writes them */
#define INFORMATION  53         /* saiz, saio and senc of no samples */
#define CENC_IV      8u
#define ENTRY        9u         /* of a sample with one subsample */
#define GROUP        72u        /* sgpd and sbgp */
#define CONSTANT_IV  17u

#define PSSH_MAX     65536


static const reel_system_t  all[REEL_SYSTEMS] = {
    REEL_SYSTEM_COMMON, REEL_SYSTEM_WIDEVINE, REEL_SYSTEM_PLAYREADY
};


bool
reel_protection_fits(const reel_protection_t *p, const reel_rendition_t *r)
{
    reel_scheme_t  scheme = reel_protection_scheme(p);

    if (scheme != REEL_SCHEME_CENC && scheme != REEL_SCHEME_CBCS) {
        return true;
    }

    /* its frame headers would have to stay clear */
    return !reel_str_eqz(reel_listing_family(r), "av01");
}


reel_str_t
reel_protection_track(char *dst, const reel_manifest_opts_t *o,
    const reel_rendition_t *r, reel_form_t form)
{
    int          n;
    const char  *kind = r->kind == REEL_VIDEO ? "video" : "audio";

    if (o->protection->keys.scheme != REEL_SCHEME_AES128) {
        return reel_str(kind);
    }

    n = snprintf(dst, REEL_TRACK_MAX + 1, "%.*s/%s/%" PRIu32,
                 (int) r->name.len, r->name.p,
                 form == REEL_FORM_IFRAMES ? "iframes"
                 : o->container == REEL_CONTAINER_TS ? "ts" : "cmaf",
                 form == REEL_FORM_IFRAMES ? 1 : o->per);

    return (reel_str_t) { dst, n > 0 ? (size_t) n : 0 };
}


reel_err_t
reel_protection_key(reel_content_key_t *k, const reel_manifest_opts_t *o,
    const reel_rendition_t *r, reel_form_t form, uint32_t period)
{
    char  track[REEL_TRACK_MAX + 1];

    return reel_key_derive(k, &o->protection->keys,
                           reel_protection_track(track, o, r, form), period);
}


reel_err_t
reel_protection_iv(uint8_t iv[REEL_KEY], const reel_manifest_opts_t *o,
    const reel_rendition_t *r, uint32_t period)
{
    int   n;
    char  track[REEL_TRACK_MAX + 1];

    n = snprintf(track, sizeof(track), "%.*s/%s", (int) r->name.len,
                 r->name.p,
                 o->container == REEL_CONTAINER_TS ? "ts" : "cmaf");

    return reel_key_iv(iv, &o->protection->keys,
                       (reel_str_t) { track, n > 0 ? (size_t) n : 0 },
                       period);
}


void
reel_protection_pssh(reel_buf_t *b, const reel_protection_t *p,
    const reel_content_key_t *k)
{
    unsigned  i;

    if (p->keys.scheme == REEL_SCHEME_AES128) {
        return;
    }

    for (i = 0; i < REEL_SYSTEMS; i++) {
        if (p->systems & 1u << all[i]) {
            reel_pssh(b, all[i], p->keys.scheme, k, 1);
        }
    }
}


reel_protection_bytes_t
reel_protection_bytes(const reel_protection_t *p, bool video)
{
    bool                     cbcs = p->keys.scheme == REEL_SCHEME_CBCS;
    reel_buf_t               b;
    reel_content_key_t       k = { .key = { 0 } };
    reel_protection_bytes_t  n = { 0, 0, 0 };

    if (p->keys.scheme == REEL_SCHEME_AES128) {
        n.segment = REEL_KEY;
        return n;
    }

    n.sample = (cbcs ? 0 : CENC_IV) + (video ? ENTRY : 0);
    n.fragment = n.sample != 0 ? INFORMATION : 0;

    if (p->period != 0) {
        n.fragment += GROUP + (cbcs ? CONSTANT_IV : 0);

        reel_buf_init(&b, PSSH_MAX);
        reel_protection_pssh(&b, p, &k);
        n.segment = b.len;
        reel_buf_release(&b);
    }

    return n;
}
