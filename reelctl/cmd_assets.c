/* status, watch, play-url, delete, retry, cancel, webhook, meta: of one asset */

#include <stdlib.h>
#include <string.h>

#include "reelctl/http.h"
#include "reelctl/progress.h"
#include "reelctl/watch.h"


static void
field(const char *name, const char *value)
{
    if (value != NULL && value[0] != '\0') {
        (void) printf("%-10s ", name);
        reel_ctl_put_safe(stdout, value);
        (void) fputc('\n', stdout);
    }
}


static const char *
text(const json_t *o, const char *name)
{
    return json_string_value(json_object_get(o, name));
}


static void
print_meta(const json_t *meta)
{
    field("title", text(meta, "title"));
    field("creator", text(meta, "creator"));
    field("pass", text(meta, "passthrough"));
}


static void
print_renditions(const json_t *list)
{
    size_t   i;
    json_t  *r;

    json_array_foreach(list, i, r) {
        (void) printf("rendition  ");
        reel_ctl_put_safe(stdout, text(r, "name") ? text(r, "name") : "?");

        if (json_is_integer(json_object_get(r, "width"))) {
            (void) printf("  %lldx%lld", (long long) json_integer_value(
                              json_object_get(r, "width")),
                          (long long) json_integer_value(
                              json_object_get(r, "height")));
        }

        (void) fputs("  ", stdout);
        reel_ctl_put_safe(stdout, text(r, "codec") ? text(r, "codec") : "");
        (void) printf("  %.0f kbit/s\n",
                      json_number_value(json_object_get(r,
                                            "average_bandwidth")) / 1000);
    }
}


static void
print_warnings(const json_t *list)
{
    size_t   i;
    json_t  *w;

    json_array_foreach(list, i, w) {
        (void) printf("warning    ");
        reel_ctl_put_safe(stdout, text(w, "code") ? text(w, "code") : "?");
        (void) printf(" %lld x, ", (long long) json_integer_value(
                          json_object_get(w, "count")));
        reel_ctl_put_safe(stdout, text(w, "where") ? text(w, "where") : "");

        if (json_is_integer(json_object_get(w, "at_ms"))) {
            (void) printf(", first at %.2f s", (double) json_integer_value(
                              json_object_get(w, "at_ms")) / 1000);
        }

        (void) fputs(": ", stdout);
        reel_ctl_put_safe(stdout, text(w, "detail") ? text(w, "detail") : "");
        (void) fputc('\n', stdout);
    }
}


static void
print_files(const json_t *list)
{
    char     size[64];
    size_t   i;
    json_t  *f;

    json_array_foreach(list, i, f) {
        reel_ctl_size(size, json_number_value(json_object_get(f, "bytes")));
        (void) printf("file       ");
        reel_ctl_put_safe(stdout, text(f, "task") ? text(f, "task") : "?");
        (void) fputc('/', stdout);
        reel_ctl_put_safe(stdout, text(f, "name") ? text(f, "name") : "?");
        (void) printf("  %s\n", size);
    }
}


static void
print_asset(const json_t *a)
{
    char     buf[64];
    json_t  *v, *progress;

    field("id", text(a, "id"));
    field("status", text(a, "status"));

    progress = json_object_get(a, "progress");
    if (progress != NULL) {
        (void) printf("progress   %.0f %%  ",
                      json_number_value(json_object_get(progress,
                                                        "percent")));
        reel_ctl_put_safe(stdout, text(progress, "state")
                                  ? text(progress, "state") : "");
        (void) fputc('\n', stdout);
    }

    field("name", text(a, "name"));

    v = json_object_get(a, "size");
    if (json_is_number(v)) {
        reel_ctl_size(buf, json_number_value(v));
        field("size", buf);
    }

    v = json_object_get(a, "duration");
    if (json_is_number(v)) {
        (void) snprintf(buf, sizeof(buf), "%.3f s", json_number_value(v));
        field("duration", buf);
    }

    field("pipeline", text(a, "pipeline"));
    print_meta(json_object_get(a, "meta"));
    print_renditions(json_object_get(a, "renditions"));
    field("pictures", text(a, "pictures"));
    field("sound", text(a, "sound"));
    print_warnings(json_object_get(a, "warnings"));
    print_files(json_object_get(a, "files"));
    field("hls", text(json_object_get(a, "playback"), "hls"));
    field("dash", text(json_object_get(a, "playback"), "dash"));
}


/* the exit code that says what state it is in */
static int
status_code(const json_t *asset)
{
    const char  *status = reel_ctl_asset_status(asset);

    if (strcmp(status, "errored") == 0) {
        return REEL_EXIT_ERRORED;
    }

    return strcmp(status, "deleted") == 0 ? REEL_EXIT_NOTFOUND
                                          : REEL_EXIT_OK;
}


/* prints asset (taken) as asked; code unless that fails */
static int
show(const reel_ctl_t *c, json_t *asset, int code)
{
    int  told;

    if (c->json) {
        told = reel_ctl_put_json(asset);

    } else {
        print_asset(asset);
        json_decref(asset);
        told = reel_ctl_done();
    }

    return code != REEL_EXIT_OK ? code : told;
}


int
reel_ctl_cmd_status(reel_ctl_t *c)
{
    int      code;
    json_t  *asset;

    code = reel_ctl_get_asset(c, c->argv[0], &asset);
    if (code != REEL_EXIT_OK) {
        return code;
    }

    code = status_code(asset);

    if (code == REEL_EXIT_ERRORED) {
        reel_ctl_asset_error(asset);
    }

    return show(c, asset, code);
}


