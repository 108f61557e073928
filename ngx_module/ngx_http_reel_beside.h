/*
 * Subtitle files beside a movie: "film.vtt", "film.en.srt",
 * "film.de-AT.forced.srt" of "film.mp4" (docs/http-api.md, Files).  All of
 * it runs in threads.
 */

#ifndef NGX_HTTP_REEL_BESIDE_H
#define NGX_HTTP_REEL_BESIDE_H

#include "ngx_module/ngx_http_reel_look.h"

typedef struct ngx_http_reel_texts_s  ngx_http_reel_texts_t;

/* are they those of l->beside still? */
ngx_uint_t ngx_http_reel_beside_same(ngx_http_reel_look_t *l);

/*
 * Finds and reads them, and sets l->beside; what cannot be read is logged
 * and left out.  NULL: no memory.
 */
ngx_http_reel_texts_t *ngx_http_reel_beside_read(ngx_http_reel_look_t *l,
    ngx_log_t *log);

/*
 * One more, which is within the movie; it takes vtt, and borrows the
 * language.  NGX_DECLINED: there are as many as may be.
 */
ngx_int_t ngx_http_reel_beside_add(ngx_http_reel_texts_t *t,
    const reel_movie_text_t *text, reel_buf_t *vtt);

/* m borrows t until it is printed */
void ngx_http_reel_beside_set(ngx_http_reel_texts_t *t, reel_movie_t *m);

void ngx_http_reel_beside_free(ngx_http_reel_texts_t *t);


/* ngx_http_reel_beside_name.c */

#define NGX_HTTP_REEL_BESIDE_LANGUAGE  35

typedef struct {
    char        language[NGX_HTTP_REEL_BESIDE_LANGUAGE + 1];   /* "": none */
    uint32_t    roles;
    ngx_uint_t  srt;                    /* or it is WebVTT */
} ngx_http_reel_beside_name_t;

/*
 * Is that a text of the movie base?  Its suffix, "" or ".mp4", stands behind
 * stem bytes.  Then n is what the name tells.
 */
ngx_uint_t ngx_http_reel_beside_name(ngx_http_reel_beside_name_t *n,
    const char *name, const char *base, size_t stem, reel_str_t suffix);


/* ngx_http_reel_within.c */

/*
 * Adds the tracks of text that m has within its file, which is open as fd;
 * what cannot be read is logged and left out.
 */
void ngx_http_reel_within_read(ngx_http_reel_texts_t *t, reel_movie_t *m,
    ngx_http_reel_look_t *l, ngx_fd_t fd, ngx_log_t *log);

#endif
