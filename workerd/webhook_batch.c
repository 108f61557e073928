#include "workerd/webhook_batch.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/hook/schedule.h"
#include "workerd/child.h"
#include "workerd/log.h"
#include "workerd/shards.h"

#define PAUSE_MIN_MS 1000
#define PAUSE_MAX_MS 300000

/* a 410 says that the endpoint wants nothing more of this */
#define GONE 410

struct reel_webhook_batch_s {
    reel_webhooks_t            *h;
    reel_worker_t              *w;
    const reel_webhook_conf_t  *conf;
    const char                 *nonce;
    reel_proc_t                *proc;
    int64_t                     open_ms;    /* not before: it was dead */
    int64_t                     pause_ms;
    bool                        any;        /* of this batch got through */
    size_t                      n;
    reel_webhook_claim_t        claim[REEL_WEBHOOK_BATCH];
    reel_webhook_message_t      message[REEL_WEBHOOK_BATCH];
    bool                        told[REEL_WEBHOOK_BATCH];
};

static void
on_settled(void *arg, reel_err_t err, const reel_reply_t *reply)
{
    (void) arg;

    if (err == REEL_IO) {
        reel_log(REEL_LOG_ERROR, "webhooks: redis refused: %.200s",
                 reel_reply_str(reply).p);
    }
}


void
reel_webhook_batch_settle(reel_webhook_batch_t *b,
    const reel_webhook_claim_t *claim, int64_t delay_ms)
{
    reel_args_t  a;

    reel_args_init(&a);
    reel_args_addz(&a, b->conf->name);
    reel_args_addz(&a, b->nonce);
    reel_args_addz(&a, claim->event);
    if (delay_ms < 0) {
        reel_args_addz(&a, "done");
    } else {
        reel_args_uint(&a, (uint64_t) delay_ms);
    }

    /* without Redis the claim ends by itself, and it is sent once more */
    (void) !reel_redis_script(reel_shards_of(b->w->shards,
                                             reel_str(claim->asset)),
                              REEL_LUA_HOOKED, "hook:", claim->asset, &a,
                              on_settled, b);
}


bool
reel_webhook_batch_open(const reel_webhook_batch_t *b)
{
    return b->proc == NULL && b->n < REEL_WEBHOOK_BATCH
           && reel_loop_now() >= b->open_ms;
}


/* by its type and project, as its text says */
static bool
wanted(const reel_webhook_batch_t *b, const reel_buf_t *body)
{
    bool               is = true;
    json_t            *v;
    const char        *type, *project;
    reel_hook_type_t   t = REEL_HOOK_TYPES;

    v = json_loadb((char *) body->data, body->len, 0, NULL);
    type = json_string_value(json_object_get(v, "type"));
    project = json_string_value(json_object_get(json_object_get(v, "data"),
                                                "project"));

    if (type != NULL) {
        t = reel_hook_type_find(type);
    }
    if (t != REEL_HOOK_TYPES) {
        is = (b->conf->types & 1u << t) != 0;
    }

    if (b->conf->project[0] != '\0'
        && (project == NULL || strcmp(project, b->conf->project) != 0))
    {
        is = false;
    }

    json_decref(v);

    return is;
}


void
reel_webhook_batch_add(reel_webhook_batch_t *b,
    const reel_webhook_claim_t *claim, reel_webhook_message_t *m)
{
    if (b->proc != NULL || b->n == REEL_WEBHOOK_BATCH) {
        /* claimed when there was room: it comes again at once */
        reel_webhook_batch_settle(b, claim, 0);

    } else if (!wanted(b, &m->body)) {
        reel_webhook_batch_settle(b, claim, -1);

    } else {
        b->claim[b->n] = *claim;
        b->message[b->n] = *m;
        b->told[b->n++] = false;
        return;
    }

    reel_buf_release(&m->body);
}


/* in the child: a line each, "number status seconds why" */
static void
on_sent(void *arg, size_t message, long status, long retry_after_s,
    const char *why)
{
    reel_buf_t     line;
    reel_child_t  *child = arg;

    reel_buf_init(&line, 1024);
    reel_buf_printf(&line, "%zu %ld %ld ", message, status,
                    retry_after_s > 0 ? retry_after_s : 0);
    for (; *why != '\0'; why++) {
        reel_buf_u8(&line, (uint8_t) (*why >= ' ' ? *why : ' '));
    }

    /* who is not told of is tried again */
    (void) !reel_child_line(child, &line);
}


static int
run(reel_child_t *child, void *arg)
{
    reel_error_t           e = { "" };
    reel_webhook_batch_t  *b = arg;

    if (reel_webhook_send(b->conf, b->message, b->n, on_sent, child,
                          &e) != REEL_OK)
    {
        reel_log(REEL_LOG_ERROR, "webhooks: %s: %s", b->conf->name, e.text);
        return 1;
    }

    return 0;
}


