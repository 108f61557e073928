/* what the header of a range tells: see ngx_http_reel_fetch.h */

#include "ngx_module/ngx_http_reel_fetch.h"

static ngx_str_t *header(ngx_http_request_t *r, const char *name);
static const char *read_content_range(ngx_http_reel_fetch_t *f,
    ngx_str_t *value);


const char *
ngx_http_reel_fetch_head(ngx_http_request_t *r, ngx_http_reel_fetch_t *f)
{
    time_t      t;
    ngx_str_t  *value;

    if (f->status == NGX_HTTP_OK) {
        return "it sends the whole for a range";
    }

    value = header(r, "Content-Encoding");
    if (value) {
        return "it is encoded";
    }

    value = header(r, "Last-Modified");
    if (value) {
        t = ngx_parse_http_time(value->data, value->len);
        f->st.mtime_ns = t == NGX_ERROR ? 0 : (int64_t) t * 1000000000;
    }

    value = header(r, "ETag");
    if (value) {
        f->st.version = ((uint64_t) ngx_murmur_hash2(value->data, value->len)
                         << 32) | ngx_crc32_long(value->data, value->len);
    }

    value = header(r, "Content-Range");

    return value ? read_content_range(f, value) : "it has no Content-Range";
}


static ngx_str_t *
header(ngx_http_request_t *r, const char *name)
{
    size_t            len;
    ngx_uint_t        i;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h;

    len = ngx_strlen(name);
    part = &r->headers_out.headers.part;
    h = part->elts;

    for (i = 0; /* void */ ; i++) {

        if (i >= part->nelts) {
            if (part->next == NULL) {
                return NULL;
            }

            part = part->next;
            h = part->elts;
            i = 0;
        }

        if (h[i].hash && h[i].key.len == len
            && ngx_strncasecmp(h[i].key.data, (u_char *) name, len) == 0)
        {
            return &h[i].value;
        }
    }
}


/* RFC 9110, 14.4: bytes first-last/complete */
static const char *
read_content_range(ngx_http_reel_fetch_t *f, ngx_str_t *value)
{
    uint64_t    first, last, all;
    reel_str_t  s, a, b;

    s.p = (char *) value->data;
    s.len = value->len;

    if (s.len < 6 || ngx_strncasecmp(value->data, (u_char *) "bytes ", 6)
                     != 0)
    {
        return "its Content-Range is malformed";
    }

    s.p += 6;
    s.len -= 6;

    a = reel_str_cut(s, '-', &s);
    if (s.p == NULL) {
        return "its Content-Range is malformed";
    }

    b = reel_str_cut(s, '/', &s);

    if (s.p == NULL || reel_str_u64(a, INT64_MAX, &first) != REEL_OK
        || reel_str_u64(b, INT64_MAX, &last) != REEL_OK
        || reel_str_u64(s, INT64_MAX, &all) != REEL_OK)
    {
        return "its Content-Range is malformed";
    }

    if (first != f->offset || last < first || last >= all
        || last - first >= f->size
        || (last - first + 1 < f->size && last + 1 != all))
    {
        return "it sends another range";
    }

    f->st.size = all;
    f->length = last - first + 1;

    return NULL;
}
