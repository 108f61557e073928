/*
 * Takes a film through inspect, plan, encode and poster without a worker:
 * each task in a forked child of its own, confined like a worker's, `slots`
 * at a time.
 *
 *     avrun <source> <folder> [slots=N] [preset=…] [rungs=N] [crf=N]
 *           [first=S] [min=S] [target=S] [max=S]
 *
 * Objects go to <folder>/<task>.<i>, whole renditions, as a player puts
 * them together, to <folder>/<rendition>.mp4.  Prints a line per task with
 * its wall and CPU time, then their sums.
 */

#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lib/job/plan.h"
#include "workerd/child_io.h"
#include "workerd/sandbox.h"


#define SLOTS_MAX  64
#define LINE_MAX_  (1 << 20)


typedef struct {
    pid_t     pid;
    size_t    task;
    int64_t   start_us;
} slot_t;

typedef struct {
    const char       *source;
    const char       *folder;
    unsigned          slots;
    reel_pipeline_t   pl;
    reel_source_t     facts;
    reel_plan_t       plan;
    int64_t           cpu_us;
    int64_t           longest_us;
    slot_t            running[SLOTS_MAX];
} run_t;


static int64_t
now_us(void)
{
    struct timespec  ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t) ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}


static void
path_of(char path[4096], const run_t *r, const char *name, const char *end)
{
    (void) snprintf(path, 4096, "%s/%s%s", r->folder, name, end);
}


static int
open_path(const run_t *r, const char *name, const char *end, int flags)
{
    int   fd;
    char  path[4096];

    path_of(path, r, name, end);
    fd = open(path, flags, 0666);
    if (fd < 0) {
        perror(path);
        exit(2);
    }

    return fd;
}


static int
(*function(reel_task_type_t type))(reel_child_t *)
{
    switch (type) {
    case REEL_TASK_INSPECT:
        return reel_av_inspect;
    case REEL_TASK_ENCODE_VIDEO:
        return reel_av_encode_video;
    case REEL_TASK_ENCODE_AUDIO:
        return reel_av_encode_audio;
    case REEL_TASK_POSTER:
        return reel_av_poster;
    case REEL_TASK_STORYBOARD:
        return reel_av_storyboard;
    case REEL_TASK_SUBTITLES:
        return reel_av_subtitles;
    default:
        return NULL;
    }
}


/* in the child: what the task says goes to <folder>/<name>.lines */
static void
child(const run_t *r, reel_task_type_t type, const char *name,
    const char *payload, pid_t parent)
{
    char           end[16];
    unsigned       i;
    reel_child_t   c = { 0 };
    reel_limits_t  limits = { UINT64_C(4) << 30, UINT64_C(16) << 30, 0 };

    c.source_fd = open(r->source, O_RDONLY);
    if (c.source_fd < 0) {
        perror(r->source);
        exit(2);
    }

    c.ctl_fd = open_path(r, name, ".lines", O_WRONLY | O_CREAT | O_TRUNC);

    if (payload != NULL) {
        c.payload = reel_str(payload);
        c.nout = type == REEL_TASK_ENCODE_AUDIO ? 1 : REEL_CHILD_OUTPUTS;

        for (i = 0; i < c.nout; i++) {
            (void) snprintf(end, sizeof(end), ".%u", i);
            c.out_fd[i] = open_path(r, name, end,
                                    O_WRONLY | O_CREAT | O_TRUNC);
        }
    }

    if (reel_sandbox_limits(&limits, parent) != REEL_OK) {
        fprintf(stderr, "limits: refused\n");
        exit(2);
    }

    reel_av_prewarm();

    if (reel_sandbox_filter() != REEL_OK) {
        fprintf(stderr, "filter: refused\n");
        exit(2);
    }

    _exit(function(type)(&c));
}


static pid_t
spawn(const run_t *r, reel_task_type_t type, const char *name,
    const char *payload)
{
    pid_t  pid, parent;

    fflush(stdout);
    parent = getpid();
    pid = fork();

    if (pid < 0) {
        perror("fork");
        exit(2);
    }

    if (pid == 0) {
        child(r, type, name, payload, parent);
    }

    return pid;
}


