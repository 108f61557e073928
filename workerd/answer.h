/*
 * Answers of tasks in scratch/<job>/ and the objects they name.
 */

#ifndef REEL_WORKERD_ANSWER_H
#define REEL_WORKERD_ANSWER_H

#include "lib/job/task.h"
#include "lib/store/store.h"
#include "workerd/attempt.h"

/*
 * Reads scratch/<job>/<name>; release it.  REEL_NOTFOUND, REEL_BADDATA
 * (e tells) or the store's error.
 */
reel_err_t reel_answer_read(reel_store_t *s, const char *job,
    const char *name, reel_answer_t *a, reel_error_t *e) REEL_WARN_UNUSED;

/* the same, wherever it lies */
reel_err_t reel_answer_load(reel_store_t *s, const char *key,
    reel_answer_t *a, reel_error_t *e) REEL_WARN_UNUSED;

/* each object, image and file of an answer, until fn returns an error */
typedef reel_err_t (*reel_answer_fn)(void *arg, const char *folder,
    const char *name, uint64_t bytes);
reel_err_t reel_answer_each(const reel_answer_t *a, reel_answer_fn fn,
    void *arg) REEL_WARN_UNUSED;

/*
 * Do the objects (and the image) of an answer stand with their sizes?
 * REEL_OK, REEL_NOTFOUND, or the store's error.
 */
reel_err_t reel_answer_stands(reel_store_t *s, const char *asset,
    const reel_answer_t *a) REEL_WARN_UNUSED;

/*
 * REEL_EXISTS: a's answer stands with its digest and all objects, maybe one
 * that was made before for the same (reuse.h)
 */
reel_err_t reel_answer_check(reel_attempt_t *a) REEL_WARN_UNUSED;

/*
 * Puts a->answer as scratch/<job>/<task>.json.  When another's answer of
 * the same digest stands, that one counts and a's own objects are deleted;
 * REEL_OK too.
 */
reel_err_t reel_answer_put(reel_attempt_t *a) REEL_WARN_UNUSED;

/* replaces scratch/<job>/<task>.part.json */
reel_err_t reel_answer_put_part(reel_attempt_t *a) REEL_WARN_UNUSED;

/* deletes what this try published, but for what standing (may be NULL) names */
void reel_answer_withdraw(reel_attempt_t *a, const reel_answer_t *standing);

/*
 * The end of a try whose objects were published with err: puts the answer, or
 * withdraws them.
 */
reel_err_t reel_answer_end(reel_attempt_t *a, reel_err_t err) REEL_WARN_UNUSED;

/* appends o, which a owns from then on (o is zeroed) */
reel_err_t reel_answer_add(reel_answer_t *a, reel_encoded_t *o)
    REEL_WARN_UNUSED;

/*
 * Reads the "object" of a child's line and checks that it is consistent:
 * base + the fragments' sizes = bytes, samples = their sum.
 */
reel_err_t reel_answer_parse_object(reel_attempt_t *a, const json_t *value,
    reel_encoded_t *o) REEL_WARN_UNUSED;

#endif
