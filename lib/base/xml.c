#include "lib/base/utf8.h"
#include "lib/base/xml.h"


void
reel_xml_init(reel_xml_t *x, reel_str_t doc)
{
    doc.p = doc.len != 0 ? doc.p : "";

    *x = (reel_xml_t) { .start = doc.p, .p = doc.p, .end = doc.p + doc.len };

    if (reel_str_prefix(doc, "\xef\xbb\xbf")) {
        x->p += 3;
    }
}


static reel_err_t
bad(reel_xml_t *x, reel_error_t *e, const char *what)
{
    x->err = REEL_BADDATA;

    return reel_fail(e, x->err, "XML: %s at byte %zu", what,
                     (size_t) (x->p - x->start));
}


static reel_str_t
left(const reel_xml_t *x)
{
    return (reel_str_t) { x->p, (size_t) (x->end - x->p) };
}


static bool
is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}


static void
skip_space(reel_xml_t *x)
{
    while (x->p < x->end && is_space(*x->p)) {
        x->p++;
    }
}


/* goes behind the next `mark`; what lies before it is *s.  False: none */
static bool
until(reel_xml_t *x, const char *mark, reel_str_t *s)
{
    size_t      n = strlen(mark);
    reel_str_t  rest = left(x);

    for (s->p = rest.p; rest.len >= n; rest.p++, rest.len--) {

        if (reel_str_prefix(rest, mark)) {
            s->len = (size_t) (rest.p - s->p);
            x->p = rest.p + n;
            return true;
        }
    }

    return false;
}


/* whatever cannot end a name; empty when none begins here */
static reel_str_t
name(reel_xml_t *x)
{
    reel_str_t  s = { x->p, 0 };

    while (x->p < x->end && !is_space(*x->p)
           && memchr("/>=<&\"'", *x->p, 7) == NULL)
    {
        x->p++;
    }

    s.len = (size_t) (x->p - s.p);

    if (s.len != 0 && memchr("0123456789.-", s.p[0], 12) != NULL) {
        s.len = 0;
    }

    return s;
}


static reel_str_t
without_prefix(reel_str_t s)
{
    reel_str_t  rest;

    (void) reel_str_cut(s, ':', &rest);

    return rest.p != NULL ? rest : s;
}


/* up to and with the '>' */
static reel_err_t
attributes(reel_xml_t *x, reel_error_t *e)
{
    char        quote;
    reel_str_t  value;

    x->attrs = (reel_str_t) { x->p, 0 };

    for ( ;; ) {
        x->attrs.len = (size_t) (x->p - x->attrs.p);
        skip_space(x);

        if (x->p < x->end && *x->p == '>') {
            x->p++;
            return REEL_OK;
        }

        if (x->end - x->p >= 2 && x->p[0] == '/' && x->p[1] == '>') {
            x->p += 2;
            x->empty = true;
            return REEL_OK;
        }

        if (name(x).len == 0) {
            return bad(x, e, "a tag is not closed");
        }

        skip_space(x);

        if (x->p == x->end || *x->p != '=') {
            return bad(x, e, "an attribute has no value");
        }

        x->p++;
        skip_space(x);

        quote = x->p < x->end ? *x->p : '\0';

        if (quote != '"' && quote != '\'') {
            return bad(x, e, "a value is not quoted");
        }

        x->p++;

        if (!until(x, quote == '"' ? "\"" : "'", &value)
            || memchr(value.p, '<', value.len) != NULL)
        {
            return bad(x, e, "a value is not closed");
        }
    }
}


static reel_err_t
start_tag(reel_xml_t *x, reel_error_t *e)
{
    reel_str_t  s;

    if (x->depth == 0 && x->rooted) {
        return bad(x, e, "a second root element");
    }

    if (x->depth == REEL_XML_DEPTH) {
        return bad(x, e, "elements nest too deeply");
    }

    x->p++;
    s = name(x);

    if (s.len == 0) {
        return bad(x, e, "an element without a name");
    }

    x->open[x->depth++] = s;
    x->rooted = true;
    x->name = without_prefix(s);

    return attributes(x, e);
}