/* the next child that ends; its CPU time */
static pid_t
reap(run_t *r, const char **why, int64_t *cpu_us)
{
    int            status;
    pid_t          pid;
    struct rusage  ru;

    pid = wait4(-1, &status, 0, &ru);
    if (pid < 0) {
        perror("wait4");
        exit(2);
    }

    *cpu_us = ((int64_t) ru.ru_utime.tv_sec + ru.ru_stime.tv_sec) * 1000000
              + ru.ru_utime.tv_usec + ru.ru_stime.tv_usec;
    r->cpu_us += *cpu_us;
    *why = WIFEXITED(status) && WEXITSTATUS(status) == 0 ? NULL : "failed";

    return pid;
}


/* calls fn for every value of key in the child's lines */
static void
each_line(run_t *r, const char *name, const char *key,
    void (*fn)(run_t *r, const char *name, json_t *v, json_t *line))
{
    int      fd;
    FILE    *fp;
    char    *text;
    json_t  *line, *v;

    fd = open_path(r, name, ".lines", O_RDONLY);
    fp = fdopen(fd, "r");
    text = malloc(LINE_MAX_);

    while (fp != NULL && text != NULL && fgets(text, LINE_MAX_, fp)) {
        line = json_loads(text, 0, NULL);
        v = line != NULL ? json_object_get(line, key) : NULL;
        if (v != NULL) {
            fn(r, name, v, line);
        }
        json_decref(line);
    }

    free(text);
    fclose(fp);
}


static void
take_source(run_t *r, const char *name, json_t *v, json_t *line)
{
    char          *text;
    reel_err_t     err;
    reel_error_t   e = { "" };

    (void) name;
    (void) line;

    text = json_dumps(v, JSON_COMPACT);
    err = reel_source_parse(&r->facts, text, strlen(text), &e);
    free(text);

    if (err != REEL_OK) {
        fprintf(stderr, "inspect's answer: %s\n", e.text);
        exit(1);
    }
}


static void
copy(const run_t *r, const char *from, const char *from_end, int64_t at,
    int64_t len, const char *to, bool first)
{
    int      in, out;
    char     buf[65536];
    ssize_t  n;

    in = open_path(r, from, from_end, O_RDONLY);
    out = open_path(r, to, ".mp4",
                    O_WRONLY | O_CREAT | (first ? O_TRUNC : O_APPEND));

    while (len > 0) {
        n = pread(in, buf, len < (int64_t) sizeof(buf) ? (size_t) len
                                                       : sizeof(buf), at);
        if (n <= 0 || write(out, buf, (size_t) n) != n) {
            fprintf(stderr, "%s%s: cannot be copied\n", from, from_end);
            exit(2);
        }
        at += n;
        len -= n;
    }

    close(in);
    close(out);
}


/* the rendition = first object + the fragments of the others */
static void
take_object(run_t *r, const char *name, json_t *v, json_t *line)
{
    bool          first;
    char          end[32], path[4096];
    int64_t       from, base, bytes;
    struct stat   st;
    const char   *rendition;

    rendition = json_string_value(json_object_get(v, "rendition"));
    base = json_integer_value(json_object_get(v, "base"));
    bytes = json_integer_value(json_object_get(v, "bytes"));
    from = json_integer_value(json_object_get(line, "from"));

    path_of(path, r, rendition, ".mp4");
    first = stat(path, &st) != 0;

    (void) snprintf(end, sizeof(end), ".%d",
                    (int) json_integer_value(json_object_get(line,
                                                             "output")));

    if (first) {
        copy(r, name, end, from, bytes, rendition, true);

    } else {
        copy(r, name, end, from + base, bytes - base, rendition, false);
    }
}


static void
done(run_t *r, pid_t pid, const char *why, int64_t cpu_us)
{
    int64_t   wall;
    slot_t   *s;
    unsigned  i;

    for (i = 0; i < r->slots && r->running[i].pid != pid; i++) {
        /* void */
    }

    if (i == r->slots) {
        return;
    }

    s = &r->running[i];
    s->pid = 0;
    wall = now_us() - s->start_us;

    if (wall > r->longest_us) {
        r->longest_us = wall;
    }

    printf("TASK %s wall_ms %lld cpu_ms %lld %s\n",
           r->plan.tasks[s->task].name, (long long) wall / 1000,
           (long long) cpu_us / 1000, why != NULL ? why : "done");

    if (why != NULL) {
        exit(1);
    }
}


