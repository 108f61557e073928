/* the little of HTTP/1.1 that one page needs (RFC 9112) */

#include <string.h>
#include <strings.h>

#include "workerd/scrape.h"

#define END "\r\n\r\n"


static bool
has_host(reel_str_t fields)
{
    reel_str_t  line;

    while (fields.p != NULL) {
        line = reel_str_cut(fields, '\n', &fields);
        if (line.len >= 5 && strncasecmp(line.p, "Host:", 5) == 0) {
            return true;
        }
    }

    return false;
}


unsigned
reel_scrape_status(const char *p, size_t n)
{
    reel_str_t   line, fields, method, target, path, query;
    reel_str_t   version = { 0 };
    const char  *end = memmem(p, n, END, sizeof(END) - 1);

    if (end == NULL) {
        return n < REEL_SCRAPE_REQUEST ? 0 : 431;
    }

    line = reel_str_cut((reel_str_t) { p, (size_t) (end - p) }, '\n',
                        &fields);
    if (line.len > 0 && line.p[line.len - 1] == '\r') {
        line.len--;
    }

    method = reel_str_cut(line, ' ', &target);
    target = target.p == NULL ? target
             : reel_str_cut(target, ' ', &version);

    if (target.p == NULL || version.p == NULL || method.len == 0
        || target.len == 0 || memchr(p, '\0', (size_t) (end - p)) != NULL
        || !reel_str_prefix(version, "HTTP/"))
    {
        return 400;
    }

    if (!reel_str_eqz(version, "HTTP/1.0")
        && !reel_str_eqz(version, "HTTP/1.1"))
    {
        return 505;
    }

    if (reel_str_eqz(version, "HTTP/1.1") && !has_host(fields)) {
        return 400;
    }

    path = reel_str_cut(target, '?', &query);
    if (!reel_str_eqz(path, "/metrics")) {
        return 404;
    }

    return reel_str_eqz(method, "GET") ? 200 : 405;
}


static const char *
reason(unsigned status)
{
    switch (status) {
    case 200:
        return "OK";
    case 400:
        return "Bad Request";
    case 404:
        return "Not Found";
    case 405:
        return "Method Not Allowed";
    case 431:
        return "Request Header Fields Too Large";
    case 505:
        return "HTTP Version Not Supported";
    default:
        return "Internal Server Error";
    }
}


void
reel_scrape_head(reel_buf_t *b, unsigned status, size_t body)
{
    reel_buf_printf(b, "HTTP/1.1 %u %s\r\n"
                    "Content-Type: text/plain; version=0.0.4; "
                    "charset=utf-8\r\n"
                    "Content-Length: %zu\r\n"
                    "Cache-Control: no-store\r\n"
                    "Connection: close\r\n%s\r\n", status, reason(status),
                    body, status == 405 ? "Allow: GET\r\n" : "");
}
