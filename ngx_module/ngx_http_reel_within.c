/*
 * Tracks of text within a movie, tx3g, as WebVTT: read once, with its index,
 * in a thread.  Their samples lie between pictures and sound: those that lie
 * near each other come by one read.
 */

#include "ngx_module/ngx_http_reel_beside.h"

#include "lib/text/tx3g.h"

/* bytes a read, and so of one sample at most */
#define WINDOW   (64 * 1024)
/* of one track's WebVTT, and of the samples that it is made of */
#define VTT_MAX   (2 * 1024 * 1024)
#define READ_MAX  (16 * 1024 * 1024)

typedef struct {
    ngx_fd_t   fd;
    uint64_t   at;                      /* of what buf holds */
    size_t     len;
    u_char     buf[WINDOW];
} window_t;

static reel_err_t read_track(window_t *w, reel_movie_t *m, ngx_uint_t i,
    reel_movie_text_t *text, reel_buf_t *vtt, reel_error_t *e);
static reel_err_t read_cue(window_t *w, const reel_movie_cue_t *cue,
    reel_str_t *s);


void
ngx_http_reel_within_read(ngx_http_reel_texts_t *t, reel_movie_t *m,
    ngx_http_reel_look_t *l, ngx_fd_t fd, ngx_log_t *log)
{
    window_t           *w;
    ngx_uint_t          i, n;
    reel_buf_t          vtt;
    reel_err_t          err;
    reel_error_t        e;
    reel_movie_text_t   text;

    n = reel_movie_timed(m);
    w = n ? ngx_alloc(sizeof(window_t), log) : NULL;

    if (w == NULL) {
        return;
    }

    w->fd = fd;
    w->len = 0;

    for (i = 0; i < n; i++) {
        e.text[0] = '\0';
        reel_buf_init(&vtt, VTT_MAX);

        err = read_track(w, m, i, &text, &vtt, &e);

        if (err == REEL_OK
            && ngx_http_reel_beside_add(t, &text, &vtt) == NGX_OK)
        {
            continue;
        }

        reel_buf_release(&vtt);

        if (err != REEL_NOTFOUND) {
            ngx_log_error(NGX_LOG_NOTICE, log, 0, "reel: a text of \"%s\" is "
                          "left out: %s", l->path,
                          err == REEL_OK ? "there are too many"
                          : e.text[0] ? e.text : reel_err_name(err));
        }
    }

    ngx_free(w);
}


/* REEL_NOTFOUND: it says nothing */
static reel_err_t
read_track(window_t *w, reel_movie_t *m, ngx_uint_t i,
    reel_movie_text_t *text, reel_buf_t *vtt, reel_error_t *e)
{
    size_t             head, bytes;
    uint32_t           k, n;
    reel_err_t         err;
    reel_str_t         s;
    reel_movie_cue_t  *cues;

    err = reel_movie_cues(m, (unsigned) i, &cues, &n, text, e);
    if (err != REEL_OK) {
        return err;
    }

    if (reel_str_eqz(text->language, "und")) {
        text->language.len = 0;
    }

    reel_buf_addz(vtt, "WEBVTT\n");
    head = vtt->len;
    bytes = 0;

    for (k = 0; err == REEL_OK && k < n; k++) {
        err = read_cue(w, &cues[k], &s);

        if (err == REEL_OK) {
            bytes += s.len;
            reel_tx3g_cue(vtt, s, cues[k].start_ms, cues[k].end_ms);
            err = bytes > READ_MAX ? REEL_LIMIT : reel_buf_err(vtt);
        }
    }

    free(cues);

    return err == REEL_OK && vtt->len == head ? REEL_NOTFOUND : err;
}


/* a longer one is cut short: its words are at its beginning */
static reel_err_t
read_cue(window_t *w, const reel_movie_cue_t *cue, reel_str_t *s)
{
    size_t   size;
    ssize_t  n;

    size = ngx_min(cue->size, WINDOW);

    if (cue->offset < w->at || cue->offset - w->at > w->len
        || w->len - (size_t) (cue->offset - w->at) < size)
    {
        n = pread(w->fd, w->buf, WINDOW, (off_t) cue->offset);
        w->len = n > 0 ? (size_t) n : 0;
        w->at = cue->offset;

        if (w->len < size) {
            return REEL_IO;
        }
    }

    s->p = (char *) w->buf + (cue->offset - w->at);
    s->len = size;

    return REEL_OK;
}
