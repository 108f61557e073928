/*
 * complexity: trial encodes of a few seconds of the film, at each size of
 * the ladder.  Its answer are the rates and losses; the second plan, which
 * waits for it, makes a ladder of them.
 */

#include <stdlib.h>
#include <string.h>

#include "workerd/answer.h"
#include "workerd/attempt.h"


static reel_err_t
parse(void *t, const char *json, size_t len, reel_error_t *e)
{
    return reel_complexity_parse(t, json, len, e);
}


static int
run(reel_child_t *c, void *attempt)
{
    (void) attempt;

    return reel_av_complexity(c);
}


/* the child read a stranger's bytes: sizes and qualities are what was asked */
static bool
is_asked(const reel_trials_t *t, const reel_trials_t *asked)
{
    bool  same = t->n == asked->n;

    for (uint32_t i = 0; same && i < t->n; i++) {
        same = t->v[i].width == asked->v[i].width
               && t->v[i].height == asked->v[i].height
               && t->v[i].crf == asked->v[i].crf;
    }

    return same;
}


static reel_err_t
line(reel_attempt_t *a, const char *key, const json_t *value,
    const json_t *whole)
{
    char                     *text;
    reel_err_t                err;
    reel_error_t              e = { "" };
    const reel_complexity_t  *t = a->data;

    (void) whole;

    if (strcmp(key, "complexity") != 0 || a->answer.trials.n != 0) {
        return REEL_BADDATA;
    }

    text = json_dumps(value, JSON_COMPACT);
    if (text == NULL) {
        return REEL_NOMEM;
    }

    err = reel_trials_parse(&a->answer.trials, text, strlen(text), &e);
    free(text);

    if (err != REEL_OK || !is_asked(&a->answer.trials, &t->trials)) {
        return reel_attempt_fail(a, REEL_BADDATA, "INTERNAL", "answer",
                                 "the child's trials are not what was asked: "
                                 "%s", e.text);
    }

    return REEL_OK;
}


static reel_err_t
finish(reel_attempt_t *a)
{
    if (a->answer.trials.n == 0) {
        return reel_attempt_fail(a, REEL_BADDATA, "INTERNAL", "answer",
                                 "the child ended without an answer");
    }

    return reel_answer_put(a);
}


const reel_task_ops_t reel_task_complexity = {
    .type = REEL_TASK_COMPLEXITY,
    .source = true,
    .confined = true,
    .reused = true,
    .optional = true,
    .payload = sizeof(reel_complexity_t),
    .parse = parse,
    .run = run,
    .line = line,
    .finish = finish
};
