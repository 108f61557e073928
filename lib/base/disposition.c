/* names of files in Content-Disposition: RFC 6266, 4.1, and RFC 8187 */

#include <strings.h>

#include "lib/base/disposition.h"
#include "lib/base/hex.h"
#include "lib/base/utf8.h"


typedef struct {
    const char *p;
    const char *end;
} in_t;

/* a parameter; raw is inside of its quotes, escapes still in it */
typedef struct {
    reel_str_t name;
    reel_str_t raw;
    bool       quoted;
} param_t;


static bool
is_token(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
           || (c >= '0' && c <= '9')
           || (c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL);
}


static void
skip_ows(in_t *in)
{
    while (in->p != in->end && (*in->p == ' ' || *in->p == '\t')) {
        in->p++;
    }
}


static reel_str_t
token(in_t *in)
{
    const char  *from = in->p;

    while (in->p != in->end && is_token(*in->p)) {
        in->p++;
    }

    return (reel_str_t) { from, (size_t) (in->p - from) };
}


/* after its opening quote */
static reel_err_t
quoted(in_t *in, reel_str_t *raw)
{
    const char  *from = in->p;

    while (in->p != in->end && *in->p != '"') {
        if (*in->p == '\\' && in->end - in->p > 1) {
            in->p++;
        }

        in->p++;
    }

    if (in->p == in->end) {
        return REEL_BADDATA;
    }

    *raw = (reel_str_t) { from, (size_t) (in->p - from) };
    in->p++;

    return REEL_OK;
}


/* REEL_NOTFOUND at the end of the field */
static reel_err_t
next_param(in_t *in, param_t *param)
{
    skip_ows(in);

    if (in->p == in->end) {
        return REEL_NOTFOUND;
    }

    if (*in->p++ != ';') {
        return REEL_BADDATA;
    }

    skip_ows(in);
    param->name = token(in);
    skip_ows(in);

    if (param->name.len == 0 || in->p == in->end || *in->p++ != '=') {
        return REEL_BADDATA;
    }

    skip_ows(in);
    param->quoted = in->p != in->end && *in->p == '"';

    if (param->quoted) {
        in->p++;
        return quoted(in, &param->raw);
    }

    param->raw = token(in);

    return param->raw.len != 0 ? REEL_OK : REEL_BADDATA;
}


static bool
named(const param_t *param, const char *name)
{
    return param->name.len == strlen(name)
           && strncasecmp(param->name.p, name, param->name.len) == 0;
}


/* UTF-8'language'percent-encoded -> *n bytes in dst[cap] */
static reel_err_t
extended(const param_t *param, char *dst, size_t cap, size_t *n)
{
    size_t      i;
    reel_str_t  charset, text;

    charset = reel_str_cut(param->raw, '\'', &text);
    (void) reel_str_cut(text, '\'', &text);

    if (param->quoted || charset.len != 5
        || strncasecmp(charset.p, "UTF-8", 5) != 0 || text.p == NULL)
    {
        return REEL_BADDATA;
    }

    for (*n = 0, i = 0; i < text.len; i++) {
        if (*n == cap) {
            return REEL_LIMIT;
        }

        if (text.p[i] != '%') {
            dst[(*n)++] = text.p[i];
            continue;
        }

        if (text.len - i < 3
            || reel_unhex((uint8_t *) dst + *n, 1,
                          (reel_str_t) { text.p + i + 1, 2 })
               != REEL_OK)
        {
            return REEL_BADDATA;
        }

        (*n)++;
        i += 2;
    }

    return REEL_OK;
}


static reel_err_t
plain(const param_t *param, char *dst, size_t cap, size_t *n)
{
    size_t  i;

    for (*n = 0, i = 0; i < param->raw.len; i++) {
        if (param->quoted && param->raw.p[i] == '\\') {
            i++;
        }

        if (*n == cap) {
            return REEL_LIMIT;
        }

        dst[(*n)++] = param->raw.p[i];
    }

    return REEL_OK;
}


