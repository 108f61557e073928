#include "lib/text/webvtt.h"

#include <inttypes.h>

#include "lib/text/line.h"

#define HOUR_DIGITS  9


/* digits off *s, exact of them; of hours (0) two or more */
static bool
take_digits(reel_str_t *s, size_t exact, int64_t *v)
{
    size_t  n = reel_text_digits(s, HOUR_DIGITS + 1, v);

    return exact != 0 ? n == exact : n >= 2 && n <= HOUR_DIGITS;
}


/* [hours:]mm:ss.mmm off *s */
static bool
take_time(reel_str_t *s, int64_t *ms)
{
    int64_t  a, b, c = -1, fraction;

    if (!take_digits(s, 0, &a) || !reel_text_char(s, ":")
        || !take_digits(s, 2, &b))
    {
        return false;
    }

    if (reel_text_char(s, ":") && !take_digits(s, 2, &c)) {
        return false;
    }

    if (!reel_text_char(s, ".") || !take_digits(s, 3, &fraction)) {
        return false;
    }

    if (c < 0) {
        c = b;
        b = a;
        a = 0;
    }

    *ms = ((a * 60 + b) * 60 + c) * 1000 + fraction;

    return b < 60 && c < 60 && *ms < REEL_VTT_TIME_MAX;
}


/* <time> --> <time>[ settings] */
static bool
parse_times(reel_str_t line, reel_vtt_cue_t *cue)
{
    line = reel_text_trim(line);

    if (!take_time(&line, &cue->start_ms)) {
        return false;
    }

    line = reel_text_trim(line);

    if (line.len < 3 || memcmp(line.p, "-->", 3) != 0) {
        return false;
    }

    line.p += 3;
    line.len -= 3;
    line = reel_text_trim(line);

    if (!take_time(&line, &cue->end_ms)
        || (line.len > 0 && !reel_text_is_blank(line.p[0])))
    {
        return false;
    }

    cue->settings = reel_text_trim(line);

    return cue->end_ms > cue->start_ms
           && reel_text_arrow(cue->settings) == cue->settings.len;
}


reel_err_t
reel_vtt_open(reel_vtt_t *v, reel_str_t file, reel_error_t *e)
{
    reel_str_t  line;

    if (reel_str_prefix(file, "\xef\xbb\xbf")) {
        file.p += 3;
        file.len -= 3;
    }

    v->rest = file;
    line = reel_text_line(&v->rest);

    if (!reel_str_prefix(line, "WEBVTT")
        || (line.len > 6 && !reel_text_is_blank(line.p[6])))
    {
        return reel_fail(e, REEL_BADDATA, "it does not begin with WEBVTT");
    }

    /* what else the header says, as far as the first blank line */
    while (v->rest.len > 0 && reel_text_line(&v->rest).len > 0) { /* void */ }

    return REEL_OK;
}


/* the lines of a block from here on; the blank one behind them is taken */
static reel_str_t
take_block(reel_str_t *s)
{
    reel_str_t  block = { s->p, 0 }, line;

    while (s->len > 0) {
        line = reel_text_line(s);
        if (line.len == 0) {
            break;
        }
        block.len = (size_t) (line.p + line.len - block.p);
    }

    return block;
}


reel_err_t
reel_vtt_next(reel_vtt_t *v, reel_vtt_cue_t *cue, reel_error_t *e)
{
    size_t      at;
    reel_str_t  block, line;

    while (v->rest.len > 0) {
        block = take_block(&v->rest);
        line = reel_text_line(&block);
        at = reel_text_arrow(line);

        /* an identifier may stand above the times */
        if (at == line.len && block.len > 0) {
            line = reel_text_line(&block);
            at = reel_text_arrow(line);
        }

        if (at == line.len) {
            continue;
        }

        if (!parse_times(line, cue)) {
            v->rest.len = 0;
            return reel_fail(e, REEL_BADDATA, "\"%.*s\" are no times of a "
                             "cue", (int) (line.len < 60 ? line.len : 60),
                             line.p);
        }

        cue->text = block;

        return REEL_OK;
    }

    return REEL_NOTFOUND;
}


void
reel_vtt_put_time(reel_buf_t *b, int64_t ms)
{
    reel_buf_printf(b, "%02" PRId64 ":%02d:%02d.%03d", ms / 3600000,
                    (int) (ms / 60000 % 60), (int) (ms / 1000 % 60),
                    (int) (ms % 1000));
}


void
reel_vtt_put_char(reel_buf_t *b, const char *p, size_t n)
{
    switch (p[0]) {

    case '&':
        reel_buf_addz(b, "&amp;");
        break;

    case '<':
        reel_buf_addz(b, "&lt;");
        break;

    case '>':
        reel_buf_addz(b, "&gt;");
        break;

    default:
        reel_buf_add(b, p, n);
    }
}


void
reel_vtt_put_cue(reel_buf_t *b, const reel_vtt_cue_t *cue)
{
    reel_vtt_put_time(b, cue->start_ms);
    reel_buf_addz(b, " --> ");
    reel_vtt_put_time(b, cue->end_ms);

    if (cue->settings.len > 0) {
        reel_buf_addz(b, " ");
        reel_buf_adds(b, cue->settings);
    }

    reel_buf_addz(b, "\n");
    reel_buf_adds(b, cue->text);
    reel_buf_addz(b, "\n\n");
}


reel_err_t
reel_vtt_cut(reel_buf_t *b, reel_str_t file, int64_t from_ms, int64_t to_ms,
    uint64_t mpegts, reel_error_t *e)
{
    reel_err_t      err;
    reel_vtt_t      v;
    reel_vtt_cue_t  cue;

    err = reel_vtt_open(&v, file, e);
    if (err != REEL_OK) {
        return err;
    }

    reel_buf_printf(b, "WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:%" PRIu64
                    ",LOCAL:00:00:00.000\n\n", mpegts);

    while ((err = reel_vtt_next(&v, &cue, e)) == REEL_OK) {
        if (cue.start_ms < to_ms && cue.end_ms > from_ms) {
            reel_vtt_put_cue(b, &cue);
        }
    }

    return err == REEL_NOTFOUND ? reel_buf_err(b) : err;
}


reel_err_t
reel_vtt_clip(reel_buf_t *b, reel_str_t file, int64_t from_ms, int64_t to_ms,
    reel_error_t *e)
{
    reel_err_t      err;
    reel_vtt_t      v;
    reel_vtt_cue_t  cue;

    err = reel_vtt_open(&v, file, e);
    if (err != REEL_OK) {
        return err;
    }

    reel_buf_addz(b, "WEBVTT\n\n");

    while ((err = reel_vtt_next(&v, &cue, e)) == REEL_OK) {
        if (cue.start_ms >= to_ms || cue.end_ms <= from_ms) {
            continue;
        }

        cue.start_ms = cue.start_ms > from_ms ? cue.start_ms - from_ms : 0;
        cue.end_ms = (cue.end_ms < to_ms ? cue.end_ms : to_ms) - from_ms;
        reel_vtt_put_cue(b, &cue);
    }

    return err == REEL_NOTFOUND ? reel_buf_err(b) : err;
}
