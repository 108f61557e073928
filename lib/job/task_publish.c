/* the payload of publish */

#include "lib/job/part.h"


static void
print_files(reel_json_t *j, const reel_publish_t *t)
{
    uint32_t i;

    reel_json_key(j, "files");
    reel_json_array(j);

    for (i = 0; i < t->nfiles; i++) {
        reel_json_object(j);
        reel_json_kstr(j, "node", t->files[i].node);
        reel_json_kuint(j, "count", t->files[i].count);
        reel_json_end(j, '}');
    }

    reel_json_end(j, ']');
}


static void
parse_files(reel_publish_t *t, reel_fields_t *f)
{
    size_t                 i;
    json_t                *a;
    reel_fields_t          in;
    reel_publish_files_t  *x;

    a = reel_fields_array(f, "files", REEL_PIPELINE_NODES);

    for (i = 0; i < json_array_size(a) && f->err == REEL_OK; i++) {
        in = reel_fields_element(f, json_array_get(a, i), "files");
        x = &t->files[t->nfiles++];
        reel_fields_text(&in, "node", x->node, sizeof(x->node), 1);
        x->count = reel_fields_u32(&in, "count", 0,
                                   REEL_INDEX_MAX_FRAGMENTS);
        reel_fields_join(f, &in);
    }
}


reel_err_t
reel_publish_print(reel_buf_t *b, const reel_publish_t *t)
{
    size_t      before = b->len;
    reel_json_t j;

    reel_json_init(&j, b);
    reel_json_object(&j);
    reel_part_grid_print(&j, &t->grid);
    reel_json_kbool(&j, "growing", t->growing);
    reel_json_kuint(&j, "frag_to", t->frag_to);
    reel_json_kuint(&j, "chunks", t->chunks);
    reel_json_kuint(&j, "first_groups", t->first_groups);
    reel_json_kuint(&j, "groups", t->groups);
    reel_json_kuint(&j, "audios", t->audios);
    reel_json_kuint(&j, "audio_tracks", t->audio_tracks);
    reel_json_kbool(&j, "poster", t->poster);
    reel_json_kbool(&j, "storyboard", t->storyboard);
    reel_json_kuint(&j, "texts", t->texts);

    if (t->nfiles > 0) {
        print_files(&j, t);
    }

    reel_json_kuint(&j, "frames", t->frames);
    if (t->copied[0] != '\0') {
        reel_json_kstr(&j, "copied", t->copied);
        reel_json_kuint(&j, "copied_frames", t->copied_frames);
    }
    if (t->pictures[0] != '\0') {
        reel_json_kstr(&j, "pictures", t->pictures);
    }
    if (t->sound[0] != '\0') {
        reel_json_kstr(&j, "sound", t->sound);
    }
    reel_json_end(&j, '}');

    return reel_part_payload(b, before);
}


/* does it fit together? */
static void
check(const reel_publish_t *t, reel_fields_t *f)
{
    if (f->err == REEL_OK
        && (t->frag_to > t->grid.fragments
            || (!t->growing && t->frag_to != t->grid.fragments)))
    {
        reel_fields_fail(f, REEL_BADDATA, "frag_to",
                         "does not fit the grid");
    }

    if (f->err == REEL_OK
        && ((t->chunks == 0) != (t->first_groups == 0)
            || (t->chunks > 1 && t->groups == 0)
            || (t->chunks == 0 && t->audios == 0)
            || (t->audios == 0) != (t->audio_tracks == 0)))
    {
        reel_fields_fail(f, REEL_BADDATA, "chunks",
                         "does not fit its groups");
    }
}


reel_err_t
reel_publish_parse(reel_publish_t *t, const char *json, size_t len,
    reel_error_t *e)
{
    reel_err_t    err;
    reel_fields_t f;

    *t = (reel_publish_t) { 0 };

    err = reel_fields_load(&f, json, len, REEL_PAYLOAD_MAX, "publish", e);
    if (err != REEL_OK) {
        return err;
    }

    reel_part_grid_parse(&t->grid, &f);
    t->growing = reel_fields_bool(&f, "growing");
    t->frag_to = reel_fields_u32(&f, "frag_to", 1, REEL_INDEX_MAX_FRAGMENTS);
    t->chunks = reel_fields_u32(&f, "chunks", 0, REEL_INDEX_MAX_FRAGMENTS);
    t->first_groups = reel_fields_u32(&f, "first_groups", 0, REEL_TASK_RUNGS);
    t->groups = reel_fields_u32(&f, "groups", 0, REEL_TASK_RUNGS);
    t->audios = reel_fields_u32(&f, "audios", 0, REEL_INDEX_MAX_FRAGMENTS);
    t->audio_tracks = reel_fields_has(&f, "audio_tracks")
                      ? reel_fields_u32(&f, "audio_tracks", 0,
                                        REEL_TASK_SOUNDS)
                      : t->audios > 0;
    t->poster = reel_fields_bool(&f, "poster");

    /* jobs that were planned before there were such tasks have none */
    t->storyboard = reel_fields_has(&f, "storyboard")
                    && reel_fields_bool(&f, "storyboard");
    t->texts = reel_fields_has(&f, "texts")
               ? reel_fields_u32(&f, "texts", 0, REEL_SOURCE_TEXTS) : 0;

    if (reel_fields_has(&f, "files")) {
        parse_files(t, &f);
    }

    t->frames = reel_fields_uint(&f, "frames", UINT64_MAX);
    if (reel_fields_has(&f, "copied")) {
        reel_fields_get_name(&f, "copied", t->copied);
        t->copied_frames = reel_fields_uint(&f, "copied_frames", UINT64_MAX);
    }
    if (reel_fields_has(&f, "pictures")) {
        reel_fields_text(&f, "pictures", t->pictures, sizeof(t->pictures), 1);
    }
    if (reel_fields_has(&f, "sound")) {
        reel_fields_text(&f, "sound", t->sound, sizeof(t->sound), 1);
    }

    check(t, &f);
    json_decref(f.obj);

    return f.err;
}
