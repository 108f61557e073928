/* attribute lists, RFC 8216 4.2, and the attributes of 4.3 */

#include "reelctl/m3u8.h"


typedef enum {
    INTEGER, HEX, DECIMAL, SIGNED, QUOTED, WORD, SIZE, YES_NO
} form_t;

typedef struct {
    reel_m3u8_tag_t  tag;
    const char      *name;
    form_t           form;
    bool             must;
} known_t;


static const known_t  known[] = {
    { REEL_M3U8_KEY, "METHOD", WORD, true },
    { REEL_M3U8_KEY, "URI", QUOTED, false },
    { REEL_M3U8_KEY, "IV", HEX, false },
    { REEL_M3U8_KEY, "KEYFORMAT", QUOTED, false },
    { REEL_M3U8_KEY, "KEYFORMATVERSIONS", QUOTED, false },
    { REEL_M3U8_SESSION_KEY, "METHOD", WORD, true },
    { REEL_M3U8_SESSION_KEY, "URI", QUOTED, true },
    { REEL_M3U8_SESSION_KEY, "IV", HEX, false },
    { REEL_M3U8_SESSION_KEY, "KEYFORMAT", QUOTED, false },
    { REEL_M3U8_SESSION_KEY, "KEYFORMATVERSIONS", QUOTED, false },
    { REEL_M3U8_MAP, "URI", QUOTED, true },
    { REEL_M3U8_MAP, "BYTERANGE", QUOTED, false },
    { REEL_M3U8_MEDIA, "TYPE", WORD, true },
    { REEL_M3U8_MEDIA, "URI", QUOTED, false },
    { REEL_M3U8_MEDIA, "GROUP-ID", QUOTED, true },
    { REEL_M3U8_MEDIA, "LANGUAGE", QUOTED, false },
    { REEL_M3U8_MEDIA, "ASSOC-LANGUAGE", QUOTED, false },
    { REEL_M3U8_MEDIA, "NAME", QUOTED, true },
    { REEL_M3U8_MEDIA, "DEFAULT", YES_NO, false },
    { REEL_M3U8_MEDIA, "AUTOSELECT", YES_NO, false },
    { REEL_M3U8_MEDIA, "FORCED", YES_NO, false },
    { REEL_M3U8_MEDIA, "INSTREAM-ID", QUOTED, false },
    { REEL_M3U8_MEDIA, "CHARACTERISTICS", QUOTED, false },
    { REEL_M3U8_MEDIA, "CHANNELS", QUOTED, false },
    { REEL_M3U8_STREAM, "BANDWIDTH", INTEGER, true },
    { REEL_M3U8_STREAM, "AVERAGE-BANDWIDTH", INTEGER, false },
    { REEL_M3U8_STREAM, "SCORE", DECIMAL, false },
    { REEL_M3U8_STREAM, "CODECS", QUOTED, false },
    { REEL_M3U8_STREAM, "RESOLUTION", SIZE, false },
    { REEL_M3U8_STREAM, "FRAME-RATE", DECIMAL, false },
    { REEL_M3U8_STREAM, "HDCP-LEVEL", WORD, false },
    { REEL_M3U8_STREAM, "VIDEO-RANGE", WORD, false },
    { REEL_M3U8_STREAM, "AUDIO", QUOTED, false },
    { REEL_M3U8_STREAM, "VIDEO", QUOTED, false },
    { REEL_M3U8_STREAM, "SUBTITLES", QUOTED, false },
    { REEL_M3U8_ISTREAM, "BANDWIDTH", INTEGER, true },
    { REEL_M3U8_ISTREAM, "AVERAGE-BANDWIDTH", INTEGER, false },
    { REEL_M3U8_ISTREAM, "CODECS", QUOTED, false },
    { REEL_M3U8_ISTREAM, "RESOLUTION", SIZE, false },
    { REEL_M3U8_ISTREAM, "HDCP-LEVEL", WORD, false },
    { REEL_M3U8_ISTREAM, "VIDEO-RANGE", WORD, false },
    { REEL_M3U8_ISTREAM, "URI", QUOTED, true },
    { REEL_M3U8_SESSION_DATA, "DATA-ID", QUOTED, true },
    { REEL_M3U8_SESSION_DATA, "VALUE", QUOTED, false },
    { REEL_M3U8_SESSION_DATA, "URI", QUOTED, false },
    { REEL_M3U8_SESSION_DATA, "LANGUAGE", QUOTED, false },
    { REEL_M3U8_START, "TIME-OFFSET", SIGNED, true },
    { REEL_M3U8_START, "PRECISE", YES_NO, false },
    { REEL_M3U8_DATERANGE, "ID", QUOTED, true },
    { REEL_M3U8_DATERANGE, "START-DATE", QUOTED, false },
};

