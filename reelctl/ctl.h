/*
 * reelctl: the command line.  main.c finds the command, options.c reads its
 * options, cmd_*.c are the commands, the rest is what they share.  Every
 * command returns one of the exit codes below (docs/reelctl.md) and has
 * told its failure on stderr by then.
 */

#ifndef REEL_CTL_H
#define REEL_CTL_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include <jansson.h>

#include "lib/auth/keys.h"
#include "lib/auth/sigv4.h"
#include "lib/base/buf.h"
#include "lib/base/err.h"
#include "lib/base/str.h"

enum {
    REEL_EXIT_OK = 0,
    REEL_EXIT_FAILED,           /* anything without a code of its own */
    REEL_EXIT_USAGE,            /* wrong arguments; nothing was done */
    REEL_EXIT_NOTFOUND,         /* no such asset, or deleted */
    REEL_EXIT_DENIED,           /* key, signature, token, permission */
    REEL_EXIT_ERRORED,          /* the asset is errored */
    REEL_EXIT_UNAVAILABLE,      /* timeout, server or Redis out of reach */
    REEL_EXIT_RULES,            /* check: a MUST, or a device, is not met */
    REEL_EXIT_INTERRUPTED = 130 /* by a signal; as shells have Ctrl-C */
};

/* every option of every command; help text in options.c */
typedef enum {
    REEL_OPT_NONE = 0,
    REEL_OPT_HELP,
    REEL_OPT_VERSION,
    REEL_OPT_JSON,
    REEL_OPT_SERVER,
    REEL_OPT_KEYS,
    REEL_OPT_KEY_ID,
    REEL_OPT_UPLOAD_PATH,
    REEL_OPT_API_PATH,
    REEL_OPT_REDIS,
    REEL_OPT_REDIS_DB,
    REEL_OPT_REDIS_USER,
    REEL_OPT_REDIS_PASSWORD,
    REEL_OPT_REDIS_SENTINEL,
    REEL_OPT_REDIS_SENTINEL_USER,
    REEL_OPT_REDIS_SENTINEL_PASSWORD,
    REEL_OPT_STORE,
    REEL_OPT_EXPIRES,
    REEL_OPT_BUCKET,
    REEL_OPT_BUCKETS,
    REEL_OPT_PROJECT,
    REEL_OPT_ID,
    REEL_OPT_ADD,
    REEL_OPT_NAME,
    REEL_OPT_MAX_BYTES,
    REEL_OPT_MAX_DURATION,
    REEL_OPT_TYPE,
    REEL_OPT_SHA256,
    REEL_OPT_REEL_NAME,
    REEL_OPT_PIPELINE,
    REEL_OPT_META,
    REEL_OPT_ASSET,
    REEL_OPT_URL,
    REEL_OPT_WATCH,
    REEL_OPT_TIMEOUT,
    REEL_OPT_ID_FILE,
    REEL_OPT_RETRIES,
    REEL_OPT_PARTS,
    REEL_OPT_PART_SIZE,
    REEL_OPT_PART_URLS,
    REEL_OPT_RESUME,
    REEL_OPT_LIMIT,
    REEL_OPT_CURSOR,
    REEL_OPT_STATE,
    REEL_OPT_UPLOAD_STATE,
    REEL_OPT_ALL,
    REEL_OPT_TITLE,
    REEL_OPT_CREATOR,
    REEL_OPT_PASSTHROUGH,
    REEL_OPT_SUB,
    REEL_OPT_PROFILE,
    REEL_OPT_RULES,
    REEL_OPT_FULL,
    REEL_OPT_QUARANTINED,
    REEL_OPT_TOKEN_KEYS,
    REEL_OPT_KID,
    REEL_OPT_PLAY_EXPIRES,
    REEL_OPT_FROM,
    REEL_OPT_AUDIENCE,
    REEL_OPT_NET,
    REEL_OPT_COUNTRY,
    REEL_OPT_REFERRER,
    REEL_OPT_MAX_HEIGHT,
    REEL_OPT_START,
    REEL_OPT_END,
    REEL_OPT_SOURCE,
    REEL_OPT_FORMAT,
    REEL_OPTS
} reel_ctl_opt_t;

typedef struct reel_ctl_s         reel_ctl_t;
typedef struct reel_ctl_command_s reel_ctl_command_t;

struct reel_ctl_command_s {
    const char          *name;
    const char          *operands;      /* as the usage line shows them */
    const char          *summary;       /* one line */
    const char          *text;          /* what more --help says */
    int                (*run)(reel_ctl_t *c);
    int                  min, max;      /* operands */
    const unsigned char *opts;          /* beside the global ones; 0 ends */
};

