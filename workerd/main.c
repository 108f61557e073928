/*
 * workerd: claims tasks of videos from Redis and does them in confined
 * children.  docs/workerd.md: keys, signals, exit statuses.
 */

#include <getopt.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/hex.h"
#include "lib/base/version.h"
#include "lib/store/layout.h"
#include "workerd/cancels.h"
#include "workerd/child.h"
#include "workerd/completion.h"
#include "workerd/drain.h"
#include "workerd/fingerprint.h"
#include "workerd/log.h"
#include "workerd/look.h"
#include "workerd/notify.h"
#include "workerd/outbox.h"
#include "workerd/pipelines.h"
#include "workerd/presence.h"
#include "workerd/room.h"
#include "workerd/sandbox.h"
#include "workerd/scrape.h"
#include "workerd/shards.h"
#include "workerd/slots.h"
#include "workerd/sweep.h"
#include "workerd/webhooks.h"
#include "workerd/worker.h"

enum {
    EXIT_FINE = 0,
    EXIT_CONFIG = 1,
    EXIT_USAGE = 2,
    EXIT_STORE = 3,
    EXIT_SANDBOX = 4,
    EXIT_SYSTEM = 5
};

typedef struct {
    const char *file;
    const char *look;
    const char *trial;
    bool        test;
    bool        once;
    bool        has_slots;
    uint32_t    slots;
} options_t;


static void
usage(FILE *f)
{
    fputs("usage: workerd [-c file] [-t] [-i film [--try json]] [--slots n] "
          "[--once-idle]\n"
          "  -c file      configuration (/etc/reel/reel.yaml)\n"
          "  -t           check configuration and pipelines, then end\n"
          "  -i film      print what inspect finds in it, then end\n"
          "  --try json   complexity of that payload, instead of inspect\n"
          "  --slots n    tasks at once, instead of the file's\n"
          "  --once-idle  end when no job is pending\n"
          "  -V, -h       version, this text\n", f);
}


/* -1: go on, else the exit status */
static int
parse_options(options_t *o, int argc, char **argv)
{
    int       c;
    uint64_t  n;

    static const struct option longs[] = {
        { "slots", required_argument, NULL, 's' },
        { "once-idle", no_argument, NULL, 'o' },
        { "try", required_argument, NULL, 'y' },
        { "version", no_argument, NULL, 'V' },
        { "help", no_argument, NULL, 'h' },
        { NULL, 0, NULL, 0 }
    };

    *o = (options_t) { .file = "/etc/reel/reel.yaml" };

    while ((c = getopt_long(argc, argv, "c:i:thV", longs, NULL)) != -1) {
        switch (c) {
        case 'c':
            o->file = optarg;
            break;
        case 'i':
            o->look = optarg;
            break;
        case 't':
            o->test = true;
            break;
        case 'y':
            o->trial = optarg;
            break;
        case 'o':
            o->once = true;
            break;
        case 's':
            if (reel_str_u64(reel_str(optarg), 256, &n) != REEL_OK || n == 0)
            {
                fprintf(stderr, "workerd: --slots: 1 … 256\n");
                return EXIT_USAGE;
            }
            o->slots = (uint32_t) n;
            o->has_slots = true;
            break;
        case 'V':
            puts("workerd " REEL_VERSION);
            return EXIT_FINE;
        case 'h':
            usage(stdout);
            return EXIT_FINE;
        default:
            usage(stderr);
            return EXIT_USAGE;
        }
    }

    if (optind != argc) {
        usage(stderr);
        return EXIT_USAGE;
    }

    return -1;
}


static int
load(reel_worker_t *w, const options_t *o)
{
    reel_error_t  e = { "" };

    w->read_ms = reel_unix_ms();

    if (reel_config_load(&w->conf, o->file, &e) != REEL_OK
        || reel_pipelines_load(&w->pipelines, &w->npipelines,
                               w->conf.pipelines, &e) != REEL_OK)
    {
        fprintf(stderr, "workerd: %s\n", e.text);
        return EXIT_CONFIG;
    }

    if (o->has_slots) {
        w->conf.slots = o->slots;
    }
    if (w->conf.slots == 0) {
        w->conf.slots = reel_config_cores();
        w->conf.slots_auto = true;
    }
    w->once = o->once;

    return EXIT_FINE;
}


/* host-pid-random, so that none is ever used twice */
static void
set_id(reel_config_t *c)
{
    char      host[33] = "", hex[9];
    uint8_t   random[4];

    if (c->worker[0] != '\0') {
        return;
    }

    if (gethostname(host, sizeof(host) - 1) != 0) {
        host[0] = '\0';
    }
    for (char *p = host; *p != '\0'; p++) {
        if (strchr("/ \t\"", *p) != NULL) {
            *p = '_';
        }
    }

    reel_random(random, sizeof(random));
    reel_hex(hex, random, sizeof(random));
    snprintf(c->worker, sizeof(c->worker), "%s-%d-%s",
             host[0] != '\0' ? host : "host", (int) getpid(), hex);
}


