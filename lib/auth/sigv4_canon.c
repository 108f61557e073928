/*
 * The canonical request: method, path, query, headers and payload hash in
 * the one form that both sides can agree on.
 */

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/auth/query.h"
#include "lib/auth/sigv4_canon.h"
#include "lib/base/hex.h"


#define PARAMS_MAX 512


typedef struct {
    reel_str_t  name;
    reel_str_t  value;
} param_t;


bool
reel_sigv4_name_eq(reel_str_t a, const char *lower)
{
    return a.len == strlen(lower) && strncasecmp(a.p, lower, a.len) == 0;
}


const reel_sigv4_header_t *
reel_sigv4_header(const reel_sigv4_request_t *rq, const char *lower)
{
    size_t  i;

    for (i = 0; i < rq->nheaders; i++) {
        if (reel_sigv4_name_eq(rq->headers[i].name, lower)) {
            return &rq->headers[i];
        }
    }

    return NULL;
}


bool
reel_sigv4_is_signed(reel_str_t signed_headers, reel_str_t name)
{
    reel_str_t  one;

    while (signed_headers.p != NULL) {
        one = reel_str_cut(signed_headers, ';', &signed_headers);

        if (one.len == name.len && strncasecmp(one.p, name.p, one.len) == 0) {
            return true;
        }
    }

    return false;
}


/*
 * Percent-encodes what may be encoded already, so that each byte ends up
 * encoded once and in one way: "%7e", "~" and "%7E" are all "~".  An
 * encoded slash stays encoded.  A '%' that begins no escape is a plain one.
 */
static void
encode_once(reel_buf_t *out, reel_str_t s, bool query)
{
    char     c;
    size_t   i;
    uint8_t  byte;

    for (i = 0; i < s.len; i++) {
        c = s.p[i];

        if (c == '%' && s.len - i > 2
            && reel_unhex(&byte, 1, (reel_str_t) { s.p + i + 1, 2 })
               == REEL_OK)
        {
            c = (char) byte;
            reel_uri_encode(out, (reel_str_t) { &c, 1 }, false);
            i += 2;
            continue;
        }

        if (query && c == '+') {
            c = ' ';
        }

        reel_uri_encode(out, (reel_str_t) { &c, 1 }, !query);
    }
}


/* RFC 3986, 5.2.4, and empty segments go: what services but S3 do */
static void
normalize_path(reel_buf_t *out, reel_str_t path)
{
    bool        folder = true;
    size_t      start = out->len;
    reel_str_t  seg;

    while (path.p != NULL) {
        seg = reel_str_cut(path, '/', &path);
        folder = true;

        if (seg.len == 0 || reel_str_eqz(seg, ".")) {
            continue;
        }

        if (!reel_str_eqz(seg, "..")) {
            reel_buf_u8(out, '/');
            encode_once(out, seg, false);
            folder = false;
            continue;
        }

        while (out->len > start && out->data[--out->len] != '/') {
            /* void */
        }
    }

    if (folder) {
        reel_buf_u8(out, '/');
    }
}


void
reel_sigv4_canon_path(reel_buf_t *out, reel_str_t path, bool normalize)
{
    if (path.len == 0) {
        reel_buf_u8(out, '/');

    } else if (normalize) {
        normalize_path(out, path);

    } else {
        encode_once(out, path, false);
    }
}


static int
compare(reel_str_t a, reel_str_t b)
{
    int  c;

    c = memcmp(a.p, b.p, a.len < b.len ? a.len : b.len);

    return c != 0 ? c : (a.len > b.len) - (a.len < b.len);
}


static int
param_compare(const void *pa, const void *pb)
{
    int             c;
    const param_t  *a = pa, *b = pb;

    c = compare(a->name, b->name);

    return c != 0 ? c : compare(a->value, b->value);
}


/*
 * Name and value of each parameter but the signature into enc, terminated
 * by a zero byte (which in a name or value is "%00").
 */
static size_t
encode_params(reel_buf_t *enc, reel_str_t query)
{
    size_t      n = 0;
    reel_str_t  name, value, none;

    while (reel_query_next(&query, &name, &value)) {

        if (reel_query_get(name, "X-Amz-Signature", &none)) {
            continue;
        }

        encode_once(enc, name, true);
        reel_buf_u8(enc, '\0');
        encode_once(enc, value, true);
        reel_buf_u8(enc, '\0');
        n++;
    }

    return n;
}


