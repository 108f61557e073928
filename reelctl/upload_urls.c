/*
 * Parts by presigned URLs alone, which somebody with a key made:
 *
 *   { "parts": ["https://…partNumber=1…", …], "part_size": 16777216,
 *     "list": "https://…", "complete": "https://…" }
 *
 * Without part_size the URLs share the file; without list it is known here
 * what is there; without complete the caller gets what completing takes.
 * Requests get no header of S3's: a URL is signed with Host alone.
 */

#include <stdlib.h>
#include <unistd.h>

#include "lib/auth/query.h"
#include "reelctl/progress.h"
#include "reelctl/upload.h"


#define FILE_MAX  (64 * 1024 * 1024)
#define SAVE_MS   1000


typedef struct {
    const reel_ctl_how_t   *how;
    const reel_ctl_file_t  *file;
    json_t                 *urls;       /* the file */
    json_t                 *list;       /* its "parts" */
    uint64_t                part_size;  /* 0: none in it */
    const char             *complete, *listing;
    int64_t                 saved_ms;
    reel_ctl_state_t        state;
    reel_ctl_parts_t        parts;
} door_t;


/* ---- the file of URLs ---- */

static bool
is_url(const char *z)
{
    return strncmp(z, "http://", 7) == 0 || strncmp(z, "https://", 8) == 0;
}


static int
load(door_t *d, const char *path)
{
    int            code = REEL_EXIT_OK;
    reel_buf_t     b;
    json_error_t   e;

    if (strcmp(path, "-") == 0) {
        d->urls = json_loadf(stdin, JSON_REJECT_DUPLICATES, &e);

    } else {
        code = reel_ctl_read_file(path, FILE_MAX, &b, NULL);

        if (code == REEL_EXIT_OK) {
            d->urls = json_loadb((char *) b.data, b.len,
                                 JSON_REJECT_DUPLICATES, &e);
        }

        reel_buf_release(&b);
    }

    if (code == REEL_EXIT_OK && d->urls == NULL) {
        /* of its text no more than the line: it is as good as a key */
        code = reel_ctl_fail(REEL_EXIT_USAGE, "%s: line %d is not JSON", path,
                             e.line);
    }

    return code;
}


static int
check(door_t *d, const char *path)
{
    size_t       i;
    json_t      *url;
    json_int_t   part_size = 0;

    if (json_unpack(d->urls, "{s:o, s?I, s?s, s?s !}", "parts", &d->list,
                    "part_size", &part_size, "list", &d->listing, "complete",
                    &d->complete) != 0
        || !json_is_array(d->list) || part_size < 0
        || (d->listing != NULL && !is_url(d->listing))
        || (d->complete != NULL && !is_url(d->complete)))
    {
        return reel_ctl_fail(REEL_EXIT_USAGE, "%s: must be an object with "
                             "parts (URLs of part 1, 2, …) and may have "
                             "part_size (bytes), list and complete (URLs), "
                             "nothing else", path);
    }

    json_array_foreach(d->list, i, url) {
        if (!json_is_string(url) || !is_url(json_string_value(url))) {
            return reel_ctl_fail(REEL_EXIT_USAGE, "%s: parts: number %zu is "
                                 "not an http or https URL", path, i + 1);
        }
    }

    if (i == 0) {
        return reel_ctl_fail(REEL_EXIT_USAGE, "%s: parts is empty", path);
    }

    d->part_size = (uint64_t) part_size;

    return REEL_EXIT_OK;
}


/* whole MiB, so that all URLs but maybe the last ones are used */
static uint64_t
share(const door_t *d)
{
    size_t    n = json_array_size(d->list);
    uint64_t  size;

    if (d->part_size != 0 || d->how->part_size != 0) {
        return d->part_size != 0 ? d->part_size : d->how->part_size;
    }

    size = d->file->size / n + (d->file->size % n != 0);
    size = size / (1 << 20) + (size % (1 << 20) != 0);
    size <<= 20;

    return size > REEL_CTL_PART_MIN ? size : REEL_CTL_PART_MIN;
}