int
reel_ctl_cmd_watch(reel_ctl_t *c)
{
    int        code;
    json_t    *asset = NULL;
    uint64_t   timeout;

    code = reel_ctl_opt_seconds(c, REEL_OPT_TIMEOUT, UINT32_MAX, 0, &timeout);
    if (code != REEL_EXIT_OK) {
        return code;
    }

    code = reel_ctl_watch(c, c->argv[0], timeout, &asset);

    return asset != NULL ? show(c, asset, code) : code;
}


/* a path of the server becomes a URL of it */
static char *
absolute(const reel_ctl_server_t *s, const char *url)
{
    reel_buf_t  b;

    if (url == NULL) {
        return NULL;
    }

    reel_buf_init(&b, 8192);

    if (url[0] == '/') {
        reel_buf_addz(&b, s->origin);
        reel_buf_addz(&b, s->base);
    }

    reel_buf_addz(&b, url);

    return reel_buf_take(&b, NULL);
}


static int
print_urls(const reel_ctl_t *c, const json_t *playback)
{
    int                 code;
    char               *url;
    size_t              i;
    json_t             *out = NULL;
    reel_ctl_server_t   s;

    static const char  *names[] = { "hls", "dash", "poster" };

    code = reel_ctl_server(c, &s);
    if (code != REEL_EXIT_OK) {
        return code;
    }

    if (c->json) {
        out = json_object();
    }

    for (i = 0; i < 3; i++) {
        url = absolute(&s, text(playback, names[i]));

        if (url != NULL && out != NULL) {
            json_object_set_new(out, names[i], json_string(url));

        } else if (url != NULL && i < 2) {
            field(names[i], url);
        }

        free(url);
    }

    reel_ctl_server_release(&s);

    return c->json ? reel_ctl_put_json(out) : reel_ctl_done();
}


int
reel_ctl_cmd_play_url(reel_ctl_t *c)
{
    int      code;
    json_t  *asset, *playback;

    code = reel_ctl_get_asset(c, c->argv[0], &asset);
    if (code != REEL_EXIT_OK) {
        return code;
    }

    playback = json_object_get(asset, "playback");

    if (json_is_object(playback)) {
        code = print_urls(c, playback);

    } else if (status_code(asset) == REEL_EXIT_ERRORED) {
        reel_ctl_asset_error(asset);
        code = REEL_EXIT_ERRORED;

    } else {
        code = reel_ctl_fail(REEL_EXIT_UNAVAILABLE, "nothing can be played "
                             "yet; wait with: reelctl watch %s", c->argv[0]);
    }

    json_decref(asset);

    return code;
}


/* METHOD assets/<id><tail> */
static int
act(reel_ctl_t *c, const char *method, const char *tail, json_t *body,
    json_t **out)
{
    int   code;
    char  path[64];

    code = reel_ctl_asset_id(c->argv[0]);
    if (code != REEL_EXIT_OK) {
        return code;
    }

    (void) snprintf(path, sizeof(path), "assets/%s%s", c->argv[0], tail);

    return reel_ctl_api(c, method, path, "", body, out);
}


static int
act_and_confirm(reel_ctl_t *c, const char *method, const char *verb,
    const char *what)
{
    int  code;

    code = act(c, method, verb, NULL, NULL);
    if (code != REEL_EXIT_OK) {
        return code;
    }

    if (c->json) {
        return reel_ctl_put_json(json_pack("{s:s, s:b}", "id", c->argv[0],
                                           what, 1));
    }

    (void) printf("%s %s\n", what, c->argv[0]);

    return reel_ctl_done();
}


int
reel_ctl_cmd_delete(reel_ctl_t *c)
{
    return act_and_confirm(c, "DELETE", "", "deleted");
}


int
reel_ctl_cmd_retry(reel_ctl_t *c)
{
    return act_and_confirm(c, "POST", "/retry", "queued");
}


int
reel_ctl_cmd_cancel(reel_ctl_t *c)
{
    return act_and_confirm(c, "POST", "/cancel", "cancelled");
}


int
reel_ctl_cmd_webhook(reel_ctl_t *c)
{
    return act_and_confirm(c, "POST", "/webhook", "queued");
}


int
reel_ctl_cmd_meta(reel_ctl_t *c)
{
    int          code;
    size_t       i;
    json_t      *asset = NULL, *meta, *patch, *value;
    const char  *z;

    static const struct {
        reel_ctl_opt_t  opt;
        const char     *name;
    } fields[] = {
        { REEL_OPT_TITLE, "title" },
        { REEL_OPT_CREATOR, "creator" },
        { REEL_OPT_PASSTHROUGH, "passthrough" },
    };

    meta = json_object();

    for (i = 0; i < 3; i++) {
        z = c->opt[fields[i].opt];

        if (z == NULL) {
            continue;
        }

        /* RFC 7396: null removes */
        value = z[0] != '\0' ? json_string(z) : json_null();

        if (json_object_set_new(meta, fields[i].name, value) != 0) {
            json_decref(meta);
            return reel_ctl_fail(REEL_EXIT_USAGE, "--%s is not UTF-8",
                                 fields[i].name);
        }
    }

    if (json_object_size(meta) == 0) {
        code = reel_ctl_get_asset(c, c->argv[0], &asset);

    } else {
        patch = json_pack("{s:O}", "meta", meta);
        code = act(c, "PATCH", "", patch, &asset);
        json_decref(patch);
    }

    json_decref(meta);

    if (code != REEL_EXIT_OK) {
        return code;
    }

    meta = json_incref(json_object_get(asset, "meta"));
    json_decref(asset);

    if (c->json) {
        return reel_ctl_put_json(meta != NULL ? meta : json_object());
    }

    print_meta(meta);
    json_decref(meta);

    return reel_ctl_done();
}
