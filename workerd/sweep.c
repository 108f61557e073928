#include "workerd/sweep.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/base/hex.h"

#include "workerd/child.h"
#include "workerd/log.h"
#include "workerd/shards.h"
#include "workerd/sweep_pass.h"

/* a pass that takes longer is stuck */
#define PASS_S 3600

/* a join that is completed may copy a whole source */
#define OUTPUT_BYTES INT64_MAX

struct reel_sweep_s {
    reel_worker_t *w;
    reel_proc_t   *proc;
    reel_timer_t   timer;
};

static void on_timer(void *arg);


/* of another boot than any, when it cannot be read: then less is trusted */
static void
read_boot(uint8_t boot[REEL_UPLOAD_BOOT_LEN])
{
    int      fd;
    char     text[37], hex[2 * REEL_UPLOAD_BOOT_LEN];
    size_t   n = 0;
    ssize_t  got = 0;

    fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    if (fd != -1) {
        got = read(fd, text, sizeof(text));
        (void) close(fd);
    }

    for (ssize_t i = 0; i < got && n < sizeof(hex); i++) {
        if (text[i] != '-') {
            hex[n++] = text[i];
        }
    }

    if (reel_unhex(boot, REEL_UPLOAD_BOOT_LEN, (reel_str_t) { hex, n })
        != REEL_OK)
    {
        reel_random(boot, REEL_UPLOAD_BOOT_LEN);
    }
}


/* the fields of an event as they are; none has a blank in it */
static void
on_ended(void *arg, reel_upload_t *u, const char *asset)
{
    size_t        i;
    reel_buf_t    b;
    const char   *fields[REEL_UPLOAD_EVENT_FIELDS];
    reel_child_t *c = arg;

    if (!reel_upload_event(u, asset, fields)) {
        return;
    }

    reel_buf_init(&b, REEL_RECORD_MAX);

    for (i = 0; i < REEL_UPLOAD_EVENT_FIELDS; i++) {
        reel_buf_addz(&b, i == 0 ? "" : " ");
        reel_buf_addz(&b, fields[i]);
    }

    if (reel_child_line(c, &b) != REEL_OK) {
        reel_log(REEL_LOG_WARN, "sweep: nobody hears of upload %s",
                 u->facts.id);
    }
}


static int
run(reel_child_t *c, void *arg)
{
    reel_err_t          err, rc;
    reel_error_t        e = { "" };
    reel_store_t       *s;
    reel_worker_t      *w = arg;
    reel_sweep_pass_t   p = {
        .root = w->conf.store,
        .now_ms = reel_unix_ms(),
        .object_age_ms = (int64_t) w->conf.sweep_age_s * 1000,
        .retry_age_ms = (int64_t) w->conf.retry_age_h * 3600 * 1000,
        .upload_age_ms = (int64_t) w->conf.upload_age_h * 3600 * 1000,
        .upload_max = w->conf.sweep_uploads,
        .ended = on_ended,
        .arg = c
    };

    /* nobody can ask us to leave a turn: it is not held for long */
    reel_random(p.self.owner, sizeof(p.self.owner));
    read_boot(p.self.boot);

    err = reel_store_fs_open(w->conf.store, &s, &e);
    if (err != REEL_OK) {
        reel_log(REEL_LOG_ERROR, "sweep: %s", e.text);
        return 1;
    }

    reel_random(&p.twins, sizeof(p.twins));

    /* what one of them cannot do does not keep the others from their work */
    err = reel_sweep_uploads(s, &p);
    rc = reel_sweep_scratch(s, &p);
    err = err != REEL_OK ? err : rc;
    rc = reel_sweep_twins(s, &p);
    err = err != REEL_OK ? err : rc;
    reel_store_close(s);

    if (p.jobs + p.objects + p.completed + p.expired + p.removed > 0) {
        reel_log(REEL_LOG_INFO, "swept %u jobs, %u unnamed objects; uploads: "
                 "%u completed, %u expired, %u removed", p.jobs, p.objects,
                 p.completed, p.expired, p.removed);
    }

    if (err != REEL_OK) {
        reel_log(REEL_LOG_ERROR, "sweep: %s", reel_err_name(err));
        return 1;
    }

    return 0;
}


