#include "workerd/look.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "workerd/child.h"

#define TIMEOUT_S     300
#define MEMORY_BYTES  (UINT64_C(4) << 30)

typedef struct {
    reel_loop_t *loop;
    const char  *file;
    const char  *payload;       /* of complexity; NULL: inspect */
    bool         told;          /* the facts, or an error */
    int          status;
} look_t;


static int
run(reel_child_t *c, void *arg)
{
    const look_t  *k = arg;

    return k->payload != NULL ? reel_av_complexity(c) : reel_av_inspect(c);
}


static void
on_line(void *arg, const char *text, size_t len)
{
    look_t        *k = arg;
    json_t        *root = json_loadb(text, len, 0, NULL), *v;

    v = json_object_get(root, k->payload != NULL ? "complexity" : "source");

    if (v != NULL) {
        json_dumpf(v, stdout, JSON_COMPACT);
        putchar('\n');
        k->told = true;
        k->status = 0;

    } else if ((v = json_object_get(root, "error")) != NULL) {
        fprintf(stderr, "workerd: %s: %s: %s\n", k->file,
                json_string_value(json_object_get(v, "code")),
                json_string_value(json_object_get(v, "detail")));
        k->told = true;
    }

    json_decref(root);
}


static void
on_exit_of(void *arg, reel_exit_t how, int detail, const char *tail,
    size_t tail_len)
{
    look_t  *k = arg;

    if (how != REEL_EXIT_DONE) {
        k->status = 1;
        if (!k->told) {
            fprintf(stderr, "workerd: %s: the look ended with %d\n%.*s",
                    k->file, detail, (int) tail_len, tail);
        }
    }

    reel_loop_stop(k->loop);
}


int
reel_look(const char *file, const char *payload)
{
    look_t              k = { .file = file, .payload = payload, .status = 1 };
    reel_err_t          err = REEL_NOMEM;
    reel_proc_t        *p;
    reel_child_spec_t   spec = {
        .main = run, .arg = &k, .confined = true, .timeout_s = TIMEOUT_S,
        .limits = { .memory_bytes = MEMORY_BYTES, .cpu_s = TIMEOUT_S },
        .io = { .ctl_fd = -1 }
    };

    if (payload != NULL) {
        spec.io.payload = reel_str(payload);
    }

    static const reel_child_ops_t ops = { on_line, on_exit_of };

    spec.io.source_fd = open(file, O_RDONLY | O_CLOEXEC);
    if (spec.io.source_fd < 0) {
        fprintf(stderr, "workerd: %s: %s\n", file, strerror(errno));
        return 1;
    }

    k.loop = reel_loop_new();
    if (k.loop != NULL) {
        err = reel_children_init(k.loop);
    }
    if (err == REEL_OK) {
        err = reel_child_start(k.loop, &spec, &ops, &k, &p);
    }

    if (err == REEL_OK) {
        reel_loop_run(k.loop);
    } else {
        fprintf(stderr, "workerd: a child cannot be started\n");
    }

    reel_loop_free(k.loop);
    close(spec.io.source_fd);

    return k.status;
}
