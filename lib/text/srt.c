#include <stdlib.h>

#include "lib/base/utf8.h"
#include "lib/text/line.h"
#include "lib/text/srt.h"
#include "lib/text/webvtt.h"


#define CUES_MAX     100000
#define CUES_FIRST   256
#define TAG_MAX      256        /* bytes */

typedef struct {
    reel_vtt_cue_t *cues;       /* owned */
    size_t          n;
    size_t          room;
} list_t;


static reel_err_t
check_utf8(reel_str_t s, reel_error_t *e)
{
    size_t          i, n;
    const uint8_t  *p = (const uint8_t *) s.p;

    for (i = 0; i < s.len; i += n) {
        n = reel_utf8_len(p + i, s.len - i);

        if (n == 0 || p[i] == '\0') {
            return reel_fail(e, REEL_BADDATA, "byte %zu is 0x%02x: it is "
                             "not UTF-8", i, p[i]);
        }
    }

    return REEL_OK;
}


static reel_str_t
skip_bom(reel_str_t s)
{
    return reel_str_prefix(s, "\xef\xbb\xbf")
           ? (reel_str_t) { s.p + 3, s.len - 3 } : s;
}


/* hh:mm:ss[,mmm] off *s */
static bool
take_time(reel_str_t *s, int64_t *ms)
{
    size_t   n;
    int64_t  hours, minutes, seconds, fraction = 0;

    *s = reel_text_trim(*s);

    if (reel_text_digits(s, 6, &hours) == 0 || !reel_text_char(s, ":")
        || reel_text_digits(s, 2, &minutes) == 0 || !reel_text_char(s, ":")
        || reel_text_digits(s, 2, &seconds) == 0)
    {
        return false;
    }

    if (reel_text_char(s, ",.")) {
        n = reel_text_digits(s, 3, &fraction);
        fraction *= n == 1 ? 100 : n == 2 ? 10 : 1;
    }

    *ms = ((hours * 60 + minutes) * 60 + seconds) * 1000 + fraction;

    return minutes < 60 && seconds < 60;
}


static bool
take_times(reel_str_t line, reel_vtt_cue_t *cue)
{
    if (reel_text_arrow(line) == line.len || !take_time(&line,
                                                        &cue->start_ms))
    {
        return false;
    }

    line = reel_text_trim(line);

    if (!reel_str_prefix(line, "-->")) {
        return false;
    }

    line.p += 3;
    line.len -= 3;

    /* what stands behind them is where on the screen: nobody's pixels */
    return take_time(&line, &cue->end_ms);
}


static reel_err_t
add_cue(list_t *l, const reel_vtt_cue_t *cue, reel_error_t *e)
{
    void    *p;
    size_t   room = l->room != 0 ? 2 * l->room : CUES_FIRST;

    if (l->n == CUES_MAX) {
        return reel_fail(e, REEL_LIMIT, "it has over %d cues", CUES_MAX);
    }

    if (l->n == l->room) {
        p = realloc(l->cues, room * sizeof(*l->cues));
        if (p == NULL) {
            return REEL_NOMEM;
        }

        l->cues = p;
        l->room = room;
    }

    l->cues[l->n++] = *cue;

    return REEL_OK;
}


/* a line of digits alone, which stands before times */
static bool
is_number(reel_str_t line)
{
    size_t  i;

    line = reel_text_trim(line);

    for (i = 0; i < line.len; i++) {
        if (line.p[i] < '0' || line.p[i] > '9') {
            return false;
        }
    }

    return line.len != 0;
}


/* the lines up to a blank one, or to the next times where there is none */
static reel_str_t
take_text(reel_str_t *s)
{
    reel_str_t      text = { s->p, 0 }, line, next, after;
    reel_vtt_cue_t  none;

    while (s->len > 0) {
        next = *s;
        line = reel_text_line(&next);
        after = next;

        if (reel_text_trim(line).len == 0 || take_times(line, &none)
            || (is_number(line) && take_times(reel_text_line(&after),
                                              &none)))
        {
            break;
        }

        text.len = (size_t) (line.p + line.len - text.p);
        *s = next;
    }

    return text;
}


static reel_err_t
read_cues(list_t *l, reel_str_t file, reel_error_t *e)
{
    reel_err_t      err = REEL_OK;
    reel_vtt_cue_t  cue = { .settings = { "", 0 } };

    while (err == REEL_OK && file.len > 0) {

        if (!take_times(reel_text_line(&file), &cue)) {
            continue;
        }

        cue.text = take_text(&file);

        if (cue.text.len != 0 && cue.end_ms > cue.start_ms) {
            err = add_cue(l, &cue, e);
        }
    }

    if (err == REEL_OK && l->n == 0) {
        return reel_fail(e, REEL_BADDATA, "it has no cue");
    }

    return err;
}


