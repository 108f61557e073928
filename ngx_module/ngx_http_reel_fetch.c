/* ranges of files behind an internal location: see ngx_http_reel_fetch.h */

#include "ngx_module/ngx_http_reel_fetch.h"

/* one subrequest, which may outlive what it was started for */
struct ngx_http_reel_answer_s {
    ngx_http_reel_fetch_t       *fetch;     /* NULL: it was left */
    ngx_http_request_t          *request;
    ngx_list_t                   headers;
    ngx_http_variable_value_t   *variables;
    ngx_http_post_subrequest_t   post;
    ngx_http_reel_fetch_limit_t  limit;
};

static ngx_int_t add_cleanup(ngx_http_request_t *r,
    ngx_http_reel_fetch_t *f);
static void cleanup(void *data);
static ngx_http_reel_answer_t *create_answer(ngx_http_request_t *r,
    ngx_http_reel_fetch_t *f);
static ngx_int_t add_range(ngx_http_request_t *r, ngx_http_reel_answer_t *a);
static ngx_int_t copy_variables(ngx_http_request_t *r,
    ngx_http_reel_answer_t *a);
static void ask(ngx_http_reel_answer_t *a);
static ngx_http_reel_answer_t *answer_of(ngx_http_request_t *r);
static ngx_int_t header_filter(ngx_http_request_t *r);
static void read_on_demand(ngx_http_request_t *r);
static ngx_int_t body_filter(ngx_http_request_t *r, ngx_chain_t *in);
static void stop(ngx_http_request_t *r, ngx_chain_t *in);
static void drop(ngx_chain_t *in);
static ngx_int_t take(ngx_http_reel_fetch_t *f);
static ngx_int_t take_bytes(ngx_http_reel_fetch_t *f, ngx_buf_t *b);
static ngx_int_t ended(ngx_http_request_t *sr, void *data, ngx_int_t rc);
static void end(ngx_http_reel_fetch_t *f);
static void post(ngx_http_reel_fetch_t *f);
static void tell(ngx_event_t *ev);

static ngx_http_output_header_filter_pt  next_header_filter;
static ngx_http_output_body_filter_pt    next_body_filter;
static ngx_int_t                         range_variable;


ngx_int_t
ngx_http_reel_fetch_init(ngx_conf_t *cf)
{
    ngx_str_t  name;

    next_header_filter = ngx_http_top_header_filter;
    ngx_http_top_header_filter = header_filter;

    next_body_filter = ngx_http_top_body_filter;
    ngx_http_top_body_filter = body_filter;

    ngx_str_set(&name, "http_range");
    range_variable = ngx_http_get_variable_index(cf, &name);

    return range_variable == NGX_ERROR ? NGX_ERROR : NGX_OK;
}


