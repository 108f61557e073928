/*
 * S3 ListMultipartUploads: of all multipart uploads of the store it is looked
 * at what was fixed when they were made, and the first page that is behind
 * the markers is kept, sorted by key and upload id; of those alone it is read
 * whether they are open.
 */

#include "ngx_module/ngx_http_reel_s3.h"

#include <stdlib.h>

#include "lib/auth/query.h"


#define NGX_HTTP_REEL_UPLOADS_XML_MAX  (16 * 1024 * 1024)


typedef struct {
    char                             *key;      /* or a common prefix */
    char                              id[REEL_UPLOAD_ID_LEN + 1];   /* "" */
    int64_t                           created_ms;
    ngx_uint_t                        ended;
} ngx_http_reel_s3_entry_t;


typedef struct {
    char                             *prefix;
    char                             *delimiter;
    char                             *key_marker;
    char                             *id_marker;
    ngx_uint_t                        encode;   /* encoding-type=url */
    uint64_t                          max;

    const char                       *project;
    const char                       *bucket;
    ngx_http_reel_s3_entry_t         *entries;  /* one more than max */
    size_t                            n;
    reel_buf_t                       *xml;
} ngx_http_reel_s3_uploads_t;


static void ngx_http_reel_s3_uploads_cleanup(void *data);
static ngx_int_t ngx_http_reel_s3_uploads_args(ngx_http_reel_door_t *door,
    ngx_http_reel_s3_uploads_t *op);
static void ngx_http_reel_s3_uploads_work(ngx_http_reel_door_t *door,
    ngx_log_t *log);
static reel_err_t ngx_http_reel_s3_uploads_each(void *arg,
    const reel_upload_facts_t *f);
static reel_err_t ngx_http_reel_s3_uploads_ended(ngx_http_reel_door_t *door,
    ngx_http_reel_s3_uploads_t *op);
static reel_err_t ngx_http_reel_s3_uploads_keep(
    ngx_http_reel_s3_uploads_t *op, const char *key, size_t len,
    const char *id, int64_t created_ms);
static int ngx_http_reel_s3_uploads_cmp(const char *key, size_t len,
    const char *id, const ngx_http_reel_s3_entry_t *e);
static void ngx_http_reel_s3_uploads_print(ngx_http_reel_s3_uploads_t *op);
static void ngx_http_reel_s3_upload_print(ngx_http_reel_s3_uploads_t *op,
    const ngx_http_reel_s3_entry_t *e);
static void ngx_http_reel_s3_uploads_name(ngx_http_reel_s3_uploads_t *op,
    const char *name);
static void ngx_http_reel_s3_uploads_done(ngx_http_reel_door_t *door);
static ngx_int_t ngx_http_reel_s3_uploads_send(ngx_http_reel_door_t *door);


