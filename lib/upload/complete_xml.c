#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/hex.h"
#include "lib/base/xml.h"
#include "lib/upload/complete_xml.h"
#include "lib/upload/upload.h"


#define VALUE_MAX 128           /* bytes of a number, ETag or checksum */

typedef struct {
    reel_complete_t *c;
    reel_error_t    *e;
    size_t           cap;
    unsigned         skip;      /* depth below which all is passed over */

    /* of the element within the part */
    char             value[VALUE_MAX];
    size_t           nvalue;
    bool             cut;       /* it was longer */

    /* of the part */
    uint32_t         number;    /* 0: none yet */
    bool             tagged;
    uint64_t         tag;
    reel_complete_sum_t sum;
} list_t;


static bool
name_is(reel_str_t name, const char *z)
{
    return reel_str_eqz(name, z);
}


static reel_str_t
trim(reel_str_t s)
{
    while (s.len != 0 && memchr(" \t\r\n", s.p[0], 4) != NULL) {
        s.p++;
        s.len--;
    }

    while (s.len != 0 && memchr(" \t\r\n", s.p[s.len - 1], 4) != NULL) {
        s.len--;
    }

    return s;
}


void
reel_part_etag(char dst[REEL_PART_ETAG_LEN + 1], uint64_t tag)
{
    (void) snprintf(dst, REEL_PART_ETAG_LEN + 1, "\"%016" PRIx64 "-1\"", tag);
}


uint64_t
reel_part_etag_parse(reel_str_t s)
{
    size_t    i;
    uint8_t   raw[8];
    uint64_t  tag = 0;

    if (s.len >= 2 && s.p[0] == '"' && s.p[s.len - 1] == '"') {
        s.p++;
        s.len -= 2;
    }

    if (s.len != 18 || s.p[16] != '-' || s.p[17] != '1'
        || reel_unhex(raw, sizeof(raw), (reel_str_t) { s.p, 16 }) != REEL_OK)
    {
        return 0;
    }

    for (i = 0; i < sizeof(raw); i++) {
        tag = tag << 8 | raw[i];
    }

    return tag;
}


/* to the same length all three */
static reel_err_t
grow(list_t *l)
{
    void             *p;
    size_t            cap = l->cap ? 2 * l->cap : 64;
    reel_complete_t  *c = l->c;

    p = realloc(c->numbers, cap * sizeof(c->numbers[0]));
    if (p == NULL) {
        return REEL_NOMEM;
    }

    c->numbers = p;

    p = realloc(c->tags, cap * sizeof(c->tags[0]));
    if (p == NULL) {
        return REEL_NOMEM;
    }

    c->tags = p;

    p = realloc(c->sums, cap * sizeof(c->sums[0]));
    if (p == NULL) {
        return REEL_NOMEM;
    }

    c->sums = p;
    l->cap = cap;

    return REEL_OK;
}


static reel_err_t
end_part(list_t *l)
{
    reel_complete_t  *c = l->c;

    if (l->number == 0 || !l->tagged) {
        return reel_fail(l->e, REEL_BADDATA, "Part %zu of the list has no %s",
                         c->n + 1, l->number == 0 ? "PartNumber" : "ETag");
    }

    if (c->n == REEL_UPLOAD_PARTS_MAX) {
        return reel_fail(l->e, REEL_LIMIT, "more than %d parts are listed",
                         REEL_UPLOAD_PARTS_MAX);
    }

    if (c->n == l->cap && grow(l) != REEL_OK) {
        return REEL_NOMEM;
    }

    c->numbers[c->n] = l->number;
    c->tags[c->n] = l->tag;
    c->sums[c->n] = l->sum;
    c->n++;

    return REEL_OK;
}


static reel_err_t
end_sum(list_t *l, reel_sum_kind_t kind, reel_str_t value)
{
    l->sum.kind = (uint8_t) kind;

    if (reel_sum_decode(l->sum.sum, kind, value) != REEL_OK) {
        return reel_fail(l->e, REEL_BADDATA, "Part %zu of the list: its "
                         "Checksum%s is none", l->c->n + 1,
                         reel_sum_s3(kind));
    }

    return REEL_OK;
}