static int
begin(door_t *d, uint64_t part_size)
{
    int  code;

    reel_ctl_parts_release(&d->parts);
    code = reel_ctl_parts_init(&d->parts, d->how, d->file, part_size);

    if (code == REEL_EXIT_OK && d->parts.n > json_array_size(d->list)) {
        code = reel_ctl_fail(REEL_EXIT_USAGE, "%zu URLs are not enough: %s "
                             "has %zu parts of %llu bytes",
                             json_array_size(d->list), d->file->name,
                             d->parts.n, (unsigned long long) part_size);
    }

    return code;
}


/* ---- what is kept ---- */

/* no more of a URL than its host, path and upload: the rest is secret */
static void
identify(const door_t *d, reel_buf_t *b)
{
    char        *real;
    reel_str_t   url, query, value;

    url = reel_str_cut(reel_str(json_string_value(json_array_get(d->list,
                                                                 0))),
                       '?', &query);
    reel_buf_adds(b, url);

    if (query.p != NULL && reel_query_get(query, "uploadId", &value)) {
        reel_buf_u8(b, '\n');
        reel_buf_adds(b, value);
    }

    real = realpath(d->file->path, NULL);
    reel_buf_printf(b, "\n%s", real != NULL ? real : d->file->path);
    free(real);
}


static void
save(door_t *d)
{
    json_t      *j = reel_ctl_state_new(&d->parts, true);
    reel_str_t   url, query;

    url = reel_str_cut(reel_str(json_string_value(json_array_get(d->list,
                                                                 0))),
                       '?', &query);

    if (j != NULL) {
        json_object_set_new(j, "url", json_stringn(url.p, url.len));
    }

    reel_ctl_state_save(&d->state, j);
    d->saved_ms = reel_ctl_now_ms();
}


static void
landed(reel_ctl_parts_t *p)
{
    door_t  *d = p->door;

    if (reel_ctl_now_ms() - d->saved_ms > SAVE_MS) {
        save(d);
    }
}


/* ---- requests ---- */

static int
call_part(reel_ctl_parts_t *p, size_t i, reel_ctl_call_t *call)
{
    door_t  *d = p->door;

    call->url = strdup(json_string_value(json_array_get(d->list, i)));

    return call->url != NULL ? REEL_EXIT_OK
           : reel_ctl_fail(REEL_EXIT_FAILED, "out of memory");
}


static int
make(const reel_ctl_ask_t *q, reel_ctl_call_t *call)
{
    call->url = strdup(q->query);

    return call->url != NULL ? REEL_EXIT_OK
           : reel_ctl_fail(REEL_EXIT_FAILED, "out of memory");
}


/* the first page: who signs one URL cannot know where the next one begins */
static int
list(door_t *d)
{
    int                 code;
    uint64_t            next;
    reel_error_t        e = { "" };
    reel_ctl_answer_t   a;

    reel_ctl_ask_t  q = {
        .how = d->how, .method = "GET", .make = make, .query = d->listing,
        .what = "the parts that are there cannot be listed"
    };

    code = reel_ctl_ask(&q, &a);

    if (code == REEL_EXIT_OK && a.status != 200) {
        code = reel_ctl_refusal(d->how->c, &a, q.what);

    } else if (code == REEL_EXIT_OK
               && reel_ctl_xml_listed(&a, &d->parts, &next, &e) != REEL_OK)
    {
        code = reel_ctl_fail(REEL_EXIT_FAILED, "%s: %s", q.what, e.text);
    }

    reel_ctl_answer_release(&a);

    return code;
}


