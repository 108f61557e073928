/*
 * Any bytes as a license request: what is taken names keys, and the request
 * that its answer would be to names the same ones.
 */

#include "lib/auth/license.h"
#include "lib/base/base64.h"
#include "tests/fuzz/harness.h"


/* the license has all that it was given, and nothing that ends it early */
static void
check_print(const reel_license_t *l)
{
    unsigned            i, quotes = 0;
    reel_buf_t          b;
    reel_content_key_t  keys[REEL_LICENSE_KIDS];

    for (i = 0; i < l->n; i++) {
        memcpy(keys[i].kid, l->kids[i], REEL_KID);
        memcpy(keys[i].key, l->kids[l->n - 1 - i], REEL_KEY);
    }

    reel_buf_init(&b, 2 * REEL_LICENSE_BODY);
    reel_license_print(&b, l, keys, l->n);
    need(reel_buf_err(&b) == REEL_OK);

    for (i = 0; i < b.len; i++) {
        quotes += b.data[i] == '"';
    }

    need(quotes == 12 * l->n + 6);
    reel_buf_release(&b);
}


static void
ask_again(const reel_license_t *l)
{
    char            text[32];
    unsigned        i;
    reel_buf_t      b;
    reel_error_t    e = { "" };
    reel_license_t  got;

    reel_buf_init(&b, REEL_LICENSE_BODY);
    reel_buf_addz(&b, "{\"kids\":[");

    for (i = 0; i < l->n; i++) {
        reel_base64url(text, l->kids[i], REEL_KID);
        reel_buf_printf(&b, "%s\"%s\"", i != 0 ? "," : "", text);
    }

    reel_buf_addz(&b, "]}");
    need(reel_buf_err(&b) == REEL_OK);
    need(reel_license_parse(&got, (char *) b.data, b.len, &e) == REEL_OK);
    need(got.n == l->n && !got.persistent);
    need(memcmp(got.kids, l->kids, l->n * sizeof(l->kids[0])) == 0);
    reel_buf_release(&b);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    reel_err_t      err;
    reel_error_t    e = { "" };
    reel_license_t  l;

    err = reel_license_parse(&l, (const char *) data, size, &e);

    if (err != REEL_OK) {
        need((err == REEL_BADDATA || err == REEL_LIMIT) && e.text[0] != '\0');
        return 0;
    }

    need(l.n != 0 && l.n <= REEL_LICENSE_KIDS);
    check_print(&l);
    ask_again(&l);

    return 0;
}
