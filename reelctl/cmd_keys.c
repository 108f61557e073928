/* token and keygen: what is made from access keys, and the keys */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lib/auth/jwt.h"
#include "lib/auth/secret_json.h"
#include "reelctl/ctl.h"


#define ID_RANDOM     16        /* characters after "REEL": 80 bits */
#define SECRET_RANDOM 40        /* characters: 240 bits */
#define FILE_MAX      (4 * 1024 * 1024)


int
reel_ctl_cmd_token(reel_ctl_t *c)
{
    int          code;
    uint64_t     expires;
    reel_buf_t   b;
    reel_err_t   err;
    reel_jwt_t   t = { .aud = "reel-api" };

    code = reel_ctl_opt_seconds(c, REEL_OPT_EXPIRES, REEL_SIGV4_MAX_EXPIRES,
                                3600, &expires);

    if (code == REEL_EXIT_OK && expires == 0) {
        code = reel_ctl_fail(REEL_EXIT_USAGE, "--expires must be above 0");
    }

    if (code == REEL_EXIT_OK) {
        code = reel_ctl_key(c);
    }

    if (code != REEL_EXIT_OK) {
        return code;
    }

    t.exp = (int64_t) time(NULL) + (int64_t) expires;

    if (reel_str_copy(t.kid, sizeof(t.kid), reel_str(c->key->id)) != REEL_OK
        || reel_str_copy(t.sub, sizeof(t.sub),
                         reel_str(reel_ctl_opt(c, REEL_OPT_SUB, NULL, "")))
           != REEL_OK)
    {
        return reel_ctl_fail(REEL_EXIT_USAGE, "--sub has more than 128 "
                             "bytes");
    }

    reel_buf_init(&b, REEL_JWT_MAX);
    err = reel_jwt_sign(&b, &t, reel_str(c->key->secret));

    if (err != REEL_OK) {
        code = reel_ctl_fail(REEL_EXIT_FAILED, "cannot sign: %s",
                             reel_err_name(err));

    } else if (c->json) {
        code = reel_ctl_put_json(json_pack("{s:s, s:I}", "token",
                                           reel_buf_cstr(&b), "expires_at",
                                           (json_int_t) t.exp));
    } else {
        (void) printf("%s\n", reel_buf_cstr(&b));
        code = reel_ctl_done();
    }

    reel_buf_release(&b);

    return code;
}


/* n characters of an alphabet whose size divides 256 */
static int
random_text(char *dst, size_t n, const char *alphabet)
{
    size_t   i, size = strlen(alphabet);
    uint8_t  raw[64];

    if (n > sizeof(raw) || getrandom(raw, n, 0) != (ssize_t) n) {
        return reel_ctl_fail(REEL_EXIT_FAILED, "no random numbers: %s",
                             strerror(errno));
    }

    for (i = 0; i < n; i++) {
        dst[i] = alphabet[raw[i] % size];
    }

    dst[n] = '\0';
    explicit_bzero(raw, sizeof(raw));

    return REEL_EXIT_OK;
}


static json_t *
bucket_list(const char *names)
{
    json_t      *list = json_array();
    reel_str_t   rest, one;

    for (rest = reel_str(names); rest.p != NULL; /* void */ ) {
        one = reel_str_cut(rest, ',', &rest);

        if (json_array_append_new(list, json_stringn(one.p, one.len)) != 0) {
            json_decref(list);
            return NULL;
        }
    }

    return list;
}


