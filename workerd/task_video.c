/*
 * encode_video: one chunk, a group of renditions.  Each output becomes
 * assets/…/<rendition>/<chunk>-<token>.mp4.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "workerd/allowance.h"
#include "workerd/answer.h"
#include "workerd/attempt.h"
#include "workerd/mark.h"


static reel_err_t
open_image(reel_attempt_t *a, const reel_mark_t *m)
{
    reel_err_t    err;
    reel_error_t  e = { "" };

    err = reel_mark_open(&a->image, m, a->w->conf.pipelines, a->w->store,
                         a->job, &e);

    if (err == REEL_NOTFOUND) {
        err = reel_attempt_lacks(a, "%s", e.text);

    } else if (err != REEL_OK) {
        (void) reel_attempt_fail(a, err, reel_outcome_code(err), "prepare",
                                 "the watermark: %s", e.text[0] != '\0'
                                 ? e.text : reel_err_name(err));
    }

    return err;
}


static reel_err_t
parse(void *t, const char *json, size_t len, reel_error_t *e)
{
    return reel_encode_video_parse(t, json, len, e);
}


static reel_err_t
prepare(reel_attempt_t *a, reel_child_t *io)
{
    reel_err_t                  err;
    const reel_encode_video_t  *t = a->data;

    if (t->mark.image[0] != '\0') {
        err = open_image(a, &t->mark);
        if (err != REEL_OK) {
            return err;
        }
        io->image_fd = a->image;
    }

    /* a place for each answer, whatever their order */
    a->answer.objects = calloc(t->nrungs, sizeof(reel_encoded_t));
    if (a->answer.objects == NULL) {
        return reel_attempt_fail(a, REEL_NOMEM, "NO_MEMORY", "prepare",
                                 "the answer");
    }
    a->answer.nobjects = t->nrungs;
    a->frags = t->frag_to - t->frag_from;
    reel_attempt_media(a, &t->grid, t->frag_from, t->frag_to);

    for (uint32_t i = 0; i < t->nrungs; i++) {
        reel_allowance_need(a, &t->grid, a->frags, t->rungs[i].max_kbps);
    }

    return reel_attempt_outputs(a, io, t->nrungs);
}


static int
run(reel_child_t *c, void *attempt)
{
    (void) attempt;

    return reel_av_encode_video(c);
}


static reel_err_t
line(reel_attempt_t *a, const char *key, const json_t *value,
    const json_t *whole)
{
    json_int_t            i, from;
    reel_err_t            err;
    reel_encoded_t        o;
    reel_encode_video_t  *t = a->data;

    if (strcmp(key, "object") != 0) {
        return REEL_BADDATA;
    }

    err = reel_answer_parse_object(a, value, &o);
    if (err != REEL_OK) {
        return err;
    }

    i = json_integer_value(json_object_get(whole, "output"));
    from = json_integer_value(json_object_get(whole, "from"));

    if (i < 0 || i >= (json_int_t) t->nrungs || from != 0
        || strcmp(o.rendition, t->rungs[i].name) != 0
        || a->answer.objects[i].rendition[0] != '\0'
        || o.frag_from != t->frag_from
        || o.nfrags != t->frag_to - t->frag_from)
    {
        reel_encoded_release(&o);
        return reel_attempt_fail(a, REEL_BADDATA, "INTERNAL", "answer",
                                 "the child's object is not what was asked");
    }

    snprintf(o.name, sizeof(o.name), "%u-%.48s.mp4", t->chunk, a->token);
    a->answer.objects[i] = o;

    return REEL_OK;
}


static reel_err_t
publish(reel_attempt_t *a, unsigned i)
{
    const reel_encoded_t  *o = &a->answer.objects[i];

    if (o->rendition[0] == '\0') {
        return reel_attempt_fail(a, REEL_BADDATA, "INTERNAL", "answer",
                                 "no answer for output %u", i);
    }

    a->published = i + 1;

    return reel_attempt_publish(a, i, o->rendition, o->name, o->bytes);
}


static reel_err_t
finish(reel_attempt_t *a)
{
    reel_err_t  err = REEL_OK;

    for (unsigned i = 0; err == REEL_OK && i < a->answer.nobjects; i++) {
        err = publish(a, i);
    }

    return reel_answer_end(a, err);
}


const reel_task_ops_t reel_task_video = {
    .type = REEL_TASK_ENCODE_VIDEO,
    .source = true,
    .confined = true,
    .reused = true,
    .payload = sizeof(reel_encode_video_t),
    .parse = parse,
    .prepare = prepare,
    .run = run,
    .line = line,
    .finish = finish
};
