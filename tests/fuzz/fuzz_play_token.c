/*
 * Any bytes as a token, as the header of one, as the claims of one that is
 * signed, and as a file of keys.  None of the first permits anything; what
 * the claims say is used as the module does.
 */

#include <string.h>

#include "lib/auth/play_token.h"
#include "lib/base/base64.h"
#include "tests/fuzz/harness.h"

#define K32 "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE"


static reel_jwks_t  keys;


static void
load_keys(void)
{
    reel_error_t  e;

    static const char  json[] =
        "{\"keys\":[{\"kid\":\"h\",\"kty\":\"oct\",\"k\":\"" K32 "\"},"
        "{\"kid\":\"e\",\"kty\":\"EC\",\"crv\":\"P-256\","
        "\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","
        "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"},"
        "{\"kid\":\"o\",\"kty\":\"OKP\",\"crv\":\"Ed25519\","
        "\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}]}";

    if (keys.nkeys == 0) {
        need(reel_jwks_parse(&keys, json, sizeof(json) - 1, &e) == REEL_OK);
    }
}


static void
use(const reel_play_token_t *t, reel_str_t text)
{
    uint8_t     addr[16] = { 0x20, 1 };
    const char *code;

    need(t->len <= sizeof(t->items) && t->exp > 0);
    need(t->end_us == 0 || t->end_us > t->start_us);

    (void) reel_token_code(reel_token_time(t, 1, 2), &code);
    (void) reel_token_audience(t, "a");
    (void) reel_token_network(t, addr, sizeof(addr));
    (void) reel_token_network(t, addr, 4);
    (void) reel_token_country(t, text);
    (void) reel_token_referrer(t, text);

    if (reel_token_names_one(t)) {
        need(reel_token_covers(t, reel_token_subject(t)));
    }

    (void) reel_token_covers(t, text);
}


static void
signed_claims(reel_str_t claims)
{
    reel_buf_t           b;
    reel_play_token_t    t;
    reel_token_status_t  st;

    reel_buf_init(&b, REEL_PLAY_TOKEN_MAX);

    if (reel_token_sign(&b, claims, &keys.keys[0]) == REEL_OK) {
        st = reel_token_verify(&t, (reel_str_t) { (char *) b.data, b.len },
                               &keys);
        need(st == REEL_TOKEN_OK || st == REEL_TOKEN_MALFORMED);

        if (st == REEL_TOKEN_OK) {
            use(&t, claims);
        }
    }

    reel_buf_release(&b);
}


/* as a header, with a payload and 32 or 64 bytes that nobody signed with */
static void
unsigned_header(reel_str_t header)
{
    char               text[REEL_BASE64URL_LEN(1024) + 200];
    size_t             n;
    reel_play_token_t  t;

    static const char  rest[] = ".eyJleHAiOjF9."
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

    if (header.len > 1024) {
        return;
    }

    reel_base64url(text, header.p, header.len);
    n = strlen(text);
    memcpy(text + n, rest, sizeof(rest));

    need(reel_token_verify(&t, reel_str(text), &keys) != REEL_TOKEN_OK);
    text[n + 14 + 43] = '\0';
    need(reel_token_verify(&t, reel_str(text), &keys) != REEL_TOKEN_OK);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    reel_str_t         s = { (const char *) data, size };
    reel_jwks_t        k;
    reel_error_t       e = { "" };
    reel_play_token_t  t;

    load_keys();
    (void) reel_token_looks(s);

    need(reel_token_verify(&t, s, &keys) != REEL_TOKEN_OK);
    unsigned_header(s);
    signed_claims(s);

    if (reel_jwks_parse(&k, s.p, s.len, &e) == REEL_OK) {
        need(k.nkeys != 0);
        reel_jwks_release(&k);
    }

    return 0;
}