static reel_err_t
end_tag(reel_xml_t *x, reel_error_t *e)
{
    reel_str_t  s;

    x->p += 2;
    s = name(x);
    skip_space(x);

    if (x->depth == 0 || !reel_str_eq(s, x->open[x->depth - 1])) {
        return bad(x, e, "an end tag that nothing began");
    }

    if (x->p == x->end || *x->p != '>') {
        return bad(x, e, "a tag is not closed");
    }

    x->p++;
    x->depth--;
    x->name = without_prefix(s);

    return REEL_OK;
}


/* they were checked when the tag was read */
bool
reel_xml_attr(reel_str_t *attrs, reel_str_t *key, reel_str_t *value)
{
    char        quote[2] = { 0, 0 };
    reel_xml_t  x;

    reel_xml_init(&x, *attrs);
    skip_space(&x);
    *key = name(&x);
    skip_space(&x);

    if (key->len == 0 || x.end - x.p < 2) {
        return false;
    }

    x.p++;
    skip_space(&x);

    if (x.p == x.end) {
        return false;
    }

    quote[0] = *x.p++;

    if (!until(&x, quote, value)) {
        return false;
    }

    *attrs = left(&x);

    return true;
}


/* of &#34; or &#x22;, without the frame */
static bool
char_reference(reel_str_t s, uint32_t *code)
{
    int       digit;
    size_t    i;
    unsigned  base = 10;

    s.p++;
    s.len--;

    if (s.len != 0 && s.p[0] == 'x') {
        base = 16;
        s.p++;
        s.len--;
    }

    /* 7 digits are more than Unicode has, and no overflow */
    if (s.len == 0 || s.len > 7) {
        return false;
    }

    for (i = 0, *code = 0; i < s.len; i++) {
        char  c = s.p[i];

        digit = c >= '0' && c <= '9' ? c - '0'
                : c >= 'a' && c <= 'f' ? c - 'a' + 10
                : c >= 'A' && c <= 'F' ? c - 'A' + 10 : 16;

        if (digit >= (int) base) {
            return false;
        }

        *code = *code * base + (unsigned) digit;
    }

    return *code >= 0x20 || *code == '\t' || *code == '\n' || *code == '\r';
}


static reel_err_t
reference(reel_xml_t *x, reel_error_t *e)
{
    static const struct {
        const char *name;
        char        c;
    } known[] = {
        { "amp", '&' }, { "lt", '<' }, { "gt", '>' }, { "quot", '"' },
        { "apos", '\'' }
    };

    size_t       i, n = 0;
    uint32_t     code = 0;
    reel_str_t   s;
    const char  *at = x->p;

    x->p++;

    if (until(x, ";", &s) && s.len != 0) {

        if (s.p[0] == '#') {
            if (char_reference(s, &code)) {
                n = reel_utf8_put((uint8_t *) x->utf8, code);
            }

        } else {
            for (i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
                if (reel_str_eqz(s, known[i].name)) {
                    x->utf8[0] = known[i].c;
                    n = 1;
                }
            }
        }
    }

    if (n == 0) {
        x->p = at;
        return bad(x, e, "a reference to nothing known");
    }

    x->text = (reel_str_t) { x->utf8, n };

    return REEL_OK;
}


reel_err_t
reel_xml_value(reel_buf_t *b, reel_str_t value)
{
    reel_xml_t  x;

    reel_xml_init(&x, value);

    while (x.p < x.end) {

        if (*x.p != '&') {
            reel_buf_u8(b, (uint8_t) *x.p++);

        } else if (reference(&x, NULL) == REEL_OK) {
            reel_buf_adds(b, x.text);

        } else {
            return REEL_BADDATA;
        }
    }

    return reel_buf_err(b);
}


size_t
reel_xml_pos(const reel_xml_t *x)
{
    return (size_t) (x->p - x->start);
}


static reel_err_t
text(reel_xml_t *x, reel_error_t *e)
{
    if (*x->p == '&') {
        return reference(x, e);
    }

    x->text.p = x->p;

    while (x->p < x->end && *x->p != '<' && *x->p != '&') {
        x->p++;
    }

    x->text.len = (size_t) (x->p - x->text.p);

    return REEL_OK;
}


