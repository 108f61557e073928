/* the options of all commands, and their help */

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "reelctl/ctl.h"


#define LONG_BASE 256           /* of getopt's values: above any short one */


typedef struct {
    const char  *name;
    const char  *arg;           /* NULL: a flag */
    const char  *help;
} option_t;


static const option_t  table[REEL_OPTS] = {
    [REEL_OPT_HELP] = { "help", NULL, "show this help" },
    [REEL_OPT_VERSION] = { "version", NULL, "show the version" },
    [REEL_OPT_JSON] = { "json", NULL, "print JSON" },
    [REEL_OPT_SERVER] = { "server", "URL",
        "the server (env REEL_SERVER; http://127.0.0.1:8080)" },
    [REEL_OPT_KEYS] = { "keys", "FILE",
        "the access-key file (env REEL_KEYS)" },
    [REEL_OPT_KEY_ID] = { "key-id", "ID",
        "which key of it (env REEL_KEY_ID; its first)" },
    [REEL_OPT_UPLOAD_PATH] = { "upload-path", "PATH",
        "the location with reel_upload (/upload/)" },
    [REEL_OPT_API_PATH] = { "api-path", "PATH",
        "the location with reel_api (/api/)" },
    [REEL_OPT_REDIS] = { "redis", "ADDRESS,…",
        "unix:PATH or HOST:PORT, tried in turn (env REEL_REDIS)" },
    [REEL_OPT_REDIS_DB] = { "redis-db", "N",
        "its database (env REEL_REDIS_DB; 0)" },
    [REEL_OPT_REDIS_USER] = { "redis-user", "NAME",
        "of an ACL, with a password (env REEL_REDIS_USER)" },
    [REEL_OPT_REDIS_PASSWORD] = { "redis-password-file", "FILE",
        "a file with Redis' password" },
    [REEL_OPT_REDIS_SENTINEL] = { "redis-sentinel", "NAME",
        "the addresses are sentinels', this is their master's name (env "
        "REEL_REDIS_SENTINEL)" },
    [REEL_OPT_REDIS_SENTINEL_USER] = { "redis-sentinel-user", "NAME",
        "of the sentinels' own ACL" },
    [REEL_OPT_REDIS_SENTINEL_PASSWORD] = {
        "redis-sentinel-password-file", "FILE",
        "a file with the sentinels' password" },
    [REEL_OPT_STORE] = { "store", "DIR",
        "the folder of the store (env REEL_STORE)" },
    [REEL_OPT_EXPIRES] = { "expires", "TIME",
        "how long it is good: 90, 15m, 2h, at most 7d (1h)" },
    [REEL_OPT_BUCKET] = { "bucket", "NAME", "the bucket (the key's first)" },
    [REEL_OPT_BUCKETS] = { "bucket", "NAME,…", "the key's buckets (video)" },
    [REEL_OPT_PROJECT] = { "project", "NAME", "the key's project (default)" },
    [REEL_OPT_ID] = { "id", "ID", "the key's id (a random one)" },
    [REEL_OPT_ADD] = { "add", NULL, "add the key to a file that stands" },
    [REEL_OPT_NAME] = { "name", "NAME",
        "the name in the bucket (the file's)" },
    [REEL_OPT_MAX_BYTES] = { "max-bytes", "SIZE",
        "refuse more: 700, 700K, 2G" },
    [REEL_OPT_MAX_DURATION] = { "max-duration", "TIME",
        "refuse a longer film: 90, 15m, 2h" },
    [REEL_OPT_TYPE] = { "type", "TYPE", "the Content-Type it must have" },
    [REEL_OPT_SHA256] = { "sha256", "HEX", "what the body must hash to" },
    [REEL_OPT_REEL_NAME] = { "reel-name", "NAME",
        "the asset's display name" },
    [REEL_OPT_PIPELINE] = { "pipeline", "NAME", "the pipeline to run" },
    [REEL_OPT_META] = { "meta", "JSON",
        "an object with title, creator, passthrough" },
    [REEL_OPT_ASSET] = { "asset", "ID",
        "the id that the asset will have (a new one)" },
    [REEL_OPT_URL] = { "url", "URL",
        "upload to this presigned URL; '-' reads it from stdin" },
    [REEL_OPT_WATCH] = { "watch", NULL, "then watch until it is ready" },
    [REEL_OPT_TIMEOUT] = { "timeout", "TIME",
        "how long to watch: 90, 15m, 2h (no end), or to check (30m, with "
        "--full 4h)" },
    [REEL_OPT_ID_FILE] = { "id-file", "FILE", "write the asset's id there" },
    [REEL_OPT_RETRIES] = { "retries", "N",
        "how often what broke is tried again (8)" },
    [REEL_OPT_PARTS] = { "parts", "N", "parts at once, at most 32 (4)" },
    [REEL_OPT_PART_SIZE] = { "part-size", "SIZE",
        "of a part: 5M to 5G; 0 for one PUT (by the file's size)" },
    [REEL_OPT_PART_URLS] = { "part-urls", "FILE",
        "upload to the presigned URLs in it; '-' is stdin" },
    [REEL_OPT_RESUME] = { "resume", NULL,
        "go on where the last upload of the file stopped" },
    [REEL_OPT_LIMIT] = { "limit", "N", "how many, at most 100 (20)" },
    [REEL_OPT_CURSOR] = { "cursor", "CURSOR", "go on from there" },
    [REEL_OPT_STATE] = { "state", "STATE",
        "only preparing, ready or errored" },
    [REEL_OPT_UPLOAD_STATE] = { "state", "STATE",
        "only open, complete, aborted or expired" },
    [REEL_OPT_ALL] = { "all", NULL, "follow the cursor to the end" },
    [REEL_OPT_TITLE] = { "title", "TEXT", "set the title ('' removes it)" },
    [REEL_OPT_CREATOR] = { "creator", "TEXT", "set the creator" },
    [REEL_OPT_PASSTHROUGH] = { "passthrough", "TEXT", "set passthrough" },
    [REEL_OPT_SUB] = { "sub", "NAME", "the token's subject" },
    [REEL_OPT_PROFILE] = { "profile", "NAME",
        "also the devices of tv, mobile or web" },
    [REEL_OPT_RULES] = { "rules", NULL, "list the rules and the devices" },
    [REEL_OPT_QUARANTINED] = { "quarantined", NULL,
        "those that were tried as often as allowed" },
    [REEL_OPT_FULL] = { "full", NULL,
        "read every segment (some, and the sizes of all)" },
    [REEL_OPT_TOKEN_KEYS] = { "token-keys", "FILE",
        "the JWK Set that it is signed with (env REEL_TOKEN_KEYS)" },
    [REEL_OPT_KID] = { "kid", "ID",
        "which key of it (the first that signs)" },
    [REEL_OPT_PLAY_EXPIRES] = { "expires", "TIME",
        "how long it is good: 90, 15m, 2h (6h)" },
    [REEL_OPT_FROM] = { "from", "TIME", "not before so long from now" },
    [REEL_OPT_AUDIENCE] = { "audience", "NAME,…",
        "reel_token_audience of the server" },
    [REEL_OPT_NET] = { "net", "CIDR,…", "the viewer's networks" },
    [REEL_OPT_COUNTRY] = { "country", "CODE,…", "the viewer's countries" },
    [REEL_OPT_REFERRER] = { "referrer", "HOST,…",
        "the sites it plays on: example.com, *.example.com" },
    [REEL_OPT_MAX_HEIGHT] = { "max-height", "N", "no more lines" },
    [REEL_OPT_START] = { "start", "SECONDS", "only from there on: 12.5" },
    [REEL_OPT_END] = { "end", "SECONDS", "only up to there" },
    [REEL_OPT_SOURCE] = { "source", "FILE",
        "for this film, or for its inspect.json" },
    [REEL_OPT_FORMAT] = { "format", "NAME", "text, json or dot (text)" },
};


