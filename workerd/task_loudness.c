/*
 * loudness: how loud a sound is by EBU R128, over its whole length and as it
 * would be encoded.  Its answer is a number; encode_audio, which waits for
 * it, makes a gain of that.
 */

#include <string.h>

#include "workerd/answer.h"
#include "workerd/attempt.h"


static int
run(reel_child_t *c, void *attempt)
{
    (void) attempt;

    return reel_av_loudness(c);
}


static reel_err_t
line(reel_attempt_t *a, const char *key, const json_t *value,
    const json_t *whole)
{
    json_int_t     n;
    const json_t  *clufs = json_object_get(value, "clufs");

    (void) whole;

    n = json_integer_value(clufs);

    if (strcmp(key, "loudness") != 0 || !json_is_integer(clufs)
        || n < REEL_CLUFS_MIN || n > REEL_CLUFS_MAX)
    {
        return REEL_BADDATA;
    }

    a->answer.loudness = true;
    a->answer.clufs = (int) n;

    return REEL_OK;
}


static reel_err_t
finish(reel_attempt_t *a)
{
    if (!a->answer.loudness) {
        return reel_attempt_fail(a, REEL_BADDATA, "INTERNAL", "answer",
                                 "the child ended without an answer");
    }

    return reel_answer_put(a);
}


const reel_task_ops_t reel_task_loudness = {
    .type = REEL_TASK_LOUDNESS,
    .source = true,
    .confined = true,
    .reused = true,
    .run = run,
    .line = line,
    .finish = finish
};
