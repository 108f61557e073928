/*
 * Uploads.  cmd_upload.c chooses the way: one PUT (upload_put.c), parts by a
 * key (upload_s3.c) or parts by presigned URLs (upload_urls.c).  The parts
 * themselves are sent by upload_parts.c, which both ways share.
 */

#ifndef REEL_CTL_UPLOAD_H
#define REEL_CTL_UPLOAD_H

#include "lib/crypt/sum.h"
#include "reelctl/http.h"

#define REEL_CTL_PARTS_MAX   10000
#define REEL_CTL_AT_ONCE_MAX 32
#define REEL_CTL_PART_MIN    (5ull << 20)
#define REEL_CTL_PART_MAX    (5ull << 30)

typedef struct {
    int         fd;
    uint64_t    size;
    int64_t     mtime_ns;
    const char *path;           /* as given */
    const char *name;           /* without folders */
} reel_ctl_file_t;

/* REEL_EXIT_FAILED, told, when it is not what it was */
int reel_ctl_file_same(const reel_ctl_file_t *f) REEL_WARN_UNUSED;

typedef struct {
    reel_ctl_t *c;
    uint64_t    retries;
    uint64_t    at_once;
    uint64_t    part_size;      /* 0: by the file's size */
    bool        resume;
} reel_ctl_how_t;

/* zeroed at first */
typedef struct {
    char    asset[27];          /* "": the server named none */
    char    etag[REEL_CTL_ETAG];
    json_t *parts;              /* for who completes it; NULL: it is complete */
} reel_ctl_outcome_t;

int reel_ctl_upload_put(const reel_ctl_how_t *how, const reel_ctl_file_t *f,
    reel_ctl_outcome_t *out) REEL_WARN_UNUSED;
int reel_ctl_upload_s3(const reel_ctl_how_t *how, const reel_ctl_file_t *f,
    reel_ctl_outcome_t *out) REEL_WARN_UNUSED;
int reel_ctl_upload_urls(const reel_ctl_how_t *how, const reel_ctl_file_t *f,
    reel_ctl_outcome_t *out) REEL_WARN_UNUSED;

/* of parts of which no more than max make up the file */
uint64_t reel_ctl_part_size(uint64_t file_size, size_t max);

/* ---- upload_ask.c: small requests ---- */

/* what a request is made of besides its body; release it */
typedef struct {
    char *url;
    char *lines[5];             /* "Name: value"; NULL ends */
} reel_ctl_call_t;

void reel_ctl_call_release(reel_ctl_call_t *call);

typedef struct reel_ctl_ask_s reel_ctl_ask_t;

struct reel_ctl_ask_s {
    const reel_ctl_how_t *how;
    const char *method;
    const char *what;           /* "the upload cannot begin" */
    const char *query;          /* for make */
    const char *type;           /* "Content-Type: …" */
    const char *body;           /* NULL: none */
    /* for each try anew: signatures have a time; exit code */
    int       (*make)(const reel_ctl_ask_t *q, reel_ctl_call_t *call);
    void       *door;
};

/*
 * Asks until there is an answer that is worth no other try; without any
 * says so.  Exit code; release a.
 */
int reel_ctl_ask(const reel_ctl_ask_t *q, reel_ctl_answer_t *a)
    REEL_WARN_UNUSED;

/* what came of completing; exit code, told */
int reel_ctl_completed(const reel_ctl_how_t *how, const reel_ctl_answer_t *a,
    reel_ctl_outcome_t *out) REEL_WARN_UNUSED;

/* seconds before the next try after so many failures */
unsigned reel_ctl_backoff_s(unsigned failures);

/* says so, and waits */
void reel_ctl_try_again(const reel_ctl_how_t *how, const char *why,
    unsigned failures);

/* ---- upload_parts.c ---- */

typedef struct {
    char     etag[REEL_CTL_ETAG];
    char     sum[REEL_SUM_TEXT];    /* CRC-32C in base64, or "" */
    bool     done;
    bool     flying;
    unsigned failures;
    int64_t  after_ms;          /* the next try is not earlier */
} reel_ctl_part_t;

typedef struct reel_ctl_parts_s reel_ctl_parts_t;

struct reel_ctl_parts_s {
    const reel_ctl_how_t  *how;
    const reel_ctl_file_t *file;
    uint64_t               part_size;
    size_t                 n;
    reel_ctl_part_t       *part;        /* owned */
    bool                   summed;      /* each has its sum before call */
    /* where and how part i goes; exit code */
    int                  (*call)(reel_ctl_parts_t *p, size_t i,
                                 reel_ctl_call_t *call);
    void                 (*landed)(reel_ctl_parts_t *p);    /* may be NULL */
    void                  *door;
};

/* checks the number of parts; none is done */
int reel_ctl_parts_init(reel_ctl_parts_t *p, const reel_ctl_how_t *how,
    const reel_ctl_file_t *f, uint64_t part_size) REEL_WARN_UNUSED;
void reel_ctl_parts_release(reel_ctl_parts_t *p);

uint64_t reel_ctl_part_bytes(const reel_ctl_parts_t *p, size_t i);
uint64_t reel_ctl_parts_done(const reel_ctl_parts_t *p);    /* bytes */

/* sends what is not done; REEL_EXIT_INTERRUPTED is not told */
int reel_ctl_parts_send(reel_ctl_parts_t *p) REEL_WARN_UNUSED;

/* ---- upload_xml.c: S3's documents ---- */

/* text of the first element of that name, "" when there is none */
void reel_ctl_xml_value(const reel_ctl_answer_t *a, const char *name,
    char *dst, size_t cap);

/* the CompleteMultipartUpload of p; b is initialised here, release it */
void reel_ctl_xml_complete(reel_buf_t *b, const reel_ctl_parts_t *p);

/*
 * Marks the parts that an answer of ListParts names and that have the right
 * size.  *marker is where the next page begins, 0 after the last.
 */
reel_err_t reel_ctl_xml_listed(const reel_ctl_answer_t *a,
    reel_ctl_parts_t *p, uint64_t *marker, reel_error_t *e) REEL_WARN_UNUSED;

/* ---- upload_state.c: what --resume needs, in a file of the user's ---- */

typedef struct {
    char   *path;               /* NULL: none can be kept */
    int     fd;                 /* locked; -1: no file yet */
    bool    busy;               /* another reelctl has it */
    json_t *was;                /* what stood in it, NULL: nothing */
} reel_ctl_state_t;

/* what identifies the upload is hashed into the name */
void reel_ctl_state_open(reel_ctl_state_t *s, const reel_buf_t *identity);
void reel_ctl_state_close(reel_ctl_state_t *s);

/* {v, part_size, size, mtime_ns}, and of p's done parts their ETags */
json_t *reel_ctl_state_new(const reel_ctl_parts_t *p, bool parts);
/* part_size of such a one; exit code, told, when the file has changed */
int reel_ctl_state_check(const json_t *j, const reel_ctl_file_t *f,
    uint64_t *part_size) REEL_WARN_UNUSED;
void reel_ctl_state_parts(const json_t *j, reel_ctl_parts_t *p);

void reel_ctl_state_save(reel_ctl_state_t *s, json_t *j);   /* takes j */

/*
 * After the upload: what is kept goes with one that is whole; to one that
 * broke off this says what is there, and how to go on.
 */
void reel_ctl_state_end(reel_ctl_state_t *s, const reel_ctl_parts_t *p,
    int code);

#endif
