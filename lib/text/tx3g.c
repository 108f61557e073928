#include "lib/text/tx3g.h"

#include "lib/base/reader.h"
#include "lib/base/utf8.h"
#include "lib/text/webvtt.h"


#define STYLES_MAX 64           /* of one sample */
#define FACES      3

#define STYL  0x7374796cu

typedef struct {
    uint32_t from, to;          /* characters */
    uint8_t  face;              /* bits, as in names */
} style_t;

typedef struct {
    reel_buf_t *b;
    style_t     styles[STYLES_MAX];
    unsigned    n;
    uint8_t     face;           /* that is open */
    uint8_t     found;          /* of the characters before until */
    uint32_t    until;
    uint32_t    at;             /* characters so far */
    bool        begun;          /* of the line at hand something stands */
    bool        broken;         /* a line ended, and nothing came yet */
    bool        any;
} state_t;

static const char  names[FACES] = { 'b', 'i', 'u' };


/* 5.17.1.1: records of 12 bytes */
static void
read_styles(state_t *st, reel_reader_t *r)
{
    uint16_t  n = reel_read_u16(r);
    style_t   s;

    while (n-- != 0 && st->n < STYLES_MAX) {
        s.from = reel_read_u16(r);
        s.to = reel_read_u16(r);
        reel_read_skip(r, 2);
        s.face = reel_read_u8(r) & 7;
        reel_read_skip(r, 5);

        if (r->err != REEL_OK) {
            return;
        }

        st->styles[st->n++] = s;
    }
}


/* the boxes behind the words */
static void
read_modifiers(state_t *st, reel_reader_t *r)
{
    uint32_t       size, type;
    reel_reader_t  body;

    while (reel_reader_left(r) >= 8) {
        size = reel_read_u32(r);
        type = reel_read_u32(r);

        if (size < 8) {
            return;
        }

        body = reel_read_sub(r, size - 8);
        if (r->err != REEL_OK) {
            return;
        }

        if (type == STYL) {
            read_styles(st, &body);
        }
    }
}


static void
set_face(state_t *st, uint8_t face)
{
    unsigned  i;

    if (face == st->face) {
        return;
    }

    for (i = FACES; i-- != 0; /* void */) {
        if (st->face & 1u << i) {
            reel_buf_printf(st->b, "</%c>", names[i]);
        }
    }

    for (i = 0; i < FACES; i++) {
        if (face & 1u << i) {
            reel_buf_printf(st->b, "<%c>", names[i]);
        }
    }

    st->face = face;
}


/* the first style that has the character rules; st->at only grows */
static uint8_t
face_at(state_t *st)
{
    unsigned        i;
    const style_t  *s;

    if (st->at < st->until) {
        return st->found;
    }

    st->found = 0;
    st->until = UINT32_MAX;

    for (i = 0; i < st->n; i++) {
        s = &st->styles[i];

        if (st->at < s->from) {
            st->until = s->from < st->until ? s->from : st->until;

        } else if (st->at < s->to) {
            st->until = s->to < st->until ? s->to : st->until;
            st->found = s->face;
            break;
        }
    }

    return st->found;
}


/* a line without words would end the cue */
static void
put_char(state_t *st, const uint8_t *p, size_t n)
{
    if (*p == '\n' || *p == '\r') {
        st->broken |= st->begun;
        st->begun = false;

    } else if (*p != '\0') {

        if (st->broken) {
            set_face(st, 0);
            reel_buf_u8(st->b, '\n');
            st->broken = false;
        }

        set_face(st, face_at(st));
        reel_vtt_put_char(st->b, (const char *) p, n);
        st->begun = true;
        st->any |= *p != ' ' && *p != '\t';
    }

    st->at++;
}


static void
put_utf8(state_t *st, const uint8_t *p, size_t len)
{
    size_t  i, n;

    for (i = 0; i < len; i += n != 0 ? n : 1) {
        n = reel_utf8_len(p + i, len - i);

        if (n != 0) {
            put_char(st, p + i, n);
        } else {
            put_char(st, (const uint8_t *) REEL_UTF8_REPLACEMENT, 3);
        }
    }
}


/* behind a byte order mark; big-endian */
static void
put_utf16(state_t *st, reel_reader_t *r)
{
    size_t    n;
    uint8_t   utf8[4];
    uint32_t  c;

    while (reel_reader_left(r) >= 2) {
        c = reel_read_u16(r);

        if (c >= 0xd800 && c < 0xdc00 && reel_reader_left(r) >= 2) {
            c = 0x10000 + ((c - 0xd800) << 10)
                + ((uint32_t) reel_read_u16(r) - 0xdc00);
        }

        n = reel_utf8_put(utf8, c);

        if (n != 0) {
            put_char(st, utf8, n);
        } else {
            put_char(st, (const uint8_t *) REEL_UTF8_REPLACEMENT, 3);
        }
    }
}


void
reel_tx3g_cue(reel_buf_t *b, reel_str_t sample, int64_t start_ms,
    int64_t end_ms)
{
    size_t         len, was = b->len;
    state_t        st = { .b = b };
    reel_reader_t  r, words;

    reel_reader_init(&r, sample.p, sample.len);

    len = reel_read_u16(&r);
    len = len < reel_reader_left(&r) ? len : reel_reader_left(&r);
    words = reel_read_sub(&r, len);

    if (len == 0 || start_ms < 0 || start_ms >= end_ms
        || end_ms >= REEL_VTT_TIME_MAX)
    {
        return;
    }

    read_modifiers(&st, &r);

    reel_buf_addz(b, "\n");
    reel_vtt_put_time(b, start_ms);
    reel_buf_addz(b, " --> ");
    reel_vtt_put_time(b, end_ms);
    reel_buf_addz(b, "\n");

    if (len >= 2 && words.p[0] == 0xfe && words.p[1] == 0xff) {
        reel_read_skip(&words, 2);
        put_utf16(&st, &words);
    } else {
        put_utf8(&st, words.p, len);
    }

    set_face(&st, 0);
    reel_buf_addz(b, "\n");

    if (!st.any) {
        b->len = was;
    }
}