/* reachable, and writable by us */
static int
open_store(reel_worker_t *w)
{
    char          key[REEL_STORE_KEY_MAX + 1];
    reel_err_t    err;
    reel_error_t  e = { "" };

    err = reel_store_fs_open(w->conf.store, &w->store, &e);
    if (err != REEL_OK) {
        reel_log(REEL_LOG_ERROR, "store: %s", e.text);
        return EXIT_STORE;
    }

    snprintf(key, sizeof(key), "scratch/check-%s", w->conf.worker);
    err = reel_store_replace(w->store, key, "", 0);
    if (err == REEL_OK) {
        err = reel_store_del(w->store, key);
    }

    if (err != REEL_OK) {
        reel_log(REEL_LOG_ERROR, "store: %s cannot be written to: %s",
                 w->conf.store, reel_err_name(err));
        return EXIT_STORE;
    }

    return EXIT_FINE;
}


static int
check_sandbox(const reel_worker_t *w)
{
    reel_err_t    err;
    reel_paths_t  paths;

    err = reel_sandbox_probe(&paths);

    if (err == REEL_OK) {
        reel_log(paths == REEL_PATHS_OPEN ? REEL_LOG_WARN : REEL_LOG_INFO,
                 "sandbox: seccomp, %s", reel_paths_name(paths));
        return EXIT_FINE;
    }

    if (w->conf.sandbox_required) {
        reel_log(REEL_LOG_ERROR, "sandbox: seccomp does not work here (%s); "
                 "\"sandbox: best-effort\" goes on without",
                 reel_paths_name(paths));
        return EXIT_SANDBOX;
    }

    reel_log(REEL_LOG_WARN, "SANDBOX: SECCOMP DOES NOT WORK HERE: files from "
             "strangers are decoded with resource limits and %s",
             reel_paths_name(paths));

    return EXIT_FINE;
}


/* -t has a person before it */
static void
say_device(void *arg, const char *text)
{
    (void) arg;

    fprintf(stderr, "workerd: warning: %s\n", text);
}


static void
say_program(void *arg, const reel_pipeline_t *p, const reel_node_t *n,
    const char *text)
{
    (void) p;
    (void) n;

    say_device(arg, text);
}


static void
on_redis(reel_worker_t *w, reel_redis_t *r)
{
    /* leases first: they may be about to end */
    reel_slots_up(w->slots, r);
    reel_presence_up(w->presence, r);
    reel_completion_up(w->completion, r);
    reel_outbox_look(w->outbox);
    reel_webhooks_wake(w->webhooks, NULL);
}


static void
on_wake(reel_worker_t *w, reel_redis_t *r, reel_str_t message)
{
    /* else a queue's name: any slot looks */
    if (!reel_slots_ended(w->slots, message)) {
        reel_slots_heard(w->slots, reel_redis_shard(r));
        reel_slots_wake(w->slots);
    }
}


static void
on_term(void *arg)
{
    reel_drain(arg);
}


static void
on_hup(void *arg)
{
    size_t            n;
    int64_t           now = reel_unix_ms();
    reel_error_t      e = { "" };
    reel_worker_t    *w = arg;
    reel_pipeline_t  *p;

    if (reel_pipelines_load(&p, &n, w->conf.pipelines, &e) != REEL_OK) {
        reel_log(REEL_LOG_ERROR, "reload refused, the old pipelines stay: "
                 "%s", e.text);
        return;
    }

    reel_programs_keep(&w->programs, w->pipelines, w->npipelines);
    free(w->pipelines);
    w->pipelines = p;
    w->npipelines = n;
    w->read_ms = now;
    reel_pipelines_look(w);
    reel_presence_pipelines(w->presence);
    reel_log(REEL_LOG_INFO, "reloaded: %zu pipelines", n);
}


/* until those that ask for an end or a reload have their handlers */
static void
hold_signals(int how)
{
    sigset_t  set;

    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    sigprocmask(how, &set, NULL);
}


