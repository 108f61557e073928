/*
 * POST of an asset's webhook: its last event goes out once more.  Pool work
 * on the store, where workerd finds it, then an answer.
 */

#include "ngx_module/ngx_http_reel_api.h"

#include "lib/hook/note.h"


void
ngx_http_reel_announce(void *data, ngx_log_t *log)
{
    ngx_http_reel_api_t  *api = data;

    char        name[REEL_HOOK_NAME_MAX];
    reel_err_t  err;

    ngx_http_reel_api_load(api, log);

    if (api->err != REEL_OK || !ngx_http_reel_api_mine(api)) {
        return;
    }

    err = reel_hook_note_again(api->store, api->asset.id, api->now_ms, name);

    if (err == REEL_NOTFOUND) {
        api->unchanged = 1;
        return;
    }

    if (err != REEL_OK) {
        ngx_log_error(NGX_LOG_ERR, log, 0, "reel: webhook of asset %s: %s",
                      api->asset.id, reel_err_name(err));
        api->err = err == REEL_NOSPACE ? REEL_NOSPACE : REEL_IO;
    }
}


void
ngx_http_reel_announced(ngx_http_request_t *r, void *data)
{
    ngx_http_reel_api_t  *api = data;

    ngx_int_t    rc;
    reel_buf_t   b;
    reel_json_t  j;

    /* that it was deleted is an event as well */
    rc = ngx_http_reel_api_check_any(r, api);
    if (rc != NGX_DECLINED) {
        ngx_http_finalize_request(r, rc);
        return;
    }

    if (api->unchanged) {
        rc = ngx_http_reel_error(r, NGX_HTTP_REEL_PROBLEM, NGX_HTTP_CONFLICT,
                                 "NO_EVENT", "nothing ended yet, or no "
                                 "webhooks are set up", 0);
        ngx_http_finalize_request(r, rc);
        return;
    }

    reel_buf_init(&b, REEL_RECORD_MAX);
    reel_json_init(&j, &b);
    reel_json_object(&j);
    reel_json_kstr(&j, "id", api->asset.id);
    reel_json_kbool(&j, "queued", 1);
    reel_json_end(&j, '}');

    ngx_http_finalize_request(r, ngx_http_reel_api_send(r, NGX_HTTP_ACCEPTED,
                                                        &b));
}
