#include <stdlib.h>
#include <string.h>

#include "lib/auth/query.h"
#include "reelctl/http.h"
#include "reelctl/progress.h"


#define PAGES_MAX 100000


static const char *
text(const json_t *o, const char *name)
{
    const char  *z = json_string_value(json_object_get(o, name));

    return z != NULL ? z : "";
}


static void
print_row(const json_t *a)
{
    char  size[24], duration[24];

    reel_ctl_size(size, json_number_value(json_object_get(a, "size")));
    reel_ctl_clock(duration, json_is_number(json_object_get(a, "duration"))
                   ? json_number_value(json_object_get(a, "duration")) : -1);

    reel_ctl_put_safe(stdout, text(a, "id"));
    (void) printf("  %-9.16s  %3.0f %%  %8s  %10s  ", text(a, "status"),
                  json_number_value(json_object_get(
                      json_object_get(a, "progress"), "percent")),
                  duration, size);
    reel_ctl_put_safe(stdout, text(a, "name"));
    (void) fputc('\n', stdout);
}


static void
make_query(reel_buf_t *q, uint64_t limit, const char *state,
    const char *cursor)
{
    reel_buf_printf(q, "limit=%llu", (unsigned long long) limit);

    if (state != NULL) {
        reel_buf_addz(q, "&state=");
        reel_uri_encode(q, reel_str(state), false);
    }

    if (cursor != NULL) {
        reel_buf_addz(q, "&cursor=");
        reel_uri_encode(q, reel_str(cursor), false);
    }
}


/* one page is added to all; *cursor becomes the next one's, yours, or NULL */
static int
get_page(reel_ctl_t *c, uint64_t limit, json_t *all, char **cursor)
{
    int          code;
    json_t      *page;
    reel_buf_t   q;

    reel_buf_init(&q, 4096);
    make_query(&q, limit, c->opt[REEL_OPT_STATE], *cursor);
    free(*cursor);
    *cursor = NULL;

    if (reel_buf_err(&q) != REEL_OK) {
        return reel_ctl_fail(REEL_EXIT_USAGE, "--cursor is too long");
    }

    code = reel_ctl_api(c, "GET", "assets", reel_buf_cstr(&q), NULL, &page);
    reel_buf_release(&q);

    if (code != REEL_EXIT_OK) {
        return code;
    }

    if (text(page, "next_cursor")[0] != '\0') {
        *cursor = strdup(text(page, "next_cursor"));
    }

    (void) json_array_extend(all, json_object_get(page, "assets"));
    json_decref(page);

    return REEL_EXIT_OK;
}


static int
print_list(const reel_ctl_t *c, json_t *all, const char *cursor)
{
    size_t   i;
    json_t  *a;

    if (c->json) {
        return reel_ctl_put_json(json_pack("{s:O, s:s?}", "assets", all,
                                           "next_cursor", cursor));
    }

    json_array_foreach(all, i, a) {
        print_row(a);
    }

    if (cursor != NULL) {
        (void) fprintf(stderr, "more: --cursor %s, or --all\n", cursor);
    }

    return reel_ctl_done();
}


int
reel_ctl_cmd_list(reel_ctl_t *c)
{
    int          code;
    char        *cursor = NULL;
    json_t      *all;
    uint64_t     limit;
    unsigned     pages = 0;
    const char  *state = c->opt[REEL_OPT_STATE];

    code = reel_ctl_opt_number(c, REEL_OPT_LIMIT, 100, 20, &limit);

    if (code == REEL_EXIT_OK && limit == 0) {
        code = reel_ctl_fail(REEL_EXIT_USAGE, "--limit must be above 0");
    }

    if (code == REEL_EXIT_OK && state != NULL
        && strcmp(state, "preparing") != 0 && strcmp(state, "ready") != 0
        && strcmp(state, "errored") != 0)
    {
        code = reel_ctl_fail(REEL_EXIT_USAGE, "--state %s: must be "
                             "preparing, ready or errored", state);
    }

    if (code != REEL_EXIT_OK) {
        return code;
    }

    if (c->opt[REEL_OPT_CURSOR] != NULL) {
        cursor = strdup(c->opt[REEL_OPT_CURSOR]);
    }

    all = json_array();

    do {
        code = get_page(c, limit, all, &cursor);
    } while (code == REEL_EXIT_OK && cursor != NULL
             && c->opt[REEL_OPT_ALL] != NULL && ++pages < PAGES_MAX);

    if (code == REEL_EXIT_OK) {
        code = print_list(c, all, cursor);
    }

    free(cursor);
    json_decref(all);

    return code;
}
