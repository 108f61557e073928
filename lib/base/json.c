#include <assert.h>
#include <inttypes.h>

#include "lib/base/json.h"
#include "lib/base/utf8.h"


#define DEPTH_MAX 63            /* bits of reel_json_t.first, less one */


void
reel_json_init(reel_json_t *j, reel_buf_t *b)
{
    *j = (reel_json_t) { .b = b, .first = 1 };
}


static void
separate(reel_json_t *j)
{
    uint64_t  bit = (uint64_t) 1 << j->depth;

    if (j->after_key) {
        j->after_key = false;
        return;
    }

    if (j->first & bit) {
        j->first &= ~bit;
        return;
    }

    reel_buf_u8(j->b, ',');
}


static void
begin(reel_json_t *j, char c)
{
    assert(j->depth < DEPTH_MAX);

    separate(j);
    reel_buf_u8(j->b, (uint8_t) c);
    j->depth++;
    j->first |= (uint64_t) 1 << j->depth;
}


void
reel_json_object(reel_json_t *j)
{
    begin(j, '{');
}


void
reel_json_array(reel_json_t *j)
{
    begin(j, '[');
}


void
reel_json_end(reel_json_t *j, char close)
{
    assert(j->depth > 0 && !j->after_key);

    j->depth--;
    reel_buf_u8(j->b, (uint8_t) close);
}


static void
escape(reel_buf_t *b, uint8_t c)
{
    switch (c) {
    case '"':  reel_buf_addz(b, "\\\""); break;
    case '\\': reel_buf_addz(b, "\\\\"); break;
    case '\b': reel_buf_addz(b, "\\b");  break;
    case '\f': reel_buf_addz(b, "\\f");  break;
    case '\n': reel_buf_addz(b, "\\n");  break;
    case '\r': reel_buf_addz(b, "\\r");  break;
    case '\t': reel_buf_addz(b, "\\t");  break;
    default:   reel_buf_printf(b, "\\u%04x", c);
    }
}


static void
quoted(reel_buf_t *b, reel_str_t s)
{
    size_t          i, run, n;
    const uint8_t  *p = (const uint8_t *) s.p;

    reel_buf_u8(b, '"');

    for (i = 0, run = 0; i < s.len; i += n ? n : 1) {
        n = reel_utf8_len(p + i, s.len - i);

        if (n != 0 && p[i] >= 0x20 && p[i] != '"' && p[i] != '\\'
            && p[i] != 0x7f)
        {
            continue;
        }

        reel_buf_add(b, p + run, i - run);

        if (n == 0) {
            reel_buf_addz(b, REEL_UTF8_REPLACEMENT);

        } else {
            escape(b, p[i]);
        }

        run = i + 1;
    }

    if (run < s.len) {
        reel_buf_add(b, p + run, s.len - run);
    }

    reel_buf_u8(b, '"');
}


void
reel_json_key(reel_json_t *j, const char *key)
{
    assert(!j->after_key);

    separate(j);
    quoted(j->b, reel_str(key));
    reel_buf_u8(j->b, ':');
    j->after_key = true;
}


void
reel_json_str(reel_json_t *j, reel_str_t s)
{
    separate(j);
    quoted(j->b, s);
}


void
reel_json_int(reel_json_t *j, int64_t v)
{
    separate(j);
    reel_buf_printf(j->b, "%" PRId64, v);
}


void
reel_json_uint(reel_json_t *j, uint64_t v)
{
    separate(j);
    reel_buf_printf(j->b, "%" PRIu64, v);
}


void
reel_json_bool(reel_json_t *j, bool v)
{
    separate(j);
    reel_buf_addz(j->b, v ? "true" : "false");
}


void
reel_json_null(reel_json_t *j)
{
    separate(j);
    reel_buf_addz(j->b, "null");
}


void
reel_json_raw(reel_json_t *j, reel_str_t json)
{
    separate(j);
    reel_buf_adds(j->b, json);
}


void
reel_json_kstr(reel_json_t *j, const char *key, const char *z)
{
    reel_json_key(j, key);
    reel_json_str(j, reel_str(z));
}


void
reel_json_kint(reel_json_t *j, const char *key, int64_t v)
{
    reel_json_key(j, key);
    reel_json_int(j, v);
}


void
reel_json_kuint(reel_json_t *j, const char *key, uint64_t v)
{
    reel_json_key(j, key);
    reel_json_uint(j, v);
}


void
reel_json_kbool(reel_json_t *j, const char *key, bool v)
{
    reel_json_key(j, key);
    reel_json_bool(j, v);
}