static int
complete(door_t *d, reel_ctl_outcome_t *out)
{
    int                 code;
    reel_buf_t          body;
    reel_ctl_answer_t   a = { 0 };

    reel_ctl_ask_t  q = {
        .how = d->how, .method = "POST", .make = make, .query = d->complete,
        .type = "Content-Type: application/xml",
        .what = "the upload cannot be completed"
    };

    reel_ctl_xml_complete(&body, &d->parts);
    q.body = reel_buf_cstr(&body);

    code = reel_buf_err(&body) == REEL_OK
           ? reel_ctl_ask(&q, &a)
           : reel_ctl_fail(REEL_EXIT_FAILED, "out of memory");

    if (code == REEL_EXIT_OK) {
        code = reel_ctl_completed(d->how, &a, out);
    }

    reel_ctl_answer_release(&a);
    reel_buf_release(&body);

    return code;
}


/* as S3's clients and SDKs write it */
static json_t *
for_caller(const reel_ctl_parts_t *p)
{
    size_t   i;
    json_t  *j = json_array();

    for (i = 0; i < p->n; i++) {
        json_array_append_new(j, json_pack("{s:I, s:s}", "PartNumber",
                                           (json_int_t) i + 1, "ETag",
                                           p->part[i].etag));
    }

    return j;
}


/* ---- all of it ---- */

static int
resume(door_t *d)
{
    int       code;
    uint64_t  part_size = 0;

    code = reel_ctl_state_check(d->state.was, d->file, &part_size);

    if (code == REEL_EXIT_OK) {
        code = begin(d, part_size);
    }

    if (code != REEL_EXIT_OK) {
        return code;
    }

    reel_ctl_state_parts(d->state.was, &d->parts);

    /* all done: only completing is left, and it may be done too */
    return d->listing == NULL
           || reel_ctl_parts_done(&d->parts) == d->file->size
           ? REEL_EXIT_OK : list(d);
}


static int
choose(door_t *d)
{
    int          code;
    reel_buf_t   identity;

    reel_buf_init(&identity, 65536);
    identify(d, &identity);
    reel_ctl_state_open(&d->state, &identity);
    reel_buf_release(&identity);

    if (d->state.busy) {
        return reel_ctl_fail(REEL_EXIT_FAILED, "another reelctl is uploading "
                             "%s just now", d->file->name);
    }

    if (d->how->resume && d->state.was != NULL) {
        code = resume(d);

    } else {
        code = begin(d, share(d));

        if (code == REEL_EXIT_OK && d->how->resume && d->listing != NULL) {
            code = list(d);
        }
    }

    if (code == REEL_EXIT_OK) {
        save(d);
    }

    return code;
}


static int
send_all(door_t *d, reel_ctl_outcome_t *out)
{
    int  code;

    d->parts.call = call_part;
    d->parts.landed = landed;
    d->parts.door = d;
    code = reel_ctl_parts_send(&d->parts);
    save(d);

    if (code == REEL_EXIT_OK) {
        code = reel_ctl_file_same(d->file);
    }

    if (code == REEL_EXIT_OK && d->complete != NULL) {
        code = complete(d, out);

    } else if (code == REEL_EXIT_OK) {
        out->parts = for_caller(&d->parts);
    }

    return code;
}


int
reel_ctl_upload_urls(const reel_ctl_how_t *how, const reel_ctl_file_t *f,
    reel_ctl_outcome_t *out)
{
    int          code;
    door_t       d = { .how = how, .file = f, .state.fd = -1 };
    const char  *path = how->c->opt[REEL_OPT_PART_URLS];

    code = load(&d, path);

    if (code == REEL_EXIT_OK) {
        code = check(&d, path);
    }

    if (code == REEL_EXIT_OK) {
        code = choose(&d);
    }

    if (code == REEL_EXIT_OK) {
        code = send_all(&d, out);
    }

    reel_ctl_state_end(&d.state, &d.parts, code);
    reel_ctl_parts_release(&d.parts);
    reel_ctl_state_close(&d.state);
    json_decref(d.urls);

    return code;
}
