/* the parts of the aws-chunked decoder; private to lib/auth */

#ifndef REEL_AUTH_AWS_CHUNKED_IMPL_H
#define REEL_AUTH_AWS_CHUNKED_IMPL_H

#include "lib/auth/aws_chunked.h"

static inline bool
reel_aws_signed(const reel_aws_chunked_t *d)
{
    return d->kind == REEL_PAYLOAD_SIGNED
           || d->kind == REEL_PAYLOAD_SIGNED_TRAILER;
}

/* ---- aws_chunked_sign.c: the chain of signatures ---- */

/* 64 lower-case hex digits? */
bool reel_aws_hex64(reel_str_t s);

/* what is hashed from now on is what the next signature covers */
reel_err_t reel_aws_sign_init(reel_aws_chunked_t *d,
    const reel_sigv4_auth_t *auth, reel_str_t secret) REEL_WARN_UNUSED;
void reel_aws_sign_release(reel_aws_chunked_t *d);
reel_err_t reel_aws_sign_add(reel_aws_chunked_t *d, const void *p, size_t n)
    REEL_WARN_UNUSED;

/*
 * d->given = s, when it is 64 lower-case hex digits, else REEL_BADDATA; and
 * is it that of a frame or of the trailers?  REEL_DENIED, REEL_NOMEM.
 */
reel_err_t reel_aws_sign_given(reel_aws_chunked_t *d, reel_str_t s)
    REEL_WARN_UNUSED;
reel_err_t reel_aws_sign_frame(reel_aws_chunked_t *d) REEL_WARN_UNUSED;
reel_err_t reel_aws_sign_trailer(reel_aws_chunked_t *d) REEL_WARN_UNUSED;

/* ---- aws_chunked_trailer.c ---- */

/* the value of x-amz-trailer */
reel_err_t reel_aws_trailer_names(reel_aws_chunked_t *d, reel_str_t names,
    reel_error_t *e) REEL_WARN_UNUSED;

/* a line without its end, not empty, that began at d->line_at */
reel_err_t reel_aws_trailer_line(reel_aws_chunked_t *d, reel_str_t line,
    reel_error_t *e) REEL_WARN_UNUSED;

/* did all come that were named, and the signature? */
reel_err_t reel_aws_trailer_end(const reel_aws_chunked_t *d,
    reel_error_t *e) REEL_WARN_UNUSED;

#endif
