/* small requests, tried again while it makes sense */

#include <stdlib.h>

#include "reelctl/interrupt.h"
#include "reelctl/progress.h"
#include "reelctl/upload.h"


#define STALL_S  300            /* the end of an upload may take long */
#define WAIT_MAX 16


void
reel_ctl_call_release(reel_ctl_call_t *call)
{
    size_t  i;

    free(call->url);

    for (i = 0; i < sizeof(call->lines) / sizeof(call->lines[0]); i++) {
        free(call->lines[i]);
    }

    *call = (reel_ctl_call_t) { 0 };
}


unsigned
reel_ctl_backoff_s(unsigned failures)
{
    unsigned  s = 1;

    while (failures-- > 1 && s < WAIT_MAX) {
        s *= 2;
    }

    return s;
}


void
reel_ctl_try_again(const reel_ctl_how_t *how, const char *why,
    unsigned failures)
{
    unsigned  wait_s = reel_ctl_backoff_s(failures);

    if (reel_ctl_events(how->c)) {
        reel_ctl_event(how->c, json_pack("{s:s, s:s, s:i}", "event", "retry",
                                         "why", why, "wait_s",
                                         (int) wait_s));
    } else {
        reel_ctl_upload_line();
        reel_ctl_warn("%s; trying again in %u s", why, wait_s);
    }

    reel_ctl_pause_ms(wait_s * 1000);
}


static int
ask_once(const reel_ctl_ask_t *q, reel_ctl_answer_t *a, reel_err_t *err,
    reel_error_t *e)
{
    int                  code;
    size_t               i;
    reel_ctl_call_t      call = { 0 };
    reel_ctl_request_t   rq = {
        .method = q->method, .fd = -1, .stall_s = STALL_S,
        .body = q->body, .body_len = q->body != NULL ? strlen(q->body) : 0,
        .headers = { "Accept: application/problem+json, application/xml",
                     q->type != NULL ? q->type : "Content-Type:" }
    };

    code = q->make(q, &call);

    if (code == REEL_EXIT_OK) {
        rq.url = call.url;

        for (i = 0; call.lines[i] != NULL; i++) {
            rq.headers[2 + i] = call.lines[i];
        }

        *err = reel_ctl_http(q->how->c, &rq, a, e);
    }

    reel_ctl_call_release(&call);

    return code;
}


int
reel_ctl_ask(const reel_ctl_ask_t *q, reel_ctl_answer_t *a)
{
    int           code;
    char          why[64];
    unsigned      failures;
    reel_err_t    err = REEL_OK;
    reel_error_t  e = { "" };

    *a = (reel_ctl_answer_t) { 0 };

    for (failures = 1; /* void */ ; failures++) {

        code = ask_once(q, a, &err, &e);

        if (code != REEL_EXIT_OK || !reel_ctl_passing(a, err)) {
            break;
        }

        if (reel_ctl_interrupted()) {
            return REEL_EXIT_INTERRUPTED;
        }

        if (failures > q->how->retries) {
            break;
        }

        (void) snprintf(why, sizeof(why), "the server says %ld", a->status);
        reel_ctl_try_again(q->how, err != REEL_OK ? e.text : why, failures);
        reel_ctl_answer_release(a);

        if (reel_ctl_interrupted()) {
            return REEL_EXIT_INTERRUPTED;
        }
    }

    if (code == REEL_EXIT_OK && err != REEL_OK) {
        code = reel_ctl_fail(err == REEL_IO ? REEL_EXIT_UNAVAILABLE
                                            : REEL_EXIT_FAILED,
                             "%s: %s", q->what, e.text);
    }

    return code;
}


/* S3 may find a fault when it has said 200 already: no ETag then */
int
reel_ctl_completed(const reel_ctl_how_t *how, const reel_ctl_answer_t *a,
    reel_ctl_outcome_t *out)
{
    int  code;

    reel_ctl_xml_value(a, "ETag", out->etag, sizeof(out->etag));

    if (a->status == 200 && out->etag[0] != '\0') {
        memcpy(out->asset, a->asset, sizeof(out->asset));
        return REEL_EXIT_OK;
    }

    code = reel_ctl_refusal(how->c, a, "the upload cannot be completed");

    return code != REEL_EXIT_OK ? code : REEL_EXIT_FAILED;
}