static int
start(reel_worker_t *w)
{
    w->loop = reel_loop_new();
    if (w->loop == NULL) {
        return EXIT_SYSTEM;
    }

    signal(SIGPIPE, SIG_IGN);

    if (reel_loop_signal(w->loop, SIGTERM, on_term, w) != REEL_OK
        || reel_loop_signal(w->loop, SIGINT, on_term, w) != REEL_OK
        || reel_loop_signal(w->loop, SIGHUP, on_hup, w) != REEL_OK
        || reel_children_init(w->loop) != REEL_OK)
    {
        return EXIT_SYSTEM;
    }
    hold_signals(SIG_UNBLOCK);

    w->shards = reel_shards_new(w, on_redis, on_wake);
    if (w->shards == NULL) {
        return EXIT_SYSTEM;
    }

    w->slots = reel_slots_new(w, w->conf.slots);
    w->outbox = reel_outbox_new(w);
    w->cancels = reel_cancels_new(w);
    w->sweep = reel_sweep_new(w);
    w->completion = reel_completion_new(w);
    w->presence = reel_presence_new(w);
    w->webhooks = reel_webhooks_new(w);

    if (w->slots == NULL || w->outbox == NULL || w->cancels == NULL
        || w->sweep == NULL || w->completion == NULL || w->presence == NULL
        || w->webhooks == NULL)
    {
        return EXIT_SYSTEM;
    }

    if (w->conf.metrics.socket[0] != '\0' || w->conf.metrics.port != 0) {
        w->scrape = reel_scrape_new(w);
        if (w->scrape == NULL) {
            return EXIT_SYSTEM;
        }
    }

    reel_shards_start(w->shards);

    /* a reload that comes from here on ends nobody */
    if (reel_notify_ready() != REEL_OK) {
        reel_log(REEL_LOG_WARN, "NOTIFY_SOCKET: nobody could be told that "
                 "this worker is ready");
    }

    return EXIT_FINE;
}


static void
stop(reel_worker_t *w)
{
    /* first: its callbacks lead into the others */
    reel_shards_free(w->shards);
    reel_scrape_free(w->scrape);
    reel_webhooks_free(w->webhooks);
    reel_presence_free(w->presence);
    reel_completion_free(w->completion);
    reel_sweep_free(w->sweep);
    reel_cancels_free(w->cancels);
    reel_outbox_free(w->outbox);
    reel_slots_free(w->slots);
    reel_loop_free(w->loop);
    reel_store_close(w->store);
    reel_programs_release(&w->programs);
    reel_buf_release(&w->programs_lacking);
    free(w->pipelines);
}


int
main(int argc, char **argv)
{
    int            rc;
    options_t      o;
    reel_worker_t  w = { 0 };

    hold_signals(SIG_BLOCK);            /* first: one may come any time */

    rc = parse_options(&o, argc, argv);
    if (rc >= 0) {
        return rc;
    }

    if (o.look != NULL || o.test) {
        hold_signals(SIG_UNBLOCK);
    }

    if (o.look != NULL) {
        return reel_look(o.look, o.trial);
    }

    /* freed memory is overwritten: children inherit ours, and Redis's
       password has been in it */
    mallopt(M_PERTURB, 0xa5);

    rc = load(&w, &o);
    if (rc != EXIT_FINE || o.test) {
        if (rc == EXIT_FINE) {
            reel_pipelines_programs(w.pipelines, w.npipelines,
                                    w.conf.pipelines, say_program, NULL);
            reel_devices_check(&w.conf.devices, say_device, NULL);
            printf("workerd: %s is fine: %zu pipelines, %u slots\n", o.file,
                   w.npipelines, w.conf.slots);
        }
        free(w.pipelines);
        return rc;
    }

    reel_log_init(w.conf.log);
    reel_buf_init(&w.programs_lacking, REEL_LACKING_MAX);
    set_id(&w.conf);
    reel_av_fingerprint(w.fingerprint, sizeof(w.fingerprint));
    reel_build_id(w.build);
    reel_av_codecs(w.codecs, sizeof(w.codecs));
    snprintf(w.labels, sizeof(w.labels), "%s%s%s", w.conf.labels,
             w.conf.labels[0] != '\0' ? "," : "", w.codecs);
    w.room_mib = reel_room_memory(&w.conf);
    reel_log(REEL_LOG_INFO, "workerd " REEL_VERSION " %s: %u slots, "
             "store %s, %s", w.conf.worker, w.conf.slots, w.conf.store,
             w.fingerprint);

    rc = open_store(&w);
    if (rc == EXIT_FINE) {
        rc = check_sandbox(&w);
        reel_pipelines_probe(&w);
    }
    if (rc == EXIT_FINE) {
        rc = start(&w);
        if (rc == EXIT_FINE) {
            reel_loop_run(w.loop);
            rc = w.refused ? EXIT_CONFIG : EXIT_FINE;
        } else {
            reel_log(REEL_LOG_ERROR, "cannot start: %m");
        }
    }

    stop(&w);

    return rc;
}