static bool
is_text(const char *p, size_t n)
{
    size_t  i, len;

    for (i = 0; i < n; i += len) {
        len = reel_utf8_len((const uint8_t *) p + i, n - i);

        if (len == 0 || (unsigned char) p[i] < 0x20 || p[i] == 0x7f) {
            return false;
        }
    }

    return true;
}


/* what of it may be shown: the last of a path, if it is text */
static reel_err_t
finish(char *dst, size_t n)
{
    size_t  i, from = 0;

    for (i = 0; i < n; i++) {
        if (dst[i] == '/' || dst[i] == '\\') {
            from = i + 1;
        }
    }

    if (from == n || !is_text(dst + from, n - from)) {
        return REEL_BADDATA;
    }

    memmove(dst, dst + from, n - from);
    dst[n - from] = '\0';

    return REEL_OK;
}


reel_err_t
reel_disposition_filename(reel_str_t field, char *dst, size_t cap)
{
    in_t        in = { field.p, field.len ? field.p + field.len : field.p };
    size_t      n = 0;
    param_t     param, ext = { .raw = { NULL, 0 } }, name = ext;
    reel_err_t  err;

    dst[0] = '\0';
    skip_ows(&in);

    if (token(&in).len == 0) {
        return REEL_NOTFOUND;
    }

    while ((err = next_param(&in, &param)) == REEL_OK) {

        if (named(&param, "filename*")) {
            ext = param;

        } else if (named(&param, "filename")) {
            name = param;
        }
    }

    if (err != REEL_NOTFOUND) {
        return REEL_NOTFOUND;
    }

    err = extended(&ext, dst, cap - 1, &n);

    if (err == REEL_OK) {
        err = finish(dst, n);
    }

    if (err == REEL_BADDATA) {
        err = plain(&name, dst, cap - 1, &n);

        if (err == REEL_OK) {
            err = finish(dst, n);
        }
    }

    if (err != REEL_OK) {
        dst[0] = '\0';
    }

    return err == REEL_BADDATA ? REEL_NOTFOUND : err;
}


/* an ending is a point, not the first character, and up to five letters */
static reel_str_t
stem(reel_str_t name)
{
    size_t  i, n;

    for (i = name.len; i != 0 && name.p[i - 1] != '/'; i--) {
        /* behind the last folder */
    }

    name.p += i;
    name.len -= i;

    for (n = 0; n < 5 && n < name.len; n++) {
        if (name.p[name.len - n - 1] == '.') {
            break;
        }
    }

    if (n != 0 && n + 1 < name.len && name.p[name.len - n - 1] == '.') {
        name.len -= n + 1;
    }

    return name;
}


/* RFC 8187, 3.2.1 */
static bool
is_attr_char(char c)
{
    return is_token(c) && strchr("%'*", c) == NULL;
}


void
reel_disposition_attachment(reel_buf_t *b, reel_str_t name,
    const char *ending)
{
    size_t  i, n, from;

    name = stem(name);

    if (name.len == 0) {
        name = REEL_STR("video");
    }

    reel_buf_addz(b, "attachment; filename=\"");

    for (i = 0; i < name.len; i++) {
        reel_buf_u8(b, name.p[i] == ' ' || is_attr_char(name.p[i])
                       ? (uint8_t) name.p[i] : '_');
    }

    reel_buf_printf(b, "%s\"; filename*=UTF-8''", ending);

    for (i = 0; i < name.len; i += n) {
        n = reel_utf8_len((const uint8_t *) name.p + i, name.len - i);

        if (n == 0) {
            reel_buf_addz(b, "%EF%BF%BD");
            n = 1;
            continue;
        }

        for (from = i; from < i + n; from++) {
            reel_buf_printf(b, is_attr_char(name.p[from]) ? "%c" : "%%%02X",
                            (uint8_t) name.p[from]);
        }
    }

    reel_buf_addz(b, ending);
}