/* the new key as JSON; id is filled in when it is "" */
static int
make_key(const reel_ctl_t *c, char *id, size_t cap, json_t **key)
{
    int          code;
    char         secret[SECRET_RANDOM + 1];
    json_t      *buckets;
    const char  *given = c->opt[REEL_OPT_ID];

    if (given != NULL) {
        if (reel_str_copy(id, cap, reel_str(given)) != REEL_OK) {
            return reel_ctl_fail(REEL_EXIT_USAGE, "--id is too long");
        }

    } else {
        memcpy(id, "REEL", 4);
        code = random_text(id + 4, ID_RANDOM,
                           "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567");
        if (code != REEL_EXIT_OK) {
            return code;
        }
    }

    code = random_text(secret, SECRET_RANDOM,
                       "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                       "0123456789-_");
    if (code != REEL_EXIT_OK) {
        return code;
    }

    buckets = bucket_list(reel_ctl_opt(c, REEL_OPT_BUCKETS, NULL, "video"));
    *key = json_pack("{s:s, s:s, s:s, s:o}", "id", id, "secret", secret,
                     "project",
                     reel_ctl_opt(c, REEL_OPT_PROJECT, NULL, "default"),
                     "buckets", buckets);
    explicit_bzero(secret, sizeof(secret));

    if (*key == NULL) {
        return reel_ctl_fail(REEL_EXIT_USAGE, "id, project and buckets must "
                             "be UTF-8");
    }

    return REEL_EXIT_OK;
}


/* the file's keys, or none */
static int
load(const reel_ctl_t *c, const char *path, json_t **root)
{
    int           code = REEL_EXIT_OK;
    reel_buf_t    b;
    reel_error_t  e;

    if (access(path, F_OK) != 0) {
        *root = json_pack("{s:[]}", "access_keys");
        return REEL_EXIT_OK;
    }

    if (c->opt[REEL_OPT_ADD] == NULL) {
        return reel_ctl_fail(REEL_EXIT_USAGE, "%s is there already: add a "
                             "key to it with --add, or name another file",
                             path);
    }

    code = reel_ctl_read_file(path, FILE_MAX, &b, NULL);

    if (code == REEL_EXIT_OK) {
        if (reel_secret_json(root, (char *) b.data, b.len, "it is not", &e)
            != REEL_OK)
        {
            code = reel_ctl_fail(REEL_EXIT_FAILED, "%s: %s", path, e.text);
        }
    }

    if (b.len != 0) {
        explicit_bzero(b.data, b.len);
    }

    reel_buf_release(&b);

    return code;
}


/* readers see the old file or the new one; nobody else ever sees either */
static int
publish(const char *path, const char *bytes, bool replace)
{
    int          fd, code = REEL_EXIT_OK;
    char         tmp[4096];
    size_t       n = strlen(bytes);
    struct stat  st;

    if ((size_t) snprintf(tmp, sizeof(tmp), "%s.XXXXXX", path)
        >= sizeof(tmp))
    {
        return reel_ctl_fail(REEL_EXIT_USAGE, "the file's name is too long");
    }

    fd = mkstemp(tmp);          /* mode 0600 */

    if (fd == -1) {
        return reel_ctl_fail(errno == EACCES ? REEL_EXIT_DENIED
                                             : REEL_EXIT_FAILED,
                             "cannot write %s: %s", path, strerror(errno));
    }

    /* a server's group may own the file that is replaced: then keep it so */
    if (replace && stat(path, &st) == 0
        && fchown(fd, st.st_uid, st.st_gid) != 0)
    {
        reel_ctl_warn("%s now belongs to you: it was another's", path);
    }

    if (fchmod(fd, 0600) != 0 || write(fd, bytes, n) != (ssize_t) n
        || fsync(fd) != 0)
    {
        code = reel_ctl_fail(REEL_EXIT_FAILED, "cannot write %s: %s", path,
                             strerror(errno));

    } else if ((replace ? rename(tmp, path) : link(tmp, path)) != 0) {
        code = reel_ctl_fail(REEL_EXIT_FAILED, "cannot make %s: %s", path,
                             strerror(errno));
    }

    (void) close(fd);
    (void) unlink(tmp);

    return code;
}


/* adds key (taken) to what stands in path, if the whole is then valid */
static int
store(const reel_ctl_t *c, const char *path, json_t *key)
{
    int                  code;
    char                *text = NULL;
    bool                 there = access(path, F_OK) == 0;
    json_t              *root = NULL;
    reel_err_t           err;
    reel_error_t         e = { "out of memory" };
    reel_access_keys_t   k;

    code = load(c, path, &root);
    if (code != REEL_EXIT_OK) {
        json_decref(key);
        goto done;
    }

    if (json_array_append_new(json_object_get(root, "access_keys"), key)
        != 0)
    {
        code = reel_ctl_fail(REEL_EXIT_FAILED, "%s has no list "
                             "\"access_keys\"", path);
        goto done;
    }

    text = json_dumps(root, JSON_INDENT(2));

    err = text != NULL ? reel_access_keys_parse(&k, text, strlen(text), &e)
                       : REEL_NOMEM;
    if (err != REEL_OK) {
        code = reel_ctl_fail(REEL_EXIT_USAGE, "this would not be a valid "
                             "file: %s", e.text);
        goto done;
    }

    reel_access_keys_release(&k);
    code = publish(path, text, there);

done:

    if (text != NULL) {
        explicit_bzero(text, strlen(text));
    }

    free(text);
    reel_secret_json_free(root);

    return code;
}


int
reel_ctl_cmd_keygen(reel_ctl_t *c)
{
    int          code;
    char         id[129];
    json_t      *key;
    const char  *path;

    path = c->argc != 0 ? c->argv[0]
                        : reel_ctl_opt(c, REEL_OPT_KEYS, "REEL_KEYS", NULL);

    if (path == NULL) {
        return reel_ctl_fail(REEL_EXIT_USAGE, "which file?");
    }

    reel_secret_json_begin();
    code = make_key(c, id, sizeof(id), &key);

    if (code == REEL_EXIT_OK) {
        code = store(c, path, key);
    }

    reel_secret_json_end();

    if (code != REEL_EXIT_OK) {
        return code;
    }

    if (c->json) {
        return reel_ctl_put_json(json_pack("{s:s, s:s}", "id", id, "file",
                                           path));
    }

    (void) printf("%s\n", id);
    (void) fprintf(stderr, "the key is in %s (mode 0600); name that file in "
                   "reel_access_keys and reload nginx\n", path);

    return reel_ctl_done();
}
