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


int
reel_ctl_server(const reel_ctl_t *c, reel_ctl_server_t *s)
{
    int          code = REEL_EXIT_OK;
    char        *scheme = NULL, *host = NULL, *port = NULL, *path = NULL;
    char        *query = NULL, *user = NULL, *slashes;
    CURLU       *u;
    const char  *url;

    *s = (reel_ctl_server_t) { 0 };
    url = reel_ctl_opt(c, REEL_OPT_SERVER, "REEL_SERVER",
                       "http://127.0.0.1:8080");
    u = curl_url();

    if (u != NULL && curl_url_set(u, CURLUPART_URL, url, 0) == CURLUE_OK) {
        scheme = part(u, CURLUPART_SCHEME);
        host = part(u, CURLUPART_HOST);
        port = part(u, CURLUPART_PORT);
        path = part(u, CURLUPART_PATH);
        query = part(u, CURLUPART_QUERY);
        user = part(u, CURLUPART_USER);
    }

    if (scheme == NULL || host == NULL || path == NULL || query != NULL
        || user != NULL
        || (strcmp(scheme, "http") != 0 && strcmp(scheme, "https") != 0))
    {
        code = reel_ctl_fail(REEL_EXIT_USAGE, "--server %s: must be of the "
                             "form http://host:port or https://host", url);
        goto done;
    }

    /* the port is part of Host unless it is the scheme's own */
    if (port != NULL
        && strcmp(port, strcmp(scheme, "http") == 0 ? "80" : "443") == 0)
    {
        free(port);
        port = NULL;
    }

    slashes = path + strlen(path);
    while (slashes > path && slashes[-1] == '/') {
        *--slashes = '\0';
    }

    s->host = join(host, port != NULL ? ":" : "", port != NULL ? port : "");
    s->base = strdup(path);

    if (s->host != NULL) {
        s->origin = join(scheme, "://", s->host);
    }

    if (s->host == NULL || s->base == NULL || s->origin == NULL) {
        code = reel_ctl_fail(REEL_EXIT_FAILED, "out of memory");
        reel_ctl_server_release(s);
    }

done:

    curl_url_cleanup(u);
    free(scheme);
    free(host);
    free(port);
    free(path);
    free(query);
    free(user);

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
