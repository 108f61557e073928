/* HTTP by libcurl, which stays in http.c, and the API's manners over it */

#ifndef REEL_CTL_HTTP_H
#define REEL_CTL_HTTP_H

#include "reelctl/ctl.h"

#define REEL_CTL_ETAG 96        /* with its quotes */

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
    int         fd;             /* file to send, else -1 */
    uint64_t    offset;         /* from there in it … */
    uint64_t    size;           /* … so many bytes */
    long        timeout_s;      /* of the whole; 0: only when it stalls … */
    long        stall_s;        /* … for so long; 0: for five minutes */
    void      (*progress)(void *arg, uint64_t sent);
    void       *arg;
    size_t      max_body;       /* of the answer; 0: 16 MiB */
    bool        gzip;           /* may come so; the body is then undone */
    bool        strict_tls;     /* only TLS 1.2 on, with forward secrecy */
} reel_ctl_request_t;

/* the body is empty at first; release it */
typedef struct {
    long       status;
    reel_buf_t body;
    char       asset[27];       /* reel-asset, or "" */
    char       date[64];        /* Date, or "" */
    char       etag[REEL_CTL_ETAG];     /* ETag, or "" */
    char       type[96];        /* Content-Type, or "" */
    char       encoding[16];    /* Content-Encoding, or "" */
    char       length[24];      /* Content-Length, or "" */
    char       location[512];   /* Location, or "" */
    char       cors[64];        /* Access-Control-Allow-Origin, or "" */
} reel_ctl_answer_t;

/*
 * REEL_OK for any answer; REEL_IO when none came, and e says why (one of
 * interrupt.h's signals too).
 */
reel_err_t reel_ctl_http(reel_ctl_t *c, const reel_ctl_request_t *rq,
    reel_ctl_answer_t *a, reel_error_t *e) REEL_WARN_UNUSED;
void reel_ctl_answer_release(reel_ctl_answer_t *a);

/* a reference as its base's document means it; yours, NULL when it is none */
char *reel_ctl_url_join(const char *base, reel_str_t uri);

void reel_ctl_http_close(reel_ctl_t *c);

/*
 * Requests at once, each in a slot of its own, on connections of their own.
 * What rq points to must stand until the request has landed.
 */
typedef struct reel_ctl_flights_s reel_ctl_flights_t;

reel_ctl_flights_t *reel_ctl_flights_new(size_t slots);     /* NULL: memory */
void reel_ctl_flights_free(reel_ctl_flights_t *f);      /* cuts what flies */
reel_err_t reel_ctl_flight_start(reel_ctl_flights_t *f, size_t slot,
    const reel_ctl_request_t *rq) REEL_WARN_UNUSED;
uint64_t reel_ctl_flight_sent(const reel_ctl_flights_t *f, size_t slot);

/*
 * Waits ms at most; false when none has landed by then, or on a signal.  *a,
 * *err and *e are as of reel_ctl_http(); release *a.
 */
bool reel_ctl_flight_land(reel_ctl_flights_t *f, int ms, size_t *slot,
    reel_ctl_answer_t *a, reel_err_t *err, reel_error_t *e);

/* is the same request worth another try, after a while? */
bool reel_ctl_passing(const reel_ctl_answer_t *a, reel_err_t err);

/* tells what the server's refusal says; the exit code for it */
int reel_ctl_refusal(const reel_ctl_t *c, const reel_ctl_answer_t *a,
    const char *what);

/* its code, "NoSuchUpload", as it stands in JSON or XML; "" when it has none */
void reel_ctl_refusal_code(const reel_ctl_answer_t *a, char *dst, size_t cap);

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
