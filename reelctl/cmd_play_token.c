/* play-token: a token that permits to play, signed with a key of a JWK Set */

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/auth/jwk.h"
#include "lib/auth/play_token.h"
#include "lib/manifest/shape.h"
#include "reelctl/ctl.h"


#define EXPIRES     (6 * 3600)
#define EXPIRES_MAX (3650u * 86400)
#define FILE_MAX    (1024 * 1024)
#define HEIGHT_MAX  65535


static int
load(const char *path, reel_jwks_t *keys)
{
    int           code;
    unsigned      mode;
    reel_err_t    err;
    reel_buf_t    b;
    reel_error_t  e = { "out of memory" };

    code = reel_ctl_read_file(path, FILE_MAX, &b, &mode);

    if (code == REEL_EXIT_OK) {
        if (mode & 077) {
            reel_ctl_warn("%s can be read by others: chmod 600 %s", path,
                          path);
        }

        err = reel_jwks_parse(keys, reel_buf_cstr(&b), b.len, &e);

        if (err != REEL_OK) {
            code = reel_ctl_fail(REEL_EXIT_FAILED, "%s: %s", path, e.text);
        }
    }

    if (b.len != 0) {
        explicit_bzero(b.data, b.len);
    }

    reel_buf_release(&b);

    return code;
}


/* the one of that kid, else the first that can sign */
static int
choose(const reel_ctl_t *c, const char *path, const reel_jwks_t *keys,
    const reel_jwk_t **key)
{
    size_t       i;
    const char  *kid = c->opt[REEL_OPT_KID];

    for (i = 0; i < keys->nkeys; i++) {
        if (keys->keys[i].signs
            && (kid == NULL || strcmp(keys->keys[i].kid, kid) == 0))
        {
            *key = &keys->keys[i];
            return REEL_EXIT_OK;
        }
    }

    return reel_ctl_fail(REEL_EXIT_USAGE, "%s has no key%s%s that signs "
                         "(with \"k\" or \"d\")", path,
                         kid != NULL ? " " : "", kid != NULL ? kid : "");
}


/* "a,b" becomes a list */
static int
add_list(json_t *claims, const reel_ctl_t *c, reel_ctl_opt_t o,
    const char *name)
{
    json_t      *list;
    reel_str_t   rest, one;

    if (c->opt[o] == NULL) {
        return REEL_EXIT_OK;
    }

    list = json_array();

    for (rest = reel_str(c->opt[o]); rest.p != NULL; /* void */ ) {
        one = reel_str_cut(rest, ',', &rest);

        if (json_array_append_new(list, json_stringn(one.p, one.len)) != 0) {
            json_decref(list);
            return reel_ctl_fail(REEL_EXIT_USAGE, "--%s must be UTF-8",
                                 name);
        }
    }

    if (json_object_set_new(claims, name, list) != 0) {
        return reel_ctl_fail(REEL_EXIT_FAILED, "out of memory");
    }

    return REEL_EXIT_OK;
}


static int
add_clip(json_t *claims, const reel_ctl_t *c)
{
    reel_error_t  e;
    reel_shape_t  s = { 0 };

    if ((c->opt[REEL_OPT_START] != NULL
         && reel_shape_set(&s, REEL_STR("start"),
                           reel_str(c->opt[REEL_OPT_START]), &e) != REEL_OK)
        || (c->opt[REEL_OPT_END] != NULL
            && reel_shape_set(&s, REEL_STR("end"),
                              reel_str(c->opt[REEL_OPT_END]), &e) != REEL_OK)
        || reel_shape_check(&s, &e) != REEL_OK)
    {
        return reel_ctl_fail(REEL_EXIT_USAGE, "--%s", e.text);
    }

    if ((s.start_us != 0
         && json_object_set_new(claims, "start",
                                json_real((double) s.start_us / 1e6)) != 0)
        || (s.end_us != 0
            && json_object_set_new(claims, "end",
                                   json_real((double) s.end_us / 1e6)) != 0))
    {
        return reel_ctl_fail(REEL_EXIT_FAILED, "out of memory");
    }

    return REEL_EXIT_OK;
}


static int
add_numbers(json_t *claims, const reel_ctl_t *c, int64_t *exp)
{
    int       code;
    int64_t   now = (int64_t) time(NULL);
    uint64_t  expires, from, height;

    code = reel_ctl_opt_seconds(c, REEL_OPT_PLAY_EXPIRES, EXPIRES_MAX,
                                EXPIRES, &expires);

    if (code == REEL_EXIT_OK && expires == 0) {
        code = reel_ctl_fail(REEL_EXIT_USAGE, "--expires must be above 0");
    }

    if (code == REEL_EXIT_OK) {
        code = reel_ctl_opt_seconds(c, REEL_OPT_FROM, EXPIRES_MAX, 0, &from);
    }

    if (code == REEL_EXIT_OK) {
        code = reel_ctl_opt_number(c, REEL_OPT_MAX_HEIGHT, HEIGHT_MAX, 0,
                                   &height);
    }

    if (code != REEL_EXIT_OK) {
        return code;
    }

    *exp = now + (int64_t) (from + expires);

    if (json_object_set_new(claims, "iat", json_integer(now)) != 0
        || json_object_set_new(claims, "exp", json_integer(*exp)) != 0
        || (from != 0
            && json_object_set_new(claims, "nbf",
                                   json_integer(now + (int64_t) from)) != 0)
        || (height != 0
            && json_object_set_new(claims, "max_height",
                                   json_integer((json_int_t) height)) != 0))
    {
        return reel_ctl_fail(REEL_EXIT_FAILED, "out of memory");
    }

    return REEL_EXIT_OK;
}


