/* the way of a body to the upload: see ngx_http_reel_payload.h */

#include "ngx_module/ngx_http_reel_params.h"
#include "ngx_module/ngx_http_reel_payload.h"

#include "lib/base/hex.h"


static reel_err_t ngx_http_reel_payload_pass(ngx_http_reel_door_t *door,
    ngx_http_reel_sink_pt sink, const void *p, size_t n);
static reel_err_t ngx_http_reel_payload_unframe(ngx_http_reel_door_t *door,
    ngx_http_reel_sink_pt sink, reel_str_t in);
static reel_err_t ngx_http_reel_payload_broken(ngx_http_reel_door_t *door,
    reel_err_t err, const char *code, reel_error_t *e);
static reel_err_t ngx_http_reel_payload_trailer(ngx_http_reel_door_t *door);


reel_err_t
ngx_http_reel_payload_take(ngx_http_reel_door_t *door,
    ngx_http_reel_sink_pt sink)
{
    ngx_str_t   *piece;
    ngx_uint_t   i;
    reel_err_t   err;
    reel_str_t   in;

    /* what comes behind bytes that were not written has no place */
    err = door->err;
    piece = door->body.pieces.elts;

    for (i = 0; i < door->body.pieces.nelts && err == REEL_OK; i++) {

        if (door->payload && door->payload->framed) {
            in.p = (char *) piece[i].data;
            in.len = piece[i].len;
            err = ngx_http_reel_payload_unframe(door, sink, in);

        } else {
            err = ngx_http_reel_payload_pass(door, sink, piece[i].data,
                                             piece[i].len);
        }
    }

    return err;
}


static reel_err_t
ngx_http_reel_payload_unframe(ngx_http_reel_door_t *door,
    ngx_http_reel_sink_pt sink, reel_str_t in)
{
    reel_err_t    err;
    reel_str_t    out;
    reel_error_t  e;

    do {
        e.text[0] = '\0';
        err = reel_aws_chunked_next(&door->payload->frames, &in, &out, &e);

        if (err != REEL_OK) {
            return ngx_http_reel_payload_broken(door, err, "InvalidRequest",
                                                &e);
        }

        if (out.len) {
            err = ngx_http_reel_payload_pass(door, sink, out.p, out.len);
        }

    } while (err == REEL_OK && out.len);

    return err;
}


static reel_err_t
ngx_http_reel_payload_pass(ngx_http_reel_door_t *door,
    ngx_http_reel_sink_pt sink, const void *p, size_t n)
{
    ngx_uint_t  i;
    reel_err_t  err;

    err = sink(door, p, n);

    for (i = 0; i < door->nchecks && err == REEL_OK; i++) {
        err = reel_sum_update(&door->checks[i].sum, p, n);
    }

    return err;
}


/* always REEL_BADDATA but for our own faults: others mean more elsewhere */
static reel_err_t
ngx_http_reel_payload_broken(ngx_http_reel_door_t *door, reel_err_t err,
    const char *code, reel_error_t *e)
{
    const char               *why;
    ngx_http_reel_payload_t  *payload;

    payload = door->payload;

    switch (err) {

    case REEL_BADDATA:
    case REEL_LIMIT:
        payload->status = NGX_HTTP_BAD_REQUEST;
        payload->code = code;
        why = "the body is not framed as its headers say";
        break;

    case REEL_DENIED:
        payload->status = NGX_HTTP_FORBIDDEN;
        payload->code = "SignatureDoesNotMatch";
        why = "the signature of a chunk of the body does not match";
        break;

    default:
        return err;
    }

    (void) ngx_cpystrn((u_char *) door->why,
                       (u_char *) (e->text[0] ? e->text : why),
                       sizeof(door->why));

    return REEL_BADDATA;
}


