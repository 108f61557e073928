/* a request as text, the way it stands on the wire (LF or CRLF lines) */

#ifndef REEL_TESTS_AUTH_REQUEST_H
#define REEL_TESTS_AUTH_REQUEST_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "lib/auth/sigv4.h"

#define REQUEST_HEADERS 32

typedef struct {
    reel_sigv4_request_t rq;
    reel_sigv4_header_t  headers[REQUEST_HEADERS];
    reel_str_t           body;
} request_t;

static inline void
request_add(request_t *r, const char *name, reel_str_t value)
{
    assert_true(r->rq.nheaders < REQUEST_HEADERS);
    r->headers[r->rq.nheaders++]
        = (reel_sigv4_header_t) { reel_str(name), value };
    r->rq.headers = r->headers;
}

/* the first header of that name goes */
static inline void
request_drop(request_t *r, const char *name)
{
    size_t i;

    for (i = 0; i < r->rq.nheaders; i++) {
        if (reel_str_eqz(r->headers[i].name, name)) {
            memmove(r->headers + i, r->headers + i + 1,
                    (r->rq.nheaders - i - 1) * sizeof(r->headers[0]));
            r->rq.nheaders--;
            return;
        }
    }

    fail_msg("no header %s", name);
}

static inline reel_str_t
request_line(reel_str_t *rest)
{
    reel_str_t  line;

    line = reel_str_cut(*rest, '\n', rest);

    if (line.len != 0 && line.p[line.len - 1] == '\r') {
        line.len--;
    }

    return line;
}

static inline void
request_target(request_t *r, reel_str_t target)
{
    r->rq.path = reel_str_cut(target, '?', &r->rq.query);
}

/* everything is borrowed from text */
static inline void
request_parse(request_t *r, reel_str_t text)
{
    size_t       end;
    reel_str_t   line, value;

    *r = (request_t) { 0 };
    r->rq.headers = r->headers;

    line = request_line(&text);
    r->rq.method = reel_str_cut(line, ' ', &line);

    /* some targets have a space in them */
    end = line.len - (sizeof(" HTTP/1.1") - 1);
    assert_memory_equal(line.p + end, " HTTP/1.1", 9);
    request_target(r, (reel_str_t) { line.p, end });

    while (text.p != NULL && (line = request_line(&text)).len != 0) {

        if (line.p[0] == ' ') {
            /* folded: the value before it goes on */
            reel_str_t  *last = &r->headers[r->rq.nheaders - 1].value;

            last->len = (size_t) (line.p + line.len - last->p);
            continue;
        }

        line = reel_str_cut(line, ':', &value);
        assert_non_null(value.p);
        assert_true(r->rq.nheaders < REQUEST_HEADERS);
        r->headers[r->rq.nheaders++] = (reel_sigv4_header_t) { line, value };
    }

    if (text.p != NULL) {
        r->body = text;
    }
}

#endif
