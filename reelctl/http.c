/* one request, one answer; libcurl's transfers stay here and in its sibling */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "lib/store/pread.h"
#include "reelctl/http_impl.h"
#include "reelctl/interrupt.h"


#define BODY_MAX      (16 * 1024 * 1024)
#define CONNECT_S     10
#define STALL_S       300       /* a server may sync for long at the end */


static size_t
on_read(char *dst, size_t size, size_t n, void *arg)
{
    ssize_t               got;
    uint64_t              left;
    reel_ctl_transfer_t  *t = arg;

    n *= size;
    left = t->rq->size - t->at;
    n = n > left ? (size_t) left : n;

    if (n == 0) {
        return 0;
    }

    got = reel_pread(t->rq->fd, dst, n, t->rq->offset + t->at);

    if (got <= 0) {
        t->broken = got == 0 ? "it became shorter" : strerror(errno);
        return CURL_READFUNC_ABORT;
    }

    t->at += (uint64_t) got;

    return (size_t) got;
}


static int
on_seek(void *arg, curl_off_t offset, int origin)
{
    reel_ctl_transfer_t  *t = arg;

    if (origin != SEEK_SET || offset < 0 || (uint64_t) offset > t->rq->size) {
        return CURL_SEEKFUNC_FAIL;
    }

    t->at = (uint64_t) offset;

    return CURL_SEEKFUNC_OK;
}


static size_t
on_body(char *p, size_t size, size_t n, void *arg)
{
    reel_ctl_transfer_t  *t = arg;

    reel_buf_add(&t->answer.body, p, size * n);

    return reel_buf_err(&t->answer.body) == REEL_OK ? size * n : 0;
}


static bool
take_header(reel_str_t line, const char *name, char *dst, size_t cap)
{
    size_t  n = strlen(name);

    if (line.len < n || strncasecmp(line.p, name, n) != 0) {
        return false;
    }

    line.p += n;
    line.len -= n;

    while (line.len != 0 && (line.p[0] == ' ' || line.p[0] == '\t')) {
        line.p++;
        line.len--;
    }

    while (line.len != 0 && (uint8_t) line.p[line.len - 1] <= ' ') {
        line.len--;
    }

    /* too long is as good as absent */
    (void) !reel_str_copy(dst, cap, line);

    return true;
}


static size_t
on_header(char *p, size_t size, size_t n, void *arg)
{
    reel_str_t            line = { p, size * n };
    reel_ctl_transfer_t  *t = arg;
    reel_ctl_answer_t    *a = &t->answer;

    if (reel_str_prefix(line, "HTTP/")) {
        /* 100, then the real one */
        a->asset[0] = a->etag[0] = a->type[0] = a->encoding[0] = '\0';
        a->length[0] = a->location[0] = a->cors[0] = '\0';
    }

    (void) (take_header(line, "reel-asset:", a->asset, sizeof(a->asset))
            || take_header(line, "date:", a->date, sizeof(a->date))
            || take_header(line, "etag:", a->etag, sizeof(a->etag))
            || take_header(line, "content-type:", a->type, sizeof(a->type))
            || take_header(line, "content-encoding:", a->encoding,
                           sizeof(a->encoding))
            || take_header(line, "content-length:", a->length,
                           sizeof(a->length))
            || take_header(line, "location:", a->location,
                           sizeof(a->location))
            || take_header(line, "access-control-allow-origin:", a->cors,
                           sizeof(a->cors)));

    return size * n;
}


static int
on_progress(void *arg, curl_off_t dltotal, curl_off_t dlnow,
    curl_off_t ultotal, curl_off_t ulnow)
{
    reel_ctl_transfer_t  *t = arg;

    (void) dltotal;
    (void) dlnow;
    (void) ultotal;

    t->sent = (uint64_t) ulnow;

    if (t->rq->progress != NULL) {
        t->rq->progress(t->rq->arg, t->sent);
    }

    return reel_ctl_interrupted();
}