static void
encode_all(run_t *r)
{
    pid_t         pid;
    size_t        i;
    int64_t       cpu;
    unsigned      k, busy;
    const char   *why;

    for (i = 0, busy = 0; i < r->plan.ntasks || busy > 0; /* void */ ) {

        if (i < r->plan.ntasks && function(r->plan.tasks[i].type) == NULL) {
            i++;
            continue;
        }

        if (i < r->plan.ntasks && busy < r->slots) {
            for (k = 0; r->running[k].pid != 0; k++) { /* void */ }

            r->running[k] = (slot_t) {
                .pid = spawn(r, r->plan.tasks[i].type, r->plan.tasks[i].name,
                             r->plan.tasks[i].payload),
                .task = i, .start_us = now_us()
            };
            busy++;
            i++;
            continue;
        }

        pid = reap(r, &why, &cpu);
        done(r, pid, why, cpu);
        busy--;
    }
}


static void
join_all(run_t *r)
{
    size_t  i;

    for (i = 0; i < r->plan.ntasks; i++) {
        if (r->plan.tasks[i].type == REEL_TASK_ENCODE_VIDEO
            || r->plan.tasks[i].type == REEL_TASK_ENCODE_AUDIO)
        {
            each_line(r, r->plan.tasks[i].name, "object", take_object);
        }
    }
}


static int
set_option(run_t *r, const char *text)
{
    char       key[32];
    uint32_t   n, i;
    const char *v;

    v = strchr(text, '=');
    if (v == NULL || (size_t) (v - text) >= sizeof(key)) {
        return -1;
    }

    memcpy(key, text, (size_t) (v - text));
    key[v - text] = '\0';
    v++;
    n = (uint32_t) strtoul(v, NULL, 10);

    if (strcmp(key, "slots") == 0 && n > 0 && n <= SLOTS_MAX) {
        r->slots = n;

    } else if (strcmp(key, "preset") == 0) {
        (void) snprintf(r->pl.preset, sizeof(r->pl.preset), "%s", v);

    } else if (strcmp(key, "rungs") == 0 && n <= r->pl.nrungs && n > 0) {
        /* the lowest ones are the cheap ones */
        memmove(r->pl.rungs, r->pl.rungs + (r->pl.nrungs - n),
                n * sizeof(r->pl.rungs[0]));
        r->pl.nrungs = n;

    } else if (strcmp(key, "crf") == 0) {
        for (i = 0; i < r->pl.nrungs; i++) {
            r->pl.rungs[i].crf = n;
        }

    } else if (strcmp(key, "first") == 0) {
        r->pl.first_chunk_s = n;
    } else if (strcmp(key, "min") == 0) {
        r->pl.chunk_min_s = n;
    } else if (strcmp(key, "target") == 0) {
        r->pl.chunk_target_s = n;
    } else if (strcmp(key, "max") == 0) {
        r->pl.chunk_max_s = n;
    } else {
        return -1;
    }

    return 0;
}


int
main(int argc, char **argv)
{
    int           i;
    int64_t       start, cpu, inspect_us;
    const char   *why;
    reel_error_t  e = { "" };

    static run_t  r;

    r.slots = 1;
    reel_pipeline_default(&r.pl);

    for (i = 3; i < argc; i++) {
        if (set_option(&r, argv[i]) != 0) {
            argc = 0;
        }
    }

    if (argc < 3) {
        fprintf(stderr, "usage: avrun <source> <folder> [key=value ...]\n");
        return 2;
    }

    r.source = argv[1];
    r.folder = argv[2];
    start = now_us();

    (void) spawn(&r, REEL_TASK_INSPECT, "inspect", NULL);
    (void) reap(&r, &why, &inspect_us);
    if (why != NULL) {
        return 1;
    }

    each_line(&r, "inspect", "source", take_source);

    if (reel_plan(&r.plan, &r.pl, &r.facts, 0, &e) != REEL_OK) {
        fprintf(stderr, "plan: %s\n", e.text);
        return 1;
    }

    printf("TASK inspect wall_ms %lld cpu_ms %lld done\n",
           (long long) (now_us() - start) / 1000,
           (long long) inspect_us / 1000);

    encode_all(&r);
    cpu = r.cpu_us;
    printf("TOTAL wall_ms %lld cpu_ms %lld longest_ms %lld slots %u\n",
           (long long) (now_us() - start) / 1000, (long long) cpu / 1000,
           (long long) r.longest_us / 1000, r.slots);

    join_all(&r);
    reel_plan_release(&r.plan);
    reel_source_release(&r.facts);

    return 0;
}
