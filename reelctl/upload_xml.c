#include "lib/base/xml.h"
#include "reelctl/upload.h"


#define COMPLETE_MAX (4 * 1024 * 1024)


static reel_str_t
body_of(const reel_ctl_answer_t *a)
{
    return (reel_str_t) { (const char *) a->body.data, a->body.len };
}


/* one more piece of a value; what does not fit makes it empty in the end */
static void
append(char *dst, size_t cap, size_t *len, reel_str_t piece)
{
    if (*len >= cap || piece.len >= cap - *len) {
        *len = cap;
        dst[0] = '\0';
        return;
    }

    memcpy(dst + *len, piece.p, piece.len);
    *len += piece.len;
    dst[*len] = '\0';
}


void
reel_ctl_xml_value(const reel_ctl_answer_t *a, const char *name, char *dst,
    size_t cap)
{
    bool              in = false;
    size_t            len = 0;
    reel_xml_t        x;
    reel_error_t      e;
    reel_xml_event_t  ev;

    dst[0] = '\0';
    reel_xml_init(&x, body_of(a));

    while (reel_xml_next(&x, &ev, &e) == REEL_OK && ev != REEL_XML_DONE) {

        if (ev == REEL_XML_START && reel_str_eqz(x.name, name)) {
            in = true;

        } else if (ev == REEL_XML_TEXT && in) {
            append(dst, cap, &len, x.text);

        } else if (ev == REEL_XML_END && in) {
            return;
        }
    }
}


void
reel_ctl_xml_complete(reel_buf_t *b, const reel_ctl_parts_t *p)
{
    size_t  i;

    reel_buf_init(b, COMPLETE_MAX);
    reel_buf_addz(b, "<CompleteMultipartUpload xmlns="
                  "\"http://s3.amazonaws.com/doc/2006-03-01/\">");

    for (i = 0; i < p->n; i++) {
        reel_buf_addz(b, "<Part>");
        reel_xml_number(b, "PartNumber", i + 1);
        reel_xml_elementz(b, "ETag", p->part[i].etag);

        if (p->part[i].sum[0] != '\0') {
            reel_xml_elementz(b, "ChecksumCRC32C", p->part[i].sum);
        }

        reel_buf_addz(b, "</Part>");
    }

    reel_buf_addz(b, "</CompleteMultipartUpload>");
}


/* ---- ListParts ---- */

enum { NUMBER, SIZE, ETAG, SUM, FIELDS };

static const char  *fields[FIELDS] = {
    "PartNumber", "Size", "ETag", "ChecksumCRC32C"
};

typedef struct {
    char    value[FIELDS][REEL_CTL_ETAG];
    size_t  len[FIELDS];
} listed_t;


/* of another size is not there: it is sent anew */
static void
take(reel_ctl_parts_t *p, const listed_t *l)
{
    uint64_t          number, size;
    reel_ctl_part_t  *part;

    if (reel_str_u64(reel_str(l->value[NUMBER]), p->n, &number) != REEL_OK
        || number == 0
        || reel_str_u64(reel_str(l->value[SIZE]), INT64_MAX, &size) != REEL_OK
        || size != reel_ctl_part_bytes(p, (size_t) number - 1)
        || l->value[ETAG][0] == '\0')
    {
        return;
    }

    part = &p->part[number - 1];
    part->done = true;
    memcpy(part->etag, l->value[ETAG], sizeof(part->etag));

    if (reel_str_copy(part->sum, sizeof(part->sum), reel_str(l->value[SUM]))
        != REEL_OK)
    {
        part->sum[0] = '\0';
    }
}


static size_t
field_of(reel_str_t name)
{
    size_t  i;

    for (i = 0; i < FIELDS && !reel_str_eqz(name, fields[i]); i++) {
        /* void */
    }

    return i;
}


reel_err_t
reel_ctl_xml_listed(const reel_ctl_answer_t *a, reel_ctl_parts_t *p,
    uint64_t *marker, reel_error_t *e)
{
    char              text[24];
    size_t            field = FIELDS;
    listed_t          l = { 0 };
    reel_err_t        err;
    reel_xml_t        x;
    reel_xml_event_t  ev;

    reel_xml_init(&x, body_of(a));

    while ((err = reel_xml_next(&x, &ev, e)) == REEL_OK
           && ev != REEL_XML_DONE)
    {
        if (ev == REEL_XML_TEXT && field != FIELDS) {
            append(l.value[field], sizeof(l.value[field]), &l.len[field],
                   x.text);

        } else if (ev == REEL_XML_START && x.depth == 1
                   && !reel_str_eqz(x.name, "ListPartsResult"))
        {
            return reel_fail(e, REEL_BADDATA, "this is no list of parts");

        } else if (ev == REEL_XML_START && x.depth == 2) {
            l = (listed_t) { 0 };

        } else if (ev == REEL_XML_START && x.depth == 3) {
            field = field_of(x.name);

        } else if (ev == REEL_XML_END) {
            field = FIELDS;

            if (x.depth == 1 && reel_str_eqz(x.name, "Part")) {
                take(p, &l);
            }
        }
    }

    *marker = 0;
    reel_ctl_xml_value(a, "IsTruncated", text, sizeof(text));

    if (err == REEL_OK && strcmp(text, "true") == 0) {
        reel_ctl_xml_value(a, "NextPartNumberMarker", text, sizeof(text));
        err = reel_str_u64(reel_str(text), REEL_CTL_PARTS_MAX, marker);
    }

    return err;
}
