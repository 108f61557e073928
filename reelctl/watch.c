#include <stdlib.h>
#include <string.h>

#include "reelctl/http.h"
#include "reelctl/progress.h"
#include "reelctl/watch.h"


#define POLL_MS     500
#define RENDITIONS  64
#define PATIENCE_MS 30000       /* without any answer: nginx may restart */


typedef struct {
    unsigned  lines;            /* drawn last, below which the cursor is */
    char      last[256];        /* what was told last without a terminal */
    int64_t   began_ms;
} view_t;


const char *
reel_ctl_asset_status(const json_t *asset)
{
    const char  *z = json_string_value(json_object_get(asset, "status"));

    return z != NULL ? z : "";
}


static double
percent(const json_t *progress)
{
    return json_number_value(json_object_get(progress, "percent"));
}


static const char *
state(const json_t *progress)
{
    const char  *z = json_string_value(json_object_get(progress, "state"));

    return z != NULL ? z : "";
}


void
reel_ctl_asset_error(const json_t *asset)
{
    size_t       i;
    const char  *v;
    json_t      *error = json_object_get(asset, "error");

    static const char  *fields[] = { "code", "stage", "detail" };

    (void) fputs("reelctl: the asset is errored:", stderr);

    for (i = 0; i < 3; i++) {
        v = json_string_value(json_object_get(error, fields[i]));

        if (v != NULL && v[0] != '\0') {
            (void) fprintf(stderr, i == 1 ? " at " : " ");
            reel_ctl_put_safe(stderr, v);
            (void) fputs(i == 1 ? ":" : "", stderr);
        }
    }

    (void) fputc('\n', stderr);

    if (json_is_true(json_object_get(error, "retryable"))) {
        (void) fprintf(stderr, "reelctl: hint: it can be tried again: "
                       "reelctl retry %s\n",
                       json_string_value(json_object_get(asset, "id"))
                       != NULL
                       ? json_string_value(json_object_get(asset, "id"))
                       : "ID");
    }
}


/* video before sound, the highest first: v1080, v720, …, a128-en */
static int
by_rank(const void *pa, const void *pb)
{
    long         na, nb;
    const char  *a = *(const char *const *) pa, *b = *(const char *const *) pb;

    if ((a[0] == 'v') != (b[0] == 'v')) {
        return a[0] == 'v' ? -1 : 1;
    }

    na = a[0] != '\0' ? strtol(a + 1, NULL, 10) : 0;
    nb = b[0] != '\0' ? strtol(b + 1, NULL, 10) : 0;

    return na != nb ? (na < nb ? 1 : -1) : strcmp(a, b);
}


/* names of the renditions in that order: Redis has none */
static size_t
rank(json_t *renditions, const char *names[RENDITIONS])
{
    size_t       n = 0;
    json_t      *value;
    const char  *name;

    json_object_foreach(renditions, name, value) {
        if (n < RENDITIONS) {
            names[n++] = name;
        }
    }

    qsort(names, n, sizeof(names[0]), by_rank);

    return n;
}


/* what the server reckons is left; "": it does not yet */
static const char *
eta_of(char dst[32], const json_t *progress)
{
    char           left[24];
    const json_t  *eta = json_object_get(progress, "eta");

    dst[0] = '\0';

    if (json_is_number(eta)) {
        reel_ctl_clock(left, json_number_value(eta));
        (void) snprintf(dst, 32, ", eta %s", left);
    }

    return dst;
}


static void
draw_bars(view_t *v, const json_t *asset)
{
    char         tail[96], clock[24], eta[32];
    size_t       i, n;
    json_t      *progress, *renditions;
    const char  *names[RENDITIONS];

    progress = json_object_get(asset, "progress");
    renditions = json_object_get(progress, "renditions");
    n = rank(renditions, names);

    if (v->lines != 0) {
        (void) fprintf(stderr, "\033[%uA", v->lines);
    }

    for (i = 0; i < n; i++) {
        reel_ctl_bar(names[i], json_number_value(json_object_get(renditions,
                                                     names[i])) / 100, "");
        (void) fputc('\n', stderr);
    }

    reel_ctl_clock(clock, (double) (reel_ctl_now_ms() - v->began_ms) / 1000);
    (void) snprintf(tail, sizeof(tail), "%.24s  watched %s%s",
                    strcmp(reel_ctl_asset_status(asset), "preparing") == 0
                    ? state(progress) : reel_ctl_asset_status(asset), clock,
                    eta_of(eta, progress));
    reel_ctl_bar("total", strcmp(reel_ctl_asset_status(asset), "ready") == 0
                          ? 1 : percent(progress) / 100, tail);
    (void) fputs("\n\033[J", stderr);
    (void) fflush(stderr);
    v->lines = (unsigned) n + 1;
}