#define NKNOWN (sizeof(known) / sizeof(known[0]))


static bool
all_of(reel_str_t s, const char *set)
{
    size_t  i;

    for (i = 0; i < s.len; i++) {
        if (s.p[i] == '\0' || strchr(set, s.p[i]) == NULL) {
            return false;
        }
    }

    return s.len != 0;
}


static bool
is_size(reel_str_t s)
{
    uint64_t    v;
    reel_str_t  h, w = reel_str_cut(s, 'x', &h);

    return h.p != NULL && reel_str_u64(w, 1 << 20, &v) == REEL_OK
           && reel_str_u64(h, 1 << 20, &v) == REEL_OK;
}


static bool
has_form(const reel_m3u8_attr_t *a, form_t form)
{
    int64_t     micro;
    uint64_t    v;
    reel_str_t  s = a->value;

    if (a->quoted != (form == QUOTED)) {
        return false;
    }

    switch (form) {
    case INTEGER:
        return reel_str_u64(s, UINT64_MAX, &v) == REEL_OK;
    case HEX:
        if (!reel_str_prefix(s, "0x") && !reel_str_prefix(s, "0X")) {
            return false;
        }
        s.p += 2;
        s.len -= 2;
        return all_of(s, "0123456789abcdefABCDEF");
    case SIGNED:
        if (s.len != 0 && s.p[0] == '-') {
            s.p++;
            s.len--;
        }
        return reel_m3u8_decimal(s, &micro);
    case DECIMAL:
        return reel_m3u8_decimal(s, &micro);
    case SIZE:
        return is_size(s);
    case YES_NO:
        return reel_str_eqz(s, "YES") || reel_str_eqz(s, "NO");
    case QUOTED:
    case WORD:
        return true;
    }

    return false;
}


static void
check(reel_m3u8_t *m, const reel_m3u8_entry_t *e)
{
    size_t    i;
    unsigned  k;
    bool      there;

    for (i = 0; i < NKNOWN; i++) {

        if (known[i].tag != e->tag) {
            continue;
        }

        for (k = 0, there = false; k < e->nattrs; k++) {
            if (!reel_str_eqz(e->attrs[k].name, known[i].name)) {
                continue;
            }

            there = true;

            if (!has_form(&e->attrs[k], known[i].form)) {
                reel_m3u8_fault(m, e->line, "%s has a value of the wrong form:"
                                " \"%.*s\"%s", known[i].name,
                                (int) e->attrs[k].value.len,
                                e->attrs[k].value.p,
                                known[i].form == QUOTED && !e->attrs[k].quoted
                                ? ", without quotes" : "");
            }
        }

        if (known[i].must && !there) {
            reel_m3u8_fault(m, e->line, "%s is missing", known[i].name);
        }
    }
}


