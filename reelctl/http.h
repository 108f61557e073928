/* HTTP by libcurl, which stays in http.c, and the API's manners over it */

#ifndef REEL_CTL_HTTP_H
#define REEL_CTL_HTTP_H

#include "reelctl/ctl.h"

/* where the server is; release it */
typedef struct {
    char *origin;               /* "http://host:8080" */
    char *host;                 /* the Host header: "host:8080" */
    char *base;                 /* "" or "/prefix", of the URL given */
} reel_ctl_server_t;

int reel_ctl_server(const reel_ctl_t *c, reel_ctl_server_t *s)
    REEL_WARN_UNUSED;
void reel_ctl_server_release(reel_ctl_server_t *s);

/* "<base><path option>", with a slash at both ends, as it goes on the wire */
int reel_ctl_location(const reel_ctl_t *c, const reel_ctl_server_t *s,
    reel_ctl_opt_t o, const char *fallback, reel_buf_t *out)
    REEL_WARN_UNUSED;

typedef struct {
    const char *method;
    const char *url;
    const char *headers[8];     /* "Name: value"; NULL ends */
    const char *body;           /* NULL: none, or the file */
    size_t      body_len;
    int         fd;             /* file to send from its start, else -1 */
    uint64_t    size;           /* of the file */
    long        timeout_s;      /* of the whole; 0: only when it stalls */
    void      (*progress)(void *arg, uint64_t sent);
    void       *arg;
} reel_ctl_request_t;

/* the body is empty at first; release it */
typedef struct {
    long       status;
    reel_buf_t body;
    char       asset[27];       /* reel-asset, or "" */
    char       date[64];        /* Date, or "" */
} reel_ctl_answer_t;

/* REEL_OK for any answer; REEL_IO when none came, and e says why */
reel_err_t reel_ctl_http(reel_ctl_t *c, const reel_ctl_request_t *rq,
    reel_ctl_answer_t *a, reel_error_t *e) REEL_WARN_UNUSED;
void reel_ctl_answer_release(reel_ctl_answer_t *a);
void reel_ctl_http_close(reel_ctl_t *c);

/* tells what the server's refusal says; the exit code for it */
int reel_ctl_refusal(const reel_ctl_t *c, const reel_ctl_answer_t *a,
    const char *what);

/*
 * A call signed in the header.  path is below the API's location:
 * "assets/<id>"; query may be "".  Exit code; *usage errors are told.
 */
int reel_ctl_api_try(reel_ctl_t *c, const char *method, const char *path,
    const char *query, json_t *body, reel_ctl_answer_t *a, reel_err_t *err,
    reel_error_t *e) REEL_WARN_UNUSED;

/*
 * The same, where anything but 2xx is told and is an error.  *out (may be
 * NULL) is the JSON of the answer, yours; NULL when it had none.
 */
int reel_ctl_api(reel_ctl_t *c, const char *method, const char *path,
    const char *query, json_t *body, json_t **out) REEL_WARN_UNUSED;

/* GET assets/<id>; checks the id */
int reel_ctl_get_asset(reel_ctl_t *c, const char *id, json_t **asset)
    REEL_WARN_UNUSED;

#endif
