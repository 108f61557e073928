/*
 * Tokens of playback: JSON Web Tokens (RFC 7519) with the claims of
 * docs/tokens.md.  First the signature is checked, then the claims are read:
 * nothing of a forged token is looked at beyond its header.  What a token
 * says is a plain struct, so that it can be kept in shared memory as it is.
 */

#ifndef REEL_AUTH_PLAY_TOKEN_H
#define REEL_AUTH_PLAY_TOKEN_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/auth/jwk.h"
#include "lib/base/buf.h"
#include "lib/base/err.h"
#include "lib/base/str.h"

#define REEL_PLAY_TOKEN_MAX       4096  /* bytes of a token */
#define REEL_PLAY_TOKEN_LEEWAY_S  60
#define REEL_PLAY_TOKEN_ITEMS     1536  /* bytes of all strings, packed */

/* why a token does not permit, in the order in which it is asked */
typedef enum {
    REEL_TOKEN_OK = 0,
    REEL_TOKEN_MISSING,
    REEL_TOKEN_MALFORMED,
    REEL_TOKEN_ALG,
    REEL_TOKEN_KEY,
    REEL_TOKEN_SIGNATURE,
    REEL_TOKEN_NOT_YET,
    REEL_TOKEN_EXPIRED,
    REEL_TOKEN_AUDIENCE,
    REEL_TOKEN_ASSET,
    REEL_TOKEN_NETWORK,
    REEL_TOKEN_COUNTRY,
    REEL_TOKEN_REFERRER,
    REEL_TOKEN_HEIGHT,
    REEL_TOKEN_CLIP,
    REEL_TOKEN_NOMEM
} reel_token_status_t;

typedef struct {
    int64_t  exp;               /* Unix seconds */
    int64_t  nbf;               /* 0: none */
    int64_t  start_us;          /* the clip that may be seen, 0: from … */
    int64_t  end_us;            /* … and to the film's own ends */
    uint32_t max_height;        /* 0: any */
    uint16_t len;               /* bytes of items in use */
    uint8_t  items[REEL_PLAY_TOKEN_ITEMS];      /* kind, length, bytes; … */
} reel_play_token_t;

/* bytes of t that are in use */
#define reel_play_token_size(t)                                               \
    (offsetof(reel_play_token_t, items) + (t)->len)

/* "TOKEN_EXPIRED" and a text for who asked; NULL for OK and NOMEM */
const char *reel_token_code(reel_token_status_t st, const char **text);

/*
 * Has it the form of a token?  Three parts of base64url with dots between
 * them, of which the first begins as JSON does.
 */
bool reel_token_looks(reel_str_t s);

/*
 * Checks the signature by the key that kid names, whose algorithm it must
 * have, and reads the claims.  Not the time, nor what they permit: that is
 * below.
 */
reel_token_status_t reel_token_verify(reel_play_token_t *t, reel_str_t token,
    const reel_jwks_t *keys);

/* nbf, and exp with grace_s seconds more, each with the leeway */
reel_token_status_t reel_token_time(const reel_play_token_t *t,
    int64_t now_s, int64_t grace_s);

/* "" when it has none */
reel_str_t reel_token_subject(const reel_play_token_t *t);

/* is one of its audiences so named?  NULL: it must have none at all */
bool reel_token_audience(const reel_play_token_t *t, const char *name);

/*
 * Does sub cover the path of what is played?  It is that path, its first
 * parts, or ends with '*' and begins like it.  A token without sub covers
 * nothing.
 */
bool reel_token_covers(const reel_play_token_t *t, reel_str_t path);

/* sub without '*': what a path that does not name it may stand for */
bool reel_token_names_one(const reel_play_token_t *t);

/* of lists that are there; addr has 4 or 16 bytes, NULL: not known */
bool reel_token_network(const reel_play_token_t *t, const uint8_t *addr,
    size_t len);
bool reel_token_country(const reel_play_token_t *t, reel_str_t country);

/* of the Referer's value, "" when there was none */
bool reel_token_referrer(const reel_play_token_t *t, reel_str_t referer);

/* appends a token of these claims (a JSON object), signed by key */
reel_err_t reel_token_sign(reel_buf_t *out, reel_str_t claims,
    const reel_jwk_t *key) REEL_WARN_UNUSED;

#endif