/* of an element within a part */
static reel_err_t
end_value(list_t *l, reel_str_t name)
{
    uint64_t         n = 0;
    reel_str_t       value = trim((reel_str_t) { l->value, l->nvalue });
    reel_sum_kind_t  kind = REEL_SUM_NONE;

    if (name_is(name, "PartNumber")) {
        if (l->cut || l->number != 0
            || reel_str_u64(value, REEL_UPLOAD_PARTS_MAX, &n) != REEL_OK
            || n == 0)
        {
            return reel_fail(l->e, REEL_BADDATA, "Part %zu of the list: its "
                             "PartNumber is not one of 1 to %d", l->c->n + 1,
                             REEL_UPLOAD_PARTS_MAX);
        }

        l->number = (uint32_t) n;
        return REEL_OK;
    }

    if (name_is(name, "ETag")) {
        if (l->tagged) {
            return reel_fail(l->e, REEL_BADDATA, "Part %zu of the list has "
                             "two ETags", l->c->n + 1);
        }

        l->tag = l->cut ? 0 : reel_part_etag_parse(value);
        l->tagged = true;
        return REEL_OK;
    }

    if (reel_str_prefix(name, "Checksum")) {
        kind = reel_sum_by_s3((reel_str_t) { name.p + 8, name.len - 8 });
    }

    if (kind == REEL_SUM_NONE) {
        return REEL_OK;
    }

    return l->cut ? REEL_BADDATA : end_sum(l, kind, value);
}


static reel_err_t
on_start(list_t *l, const reel_xml_t *x)
{
    if (l->skip != 0) {
        return REEL_OK;
    }

    switch (x->depth) {

    case 1:
        if (!name_is(x->name, "CompleteMultipartUpload")) {
            return reel_fail(l->e, REEL_BADDATA, "the body is no "
                             "CompleteMultipartUpload");
        }

        break;

    case 2:
        if (!name_is(x->name, "Part")) {
            l->skip = 2;
        }

        l->number = 0;
        l->tagged = false;
        l->sum.kind = REEL_SUM_NONE;
        break;

    case 3:
        l->nvalue = 0;
        l->cut = false;
        break;

    default:
        l->skip = x->depth;
    }

    return REEL_OK;
}


static void
on_text(list_t *l, const reel_xml_t *x)
{
    size_t  n = x->text.len;

    if (l->skip != 0 || x->depth != 3) {
        return;
    }

    if (n > VALUE_MAX - l->nvalue) {
        l->cut = true;
        n = VALUE_MAX - l->nvalue;
    }

    memcpy(l->value + l->nvalue, x->text.p, n);
    l->nvalue += n;
}


static reel_err_t
on_end(list_t *l, const reel_xml_t *x)
{
    if (l->skip != 0) {
        l->skip = x->depth < l->skip ? 0 : l->skip;
        return REEL_OK;
    }

    return x->depth == 2 ? end_value(l, x->name)
           : x->depth == 1 ? end_part(l) : REEL_OK;
}


reel_err_t
reel_complete_parse(reel_complete_t *c, const char *xml, size_t len,
    reel_error_t *e)
{
    list_t            l = { .c = c, .e = e };
    reel_err_t        err;
    reel_xml_t        x;
    reel_xml_event_t  ev;

    *c = (reel_complete_t) { 0 };

    reel_xml_init(&x, (reel_str_t) { xml, len });

    do {
        err = reel_xml_next(&x, &ev, e);

        if (err != REEL_OK) {
            break;
        }

        switch (ev) {

        case REEL_XML_START:
            err = on_start(&l, &x);
            break;

        case REEL_XML_TEXT:
            on_text(&l, &x);
            break;

        case REEL_XML_END:
            err = on_end(&l, &x);
            break;

        case REEL_XML_DONE:
            break;
        }

    } while (err == REEL_OK && ev != REEL_XML_DONE);

    if (err == REEL_OK && c->n == 0) {
        err = reel_fail(e, REEL_BADDATA, "no part is listed");
    }

    if (err != REEL_OK) {
        reel_complete_release(c);
    }

    return err;
}


void
reel_complete_release(reel_complete_t *c)
{
    free(c->numbers);
    free(c->tags);
    free(c->sums);
    *c = (reel_complete_t) { 0 };
}
