#include "workerd/webhook_send.h"

#include <curl/curl.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "lib/base/version.h"
#include "lib/hook/address.h"
#include "workerd/worker.h"

#define CONNECT_S   5
#define ANSWER_MAX  (64u << 10)         /* read of an answer, and dropped */
#define HEADERS_MAX 1024

typedef struct {
    const reel_webhook_conf_t  *conf;
    CURL                       *curl;
    struct curl_slist          *headers;
    size_t                      message;
    size_t                      got;
    bool                        refused;    /* its address */
    char                        why[CURL_ERROR_SIZE];
} transfer_t;

typedef struct {
    const reel_webhook_conf_t  *conf;
    reel_hook_secrets_t         secrets;
    reel_webhook_message_t     *messages;
    size_t                      n;
    size_t                      next;
    CURLM                      *multi;
    reel_webhook_sent_fn        sent;
    void                       *arg;
} batch_t;


/* what an endpoint says beyond its status is nobody's */
static size_t
on_body(char *p, size_t size, size_t n, void *arg)
{
    transfer_t  *t = arg;

    (void) p;
    t->got += size * n;

    return t->got > ANSWER_MAX ? 0 : n;
}


/*
 * The address that will be connected to, after every look-up: a name that
 * is answered in two ways (DNS rebinding) gains nothing.
 */
static curl_socket_t
on_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *a)
{
    bool         public = false;
    transfer_t  *t = arg;

    (void) purpose;

    if (a->family == AF_INET) {
        struct sockaddr_in   in;

        memcpy(&in, &a->addr, sizeof(in));
        public = reel_hook_address_public((uint8_t *) &in.sin_addr, 4);

    } else if (a->family == AF_INET6 && a->addrlen >= sizeof(
                   struct sockaddr_in6))
    {
        /* curl has room for it behind its own addr */
        public = reel_hook_address_public(
            (uint8_t *) &((struct sockaddr_in6 *) (void *) &a->addr)
                ->sin6_addr, 16);
    }

    if (!public && !t->conf->allow_private) {
        t->refused = true;
        return CURL_SOCKET_BAD;
    }

    return socket(a->family, a->socktype | SOCK_CLOEXEC, a->protocol);
}


static reel_err_t add_header(transfer_t *t, const char *fmt, ...)
    REEL_PRINTF(2, 3);

static reel_err_t
add_header(transfer_t *t, const char *fmt, ...)
{
    char                line[HEADERS_MAX];
    int                 n;
    va_list             ap;
    struct curl_slist  *list;

    va_start(ap, fmt);
    n = vsnprintf(line, sizeof(line), fmt, ap);
    va_end(ap);

    if (n < 0 || (size_t) n >= sizeof(line)) {
        return REEL_LIMIT;
    }

    list = curl_slist_append(t->headers, line);
    if (list == NULL) {
        return REEL_NOMEM;
    }
    t->headers = list;

    return REEL_OK;
}


static reel_err_t
make_headers(transfer_t *t, const batch_t *b,
    const reel_webhook_message_t *m)
{
    reel_buf_t  sign;
    reel_err_t  err;
    int64_t     now_s = reel_unix_ms() / 1000;

    reel_buf_init(&sign, HEADERS_MAX);
    err = reel_hook_sign(&sign, &b->secrets, m->id, now_s, m->body.data,
                         m->body.len);

    if (err == REEL_OK) {
        err = add_header(t, "Content-Type: application/json");
    }
    if (err == REEL_OK) {
        err = add_header(t, "webhook-id: %s", m->id);
    }
    if (err == REEL_OK) {
        err = add_header(t, "webhook-timestamp: %lld", (long long) now_s);
    }
    if (err == REEL_OK) {
        err = add_header(t, "webhook-signature: %s", reel_buf_cstr(&sign));
    }
    if (err == REEL_OK) {
        err = add_header(t, "Expect:");         /* no round trip for 100 */
    }

    reel_buf_release(&sign);

    return err;
}


