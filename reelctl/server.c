/* the server's URL and its locations */

#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>

#include "reelctl/http.h"


#define URL_MAX 4096


static char *
part(CURLU *u, CURLUPart what)
{
    char  *z = NULL, *copy = NULL;

    if (curl_url_get(u, what, &z, 0) == CURLUE_OK && z != NULL) {
        copy = strdup(z);
    }

    curl_free(z);

    return copy;
}


static char *
join(const char *a, const char *b, const char *c)
{
    reel_buf_t  out;

    reel_buf_init(&out, URL_MAX);
    reel_buf_addz(&out, a);
    reel_buf_addz(&out, b);
    reel_buf_addz(&out, c);

    return reel_buf_take(&out, NULL);
}


typedef struct {
    char *scheme, *host, *port, *path, *query, *user;   /* owned, or NULL */
} parts_t;


static void
split(parts_t *p, const char *url)
{
    CURLU  *u = curl_url();

    *p = (parts_t) { 0 };

    if (u != NULL && curl_url_set(u, CURLUPART_URL, url, 0) == CURLUE_OK) {
        p->scheme = part(u, CURLUPART_SCHEME);
        p->host = part(u, CURLUPART_HOST);
        p->port = part(u, CURLUPART_PORT);
        p->path = part(u, CURLUPART_PATH);
        p->query = part(u, CURLUPART_QUERY);
        p->user = part(u, CURLUPART_USER);
    }

    curl_url_cleanup(u);
}


static void
parts_release(parts_t *p)
{
    free(p->scheme);
    free(p->host);
    free(p->port);
    free(p->path);
    free(p->query);
    free(p->user);
}


/* is it of the web, and does it name a server and perhaps a path, no more? */
static bool
is_server(const parts_t *p)
{
    return p->scheme != NULL && p->host != NULL && p->path != NULL
           && p->query == NULL && p->user == NULL
           && (strcmp(p->scheme, "http") == 0
               || strcmp(p->scheme, "https") == 0);
}


static int
fill(reel_ctl_server_t *s, const parts_t *p)
{
    size_t       len = strlen(p->path);
    const char  *own = strcmp(p->scheme, "http") == 0 ? "80" : "443";

    /* the port is part of Host unless it is the scheme's own */
    s->host = p->port != NULL && strcmp(p->port, own) != 0
              ? join(p->host, ":", p->port) : strdup(p->host);

    while (len > 0 && p->path[len - 1] == '/') {
        len--;
    }

    s->base = strndup(p->path, len);

    if (s->host != NULL) {
        s->origin = join(p->scheme, "://", s->host);
    }

    if (s->host == NULL || s->base == NULL || s->origin == NULL) {
        reel_ctl_server_release(s);
        return reel_ctl_fail(REEL_EXIT_FAILED, "out of memory");
    }

    return REEL_EXIT_OK;
}


int
reel_ctl_server(const reel_ctl_t *c, reel_ctl_server_t *s)
{
    int          code;
    parts_t      parts;
    const char  *url;

    *s = (reel_ctl_server_t) { 0 };
    url = reel_ctl_opt(c, REEL_OPT_SERVER, "REEL_SERVER",
                       "http://127.0.0.1:8080");
    split(&parts, url);

    code = is_server(&parts) ? fill(s, &parts)
           : reel_ctl_fail(REEL_EXIT_USAGE, "--server %s: must be of the "
                           "form http://host:port or https://host", url);

    parts_release(&parts);

    return code;
}


void
reel_ctl_server_release(reel_ctl_server_t *s)
{
    free(s->origin);
    free(s->host);
    free(s->base);
    *s = (reel_ctl_server_t) { 0 };
}


int
reel_ctl_location(const reel_ctl_t *c, const reel_ctl_server_t *s,
    reel_ctl_opt_t o, const char *fallback, reel_buf_t *out)
{
    size_t       n;
    const char  *path, *p;

    path = reel_ctl_opt(c, o, o == REEL_OPT_UPLOAD_PATH ? "REEL_UPLOAD_PATH"
                                                        : "REEL_API_PATH",
                        fallback);
    n = strlen(path);

    for (p = path; *p > ' ' && *p < 0x7f && *p != '?' && *p != '#'; p++) {
        /* void */
    }

    if (path[0] != '/' || *p != '\0') {
        return reel_ctl_fail(REEL_EXIT_USAGE, "\"%s\" is not the path of a "
                             "location: it must begin with a slash, and "
                             "have no blank, '?' or '#'", path);
    }

    reel_buf_addz(out, s->base);
    reel_buf_add(out, path, n);

    if (path[n - 1] != '/') {
        reel_buf_u8(out, '/');
    }

    return REEL_EXIT_OK;
}
