#include "lib/base/reader.h"
#include "lib/index/check.h"
#include "lib/index/format.h"
#include "lib/index/name.h"


static bool
is_digit(unsigned char c)
{
    return c >= '0' && c <= '9';
}


static bool
is_lower(unsigned char c)
{
    return c >= 'a' && c <= 'z';
}


static bool
is_alnum(unsigned char c)
{
    return is_digit(c) || is_lower(c) || (c >= 'A' && c <= 'Z');
}


/* letters, digits and the characters of extra */
static bool
plain(reel_str_t s, const char *extra)
{
    size_t  i;

    for (i = 0; i < s.len; i++) {
        if (!is_alnum((unsigned char) s.p[i])
            && (s.p[i] == '\0' || strchr(extra, s.p[i]) == NULL))
        {
            return false;
        }
    }

    return true;
}


static bool
rendition_name_valid(reel_str_t s)
{
    size_t  i;

    if (s.len == 0 || s.p[0] == '-') {
        return false;
    }

    for (i = 0; i < s.len; i++) {
        if (!is_lower((unsigned char) s.p[i])
            && !is_digit((unsigned char) s.p[i]) && s.p[i] != '-')
        {
            return false;
        }
    }

    return true;
}


/* a name that starts with a dot could be "..", or hidden */
bool
reel_ix_object_name_valid(reel_str_t s)
{
    return s.len != 0 && s.len <= REEL_INDEX_OBJECT_NAME && s.p[0] != '.'
           && plain(s, "._-");
}


/* one character of UTF-8 (RFC 3629) that is no control; 0 = it is none */
static size_t
text_char(const unsigned char *p, size_t left)
{
    size_t    i, n;
    uint32_t  c, min;

    if (p[0] < 0x80) {
        return p[0] < 0x20 || p[0] == 0x7f ? 0 : 1;
    }

    if (p[0] >= 0xc2 && p[0] <= 0xdf) {
        n = 2;
        min = 0xa0;             /* U+0080 to U+009F are controls */
        c = p[0] & 0x1f;
    } else if (p[0] >= 0xe0 && p[0] <= 0xef) {
        n = 3;
        min = 0x800;
        c = p[0] & 0x0f;
    } else if (p[0] >= 0xf0 && p[0] <= 0xf4) {
        n = 4;
        min = 0x10000;
        c = p[0] & 0x07;
    } else {
        return 0;
    }

    if (n > left) {
        return 0;
    }

    for (i = 1; i < n; i++) {
        if ((p[i] & 0xc0) != 0x80) {
            return 0;
        }

        c = c << 6 | (p[i] & 0x3f);
    }

    return c < min || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff) ? 0 : n;
}


static bool
text_valid(reel_str_t s)
{
    size_t  i, n;

    for (i = 0; i < s.len; i += n) {
        n = text_char((const unsigned char *) s.p + i, s.len - i);

        if (n == 0) {
            return false;
        }
    }

    return true;
}


/* a string, or an empty one and the packed form behind it */
static bool
read_object_name(reel_reader_t *r)
{
    reel_str_t  name = reel_read_string(r, REEL_INDEX_OBJECT_NAME);

    if (r->err != REEL_OK) {
        return false;
    }

    if (name.len != 0) {
        return reel_ix_object_name_valid(name);
    }

    reel_read_varint_max(r, REEL_IX_CHUNK_MAX);
    reel_read_varint_max(r, REEL_IX_FENCE_MAX);
    reel_read_skip(r, REEL_IX_NONCE);

    return r->err == REEL_OK;
}


reel_err_t
reel_ix_check_objects(reel_str_t bytes, uint32_t n, uint32_t f)
{
    uint32_t       i, covered = 0, count;
    reel_reader_t  r;

    reel_reader_init(&r, bytes.p, bytes.len);

    for (i = 0; i < n; i++) {
        if (!read_object_name(&r)) {
            return REEL_BADDATA;
        }

        count = (uint32_t) reel_read_varint_max(&r, f - covered);

        if (r.err != REEL_OK || count == 0) {
            return REEL_BADDATA;
        }

        covered += count;
    }

    return covered == f ? REEL_OK : REEL_BADDATA;
}


