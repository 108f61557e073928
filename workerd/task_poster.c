/* poster: one picture, which becomes assets/…/image/poster-<token>.jpg */

#include <stdio.h>
#include <string.h>

#include "workerd/answer.h"
#include "workerd/attempt.h"

#define POSTER_SIDE_MAX  65535
#define POSTER_BYTES_MAX (32u << 20)


static reel_err_t
prepare(reel_attempt_t *a, reel_child_t *io)
{
    return reel_attempt_outputs(a, io, 1);
}


static int
run(reel_child_t *c, void *attempt)
{
    (void) attempt;

    return reel_av_poster(c);
}


static bool
number(const json_t *value, const char *key, uint32_t max, uint32_t *v)
{
    json_int_t  i = json_integer_value(json_object_get(value, key));

    if (i < 1 || i > (json_int_t) max) {
        return false;
    }
    *v = (uint32_t) i;

    return true;
}


static reel_err_t
line(reel_attempt_t *a, const char *key, const json_t *value,
    const json_t *whole)
{
    (void) whole;

    if (strcmp(key, "image") != 0
        || !number(value, "width", POSTER_SIDE_MAX, &a->answer.image_width)
        || !number(value, "height", POSTER_SIDE_MAX, &a->answer.image_height)
        || !number(value, "bytes", POSTER_BYTES_MAX, &a->answer.image_bytes))
    {
        return REEL_BADDATA;
    }

    return REEL_OK;
}


static reel_err_t
finish(reel_attempt_t *a)
{
    reel_err_t  err;

    if (a->answer.image_bytes == 0) {
        return reel_attempt_fail(a, REEL_BADDATA, "INTERNAL", "answer",
                                 "the child ended without an answer");
    }

    snprintf(a->answer.image, sizeof(a->answer.image), "poster-%.48s.jpg",
             a->token);

    err = reel_attempt_publish(a, 0, "image", a->answer.image,
                               a->answer.image_bytes);

    return reel_answer_end(a, err);
}


const reel_task_ops_t reel_task_poster = {
    .type = REEL_TASK_POSTER,
    .source = true,
    .confined = true,
    .reused = true,
    .prepare = prepare,
    .run = run,
    .line = line,
    .finish = finish
};
