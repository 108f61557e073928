/* how the doors name checksums and write their values */

#include <strings.h>

#include "lib/crypt/sum.h"


#define S3_HEADER "x-amz-checksum-"


typedef const char *(*name_fn)(reel_sum_kind_t kind);


static reel_sum_kind_t
find(name_fn name, reel_str_t s, bool any_case)
{
    unsigned     k;
    const char  *z;

    for (k = 1; s.len != 0 && k < REEL_SUM_KINDS; k++) {
        z = name((reel_sum_kind_t) k);

        if (strlen(z) == s.len
            && (any_case ? strncasecmp(s.p, z, s.len)
                         : memcmp(s.p, z, s.len))
               == 0)
        {
            return (reel_sum_kind_t) k;
        }
    }

    return REEL_SUM_NONE;
}


reel_sum_kind_t
reel_sum_by_name(reel_str_t name)
{
    return find(reel_sum_name, name, false);
}


reel_sum_kind_t
reel_sum_by_s3(reel_str_t s3)
{
    return find(reel_sum_s3, s3, true);
}


reel_sum_kind_t
reel_sum_by_digest(reel_str_t digest)
{
    return find(reel_sum_digest, digest, false);
}


reel_sum_kind_t
reel_sum_by_header(reel_str_t header)
{
    size_t  n = sizeof(S3_HEADER) - 1;

    if (header.len < n || strncasecmp(header.p, S3_HEADER, n) != 0) {
        return REEL_SUM_NONE;
    }

    return reel_sum_by_s3((reel_str_t) { header.p + n, header.len - n });
}


void
reel_sum_encode(char dst[REEL_SUM_TEXT], reel_sum_kind_t kind,
    const uint8_t *sum)
{
    reel_base64(dst, sum, reel_sum_len(kind));
}


reel_err_t
reel_sum_decode(uint8_t out[REEL_SUM_MAX], reel_sum_kind_t kind,
    reel_str_t base64)
{
    size_t  n;

    if (kind == REEL_SUM_NONE
        || reel_unbase64(out, REEL_SUM_MAX, &n, base64) != REEL_OK
        || n != reel_sum_len(kind))
    {
        return REEL_INVAL;
    }

    return REEL_OK;
}


static reel_str_t
trim(reel_str_t s)
{
    while (s.len != 0 && (s.p[0] == ' ' || s.p[0] == '\t')) {
        s.p++;
        s.len--;
    }

    while (s.len != 0
           && (s.p[s.len - 1] == ' ' || s.p[s.len - 1] == '\t'))
    {
        s.len--;
    }

    return s;
}


static reel_err_t
bad_value(reel_sum_kind_t kind, reel_error_t *e)
{
    return reel_fail(e, REEL_BADDATA, "the %s checksum must be %zu bytes in "
                     "base64", reel_sum_name(kind), reel_sum_len(kind));
}


reel_err_t
reel_sum_parse_tus(reel_str_t value, reel_sum_kind_t *kind,
    uint8_t out[REEL_SUM_MAX], reel_error_t *e)
{
    reel_str_t  name, sum;

    name = reel_str_cut(trim(value), ' ', &sum);

    if (name.len == 0 || sum.p == NULL) {
        return reel_fail(e, REEL_BADDATA, "Upload-Checksum must be an "
                         "algorithm, a blank and base64");
    }

    *kind = reel_sum_by_name(name);

    if (*kind == REEL_SUM_NONE) {
        return reel_fail(e, REEL_UNSUPPORTED, "Upload-Checksum names an "
                         "algorithm that is not known here");
    }

    return reel_sum_decode(out, *kind, sum) == REEL_OK ? REEL_OK
           : bad_value(*kind, e);
}


/*
 * ":base64:" with or without parameters; base64 has neither ',' nor ';', so
 * a member was cut rightly at its comma unless a parameter is a string with
 * one, which then fails here.
 */
static reel_err_t
byte_sequence(reel_str_t s, reel_str_t *base64)
{
    reel_str_t  params;

    s = trim(reel_str_cut(s, ';', &params));

    if (s.len < 2 || s.p[0] != ':' || s.p[s.len - 1] != ':'
        || (params.p != NULL && trim(params).len == 0))
    {
        return REEL_BADDATA;
    }

    *base64 = (reel_str_t) { s.p + 1, s.len - 2 };

    return REEL_OK;
}


reel_err_t
reel_sum_parse_digest(reel_str_t value, reel_sum_kind_t *kind,
    uint8_t out[REEL_SUM_MAX], reel_error_t *e)
{
    reel_str_t       name, base64;
    reel_sum_kind_t  k;

    *kind = REEL_SUM_NONE;

    do {
        name = reel_str_cut(trim(reel_str_cut(value, ',', &value)), '=',
                            &base64);

        if (name.len == 0 || base64.p == NULL
            || byte_sequence(base64, &base64) != REEL_OK)
        {
            return reel_fail(e, REEL_BADDATA, "a digest must be of the form "
                             "sha-256=:<base64>:");
        }

        k = reel_sum_by_digest(name);

        if (k == REEL_SUM_NONE || k < *kind) {
            continue;
        }

        if (reel_sum_decode(out, k, base64) != REEL_OK) {
            return bad_value(k, e);
        }

        *kind = k;

    } while (value.p != NULL);

    if (*kind == REEL_SUM_NONE) {
        return reel_fail(e, REEL_UNSUPPORTED, "none of the digests is of an "
                         "algorithm that is known here");
    }

    return REEL_OK;
}
