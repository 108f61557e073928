/* fields of requests to the IETF door: one that is malformed is not there */

#include "ngx_module/ngx_http_reel_ietf.h"

#include "lib/base/hex.h"
#include "lib/base/sf.h"


static uint64_t ngx_http_reel_ietf_number(ngx_http_request_t *r,
    const char *name);
static ngx_uint_t ngx_http_reel_ietf_flag(ngx_http_request_t *r,
    ngx_uint_t *complete);
static ngx_int_t ngx_http_reel_ietf_digest(ngx_http_reel_door_t *door,
    const char *name, reel_sum_kind_t *kind, uint8_t *sum);
static ngx_int_t ngx_http_reel_ietf_bad_digest(ngx_http_reel_door_t *door,
    reel_err_t err, const char *detail);
static ngx_uint_t ngx_http_reel_ietf_expect(ngx_http_reel_door_t *door,
    const uint8_t *sum);
static ngx_int_t ngx_http_reel_ietf_content(ngx_http_reel_door_t *door,
    reel_sum_kind_t kind, const uint8_t *sum);


ngx_uint_t
ngx_http_reel_ietf_speaks(ngx_http_reel_door_t *door)
{
    ngx_uint_t           complete;
    ngx_http_request_t  *r;

    r = door->request;

    if (ngx_http_reel_door_header(r, "tus-resumable")) {
        return 0;
    }

    if (ngx_http_reel_ietf_flag(r, &complete)) {
        return 1;
    }

    /* an append of tus that forgot its version is told so */
    return door->place == NGX_HTTP_REEL_AT_UPLOAD
           && (r->headers_in.content_type == NULL
               || ngx_http_reel_door_header(r, "upload-draft-interop-version")
               || ngx_strcasecmp(r->headers_in.content_type->value.data,
                                 (u_char *) "application/offset+octet-stream")
                  != 0);
}


reel_str_t
ngx_http_reel_ietf_field(ngx_http_request_t *r, const char *name)
{
    size_t            len;
    u_char           *p, *last;
    reel_str_t        field;
    ngx_uint_t        i;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h;

    len = ngx_strlen(name);
    field = (reel_str_t) { NULL, 0 };

    for (part = &r->headers_in.headers.part; part; part = part->next) {
        h = part->elts;

        for (i = 0; i < part->nelts; i++) {
            if (h[i].key.len != len
                || ngx_strncasecmp(h[i].key.data, (u_char *) name, len) != 0)
            {
                continue;
            }

            if (field.p == NULL) {
                field.p = (char *) h[i].value.data;
                field.len = h[i].value.len;
                continue;
            }

            p = ngx_pnalloc(r->pool, field.len + 2 + h[i].value.len);
            if (p == NULL) {
                return (reel_str_t) { "", 0 };
            }

            last = ngx_sprintf(p, "%*s, %V", field.len, field.p, &h[i].value);
            field = (reel_str_t) { (char *) p, (size_t) (last - p) };
        }
    }

    return field;
}


static uint64_t
ngx_http_reel_ietf_number(ngx_http_request_t *r, const char *name)
{
    uint64_t    v;
    reel_str_t  field;

    field = ngx_http_reel_ietf_field(r, name);

    return field.p && reel_sf_u64(field, &v) == REEL_OK ? v
                                                        : REEL_UPLOAD_UNKNOWN;
}


/* what was Upload-Incomplete until version 3 is turned over */
static ngx_uint_t
ngx_http_reel_ietf_flag(ngx_http_request_t *r, ngx_uint_t *complete)
{
    bool        v;
    reel_str_t  field;

    field = ngx_http_reel_ietf_field(r, "upload-complete");

    if (field.p && reel_sf_bool(field, &v) == REEL_OK) {
        *complete = v;
        return 1;
    }

    field = ngx_http_reel_ietf_field(r, "upload-incomplete");

    if (field.p && reel_sf_bool(field, &v) == REEL_OK) {
        *complete = !v;
        return 1;
    }

    return 0;
}


ngx_http_reel_ietf_t *
ngx_http_reel_ietf_read(ngx_http_reel_door_t *door)
{
    uint64_t               version;
    ngx_http_request_t    *r;
    ngx_http_reel_ietf_t  *ietf;

    r = door->request;

    ietf = ngx_pcalloc(r->pool, sizeof(ngx_http_reel_ietf_t));
    if (ietf == NULL) {
        return NULL;
    }

    door->op = ietf;

    version = ngx_http_reel_ietf_number(r, "upload-draft-interop-version");

    ietf->named = version >= NGX_HTTP_REEL_IETF_OLDEST
                  && version <= NGX_HTTP_REEL_IETF_NEWEST;
    ietf->version = ietf->named ? version : NGX_HTTP_REEL_IETF_NEWEST;

    ietf->creates = door->place != NGX_HTTP_REEL_AT_UPLOAD;
    ietf->flagged = ngx_http_reel_ietf_flag(r, &ietf->complete);
    ietf->offset = ngx_http_reel_ietf_number(r, "upload-offset");
    ietf->length = ngx_http_reel_ietf_number(r, "upload-length");

    return ietf;
}


ngx_int_t
ngx_http_reel_ietf_length(ngx_http_reel_door_t *door, uint64_t offset,
    uint64_t *length)
{
    off_t                  n;
    uint64_t               known, end;
    ngx_http_reel_ietf_t  *ietf;

    ietf = door->op;
    known = *length;
    n = door->request->headers_in.content_length_n;

    if (n == -1 && !door->request->headers_in.chunked) {
        /* there is no body */
        n = 0;
    }

    end = n < 0 || offset > INT64_MAX - (uint64_t) n
          ? REEL_UPLOAD_UNKNOWN : offset + (uint64_t) n;

    if (ietf->length != REEL_UPLOAD_UNKNOWN) {
        if (known != REEL_UPLOAD_UNKNOWN && known != ietf->length) {
            return NGX_ERROR;
        }

        known = ietf->length;
    }

    if (end != REEL_UPLOAD_UNKNOWN) {
        /* UNKNOWN is the largest number */
        if (end > known || (ietf->complete && known != REEL_UPLOAD_UNKNOWN
                            && end != known))
        {
            return NGX_ERROR;
        }

        if (ietf->complete) {
            known = end;
        }
    }

    if (offset > known) {
        return NGX_ERROR;
    }

    *length = known;

    return NGX_OK;
}