struct reel_ctl_s {
    const reel_ctl_command_t *cmd;
    const char               *opt[REEL_OPTS];   /* NULL: not given */
    int                       argc;             /* operands */
    char                    **argv;
    bool                      json;
    reel_access_keys_t        keys;
    const reel_access_key_t  *key;      /* chosen by reel_ctl_key() */
    void                     *curl;     /* http.c's handle */
};

extern const reel_ctl_command_t reel_ctl_commands[];    /* name NULL ends */

/* options.c */
int reel_ctl_parse(reel_ctl_t *c, int argc, char **argv);
void reel_ctl_help(const reel_ctl_command_t *cmd, FILE *f);

/* the option or, when it was not given, the environment's or fallback */
const char *reel_ctl_opt(const reel_ctl_t *c, reel_ctl_opt_t o,
    const char *env, const char *fallback);

/*
 * Numbers of options: "90", "90s", "15m", "2h", "7d" and "700", "700K",
 * "2G" (1024).  Exit code; tells what was wrong.
 */
int reel_ctl_opt_seconds(const reel_ctl_t *c, reel_ctl_opt_t o, uint64_t max,
    uint64_t fallback, uint64_t *v) REEL_WARN_UNUSED;
int reel_ctl_opt_number(const reel_ctl_t *c, reel_ctl_opt_t o, uint64_t max,
    uint64_t fallback, uint64_t *v) REEL_WARN_UNUSED;
int reel_ctl_opt_bytes(const reel_ctl_t *c, reel_ctl_opt_t o,
    uint64_t fallback, uint64_t *v) REEL_WARN_UNUSED;

/* say.c: what goes to the terminal */
int reel_ctl_fail(int code, const char *fmt, ...) REEL_PRINTF(2, 3);
void reel_ctl_warn(const char *fmt, ...) REEL_PRINTF(1, 2);
int reel_ctl_put_json(json_t *j);       /* takes j; NULL is out of memory */
bool reel_ctl_events(const reel_ctl_t *c);  /* are events told? */
void reel_ctl_event(const reel_ctl_t *c, json_t *j);    /* takes j */
void reel_ctl_put_safe(FILE *f, const char *z); /* no control characters */
int reel_ctl_done(void);                /* flushes stdout: exit code */

/* keyfile.c */
int reel_ctl_key(reel_ctl_t *c) REEL_WARN_UNUSED;

/* as reel_ctl_key, but unless one is named the first key of that project */
int reel_ctl_key_of(reel_ctl_t *c, const char *project) REEL_WARN_UNUSED;
int reel_ctl_read_file(const char *path, size_t max, reel_buf_t *b,
    unsigned *mode) REEL_WARN_UNUSED;

/* asset ids on the command line */
int reel_ctl_asset_id(const char *z) REEL_WARN_UNUSED;

/* the commands */
int reel_ctl_cmd_presign(reel_ctl_t *c);
int reel_ctl_cmd_upload(reel_ctl_t *c);
int reel_ctl_cmd_status(reel_ctl_t *c);
int reel_ctl_cmd_watch(reel_ctl_t *c);
int reel_ctl_cmd_list(reel_ctl_t *c);
int reel_ctl_cmd_uploads(reel_ctl_t *c);
int reel_ctl_cmd_abort(reel_ctl_t *c);
int reel_ctl_cmd_delete(reel_ctl_t *c);
int reel_ctl_cmd_retry(reel_ctl_t *c);
int reel_ctl_cmd_cancel(reel_ctl_t *c);
int reel_ctl_cmd_webhook(reel_ctl_t *c);
int reel_ctl_cmd_meta(reel_ctl_t *c);
int reel_ctl_cmd_play_url(reel_ctl_t *c);
int reel_ctl_cmd_token(reel_ctl_t *c);
int reel_ctl_cmd_play_token(reel_ctl_t *c);
int reel_ctl_cmd_keygen(reel_ctl_t *c);
int reel_ctl_cmd_jobs(reel_ctl_t *c);
int reel_ctl_cmd_tasks(reel_ctl_t *c);
int reel_ctl_cmd_quarantine(reel_ctl_t *c);
int reel_ctl_cmd_top(reel_ctl_t *c);
int reel_ctl_cmd_shards(reel_ctl_t *c);
int reel_ctl_cmd_workers(reel_ctl_t *c);
int reel_ctl_cmd_doctor(reel_ctl_t *c);
int reel_ctl_cmd_check(reel_ctl_t *c);
int reel_ctl_cmd_pipeline(reel_ctl_t *c);

#endif