static const unsigned char  global[] = {
    REEL_OPT_SERVER, REEL_OPT_KEYS, REEL_OPT_KEY_ID, REEL_OPT_UPLOAD_PATH,
    REEL_OPT_API_PATH, REEL_OPT_JSON, REEL_OPT_HELP, REEL_OPT_VERSION, 0
};


static const unsigned char  none[] = { 0 };


static const struct {
    int          code;
    const char  *means;
} codes[] = {
    { REEL_EXIT_OK, "done" },
    { REEL_EXIT_FAILED, "failed" },
    { REEL_EXIT_USAGE, "wrong arguments" },
    { REEL_EXIT_NOTFOUND, "no such asset, or it was deleted" },
    { REEL_EXIT_DENIED, "key, signature or permission refused" },
    { REEL_EXIT_ERRORED, "the asset is errored" },
    { REEL_EXIT_UNAVAILABLE, "timeout, or the server is out of reach" },
    { REEL_EXIT_RULES, "check: a MUST is not met, or a device refuses it" },
    { REEL_EXIT_INTERRUPTED, "interrupted by Ctrl-C or another signal" },
};


static void
help_options(const unsigned char *ids, FILE *f)
{
    char             left[64];
    const option_t  *o;

    for ( /* void */ ; *ids != 0; ids++) {
        o = &table[*ids];
        (void) snprintf(left, sizeof(left), "--%s%s%s", o->name,
                        o->arg != NULL ? " " : "",
                        o->arg != NULL ? o->arg : "");
        (void) fprintf(f, "  %-28s %s\n", left, o->help);
    }
}


