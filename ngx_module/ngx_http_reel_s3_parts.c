/* S3 ListParts */

#include "ngx_module/ngx_http_reel_s3.h"

#include "lib/upload/complete_xml.h"


#define NGX_HTTP_REEL_PARTS_XML_MAX  (1024 * 1024)


typedef struct {
    uint64_t     max;
    uint64_t     marker;
    reel_buf_t  *xml;
} ngx_http_reel_s3_parts_t;


static void ngx_http_reel_s3_parts_work(ngx_http_reel_door_t *door,
    ngx_log_t *log);
static void ngx_http_reel_s3_parts_print(ngx_http_reel_door_t *door,
    const reel_upload_part_t *parts, size_t n);
static void ngx_http_reel_s3_part_print(reel_buf_t *b,
    const reel_upload_part_t *p);
static void ngx_http_reel_s3_parts_done(ngx_http_reel_door_t *door);
static ngx_int_t ngx_http_reel_s3_parts_send(ngx_http_reel_door_t *door);


ngx_int_t
ngx_http_reel_s3_list_parts(ngx_http_reel_door_t *door)
{
    ngx_int_t                  rc;
    ngx_http_reel_s3_parts_t  *op;

    op = ngx_pcalloc(door->request->pool, sizeof(ngx_http_reel_s3_parts_t));
    if (op == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    door->op = op;

    op->xml = ngx_http_reel_s3_buf(door->request,
                                   NGX_HTTP_REEL_PARTS_XML_MAX);
    if (op->xml == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    rc = ngx_http_reel_s3_upload_id(door);

    if (rc == NGX_DECLINED) {
        rc = ngx_http_reel_s3_number(door, "max-parts",
                                     NGX_HTTP_REEL_S3_LIST_MAX, 0, INT32_MAX,
                                     &op->max);
    }

    if (rc == NGX_DECLINED) {
        rc = ngx_http_reel_s3_number(door, "part-number-marker", 0, 0,
                                     INT32_MAX, &op->marker);
    }

    if (rc != NGX_DECLINED) {
        return rc;
    }

    op->max = ngx_min(op->max, NGX_HTTP_REEL_S3_LIST_MAX);

    return ngx_http_reel_door_post(door, ngx_http_reel_s3_parts_work,
                                   ngx_http_reel_s3_parts_done)
           == NGX_OK ? NGX_DONE : NGX_HTTP_INTERNAL_SERVER_ERROR;
}


static void
ngx_http_reel_s3_parts_work(ngx_http_reel_door_t *door, ngx_log_t *log)
{
    size_t               n;
    reel_upload_part_t  *parts;

    door->err = ngx_http_reel_door_open(door);

    if (door->err == REEL_OK
        && door->upload->state.phase != REEL_UPLOAD_OPEN)
    {
        door->err = REEL_NOTFOUND;
    }

    if (door->err == REEL_OK) {
        door->err = reel_upload_parts(door->upload, &parts, &n);
    }

    if (door->err == REEL_OK) {
        ngx_http_reel_s3_parts_print(door, parts, n);
        ngx_free(parts);

    } else if (door->err != REEL_NOTFOUND) {
        ngx_log_error(NGX_LOG_ERR, log, 0,
                      "reel: the parts of upload %*s cannot be listed: %s",
                      door->id.len, door->id.data, reel_err_name(door->err));
    }
}


static void
ngx_http_reel_s3_parts_print(ngx_http_reel_door_t *door,
    const reel_upload_part_t *parts, size_t n)
{
    size_t                     i, first, last;
    reel_buf_t                *b;
    const char                *project;
    ngx_http_reel_s3_parts_t  *op;

    op = door->op;
    b = op->xml;
    project = door->upload->facts.request.project;

    for (first = 0; first < n && parts[first].number <= op->marker; first++) {
        /* void */
    }

    last = op->max < n - first ? first + op->max : n;

    reel_buf_addz(b, NGX_HTTP_REEL_S3_XML "<ListPartsResult "
                  NGX_HTTP_REEL_S3_XMLNS ">");
    reel_xml_elementz(b, "Bucket", (char *) door->bucket.data);
    reel_xml_elementz(b, "Key", (char *) door->key.data);
    reel_xml_elementz(b, "UploadId", door->upload->facts.id);
    reel_xml_number(b, "PartNumberMarker", op->marker);
    reel_xml_number(b, "NextPartNumberMarker",
                    last > first ? parts[last - 1].number : op->marker);
    reel_xml_number(b, "MaxParts", op->max);
    reel_xml_elementz(b, "IsTruncated", last < n ? "true" : "false");

    for (i = first; i < last; i++) {
        ngx_http_reel_s3_part_print(b, &parts[i]);
    }

    reel_buf_addz(b, "<Initiator>");
    reel_xml_elementz(b, "ID", door->upload->facts.access_key);
    reel_xml_elementz(b, "DisplayName", project);
    reel_buf_addz(b, "</Initiator><Owner>");
    reel_xml_elementz(b, "ID", project);
    reel_xml_elementz(b, "DisplayName", project);
    reel_buf_addz(b, "</Owner><StorageClass>STANDARD</StorageClass>"
                  "</ListPartsResult>\n");
}


static void
ngx_http_reel_s3_part_print(reel_buf_t *b, const reel_upload_part_t *p)
{
    char  etag[REEL_PART_ETAG_LEN + 1], sum[REEL_SUM_TEXT], name[32];

    reel_part_etag(etag, p->tag);

    reel_buf_addz(b, "<Part>");
    reel_xml_number(b, "PartNumber", p->number);
    reel_buf_addz(b, "<LastModified>");
    ngx_http_reel_s3_time(b, p->finished_ms);
    reel_buf_addz(b, "</LastModified>");
    reel_xml_elementz(b, "ETag", etag);
    reel_xml_number(b, "Size", p->size);

    if (p->sum_kind != REEL_SUM_NONE) {
        (void) ngx_snprintf((u_char *) name, sizeof(name), "Checksum%s%Z",
                            reel_sum_s3(p->sum_kind));
        reel_sum_encode(sum, p->sum_kind, p->sum);
        reel_xml_elementz(b, name, sum);
    }

    reel_buf_addz(b, "</Part>");
}


static void
ngx_http_reel_s3_parts_done(ngx_http_reel_door_t *door)
{
    if (door->err == REEL_OK) {
        ngx_http_reel_door_answer(door, ngx_http_reel_s3_parts_send);
        return;
    }

    ngx_http_reel_door_failed(door);
}


static ngx_int_t
ngx_http_reel_s3_parts_send(ngx_http_reel_door_t *door)
{
    ngx_http_reel_s3_parts_t  *op;

    op = door->op;

    if (ngx_http_reel_s3_headers(door, NULL) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_reel_s3_send(door, op->xml);
}
