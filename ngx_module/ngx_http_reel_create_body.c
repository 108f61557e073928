/*
 * What POST /api/uploads asks for.  What the door would refuse is refused
 * here: see ngx_http_reel_param.c.
 */

#include "ngx_module/ngx_http_reel_create.h"
#include "ngx_module/ngx_http_reel_params.h"

#include "lib/auth/sigv4.h"
#include "lib/base/hex.h"


/* a member of the body, and the parameter of the URL that says it */
typedef struct {
    const char           *key;
    const char           *param;
    size_t                offset;
    json_int_t            max;          /* of a number; 0: a string */
} ngx_http_reel_member_t;


static ngx_int_t ngx_http_reel_create_members(ngx_http_reel_create_t *c);
static ngx_int_t ngx_http_reel_create_member(ngx_http_reel_create_t *c,
    const ngx_http_reel_member_t *m, json_t *v);
static ngx_int_t ngx_http_reel_create_meta(ngx_http_reel_create_t *c,
    json_t *v);
static size_t ngx_http_reel_create_max(const char *param);
static ngx_int_t ngx_http_reel_create_check(ngx_http_reel_create_t *c);
static ngx_uint_t ngx_http_reel_create_printable(const char *s);


#define MEMBER(name)  offsetof(ngx_http_reel_create_t, name)

static const ngx_http_reel_member_t  ngx_http_reel_create_list[] = {
    { "name", "reel-name", MEMBER(name), 0 },
    { "bucket", NULL, MEMBER(bucket), 0 },
    { "content_type", "reel-type", MEMBER(content_type), 0 },
    { "pipeline", "reel-pipeline", MEMBER(pipeline), 0 },
    { "sha256", "reel-sha256", MEMBER(sha256), 0 },
    { "max_bytes", "reel-max-bytes", MEMBER(max_bytes), INT64_MAX },
    { "max_duration", "reel-max-duration", MEMBER(max_duration),
      UINT32_MAX },
    { "expires", NULL, MEMBER(expires), REEL_SIGV4_MAX_EXPIRES },
    { NULL, NULL, 0, 0 }
};


ngx_int_t
ngx_http_reel_create_read(ngx_http_reel_create_t *c)
{
    json_error_t  je;

    c->json = json_loadb((char *) c->api->body.data, c->api->body.len,
                         JSON_REJECT_DUPLICATES, &je);

    if (c->json == NULL || !json_is_object(c->json)) {
        return ngx_http_reel_create_fault(c, "INVALID_JSON",
                                          "the body is not a JSON object%s",
                                          "");
    }

    if (ngx_http_reel_create_members(c) != NGX_OK) {
        return NGX_DECLINED;
    }

    return ngx_http_reel_create_check(c);
}