/* pairs that cover exactly n, of values in [min, max] */
static bool
runs_valid(reel_str_t bytes, uint64_t n, uint64_t min, uint64_t max)
{
    uint64_t       value, count;
    reel_reader_t  r;

    reel_reader_init(&r, bytes.p, bytes.len);

    while (n != 0) {
        value = reel_read_varint_max(&r, max);
        count = reel_read_varint_max(&r, n);

        if (r.err != REEL_OK || value < min || count == 0) {
            return false;
        }

        n -= count;
    }

    return reel_reader_left(&r) == 0;
}


/*
 * n sizes, and as many iframes (video) that are no larger; of text, a slot in
 * which nothing is said has no bytes
 */
static bool
sizes_valid(const reel_rendition_t *q, uint32_t n)
{
    bool           video = q->kind == REEL_VIDEO;
    uint64_t       size;
    reel_reader_t  sizes, iframes;

    reel_reader_init(&sizes, q->size_bytes.p, q->size_bytes.len);
    reel_reader_init(&iframes, q->iframe_bytes.p, q->iframe_bytes.len);

    for ( ; n != 0; n--) {
        size = reel_read_varint_max(&sizes, UINT32_MAX);

        if (sizes.err != REEL_OK || (size == 0 && q->kind != REEL_TEXT)
            || (video && reel_read_varint_max(&iframes, size) == 0))
        {
            return false;       /* of iframes, or an error: it reads as 0 */
        }
    }

    return reel_reader_left(&sizes) == 0 && reel_reader_left(&iframes) == 0;
}


bool
reel_ix_check_sheets(const reel_pictures_t *q)
{
    uint32_t       n;
    reel_reader_t  r;

    reel_reader_init(&r, q->size_bytes.p, q->size_bytes.len);

    for (n = q->sheets; n != 0; n--) {
        if (reel_read_varint_max(&r, UINT32_MAX) == 0) {
            return false;       /* or an error, which reads as 0 */
        }
    }

    return reel_reader_left(&r) == 0;
}


/* text has no header: there 0 stands for none */
static bool
headers_valid(const reel_index_t *ix, const reel_rendition_t *q)
{
    uint64_t  n = q->kind == REEL_TEXT ? 1 : ix->nheaders;

    if (n == 0) {
        return q->objects == 0 && q->header_bytes.len == 0;
    }

    return runs_valid(q->header_bytes, q->objects, 0, n - 1);
}


reel_err_t
reel_ix_check_rendition(const reel_index_t *ix, const reel_rendition_t *q,
    reel_error_t *e)
{
    const char  *what = NULL;

    if (!rendition_name_valid(q->name)) {
        return reel_fail(e, REEL_BADDATA, "RENDITION: a name is not of its "
                         "form");
    }

    if (q->codec.len == 0 || !plain(q->codec, "._-")) {
        what = "codec";
    } else if (!plain(q->language, "-")) {
        what = "language";
    } else if (!text_valid(q->label)) {
        what = "label";
    } else if (!headers_valid(ix, q)) {
        what = "headers";
    } else if (!runs_valid(q->base_bytes, q->objects, 0, REEL_IX_TS_MAX)) {
        what = "bases";
    } else if (!sizes_valid(q, ix->fragments)) {
        what = "sizes or iframes";
    } else if (!runs_valid(q->duration_bytes, ix->fragments, 1, UINT32_MAX)) {
        what = "durations";
    } else if (!runs_valid(q->sample_bytes, ix->fragments,
                           q->kind == REEL_VIDEO, REEL_IX_SAMPLES_MAX))
    {
        what = "samples";
    }

    if (what != NULL) {
        return reel_fail(e, REEL_BADDATA, "RENDITION \"%.*s\": bad %s",
                         (int) q->name.len, q->name.p, what);
    }

    return REEL_OK;
}