/* comments, instructions and, outside of the root, blanks */
static reel_err_t
skip_misc(reel_xml_t *x, reel_error_t *e)
{
    bool        closed;
    reel_str_t  s;

    for ( ;; ) {
        if (x->depth == 0) {
            skip_space(x);
        }

        s = left(x);

        if (reel_str_prefix(s, "<?")) {
            x->p += 2;
            closed = until(x, "?>", &s);

        } else if (reel_str_prefix(s, "<!--")) {
            x->p += 4;
            closed = until(x, "-->", &s);

        } else {
            return REEL_OK;
        }

        if (!closed) {
            return bad(x, e, "a comment or instruction is not closed");
        }
    }
}


static reel_err_t
at_end(reel_xml_t *x, reel_error_t *e)
{
    if (x->depth != 0) {
        return bad(x, e, "it ends within an element");
    }

    return x->rooted ? REEL_OK : bad(x, e, "it has no element");
}


reel_err_t
reel_xml_next(reel_xml_t *x, reel_xml_event_t *ev, reel_error_t *e)
{
    reel_str_t  s;

    if (x->err != REEL_OK) {
        return bad(x, e, "it is broken");
    }

    if (x->empty) {
        x->empty = false;
        x->depth--;
        *ev = REEL_XML_END;
        return REEL_OK;
    }

    if (skip_misc(x, e) != REEL_OK) {
        return x->err;
    }

    s = left(x);

    if (s.len == 0) {
        *ev = REEL_XML_DONE;
        return at_end(x, e);
    }

    if (reel_str_prefix(s, "</")) {
        *ev = REEL_XML_END;
        return end_tag(x, e);
    }

    if (x->depth != 0 && reel_str_prefix(s, "<![CDATA[")) {
        x->p += 9;
        *ev = REEL_XML_TEXT;
        return until(x, "]]>", &x->text)
               ? REEL_OK : bad(x, e, "a CDATA section is not closed");
    }

    if (reel_str_prefix(s, "<!")) {
        return bad(x, e, "a document type, which is not taken,");
    }

    if (s.p[0] == '<') {
        *ev = REEL_XML_START;
        return start_tag(x, e);
    }

    if (x->depth == 0) {
        return bad(x, e, "text outside of the root element");
    }

    *ev = REEL_XML_TEXT;

    return text(x, e);
}


/* ---- printing ---- */

/* instead of the n bytes at p; NULL: they may stand */
static const char *
escaped(const uint8_t *p, size_t n)
{
    uint8_t  c = p[0];

    if (n != 1) {
        /* U+FFFE and U+FFFF are no characters */
        return n == 0 || (n == 3 && c == 0xef && p[1] == 0xbf && p[2] >= 0xbe)
               ? REEL_UTF8_REPLACEMENT : NULL;
    }

    switch (c) {
    case '<':  return "&lt;";
    case '>':  return "&gt;";
    case '&':  return "&amp;";
    case '"':  return "&quot;";
    case '\r': return "&#13;";      /* a bare one would be read as \n */
    }

    return (c < 0x20 && c != '\t' && c != '\n') || c == 0x7f
           ? REEL_UTF8_REPLACEMENT : NULL;
}


void
reel_xml_text(reel_buf_t *b, reel_str_t s)
{
    size_t          i, n, run;
    const char     *z;
    const uint8_t  *p = (const uint8_t *) s.p;

    for (i = 0, run = 0; i < s.len; i += n) {
        n = reel_utf8_len(p + i, s.len - i);
        z = escaped(p + i, n);
        n = n == 0 ? 1 : n;

        if (z != NULL) {
            reel_buf_add(b, p + run, i - run);
            reel_buf_addz(b, z);
            run = i + n;
        }
    }

    if (s.len != run) {
        reel_buf_add(b, p + run, s.len - run);
    }
}


void
reel_xml_element(reel_buf_t *b, const char *tag, reel_str_t s)
{
    reel_buf_printf(b, "<%s>", tag);
    reel_xml_text(b, s);
    reel_buf_printf(b, "</%s>", tag);
}


void
reel_xml_elementz(reel_buf_t *b, const char *tag, const char *z)
{
    reel_xml_element(b, tag, reel_str(z));
}


void
reel_xml_number(reel_buf_t *b, const char *tag, uint64_t n)
{
    reel_buf_printf(b, "<%s>%llu</%s>", tag, (unsigned long long) n, tag);
}