/* one pair off the front of list; false: it cannot be read any further */
static bool
take_pair(reel_str_t *list, reel_m3u8_attr_t *a, const char **why)
{
    reel_str_t   rest;
    const char  *end;

    a->name = reel_str_cut(*list, '=', &rest);

    if (rest.p == NULL
        || !all_of(a->name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-"))
    {
        *why = "is not NAME=value";
        return false;
    }

    a->quoted = rest.len != 0 && rest.p[0] == '"';

    if (a->quoted) {
        rest.p++;
        rest.len--;
        end = memchr(rest.p, '"', rest.len);

        if (end == NULL) {
            *why = "has a quote that is not closed";
            return false;
        }

        a->value = (reel_str_t) { rest.p, (size_t) (end - rest.p) };
        rest.len -= a->value.len + 1;
        rest.p = end + 1;

    } else {
        end = memchr(rest.p, ',', rest.len);
        a->value = (reel_str_t) { rest.p, end != NULL
                                          ? (size_t) (end - rest.p)
                                          : rest.len };
        rest.p += a->value.len;
        rest.len -= a->value.len;

        if (a->value.len == 0 || memchr(a->value.p, ' ', a->value.len) != NULL
            || memchr(a->value.p, '"', a->value.len) != NULL)
        {
            *why = "has an empty value, or a blank or quote in it";
            return false;
        }
    }

    if (rest.len != 0 && (rest.p[0] != ',' || rest.len == 1)) {
        *why = "is not followed by a comma and another one";
        return false;
    }

    list->p = rest.len != 0 ? rest.p + 1 : NULL;
    list->len = rest.len != 0 ? rest.len - 1 : 0;

    return true;
}


void
reel_m3u8_attrs(reel_m3u8_t *m, reel_m3u8_entry_t *e, reel_str_t list)
{
    unsigned           i;
    const char        *why = "";
    reel_m3u8_attr_t   a;

    while (list.len != 0) {

        if (!take_pair(&list, &a, &why)) {
            reel_m3u8_fault(m, e->line, "an attribute %s: \"%.*s\"", why,
                            (int) (list.len < 40 ? list.len : 40), list.p);
            break;
        }

        for (i = 0; i < e->nattrs; i++) {
            if (reel_str_eq(e->attrs[i].name, a.name)) {
                reel_m3u8_fault(m, e->line, "%.*s stands twice",
                                (int) a.name.len, a.name.p);
            }
        }

        if (e->nattrs == REEL_M3U8_ATTRS) {
            reel_m3u8_fault(m, e->line, "more than %d attributes",
                            REEL_M3U8_ATTRS);
            break;
        }

        e->attrs[e->nattrs++] = a;
    }

    check(m, e);
}


reel_str_t
reel_m3u8_get(const reel_m3u8_entry_t *e, const char *name)
{
    unsigned  i;

    for (i = 0; i < e->nattrs; i++) {
        if (reel_str_eqz(e->attrs[i].name, name)) {
            return e->attrs[i].value;
        }
    }

    return (reel_str_t) { NULL, 0 };
}


uint64_t
reel_m3u8_number(const reel_m3u8_entry_t *e, const char *name)
{
    uint64_t    v;
    reel_str_t  s = reel_m3u8_get(e, name);

    return s.p != NULL && reel_str_u64(s, UINT64_MAX, &v) == REEL_OK ? v : 0;
}


bool
reel_m3u8_decimal(reel_str_t s, int64_t *micro)
{
    size_t      i;
    int64_t     unit = 1000000;
    uint64_t    v;
    reel_str_t  rest;

    s = reel_str_cut(s, '.', &rest);

    if (reel_str_u64(s, INT64_MAX / 1000000 - 1, &v) != REEL_OK) {
        return false;
    }

    *micro = (int64_t) v * 1000000;

    if (rest.p == NULL) {
        return true;
    }

    for (i = 0; i < rest.len; i++) {
        if (rest.p[i] < '0' || rest.p[i] > '9') {
            return false;
        }

        unit /= 10;
        *micro += (rest.p[i] - '0') * unit;
    }

    return rest.len != 0;
}