static ngx_int_t
ngx_http_reel_create_members(ngx_http_reel_create_t *c)
{
    json_t                        *v;
    ngx_int_t                      rc;
    const char                    *key;
    const ngx_http_reel_member_t  *m;

    json_object_foreach(c->json, key, v) {

        if (ngx_strcmp(key, "meta") == 0) {
            rc = ngx_http_reel_create_meta(c, v);

        } else {
            for (m = ngx_http_reel_create_list; m->key; m++) {
                if (ngx_strcmp(key, m->key) == 0) {
                    break;
                }
            }

            rc = m->key ? ngx_http_reel_create_member(c, m, v)
                 : ngx_http_reel_create_fault(c, "INVALID_FIELD",
                                              "\"%s\" is not known", key);
        }

        if (rc != NGX_OK) {
            return rc;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_reel_create_member(ngx_http_reel_create_t *c,
    const ngx_http_reel_member_t *m, json_t *v)
{
    u_char  *field;

    field = (u_char *) c + m->offset;

    if (m->max) {
        if (!json_is_integer(v) || json_integer_value(v) < 1) {
            return ngx_http_reel_create_fault(c, "INVALID_FIELD",
                                              "\"%s\" is not a whole number "
                                              "above 0", m->key);
        }

        if (json_integer_value(v) > m->max) {
            return ngx_http_reel_create_fault(c, "INVALID_FIELD",
                                              "\"%s\" is too large", m->key);
        }

        *(json_int_t *) field = json_integer_value(v);

        return NGX_OK;
    }

    if (!json_is_string(v)) {
        return ngx_http_reel_create_fault(c, "INVALID_FIELD",
                                          "\"%s\" is not a string", m->key);
    }

    if (m->param
        && json_string_length(v) > ngx_http_reel_create_max(m->param))
    {
        return ngx_http_reel_create_fault(c, "INVALID_FIELD",
                                          "\"%s\" is too long", m->key);
    }

    *(const char **) field = json_string_value(v);

    return NGX_OK;
}


static ngx_int_t
ngx_http_reel_create_meta(ngx_http_reel_create_t *c, json_t *v)
{
    reel_err_t   err;
    reel_meta_t  meta;

    c->meta_text = json_dumps(v, JSON_COMPACT);
    c->meta = c->meta_text;

    if (!json_is_object(v) || c->meta == NULL) {
        return ngx_http_reel_create_fault(c, "INVALID_FIELD",
                                          "\"%s\" is not an object", "meta");
    }

    if (ngx_strlen(c->meta) > ngx_http_reel_create_max("reel-meta")) {
        return ngx_http_reel_create_fault(c, "INVALID_FIELD",
                                          "\"%s\" is too long", "meta");
    }

    ngx_memzero(&meta, sizeof(reel_meta_t));

    err = reel_meta_parse(&meta, c->meta, ngx_strlen(c->meta), &c->e);
    reel_meta_release(&meta);

    if (err == REEL_OK) {
        return NGX_OK;
    }

    c->code = "INVALID_FIELD";

    return NGX_DECLINED;
}


/* what the door takes of a parameter */
static size_t
ngx_http_reel_create_max(const char *param)
{
    const ngx_http_reel_param_t  *p;

    for (p = ngx_http_reel_params; p->name; p++) {
        if (ngx_strcmp(p->name, param) == 0) {
            return p->max;
        }
    }

    return 0;
}


static ngx_int_t
ngx_http_reel_create_check(ngx_http_reel_create_t *c)
{
    uint8_t                    sum[32];
    const reel_access_key_t   *key;
    ngx_http_reel_loc_conf_t  *rlcf;

    rlcf = ngx_http_get_module_loc_conf(c->request, ngx_http_reel_module);
    key = c->api->auth.key;

    if (c->name == NULL || c->name[0] == '\0') {
        return ngx_http_reel_create_fault(c, "INVALID_FIELD",
                                          "\"%s\" is needed", "name");
    }

    if (c->bucket == NULL && key->nbuckets) {
        c->bucket = key->buckets[0];
    }

    if (c->bucket == NULL
        || !reel_access_key_has_bucket(key, reel_str(c->bucket)))
    {
        return ngx_http_reel_create_fault(c, "INVALID_FIELD",
                                          "\"%s\" is none of this access "
                                          "key", "bucket");
    }

    if (c->content_type && !ngx_http_reel_create_printable(c->content_type)) {
        return ngx_http_reel_create_fault(c, "INVALID_FIELD",
                                          "\"%s\" is no value of a header",
                                          "content_type");
    }

    if (c->pipeline && !ngx_http_reel_conf_has_pipeline(rlcf, c->pipeline)) {
        return ngx_http_reel_create_fault(c, "INVALID_FIELD",
                                          "\"%s\" is none of "
                                          "reel_pipelines", "pipeline");
    }

    if (c->sha256
        && reel_unhex(sum, sizeof(sum), reel_str(c->sha256)) != REEL_OK)
    {
        return ngx_http_reel_create_fault(c, "INVALID_FIELD",
                                          "\"%s\" is not 64 hex digits",
                                          "sha256");
    }

    return NGX_OK;
}


/* as a header brings it: no blanks around it, and something in it */
static ngx_uint_t
ngx_http_reel_create_printable(const char *s)
{
    size_t  i, len;

    len = ngx_strlen(s);

    if (len == 0 || s[0] == ' ' || s[len - 1] == ' ') {
        return 0;
    }

    for (i = 0; i < len; i++) {
        if (s[i] < ' ' || s[i] > '~') {
            return 0;
        }
    }

    return 1;
}


ngx_int_t
ngx_http_reel_create_fault(ngx_http_reel_create_t *c, const char *code,
    const char *fmt, const char *arg)
{
    char  name[65];

    /* a client's own words, shortened */
    (void) ngx_cpystrn((u_char *) name, (u_char *) arg, sizeof(name));

    c->code = code;
    (void) snprintf(c->e.text, sizeof(c->e.text), fmt, name);

    return NGX_DECLINED;
}
