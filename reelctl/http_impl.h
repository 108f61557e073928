/* a transfer of libcurl's, for http.c and http_flights.c only */

#ifndef REEL_CTL_HTTP_IMPL_H
#define REEL_CTL_HTTP_IMPL_H

#include <curl/curl.h>

#include "reelctl/http.h"

typedef struct {
    const reel_ctl_request_t *rq;
    reel_ctl_answer_t         answer;
    struct curl_slist        *headers;
    uint64_t                  at;       /* offset in the body */
    uint64_t                  sent;
    const char               *broken;   /* why the file cannot be read */
    char                      errbuf[CURL_ERROR_SIZE];
} reel_ctl_transfer_t;

/* makes h ready for rq; t must stay where it is until the end */
reel_err_t reel_ctl_transfer_begin(reel_ctl_transfer_t *t, CURL *h,
    const reel_ctl_request_t *rq) REEL_WARN_UNUSED;

/* what came of it; the answer is the caller's */
reel_err_t reel_ctl_transfer_end(reel_ctl_transfer_t *t, CURL *h, CURLcode rc,
    reel_ctl_answer_t *a, reel_error_t *e) REEL_WARN_UNUSED;

#endif
