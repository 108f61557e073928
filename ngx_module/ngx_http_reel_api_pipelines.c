/* GET /api/pipelines: what an upload may ask for here, the default first */

#include "ngx_module/ngx_http_reel_api.h"


#define NGX_HTTP_REEL_PIPELINES_BODY  (256 * 1024)


ngx_int_t
ngx_http_reel_api_pipelines(ngx_http_request_t *r, ngx_http_reel_api_t *api)
{
    ngx_str_t                 *names;
    ngx_uint_t                 i;
    reel_buf_t                 b;
    reel_json_t                j;
    ngx_http_reel_loc_conf_t  *rlcf;

    rlcf = ngx_http_get_module_loc_conf(r, ngx_http_reel_module);

    reel_buf_init(&b, NGX_HTTP_REEL_PIPELINES_BODY);
    reel_json_init(&j, &b);
    reel_json_object(&j);
    reel_json_key(&j, "pipelines");
    reel_json_array(&j);

    if (rlcf->pipelines == NULL) {
        reel_json_str(&j, REEL_STR("default"));

    } else {
        names = rlcf->pipelines->elts;

        for (i = 0; i < rlcf->pipelines->nelts; i++) {
            reel_json_str(&j, reel_str((char *) names[i].data));
        }
    }

    reel_json_end(&j, ']');
    reel_json_end(&j, '}');

    return ngx_http_reel_api_send(r, NGX_HTTP_OK, &b);
}