ngx_int_t
ngx_http_reel_s3_list_uploads(ngx_http_reel_door_t *door)
{
    ngx_int_t                    rc;
    ngx_pool_cleanup_t          *cln;
    ngx_http_reel_s3_uploads_t  *op;

    cln = ngx_pool_cleanup_add(door->request->pool,
                               sizeof(ngx_http_reel_s3_uploads_t));
    if (cln == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    op = cln->data;
    ngx_memzero(op, sizeof(ngx_http_reel_s3_uploads_t));
    cln->handler = ngx_http_reel_s3_uploads_cleanup;
    door->op = op;

    rc = ngx_http_reel_s3_uploads_args(door, op);
    if (rc != NGX_DECLINED) {
        return rc;
    }

    op->project = door->auth.key->project;
    op->bucket = (char *) door->bucket.data;
    op->xml = ngx_http_reel_s3_buf(door->request,
                                   NGX_HTTP_REEL_UPLOADS_XML_MAX);
    op->entries = ngx_pcalloc(door->request->pool,
                              (op->max + 1)
                              * sizeof(ngx_http_reel_s3_entry_t));

    if (op->xml == NULL || op->entries == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (ngx_http_reel_task_walks == NGX_HTTP_REEL_TASK_WALKS) {
        return ngx_http_reel_error(door->request, door->form,
                                   NGX_HTTP_SERVICE_UNAVAILABLE, "SlowDown",
                                   "uploads are being listed by others; try "
                                   "again", 1);
    }

    if (ngx_http_reel_door_post(door, ngx_http_reel_s3_uploads_work,
                                ngx_http_reel_s3_uploads_done)
        != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_http_reel_task_walks++;

    return NGX_DONE;
}


static void
ngx_http_reel_s3_uploads_cleanup(void *data)
{
    ngx_http_reel_s3_uploads_t  *op = data;

    size_t  i;

    for (i = 0; i < op->n; i++) {
        free(op->entries[i].key);
    }
}


static ngx_int_t
ngx_http_reel_s3_uploads_args(ngx_http_reel_door_t *door,
    ngx_http_reel_s3_uploads_t *op)
{
    char       *type;
    ngx_int_t   rc;

    rc = ngx_http_reel_s3_number(door, "max-uploads",
                                 NGX_HTTP_REEL_S3_LIST_MAX, 1, INT32_MAX,
                                 &op->max);
    if (rc != NGX_DECLINED) {
        return rc;
    }

    op->max = ngx_min(op->max, NGX_HTTP_REEL_S3_LIST_MAX);

    op->prefix = ngx_http_reel_s3_arg(door, "prefix");
    op->delimiter = ngx_http_reel_s3_arg(door, "delimiter");
    op->key_marker = ngx_http_reel_s3_arg(door, "key-marker");
    op->id_marker = ngx_http_reel_s3_arg(door, "upload-id-marker");
    type = ngx_http_reel_s3_arg(door, "encoding-type");

    if (op->prefix == NULL || op->delimiter == NULL || op->key_marker == NULL
        || op->id_marker == NULL || type == NULL)
    {
        return ngx_http_reel_params_bad(door, "a parameter of the listing is "
                                        "not well encoded or too long");
    }

    if (type[0] && ngx_strcmp(type, "url") != 0) {
        return ngx_http_reel_params_bad(door, "encoding-type is not url");
    }

    op->encode = type[0] != '\0';

    return NGX_DECLINED;
}


static void
ngx_http_reel_s3_uploads_work(ngx_http_reel_door_t *door, ngx_log_t *log)
{
    door->err = reel_upload_each_multipart(door->store,
                                           ngx_http_reel_s3_uploads_each,
                                           door->op);

    if (door->err == REEL_OK) {
        door->err = ngx_http_reel_s3_uploads_ended(door, door->op);
    }

    if (door->err == REEL_OK) {
        ngx_http_reel_s3_uploads_print(door->op);

    } else {
        ngx_log_error(NGX_LOG_ERR, log, 0,
                      "reel: uploads cannot be listed: %s",
                      reel_err_name(door->err));
    }
}


static reel_err_t
ngx_http_reel_s3_uploads_each(void *arg, const reel_upload_facts_t *f)
{
    ngx_http_reel_s3_uploads_t  *op = arg;

    size_t       len;
    const char  *end;

    len = ngx_strlen(op->prefix);

    if (f->door != REEL_UPLOAD_MULTIPART || f->key == NULL
        || ngx_strcmp(f->request.project, op->project) != 0
        || ngx_strcmp(f->bucket, op->bucket) != 0
        || ngx_strncmp(f->key, op->prefix, len) != 0)
    {
        return REEL_OK;
    }

    end = op->delimiter[0] ? ngx_strstr(f->key + len, op->delimiter) : NULL;

    if (end) {
        len = end - f->key + ngx_strlen(op->delimiter);
        return ngx_http_reel_s3_uploads_keep(op, f->key, len, "", 0);
    }

    return ngx_http_reel_s3_uploads_keep(op, f->key, ngx_strlen(f->key),
                                         f->id, f->request.created_ms);
}


/* a page may come out shorter: it still leads on */
static reel_err_t
ngx_http_reel_s3_uploads_ended(ngx_http_reel_door_t *door,
    ngx_http_reel_s3_uploads_t *op)
{
    size_t                     i;
    reel_err_t                 err;
    reel_upload_t             *u;
    ngx_http_reel_s3_entry_t  *e;

    for (i = 0; i < op->n && i < op->max; i++) {
        e = &op->entries[i];

        if (e->id[0] == '\0') {
            continue;
        }

        err = reel_upload_open(door->store, reel_str(e->id), &u);
        if (err == REEL_NOMEM) {
            return err;
        }

        e->ended = err != REEL_OK || u->state.phase != REEL_UPLOAD_OPEN;
        reel_upload_close(u);
    }

    return REEL_OK;
}


/* where it belongs among the first max + 1 that are behind the markers */
static reel_err_t
ngx_http_reel_s3_uploads_keep(ngx_http_reel_s3_uploads_t *op, const char *key,
    size_t len, const char *id, int64_t created_ms)
{
    int                        c;
    char                      *copy;
    size_t                     lo, hi, mid;
    ngx_http_reel_s3_entry_t   marker, *e;

    if (op->key_marker[0]) {
        marker.key = op->key_marker;
        ngx_memzero(marker.id, sizeof(marker.id));
        (void) ngx_cpystrn((u_char *) marker.id, (u_char *) op->id_marker,
                           sizeof(marker.id));

        /* without an id all of that key are passed over */
        c = ngx_http_reel_s3_uploads_cmp(key, len,
                                         marker.id[0] ? id : "", &marker);
        if (c <= 0) {
            return REEL_OK;
        }
    }

    for (lo = 0, hi = op->n; lo < hi; /* void */) {
        mid = lo + (hi - lo) / 2;
        c = ngx_http_reel_s3_uploads_cmp(key, len, id, &op->entries[mid]);

        if (c == 0) {
            return REEL_OK;
        }

        if (c < 0) {
            hi = mid;
        } else {
            lo = mid + 1;
        }
    }

    if (lo == op->max + 1) {
        return REEL_OK;
    }

    copy = strndup(key, len);
    if (copy == NULL) {
        return REEL_NOMEM;
    }

    if (op->n == op->max + 1) {
        free(op->entries[--op->n].key);
    }

    e = &op->entries[lo];
    ngx_memmove(e + 1, e, (op->n - lo) * sizeof(*e));
    op->n++;

    e->key = copy;
    e->created_ms = created_ms;
    e->ended = 0;
    (void) ngx_cpystrn((u_char *) e->id, (u_char *) id, sizeof(e->id));

    return REEL_OK;
}


static int
ngx_http_reel_s3_uploads_cmp(const char *key, size_t len, const char *id,
    const ngx_http_reel_s3_entry_t *e)
{
    int     c;
    size_t  n;

    n = ngx_strlen(e->key);
    c = ngx_memcmp(key, e->key, ngx_min(len, n));

    if (c != 0) {
        return c;
    }

    return len != n ? (len < n ? -1 : 1) : ngx_strcmp(id, e->id);
}


static void
ngx_http_reel_s3_uploads_print(ngx_http_reel_s3_uploads_t *op)
{
    size_t                           i, n;
    reel_buf_t                      *b;
    const ngx_http_reel_s3_entry_t  *last;

    b = op->xml;
    n = op->n > op->max ? op->max : op->n;

    reel_buf_addz(b, NGX_HTTP_REEL_S3_XML "<ListMultipartUploadsResult "
                  NGX_HTTP_REEL_S3_XMLNS ">");
    reel_xml_elementz(b, "Bucket", op->bucket);
    reel_buf_addz(b, "<KeyMarker>");
    ngx_http_reel_s3_uploads_name(op, op->key_marker);
    reel_buf_addz(b, "</KeyMarker>");
    reel_xml_elementz(b, "UploadIdMarker", op->id_marker);

    if (op->n > n) {
        last = &op->entries[n - 1];
        reel_buf_addz(b, "<NextKeyMarker>");
        ngx_http_reel_s3_uploads_name(op, last->key);
        reel_buf_addz(b, "</NextKeyMarker>");
        reel_xml_elementz(b, "NextUploadIdMarker", last->id);
    }

    reel_buf_addz(b, "<Prefix>");
    ngx_http_reel_s3_uploads_name(op, op->prefix);
    reel_buf_addz(b, "</Prefix>");

    if (op->delimiter[0]) {
        reel_buf_addz(b, "<Delimiter>");
        ngx_http_reel_s3_uploads_name(op, op->delimiter);
        reel_buf_addz(b, "</Delimiter>");
    }

    if (op->encode) {
        reel_xml_elementz(b, "EncodingType", "url");
    }

    reel_xml_number(b, "MaxUploads", op->max);
    reel_xml_elementz(b, "IsTruncated", op->n > n ? "true" : "false");

    for (i = 0; i < n; i++) {
        if (!op->entries[i].ended) {
            ngx_http_reel_s3_upload_print(op, &op->entries[i]);
        }
    }

    reel_buf_addz(b, "</ListMultipartUploadsResult>\n");
}


static void
ngx_http_reel_s3_upload_print(ngx_http_reel_s3_uploads_t *op,
    const ngx_http_reel_s3_entry_t *e)
{
    reel_buf_t  *b;

    b = op->xml;

    if (e->id[0] == '\0') {
        reel_buf_addz(b, "<CommonPrefixes><Prefix>");
        ngx_http_reel_s3_uploads_name(op, e->key);
        reel_buf_addz(b, "</Prefix></CommonPrefixes>");
        return;
    }

    reel_buf_addz(b, "<Upload><Key>");
    ngx_http_reel_s3_uploads_name(op, e->key);
    reel_buf_addz(b, "</Key>");
    reel_xml_elementz(b, "UploadId", e->id);
    reel_buf_addz(b, "<Initiator>");
    reel_xml_elementz(b, "ID", op->project);
    reel_xml_elementz(b, "DisplayName", op->project);
    reel_buf_addz(b, "</Initiator><Owner>");
    reel_xml_elementz(b, "ID", op->project);
    reel_xml_elementz(b, "DisplayName", op->project);
    reel_buf_addz(b, "</Owner><StorageClass>STANDARD</StorageClass>"
                  "<Initiated>");
    ngx_http_reel_s3_time(b, e->created_ms);
    reel_buf_addz(b, "</Initiated></Upload>");
}


static void
ngx_http_reel_s3_uploads_name(ngx_http_reel_s3_uploads_t *op,
    const char *name)
{
    if (op->encode) {
        reel_uri_encode(op->xml, reel_str(name), true);

    } else {
        reel_xml_text(op->xml, reel_str(name));
    }
}


static void
ngx_http_reel_s3_uploads_done(ngx_http_reel_door_t *door)
{
    ngx_http_reel_task_walks--;

    if (door->err == REEL_OK) {
        ngx_http_reel_door_answer(door, ngx_http_reel_s3_uploads_send);
        return;
    }

    ngx_http_reel_door_failed(door);
}


static ngx_int_t
ngx_http_reel_s3_uploads_send(ngx_http_reel_door_t *door)
{
    ngx_http_reel_s3_uploads_t  *op;

    op = door->op;

    if (ngx_http_reel_s3_headers(door, NULL) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_reel_s3_send(door, op->xml);
}