static void
failed(reel_webhook_batch_t *b, size_t i, uint64_t status,
    uint64_t retry_after_s, const char *why)
{
    int64_t                      ms;
    uint32_t                     random;
    reel_metrics_t              *metrics = &b->w->metrics;
    const reel_webhook_claim_t  *c = &b->claim[i];

    metrics->hooked[status != 0 ? REEL_HOOKED_REFUSED : REEL_HOOKED_FAILED]++;

    reel_random(&random, sizeof(random));
    ms = status == GONE ? -1 : reel_hook_delay_ms(c->tried, random);
    if (ms >= 0 && retry_after_s > (uint64_t) ms / 1000) {
        ms = (int64_t) (retry_after_s < 86400 ? retry_after_s : 86400) * 1000;
    }

    if (ms < 0) {
        metrics->hooks_given_up++;
        reel_log(REEL_LOG_ERROR, "webhook %s to %s is given up after %u "
                 "tries: %s", b->message[i].id, b->conf->name, c->tried, why);
    } else {
        reel_log(REEL_LOG_WARN, "webhook %s to %s: try %u failed, the next "
                 "in %lld s: %s", b->message[i].id, b->conf->name, c->tried,
                 (long long) ms / 1000, why);
    }

    reel_webhook_batch_settle(b, c, ms);
}


static void
on_line(void *arg, const char *line, size_t len)
{
    uint64_t               i, status, after;
    reel_str_t             rest = { line, len };
    reel_webhook_batch_t  *b = arg;

    if (reel_str_u64(reel_str_cut(rest, ' ', &rest), REEL_WEBHOOK_BATCH - 1,
                     &i) != REEL_OK || rest.p == NULL
        || reel_str_u64(reel_str_cut(rest, ' ', &rest), 999, &status)
           != REEL_OK || rest.p == NULL
        || reel_str_u64(reel_str_cut(rest, ' ', &rest), UINT64_MAX, &after)
           != REEL_OK || rest.p == NULL || i >= b->n || b->told[i])
    {
        return;
    }

    b->told[i] = true;

    if (status >= 200 && status < 300) {
        b->any = true;
        b->w->metrics.hooked[REEL_HOOKED_SENT]++;
        reel_log(REEL_LOG_INFO, "webhook %s to %s: sent, try %u",
                 b->message[i].id, b->conf->name, b->claim[i].tried);
        reel_webhook_batch_settle(b, &b->claim[i], -1);
    } else {
        failed(b, i, status, after, rest.p);
    }
}


static void
clear(reel_webhook_batch_t *b)
{
    for (size_t i = 0; i < b->n; i++) {
        reel_buf_release(&b->message[i].body);
    }
    b->n = 0;
}


/* an endpoint of which nothing gets through is asked less and less often */
static void
pace(reel_webhook_batch_t *b)
{
    if (b->any) {
        b->pause_ms = 0;
        b->open_ms = 0;
        return;
    }

    b->pause_ms = b->pause_ms == 0 ? PAUSE_MIN_MS : 2 * b->pause_ms;
    if (b->pause_ms > PAUSE_MAX_MS) {
        b->pause_ms = PAUSE_MAX_MS;
    }
    b->open_ms = reel_loop_now() + b->pause_ms;
}


static void
on_exited(void *arg, reel_exit_t how, int detail, const char *tail,
    size_t tail_len)
{
    ssize_t                rc;
    reel_webhook_batch_t  *b = arg;

    b->proc = NULL;

    /* its stderr is log lines as ours are */
    rc = write(STDERR_FILENO, tail, tail_len);
    (void) rc;

    if (how == REEL_EXIT_KILLED) {
        clear(b);
        return;
    }

    if (how != REEL_EXIT_DONE) {
        reel_log(REEL_LOG_ERROR, "webhooks: the child of %s ended with %d",
                 b->conf->name, detail);
    }

    for (size_t i = 0; i < b->n; i++) {
        if (!b->told[i]) {
            failed(b, i, 0, 0, "it was not sent");
        }
    }

    pace(b);
    clear(b);
    reel_webhooks_wake(b->h, NULL);
}


void
reel_webhook_batch_start(reel_webhook_batch_t *b)
{
    reel_child_spec_t  spec = {
        .main = run,
        .arg = b,
        .io = { .source_fd = -1, .ctl_fd = -1 },
        .limits = {
            .memory_bytes = (uint64_t) b->w->conf.memory_mib << 20,
            .output_bytes = 1 << 20
        },
        .timeout_s = REEL_WEBHOOK_BATCH_S + 10
    };

    static const reel_child_ops_t ops = { on_line, on_exited };

    if (b->n == 0 || b->proc != NULL) {
        return;
    }

    b->any = false;

    if (reel_child_start(b->w->loop, &spec, &ops, b, &b->proc) != REEL_OK) {
        reel_log(REEL_LOG_ERROR, "webhooks: a child cannot be started");
        for (size_t i = 0; i < b->n; i++) {
            failed(b, i, 0, 0, "no child");
        }
        clear(b);
    }
}


reel_webhook_batch_t *
reel_webhook_batch_new(reel_webhooks_t *h, reel_worker_t *w,
    const reel_webhook_conf_t *conf, const char *nonce)
{
    reel_webhook_batch_t  *b = calloc(1, sizeof(*b));

    if (b != NULL) {
        b->h = h;
        b->w = w;
        b->conf = conf;
        b->nonce = nonce;
    }

    return b;
}


void
reel_webhook_batch_free(reel_webhook_batch_t *b)
{
    if (b == NULL) {
        return;
    }

    if (b->proc != NULL) {
        reel_child_kill(b->proc);
    }
    clear(b);
    free(b);
}
