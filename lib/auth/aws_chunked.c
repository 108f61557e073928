#include <inttypes.h>

#include "lib/auth/aws_chunked_impl.h"
#include "lib/auth/sigv4_canon.h"
#include "lib/base/hex.h"


#define BLANKS 4                /* characters of empty lines after the end */


enum { FRAME, DATA, DATA_CR, DATA_LF, TRAILER, END };


reel_payload_t
reel_payload_kind(reel_str_t s)
{
    static const char  *names[] = {
        [REEL_PAYLOAD_UNSIGNED] = REEL_SIGV4_UNSIGNED,
        [REEL_PAYLOAD_UNSIGNED_TRAILER]
            = "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
        [REEL_PAYLOAD_SIGNED] = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
        [REEL_PAYLOAD_SIGNED_TRAILER]
            = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"
    };

    int  k;

    for (k = REEL_PAYLOAD_UNSIGNED; k <= REEL_PAYLOAD_SIGNED_TRAILER; k++) {
        if (reel_str_eqz(s, names[k])) {
            return (reel_payload_t) k;
        }
    }

    return reel_aws_hex64(s) ? REEL_PAYLOAD_SHA256 : REEL_PAYLOAD_UNKNOWN;
}


reel_err_t
reel_aws_chunked_init(reel_aws_chunked_t *d, reel_payload_t kind,
    uint64_t length, reel_str_t trailer_names, const reel_sigv4_auth_t *auth,
    reel_str_t secret, reel_error_t *e)
{
    *d = (reel_aws_chunked_t) { .kind = kind, .length = length,
                                .state = FRAME };

    if (kind < REEL_PAYLOAD_UNSIGNED_TRAILER
        || kind > REEL_PAYLOAD_SIGNED_TRAILER)
    {
        return reel_fail(e, REEL_INVAL, "not a kind of aws-chunked");
    }

    if (kind != REEL_PAYLOAD_SIGNED) {
        d->err = reel_aws_trailer_names(d, trailer_names, e);
    }

    if (d->err == REEL_OK && reel_aws_signed(d)) {
        d->err = auth == NULL ? REEL_INVAL
                              : reel_aws_sign_init(d, auth, secret);
    }

    return d->err;
}


static void
advance(reel_aws_chunked_t *d, reel_str_t *in, size_t n)
{
    in->p += n;
    in->len -= n;
    d->at += n;
}


/* REEL_AGAIN: *in is used up, the line goes on.  line lies in d */
static reel_err_t
take_line(reel_aws_chunked_t *d, reel_str_t *in, reel_str_t *line,
    reel_error_t *e)
{
    size_t       n;
    const char  *lf;

    *line = (reel_str_t) { NULL, 0 };

    if (d->nline == 0) {
        d->line_at = d->at;
    }

    lf = memchr(in->p, '\n', in->len);
    n = lf != NULL ? (size_t) (lf - in->p) : in->len;

    if (n > sizeof(d->line) - d->nline) {
        return reel_fail(e, REEL_LIMIT, "the line at byte %" PRIu64 " is "
                         "longer than %d characters", d->line_at,
                         REEL_AWS_CHUNKED_LINE_MAX);
    }

    memcpy(d->line + d->nline, in->p, n);
    d->nline += n;
    advance(d, in, lf != NULL ? n + 1 : n);

    if (lf == NULL) {
        return REEL_AGAIN;
    }

    *line = (reel_str_t) { d->line, d->nline };
    d->nline = 0;

    return REEL_OK;
}


static bool
cut_cr(reel_str_t *line)
{
    if (line->len == 0 || line->p[line->len - 1] != '\r') {
        return false;
    }

    line->len--;

    return true;
}


/* 1 to 16 hex digits */
static reel_err_t
hex_length(reel_str_t s, uint64_t *v)
{
    char     digits[16];
    size_t   i;
    uint8_t  raw[8];

    if (s.len == 0 || s.len > sizeof(digits)) {
        return REEL_BADDATA;
    }

    memset(digits, '0', sizeof(digits));
    memcpy(digits + sizeof(digits) - s.len, s.p, s.len);

    if (reel_unhex(raw, sizeof(raw), (reel_str_t) { digits, 16 }) != REEL_OK)
    {
        return REEL_BADDATA;
    }

    for (i = 0, *v = 0; i < sizeof(raw); i++) {
        *v = *v << 8 | raw[i];
    }

    return REEL_OK;
}