/* ---- digests ---- */

ngx_int_t
ngx_http_reel_ietf_digests(ngx_http_reel_door_t *door)
{
    uint8_t                sum[REEL_SUM_MAX];
    ngx_int_t              rc;
    reel_str_t             hash;
    reel_sum_kind_t        kind;
    ngx_http_reel_ietf_t  *ietf;

    ietf = door->op;

    if (ietf->creates) {
        rc = ngx_http_reel_ietf_digest(door, "repr-digest", &kind, sum);

        if (rc != NGX_DECLINED) {
            return rc;
        }

        if (kind == REEL_SUM_SHA256) {
            reel_hex(door->facts.expect, sum, REEL_SHA256_LEN);

        } else if (kind != REEL_SUM_NONE) {
            return ngx_http_reel_ietf_bad_digest(door, REEL_UNSUPPORTED,
                                                 "Repr-Digest has no sha-256");
        }

        hash = reel_str(door->auth.payload_hash);

        if (reel_str_prefix(hash, "STREAMING-")) {
            return ngx_http_reel_params_refuse(door,
                                               NGX_HTTP_NOT_IMPLEMENTED,
                                               "NotImplemented", "aws-chunked "
                                               "bodies are not taken by this "
                                               "protocol");
        }

        if (hash.len == 2 * REEL_SHA256_LEN
            && reel_unhex(sum, REEL_SHA256_LEN, hash) == REEL_OK)
        {
            rc = ngx_http_reel_ietf_content(door, REEL_SUM_SHA256, sum);

            if (rc != NGX_DECLINED) {
                return rc;
            }
        }
    }

    rc = ngx_http_reel_ietf_digest(door, "content-digest", &kind, sum);

    return rc == NGX_DECLINED && kind != REEL_SUM_NONE
           ? ngx_http_reel_ietf_content(door, kind, sum) : rc;
}


static ngx_int_t
ngx_http_reel_ietf_digest(ngx_http_reel_door_t *door, const char *name,
    reel_sum_kind_t *kind, uint8_t *sum)
{
    reel_err_t    err;
    reel_str_t    field;
    reel_error_t  e;

    *kind = REEL_SUM_NONE;

    field = ngx_http_reel_ietf_field(door->request, name);
    if (field.p == NULL) {
        return NGX_DECLINED;
    }

    err = reel_sum_parse_digest(field, kind, sum, &e);

    return err == REEL_OK ? NGX_DECLINED
           : ngx_http_reel_ietf_bad_digest(door, err, e.text);
}


/* integrity that was asked for and cannot be had is not passed over */
static ngx_int_t
ngx_http_reel_ietf_bad_digest(ngx_http_reel_door_t *door, reel_err_t err,
    const char *detail)
{
    static ngx_str_t  want = ngx_string("sha-256=10");

    ngx_http_request_t  *r;

    r = door->request;

    if (ngx_http_reel_add_header(r, "Want-Content-Digest", &want) != NGX_OK
        || ngx_http_reel_add_header(r, "Want-Repr-Digest", &want) != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (err == REEL_UNSUPPORTED) {
        (void) ngx_http_reel_ietf_problem(door, NGX_HTTP_REEL_IETF_PROBLEM
                                          "digest-unsupported-algorithms",
                                          "Unsupported Hashing Algorithms");
    } else {
        (void) ngx_http_reel_ietf_problem(door, NGX_HTTP_REEL_IETF_PROBLEM
                                          "digest-invalid-values",
                                          "Invalid Digest Values");
    }

    return ngx_http_reel_params_refuse(door, NGX_HTTP_BAD_REQUEST,
                                       "InvalidDigest", detail);
}


/*
 * The content of a creation with ?1 is the whole: it is checked when it is
 * complete, so that a cut loses nothing of it.
 */
static ngx_uint_t
ngx_http_reel_ietf_expect(ngx_http_reel_door_t *door, const uint8_t *sum)
{
    char                   hex[2 * REEL_SHA256_LEN + 1];
    ngx_http_reel_ietf_t  *ietf;

    ietf = door->op;

    if (!ietf->creates || !ietf->complete) {
        return 0;
    }

    reel_hex(hex, sum, REEL_SHA256_LEN);

    if (door->facts.expect[0] == '\0') {
        ngx_memcpy(door->facts.expect, hex, sizeof(hex));
    }

    return ngx_strcmp(door->facts.expect, hex) == 0;
}


static ngx_int_t
ngx_http_reel_ietf_content(ngx_http_reel_door_t *door, reel_sum_kind_t kind,
    const uint8_t *sum)
{
    reel_err_t  err;

    if (kind == REEL_SUM_SHA256 && ngx_http_reel_ietf_expect(door, sum)) {
        return NGX_DECLINED;
    }

    err = ngx_http_reel_door_check(door, kind, sum);

    if (err == REEL_UNSUPPORTED) {
        return ngx_http_reel_ietf_bad_digest(door, err, "the server's "
                                             "OpenSSL does not offer the "
                                             "digest's algorithm");
    }

    return err == REEL_OK ? NGX_DECLINED : NGX_HTTP_INTERNAL_SERVER_ERROR;
}
