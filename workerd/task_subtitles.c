/*
 * extract_subtitles: each text that has anything to read becomes
 * assets/…/<rendition>/0-<token>.vtt
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "workerd/answer.h"
#include "workerd/attempt.h"
#include "workerd/log.h"
#include "workerd/publish_check.h"


static reel_err_t
parse(void *t, const char *json, size_t len, reel_error_t *e)
{
    return reel_subtitles_parse(t, json, len, e);
}


static reel_err_t
prepare(reel_attempt_t *a, reel_child_t *io)
{
    const reel_subtitles_t  *t = a->data;

    a->frags = t->grid.fragments;

    return reel_attempt_outputs(a, io, t->ntexts);
}


static int
run(reel_child_t *c, void *attempt)
{
    (void) attempt;

    return reel_av_subtitles(c);
}


static bool
as_asked(const reel_attempt_t *a, const reel_encoded_t *o, json_int_t i,
    json_int_t from)
{
    const reel_text_track_t *asked;
    const reel_subtitles_t  *t = a->data;

    if (i < 0 || i >= (json_int_t) t->ntexts || from != 0
        || o->kind != REEL_TEXT || o->frag_from != 0
        || o->nfrags != t->grid.fragments)
    {
        return false;
    }

    asked = &t->texts[i];

    if (strcmp(o->rendition, asked->name) != 0
        || strcmp(o->codec, "wvtt") != 0
        || strcmp(o->language, asked->language) != 0
        || strcmp(o->label, asked->label) != 0 || o->roles != asked->roles)
    {
        return false;
    }

    for (size_t k = 0; k < a->answer.nobjects; k++) {
        if (strcmp(a->answer.objects[k].rendition, o->rendition) == 0) {
            return false;
        }
    }

    return true;
}


/* the film goes on without it */
static void
leave_out(reel_attempt_t *a, const reel_text_track_t *t, const char *why)
{
    reel_warning_t  x = { .count = 1, .at_ms = -1 };

    reel_log_task(REEL_LOG_WARN, a->job, a->task, "a text is left out: %s",
                  why);

    (void) snprintf(x.where, sizeof(x.where), "track %d", t->stream);
    (void) snprintf(x.stage, sizeof(x.stage), "%s",
                    reel_task_type_name(a->ops->type));
    reel_warnings_add(&a->answer.warnings, REEL_WARN_TEXT_LEFT_OUT, &x);
}


static reel_err_t
line(reel_attempt_t *a, const char *key, const json_t *value,
    const json_t *whole)
{
    json_int_t      i;
    reel_err_t      err;
    reel_error_t    why = { "" };
    reel_encoded_t  o;
    const reel_subtitles_t  *t = a->data;

    if (strcmp(key, "object") != 0) {
        return REEL_BADDATA;
    }

    err = reel_answer_parse_object(a, value, &o);
    if (err != REEL_OK) {
        return err;
    }

    i = json_integer_value(json_object_get(whole, "output"));

    if (!as_asked(a, &o, i, json_integer_value(json_object_get(whole,
                                                               "from"))))
    {
        err = reel_attempt_fail(a, REEL_BADDATA, "INTERNAL", "answer",
                                "the child's object is not what was asked");
        goto done;
    }

    /* what publish would refuse, and the film with it */
    err = reel_track_check_alone(&o, &t->grid, &why);

    if (err != REEL_OK) {
        leave_out(a, &t->texts[i], why.text);
        err = REEL_OK;
        goto done;
    }

    snprintf(o.name, sizeof(o.name), "0-%.48s.vtt", a->token);

    /* at once: outputs without cues are never told of */
    err = reel_attempt_publish(a, (unsigned) i, o.rendition, o.name, o.bytes);
    if (err == REEL_OK) {
        err = reel_answer_add(&a->answer, &o);
    }

    a->published = a->answer.nobjects;

done:

    reel_encoded_release(&o);

    return err;
}


static reel_err_t
finish(reel_attempt_t *a)
{
    return reel_answer_end(a, REEL_OK);
}


const reel_task_ops_t reel_task_subtitles = {
    .type = REEL_TASK_SUBTITLES,
    .source = true,
    .confined = true,
    .reused = true,
    .optional = true,
    .payload = sizeof(reel_subtitles_t),
    .parse = parse,
    .prepare = prepare,
    .run = run,
    .line = line,
    .finish = finish
};
