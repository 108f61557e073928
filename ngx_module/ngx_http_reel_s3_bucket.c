/* S3's buckets: they are what access keys name, none is made and none goes */

#include "ngx_module/ngx_http_reel_s3.h"

#include "lib/auth/query.h"


#define NGX_HTTP_REEL_S3_BUCKET_MAX  4096   /* bytes of a configuration */


static ngx_int_t ngx_http_reel_s3_location(ngx_http_reel_door_t *door);
static ngx_int_t ngx_http_reel_s3_bucket_put(ngx_http_reel_door_t *door);
static void ngx_http_reel_s3_bucket_read(ngx_http_request_t *r);
static ngx_int_t ngx_http_reel_s3_bucket_nameless(ngx_http_reel_door_t *door);
static ngx_int_t ngx_http_reel_s3_bucket_send(ngx_http_reel_door_t *door);


ngx_int_t
ngx_http_reel_s3_bucket(ngx_http_reel_door_t *door)
{
    ngx_int_t            rc;
    reel_str_t           query, value;
    ngx_http_request_t  *r;

    r = door->request;

    query = (reel_str_t) { (char *) r->args.data, r->args.len };

    if (r->method == NGX_HTTP_GET) {

        if (reel_query_get(query, "location", &value)) {
            return ngx_http_reel_s3_location(door);
        }

        return ngx_http_reel_params_refuse(door, NGX_HTTP_NOT_IMPLEMENTED,
                                           "NotImplemented", "objects are "
                                           "not listed here; the API lists "
                                           "assets");
    }

    if (r->method == NGX_HTTP_PUT
        && (r->headers_in.content_length_n > 0 || r->headers_in.chunked))
    {
        return ngx_http_reel_s3_bucket_put(door);
    }

    rc = ngx_http_discard_request_body(r);

    return rc == NGX_OK ? ngx_http_reel_s3_bucket_send(door) : rc;
}


/*
 * A body may configure the bucket, which has nothing to be configured.  One
 * that does not was meant to be an object: its loss must not be a success.
 */
static ngx_int_t
ngx_http_reel_s3_bucket_put(ngx_http_reel_door_t *door)
{
    ngx_int_t            rc;
    ngx_http_request_t  *r;

    r = door->request;

    if (r->headers_in.chunked
        || r->headers_in.content_length_n > NGX_HTTP_REEL_S3_BUCKET_MAX)
    {
        return ngx_http_reel_s3_bucket_nameless(door);
    }

    r->request_body_in_single_buf = 1;

    rc = ngx_http_read_client_request_body(r, ngx_http_reel_s3_bucket_read);

    if (rc >= NGX_HTTP_SPECIAL_RESPONSE) {
        return rc;
    }

    /* gives back the operation's reference: reading took one of its own */
    ngx_http_finalize_request(r, NGX_DONE);

    return NGX_DONE;
}


static void
ngx_http_reel_s3_bucket_read(ngx_http_request_t *r)
{
    ngx_buf_t             *buf;
    reel_xml_t             x;
    reel_xml_event_t       ev;
    ngx_http_reel_ctx_t   *ctx;
    ngx_http_reel_door_t  *door;

    ctx = ngx_http_get_module_ctx(r, ngx_http_reel_module);
    door = ctx->data;

    if (r->request_body->bufs && !r->request_body->temp_file) {
        buf = r->request_body->bufs->buf;
        reel_xml_init(&x, (reel_str_t) { (char *) buf->pos,
                                         buf->last - buf->pos });

        if (reel_xml_next(&x, &ev, NULL) == REEL_OK && ev == REEL_XML_START
            && reel_str_eqz(x.name, "CreateBucketConfiguration"))
        {
            ngx_http_finalize_request(r, ngx_http_reel_s3_bucket_send(door));
            return;
        }
    }

    ngx_http_finalize_request(r, ngx_http_reel_s3_bucket_nameless(door));
}


static ngx_int_t
ngx_http_reel_s3_bucket_nameless(ngx_http_reel_door_t *door)
{
    return ngx_http_reel_params_bad(door, "the path has a bucket, but no "
                                    "name for this body");
}


static ngx_int_t
ngx_http_reel_s3_bucket_send(ngx_http_reel_door_t *door)
{
    ngx_str_t  empty;

    if (ngx_http_reel_s3_headers(door, NULL) != NGX_OK
        || ngx_http_reel_s3_header(door->request, "x-amz-bucket-region",
                                   "us-east-1")
           != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_str_null(&empty);

    return ngx_http_reel_send(door->request, NGX_HTTP_OK, "application/xml",
                              &empty);
}


/* empty is us-east-1; a signature may be of any region */
static ngx_int_t
ngx_http_reel_s3_location(ngx_http_reel_door_t *door)
{
    reel_buf_t  *b;

    b = ngx_http_reel_s3_buf(door->request, 1024);

    if (b == NULL || ngx_http_reel_s3_headers(door, NULL) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    reel_buf_addz(b, NGX_HTTP_REEL_S3_XML "<LocationConstraint "
                  NGX_HTTP_REEL_S3_XMLNS "/>\n");

    return ngx_http_reel_s3_send(door, b);
}


ngx_int_t
ngx_http_reel_s3_buckets(ngx_http_reel_door_t *door)
{
    size_t                    i;
    reel_buf_t               *b;
    const reel_access_key_t  *key;

    key = door->auth.key;
    b = ngx_http_reel_s3_buf(door->request, 1024 * 1024);

    if (b == NULL || ngx_http_reel_s3_headers(door, NULL) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    reel_buf_addz(b, NGX_HTTP_REEL_S3_XML "<ListAllMyBucketsResult "
                  NGX_HTTP_REEL_S3_XMLNS "><Owner>");
    reel_xml_elementz(b, "ID", key->project);
    reel_xml_elementz(b, "DisplayName", key->project);
    reel_buf_addz(b, "</Owner><Buckets>");

    for (i = 0; i < key->nbuckets; i++) {
        reel_buf_addz(b, "<Bucket>");
        reel_xml_elementz(b, "Name", key->buckets[i]);

        /* clients need one, a line of the key file has none */
        reel_buf_addz(b, "<CreationDate>");
        ngx_http_reel_s3_time(b, 0);
        reel_buf_addz(b, "</CreationDate></Bucket>");
    }

    reel_buf_addz(b, "</Buckets></ListAllMyBucketsResult>\n");

    return ngx_http_reel_s3_send(door, b);
}
