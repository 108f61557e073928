/* files of the server, each fetched once, within bounds */

#include <stdio.h>
#include <stdarg.h>
#include <stdlib.h>
#include <strings.h>
#include <time.h>

#include "reelctl/check.h"


#define SEGMENT_MAX (64u << 20)
#define TIMEOUT_S   60
#define REDIRECTS   5


static void
copy(char *dst, size_t cap, const char *src)
{
    (void) snprintf(dst, cap, "%.*s", (int) cap - 1, src);
}


void
reel_check_stop(reel_check_t *k, const char *fmt, ...)
{
    va_list  ap;

    if (k->stop[0] == '\0') {
        va_start(ap, fmt);
        (void) vsnprintf(k->stop, sizeof(k->stop), fmt, ap);
        va_end(ap);
    }
}


static int64_t
clock_ms(void)
{
    struct timespec  ts;

    (void) clock_gettime(CLOCK_MONOTONIC, &ts);

    return (int64_t) ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}


void
reel_check_until(reel_check_t *k, uint64_t seconds)
{
    k->until_ms = clock_ms() + (int64_t) seconds * 1000;
}


bool
reel_check_room(reel_check_t *k, uint64_t n)
{
    if (n > REEL_CHECK_SEGMENTS - k->nsegments) {
        reel_check_stop(k, "it names more than %u segments",
                        REEL_CHECK_SEGMENTS);
        return false;
    }

    k->nsegments += (unsigned) n;

    return true;
}


char *
reel_check_join(reel_check_t *k, const char *base, reel_str_t uri)
{
    char        *url = reel_ctl_url_join(base, uri);
    reel_buf_t   b;

    if (url != NULL) {
        return url;
    }

    reel_buf_init(&b, 512);
    reel_buf_addz(&b, "invalid:");
    uri.len = uri.len > 400 ? 400 : uri.len;
    reel_buf_adds(&b, uri);

    if (reel_buf_err(&b) == REEL_OK) {
        url = strndup((const char *) b.data, b.len);
    }

    reel_buf_release(&b);
    k->broken |= url == NULL;

    return url;
}


/* what is left of the run's time, for one more answer */
static bool
in_time(reel_check_t *k, reel_ctl_request_t *rq)
{
    int64_t  left = k->until_ms - clock_ms();

    if (k->stop[0] == '\0' && left <= 0) {
        reel_check_stop(k, "it took too long; --timeout gives more time");
    }

    if (k->stop[0] != '\0') {
        return false;
    }

    left = (left + 999) / 1000;
    rq->timeout_s = left < TIMEOUT_S ? (long) left : TIMEOUT_S;

    return true;
}


/* one request, redirects followed; *first is where the first one went */
static reel_err_t
ask(reel_check_t *k, reel_ctl_request_t *rq, reel_ctl_answer_t *a,
    char *first, size_t cap, reel_error_t *e)
{
    char        *at = NULL, *to;
    unsigned     n;
    reel_err_t   err;

    first[0] = '\0';
    *a = (reel_ctl_answer_t) { 0 };

    for (n = 0; ; n++) {

        if (!in_time(k, rq)) {
            err = reel_fail(e, REEL_LIMIT, "not asked for any more");
            break;
        }

        err = reel_ctl_http(k->c, rq, a, e);

        if (err != REEL_OK || a->status < 300 || a->status > 399
            || a->location[0] == '\0' || n == REDIRECTS)
        {
            break;
        }

        to = reel_ctl_url_join(rq->url, reel_str(a->location));

        if (to == NULL) {
            break;
        }

        if (n == 0) {
            copy(first, cap, to);
        }

        reel_ctl_answer_release(a);
        free(at);
        at = to;
        rq->url = at;
    }

    free(at);

    return err;
}


static reel_check_file_t *
find(reel_check_t *k, const char *url)
{
    unsigned  n;

    for (n = 0; n < k->nfiles; n++) {
        if (strcmp(k->files[n]->url, url) == 0) {
            return k->files[n];
        }
    }

    return NULL;
}


