#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/base64.h"
#include "lib/base/hex.h"
#include "lib/manifest/hls.h"
#include "lib/manifest/protection.h"


#define BOX_MAX  (16 * 1024)


/* what a tag is made of */
typedef struct {
    const char                 *tag;
    const reel_manifest_opts_t *o;
    const reel_rendition_t     *r;
    reel_form_t                 form;
    const char                 *beside; /* folder of the segments … */
    const char                 *above;  /* … and of the asset */
    const char                 *hash;
    uint32_t                    period;
    const uint32_t             *number; /* a segment's; NULL: its place's */
    reel_content_key_t          key;
} tag_t;


static const char *
method(const tag_t *k)
{
    switch (k->o->protection->keys.scheme) {

    case REEL_SCHEME_CENC:
        return "SAMPLE-AES-CTR";

    case REEL_SCHEME_CBCS:
        return "SAMPLE-AES";

    default:
        return "AES-128";
    }
}


/* {asset}, {kid} and {period}; all else as it stands */
static void
add_template(reel_buf_t *b, reel_str_t uri, const tag_t *k)
{
    char    kid[2 * REEL_KID + 1];
    size_t  i;

    for (i = 0; i < uri.len; i++) {
        reel_str_t  rest = { uri.p + i, uri.len - i };

        if (reel_str_prefix(rest, "{asset}")) {
            reel_buf_adds(b, k->o->protection->keys.asset);
            i += sizeof("{asset}") - 2;

        } else if (reel_str_prefix(rest, "{kid}")) {
            reel_hex(kid, k->key.kid, REEL_KID);
            reel_buf_addz(b, kid);
            i += sizeof("{kid}") - 2;

        } else if (reel_str_prefix(rest, "{period}")) {
            reel_buf_printf(b, "%" PRIu32, k->period);
            i += sizeof("{period}") - 2;

        } else {
            reel_buf_add(b, uri.p + i, 1);
        }
    }
}


static void
add_uri(reel_buf_t *b, const tag_t *k)
{
    const reel_protection_t  *p = k->o->protection;

    if (p->key_uri.len != 0) {
        add_template(b, p->key_uri, k);
        return;
    }

    if (p->keys.scheme == REEL_SCHEME_AES128) {
        reel_buf_printf(b, "%s%" PRIu32 "%s.key", k->beside, k->period,
                        k->form == REEL_FORM_IFRAMES ? ".iframe" : "");

    } else {
        reel_buf_printf(b, "%s%.*s%s~%s/%" PRIu32 ".key", k->above,
                        (int) p->prefix.len, p->prefix.p,
                        k->r->kind == REEL_VIDEO ? "video" : "audio",
                        k->hash, k->period);
    }

    reel_hls_token(b, k->o);
}


/* the one that says what players without a license system ask for */
static reel_err_t
add_plain(reel_buf_t *b, const tag_t *k)
{
    char                      hex[2 * REEL_KEY + 1];
    uint8_t                   iv[REEL_KEY];
    reel_err_t                err;
    const reel_protection_t  *p = k->o->protection;

    if (!p->delivered && p->key_uri.len == 0) {
        return REEL_OK;
    }

    reel_buf_printf(b, "%s:METHOD=%s,URI=\"", k->tag, method(k));
    add_uri(b, k);
    reel_buf_addz(b, "\"");

    /* in CMAF it stands in the samples' description */
    if (p->keys.scheme == REEL_SCHEME_CBCS
        && k->o->container == REEL_CONTAINER_TS)
    {
        err = reel_protection_iv(iv, k->o, k->r, k->period);
        if (err != REEL_OK) {
            return err;
        }

        reel_hex(hex, iv, sizeof(iv));
        reel_buf_printf(b, ",IV=0x%s", hex);
    }

    if (k->number != NULL && p->keys.scheme == REEL_SCHEME_AES128) {
        reel_buf_printf(b, ",IV=0x%032" PRIx32, *k->number);
    }

    if (p->key_format.len != 0) {
        reel_buf_printf(b, ",KEYFORMAT=\"%.*s\",KEYFORMATVERSIONS=\"1\"",
                        (int) p->key_format.len, p->key_format.p);

    } else if (p->keys.scheme != REEL_SCHEME_AES128) {
        reel_buf_addz(b, ",KEYFORMAT=\"identity\",KEYFORMATVERSIONS=\"1\"");
    }

    reel_buf_addz(b, "\n");

    return REEL_OK;
}


static reel_err_t
add_base64(reel_buf_t *b, reel_buf_t *in)
{
    char  *text;

    text = malloc(REEL_BASE64_LEN(in->len) + 1);

    if (text == NULL || reel_buf_err(in) != REEL_OK) {
        free(text);
        reel_buf_release(in);
        return REEL_NOMEM;
    }

    reel_base64(text, in->data, in->len);
    reel_buf_addz(b, text);
    free(text);
    reel_buf_release(in);

    return REEL_OK;
}


