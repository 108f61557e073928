#include <stdlib.h>
#include <string.h>

#include "lib/auth/query.h"
#include "reelctl/http.h"
#include "reelctl/list.h"


#define PAGES_MAX 100000


const char *
reel_ctl_text(const json_t *o, const char *name)
{
    const char  *z = json_string_value(json_object_get(o, name));

    return z != NULL ? z : "";
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
get_page(reel_ctl_t *c, const reel_ctl_list_t *l, uint64_t limit, json_t *all,
    char **cursor)
{
    int          code;
    json_t      *page;
    reel_buf_t   q;

    reel_buf_init(&q, 4096);
    make_query(&q, limit, c->opt[l->state], *cursor);
    free(*cursor);
    *cursor = NULL;

    if (reel_buf_err(&q) != REEL_OK) {
        return reel_ctl_fail(REEL_EXIT_USAGE, "--cursor is too long");
    }

    code = reel_ctl_api(c, "GET", l->noun, reel_buf_cstr(&q), NULL, &page);
    reel_buf_release(&q);

    if (code != REEL_EXIT_OK) {
        return code;
    }

    if (reel_ctl_text(page, "next_cursor")[0] != '\0') {
        *cursor = strdup(reel_ctl_text(page, "next_cursor"));
    }

    (void) json_array_extend(all, json_object_get(page, l->noun));
    json_decref(page);

    return REEL_EXIT_OK;
}


static int
print_list(const reel_ctl_t *c, const reel_ctl_list_t *l, json_t *all,
    const char *cursor)
{
    size_t   i;
    json_t  *a;

    if (c->json) {
        return reel_ctl_put_json(json_pack("{s:O, s:s?}", l->noun, all,
                                           "next_cursor", cursor));
    }

    json_array_foreach(all, i, a) {
        l->print(a);
    }

    if (cursor != NULL) {
        (void) fprintf(stderr, "more: --cursor %s, or --all\n", cursor);

    } else if (json_array_size(all) == 0) {
        (void) fprintf(stderr, "no %s\n", l->noun);
    }

    return reel_ctl_done();
}


static int
check_state(const reel_ctl_t *c, const reel_ctl_list_t *l)
{
    size_t       i;
    char         all[80] = "";
    const char  *state = c->opt[l->state];

    if (state == NULL) {
        return REEL_EXIT_OK;
    }

    for (i = 0; l->states[i] != NULL; i++) {
        if (strcmp(state, l->states[i]) == 0) {
            return REEL_EXIT_OK;
        }

        (void) snprintf(all + strlen(all), sizeof(all) - strlen(all), "%s%s",
                        i == 0 ? "" : l->states[i + 1] != NULL ? ", " : " or ",
                        l->states[i]);
    }

    return reel_ctl_fail(REEL_EXIT_USAGE, "--state %s: must be %s", state,
                         all);
}


int
reel_ctl_list(reel_ctl_t *c, const reel_ctl_list_t *l)
{
    int        code;
    char      *cursor = NULL;
    json_t    *all;
    uint64_t   limit;
    unsigned   pages = 0;

    code = reel_ctl_opt_number(c, REEL_OPT_LIMIT, 100, 20, &limit);

    if (code == REEL_EXIT_OK && limit == 0) {
        code = reel_ctl_fail(REEL_EXIT_USAGE, "--limit must be above 0");
    }

    if (code == REEL_EXIT_OK) {
        code = check_state(c, l);
    }

    if (code != REEL_EXIT_OK) {
        return code;
    }

    if (c->opt[REEL_OPT_CURSOR] != NULL) {
        cursor = strdup(c->opt[REEL_OPT_CURSOR]);
    }

    all = json_array();

    do {
        code = get_page(c, l, limit, all, &cursor);
    } while (code == REEL_EXIT_OK && cursor != NULL
             && c->opt[REEL_OPT_ALL] != NULL && ++pages < PAGES_MAX);

    if (code == REEL_EXIT_OK) {
        code = print_list(c, l, all, cursor);
    }

    free(cursor);
    json_decref(all);

    return code;
}
