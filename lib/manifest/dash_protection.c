/* ContentProtection of AdaptationSets (ISO 23009-1, 5.8.4.1) */

#include <stdlib.h>

#include "lib/base/base64.h"
#include "lib/manifest/dash_attr.h"
#include "lib/manifest/protection.h"


#define BOX_MAX  (16 * 1024)


static void
add_base64(reel_buf_t *b, const char *element, reel_buf_t *in)
{
    char  *text;

    text = malloc(REEL_BASE64_LEN(in->len) + 1);

    if (text == NULL || reel_buf_err(in) != REEL_OK) {
        reel_buf_release(b);
        b->err = REEL_NOMEM;

    } else {
        reel_base64(text, in->data, in->len);
        reel_buf_printf(b, "<%s>%s</%s>\n", element, text, element);
    }

    free(text);
    reel_buf_release(in);
}


static void
add_system(reel_buf_t *b, const reel_protection_t *p, reel_system_t system,
    const char *value, const reel_content_key_t *k)
{
    reel_buf_t  box;

    reel_buf_printf(b, "<ContentProtection schemeIdUri=\"urn:uuid:%s\"%s>\n",
                    reel_system_id(system), value);

    reel_buf_init(&box, BOX_MAX);
    reel_pssh(&box, system, p->keys.scheme, k, 1);
    add_base64(b, "cenc:pssh", &box);

    if (system == REEL_SYSTEM_PLAYREADY) {
        reel_buf_init(&box, BOX_MAX);
        reel_pssh_playready(&box, p->keys.scheme, k, 1);
        add_base64(b, "mspr:pro", &box);
    }

    reel_buf_addz(b, "</ContentProtection>\n");
}


/*
 * DASH-IF, Content Protection, 7.6.2.4: ClearKey and who gives licenses, an
 * absolute URI, as players take a relative one as the page's.  No pssh: that
 * stands in the header, and dash.js takes one here for a list of KIDs.
 */
static void
add_clear_key(reel_buf_t *b, const reel_protection_t *p)
{
    reel_buf_addz(b, "<ContentProtection schemeIdUri=\"urn:uuid:e2719d58-"
                  "a985-b3c9-781a-b030af78d30e\" value=\"ClearKey1.0\"");

    if (p->license_uri.len == 0) {
        reel_buf_addz(b, "/>\n");
        return;
    }

    reel_buf_addz(b, ">\n<dashif:Laurl Lic_type=\"EME-1.0\">");
    reel_dash_text(b, p->license_uri);
    reel_buf_addz(b, "</dashif:Laurl>\n</ContentProtection>\n");
}


void
reel_dash_protection(reel_buf_t *b, const reel_manifest_opts_t *o,
    const reel_listed_t *x)
{
    char                      kid[37];
    reel_err_t                err;
    reel_content_key_t        k;
    reel_manifest_opts_t      own = reel_listing_opts(x, o);
    const reel_protection_t  *p = x->protection;

    if (p == NULL) {
        return;
    }

    /* that of the first segment is told */
    err = reel_protection_key(&k, &own, x->own, REEL_FORM_SEGMENTS,
                              reel_protection_period(p, x->first * o->per));
    if (err != REEL_OK) {
        reel_buf_release(b);
        b->err = err;
        return;
    }

    reel_kid_print(kid, k.kid);
    reel_buf_printf(b, "<ContentProtection schemeIdUri=\"urn:mpeg:dash:"
                    "mp4protection:2011\" value=\"%s\" "
                    "cenc:default_KID=\"%s\"/>\n",
                    reel_scheme_name(p->keys.scheme), kid);

    if (p->systems & 1u << REEL_SYSTEM_COMMON) {
        add_clear_key(b, p);
    }

    if (p->systems & 1u << REEL_SYSTEM_WIDEVINE) {
        add_system(b, p, REEL_SYSTEM_WIDEVINE, " value=\"Widevine\"", &k);
    }

    if (p->systems & 1u << REEL_SYSTEM_PLAYREADY) {
        add_system(b, p, REEL_SYSTEM_PLAYREADY, " value=\"MSPR 2.0\"", &k);
    }
}
