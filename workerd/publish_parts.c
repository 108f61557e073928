#include "workerd/publish_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "workerd/answer.h"
#include "workerd/publish_check.h"


void
reel_parts_release(reel_parts_t *p)
{
    for (size_t i = 0; i < p->nanswers; i++) {
        reel_answer_release(&p->answers[i]);
    }
    for (size_t i = 0; i < p->ntracks; i++) {
        free(p->tracks[i].objects);
    }
    free(p->answers);
    free(p->tracks);
    free(p->files);
    *p = (reel_parts_t) { 0 };
}


static reel_err_t
read_one(reel_parts_t *p, reel_store_t *s, const char *asset,
    const char *job, const char *name, reel_error_t *e)
{
    reel_err_t     err;
    reel_error_t   why = { "" };
    reel_answer_t *a = &p->answers[p->nanswers];

    err = reel_answer_read(s, job, name, a, &why);

    if (err == REEL_OK) {
        err = reel_answer_stands(s, asset, a);
        if (err == REEL_NOTFOUND) {
            reel_answer_release(a);
            return reel_fail(e, REEL_BADDATA,
                             "%s: an object is missing or has another size",
                             name);
        }
        if (err != REEL_OK) {
            reel_answer_release(a);
        }
    }

    if (err == REEL_OK) {
        p->nanswers++;
        return REEL_OK;
    }

    if (err == REEL_BADDATA) {
        return reel_fail(e, REEL_BADDATA, "%s: %s", name, why.text);
    }

    return reel_fail(e, err, "%s: %s", name, reel_err_name(err));
}


/* an answer that is not there: an error, unless the asset still grows */
static reel_err_t
read_maybe(reel_parts_t *p, reel_store_t *s, const char *asset,
    const char *job, const char *task, bool growing, reel_error_t *e)
{
    char        name[REEL_TASK_NAME + 8];
    reel_err_t  err;

    snprintf(name, sizeof(name), "%s.json", task);
    err = read_one(p, s, asset, job, name, e);

    if (err == REEL_NOTFOUND) {
        return growing ? REEL_NOTFOUND
                       : reel_fail(e, REEL_BADDATA, "%s is missing", name);
    }

    return err;
}


/* of the answer that was read last */
static void
add_warnings(reel_parts_t *p)
{
    reel_warnings_merge(&p->warnings, &p->answers[p->nanswers - 1].warnings);
}


/*
 * While the asset grows only chunk 0 and the first stretch of sound count;
 * what of them does not stand yet is left out.
 */
static reel_err_t
read_video(reel_parts_t *p, reel_store_t *s, const char *asset,
    const char *job, const reel_publish_t *t, reel_error_t *e)
{
    char        name[REEL_TASK_NAME];
    uint32_t    chunks = t->growing && t->chunks > 1 ? 1 : t->chunks;
    reel_err_t  err;

    for (uint32_t c = 0; c < chunks; c++) {
        uint32_t  groups = c == 0 ? t->first_groups : t->groups;

        for (uint32_t g = 0; g < groups; g++) {
            reel_task_name_video(name, c, g);
            err = read_maybe(p, s, asset, job, name, t->growing, e);
            if (err != REEL_OK && err != REEL_NOTFOUND) {
                return err;
            }

            /* all groups of a chunk decode the same: one speaks for them */
            if (err == REEL_OK && g == 0) {
                add_warnings(p);
            }
        }
    }

    return REEL_OK;
}


/* with its warnings */
static reel_err_t
read_told(reel_parts_t *p, reel_store_t *s, const char *asset,
    const char *job, const char *name, bool growing, reel_error_t *e)
{
    reel_err_t  err = read_maybe(p, s, asset, job, name, growing, e);

    if (err == REEL_OK) {
        add_warnings(p);
    }

    return err;
}


