/* requests at once: libcurl's multi interface */

#include <stdlib.h>
#include <string.h>

#include "reelctl/http_impl.h"


typedef struct {
    CURL                *curl;
    bool                 flying;
    reel_ctl_transfer_t  transfer;
} flight_t;

struct reel_ctl_flights_s {
    CURLM     *multi;
    size_t     n;
    flight_t   flight[];
};


reel_ctl_flights_t *
reel_ctl_flights_new(size_t slots)
{
    size_t               i;
    reel_ctl_flights_t  *f;

    f = calloc(1, sizeof(*f) + slots * sizeof(flight_t));
    if (f == NULL) {
        return NULL;
    }

    f->n = slots;
    f->multi = curl_multi_init();

    for (i = 0; f->multi != NULL && i < slots; i++) {
        f->flight[i].curl = curl_easy_init();

        if (f->flight[i].curl == NULL) {
            reel_ctl_flights_free(f);
            return NULL;
        }
    }

    if (f->multi == NULL) {
        free(f);
        return NULL;
    }

    /* streams of one connection would share its window and its losses */
    curl_multi_setopt(f->multi, CURLMOPT_PIPELINING, (long) CURLPIPE_NOTHING);
    curl_multi_setopt(f->multi, CURLMOPT_MAXCONNECTS, (long) slots);

    return f;
}


void
reel_ctl_flights_free(reel_ctl_flights_t *f)
{
    size_t         i;
    flight_t      *l;
    reel_err_t     err;
    reel_error_t   e;

    reel_ctl_answer_t  a;

    if (f == NULL) {
        return;
    }

    for (i = 0; i < f->n; i++) {
        l = &f->flight[i];

        if (l->flying) {
            (void) curl_multi_remove_handle(f->multi, l->curl);
            err = reel_ctl_transfer_end(&l->transfer, l->curl,
                                        CURLE_ABORTED_BY_CALLBACK, &a, &e);
            (void) err;
            reel_ctl_answer_release(&a);
        }

        curl_easy_cleanup(l->curl);
    }

    (void) curl_multi_cleanup(f->multi);
    free(f);
}


reel_err_t
reel_ctl_flight_start(reel_ctl_flights_t *f, size_t slot,
    const reel_ctl_request_t *rq)
{
    flight_t    *l = &f->flight[slot];
    reel_err_t   err;

    err = reel_ctl_transfer_begin(&l->transfer, l->curl, rq);
    if (err != REEL_OK) {
        return err;
    }

    if (curl_multi_add_handle(f->multi, l->curl) != CURLM_OK) {
        curl_slist_free_all(l->transfer.headers);
        return REEL_NOMEM;
    }

    l->flying = true;

    return REEL_OK;
}


uint64_t
reel_ctl_flight_sent(const reel_ctl_flights_t *f, size_t slot)
{
    return f->flight[slot].flying ? f->flight[slot].transfer.sent : 0;
}


static bool
take_landed(reel_ctl_flights_t *f, size_t *slot, reel_ctl_answer_t *a,
    reel_err_t *err, reel_error_t *e)
{
    int        left;
    CURLcode   rc;
    CURLMsg   *m;

    do {
        m = curl_multi_info_read(f->multi, &left);

        if (m == NULL) {
            return false;
        }

    } while (m->msg != CURLMSG_DONE);

    for (*slot = 0; f->flight[*slot].curl != m->easy_handle; (*slot)++) {
        /* void */
    }

    /* m goes with the handle */
    rc = m->data.result;
    (void) curl_multi_remove_handle(f->multi, f->flight[*slot].curl);
    f->flight[*slot].flying = false;
    *err = reel_ctl_transfer_end(&f->flight[*slot].transfer,
                                 f->flight[*slot].curl, rc, a, e);

    return true;
}


bool
reel_ctl_flight_land(reel_ctl_flights_t *f, int ms, size_t *slot,
    reel_ctl_answer_t *a, reel_err_t *err, reel_error_t *e)
{
    int  running;

    if (take_landed(f, slot, a, err, e)) {
        return true;
    }

    (void) curl_multi_perform(f->multi, &running);

    if (take_landed(f, slot, a, err, e)) {
        return true;
    }

    (void) curl_multi_poll(f->multi, NULL, 0, ms, NULL);
    (void) curl_multi_perform(f->multi, &running);

    return take_landed(f, slot, a, err, e);
}
