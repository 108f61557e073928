/* what of a list a query asks for: how many, in which state, behind what */

#include "ngx_module/ngx_http_reel_api.h"

#include "lib/auth/query.h"


#define NGX_HTTP_REEL_API_PAGE_DEFAULT  20


static ngx_uint_t ngx_http_reel_api_page_state(const char *state,
    const char *const *states);


ngx_int_t
ngx_http_reel_api_page(ngx_http_request_t *r, ngx_http_reel_api_page_t *page,
    const ngx_http_reel_api_list_t *list, void *data)
{
    char         buf[80];
    uint64_t     v;
    reel_err_t   err;
    reel_str_t   query;
    const char  *bad;

    query.p = (char *) r->args.data;
    query.len = r->args.len;

    page->limit = NGX_HTTP_REEL_API_PAGE_DEFAULT;
    bad = NULL;

    if (query.len == 0) {
        return NGX_OK;
    }

    err = reel_query_get_decoded(query, "limit", buf, sizeof(buf));
    if (err == REEL_OK) {
        err = reel_str_u64(reel_str(buf), NGX_HTTP_REEL_API_PAGE_MAX, &v);
        page->limit = err == REEL_OK ? v : 0;
    }

    if ((err != REEL_OK && err != REEL_NOTFOUND) || page->limit == 0) {
        bad = "limit is a number from 1 to 100";
    }

    err = reel_query_get_decoded(query, "cursor", buf, sizeof(buf));
    if (err == REEL_OK) {
        err = list->cursor(data, buf);
    }

    if (err != REEL_OK && err != REEL_NOTFOUND) {
        bad = "cursor is not one that a list call returned";
    }

    err = reel_query_get_decoded(query, "state", page->state,
                                 sizeof(page->state));

    if ((err != REEL_OK && err != REEL_NOTFOUND)
        || !ngx_http_reel_api_page_state(page->state, list->states))
    {
        bad = list->bad_state;
    }

    if (bad) {
        return ngx_http_reel_error(r, NGX_HTTP_REEL_PROBLEM,
                                   NGX_HTTP_BAD_REQUEST, "INVALID_FIELD", bad,
                                   0);
    }

    return NGX_OK;
}


/* "" is any of them */
static ngx_uint_t
ngx_http_reel_api_page_state(const char *state, const char *const *states)
{
    if (state[0] == '\0') {
        return 1;
    }

    for ( /* void */ ; *states; states++) {
        if (ngx_strcmp(state, *states) == 0) {
            return 1;
        }
    }

    return 0;
}
