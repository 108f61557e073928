/* structured field values, by the algorithms of RFC 9651, 4.2 */

#include "lib/base/sf.h"


typedef struct {
    const char *p;
    const char *end;
} in_t;


static in_t
in_field(reel_str_t field)
{
    /* nothing may be added to NULL */
    return (in_t) { field.p, field.len ? field.p + field.len : field.p };
}


static bool
is_digit(char c)
{
    return c >= '0' && c <= '9';
}


static bool
is_lower(char c)
{
    return c >= 'a' && c <= 'z';
}


static bool
is_alpha(char c)
{
    return is_lower(c) || (c >= 'A' && c <= 'Z');
}


static bool
is_lower_hex(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'f');
}


/* tchar of RFC 9110, ':' and '/' */
static bool
is_token(char c)
{
    return is_alpha(c) || is_digit(c)
           || (c != '\0' && strchr("!#$%&'*+-.^_`|~:/", c) != NULL);
}


static bool
is_base64(char c)
{
    return is_alpha(c) || is_digit(c) || c == '+' || c == '/' || c == '=';
}


static bool
take(in_t *in, char c)
{
    if (in->p == in->end || *in->p != c) {
        return false;
    }

    in->p++;

    return true;
}


static size_t
take_while(in_t *in, bool (*is)(char c))
{
    const char  *from = in->p;

    while (in->p != in->end && is(*in->p)) {
        in->p++;
    }

    return (size_t) (in->p - from);
}


static bool
is_sp(char c)
{
    return c == ' ';
}


static bool
is_ows(char c)
{
    return c == ' ' || c == '\t';
}


/* 4.2.4: fifteen digits, or twelve, a point and one to three */
static reel_err_t
number(in_t *in, reel_sf_item_t *item)
{
    bool         negative;
    size_t       i, n;
    int64_t      v = 0;
    const char  *digits;

    negative = take(in, '-');
    digits = in->p;
    n = take_while(in, is_digit);

    if (n == 0 || n > 15) {
        return REEL_BADDATA;
    }

    for (i = 0; i < n; i++) {
        v = v * 10 + (digits[i] - '0');
    }

    item->type = REEL_SF_INTEGER;
    item->integer = negative ? -v : v;

    if (!take(in, '.')) {
        return REEL_OK;
    }

    item->type = REEL_SF_DECIMAL;
    item->integer = 0;

    if (n > 12) {
        return REEL_BADDATA;
    }

    n = take_while(in, is_digit);

    return n >= 1 && n <= 3 ? REEL_OK : REEL_BADDATA;
}


/* 4.2.5 */
static reel_err_t
string(in_t *in)
{
    char  c;

    while (in->p != in->end) {
        c = *in->p++;

        if (c == '"') {
            return REEL_OK;
        }

        if (c < 0x20 || c > 0x7e) {
            return REEL_BADDATA;
        }

        if (c == '\\' && !take(in, '"') && !take(in, '\\')) {
            return REEL_BADDATA;
        }
    }

    return REEL_BADDATA;
}


/* 4.2.10, but for the check that what is encoded is UTF-8 */
static reel_err_t
display(in_t *in)
{
    char  c;

    if (!take(in, '"')) {
        return REEL_BADDATA;
    }

    while (in->p != in->end) {
        c = *in->p++;

        if (c == '"') {
            return REEL_OK;
        }

        if (c < 0x20 || c > 0x7e) {
            return REEL_BADDATA;
        }

        if (c == '%') {
            if (in->end - in->p < 2 || !is_lower_hex(in->p[0])
                || !is_lower_hex(in->p[1]))
            {
                return REEL_BADDATA;
            }

            in->p += 2;
        }
    }

    return REEL_BADDATA;
}


static reel_err_t
boolean(in_t *in, reel_sf_item_t *item)
{
    item->integer = take(in, '1');

    return item->integer || take(in, '0') ? REEL_OK : REEL_BADDATA;
}


static reel_err_t
date(in_t *in, reel_sf_item_t *item)
{
    if (number(in, item) != REEL_OK || item->type != REEL_SF_INTEGER) {
        return REEL_BADDATA;
    }

    item->type = REEL_SF_DATE;

    return REEL_OK;
}


/* what the first character says (4.2.3.1) */
static reel_err_t
typed(in_t *in, reel_sf_item_t *item)
{
    if (in->p == in->end) {
        return REEL_BADDATA;
    }

    if (*in->p == '-' || is_digit(*in->p)) {
        return number(in, item);
    }

    if (*in->p == '*' || is_alpha(*in->p)) {
        item->type = REEL_SF_TOKEN;
        (void) take_while(in, is_token);
        return REEL_OK;
    }

    switch (*in->p++) {

    case '"':
        item->type = REEL_SF_STRING;
        return string(in);

    case ':':
        item->type = REEL_SF_BYTES;
        (void) take_while(in, is_base64);
        return take(in, ':') ? REEL_OK : REEL_BADDATA;

    case '?':
        item->type = REEL_SF_BOOLEAN;
        return boolean(in, item);

    case '@':
        return date(in, item);

    case '%':
        item->type = REEL_SF_DISPLAY;
        return display(in);

    default:
        return REEL_BADDATA;
    }
}