/* true unless one of them was refused, which only a curl too old does */
static bool
set_options(transfer_t *t, const reel_webhook_message_t *m)
{
    bool         ok;
    CURL        *c = t->curl;
    const char  *schemes = t->conf->allow_private ? "http,https" : "https";

    ok = curl_easy_setopt(c, CURLOPT_URL, t->conf->url) == CURLE_OK
         && curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, schemes) == CURLE_OK
         && curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK
         && curl_easy_setopt(c, CURLOPT_PROXY, "") == CURLE_OK
         && curl_easy_setopt(c, CURLOPT_SSL_VERIFYPEER, 1L) == CURLE_OK
         && curl_easy_setopt(c, CURLOPT_SSL_VERIFYHOST, 2L) == CURLE_OK
         && curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L) == CURLE_OK
         && curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT, (long) CONNECT_S)
            == CURLE_OK
         && curl_easy_setopt(c, CURLOPT_TIMEOUT,
                             (long) REEL_WEBHOOK_TIMEOUT_S) == CURLE_OK
         && curl_easy_setopt(c, CURLOPT_POSTFIELDS, m->body.data) == CURLE_OK
         && curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE, (long) m->body.len)
            == CURLE_OK
         && curl_easy_setopt(c, CURLOPT_HTTPHEADER, t->headers) == CURLE_OK
         && curl_easy_setopt(c, CURLOPT_USERAGENT,
                             "reel/" REEL_VERSION) == CURLE_OK
         && curl_easy_setopt(c, CURLOPT_ERRORBUFFER, t->why) == CURLE_OK
         && curl_easy_setopt(c, CURLOPT_OPENSOCKETFUNCTION, on_socket)
            == CURLE_OK
         && curl_easy_setopt(c, CURLOPT_OPENSOCKETDATA, t) == CURLE_OK
         && curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_body) == CURLE_OK
         && curl_easy_setopt(c, CURLOPT_WRITEDATA, t) == CURLE_OK
         && curl_easy_setopt(c, CURLOPT_PRIVATE, t) == CURLE_OK;

    if (ok && t->conf->ca_file[0] != '\0') {
        ok = curl_easy_setopt(c, CURLOPT_CAINFO, t->conf->ca_file)
             == CURLE_OK;
    }

    return ok;
}


static void
transfer_free(transfer_t *t)
{
    curl_easy_cleanup(t->curl);
    curl_slist_free_all(t->headers);
    free(t);
}


static bool
start_next(batch_t *b)
{
    transfer_t                    *t = calloc(1, sizeof(*t));
    const reel_webhook_message_t  *m = &b->messages[b->next];

    if (t == NULL) {
        return false;
    }

    t->conf = b->conf;
    t->message = b->next;
    t->curl = curl_easy_init();

    if (t->curl == NULL || make_headers(t, b, m) != REEL_OK
        || !set_options(t, m)
        || curl_multi_add_handle(b->multi, t->curl) != CURLM_OK)
    {
        transfer_free(t);
        return false;
    }

    b->next++;

    return true;
}


static void
finish(batch_t *b, CURL *curl, CURLcode rc)
{
    long         status = 0;
    char         why[CURL_ERROR_SIZE + 32];
    void        *private = NULL;
    transfer_t  *t;
    curl_off_t   after = 0;

    (void) curl_easy_getinfo(curl, CURLINFO_PRIVATE, &private);
    (void) curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    (void) curl_easy_getinfo(curl, CURLINFO_RETRY_AFTER, &after);
    t = private;

    if (rc != CURLE_OK && !(rc == CURLE_WRITE_ERROR && t->got > ANSWER_MAX)) {
        status = 0;
    }

    if (t->refused) {
        snprintf(why, sizeof(why), "its address is not public");
    } else if (status != 0) {
        snprintf(why, sizeof(why), "HTTP %ld", status);
    } else {
        snprintf(why, sizeof(why), "%s", t->why[0] != '\0' ? t->why
                                         : curl_easy_strerror(rc));
    }

    b->sent(b->arg, t->message, status, (long) after, why);

    (void) curl_multi_remove_handle(b->multi, curl);
    transfer_free(t);
}


static void
run(batch_t *b)
{
    int       running = 0, left;
    CURLMsg  *msg;

    do {
        while (running < REEL_WEBHOOK_PARALLEL && b->next < b->n) {
            if (!start_next(b)) {
                b->sent(b->arg, b->next++, 0, 0, "no memory");
                continue;
            }
            running++;
        }

        if (curl_multi_perform(b->multi, &running) != CURLM_OK) {
            return;             /* who is not told of tries them again */
        }

        while ((msg = curl_multi_info_read(b->multi, &left)) != NULL) {
            if (msg->msg == CURLMSG_DONE) {
                finish(b, msg->easy_handle, msg->data.result);
            }
        }

        if (running > 0) {
            (void) curl_multi_poll(b->multi, NULL, 0, 1000, NULL);
        }
    } while (running > 0 || b->next < b->n);
}


reel_err_t
reel_webhook_send(const reel_webhook_conf_t *conf,
    reel_webhook_message_t *messages, size_t n, reel_webhook_sent_fn sent,
    void *arg, reel_error_t *e)
{
    batch_t     b = {
        .conf = conf, .messages = messages, .n = n, .sent = sent, .arg = arg
    };
    reel_err_t  err;

    err = reel_webhook_secrets(&b.secrets, conf->secret_file, e);
    if (err != REEL_OK) {
        return err;
    }

    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK
        || (b.multi = curl_multi_init()) == NULL)
    {
        err = reel_fail(e, REEL_NOMEM, "libcurl cannot be started");

    } else {
        run(&b);
        (void) curl_multi_cleanup(b.multi);
    }

    explicit_bzero(&b.secrets, sizeof(b.secrets));

    return err;
}
