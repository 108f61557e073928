#include "lib/text/line.h"


reel_str_t
reel_text_line(reel_str_t *s)
{
    size_t      n = 0, end;
    reel_str_t  line;

    while (n < s->len && s->p[n] != '\n' && s->p[n] != '\r') {
        n++;
    }

    line = (reel_str_t) { s->p, n };
    end = n;

    if (end < s->len && s->p[end] == '\r') {
        end++;
    }

    if (end < s->len && s->p[end] == '\n') {
        end++;
    }

    s->p += end;
    s->len -= end;

    return line;
}


reel_str_t
reel_text_trim(reel_str_t s)
{
    while (s.len > 0 && reel_text_is_blank(s.p[0])) {
        s.p++;
        s.len--;
    }

    while (s.len > 0 && reel_text_is_blank(s.p[s.len - 1])) {
        s.len--;
    }

    return s;
}


size_t
reel_text_arrow(reel_str_t line)
{
    size_t  i;

    for (i = 0; i + 3 <= line.len; i++) {
        if (memcmp(line.p + i, "-->", 3) == 0) {
            return i;
        }
    }

    return line.len;
}


size_t
reel_text_digits(reel_str_t *s, size_t max, int64_t *v)
{
    size_t  n = 0;

    *v = 0;

    while (n < s->len && n < max && s->p[n] >= '0' && s->p[n] <= '9') {
        *v = *v * 10 + (s->p[n++] - '0');
    }

    s->p += n;
    s->len -= n;

    return n;
}


bool
reel_text_char(reel_str_t *s, const char *any)
{
    if (s->len == 0 || s->p[0] == '\0' || strchr(any, s->p[0]) == NULL) {
        return false;
    }

    s->p++;
    s->len--;

    return true;
}
