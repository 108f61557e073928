/* the whole file as one PUT, by a URL signed now or elsewhere */

#include <stdlib.h>

#include "reelctl/interrupt.h"
#include "reelctl/presign.h"
#include "reelctl/progress.h"
#include "reelctl/upload.h"


#define URL_MAX 32768


/* the URL of --url, or one signed now; yours */
static int
get_url(reel_ctl_t *c, const reel_ctl_file_t *f, char **url)
{
    int                 code;
    char                line[URL_MAX];
    reel_ctl_signed_t   s;

    *url = NULL;

    if (c->opt[REEL_OPT_URL] == NULL) {
        code = reel_ctl_presign(c, "PUT",
                                reel_ctl_opt(c, REEL_OPT_NAME, NULL, f->name),
                                &s);
        *url = s.url;
        s.url = NULL;
        reel_ctl_signed_release(&s);

        return code;
    }

    if (strcmp(c->opt[REEL_OPT_URL], "-") != 0) {
        *url = strdup(c->opt[REEL_OPT_URL]);

    } else if (fgets(line, sizeof(line), stdin) != NULL) {
        line[strcspn(line, "\r\n")] = '\0';
        *url = strdup(line);
    }

    if (*url == NULL || (strncmp(*url, "http://", 7) != 0
                         && strncmp(*url, "https://", 8) != 0))
    {
        return reel_ctl_fail(REEL_EXIT_USAGE, "--url must be an http or "
                             "https URL");
    }

    return REEL_EXIT_OK;
}


/*
 * The same URL again replays the answer that was lost, so trying again is
 * safe; only what never reached the disk is sent twice.
 */
static reel_err_t
send_file(const reel_ctl_how_t *how, const reel_ctl_file_t *f,
    const char *url, reel_ctl_answer_t *a, reel_error_t *e)
{
    char                 type[512], why[64];
    unsigned             failures;
    reel_err_t           err;
    const char          *wanted = how->c->opt[REEL_OPT_TYPE];
    reel_ctl_upload_t    u;
    reel_ctl_request_t   rq = {
        .method = "PUT", .url = url, .fd = f->fd, .size = f->size,
        .progress = reel_ctl_upload_progress, .arg = &u,
        .headers = { "Accept: application/problem+json",
                     "Expect: 100-continue" }
    };

    if (wanted != NULL) {
        (void) snprintf(type, sizeof(type), "Content-Type: %s", wanted);
        rq.headers[2] = type;
    }

    reel_ctl_upload_begin(&u, how->c, f->name, f->size, 0);

    for (failures = 1; /* void */ ; failures++) {
        err = reel_ctl_http(how->c, &rq, a, e);

        if (failures > how->retries || reel_ctl_interrupted()
            || !reel_ctl_passing(a, err))
        {
            break;
        }

        (void) snprintf(why, sizeof(why), "the server says %ld", a->status);
        reel_ctl_try_again(how, err != REEL_OK ? e->text : why, failures);
        reel_ctl_answer_release(a);
    }

    reel_ctl_upload_end(&u, err == REEL_OK && a->status / 100 == 2);

    return err;
}


int
reel_ctl_upload_put(const reel_ctl_how_t *how, const reel_ctl_file_t *f,
    reel_ctl_outcome_t *out)
{
    int                 code;
    char               *url;
    reel_err_t          err;
    reel_error_t        e = { "" };
    reel_ctl_answer_t   a = { 0 };

    code = get_url(how->c, f, &url);
    if (code != REEL_EXIT_OK) {
        free(url);
        return code;
    }

    err = send_file(how, f, url, &a, &e);
    free(url);

    if (err == REEL_OK && a.status / 100 == 2) {
        memcpy(out->asset, a.asset, sizeof(out->asset));
        memcpy(out->etag, a.etag, sizeof(out->etag));

    } else if (reel_ctl_interrupted()) {
        code = reel_ctl_fail(REEL_EXIT_INTERRUPTED, "interrupted; one PUT "
                             "cannot be gone on with, it begins anew");

    } else if (err != REEL_OK) {
        code = reel_ctl_fail(err == REEL_IO ? REEL_EXIT_UNAVAILABLE
                                            : REEL_EXIT_FAILED,
                             "the upload of %s broke off: %s", f->name,
                             e.text);
    } else {
        code = reel_ctl_refusal(how->c, &a, "the upload was refused");
    }

    reel_ctl_answer_release(&a);

    return code;
}