reel_check_file_t *
reel_check_get(reel_check_t *k, const char *url, size_t max, bool keep)
{
    reel_err_t           err;
    reel_error_t         e = { "" };
    reel_ctl_answer_t    a;
    reel_check_file_t   *f = find(k, url);
    reel_ctl_request_t   rq = { .method = "GET", .url = url, .fd = -1,
                                .timeout_s = TIMEOUT_S, .max_body = max,
                                .gzip = true };

    if (f != NULL) {
        return f;
    }

    if (k->nfiles == REEL_CHECK_FILES) {
        reel_check_stop(k, "it names more than %u files", REEL_CHECK_FILES);
        return NULL;
    }

    f = calloc(1, sizeof(*f));

    if (f == NULL || (f->url = strdup(url)) == NULL) {
        free(f);
        k->broken = true;
        return NULL;
    }

    k->files[k->nfiles++] = f;
    f->tried = true;

    err = ask(k, &rq, &a, f->redirect, sizeof(f->redirect), &e);

    if (err != REEL_OK) {
        copy(f->problem, sizeof(f->problem), e.text);

    } else {
        f->status = a.status;
        f->size = a.body.len;
        copy(f->type, sizeof(f->type), a.type);
        copy(f->encoding, sizeof(f->encoding), a.encoding);
        copy(f->cors, sizeof(f->cors), a.cors);

        if (a.status != 200) {
            (void) snprintf(f->problem, sizeof(f->problem), "HTTP %ld",
                            a.status);
        }

        if (keep && a.status == 200) {
            f->body = a.body;
            a.body = (reel_buf_t) { 0 };
            k->kept += f->body.len;

            if (k->kept > REEL_CHECK_KEPT) {
                reel_check_stop(k, "its playlists and headers have more than "
                                "%u MiB", REEL_CHECK_KEPT >> 20);
            }
        }
    }

    reel_ctl_answer_release(&a);

    return f;
}


static void
note_segment(reel_check_segment_t *s, const reel_ctl_answer_t *a)
{
    s->tried = true;
    s->status = a->status;
    copy(s->type, sizeof(s->type), a->type);
}


void
reel_check_head(reel_check_t *k, reel_check_segment_t *s)
{
    char                redirect[96];
    uint64_t            v;
    reel_error_t        e;
    reel_ctl_answer_t   a;
    reel_ctl_request_t  rq = { .method = "HEAD", .url = s->url, .fd = -1,
                               .timeout_s = TIMEOUT_S };

    if (ask(k, &rq, &a, redirect, sizeof(redirect), &e) == REEL_OK) {
        note_segment(s, &a);
        copy(s->redirect, sizeof(s->redirect), redirect);

        if (a.status == 200
            && reel_str_u64(reel_str(a.length), INT64_MAX, &v) == REEL_OK)
        {
            s->sized = true;
            s->size = v;
        }

    } else {
        s->tried = true;
    }

    reel_ctl_answer_release(&a);
}


bool
reel_check_get_segment(reel_check_t *k, reel_check_segment_t *s,
    reel_buf_t *body)
{
    bool                got;
    char                range[64], redirect[96];
    reel_error_t        e;
    reel_ctl_answer_t   a;
    reel_ctl_request_t  rq = { .method = "GET", .url = s->url, .fd = -1,
                               .timeout_s = TIMEOUT_S,
                               .max_body = SEGMENT_MAX };

    if (s->length != 0) {
        (void) snprintf(range, sizeof(range), "Range: bytes=%llu-%llu",
                        (unsigned long long) s->offset,
                        (unsigned long long) (s->offset + s->length - 1));
        rq.headers[0] = range;
    }

    if (ask(k, &rq, &a, redirect, sizeof(redirect), &e) != REEL_OK) {
        s->tried = true;
        reel_ctl_answer_release(&a);
        return false;
    }

    note_segment(s, &a);
    copy(s->redirect, sizeof(s->redirect), redirect);
    got = a.status == (s->length != 0 ? 206 : 200)
          && (s->length == 0 || a.body.len == s->length);

    if (got) {
        s->sized = true;
        s->size = a.body.len;
        *body = a.body;
        a.body = (reel_buf_t) { 0 };
    }

    reel_ctl_answer_release(&a);

    return got;
}


/* the same again, as a client that takes nothing weak */
void
reel_check_try_tls(reel_check_t *k, const char *url)
{
    reel_error_t        e;
    reel_ctl_answer_t   a;
    reel_ctl_request_t  rq = { .method = "HEAD", .url = url, .fd = -1,
                               .timeout_s = TIMEOUT_S, .strict_tls = true };

    k->https = strncasecmp(url, "https:", 6) == 0;

    if (k->https) {
        reel_ctl_http_close(k->c);      /* the connection that stands */
        k->strict_tls = reel_ctl_http(k->c, &rq, &a, &e) == REEL_OK;
        reel_ctl_answer_release(&a);
    }
}
