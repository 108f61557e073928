#include "lib/hook/sign.h"

#include "lib/base/base64.h"
#include "lib/crypt/digest.h"

#define PREFIX   "whsec_"
#define BODY_MAX (64u << 10)


static reel_err_t
read_secret(reel_hook_secrets_t *s, reel_str_t line, unsigned n,
    reel_error_t *e)
{
    reel_hook_secret_t *one;

    if (s->n == REEL_HOOK_SECRETS) {
        return reel_fail(e, REEL_LIMIT, "line %u: more than %d secrets", n,
                         REEL_HOOK_SECRETS);
    }

    if (!reel_str_prefix(line, PREFIX)) {
        return reel_fail(e, REEL_BADDATA, "line %u does not begin with "
                         PREFIX, n);
    }

    line.p += sizeof(PREFIX) - 1;
    line.len -= sizeof(PREFIX) - 1;
    one = &s->secret[s->n];

    if (reel_unbase64(one->key, sizeof(one->key), &one->len, line) != REEL_OK
        || one->len < REEL_HOOK_SECRET_MIN)
    {
        return reel_fail(e, REEL_BADDATA, "line %u: a secret is base64 of "
                         "%d to %d bytes", n, REEL_HOOK_SECRET_MIN,
                         REEL_HOOK_SECRET_MAX);
    }

    s->n++;

    return REEL_OK;
}


reel_err_t
reel_hook_secrets_parse(reel_hook_secrets_t *s, const char *text, size_t len,
    reel_error_t *e)
{
    unsigned   n = 0;
    reel_err_t err = REEL_OK;
    reel_str_t line, rest = { text, len };

    *s = (reel_hook_secrets_t) { 0 };

    while (err == REEL_OK && rest.p != NULL) {
        line = reel_str_cut(rest, '\n', &rest);
        n++;

        if (line.len > 0 && line.p[line.len - 1] == '\r') {
            line.len--;
        }
        if (line.len > 0 && line.p[0] != '#') {
            err = read_secret(s, line, n, e);
        }
    }

    if (err == REEL_OK && s->n == 0) {
        return reel_fail(e, REEL_BADDATA, "no secret");
    }

    return err;
}


reel_err_t
reel_hook_sign(reel_buf_t *b, const reel_hook_secrets_t *s, const char *id,
    int64_t timestamp_s, const void *body, size_t len)
{
    char       text[REEL_BASE64_LEN(REEL_SHA256_LEN) + 1];
    uint8_t    mac[REEL_SHA256_LEN];
    reel_buf_t m;
    reel_err_t err;

    reel_buf_init(&m, BODY_MAX + 256);
    reel_buf_printf(&m, "%s.%lld.", id, (long long) timestamp_s);
    reel_buf_add(&m, body, len);
    err = reel_buf_err(&m);

    for (size_t i = 0; err == REEL_OK && i < s->n; i++) {
        err = reel_hmac_sha256(mac, s->secret[i].key, s->secret[i].len,
                               m.data, m.len);
        if (err == REEL_OK) {
            reel_base64(text, mac, sizeof(mac));
            reel_buf_printf(b, "%sv1,%s", i == 0 ? "" : " ", text);
            err = reel_buf_err(b);
        }
    }

    reel_buf_release(&m);

    return err;
}