static void
on_told(void *arg, reel_err_t err, const reel_reply_t *r)
{
    (void) arg;
    (void) r;

    if (err != REEL_OK) {
        reel_log(REEL_LOG_WARN, "sweep: an event of an upload is lost: %s",
                 reel_err_name(err));
    }
}


/* what became of an upload; without Redis nobody is there to hear it */
static void
on_line(void *arg, const char *line, size_t len)
{
    size_t         n;
    reel_args_t    a;
    reel_str_t     rest = { line, len }, field[REEL_UPLOAD_EVENT_FIELDS];
    reel_sweep_t  *s = arg;
    reel_redis_t  *redis;

    for (n = 0; n < REEL_UPLOAD_EVENT_FIELDS; n++) {
        field[n] = reel_str_cut(rest, ' ', &rest);
    }
    redis = reel_shards_of(s->w->shards, field[REEL_UPLOAD_EVENT_ASSET]);

    reel_args_init(&a);
    reel_args_addz(&a, "XADD");
    reel_args_key(&a, redis, "events", "");
    reel_args_addz(&a, "MAXLEN");
    reel_args_addz(&a, "~");
    reel_args_addz(&a, REEL_EVENTS_MAX);
    reel_args_addz(&a, "*");

    for (n = 0; n < REEL_UPLOAD_EVENT_FIELDS; n++) {
        reel_args_add(&a, field[n]);
    }

    if (reel_redis_command(redis, &a, on_told, s) != REEL_OK) {
        on_told(s, REEL_AGAIN, NULL);
    }
}


static void
on_exited(void *arg, reel_exit_t how, int detail, const char *tail,
    size_t tail_len)
{
    ssize_t        rc;
    reel_sweep_t  *s = arg;

    s->proc = NULL;

    /* its stderr is log lines as ours are */
    rc = write(STDERR_FILENO, tail, tail_len);
    (void) rc;

    if (how != REEL_EXIT_DONE && how != REEL_EXIT_KILLED) {
        reel_log(REEL_LOG_ERROR, "sweep: the child ended with %d", detail);
    }

    reel_timer_start(s->w->loop, &s->timer,
                     (int64_t) s->w->conf.sweep_s * 1000, on_timer, s);
}


static const reel_child_ops_t child_ops = { on_line, on_exited };


static void
on_timer(void *arg)
{
    reel_sweep_t       *s = arg;
    reel_child_spec_t   spec = {
        .main = run,
        .arg = s->w,
        .io = { .source_fd = -1, .ctl_fd = -1 },
        .limits = {
            .memory_bytes = (uint64_t) s->w->conf.memory_mib << 20,
            .output_bytes = OUTPUT_BYTES
        },
        .timeout_s = PASS_S
    };

    if (reel_child_start(s->w->loop, &spec, &child_ops, s, &s->proc)
        != REEL_OK)
    {
        reel_log(REEL_LOG_ERROR, "sweep: a child cannot be started");
        reel_timer_start(s->w->loop, &s->timer,
                         (int64_t) s->w->conf.sweep_s * 1000, on_timer, s);
    }
}


reel_sweep_t *
reel_sweep_new(reel_worker_t *w)
{
    uint32_t       random;
    reel_sweep_t  *s = calloc(1, sizeof(*s));

    if (s == NULL) {
        return NULL;
    }

    /* workers that start together shall not sweep together */
    reel_random(&random, sizeof(random));
    s->w = w;
    reel_timer_start(w->loop, &s->timer,
                     random % ((int64_t) w->conf.sweep_s * 1000), on_timer,
                     s);

    return s;
}


void
reel_sweep_free(reel_sweep_t *s)
{
    if (s == NULL) {
        return;
    }

    if (s->proc != NULL) {
        reel_child_kill(s->proc);
    }
    reel_timer_stop(&s->timer);
    free(s);
}