/* a license system's: its box, or PlayReady's object, in the URI */
static reel_err_t
add_system(reel_buf_t *b, const tag_t *k, reel_system_t system)
{
    char           kid[2 * REEL_KID + 1];
    reel_buf_t     box;
    reel_err_t     err;
    reel_scheme_t  scheme = k->o->protection->keys.scheme;

    reel_buf_init(&box, BOX_MAX);
    reel_buf_printf(b, "%s:METHOD=%s,URI=\"data:text/plain;", k->tag,
                    method(k));

    if (system == REEL_SYSTEM_PLAYREADY) {
        reel_buf_addz(b, "charset=UTF-16;");
        reel_pssh_playready(&box, scheme, &k->key, 1);
    } else {
        reel_pssh(&box, system, scheme, &k->key, 1);
    }

    reel_buf_addz(b, "base64,");

    err = add_base64(b, &box);
    if (err != REEL_OK) {
        return err;
    }

    reel_hex(kid, k->key.kid, REEL_KID);
    reel_buf_printf(b, "\",KEYID=0x%s,KEYFORMAT=\"%s%s\""
                    ",KEYFORMATVERSIONS=\"1\"\n", kid,
                    system == REEL_SYSTEM_PLAYREADY
                    ? "com.microsoft.playready" : "urn:uuid:",
                    system == REEL_SYSTEM_PLAYREADY
                    ? "" : reel_system_id(system));

    return REEL_OK;
}


static reel_err_t
add_keys(reel_buf_t *b, tag_t *k)
{
    unsigned    i;
    reel_err_t  err;

    static const reel_system_t  systems[] = {
        REEL_SYSTEM_WIDEVINE, REEL_SYSTEM_PLAYREADY
    };

    err = reel_protection_key(&k->key, k->o, k->r, k->form, k->period);

    if (err == REEL_OK) {
        err = add_plain(b, k);
    }

    if (k->o->protection->keys.scheme == REEL_SCHEME_AES128
        || k->o->container == REEL_CONTAINER_TS)
    {
        return err;
    }

    for (i = 0; i < 2 && err == REEL_OK; i++) {
        if (k->o->protection->systems & 1u << systems[i]) {
            err = add_system(b, k, systems[i]);
        }
    }

    return err;
}


bool
reel_hls_whole(const reel_manifest_opts_t *o)
{
    return reel_protection_scheme(o->protection) == REEL_SCHEME_AES128;
}


bool
reel_hls_unkey(reel_buf_t *b, const reel_manifest_opts_t *o)
{
    if (!reel_hls_whole(o)) {
        return false;
    }

    reel_buf_addz(b, "#EXT-X-KEY:METHOD=NONE\n");

    return true;
}


reel_err_t
reel_hls_keys(reel_buf_t *b, const reel_manifest_opts_t *o,
    const reel_rendition_t *r, reel_form_t form, const char *prefix,
    const char *hash, uint32_t period, const uint32_t *number)
{
    tag_t  k = {
        .tag = "#EXT-X-KEY", .o = o, .r = r, .form = form, .beside = prefix,
        .above = o->tracks != NULL ? "" : "../", .hash = hash,
        .period = period, .number = number
    };

    return add_keys(b, &k);
}


/* has one before x[i] its key? not if each rendition says an IV or has one */
static bool
is_told(const reel_manifest_opts_t *o, const reel_listed_t *x, unsigned i)
{
    unsigned  k;

    if (o->protection->keys.scheme == REEL_SCHEME_AES128
        || o->container == REEL_CONTAINER_TS)
    {
        return false;
    }

    for (k = 0; k < i; k++) {
        if (x[k].protection == x[i].protection) {
            return true;
        }
    }

    return false;
}


static reel_err_t
add_session(reel_buf_t *b, const reel_manifest_opts_t *o,
    const reel_listed_t *x, unsigned n)
{
    char                  folder[REEL_TRACK_MAX];
    tag_t                 k;
    unsigned              i;
    reel_err_t            err = REEL_OK;
    reel_manifest_opts_t  own;

    for (i = 0; i < n && err == REEL_OK; i++) {
        if (is_told(o, x, i)) {
            continue;
        }

        own = reel_listing_opts(&x[i], o);
        k = (tag_t) {
            .tag = "#EXT-X-SESSION-KEY", .o = &own, .r = x[i].own,
            .beside = folder, .above = "", .hash = x[i].hash,
            .period = reel_protection_period(x[i].protection,
                                             x[i].first * o->per)
        };

        (void) snprintf(folder, sizeof(folder), "%.*s~%s/",
                        (int) x[i].r->name.len, x[i].r->name.p, x[i].hash);

        err = add_keys(b, &k);
    }

    return err;
}


reel_err_t
reel_hls_session_keys(reel_buf_t *b, const reel_listing_t *l,
    const reel_manifest_opts_t *o)
{
    reel_err_t  err;

    err = add_session(b, o, l->video, l->nvideo);

    return err == REEL_OK ? add_session(b, o, l->audio, l->naudio) : err;
}
