#include "workerd/answer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "workerd/log.h"
#include "workerd/reuse.h"


reel_err_t
reel_answer_load(reel_store_t *s, const char *key, reel_answer_t *a,
    reel_error_t *e)
{
    reel_buf_t  b = { 0 };
    reel_err_t  err;

    *a = (reel_answer_t) { 0 };

    err = reel_store_get(s, key, REEL_ANSWER_MAX, &b);
    if (err == REEL_OK) {
        err = reel_answer_parse(a, reel_buf_cstr(&b), b.len, e);
    }

    reel_buf_release(&b);

    return err;
}


reel_err_t
reel_answer_read(reel_store_t *s, const char *job, const char *name,
    reel_answer_t *a, reel_error_t *e)
{
    reel_key_t  key;
    reel_err_t  err;

    *a = (reel_answer_t) { 0 };

    err = reel_key_scratch(key, reel_str(job), name);

    return err == REEL_OK ? reel_answer_load(s, key, a, e) : err;
}


reel_err_t
reel_answer_each(const reel_answer_t *a, reel_answer_fn fn, void *arg)
{
    reel_err_t  err = REEL_OK;

    for (size_t i = 0; err == REEL_OK && i < a->nobjects; i++) {
        err = fn(arg, a->objects[i].rendition, a->objects[i].name,
                 a->objects[i].bytes);
    }

    if (err == REEL_OK && a->image[0] != '\0') {
        err = fn(arg, "image", a->image, a->image_bytes);
    }

    for (size_t i = 0; err == REEL_OK && i < a->nstories; i++) {
        err = fn(arg, "image", a->stories[i].object, a->stories[i].bytes);
    }

    for (size_t i = 0; err == REEL_OK && i < a->nfiles; i++) {
        err = fn(arg, REEL_FOLDER_FILE, a->files[i].object,
                 a->files[i].bytes);
    }

    return err;
}


typedef struct {
    reel_store_t *s;
    const char   *asset;
} look_t;


static reel_err_t
stat_sized(void *arg, const char *folder, const char *name, uint64_t bytes)
{
    look_t            *l = arg;
    reel_key_t         key;
    reel_err_t         err;
    reel_store_stat_t  st;

    err = reel_key_object(key, reel_str(l->asset), reel_str(folder),
                          reel_str(name));
    if (err == REEL_OK) {
        err = reel_store_stat(l->s, key, &st);
    }
    if (err == REEL_OK && st.size != bytes) {
        err = REEL_NOTFOUND;
    }

    return err;
}


reel_err_t
reel_answer_stands(reel_store_t *s, const char *asset,
    const reel_answer_t *a)
{
    look_t  l = { s, asset };

    return reel_answer_each(a, stat_sized, &l);
}


/* the answer that stands, if it answers the same and its objects stand */
static reel_err_t
read_standing(reel_attempt_t *a, reel_answer_t *answer)
{
    char          name[REEL_TASK_NAME + 8];
    reel_err_t    err;
    reel_error_t  e = { "" };

    snprintf(name, sizeof(name), "%s.json", a->task);
    err = reel_answer_read(a->w->store, a->job, name, answer, &e);

    if (err == REEL_BADDATA) {
        reel_log_task(REEL_LOG_WARN, a->job, a->task,
                      "the answer that stands is broken: %s", e.text);
    }

    if (err == REEL_OK && strcmp(answer->digest, a->digest) != 0) {
        err = REEL_NOTFOUND;
    }
    if (err == REEL_OK) {
        err = reel_answer_stands(a->w->store, a->asset, answer);
    }
    if (err != REEL_OK) {
        reel_answer_release(answer);
    }

    return err;
}


reel_err_t
reel_answer_check(reel_attempt_t *a)
{
    reel_answer_t  answer;

    /* whatever is amiss with it: the task is done once more */
    if (read_standing(a, &answer) != REEL_OK) {
        return reel_reuse_find(a);
    }

    reel_reuse_keep_standing(a, &answer);
    reel_answer_release(&answer);

    return REEL_EXISTS;
}


typedef struct {
    const char *folder, *name;
} named_t;


static reel_err_t
is_named(void *arg, const char *folder, const char *name, uint64_t bytes)
{
    const named_t  *n = arg;

    (void) bytes;

    return strcmp(n->folder, folder) == 0 && strcmp(n->name, name) == 0
           ? REEL_EXISTS : REEL_OK;
}


typedef struct {
    reel_store_t        *s;
    const char          *asset;
    const reel_answer_t *standing;      /* or NULL */
    reel_err_t           err;           /* the first one */
} withdraw_t;


static reel_err_t
withdraw(void *arg, const char *folder, const char *name, uint64_t bytes)
{
    named_t      n = { folder, name };
    withdraw_t  *w = arg;
    reel_key_t   key;
    reel_err_t   err;

    (void) bytes;

    if (w->standing != NULL
        && reel_answer_each(w->standing, is_named, &n) == REEL_EXISTS)
    {
        return REEL_OK;
    }

    /* a name that cannot be one was never published */
    if (reel_key_object(key, reel_str(w->asset), reel_str(folder),
                        reel_str(name)) == REEL_OK)
    {
        err = reel_store_del(w->s, key);
        w->err = w->err != REEL_OK ? w->err : err;
    }

    return REEL_OK;
}


