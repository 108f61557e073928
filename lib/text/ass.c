#include "lib/text/ass.h"

#include <stdbool.h>

#include "lib/base/utf8.h"
#include "lib/text/webvtt.h"

#define FIELDS_BEFORE_TEXT  8
#define TAGS                3

static const char letters[TAGS + 1] = "ibu";

typedef struct {
    reel_buf_t *b;
    bool        want[TAGS];
    unsigned    open[TAGS];     /* in the order in which they were opened */
    unsigned    nopen;
    bool        drawing;
    bool        begun;          /* something is to be seen */
    bool        line_begun;     /* in this line */
    unsigned    lines;          /* ended ones that hold something */
} out_t;


static bool
is_open(const out_t *o, unsigned tag)
{
    unsigned  i;

    for (i = 0; i < o->nopen; i++) {
        if (o->open[i] == tag) {
            return true;
        }
    }

    return false;
}


static void
close_to(out_t *o, unsigned n)
{
    while (o->nopen > n) {
        reel_buf_printf(o->b, "</%c>", letters[o->open[--o->nopen]]);
    }
}


/* tags nest: what is to end takes what was opened behind it along */
static void
close_unwanted(out_t *o)
{
    unsigned  i;

    for (i = 0; i < o->nopen; i++) {
        if (!o->want[o->open[i]]) {
            close_to(o, i);
        }
    }
}


static void
open_wanted(out_t *o)
{
    unsigned  i;

    for (i = 0; i < TAGS; i++) {
        if (o->want[i] && !is_open(o, i)) {
            reel_buf_printf(o->b, "<%c>", letters[i]);
            o->open[o->nopen++] = i;
        }
    }
}


static void
put(out_t *o, const char *p, size_t n)
{
    if (o->drawing || o->lines >= REEL_ASS_LINES_MAX) {
        return;
    }

    close_unwanted(o);

    if (!o->line_begun && o->begun) {
        reel_buf_u8(o->b, '\n');
    }

    open_wanted(o);
    o->begun = true;
    o->line_begun = true;

    reel_vtt_put_char(o->b, p, n);
}


static void
end_line(out_t *o)
{
    if (o->line_begun) {
        o->lines++;
    }

    o->line_begun = false;
}


/* a number behind a tag's name; 1 when there is none of it */
static unsigned
number(reel_str_t s)
{
    size_t    i;
    unsigned  v = 0;

    for (i = 0; i < s.len && i < 6 && s.p[i] >= '0' && s.p[i] <= '9'; i++) {
        v = v * 10 + (unsigned) (s.p[i] - '0');
    }

    return v;
}


/* one override, "i1" of {\i1\bord2}; others begin with these letters too */
static void
override(out_t *o, reel_str_t s)
{
    size_t    i;
    unsigned  tag;

    if (s.len == 0) {
        return;
    }

    if (s.p[0] == 'r') {
        memset(o->want, 0, sizeof(o->want));
        return;
    }

    for (i = 1; i < s.len; i++) {
        if (s.p[i] < '0' || s.p[i] > '9') {
            return;
        }
    }

    s.p++;
    s.len--;

    if (s.p[-1] == 'p') {
        o->drawing = number(s) != 0;
        return;
    }

    for (tag = 0; tag < TAGS; tag++) {
        if (s.p[-1] == letters[tag]) {
            o->want[tag] = number(s) != 0;
        }
    }
}


static void
overrides(out_t *o, reel_str_t block)
{
    reel_str_t  one;

    /* what stands before the first one is a comment */
    (void) reel_str_cut(block, '\\', &block);

    while (block.p != NULL) {
        one = reel_str_cut(block, '\\', &block);
        override(o, one);
    }
}


/* takes what stands at s: its length */
static size_t
step(out_t *o, reel_str_t s)
{
    size_t       n;
    const char  *end;

    if (s.p[0] == '{' && (end = memchr(s.p, '}', s.len)) != NULL) {
        overrides(o, (reel_str_t) { s.p + 1, (size_t) (end - s.p) - 1 });
        return (size_t) (end - s.p) + 1;
    }

    if (s.p[0] == '\\' && s.len > 1) {
        switch (s.p[1]) {
        case 'N':
            end_line(o);
            return 2;
        case 'n':
            put(o, " ", 1);
            return 2;
        case 'h':
            put(o, "\xc2\xa0", 2);
            return 2;
        }
    }

    if (s.p[0] == '\n') {
        end_line(o);
        return 1;
    }

    if ((unsigned char) s.p[0] < 0x20 || s.p[0] == 0x7f) {
        if (s.p[0] == '\t') {
            put(o, " ", 1);
        }
        return 1;
    }

    n = reel_utf8_len((const uint8_t *) s.p, s.len);

    if (n == 0) {
        put(o, REEL_UTF8_REPLACEMENT, 3);
        return 1;
    }

    put(o, s.p, n);

    return n;
}


void
reel_ass_text(reel_buf_t *b, reel_str_t line)
{
    out_t     o = { .b = b };
    size_t    n;
    unsigned  i;

    for (i = 0; i < FIELDS_BEFORE_TEXT && line.p != NULL; i++) {
        (void) reel_str_cut(line, ',', &line);
    }

    while (line.p != NULL && line.len > 0) {
        n = step(&o, line);
        line.p += n;
        line.len -= n;
    }

    close_to(&o, 0);
}