static reel_err_t
read_audio(reel_parts_t *p, reel_store_t *s, const char *asset,
    const char *job, const reel_publish_t *t, reel_error_t *e)
{
    char        name[REEL_TASK_NAME];
    uint32_t    n = t->growing && t->audios > 1 ? 1 : t->audios;
    reel_err_t  err;

    for (uint32_t i = 0; i < n * t->audio_tracks; i++) {
        reel_task_name_audio(name, i % n, i / n);
        err = read_told(p, s, asset, job, name, t->growing, e);
        if (err != REEL_OK && err != REEL_NOTFOUND) {
            return err;
        }
    }

    return REEL_OK;
}


static reel_err_t
read_texts(reel_parts_t *p, reel_store_t *s, const char *asset,
    const char *job, const reel_publish_t *t, reel_error_t *e)
{
    char        name[REEL_TASK_NAME];
    reel_err_t  err;

    for (uint32_t i = 0; i < t->texts; i++) {
        reel_task_name_text(name, i);
        err = read_told(p, s, asset, job, name, t->growing, e);
        if (err != REEL_OK && err != REEL_NOTFOUND) {
            return err;
        }
    }

    return REEL_OK;
}


static reel_err_t
read_images(reel_parts_t *p, reel_store_t *s, const char *asset,
    const char *job, const char *name, bool growing,
    const reel_answer_t **answer, reel_error_t *e)
{
    reel_err_t  err = read_told(p, s, asset, job, name, growing, e);

    if (err == REEL_OK) {
        *answer = &p->answers[p->nanswers - 1];
    }

    return err == REEL_NOTFOUND ? REEL_OK : err;
}


/* of one task of a program; those that are not kept go with the job */
static reel_err_t
add_files(reel_parts_t *p, const char *task, const reel_answer_t *a,
    reel_error_t *e)
{
    void                *v;
    reel_result_file_t  *f;

    for (size_t i = 0; i < a->nfiles; i++) {
        if (!a->files[i].keep) {
            continue;
        }

        if (p->nfiles == REEL_RESULT_FILES) {
            return reel_fail(e, REEL_LIMIT, "more than %d files of programs",
                             REEL_RESULT_FILES);
        }

        v = realloc(p->files, (p->nfiles + 1) * sizeof(*p->files));
        if (v == NULL) {
            return REEL_NOMEM;
        }
        p->files = v;

        f = &p->files[p->nfiles++];
        *f = (reel_result_file_t) { .bytes = a->files[i].bytes };
        snprintf(f->task, sizeof(f->task), "%s", task);
        snprintf(f->name, sizeof(f->name), "%s", a->files[i].name);
        snprintf(f->object, sizeof(f->object), "%s", a->files[i].object);
    }

    return REEL_OK;
}


static reel_err_t
read_files(reel_parts_t *p, reel_store_t *s, const char *asset,
    const char *job, const reel_publish_files_t *x, reel_error_t *e)
{
    char        name[REEL_TASK_NAME];
    uint32_t    i = 0;
    reel_err_t  err;

    do {
        reel_task_name_exec(name, x->node, x->count > 0, i);
        err = read_maybe(p, s, asset, job, name, false, e);
        if (err == REEL_OK) {
            add_warnings(p);
            err = add_files(p, name, &p->answers[p->nanswers - 1], e);
        }
    } while (err == REEL_OK && ++i < x->count);

    return err;
}


/* what was seen before the plan; it stands as long as the job does */
static reel_err_t
read_source(reel_parts_t *p, reel_store_t *s, const char *job)
{
    reel_key_t     key;
    reel_buf_t     b = { 0 };
    reel_err_t     err;
    reel_source_t  src = { 0 };

    err = reel_key_scratch(key, reel_str(job), "inspect.json");
    if (err == REEL_OK) {
        err = reel_store_get(s, key, REEL_ANSWER_MAX, &b);
    }
    if (err == REEL_OK) {
        err = reel_source_parse(&src, reel_buf_cstr(&b), b.len, NULL);
    }
    if (err == REEL_OK) {
        reel_warnings_merge(&p->warnings, &src.warnings);
    }

    reel_source_release(&src);
    reel_buf_release(&b);

    /* the film itself is there */
    return err == REEL_NOMEM ? err : REEL_OK;
}