reel_err_t
reel_sigv4_canon_query(reel_buf_t *out, reel_str_t query)
{
    size_t       i, n;
    param_t     *params = NULL;
    reel_err_t   err;
    reel_buf_t   enc;
    const char  *p;

    reel_buf_init(&enc, REEL_SIGV4_CANON_MAX);
    n = encode_params(&enc, query);

    err = reel_buf_err(&enc);
    if (err != REEL_OK || n == 0) {
        goto done;
    }

    if (n > PARAMS_MAX) {
        err = REEL_LIMIT;
        goto done;
    }

    params = malloc(n * sizeof(param_t));
    if (params == NULL) {
        err = REEL_NOMEM;
        goto done;
    }

    p = (const char *) enc.data;

    for (i = 0; i < n; i++) {
        params[i].name = reel_str(p);
        p += params[i].name.len + 1;
        params[i].value = reel_str(p);
        p += params[i].value.len + 1;
    }

    qsort(params, n, sizeof(param_t), param_compare);

    for (i = 0; i < n; i++) {
        if (i != 0) {
            reel_buf_u8(out, '&');
        }

        reel_buf_adds(out, params[i].name);
        reel_buf_u8(out, '=');
        reel_buf_adds(out, params[i].value);
    }

    err = reel_buf_err(out);

done:

    free(params);
    reel_buf_release(&enc);

    return err;
}


static bool
blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}


/* trimmed, runs of blanks (folded lines too) made one space */
static void
add_header_value(reel_buf_t *out, reel_str_t v)
{
    bool    space = false, any = false;
    size_t  i;

    for (i = 0; i < v.len; i++) {

        if (blank(v.p[i])) {
            space = any;
            continue;
        }

        if (space) {
            reel_buf_u8(out, ' ');
            space = false;
        }

        reel_buf_u8(out, (uint8_t) v.p[i]);
        any = true;
    }
}


static bool
add_header(reel_buf_t *out, const reel_sigv4_request_t *rq, reel_str_t name)
{
    bool                        found = false;
    size_t                      i;
    const reel_sigv4_header_t  *h;

    reel_buf_adds(out, name);
    reel_buf_u8(out, ':');

    for (i = 0; i < rq->nheaders; i++) {
        h = &rq->headers[i];

        if (h->name.len != name.len
            || strncasecmp(h->name.p, name.p, name.len) != 0)
        {
            continue;
        }

        if (found) {
            reel_buf_u8(out, ',');
        }

        add_header_value(out, h->value);
        found = true;
    }

    reel_buf_u8(out, '\n');

    return found;
}


reel_err_t
reel_sigv4_canon(reel_buf_t *out, const reel_sigv4_request_t *rq,
    reel_str_t signed_headers, const char *payload_hash, reel_canon_t form,
    reel_error_t *e)
{
    reel_err_t  err;
    reel_str_t  name, rest;

    reel_buf_adds(out, rq->method);
    reel_buf_u8(out, '\n');

    if (form == REEL_CANON_WIRE) {
        reel_buf_adds(out, rq->path);
        reel_buf_u8(out, '\n');
        reel_buf_adds(out, rq->query);

    } else {
        reel_sigv4_canon_path(out, rq->path, rq->normalize_path);
        reel_buf_u8(out, '\n');

        err = reel_sigv4_canon_query(out, rq->query);
        if (err != REEL_OK) {
            return err;
        }
    }

    reel_buf_u8(out, '\n');

    for (rest = signed_headers; rest.p != NULL; /* void */ ) {
        name = reel_str_cut(rest, ';', &rest);

        if (!add_header(out, rq, name)) {
            return reel_fail(e, REEL_NOTFOUND, "the header \"%.*s\" was "
                             "signed but is not in the request",
                             (int) (name.len > 64 ? 64 : name.len), name.p);
        }
    }

    reel_buf_u8(out, '\n');
    reel_buf_adds(out, signed_headers);
    reel_buf_u8(out, '\n');
    reel_buf_addz(out, payload_hash);

    return reel_buf_err(out);
}