/* a proxy of the environment must not be asked for this very machine */
static bool
loopback(const char *url)
{
    bool    is = false;
    char   *host = NULL;
    CURLU  *u = curl_url();

    if (u != NULL && curl_url_set(u, CURLUPART_URL, url, 0) == CURLUE_OK
        && curl_url_get(u, CURLUPART_HOST, &host, 0) == CURLUE_OK)
    {
        is = strncmp(host, "127.", 4) == 0 || strcmp(host, "localhost") == 0
             || strcmp(host, "[::1]") == 0;
    }

    curl_free(host);
    curl_url_cleanup(u);

    return is;
}


static void
set_common(CURL *h, const reel_ctl_request_t *rq, reel_ctl_transfer_t *t)
{
    curl_easy_reset(h);
    curl_easy_setopt(h, CURLOPT_URL, rq->url);
    curl_easy_setopt(h, CURLOPT_CUSTOMREQUEST, rq->method);
    curl_easy_setopt(h, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(h, CURLOPT_PATH_AS_IS, 1L);    /* it was signed */
    curl_easy_setopt(h, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(h, CURLOPT_USERAGENT, "reelctl");
    curl_easy_setopt(h, CURLOPT_ERRORBUFFER, t->errbuf);
    curl_easy_setopt(h, CURLOPT_CONNECTTIMEOUT, (long) CONNECT_S);
    curl_easy_setopt(h, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(h, CURLOPT_WRITEDATA, t);
    curl_easy_setopt(h, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(h, CURLOPT_HEADERDATA, t);
    curl_easy_setopt(h, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(h, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(h, CURLOPT_XFERINFOFUNCTION, on_progress);
    curl_easy_setopt(h, CURLOPT_XFERINFODATA, t);

    if (loopback(rq->url)) {
        curl_easy_setopt(h, CURLOPT_NOPROXY, "*");
    }

    if (strcmp(rq->method, "HEAD") == 0) {
        curl_easy_setopt(h, CURLOPT_NOBODY, 1L);
    }

    if (rq->gzip) {
        curl_easy_setopt(h, CURLOPT_ACCEPT_ENCODING, "gzip");
    }

    if (rq->strict_tls) {
        curl_easy_setopt(h, CURLOPT_SSLVERSION, (long) CURL_SSLVERSION_TLSv1_2);
        curl_easy_setopt(h, CURLOPT_SSL_CIPHER_LIST, "kEECDH:kEDH");
    }

    if (rq->timeout_s != 0) {
        curl_easy_setopt(h, CURLOPT_TIMEOUT, rq->timeout_s);

    } else {
        curl_easy_setopt(h, CURLOPT_LOW_SPEED_LIMIT, 1L);
        curl_easy_setopt(h, CURLOPT_LOW_SPEED_TIME,
                         rq->stall_s != 0 ? rq->stall_s : (long) STALL_S);
    }
}


static void
set_body(CURL *h, const reel_ctl_request_t *rq, reel_ctl_transfer_t *t)
{
    if (rq->fd != -1) {
        curl_easy_setopt(h, CURLOPT_UPLOAD, 1L);
        curl_easy_setopt(h, CURLOPT_INFILESIZE_LARGE, (curl_off_t) rq->size);
        curl_easy_setopt(h, CURLOPT_READFUNCTION, on_read);
        curl_easy_setopt(h, CURLOPT_READDATA, t);
        curl_easy_setopt(h, CURLOPT_SEEKFUNCTION, on_seek);
        curl_easy_setopt(h, CURLOPT_SEEKDATA, t);
        curl_easy_setopt(h, CURLOPT_UPLOAD_BUFFERSIZE, 512L * 1024);
        curl_easy_setopt(h, CURLOPT_EXPECT_100_TIMEOUT_MS, 3000L);

    } else if (rq->body != NULL) {
        curl_easy_setopt(h, CURLOPT_POSTFIELDSIZE_LARGE,
                         (curl_off_t) rq->body_len);
        curl_easy_setopt(h, CURLOPT_POSTFIELDS, rq->body);
    }
}


static struct curl_slist *
make_headers(const reel_ctl_request_t *rq)
{
    size_t              i;
    struct curl_slist  *list = NULL, *more;

    for (i = 0; rq->headers[i] != NULL; i++) {
        more = curl_slist_append(list, rq->headers[i]);

        if (more == NULL) {
            curl_slist_free_all(list);
            return NULL;
        }

        list = more;
    }

    return list;
}


reel_err_t
reel_ctl_transfer_begin(reel_ctl_transfer_t *t, CURL *h,
    const reel_ctl_request_t *rq)
{
    *t = (reel_ctl_transfer_t) { .rq = rq };
    reel_buf_init(&t->answer.body,
                  rq->max_body != 0 ? rq->max_body : BODY_MAX);

    t->headers = make_headers(rq);
    if (t->headers == NULL && rq->headers[0] != NULL) {
        return REEL_NOMEM;
    }

    set_common(h, rq, t);
    set_body(h, rq, t);
    curl_easy_setopt(h, CURLOPT_HTTPHEADER, t->headers);

    return REEL_OK;
}


reel_err_t
reel_ctl_transfer_end(reel_ctl_transfer_t *t, CURL *h, CURLcode rc,
    reel_ctl_answer_t *a, reel_error_t *e)
{
    reel_err_t  err = REEL_OK;

    if (t->broken != NULL) {
        err = reel_fail(e, REEL_INVAL, "the file cannot be read: %s",
                        t->broken);

    } else if (reel_buf_err(&t->answer.body) != REEL_OK) {
        err = reel_fail(e, REEL_LIMIT, "the server's answer is too long");

    } else if (rc != CURLE_OK) {
        err = reel_fail(e, REEL_IO, "%s", t->errbuf[0] != '\0'
                                          ? t->errbuf
                                          : curl_easy_strerror(rc));

    } else {
        curl_easy_getinfo(h, CURLINFO_RESPONSE_CODE, &t->answer.status);
    }

    /* nothing of this request may outlive it in the handle */
    curl_easy_reset(h);
    curl_slist_free_all(t->headers);

    *a = t->answer;
    *t = (reel_ctl_transfer_t) { 0 };

    return err;
}


reel_err_t
reel_ctl_http(reel_ctl_t *c, const reel_ctl_request_t *rq,
    reel_ctl_answer_t *a, reel_error_t *e)
{
    CURLcode             rc;
    reel_ctl_transfer_t  t;

    *a = (reel_ctl_answer_t) { 0 };

    if (c->curl == NULL) {
        c->curl = curl_easy_init();
    }

    if (c->curl == NULL
        || reel_ctl_transfer_begin(&t, c->curl, rq) != REEL_OK)
    {
        return reel_fail(e, REEL_NOMEM, "out of memory");
    }

    rc = curl_easy_perform(c->curl);

    return reel_ctl_transfer_end(&t, c->curl, rc, a, e);
}


char *
reel_ctl_url_join(const char *base, reel_str_t uri)
{
    char   *z, *out = NULL, *mine = NULL;
    CURLU  *u = curl_url();

    z = strndup(uri.p != NULL ? uri.p : "", uri.len);

    if (u != NULL && z != NULL
        && (base == NULL
            || curl_url_set(u, CURLUPART_URL, base, 0) == CURLUE_OK)
        && curl_url_set(u, CURLUPART_URL, z, 0) == CURLUE_OK
        && curl_url_get(u, CURLUPART_URL, &out, 0) == CURLUE_OK)
    {
        mine = strdup(out);
    }

    free(z);
    curl_free(out);
    curl_url_cleanup(u);

    return mine;
}


bool
reel_ctl_passing(const reel_ctl_answer_t *a, reel_err_t err)
{
    char  code[32];

    if (err != REEL_OK) {
        return err == REEL_IO;
    }

    switch (a->status) {

    case 408:
    case 429:
    case 500:
    case 502:
    case 503:
    case 504:
        return true;

    case 400:
        /* bytes were lost or changed on the way */
        reel_ctl_refusal_code(a, code, sizeof(code));
        return strcmp(code, "BadDigest") == 0
               || strcmp(code, "RequestTimeout") == 0;

    default:
        return false;
    }
}


void
reel_ctl_answer_release(reel_ctl_answer_t *a)
{
    reel_buf_release(&a->body);
}


void
reel_ctl_http_close(reel_ctl_t *c)
{
    curl_easy_cleanup(c->curl);
    c->curl = NULL;
}