static reel_err_t
read_all(reel_parts_t *p, reel_store_t *s, const char *asset,
    const char *job, const reel_publish_t *t, reel_error_t *e)
{
    reel_err_t  err;

    err = t->growing ? REEL_OK : read_source(p, s, job);
    if (err == REEL_OK) {
        err = read_video(p, s, asset, job, t, e);
    }
    if (err == REEL_OK) {
        err = read_audio(p, s, asset, job, t, e);
    }

    if (err == REEL_OK) {
        err = read_texts(p, s, asset, job, t, e);
    }
    if (err == REEL_OK && t->poster) {
        err = read_images(p, s, asset, job, "poster", t->growing,
                          &p->image, e);
    }
    if (err == REEL_OK && t->storyboard) {
        err = read_images(p, s, asset, job, "storyboard", t->growing,
                          &p->stories, e);
    }

    for (uint32_t i = 0; err == REEL_OK && i < t->nfiles; i++) {
        err = read_files(p, s, asset, job, &t->files[i], e);
    }

    return err;
}


reel_err_t
reel_parts_read(reel_parts_t *p, reel_store_t *s, const char *asset,
    const char *job, const reel_publish_t *t, reel_error_t *e)
{
    size_t      max;
    reel_err_t  err;

    *p = (reel_parts_t) { 0 };

    if (t->chunks > REEL_INDEX_MAX_FRAGMENTS || t->groups > REEL_TASK_RUNGS
        || t->first_groups > REEL_TASK_RUNGS
        || t->audios > REEL_INDEX_MAX_FRAGMENTS
        || t->audio_tracks > REEL_TASK_SOUNDS)
    {
        return reel_fail(e, REEL_LIMIT, "%u chunks, %u stretches of sound",
                         t->chunks, t->audios);
    }

    max = (size_t) t->chunks * t->groups + t->first_groups + t->texts
          + (size_t) t->audios * t->audio_tracks + 2;
    for (uint32_t i = 0; i < t->nfiles; i++) {
        max += t->files[i].count > 0 ? t->files[i].count : 1;
    }

    p->answers = calloc(max, sizeof(*p->answers));
    if (p->answers == NULL) {
        return REEL_NOMEM;
    }

    err = read_all(p, s, asset, job, t, e);
    if (err == REEL_OK) {
        err = reel_parts_join(p, t, e);
    }

    if (err != REEL_OK) {
        reel_parts_release(p);
    }

    return err;
}


static reel_err_t
add_object(reel_parts_t *p, const reel_encoded_t *o)
{
    size_t                  i;
    reel_track_t           *t;
    const reel_encoded_t  **objects;

    for (i = 0; i < p->ntracks; i++) {
        if (strcmp(p->tracks[i].name, o->rendition) == 0) {
            break;
        }
    }

    if (i == p->ntracks) {
        t = realloc(p->tracks, (p->ntracks + 1) * sizeof(*t));
        if (t == NULL) {
            return REEL_NOMEM;
        }
        p->tracks = t;
        t[p->ntracks++] = (reel_track_t) { 0 };
        memcpy(t[i].name, o->rendition, sizeof(t[i].name));
    }

    t = &p->tracks[i];
    objects = realloc(t->objects, (t->nobjects + 1) * sizeof(*objects));
    if (objects == NULL) {
        return REEL_NOMEM;
    }
    t->objects = objects;
    t->objects[t->nobjects++] = o;

    return REEL_OK;
}


static int
by_fragment(const void *x, const void *y)
{
    const reel_encoded_t  *a = *(const reel_encoded_t *const *) x;
    const reel_encoded_t  *b = *(const reel_encoded_t *const *) y;

    return a->frag_from < b->frag_from ? -1 : a->frag_from > b->frag_from;
}


/*
 * Players switch between renditions of one codec only.  H.264 is the first:
 * whoever shows one set alone shows that.
 */