ngx_int_t
ngx_http_reel_fetch(ngx_http_request_t *r, ngx_http_reel_fetch_t *f)
{
    ngx_http_reel_answer_t  *a;

    if (f->request == NULL && add_cleanup(r, f) != NGX_OK) {
        return NGX_ERROR;
    }

    f->request = r;
    f->over = 0;
    f->status = 0;
    f->wrong = NULL;
    f->n = 0;
    f->length = 0;
    f->got = 0;
    f->waiting = NULL;
    ngx_memzero(&f->st, sizeof(reel_store_stat_t));

    a = create_answer(r, f);

    if (a == NULL
        || ngx_http_subrequest(r, &f->uri, NULL, &a->request, &a->post,
                               NGX_HTTP_SUBREQUEST_BACKGROUND)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    f->answer = a;
    ask(a);

    return NGX_OK;
}


static ngx_int_t
add_cleanup(ngx_http_request_t *r, ngx_http_reel_fetch_t *f)
{
    ngx_pool_cleanup_t  *cln;

    cln = ngx_pool_cleanup_add(r->pool, 0);
    if (cln == NULL) {
        return NGX_ERROR;
    }

    cln->handler = cleanup;
    cln->data = f;

    f->event.handler = tell;
    f->event.data = f;
    f->event.log = ngx_cycle->log;

    return NGX_OK;
}


static void
cleanup(void *data)
{
    ngx_http_reel_fetch_t *f = data;

    if (f->event.posted) {
        ngx_delete_posted_event(&f->event);
    }
}


/* all that may fail is done before the subrequest is there */
static ngx_http_reel_answer_t *
create_answer(ngx_http_request_t *r, ngx_http_reel_fetch_t *f)
{
    ngx_http_reel_answer_t  *a;

    a = ngx_pcalloc(r->pool, sizeof(ngx_http_reel_answer_t));
    if (a == NULL) {
        return NULL;
    }

    a->fetch = f;
    a->post.handler = ended;
    a->post.data = a;

    if (add_range(r, a) != NGX_OK || copy_variables(r, a) != NGX_OK) {
        return NULL;
    }

    return a;
}


static ngx_int_t
add_range(ngx_http_request_t *r, ngx_http_reel_answer_t *a)
{
    u_char           *p;
    ngx_table_elt_t  *h;

    if (ngx_list_init(&a->headers, r->pool, 2, sizeof(ngx_table_elt_t))
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    h = ngx_list_push(&a->headers);
    p = ngx_pnalloc(r->pool, sizeof("bytes=-") + 2 * NGX_INT64_LEN);

    if (h == NULL || p == NULL) {
        return NGX_ERROR;
    }

    ngx_memzero(h, sizeof(ngx_table_elt_t));
    h->hash = 1;
    ngx_str_set(&h->key, "Range");
    h->lowcase_key = (u_char *) "range";
    h->value.data = p;
    h->value.len = ngx_sprintf(p, "bytes=%uL-%uL", a->fetch->offset,
                               a->fetch->offset + a->fetch->size - 1) - p;

    return NGX_OK;
}


/*
 * Subrequests share their parent's, in which $http_range, the key of a cache,
 * say, would stay what it was for the first of them.
 */
static ngx_int_t
copy_variables(ngx_http_request_t *r, ngx_http_reel_answer_t *a)
{
    size_t                      size;
    ngx_http_core_main_conf_t  *cmcf;

    cmcf = ngx_http_get_module_main_conf(r, ngx_http_core_module);
    size = cmcf->variables.nelts * sizeof(ngx_http_variable_value_t);

    a->variables = ngx_palloc(r->pool, size);
    if (a->variables == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(a->variables, r->variables, size);
    a->variables[range_variable].valid = 0;
    a->variables[range_variable].not_found = 0;

    return NGX_OK;
}


/* nothing of what the client asked for goes on, but the host */
static void
ask(ngx_http_reel_answer_t *a)
{
    ngx_str_t            server;
    ngx_http_request_t  *sr;

    sr = a->request;
    server = sr->headers_in.server;

    ngx_memzero(&sr->headers_in, sizeof(ngx_http_headers_in_t));
    sr->headers_in.server = server;
    sr->headers_in.content_length_n = -1;
    sr->headers_in.keep_alive_n = -1;
    sr->headers_in.headers = a->headers;

    if (sr->headers_in.headers.last == &a->headers.part) {
        sr->headers_in.headers.last = &sr->headers_in.headers.part;
    }

    sr->headers_in.range = a->headers.part.elts;
    sr->header_in = sr->main->header_in;
    sr->variables = a->variables;
}


static ngx_http_reel_answer_t *
answer_of(ngx_http_request_t *r)
{
    return r != r->main && r->post_subrequest
           && r->post_subrequest->handler == ended ? r->post_subrequest->data
                                                   : NULL;
}


ngx_http_reel_fetch_limit_t *
ngx_http_reel_fetch_limit_of(ngx_http_request_t *r)
{
    return &answer_of(r)->limit;
}


static ngx_int_t
header_filter(ngx_http_request_t *r)
{
    ngx_http_reel_fetch_t   *f;
    ngx_http_reel_answer_t  *a;

    a = answer_of(r);

    if (a == NULL) {
        return next_header_filter(r);
    }

    r->header_sent = 1;
    f = a->fetch;

    if (f == NULL) {
        return NGX_ERROR;
    }

    f->status = r->headers_out.status;

    if (f->status == NGX_HTTP_OK && r->headers_out.content_length_n == 0) {
        /* nginx itself answers so: of nothing there is no range */
        f->status = NGX_HTTP_RANGE_NOT_SATISFIABLE;
    }

    if (f->status == NGX_HTTP_OK || f->status == NGX_HTTP_PARTIAL_CONTENT) {
        f->wrong = ngx_http_reel_fetch_head(r, f);
    }

    if (f->wrong) {
        return NGX_ERROR;
    }

    read_on_demand(r);

    /* an error's body is of no use */
    return NGX_OK;
}


/*
 * As X-Accel-Buffering does it.  Of a background subrequest nginx would else
 * collect the whole answer, in a temporary file, before it passes any of it
 * on; and without one stop for ever when its buffers are full.
 */
static void
read_on_demand(ngx_http_request_t *r)
{
    ngx_http_upstream_t  *u;

    u = r->upstream;

    if (u == NULL || r->cached || u->store) {
        return;
    }

#if (NGX_HTTP_CACHE)
    if (u->cacheable) {
        return;
    }
#endif

    u->buffering = 0;
}


static ngx_int_t
body_filter(ngx_http_request_t *r, ngx_chain_t *in)
{
    ngx_chain_t             *cl;
    ngx_http_reel_fetch_t   *f;
    ngx_http_reel_answer_t  *a;

    a = answer_of(r);

    if (a == NULL) {
        return next_body_filter(r, in);
    }

    ngx_http_reel_fetch_limit_keep(r, &a->limit);
    f = a->fetch;

    if (f == NULL) {
        stop(r, in);
        return NGX_OK;
    }

    if (f->length == 0) {
        /* an error's: nobody waits for the end of it */
        stop(r, in);
        return NGX_OK;
    }

    for (cl = in; cl; cl = cl->next) {
        f->got += ngx_buf_size(cl->buf);
    }

    if (f->got > f->length) {
        f->wrong = "it sends more than it says";

    } else if (ngx_chain_add_copy(r->pool, &f->waiting, in) != NGX_OK) {
        f->wrong = "there is no memory for it";

    } else {
        (void) take(f);
    }

    if (f->wrong) {
        drop(f->waiting);
        f->waiting = NULL;
        stop(r, in);
    }

    return NGX_OK;
}


/* not by NGX_ERROR, which would be the end of the client's connection too */
static void
stop(ngx_http_request_t *r, ngx_chain_t *in)
{
    drop(in);

    if (r->upstream) {
        r->upstream->error = 1;
    }
}


static void
drop(ngx_chain_t *in)
{
    for ( /* void */ ; in; in = in->next) {
        in->buf->pos = in->buf->last;
        in->buf->file_pos = in->buf->file_last;
    }
}


/* what there is room for */
static ngx_int_t
take(ngx_http_reel_fetch_t *f)
{
    ngx_int_t     rc;
    ngx_chain_t  *cl;

    while (f->waiting) {
        rc = take_bytes(f, f->waiting->buf);

        if (rc == NGX_AGAIN) {
            break;
        }

        if (rc != NGX_OK) {
            return rc;
        }

        cl = f->waiting;
        f->waiting = cl->next;
        ngx_free_chain(f->request->pool, cl);
    }

    if (f->wake && f->n >= f->wake) {
        f->wake = 0;
        post(f);
    }

    return NGX_OK;
}


/* a cache has them in a file; NGX_AGAIN: some are left */
static ngx_int_t
take_bytes(ngx_http_reel_fetch_t *f, ngx_buf_t *b)
{
    off_t    left;
    size_t   n;
    u_char  *to;

    for (left = ngx_buf_size(b); left; left -= (off_t) n) {
        n = (size_t) ngx_min(left, NGX_MAX_INT32_VALUE);
        to = f->room ? f->room(f, &n) : f->buf + f->n;

        if (n == 0) {
            return NGX_AGAIN;
        }

        f->n += n;

        if (ngx_buf_in_memory(b)) {
            if (to) {
                ngx_memcpy(to, b->pos, n);
            }

            b->pos += n;
            continue;
        }

        if (to && ngx_read_file(b->file, to, n, b->file_pos) != (ssize_t) n) {
            f->wrong = "its copy cannot be read";
            return NGX_ERROR;
        }

        b->file_pos += (off_t) n;
    }

    return NGX_OK;
}


void
ngx_http_reel_fetch_more(ngx_http_reel_fetch_t *f)
{
    if (f->waiting == NULL) {
        return;
    }

    if (take(f) != NGX_OK) {
        ngx_http_reel_fetch_leave(f);
        end(f);
        return;
    }

    if (f->waiting) {
        return;
    }

    if (f->answer) {
        (void) ngx_http_post_request(f->answer->request, NULL);

    } else if (f->over && f->wake) {
        /* nothing more comes: what is waited for has to be asked for */
        f->wake = 0;
        post(f);
    }
}


void
ngx_http_reel_fetch_leave(ngx_http_reel_fetch_t *f)
{
    ngx_http_reel_answer_t  *a;

    a = f->answer;

    if (f->request && f->event.posted) {
        ngx_delete_posted_event(&f->event);
    }

    if (a) {
        a->fetch = NULL;
        f->answer = NULL;

        if (f->waiting) {
            drop(f->waiting);
            (void) ngx_http_post_request(a->request, NULL);
        }
    }

    f->waiting = NULL;
}


/* returns what ends the subrequest quietly: it has no client */
static ngx_int_t
ended(ngx_http_request_t *sr, void *data, ngx_int_t rc)
{
    ngx_http_reel_answer_t *a = data;

    ngx_http_reel_fetch_t  *f;

    f = a->fetch;

    if (f == NULL) {
        return NGX_OK;
    }

    a->fetch = NULL;

    if (rc >= NGX_HTTP_SPECIAL_RESPONSE && !f->wrong) {
        f->status = rc;

    } else if (f->status == NGX_HTTP_PARTIAL_CONTENT && !f->wrong
               && (rc == NGX_ERROR || f->got != f->length))
    {
        f->wrong = "it is cut short";

    } else if (f->status == 0) {
        f->status = NGX_HTTP_BAD_GATEWAY;
    }

    end(f);

    return NGX_OK;
}


static void
end(ngx_http_reel_fetch_t *f)
{
    f->over = 1;
    f->answer = NULL;

    if (f->wrong) {
        f->status = NGX_HTTP_BAD_GATEWAY;
        ngx_log_error(NGX_LOG_ERR, f->request->connection->log, 0,
                      "reel: the answer to bytes %uL-%uL of \"%V\" is not "
                      "taken: %s", f->offset, f->offset + f->size - 1,
                      &f->uri, f->wrong);
    }

    post(f);
}


static void
post(ngx_http_reel_fetch_t *f)
{
    if (!f->event.posted) {
        ngx_post_event(&f->event, &ngx_posted_events);
    }
}


static void
tell(ngx_event_t *ev)
{
    ngx_http_reel_fetch_t *f = ev->data;

    ngx_connection_t    *c;
    ngx_http_request_t  *r;

    r = f->request;
    c = r->connection;
    ngx_http_reel_fetch_limit_wake(c);

    ngx_http_set_log_request(c->log, r);
    f->done(r, f->data);
    ngx_http_run_posted_requests(c);
}