void
reel_ctl_help(const reel_ctl_command_t *cmd, FILE *f)
{
    size_t  i;

    if (cmd != NULL) {
        (void) fprintf(f, "usage: reelctl %s [options]%s%s\n\n%s.\n",
                       cmd->name, cmd->operands[0] != '\0' ? " " : "",
                       cmd->operands, cmd->summary);

        if (cmd->text[0] != '\0') {
            (void) fprintf(f, "%s\n", cmd->text);
        }

        if (cmd->opts[0] != 0) {
            (void) fprintf(f, "\noptions:\n");
            help_options(cmd->opts, f);
        }

    } else {
        (void) fprintf(f, "usage: reelctl COMMAND [options] [operands]\n\n"
                       "commands:\n");

        for (cmd = reel_ctl_commands; cmd->name != NULL; cmd++) {
            (void) fprintf(f, "  %-28s %s\n", cmd->name, cmd->summary);
        }

        (void) fprintf(f, "\nreelctl COMMAND --help tells more.\n");
    }

    (void) fprintf(f, "\noptions of every command:\n");
    help_options(global, f);
    (void) fprintf(f, "\nexit codes:\n");

    for (i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        (void) fprintf(f, "  %-3d  %s\n", codes[i].code, codes[i].means);
    }
}


static struct option *
add_longs(struct option *l, const unsigned char *ids)
{
    for ( /* void */ ; *ids != 0; ids++) {
        *l++ = (struct option) {
            .name = table[*ids].name,
            .has_arg = table[*ids].arg != NULL ? required_argument
                                               : no_argument,
            .val = LONG_BASE + *ids
        };
    }

    return l;
}


/* options of one run of getopt; form is its short options */
static int
read_options(reel_ctl_t *c, int argc, char **argv, const char *form)
{
    int             v;
    struct option  *l, longs[2 * REEL_OPTS + 1];

    l = add_longs(longs, global);
    l = add_longs(l, c->cmd != NULL ? c->cmd->opts : none);
    *l = (struct option) { 0 };

    optind = 0;                 /* GNU: begin anew */

    while ((v = getopt_long(argc, argv, form, longs, NULL)) != -1) {

        if (v == 'h') {
            v = LONG_BASE + REEL_OPT_HELP;
        }

        if (v == 'V') {
            v = LONG_BASE + REEL_OPT_VERSION;
        }

        if (v < LONG_BASE) {
            return REEL_EXIT_USAGE;
        }

        c->opt[v - LONG_BASE] = optarg != NULL ? optarg : "";
    }

    return REEL_EXIT_OK;
}


static const reel_ctl_command_t *
find_command(const char *name)
{
    const reel_ctl_command_t  *cmd;

    for (cmd = reel_ctl_commands; cmd->name != NULL; cmd++) {
        if (strcmp(cmd->name, name) == 0) {
            return cmd;
        }
    }

    return NULL;
}


static int
usage(const reel_ctl_t *c)
{
    return reel_ctl_fail(REEL_EXIT_USAGE, "see: reelctl %s%s--help",
                         c->cmd != NULL ? c->cmd->name : "",
                         c->cmd != NULL ? " " : "");
}