static reel_err_t
bare_item(in_t *in, reel_sf_item_t *item)
{
    reel_err_t   err;
    const char  *from = in->p;

    item->integer = 0;

    err = typed(in, item);
    item->text = (reel_str_t) { from, (size_t) (in->p - from) };

    return err;
}


/* 4.2.3.3 */
static reel_err_t
key(in_t *in, reel_str_t *name)
{
    const char  *from = in->p;

    if (in->p == in->end || (*in->p != '*' && !is_lower(*in->p))) {
        return REEL_BADDATA;
    }

    while (in->p != in->end
           && (is_lower(*in->p) || is_digit(*in->p)
               || (*in->p != '\0' && strchr("_-.*", *in->p) != NULL)))
    {
        in->p++;
    }

    *name = (reel_str_t) { from, (size_t) (in->p - from) };

    return REEL_OK;
}


/* 4.2.3.2: none of them means anything here */
static reel_err_t
parameters(in_t *in)
{
    reel_str_t      name;
    reel_sf_item_t  value;

    while (take(in, ';')) {
        (void) take_while(in, is_sp);

        if (key(in, &name) != REEL_OK
            || (take(in, '=') && bare_item(in, &value) != REEL_OK))
        {
            return REEL_BADDATA;
        }
    }

    return REEL_OK;
}


/* 4.2.1.2, after its '(' */
static reel_err_t
inner_list(in_t *in)
{
    reel_sf_item_t  item;

    for ( ;; ) {
        (void) take_while(in, is_sp);

        if (take(in, ')')) {
            return REEL_OK;
        }

        if (bare_item(in, &item) != REEL_OK || parameters(in) != REEL_OK
            || in->p == in->end || (*in->p != ' ' && *in->p != ')'))
        {
            return REEL_BADDATA;
        }
    }
}


/* the value of a Dictionary's member, after its key */
static reel_err_t
member(in_t *in, reel_sf_item_t *item)
{
    const char  *from;

    if (!take(in, '=')) {
        item->type = REEL_SF_BOOLEAN;
        item->integer = 1;
        item->text = (reel_str_t) { in->p, 0 };
        return parameters(in);
    }

    from = in->p;

    if (take(in, '(')) {
        if (inner_list(in) != REEL_OK) {
            return REEL_BADDATA;
        }

        item->type = REEL_SF_LIST;
        item->integer = 0;
        item->text = (reel_str_t) { from, (size_t) (in->p - from) };

        return parameters(in);
    }

    return bare_item(in, item) == REEL_OK ? parameters(in) : REEL_BADDATA;
}


reel_err_t
reel_sf_item(reel_str_t field, reel_sf_item_t *item)
{
    in_t  in = in_field(field);

    (void) take_while(&in, is_sp);

    if (bare_item(&in, item) != REEL_OK || parameters(&in) != REEL_OK) {
        return REEL_BADDATA;
    }

    (void) take_while(&in, is_sp);

    return in.p == in.end ? REEL_OK : REEL_BADDATA;
}


reel_err_t
reel_sf_u64(reel_str_t field, uint64_t *v)
{
    reel_sf_item_t  item;

    if (reel_sf_item(field, &item) != REEL_OK
        || item.type != REEL_SF_INTEGER || item.integer < 0)
    {
        return REEL_BADDATA;
    }

    *v = (uint64_t) item.integer;

    return REEL_OK;
}


reel_err_t
reel_sf_bool(reel_str_t field, bool *v)
{
    reel_sf_item_t  item;

    if (reel_sf_item(field, &item) != REEL_OK
        || item.type != REEL_SF_BOOLEAN)
    {
        return REEL_BADDATA;
    }

    *v = item.integer != 0;

    return REEL_OK;
}


/* 4.2.2 */
reel_err_t
reel_sf_member(reel_str_t field, const char *name, reel_sf_item_t *item)
{
    in_t            in = in_field(field);
    bool            found = false;
    reel_str_t      k;
    reel_sf_item_t  one;

    (void) take_while(&in, is_sp);

    while (in.p != in.end) {

        if (key(&in, &k) != REEL_OK || member(&in, &one) != REEL_OK) {
            return REEL_BADDATA;
        }

        if (reel_str_eqz(k, name)) {
            found = true;
            *item = one;
        }

        (void) take_while(&in, is_ows);

        if (in.p == in.end) {
            break;
        }

        if (!take(&in, ',')) {
            return REEL_BADDATA;
        }

        (void) take_while(&in, is_ows);

        if (in.p == in.end) {
            return REEL_BADDATA;        /* a comma at the end */
        }
    }

    return found ? REEL_OK : REEL_NOTFOUND;
}


reel_err_t
reel_sf_member_integer(reel_str_t field, const char *name, int64_t *v)
{
    reel_err_t      err;
    reel_sf_item_t  item;

    err = reel_sf_member(field, name, &item);

    if (err == REEL_OK) {
        if (item.type != REEL_SF_INTEGER) {
            return REEL_UNSUPPORTED;
        }

        *v = item.integer;
    }

    return err;
}