reel_err_t
ngx_http_reel_payload_verify(ngx_http_reel_door_t *door)
{
    uint8_t                 sum[REEL_SUM_MAX];
    ngx_uint_t              i;
    reel_err_t              err;
    reel_error_t            e;
    ngx_http_reel_check_t  *check;

    if (door->payload && door->payload->framed) {
        e.text[0] = '\0';
        err = reel_aws_chunked_finish(&door->payload->frames, &e);

        if (err != REEL_OK) {
            return ngx_http_reel_payload_broken(door, err, "IncompleteBody",
                                                &e);
        }

        err = ngx_http_reel_payload_trailer(door);

        if (err != REEL_OK) {
            return err;
        }
    }

    for (i = 0; i < door->nchecks; i++) {
        check = &door->checks[i];

        err = reel_sum_final(&check->sum, sum);
        if (err != REEL_OK) {
            return err;
        }

        if (ngx_memcmp(sum, check->want, reel_sum_len(check->kind)) != 0) {
            door->mismatch = i + 1;
            return REEL_BADDATA;
        }
    }

    if (door->payload) {
        door->payload->verified = 1;
    }

    return REEL_OK;
}


/* the frames' reader has seen to it that it came */
static reel_err_t
ngx_http_reel_payload_trailer(ngx_http_reel_door_t *door)
{
    char                      name[64];
    const char               *value;
    reel_error_t              e;
    ngx_http_reel_payload_t  *payload;

    payload = door->payload;

    if (payload->trailer == 0) {
        return REEL_OK;
    }

    (void) ngx_snprintf((u_char *) name, sizeof(name), "x-amz-checksum-%s%Z",
                        reel_sum_name(payload->kind));

    value = reel_aws_chunked_trailer(&payload->frames, name);

    if (value == NULL
        || reel_sum_decode(payload->sum, payload->kind, reel_str(value))
           != REEL_OK)
    {
        (void) reel_fail(&e, REEL_BADDATA, "the trailer %s is no checksum of "
                         "its kind in base64", name);
        return ngx_http_reel_payload_broken(door, REEL_BADDATA,
                                            "InvalidRequest", &e);
    }

    ngx_memcpy(door->checks[payload->trailer - 1].want, payload->sum,
               reel_sum_len(payload->kind));

    return REEL_OK;
}


/* ---- the answer ---- */

void
ngx_http_reel_payload_failed(ngx_http_reel_door_t *door)
{
    const char               *code;
    ngx_http_reel_payload_t  *payload;

    payload = door->payload;

    if (door->err == REEL_BADDATA && payload && payload->code) {
        ngx_http_reel_door_refuse(door, payload->status, payload->code,
                                  door->why, 0);
        return;
    }

    if (door->err == REEL_BADDATA && payload && door->mismatch) {
        code = payload->codes[door->mismatch - 1];

        ngx_http_reel_door_refuse(door, NGX_HTTP_BAD_REQUEST, code,
                                  ngx_strcmp(code, "BadDigest") == 0
                                  ? "the body does not have the checksum that "
                                    "came with it"
                                  : "the body's SHA-256 is not the signed "
                                    "one", 0);
        return;
    }

    ngx_http_reel_door_failed(door);
}


ngx_int_t
ngx_http_reel_payload_echo(ngx_http_reel_door_t *door)
{
    char                      text[REEL_SUM_TEXT];
    ngx_http_reel_payload_t  *payload;

    payload = door->payload;

    if (payload == NULL || !payload->verified
        || payload->kind == REEL_SUM_NONE)
    {
        return NGX_OK;
    }

    reel_sum_encode(text, payload->kind, payload->sum);

    return ngx_http_reel_payload_sum_header(door->request, payload->kind,
                                            text);
}


ngx_int_t
ngx_http_reel_payload_sum_header(ngx_http_request_t *r, reel_sum_kind_t kind,
    const char *value)
{
    u_char     *name;
    size_t      len;
    ngx_str_t   text;

    len = ngx_strlen(value);
    name = ngx_pnalloc(r->pool, 64 + len);
    if (name == NULL) {
        return NGX_ERROR;
    }

    (void) ngx_snprintf(name, 64, "x-amz-checksum-%s%Z", reel_sum_name(kind));

    text.data = name + 64;
    text.len = len;
    ngx_memcpy(text.data, value, len);

    return ngx_http_reel_add_header(r, (char *) name, &text);
}