/* nothing is to be done */
static bool
only_asks(const reel_ctl_t *c)
{
    return c->opt[REEL_OPT_HELP] != NULL || c->opt[REEL_OPT_VERSION] != NULL;
}


/*
 * Global options may stand before the command, its own after it.  Sets
 * c->cmd (NULL: only help or the version was asked for) and the operands.
 */
int
reel_ctl_parse(reel_ctl_t *c, int argc, char **argv)
{
    int  n;

    if (read_options(c, argc, argv, "+hV") != REEL_EXIT_OK) {
        return usage(c);
    }

    argc -= optind;
    argv += optind;

    if (argc != 0 && strcmp(argv[0], "help") == 0) {
        c->opt[REEL_OPT_HELP] = "";
        argc--;
        argv++;
    }

    if (argc == 0) {
        if (only_asks(c)) {
            return REEL_EXIT_OK;
        }

        (void) reel_ctl_fail(REEL_EXIT_USAGE, "which command?");
        return usage(c);
    }

    c->cmd = find_command(argv[0]);

    if (c->cmd == NULL) {
        (void) reel_ctl_fail(REEL_EXIT_USAGE, "unknown command \"%s\"",
                             argv[0]);
        return usage(c);
    }

    if (read_options(c, argc, argv, "hV") != REEL_EXIT_OK) {
        return usage(c);
    }

    c->json = c->opt[REEL_OPT_JSON] != NULL;
    c->argc = argc - optind;
    c->argv = argv + optind;
    n = c->argc;

    if (!only_asks(c) && (n < c->cmd->min || n > c->cmd->max)) {
        (void) reel_ctl_fail(REEL_EXIT_USAGE, "%s takes %s", c->cmd->name,
                             c->cmd->operands[0] != '\0' ? c->cmd->operands
                                                         : "no operand");
        return usage(c);
    }

    return REEL_EXIT_OK;
}


const char *
reel_ctl_opt(const reel_ctl_t *c, reel_ctl_opt_t o, const char *env,
    const char *fallback)
{
    const char  *v = c->opt[o];

    if (v == NULL && env != NULL) {
        v = getenv(env);

        if (v != NULL && v[0] == '\0') {
            v = NULL;
        }
    }

    return v != NULL ? v : fallback;
}


/* a number with one of the letters of units after it, or none */
static int
scaled(const reel_ctl_t *c, reel_ctl_opt_t o, const char *units,
    const uint64_t *factors, uint64_t max, uint64_t fallback, uint64_t *v)
{
    uint64_t     factor = 1;
    reel_str_t   s;
    const char  *at;

    if (c->opt[o] == NULL) {
        *v = fallback;
        return REEL_EXIT_OK;
    }

    s = reel_str(c->opt[o]);

    if (s.len != 0) {
        at = strchr(units, s.p[s.len - 1]);

        if (at != NULL) {
            factor = factors[at - units];
            s.len--;
        }
    }

    if (reel_str_u64(s, max / factor, v) != REEL_OK) {
        return reel_ctl_fail(REEL_EXIT_USAGE, "--%s %s: must be a number%s%s"
                             " of at most %llu", table[o].name, c->opt[o],
                             units[0] != '\0' ? " with one of " : "", units,
                             (unsigned long long) max);
    }

    *v *= factor;

    return REEL_EXIT_OK;
}


int
reel_ctl_opt_seconds(const reel_ctl_t *c, reel_ctl_opt_t o, uint64_t max,
    uint64_t fallback, uint64_t *v)
{
    static const uint64_t  factors[] = { 1, 60, 3600, 86400 };

    return scaled(c, o, "smhd", factors, max, fallback, v);
}


int
reel_ctl_opt_number(const reel_ctl_t *c, reel_ctl_opt_t o, uint64_t max,
    uint64_t fallback, uint64_t *v)
{
    return scaled(c, o, "", NULL, max, fallback, v);
}


int
reel_ctl_opt_bytes(const reel_ctl_t *c, reel_ctl_opt_t o, uint64_t fallback,
    uint64_t *v)
{
    static const uint64_t  factors[] = {
        1ull << 10, 1ull << 20, 1ull << 30, 1ull << 40
    };

    return scaled(c, o, "KMGT", factors, INT64_MAX, fallback, v);
}