/* sets d->frame, and d->given where there is one */
static reel_err_t
parse_frame(reel_aws_chunked_t *d, reel_str_t line, reel_error_t *e)
{
    static const char  name[] = "chunk-signature=";

    bool        ok;
    reel_str_t  ext;

    ok = cut_cr(&line);
    line = reel_str_cut(line, ';', &ext);
    ok = ok && hex_length(line, &d->frame) == REEL_OK;

    if (ok && reel_aws_signed(d)) {
        ok = ext.p != NULL && reel_str_prefix(ext, name)
             && reel_aws_sign_given(d, (reel_str_t) {
                    ext.p + sizeof(name) - 1, ext.len - sizeof(name) + 1 })
                == REEL_OK;

    } else {
        ok = ok && ext.p == NULL;
    }

    if (ok) {
        return REEL_OK;
    }

    return reel_fail(e, REEL_BADDATA, "at byte %" PRIu64 " there is no frame "
                     "of the form %s", d->line_at, reel_aws_signed(d)
                     ? "<hex length>;chunk-signature=<64 hex>\\r\\n"
                     : "<hex length>\\r\\n");
}


static reel_err_t
check_frame(reel_aws_chunked_t *d, reel_error_t *e)
{
    reel_err_t  err;

    err = reel_aws_sign_frame(d);

    if (err == REEL_DENIED) {
        return reel_fail(e, err, "the signature of the frame at byte "
                         "%" PRIu64 " does not match", d->line_at);
    }

    return err;
}


static reel_err_t
take_frame(reel_aws_chunked_t *d, reel_str_t line, reel_error_t *e)
{
    reel_err_t  err;

    err = parse_frame(d, line, e);
    if (err != REEL_OK) {
        return err;
    }

    if (reel_aws_signed(d) && d->frame > REEL_AWS_CHUNKED_FRAME_MAX) {
        return reel_fail(e, REEL_LIMIT, "the frame at byte %" PRIu64 " has "
                         "%" PRIu64 " bytes; signed ones may have %d",
                         d->line_at, d->frame, REEL_AWS_CHUNKED_FRAME_MAX);
    }

    if (d->frame > d->length - d->payload) {
        return reel_fail(e, REEL_BADDATA, "the frame at byte %" PRIu64
                         " has %" PRIu64 " bytes, but %" PRIu64 " are left "
                         "of x-amz-decoded-content-length", d->line_at,
                         d->frame, d->length - d->payload);
    }

    if (d->frame != 0) {
        d->state = DATA;
        return REEL_OK;
    }

    if (d->length != REEL_AWS_CHUNKED_UNKNOWN && d->payload != d->length) {
        return reel_fail(e, REEL_BADDATA, "the last frame, at byte %" PRIu64
                         ", comes after %" PRIu64 " bytes, but "
                         "x-amz-decoded-content-length is %" PRIu64,
                         d->line_at, d->payload, d->length);
    }

    d->state = TRAILER;

    return reel_aws_signed(d) ? check_frame(d, e) : REEL_OK;
}


static reel_err_t
take_data(reel_aws_chunked_t *d, reel_str_t *in, reel_str_t *out,
    reel_error_t *e)
{
    size_t      n;
    reel_err_t  err;

    n = in->len < d->frame ? in->len : (size_t) d->frame;

    if (reel_aws_signed(d)) {
        err = reel_aws_sign_add(d, in->p, n);

        if (err == REEL_OK && n == d->frame) {
            err = check_frame(d, e);
        }

        if (err != REEL_OK) {
            return err;
        }
    }

    *out = (reel_str_t) { in->p, n };
    advance(d, in, n);
    d->payload += n;
    d->frame -= n;

    if (d->frame == 0) {
        d->state = DATA_CR;
    }

    if (d->frame == 0 || !reel_aws_signed(d)) {
        d->verified = d->payload;
    }

    return REEL_OK;
}


