/*
 * inspect: the child probes the source, its answer becomes
 * scratch/<job>/inspect.json.
 */

#include <stdio.h>
#include <string.h>

#include "lib/base/hex.h"
#include "lib/job/record.h"
#include "workerd/answer.h"
#include "workerd/attempt.h"
#include "workerd/final.h"
#include "workerd/log.h"
#include "workerd/reuse.h"
#include "workerd/source_sum.h"

/* of its time the task spends on the digest one part in so many, at most */
#define SUM_SHARE 6


/* facts that stand and can be read need not be found again */
static reel_err_t
check_standing(reel_attempt_t *a)
{
    reel_key_t     key;
    reel_buf_t     b = { 0 };
    reel_err_t     err;
    reel_source_t  src = { 0 };

    err = reel_key_scratch(key, reel_str(a->job), "inspect.json");
    if (err == REEL_OK) {
        err = reel_store_get(a->w->store, key, REEL_ANSWER_MAX, &b);
    }
    if (err == REEL_OK) {
        err = reel_source_parse(&src, reel_buf_cstr(&b), b.len, NULL);
    }

    reel_source_release(&src);
    reel_buf_release(&b);

    return err == REEL_OK ? REEL_EXISTS : REEL_OK;
}


/* of two limits in s, 0 = none */
static uint64_t
shorter(uint64_t a, uint64_t b)
{
    return a == 0 || (b != 0 && b < a) ? b : a;
}


static reel_err_t
prepare(reel_attempt_t *a, reel_child_t *io)
{
    reel_err_t      err;
    reel_error_t    e = { "" };
    reel_request_t  rq = { 0 };

    if (check_standing(a) == REEL_EXISTS) {
        return REEL_EXISTS;
    }

    err = reel_final_request(a->w->store, reel_str(a->asset), &rq, &e);

    if (err == REEL_OK && rq.sha256 != NULL) {
        snprintf(a->sha256, sizeof(a->sha256), "%s", rq.sha256);
    }
    io->max_duration_s = shorter(rq.max_duration_s, a->w->conf.duration_s);
    io->max_pixels = (uint64_t) a->w->conf.megapixels * 1000000;
    reel_request_release(&rq);

    if (err != REEL_OK) {
        return reel_attempt_fail(a, err, reel_outcome_code(err), "store",
                                 "request.json: %s",
                                 e.text[0] != '\0' ? e.text
                                                   : reel_err_name(err));
    }

    return REEL_OK;
}


/* whether the child is to say it: what was signed need not be found out */
static bool
asks_sha256(const reel_attempt_t *a)
{
    return a->w->conf.reuse && a->sha256[0] == '\0';
}


/*
 * Before libav sees a byte, and in any case: who takes this child over
 * afterwards has no say in what source it is.  A medium so slow that it would
 * cost the task its time is not waited for.
 */
static reel_err_t
tell_sha256(reel_child_t *c, uint32_t timeout_s)
{
    char        hex[2 * REEL_SHA256_LEN + 1];
    uint8_t     sum[REEL_SHA256_LEN];
    reel_buf_t  b;

    reel_buf_init(&b, REEL_CHILD_LINE_MAX);

    if (reel_source_sum(sum, c->source_fd,
                        (uint64_t) timeout_s * 1000 / SUM_SHARE))
    {
        reel_hex(hex, sum, sizeof(sum));
        reel_buf_printf(&b, "{\"sha256\":\"%s\"}", hex);
    } else {
        reel_buf_addz(&b, "{\"sha256\":null}");
    }

    return reel_child_line(c, &b);
}


static int
run(reel_child_t *c, void *attempt)
{
    reel_err_t             err;
    const reel_attempt_t  *a = attempt;

    if (asks_sha256(a)) {
        err = tell_sha256(c, a->timeout_s);
        if (err != REEL_OK) {
            return reel_child_fail(c, true, reel_outcome_code(err), "write",
                                   "answer");
        }
    }

    return reel_av_inspect(c);
}


/* the first thing that the child says, and never later */
static reel_err_t
take_sha256(reel_attempt_t *a, const json_t *value)
{
    const char  *hex = json_string_value(value);

    if (a->spoke || !asks_sha256(a)) {
        return REEL_BADDATA;
    }

    if (json_is_null(value)) {
        return REEL_OK;
    }

    if (hex == NULL || strlen(hex) != sizeof(a->sha256) - 1) {
        return REEL_BADDATA;
    }
    memcpy(a->sha256, hex, sizeof(a->sha256));

    return REEL_OK;
}


static reel_err_t
line(reel_attempt_t *a, const char *key, const json_t *value,
    const json_t *whole)
{
    reel_err_t     err;
    reel_error_t   e = { "" };
    reel_source_t  src = { 0 };

    (void) whole;

    if (strcmp(key, "sha256") == 0) {
        return take_sha256(a, value);
    }

    if (strcmp(key, "source") != 0 || a->text != NULL) {
        return REEL_BADDATA;
    }

    a->text = json_dumps(value, JSON_COMPACT);
    if (a->text == NULL) {
        return REEL_NOMEM;
    }

    err = reel_source_parse(&src, a->text, strlen(a->text), &e);
    reel_source_release(&src);

    if (err != REEL_OK) {
        return reel_attempt_fail(a, err, "INTERNAL", "answer",
                                 "the child's facts are not right: %s",
                                 e.text);
    }

    return REEL_OK;
}


static reel_err_t
finish(reel_attempt_t *a)
{
    reel_key_t  key;
    reel_err_t  err;

    if (a->text == NULL) {
        return reel_attempt_fail(a, REEL_BADDATA, "INTERNAL", "answer",
                                 "the child ended without an answer");
    }

    if (a->w->conf.reuse && a->sha256[0] != '\0') {
        err = reel_reuse_join(a, a->sha256);
        if (err != REEL_OK) {
            reel_log_task(REEL_LOG_WARN, a->job, a->task, "who has the same "
                          "source is not known: %s", reel_err_name(err));
        }
    }

    err = reel_key_scratch(key, reel_str(a->job), "inspect.json");
    if (err == REEL_OK) {
        err = reel_store_replace(a->w->store, key, a->text,
                                 strlen(a->text));
    }

    if (err != REEL_OK) {
        return reel_attempt_store_fail(a, err, "the facts cannot be put");
    }

    return REEL_OK;
}


const reel_task_ops_t reel_task_inspect = {
    .type = REEL_TASK_INSPECT,
    .source = true,
    .confined = true,
    .prepare = prepare,
    .run = run,
    .line = line,
    .finish = finish
};
