#include <stdio.h>

#include "lib/base/reader.h"
#include "tests/unit/index/dump.h"

#define A_LINE 16               /* bytes shown of one field */


typedef struct {
    reel_buf_t    *out;
    reel_reader_t  r;
    size_t         from;        /* where the field at hand starts */
    uint64_t       fragments;
    uint64_t       objects[64];
    unsigned       lists;
} dump_t;


/* the bytes read since the last call, and what they mean */
static void
line(dump_t *d, const char *what)
{
    size_t  i, n = reel_reader_pos(&d->r) - d->from;

    reel_buf_printf(d->out, "%5zu ", d->from);

    for (i = 0; i < n && i < A_LINE; i++) {
        reel_buf_printf(d->out, " %02x", d->r.start[d->from + i]);
    }

    reel_buf_printf(d->out, "%s\n%12s%s\n", n > A_LINE ? " …" : "", "", what);
    d->from += n;
}


static uint64_t
number(dump_t *d, const char *what)
{
    char      text[256];
    uint64_t  v = reel_read_varint(&d->r);

    snprintf(text, sizeof(text), "%s: %llu", what, (unsigned long long) v);
    line(d, text);

    return v;
}


static void
string(dump_t *d, const char *what)
{
    char        text[256];
    reel_str_t  s = reel_read_string(&d->r, 4096);

    snprintf(text, sizeof(text), "%s: \"%.*s\"", what, (int) s.len, s.p);
    line(d, text);
}


static void
packed(dump_t *d, const char *what, uint64_t n, int runs)
{
    char      text[128];
    uint64_t  i, left, value, count;

    snprintf(text, sizeof(text), "%s: bytes of it", what);
    number(d, text);

    for (i = 0, left = n; left != 0 && d->r.err == REEL_OK; i++) {
        value = reel_read_varint(&d->r);
        count = runs ? reel_read_varint(&d->r) : 1;

        if (runs) {
            snprintf(text, sizeof(text), "  %llu, %llu times",
                     (unsigned long long) value, (unsigned long long) count);
        } else {
            snprintf(text, sizeof(text), "  [%llu] %llu",
                     (unsigned long long) i, (unsigned long long) value);
        }

        line(d, text);
        left -= count < left ? count : left;
    }
}


static void
grid(dump_t *d)
{
    number(d, "  timescale");
    number(d, "  gop_ts");
    d->fragments = number(d, "  fragments");
    number(d, "  end_ts");
    number(d, "  flags");
}


static void
objects(dump_t *d)
{
    char        text[64];
    uint64_t    i, n, length;
    reel_str_t  s;

    n = number(d, "  objects");
    d->objects[d->lists++ % 64] = n;

    for (i = 0; i < n && d->r.err == REEL_OK; i++) {
        length = reel_read_varint(&d->r);

        if (length != 0) {
            s = reel_read_bytes(&d->r, length);
            snprintf(text, sizeof(text), "  name: \"%.*s\"", (int) s.len,
                     s.p);
            line(d, text);
        } else {
            line(d, "  name: packed");
            number(d, "    chunk");
            number(d, "    fence");
            reel_read_skip(&d->r, 8);
            line(d, "    nonce");
        }

        number(d, "  fragments of it");
    }
}


static void
rendition(dump_t *d)
{
    uint64_t  kind, n;

    string(d, "  name");
    kind = number(d, "  kind");
    number(d, "  switching_set");
    string(d, "  codec");
    string(d, "  language");
    string(d, "  label");
    number(d, "  timescale");
    number(d, "  width");
    number(d, "  height");
    number(d, "  rate_num");
    number(d, "  rate_den");
    number(d, "  channels");
    number(d, "  sample_rate");
    n = d->objects[number(d, "  objects: list") % 64];
    packed(d, "  headers", n, 1);
    packed(d, "  bases", n, 1);
    packed(d, "  sizes", d->fragments, 0);
    packed(d, "  durations", d->fragments, 1);
    packed(d, "  samples", d->fragments, 1);

    if (kind == 1) {
        packed(d, "  iframes", d->fragments, 0);
    }

    number(d, "  video_range");
    number(d, "  roles");
}


static void
image(dump_t *d)
{
    number(d, "  kind");
    string(d, "  object");
    number(d, "  width");
    number(d, "  height");
    number(d, "  size");
}


static void
pictures(dump_t *d)
{
    uint64_t  tiles, count;

    string(d, "  object");
    number(d, "  width");
    number(d, "  height");
    tiles = number(d, "  columns");
    tiles *= number(d, "  rows");
    number(d, "  interval_ms");
    count = number(d, "  count");
    packed(d, "  sizes", tiles != 0 ? (count + tiles - 1) / tiles : 0, 0);
}


static void
head(dump_t *d)
{
    static const struct {
        unsigned    n;
        const char *what;
    } fields[] = {
        { 8, "magic" }, { 2, "version" }, { 2, "readable" }, { 4, "flags" },
        { 4, "publication" }, { 16, "salt" }, { 4, "master-key id" },
        { 8, "created" }
    };

    size_t  i;

    for (i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        reel_read_skip(&d->r, fields[i].n);
        line(d, fields[i].what);
    }
}


void
dump_index(reel_buf_t *out, const void *data, size_t len)
{
    uint64_t  type, length;
    dump_t    d = { .out = out };

    reel_reader_init(&d.r, data, len);
    head(&d);

    while (reel_reader_left(&d.r) > 4) {
        type = number(&d, "section");
        length = number(&d, "  length");

        switch (type) {
        case 1:
            grid(&d);
            break;
        case 3:
            objects(&d);
            break;
        case 4:
            rendition(&d);
            break;
        case 5:
            image(&d);
            break;
        case 6:
            pictures(&d);
            break;
        default:
            reel_read_skip(&d.r, length);
            line(&d, "  header");
        }
    }

    reel_read_skip(&d.r, 4);
    line(&d, "CRC-32C");

    if (d.r.err != REEL_OK || reel_reader_left(&d.r) != 0) {
        reel_buf_addz(out, "not an index\n");
    }
}
