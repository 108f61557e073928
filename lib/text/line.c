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
