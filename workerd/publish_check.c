#include "workerd/publish_check.h"

#include <string.h>

#include "lib/base/rescale.h"
#include "lib/codec/aac.h"

/* how far sound may end from the pictures */
#define AUDIO_END_MS 25


static bool
same_facts(const reel_encoded_t *a, const reel_encoded_t *b)
{
    return a->kind == b->kind && strcmp(a->codec, b->codec) == 0
           && a->timescale == b->timescale && a->width == b->width
           && a->height == b->height && a->rate.num == b->rate.num
           && a->rate.den == b->rate.den && a->channels == b->channels
           && a->sample_rate == b->sample_rate
           && strcmp(a->language, b->language) == 0
           && strcmp(a->label, b->label) == 0 && a->roles == b->roles;
}


/* the encoder's configuration lies in the header: it must not change */
static bool
same_header(const reel_encoded_t *a, const reel_encoded_t *b)
{
    return a->header_len == b->header_len && a->base == b->base
           && (a->header_len == 0
               || memcmp(a->header, b->header, a->header_len) == 0);
}


static reel_err_t
check_object(const reel_track_t *tr, const reel_encoded_t *o,
    reel_error_t *e)
{
    uint64_t               bytes = o->base, samples = 0;
    const reel_encoded_t  *first = tr->objects[0];

    if (!same_facts(first, o)) {
        return reel_fail(e, REEL_BADDATA, "%s: %s and %s differ in format",
                         tr->name, first->name, o->name);
    }

    if ((o->header_len == 0) != (o->kind == REEL_TEXT) || o->timescale == 0
        || !same_header(first, o))
    {
        return reel_fail(e, REEL_BADDATA,
                         "%s: %s and %s were encoded differently",
                         tr->name, first->name, o->name);
    }

    for (uint32_t k = 0; k < o->nfrags; k++) {
        bytes += o->frags[k].size;
        samples += o->frags[k].samples;
    }

    if (bytes != o->bytes || samples != o->samples) {
        return reel_fail(e, REEL_BADDATA, "%s: %s does not sum up",
                         tr->name, o->name);
    }

    return REEL_OK;
}


reel_err_t
reel_track_check_objects(reel_track_t *tr, const reel_publish_t *t,
    reel_error_t *e)
{
    reel_err_t             err;
    const reel_encoded_t  *o;

    tr->fragments = 0;
    tr->bytes = 0;

    for (size_t i = 0; i < tr->nobjects; i++) {
        o = tr->objects[i];

        if (o->frag_from != tr->fragments || o->nfrags == 0
            || o->nfrags > t->grid.fragments - tr->fragments)
        {
            return reel_fail(e, REEL_BADDATA,
                             "%s: %s has fragments %u+%u where %u of %u "
                             "is next", tr->name, o->name, o->frag_from,
                             o->nfrags, tr->fragments, t->grid.fragments);
        }

        err = check_object(tr, o, e);
        if (err != REEL_OK) {
            return err;
        }

        tr->fragments += o->nfrags;
        tr->bytes += o->bytes;
    }

    if (!t->growing && tr->fragments != t->grid.fragments) {
        return reel_fail(e, REEL_BADDATA, "%s: %u fragments of %u",
                         tr->name, tr->fragments, t->grid.fragments);
    }

    return REEL_OK;
}


/* video starts on the grid, audio with the first access unit at or after */
static bool
on_grid(const reel_encoded_t *o, const reel_grid_t *g, uint32_t k,
    int64_t start)
{
    int64_t  at = (int64_t) k * g->gop_ts;

    if (o->kind == REEL_VIDEO) {
        return o->timescale == g->timescale && start == at;
    }

    if (o->kind == REEL_TEXT) {
        return start == reel_rescale(at, o->timescale, g->timescale,
                                     REEL_ROUND_DOWN);
    }

    at = reel_rescale(at, o->timescale, g->timescale, REEL_ROUND_UP);

    return start >= at && start - at < REEL_AAC_FRAME;
}


static bool
ends_right(const reel_encoded_t *o, const reel_grid_t *g, int64_t end)
{
    int64_t  want, off, may;

    if (o->kind == REEL_VIDEO) {
        return end == g->end_ts;
    }

    want = reel_rescale(g->end_ts, o->timescale, g->timescale,
                        REEL_ROUND_NEAR);
    may = reel_rescale(AUDIO_END_MS, o->timescale, 1000, REEL_ROUND_DOWN);
    may = may > REEL_AAC_FRAME ? may : REEL_AAC_FRAME;
    off = end > want ? end - want : want - end;

    return off <= may;
}


/* a rendition may have each so-manieth picture only, or the source's own */
static uint64_t
pictures_of(const reel_encoded_t *o, const reel_publish_t *t)
{
    uint64_t  every;

    if (strcmp(o->rendition, t->copied) == 0) {
        return t->copied_frames;
    }

    if (t->grid.frame_ts == 0 || o->rate.num == 0) {
        return t->frames;
    }

    every = (uint64_t) reel_rescale(t->grid.timescale, o->rate.den,
                                    (uint64_t) o->rate.num * t->grid.frame_ts,
                                    REEL_ROUND_NEAR);
    every = every == 0 ? 1 : every;

    return (t->frames + every - 1) / every;
}


reel_err_t
reel_track_check_time(const reel_track_t *tr, const reel_publish_t *t,
    uint32_t n, reel_error_t *e)
{
    int64_t                ts = 0;
    uint32_t               k = 0;
    uint64_t               samples = 0;
    const reel_encoded_t  *o = NULL;

    for (size_t i = 0; i < tr->nobjects; i++) {
        o = tr->objects[i];

        for (uint32_t f = 0; f < o->nfrags && k < n; f++, k++) {
            if (!on_grid(o, &t->grid, k, ts)) {
                return reel_fail(e, REEL_BADDATA,
                                 "%s: fragment %u starts at %lld of %u, "
                                 "not on the grid", tr->name, k,
                                 (long long) ts, o->timescale);
            }
            ts += o->frags[f].duration;
            samples += o->frags[f].samples;
        }
    }

    if (o == NULL || n != t->grid.fragments) {
        return REEL_OK;
    }

    if (!ends_right(o, &t->grid, ts)) {
        return reel_fail(e, REEL_BADDATA,
                         "%s ends at %lld of %u, the film at %lld of %u",
                         tr->name, (long long) ts, o->timescale,
                         (long long) t->grid.end_ts, t->grid.timescale);
    }

    if (o->kind == REEL_VIDEO && t->frames != 0
        && samples != pictures_of(o, t))
    {
        return reel_fail(e, REEL_BADDATA, "%s has %llu pictures of %llu",
                         tr->name, (unsigned long long) samples,
                         (unsigned long long) pictures_of(o, t));
    }

    return REEL_OK;
}


reel_err_t
reel_track_check_alone(const reel_encoded_t *o, const reel_grid_t *g,
    reel_error_t *e)
{
    reel_err_t      err;
    reel_track_t    tr = { .objects = &o, .nobjects = 1 };
    reel_publish_t  t = { .grid = *g };

    memcpy(tr.name, o->rendition, sizeof(tr.name));
    err = reel_track_check_objects(&tr, &t, e);

    return err == REEL_OK ? reel_track_check_time(&tr, &t, g->fragments, e)
                          : err;
}