/* a line when anything changed, but for what is left: for logs */
static void
draw_line(view_t *v, const json_t *asset)
{
    int          n;
    char         now[256], eta[32];
    size_t       i, count;
    json_t      *progress, *renditions;
    const char  *names[RENDITIONS];

    progress = json_object_get(asset, "progress");
    renditions = json_object_get(progress, "renditions");
    count = rank(renditions, names);
    n = snprintf(now, sizeof(now), "%.32s %.32s %d %%",
                 reel_ctl_asset_status(asset), state(progress),
                 (int) percent(progress));

    for (i = 0; i < count && n > 0 && (size_t) n < sizeof(now); i++) {
        n += snprintf(now + n, sizeof(now) - (size_t) n, "  %.32s %d %%",
                      names[i], (int) json_number_value(
                          json_object_get(renditions, names[i])));
    }

    if (strcmp(now, v->last) != 0) {
        memcpy(v->last, now, sizeof(now));
        reel_ctl_put_safe(stderr, now);
        (void) fprintf(stderr, "%s\n", eta_of(eta, progress));
    }
}


static void
draw(view_t *v, const json_t *asset)
{
    if (reel_ctl_is_tty()) {
        draw_bars(v, asset);
    } else {
        draw_line(v, asset);
    }
}


/* -1: go on */
static int
judge(const json_t *asset)
{
    const char  *status = reel_ctl_asset_status(asset);

    if (strcmp(status, "ready") == 0) {
        return REEL_EXIT_OK;
    }

    if (strcmp(status, "errored") == 0) {
        reel_ctl_asset_error(asset);
        return REEL_EXIT_ERRORED;
    }

    if (strcmp(status, "deleted") == 0) {
        return reel_ctl_fail(REEL_EXIT_NOTFOUND, "the asset was deleted");
    }

    return -1;
}


/*
 * One poll.  -1: go on; *asset is set anew when there was an answer.  What
 * may pass (a restart of nginx) is not told here but kept in e.
 */
static int
poll_once(reel_ctl_t *c, const char *path, json_t **asset, bool *answered,
    reel_error_t *e)
{
    int                 code;
    json_t             *j;
    reel_err_t          err = REEL_OK;
    reel_ctl_answer_t   a;

    *answered = false;

    code = reel_ctl_api_try(c, "GET", path, "", NULL, &a, &err, e);
    if (code != REEL_EXIT_OK) {
        goto done;
    }

    code = -1;

    if (err != REEL_OK) {
        goto done;
    }

    if (a.status >= 500 || a.status == 429) {
        (void) reel_fail(e, REEL_IO, "HTTP %ld", a.status);
        goto done;
    }

    if (a.status != 200) {
        code = reel_ctl_refusal(c, &a, path);
        goto done;
    }

    j = json_loadb((char *) a.body.data, a.body.len, 0, NULL);

    if (!json_is_object(j)) {
        json_decref(j);
        code = reel_ctl_fail(REEL_EXIT_FAILED, "the server's answer is not "
                             "an asset");
        goto done;
    }

    json_decref(*asset);
    *asset = j;
    *answered = true;

done:

    reel_ctl_answer_release(&a);

    return code;
}


int
reel_ctl_watch(reel_ctl_t *c, const char *id, uint64_t timeout_s,
    json_t **asset)
{
    int            code;
    bool           answered;
    char           path[64];
    view_t         v = { .began_ms = reel_ctl_now_ms() };
    json_t        *last = NULL;
    int64_t        heard = v.began_ms, now;
    reel_error_t   e = { "" };

    code = reel_ctl_asset_id(id);
    (void) snprintf(path, sizeof(path), "assets/%s", id);

    while (code == REEL_EXIT_OK) {

        code = poll_once(c, path, &last, &answered, &e);
        now = reel_ctl_now_ms();

        if (answered) {
            heard = now;
            draw(&v, last);
            code = judge(last);
        }

        if (code != -1) {
            break;
        }

        code = REEL_EXIT_OK;

        if (now - heard > PATIENCE_MS) {
            code = reel_ctl_fail(REEL_EXIT_UNAVAILABLE, "no answer for %d "
                                 "s: %s", PATIENCE_MS / 1000, e.text);

        } else if (timeout_s != 0
                   && (uint64_t) (now - v.began_ms) >= timeout_s * 1000)
        {
            code = reel_ctl_fail(REEL_EXIT_UNAVAILABLE, "not ready after "
                                 "%llu s; it goes on: reelctl watch %s",
                                 (unsigned long long) timeout_s, id);
        } else {
            reel_ctl_sleep_ms(POLL_MS);
        }
    }

    if (asset != NULL) {
        *asset = last;
    } else {
        json_decref(last);
    }

    return code;
}