/*
 * A try that lost its lease may go on for a while, and the next one may
 * have resumed behind its objects: so what the standing answer names stays.
 * What was made by an earlier job is not this try's to delete: the index may
 * name it.
 */
void
reel_answer_withdraw(reel_attempt_t *a, const reel_answer_t *standing)
{
    withdraw_t     w = { a->w->store, a->asset, standing, REEL_OK };
    reel_answer_t  made = a->answer;

    if (a->reused) {
        return;
    }

    made.nobjects = a->published - a->kept;
    if (made.nobjects > 0) {
        made.objects += a->kept;
    }

    (void) !reel_answer_each(&made, withdraw, &w);

    if (w.err != REEL_OK) {
        reel_log_task(REEL_LOG_WARN, a->job, a->task,
                      "an unused object was left to the sweep: %s",
                      reel_err_name(w.err));
    }
}


static reel_err_t
print_answer(reel_attempt_t *a, const char *suffix, reel_key_t key,
    reel_buf_t *b)
{
    char        name[REEL_TASK_NAME + 16];
    reel_err_t  err;

    snprintf(name, sizeof(name), "%s%s", a->task, suffix);
    memcpy(a->answer.digest, a->digest, sizeof(a->answer.digest));

    err = reel_key_scratch(key, reel_str(a->job), name);
    reel_buf_init(b, REEL_ANSWER_MAX);
    if (err == REEL_OK) {
        err = reel_answer_print(b, &a->answer);
    }

    return err;
}


reel_err_t
reel_answer_put(reel_attempt_t *a)
{
    bool           counts = false;
    reel_key_t     key;
    reel_buf_t     b;
    reel_err_t     err;
    reel_answer_t  standing;

    err = print_answer(a, ".json", key, &b);
    if (err == REEL_OK) {
        err = reel_store_put_if_absent(a->w->store, key, b.data, b.len);
        counts = err == REEL_OK;
    }

    if (err == REEL_EXISTS) {
        err = read_standing(a, &standing);

        if (err == REEL_OK) {
            reel_log_task(REEL_LOG_INFO, a->job, a->task,
                          "another attempt was first; its answer counts");
            reel_answer_withdraw(a, &standing);
            reel_answer_release(&standing);

        } else if (err == REEL_NOTFOUND || err == REEL_BADDATA
                   || err == REEL_LIMIT)
        {
            /* of another payload, broken, or its objects are gone */
            err = reel_store_replace(a->w->store, key, b.data, b.len);
            counts = err == REEL_OK;
        }
    }

    if (counts) {
        reel_reuse_keep(a, &b);
    }
    reel_buf_release(&b);

    if (err != REEL_OK) {
        return reel_attempt_store_fail(a, err, "the answer cannot be put");
    }

    return REEL_OK;
}


reel_err_t
reel_answer_end(reel_attempt_t *a, reel_err_t err)
{
    if (err == REEL_OK) {
        err = reel_answer_put(a);
    }

    if (err != REEL_OK) {
        reel_answer_withdraw(a, NULL);
    }

    return err;
}


reel_err_t
reel_answer_put_part(reel_attempt_t *a)
{
    reel_key_t  key;
    reel_buf_t  b;
    reel_err_t  err;

    err = print_answer(a, ".part.json", key, &b);
    if (err == REEL_OK) {
        err = reel_store_replace(a->w->store, key, b.data, b.len);
    }

    reel_buf_release(&b);

    if (err != REEL_OK) {
        return reel_attempt_store_fail(a, err,
                                       "the answer so far cannot be put");
    }

    return REEL_OK;
}


reel_err_t
reel_answer_add(reel_answer_t *a, reel_encoded_t *o)
{
    reel_encoded_t  *p;

    p = realloc(a->objects, (a->nobjects + 1) * sizeof(*p));
    if (p == NULL) {
        return REEL_NOMEM;
    }

    p[a->nobjects] = *o;
    a->objects = p;
    a->nobjects++;
    *o = (reel_encoded_t) { 0 };

    return REEL_OK;
}


reel_err_t
reel_answer_parse_object(reel_attempt_t *a, const json_t *value,
    reel_encoded_t *o)
{
    char          *text = json_dumps(value, JSON_COMPACT);
    uint64_t       bytes, samples = 0;
    reel_err_t     err;
    reel_error_t   e = { "" };

    *o = (reel_encoded_t) { 0 };

    if (text == NULL) {
        return reel_attempt_fail(a, REEL_NOMEM, "NO_MEMORY", "answer",
                                 "an object's line");
    }

    err = reel_encoded_parse(o, text, strlen(text), &e);
    free(text);

    if (err != REEL_OK) {
        return reel_attempt_fail(a, err, "INTERNAL", "answer",
                                 "the child's answer is not right: %s",
                                 e.text);
    }

    bytes = o->base;
    for (uint32_t k = 0; k < o->nfrags; k++) {
        bytes += o->frags[k].size;
        samples += o->frags[k].samples;
    }

    if (bytes != o->bytes || samples != o->samples) {
        reel_encoded_release(o);
        return reel_attempt_fail(a, REEL_BADDATA, "INTERNAL", "answer",
                                 "the fragments of %s do not sum up",
                                 a->task);
    }

    return REEL_OK;
}
