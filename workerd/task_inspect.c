/*
 * inspect: the child probes the source, its answer becomes
 * scratch/<job>/inspect.json.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/hex.h"
#include "lib/crypt/digest.h"
#include "lib/job/record.h"
#include "workerd/answer.h"
#include "workerd/attempt.h"
#include "workerd/log.h"
#include "workerd/reuse.h"

#define HASH_BUFFER (1u << 20)

/* of its time the task spends on the digest one part in so many */
#define HASH_SHARE 3


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


static bool
hash_source(uint8_t sum[REEL_SHA256_LEN], int fd, uint32_t limit_s)
{
    off_t           at = 0;
    ssize_t         n = 1;
    uint8_t        *buf = malloc(HASH_BUFFER);
    struct timespec now, begun;
    reel_sha256_t  *h = reel_sha256_new();
    bool            ok = buf != NULL && h != NULL;

    clock_gettime(CLOCK_MONOTONIC, &begun);

    while (ok && n > 0) {
        n = pread(fd, buf, HASH_BUFFER, at);
        if (n < 0 && errno == EINTR) {
            n = 1;
            continue;
        }
        at += n;

        clock_gettime(CLOCK_MONOTONIC, &now);
        ok = n >= 0 && now.tv_sec - begun.tv_sec <= (time_t) limit_s
             && reel_sha256_update(h, buf, (size_t) n) == REEL_OK;
    }

    free(buf);

    if (!ok) {
        reel_sha256_free(h);
        return false;
    }

    return reel_sha256_final(h, sum) == REEL_OK;
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
    reel_key_t      key;
    reel_buf_t      b = { 0 };
    reel_err_t      err;
    reel_error_t    e = { "" };
    reel_request_t  rq = { 0 };

    if (check_standing(a) == REEL_EXISTS) {
        return REEL_EXISTS;
    }

    err = reel_key_asset_part(key, reel_str(a->asset), REEL_PART_REQUEST);
    if (err == REEL_OK) {
        err = reel_store_get(a->w->store, key, REEL_RECORD_MAX, &b);
    }
    if (err == REEL_OK) {
        err = reel_request_parse(&rq, reel_buf_cstr(&b), b.len, &e);
    }

    if (err == REEL_OK && rq.sha256 != NULL) {
        snprintf(a->sha256, sizeof(a->sha256), "%s", rq.sha256);
    }
    io->max_duration_s = shorter(rq.max_duration_s, a->w->conf.duration_s);
    io->max_pixels = (uint64_t) a->w->conf.megapixels * 1000000;
    reel_request_release(&rq);
    reel_buf_release(&b);

    if (err != REEL_OK) {
        return reel_attempt_fail(a, err, reel_outcome_code(err), "store",
                                 "request.json: %s",
                                 e.text[0] != '\0' ? e.text
                                                   : reel_err_name(err));
    }

    return REEL_OK;
}


/*
 * Before libav sees a byte: who takes this child over afterwards cannot say
 * that the source is another's.  A medium so slow that it would cost the task
 * its time is not waited for.
 */
static void
tell_sha256(reel_child_t *c, uint32_t timeout_s)
{
    char        hex[2 * REEL_SHA256_LEN + 1];
    uint8_t     sum[REEL_SHA256_LEN];
    reel_buf_t  b;

    if (!hash_source(sum, c->source_fd, timeout_s / HASH_SHARE)) {
        return;
    }
    reel_hex(hex, sum, sizeof(sum));

    reel_buf_init(&b, REEL_CHILD_LINE_MAX);
    reel_buf_printf(&b, "{\"sha256\":\"%s\"}", hex);
    (void) !reel_child_line(c, &b);
}


static int
run(reel_child_t *c, void *attempt)
{
    const reel_attempt_t  *a = attempt;

    if (a->w->conf.reuse && a->sha256[0] == '\0') {
        tell_sha256(c, a->timeout_s);
    }

    return reel_av_inspect(c);
}


/* the first thing that the child says, or nothing */
static reel_err_t
take_sha256(reel_attempt_t *a, const json_t *value)
{
    const char  *hex = json_string_value(value);

    if (hex == NULL || strlen(hex) != sizeof(a->sha256) - 1
        || a->sha256[0] != '\0' || a->text != NULL)
    {
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