static reel_err_t
take_data_end(reel_aws_chunked_t *d, reel_str_t *in, reel_error_t *e)
{
    if (*in->p != (d->state == DATA_CR ? '\r' : '\n')) {
        return reel_fail(e, REEL_BADDATA, "the frame that ends at byte "
                         "%" PRIu64 " is not followed by \\r\\n", d->at);
    }

    d->state = d->state == DATA_CR ? DATA_LF : FRAME;
    advance(d, in, 1);

    return REEL_OK;
}


static reel_err_t
take_trailer(reel_aws_chunked_t *d, reel_str_t line, reel_error_t *e)
{
    reel_err_t  err;

    (void) cut_cr(&line);

    if (line.len != 0) {
        return reel_aws_trailer_line(d, line, e);
    }

    if (d->kind == REEL_PAYLOAD_SIGNED_TRAILER && !d->trailer_signed
        && d->nblank++ == 0)
    {
        return REEL_OK;
    }

    err = reel_aws_trailer_end(d, e);

    if (err == REEL_OK) {
        d->state = END;
        d->done = true;
        d->nblank = 0;
    }

    return err;
}


static reel_err_t
take_end(reel_aws_chunked_t *d, reel_str_t *in, reel_error_t *e)
{
    if ((*in->p != '\r' && *in->p != '\n') || d->nblank++ == BLANKS) {
        d->done = false;
        return reel_fail(e, REEL_BADDATA, "at byte %" PRIu64 " something "
                         "follows the end of the frames", d->at);
    }

    advance(d, in, 1);

    return REEL_OK;
}


static reel_err_t
take(reel_aws_chunked_t *d, reel_str_t *in, reel_str_t *out, reel_error_t *e)
{
    reel_str_t  line;
    reel_err_t  err;

    switch (d->state) {

    case DATA:
        return take_data(d, in, out, e);

    case DATA_CR:
    case DATA_LF:
        return take_data_end(d, in, e);

    case END:
        return take_end(d, in, e);
    }

    err = take_line(d, in, &line, e);

    if (err == REEL_OK) {
        return d->state == FRAME ? take_frame(d, line, e)
                                 : take_trailer(d, line, e);
    }

    return err == REEL_AGAIN ? REEL_OK : err;
}


reel_err_t
reel_aws_chunked_next(reel_aws_chunked_t *d, reel_str_t *in, reel_str_t *out,
    reel_error_t *e)
{
    *out = (reel_str_t) { NULL, 0 };

    while (d->err == REEL_OK && in->len != 0 && out->len == 0) {
        d->err = take(d, in, out, e);
    }

    return d->err;
}


reel_err_t
reel_aws_chunked_finish(reel_aws_chunked_t *d, reel_error_t *e)
{
    if (d->err != REEL_OK || d->done) {
        return d->err;
    }

    if (d->state == TRAILER && d->nline == 0) {
        d->err = reel_aws_trailer_end(d, e);
        d->done = d->err == REEL_OK;

    } else if (d->state == TRAILER) {
        d->err = reel_fail(e, REEL_BADDATA, "the body ends at byte %" PRIu64
                           " within a trailer", d->at);

    } else {
        d->err = reel_fail(e, REEL_BADDATA, "the body ends at byte %" PRIu64
                           " %s, after %" PRIu64 " bytes of payload", d->at,
                           d->state == FRAME && d->nline == 0
                           ? "without a last frame" : "within a frame",
                           d->payload);
    }

    return d->err;
}


const char *
reel_aws_chunked_trailer(const reel_aws_chunked_t *d, const char *name)
{
    unsigned  i;

    for (i = 0; d->done && i < d->ntrailers; i++) {
        if (strcmp(d->trailers[i].name, name) == 0) {
            return d->trailers[i].value;
        }
    }

    return NULL;
}


void
reel_aws_chunked_release(reel_aws_chunked_t *d)
{
    reel_aws_sign_release(d);
}