static int
make_claims(json_t *claims, const reel_ctl_t *c, int64_t *exp)
{
    int     code;
    size_t  i;

    static const struct {
        reel_ctl_opt_t  opt;
        const char     *name;
    } lists[] = {
        { REEL_OPT_AUDIENCE, "aud" },
        { REEL_OPT_NET, "net" },
        { REEL_OPT_COUNTRY, "country" },
        { REEL_OPT_REFERRER, "referrer" }
    };

    if (json_object_set_new(claims, "sub", json_string(c->argv[0])) != 0) {
        return reel_ctl_fail(REEL_EXIT_USAGE, "\"%s\" is not UTF-8",
                             c->argv[0]);
    }

    code = add_numbers(claims, c, exp);

    for (i = 0; code == REEL_EXIT_OK && i < sizeof(lists) / sizeof(lists[0]);
         i++)
    {
        code = add_list(claims, c, lists[i].opt, lists[i].name);
    }

    return code == REEL_EXIT_OK ? add_clip(claims, c) : code;
}


/* what the server would not take is not printed */
static int
sign(reel_buf_t *b, json_t *claims, const reel_jwks_t *keys,
    const reel_jwk_t *key)
{
    char                *text = json_dumps(claims, JSON_COMPACT);
    reel_err_t           err = REEL_NOMEM;
    reel_play_token_t    t;
    reel_token_status_t  st = REEL_TOKEN_OK;

    if (text != NULL) {
        err = reel_token_sign(b, reel_str(text), key);
    }

    if (err == REEL_OK) {
        st = reel_token_verify(&t, (reel_str_t) { (char *) b->data, b->len },
                               keys);
    }

    free(text);

    if (err == REEL_LIMIT) {
        return reel_ctl_fail(REEL_EXIT_USAGE, "the token would have more "
                             "than %d bytes", REEL_PLAY_TOKEN_MAX);
    }

    if (err == REEL_OK && st == REEL_TOKEN_MALFORMED) {
        return reel_ctl_fail(REEL_EXIT_USAGE, "a claim has no such form, or "
                             "lists are too long: networks are 192.0.2.0/24 "
                             "or 2001:db8::/32");
    }

    if (err != REEL_OK || st != REEL_TOKEN_OK) {
        return reel_ctl_fail(REEL_EXIT_FAILED, "cannot sign with key \"%s\": "
                             "its parts do not fit each other", key->kid);
    }

    return REEL_EXIT_OK;
}


static int
print(const reel_ctl_t *c, reel_buf_t *b, const char *kid, int64_t exp)
{
    if (c->json) {
        return reel_ctl_put_json(json_pack("{s:s, s:I, s:s}", "token",
                                           reel_buf_cstr(b), "expires_at",
                                           (json_int_t) exp, "kid", kid));
    }

    (void) printf("%s\n", reel_buf_cstr(b));

    return reel_ctl_done();
}


int
reel_ctl_cmd_play_token(reel_ctl_t *c)
{
    int                code;
    json_t            *claims = json_object();
    int64_t            exp = 0;
    reel_buf_t         b;
    const char        *path;
    reel_jwks_t        keys = { 0 };
    const reel_jwk_t  *key = NULL;

    reel_buf_init(&b, REEL_PLAY_TOKEN_MAX);
    path = reel_ctl_opt(c, REEL_OPT_TOKEN_KEYS, "REEL_TOKEN_KEYS", NULL);

    code = path == NULL ? reel_ctl_fail(REEL_EXIT_USAGE, "which keys? Name "
                                        "the file with --token-keys or "
                                        "REEL_TOKEN_KEYS")
                        : make_claims(claims, c, &exp);

    if (code == REEL_EXIT_OK) {
        code = load(path, &keys);
    }

    if (code == REEL_EXIT_OK) {
        code = choose(c, path, &keys, &key);
    }

    if (code == REEL_EXIT_OK) {
        code = sign(&b, claims, &keys, key);
    }

    if (code == REEL_EXIT_OK) {
        code = print(c, &b, key->kid, exp);
    }

    json_decref(claims);
    reel_jwks_release(&keys);
    reel_buf_release(&b);

    return code;
}
