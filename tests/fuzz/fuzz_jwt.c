/*
 * Any bytes as a token: none verifies under a key that the input was not
 * made with; the input's claims, signed again, do.
 */

#include "lib/auth/jwt.h"
#include "tests/fuzz/harness.h"


/* the writer replaces what is not UTF-8, the reader refuses it */
static void
round_trip(const reel_jwt_t *t)
{
    reel_buf_t    b;
    reel_jwt_t    got;
    reel_error_t  e;

    reel_buf_init(&b, REEL_JWT_MAX);

    if (t->exp > 0 && t->exp > t->nbf
        && reel_jwt_sign(&b, t, REEL_STR("another key")) == REEL_OK)
    {
        need(reel_jwt_verify(&got, (reel_str_t) { (char *) b.data, b.len },
                             REEL_STR("another key"), NULL, t->nbf, &e)
             == REEL_OK);
        need(got.exp == t->exp && got.nbf == t->nbf);
        need(strcmp(got.kid, t->kid) == 0 && strcmp(got.aud, t->aud) == 0);
    }

    reel_buf_release(&b);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    reel_jwt_t    t, v;
    reel_str_t    token = { (const char *) data, size };
    reel_error_t  e = { "" };

    if (reel_jwt_peek(&t, token, &e) == REEL_OK) {
        need(size <= REEL_JWT_MAX && t.exp > 0);
        round_trip(&t);
    }

    need(reel_jwt_verify(&v, token, REEL_STR("a key nobody has"), NULL, 0,
                         &e)
         != REEL_OK);

    return 0;
}