/* those of one start stay in their order: their texts lie so */
static int
by_start(const void *one, const void *two)
{
    const reel_vtt_cue_t  *a = one, *b = two;

    if (a->start_ms != b->start_ms) {
        return a->start_ms < b->start_ms ? -1 : 1;
    }

    return a->text.p < b->text.p ? -1 : a->text.p > b->text.p;
}


/*
 * The length of a tag that stays as it is, or *out of one that goes; else 0.
 * A mark that begins none is looked behind for TAG_MAX bytes, not to the end.
 */
static size_t
tag_at(reel_str_t s, bool *out)
{
    size_t      n;
    reel_str_t  tag;

    static const char *const  kept[] = {
        "<i>", "</i>", "<b>", "</b>", "<u>", "</u>"
    };

    *out = false;

    for (n = 0; n < sizeof(kept) / sizeof(kept[0]); n++) {
        if (reel_str_prefix(s, kept[n])) {
            return strlen(kept[n]);
        }
    }

    *out = true;
    s.len = s.len < TAG_MAX ? s.len : TAG_MAX;

    if (reel_str_prefix(s, "{\\")) {
        tag = reel_str_cut(s, '}', &s);
        return s.p != NULL ? tag.len + 1 : 0;
    }

    if (!reel_str_prefix(s, "<font") && !reel_str_prefix(s, "</font")) {
        return 0;
    }

    tag = reel_str_cut(s, '>', &s);

    return s.p != NULL ? tag.len + 1 : 0;
}


static bool
is_control(char c)
{
    return (unsigned char) c < 0x20 || c == 0x7f;
}


static void
put_line(reel_buf_t *b, reel_str_t s)
{
    bool    out;
    size_t  n;

    while (s.len > 0) {
        n = tag_at(s, &out);

        if (n == 0) {
            if (!is_control(s.p[0])) {
                reel_vtt_put_char(b, s.p, 1);
            }

            n = 1;
        } else if (!out) {
            reel_buf_add(b, s.p, n);
        }

        s.p += n;
        s.len -= n;
    }
}


/* no line of it is blank: that would end the cue */
static void
put_text(reel_buf_t *b, reel_str_t text)
{
    size_t      before;
    reel_str_t  line;

    while (text.len > 0) {
        line = reel_text_trim(reel_text_line(&text));
        before = b->len;
        put_line(b, line);

        if (b->len != before) {
            reel_buf_u8(b, '\n');
        }
    }

    reel_buf_u8(b, '\n');
}


reel_err_t
reel_srt_vtt(reel_buf_t *b, reel_str_t file, reel_error_t *e)
{
    size_t      i;
    list_t      l = { .n = 0 };
    reel_err_t  err;

    file = skip_bom(file);

    err = check_utf8(file, e);
    if (err == REEL_OK) {
        err = read_cues(&l, file, e);
    }

    if (err != REEL_OK) {
        free(l.cues);
        return err;
    }

    qsort(l.cues, l.n, sizeof(*l.cues), by_start);
    reel_buf_addz(b, "WEBVTT\n\n");

    for (i = 0; i < l.n; i++) {
        reel_vtt_put_time(b, l.cues[i].start_ms);
        reel_buf_addz(b, " --> ");
        reel_vtt_put_time(b, l.cues[i].end_ms);
        reel_buf_addz(b, "\n");
        put_text(b, l.cues[i].text);
    }

    free(l.cues);

    return reel_buf_err(b);
}


reel_err_t
reel_vtt_check(reel_str_t file, reel_error_t *e)
{
    size_t          n = 0;
    reel_err_t      err;
    reel_vtt_t      v;
    reel_vtt_cue_t  cue;

    err = check_utf8(skip_bom(file), e);
    if (err == REEL_OK) {
        err = reel_vtt_open(&v, file, e);
    }

    if (err != REEL_OK) {
        return err;
    }

    while ((err = reel_vtt_next(&v, &cue, e)) == REEL_OK) {
        n++;
    }

    if (err == REEL_NOTFOUND && n == 0) {
        return reel_fail(e, REEL_BADDATA, "it has no cue");
    }

    return err == REEL_NOTFOUND ? REEL_OK : err;
}