uint8_t
reel_track_set(const reel_encoded_t *o)
{
    size_t  i;

    static const char *const others[] = { "hvc1", "av01" };

    for (i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        if (strncmp(o->codec, others[i], 4) == 0) {
            return (uint8_t) (i + 2);
        }
    }

    return 1;
}


static int
by_size(const void *x, const void *y)
{
    const reel_encoded_t  *a = ((const reel_track_t *) x)->objects[0];
    const reel_encoded_t  *b = ((const reel_track_t *) y)->objects[0];
    uint64_t               sa, sb;

    if (a->kind != b->kind) {
        return a->kind < b->kind ? -1 : 1;
    }

    if (reel_track_set(a) != reel_track_set(b)) {
        return reel_track_set(a) < reel_track_set(b) ? -1 : 1;
    }

    /* what every player can play comes first */
    if (a->channels != b->channels) {
        return a->channels < b->channels ? -1 : 1;
    }

    sa = (uint64_t) a->width * a->height;
    sb = (uint64_t) b->width * b->height;
    if (sa != sb) {
        return sa > sb ? -1 : 1;
    }

    return strcmp(a->rendition, b->rendition);
}


/* a track too short for what is shown so far is not shown yet */
static void
drop_short(reel_parts_t *p, uint32_t fragments)
{
    size_t  kept = 0;

    for (size_t i = 0; i < p->ntracks; i++) {
        if (p->tracks[i].fragments < fragments) {
            free(p->tracks[i].objects);
        } else {
            p->tracks[kept++] = p->tracks[i];
        }
    }

    p->ntracks = kept;
}


static reel_err_t
set_extent(reel_parts_t *p, const reel_publish_t *t, reel_error_t *e)
{
    bool  video = false, audio = false;

    if (t->frag_to == 0 || t->frag_to > t->grid.fragments
        || (!t->growing && t->frag_to != t->grid.fragments))
    {
        return reel_fail(e, REEL_BADDATA, "publish %u fragments of %u?",
                         t->frag_to, t->grid.fragments);
    }

    if (t->growing) {
        drop_short(p, t->frag_to);
    }

    for (size_t i = 0; i < p->ntracks; i++) {
        video |= p->tracks[i].objects[0]->kind == REEL_VIDEO;
        audio |= p->tracks[i].objects[0]->kind == REEL_AUDIO;
    }

    if ((t->chunks > 0 && !video) || (t->audios > 0 && !audio)
        || p->ntracks == 0)
    {
        return t->growing ? REEL_NOTFOUND
               : reel_fail(e, REEL_BADDATA, "a kind of track is missing");
    }

    p->fragments = t->frag_to;
    p->end_ts = reel_grid_tick(&t->grid, t->frag_to);

    return REEL_OK;
}


reel_err_t
reel_parts_join(reel_parts_t *p, const reel_publish_t *t, reel_error_t *e)
{
    reel_err_t            err = REEL_OK;
    reel_track_t         *track;
    const reel_answer_t  *a;

    for (size_t i = 0; err == REEL_OK && i < p->nanswers; i++) {
        a = &p->answers[i];
        for (size_t k = 0; err == REEL_OK && k < a->nobjects; k++) {
            err = add_object(p, &a->objects[k]);
        }
    }

    for (size_t i = 0; err == REEL_OK && i < p->ntracks; i++) {
        track = &p->tracks[i];
        qsort(track->objects, track->nobjects, sizeof(track->objects[0]),
              by_fragment);
        err = reel_track_check_objects(track, t, e);
    }

    if (err != REEL_OK) {
        return err;
    }

    err = set_extent(p, t, e);
    if (err != REEL_OK) {
        return err;
    }

    qsort(p->tracks, p->ntracks, sizeof(p->tracks[0]), by_size);

    for (size_t i = 0; err == REEL_OK && i < p->ntracks; i++) {
        err = reel_track_check_time(&p->tracks[i], t, p->fragments, e);
    }

    return err;
}
