/*
 * Any bytes as a line of dialogue: what comes out is UTF-8 without control
 * characters, blank lines and markup but i, b and u, which nest.
 */

#include "lib/base/utf8.h"
#include "lib/text/ass.h"
#include "tests/fuzz/harness.h"

#define PRINT_MAX (8u << 20)


/* at '<': the tag's length */
static size_t
check_tag(const uint8_t *p, size_t left, char *open, size_t *n)
{
    bool    closing = left > 1 && p[1] == '/';
    size_t  at = closing ? 2 : 1;

    need(left > at + 1 && p[at + 1] == '>');
    need(p[at] == 'i' || p[at] == 'b' || p[at] == 'u');

    if (closing) {
        need(*n > 0 && open[*n - 1] == (char) p[at]);
        --*n;
    } else {
        need(*n < 3);
        open[(*n)++] = (char) p[at];
    }

    return at + 2;
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char        open[3];
    size_t      i, n, depth = 0;
    reel_buf_t  b;

    reel_buf_init(&b, PRINT_MAX);
    reel_ass_text(&b, (reel_str_t) { (const char *) data, size });
    need(reel_buf_err(&b) == REEL_OK);

    for (i = 0; i < b.len; i += n) {
        n = reel_utf8_len(b.data + i, b.len - i);
        need(n > 0 && b.data[i] != '>');
        need(b.data[i] >= 0x20 || b.data[i] == '\n');
        need(b.data[i] != '\n'
             || (i > 0 && i + 1 < b.len && b.data[i + 1] != '\n'));

        if (b.data[i] == '<') {
            n = check_tag(b.data + i, b.len - i, open, &depth);
        }
    }

    need(depth == 0);
    reel_buf_release(&b);

    return 0;
}
