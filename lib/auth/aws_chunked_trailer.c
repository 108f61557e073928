/* what follows the last frame of an aws-chunked body */

#include <inttypes.h>

#include "lib/auth/aws_chunked_impl.h"
#include "lib/auth/sigv4_canon.h"


#define SIGNATURE "x-amz-trailer-signature"


/* of bytes from outside: an error's text shows no more of them */
#define SHOWN 48


static bool
visible(reel_str_t s)
{
    size_t  i;

    for (i = 0; i < s.len && s.p[i] >= ' ' && s.p[i] <= '~'; i++) {
        /* void */
    }

    return i == s.len;
}


/* dst has the size of a name; REEL_BADDATA for what can be none */
static reel_err_t
lower_name(char *dst, size_t cap, reel_str_t s)
{
    size_t  i;

    if (s.len == 0 || !visible(s) || memchr(s.p, ' ', s.len) != NULL
        || memchr(s.p, ':', s.len) != NULL)
    {
        return REEL_BADDATA;
    }

    if (reel_str_copy(dst, cap, s) != REEL_OK) {
        return REEL_LIMIT;
    }

    for (i = 0; i < s.len; i++) {
        if (dst[i] >= 'A' && dst[i] <= 'Z') {
            dst[i] |= 0x20;
        }
    }

    return REEL_OK;
}


static reel_aws_trailer_t *
find(reel_aws_chunked_t *d, const char *name)
{
    unsigned  i;

    for (i = 0; i < d->ntrailers; i++) {
        if (strcmp(d->trailers[i].name, name) == 0) {
            return &d->trailers[i];
        }
    }

    return NULL;
}


reel_err_t
reel_aws_trailer_names(reel_aws_chunked_t *d, reel_str_t names,
    reel_error_t *e)
{
    char        lower[sizeof(d->trailers[0].name)];
    reel_err_t  err;

    if (reel_sigv4_trim(names).len == 0) {
        return REEL_OK;
    }

    while (names.p != NULL) {
        err = lower_name(lower, sizeof(lower), reel_sigv4_trim(
                             reel_str_cut(names, ',', &names)));

        if (err == REEL_OK && (strcmp(lower, SIGNATURE) == 0
                               || find(d, lower) != NULL))
        {
            err = REEL_BADDATA;
        }

        if (err == REEL_BADDATA) {
            return reel_fail(e, err, "x-amz-trailer must be a list of names "
                             "of headers, each once");
        }

        if (err == REEL_LIMIT || d->ntrailers == REEL_AWS_CHUNKED_TRAILERS) {
            return reel_fail(e, REEL_LIMIT, "x-amz-trailer is too long: %d "
                             "names of %zu characters are taken",
                             REEL_AWS_CHUNKED_TRAILERS, sizeof(lower) - 1);
        }

        memcpy(d->trailers[d->ntrailers++].name, lower, sizeof(lower));
    }

    return REEL_OK;
}


static reel_err_t
signature(reel_aws_chunked_t *d, reel_str_t value, reel_error_t *e)
{
    reel_err_t  err;

    err = reel_aws_sign_given(d, value);

    if (err != REEL_OK) {
        return reel_fail(e, err, SIGNATURE " at byte %" PRIu64 " must be 64 "
                         "lower-case hex digits", d->line_at);
    }

    err = reel_aws_sign_trailer(d);

    if (err == REEL_DENIED) {
        return reel_fail(e, err, "the signature of the trailers, at byte "
                         "%" PRIu64 ", does not match", d->line_at);
    }

    d->trailer_signed = err == REEL_OK;

    return err;
}


/* a signature covers "name:value\n" of each, in the order they come in */
static reel_err_t
sign_line(reel_aws_chunked_t *d, const reel_aws_trailer_t *t)
{
    reel_err_t  err;

    err = reel_aws_sign_add(d, t->name, strlen(t->name));

    if (err == REEL_OK) {
        err = reel_aws_sign_add(d, ":", 1);
    }

    if (err == REEL_OK) {
        err = reel_aws_sign_add(d, t->value, strlen(t->value));
    }

    return err == REEL_OK ? reel_aws_sign_add(d, "\n", 1) : err;
}


static reel_err_t
keep(reel_aws_chunked_t *d, const char *name, reel_str_t value,
    reel_error_t *e)
{
    reel_aws_trailer_t  *t;

    t = find(d, name);

    if (t == NULL || t->seen) {
        return reel_fail(e, REEL_BADDATA, "the trailer %.*s at byte "
                         "%" PRIu64 " %s", SHOWN, name, d->line_at,
                         t == NULL ? "is not named by x-amz-trailer"
                                   : "came already");
    }

    if (reel_str_copy(t->value, sizeof(t->value), value) != REEL_OK) {
        return reel_fail(e, REEL_LIMIT, "the trailer %.*s at byte %" PRIu64
                         " is longer than %zu characters", SHOWN, name,
                         d->line_at, sizeof(t->value) - 1);
    }

    t->seen = true;

    return d->kind == REEL_PAYLOAD_SIGNED_TRAILER ? sign_line(d, t)
                                                  : REEL_OK;
}


reel_err_t
reel_aws_trailer_line(reel_aws_chunked_t *d, reel_str_t line,
    reel_error_t *e)
{
    char        name[sizeof(d->trailers[0].name)];
    reel_str_t  value;
    reel_err_t  err;

    err = lower_name(name, sizeof(name), reel_str_cut(line, ':', &value));
    value = reel_sigv4_trim(value);

    if (err == REEL_BADDATA || value.p == NULL || !visible(value)) {
        return reel_fail(e, REEL_BADDATA, "after the last frame, at byte "
                         "%" PRIu64 ", there is no trailer of the form "
                         "name:value", d->line_at);
    }

    if (err != REEL_OK) {
        return reel_fail(e, err, "the trailer's name at byte %" PRIu64
                         " is longer than %zu characters", d->line_at,
                         sizeof(name) - 1);
    }

    if (d->trailer_signed) {
        return reel_fail(e, REEL_BADDATA, "the trailer at byte %" PRIu64
                         " comes after " SIGNATURE, d->line_at);
    }

    if (d->kind == REEL_PAYLOAD_SIGNED_TRAILER
        && strcmp(name, SIGNATURE) == 0)
    {
        return signature(d, value, e);
    }

    return keep(d, name, value, e);
}


reel_err_t
reel_aws_trailer_end(const reel_aws_chunked_t *d, reel_error_t *e)
{
    unsigned  i;

    for (i = 0; i < d->ntrailers; i++) {
        if (!d->trailers[i].seen) {
            return reel_fail(e, REEL_BADDATA, "the trailer %.*s, named by "
                             "x-amz-trailer, is missing at byte %" PRIu64,
                             SHOWN, d->trailers[i].name, d->at);
        }
    }

    if (d->kind == REEL_PAYLOAD_SIGNED_TRAILER && !d->trailer_signed) {
        return reel_fail(e, REEL_BADDATA, SIGNATURE " is missing at byte "
                         "%" PRIu64, d->at);
    }

    return REEL_OK;
}
