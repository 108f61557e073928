/*
 * storyboard: sets of pictures, which become
 * assets/…/image/frames-<width>-<token>.jpgs and sheets-<token>.jpgs
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "workerd/answer.h"
#include "workerd/attempt.h"


static reel_err_t
parse(void *t, const char *json, size_t len, reel_error_t *e)
{
    return reel_storyboard_parse(t, json, len, e);
}


static reel_err_t
prepare(reel_attempt_t *a, reel_child_t *io)
{
    const reel_storyboard_t  *t = a->data;

    a->answer.stories = calloc(t->nsets, sizeof(reel_story_t));
    if (a->answer.stories == NULL) {
        return reel_attempt_fail(a, REEL_NOMEM, "NO_MEMORY", "prepare",
                                 "the answer");
    }
    a->answer.nstories = t->nsets;

    return reel_attempt_outputs(a, io, t->nsets);
}


static int
run(reel_child_t *c, void *attempt)
{
    (void) attempt;

    return reel_av_storyboard(c);
}


static bool
as_asked(const reel_story_t *s, const reel_storyboard_t *t, json_int_t i)
{
    const reel_story_set_t  *q;

    if (i < 0 || i >= (json_int_t) t->nsets) {
        return false;
    }

    q = &t->sets[i];

    return s->object[0] == '\0' && s->width == q->width
           && s->height == q->height && s->columns == q->columns
           && s->rows == q->rows && s->interval_ms == t->interval_ms
           && s->count == t->count;
}


static reel_err_t
line(reel_attempt_t *a, const char *key, const json_t *value,
    const json_t *whole)
{
    char                     *text;
    json_int_t                i;
    reel_err_t                err = REEL_NOMEM;
    reel_story_t             *s;
    const reel_storyboard_t  *t = a->data;

    if (strcmp(key, "story") != 0) {
        return REEL_BADDATA;
    }

    i = json_integer_value(json_object_get(whole, "output"));
    text = json_dumps(value, JSON_COMPACT);
    s = malloc(sizeof(*s));

    if (text != NULL && s != NULL) {
        err = reel_story_parse(s, text, strlen(text), NULL);
    }

    if (err == REEL_OK && as_asked(s, t, i)
        && a->answer.stories[i].count == 0)
    {
        a->answer.stories[i] = *s;

    } else if (err != REEL_NOMEM) {
        err = reel_attempt_fail(a, REEL_BADDATA, "INTERNAL", "answer",
                                "the child's pictures are not what was "
                                "asked");
    }

    free(s);
    free(text);

    return err;
}


static reel_err_t
publish(reel_attempt_t *a, unsigned i)
{
    reel_story_t  *s = &a->answer.stories[i];

    if (s->count == 0) {
        return reel_attempt_fail(a, REEL_BADDATA, "INTERNAL", "answer",
                                 "no answer for output %u", i);
    }

    /* the last set is that of sheets */
    if (i + 1 == a->answer.nstories) {
        snprintf(s->object, sizeof(s->object), "sheets-%.40s.jpgs",
                 a->token);
    } else {
        snprintf(s->object, sizeof(s->object), "frames-%u-%.40s.jpgs",
                 s->width, a->token);
    }

    return reel_attempt_publish(a, i, "image", s->object, s->bytes);
}


static reel_err_t
finish(reel_attempt_t *a)
{
    reel_err_t  err = REEL_OK;

    for (unsigned i = 0; err == REEL_OK && i < a->answer.nstories; i++) {
        err = publish(a, i);
    }

    return reel_answer_end(a, err);
}


const reel_task_ops_t reel_task_storyboard = {
    .type = REEL_TASK_STORYBOARD,
    .source = true,
    .confined = true,
    .reused = true,
    .optional = true,
    .payload = sizeof(reel_storyboard_t),
    .parse = parse,
    .prepare = prepare,
    .run = run,
    .line = line,
    .finish = finish
};
