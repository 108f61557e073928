#include "workerd/publish_index.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/rescale.h"
#include "lib/index/writer.h"
#include "lib/job/record.h"
#include "lib/mp4/cmaf.h"
#include "lib/mp4/profile.h"


/* the number of a header, added when it is new */
static reel_err_t
header_number(reel_index_t *ix, const reel_encoded_t *o, uint32_t *n)
{
    reel_str_t  h = { (const char *) o->header, o->header_len };

    if (o->kind == REEL_TEXT) {
        *n = 0;
        return REEL_OK;
    }

    for (*n = 0; *n < ix->nheaders; (*n)++) {
        if (reel_str_eq(ix->headers[*n], h)) {
            return REEL_OK;
        }
    }

    if (ix->nheaders == REEL_INDEX_MAX_HEADERS) {
        return REEL_LIMIT;
    }

    ix->headers[ix->nheaders++] = h;

    return REEL_OK;
}


/* as its header says: colr, or the codec's configuration */
static reel_video_range_t
range_of(const reel_encoded_t *o)
{
    reel_cmaf_track_t  t;

    if (reel_cmaf_read_header(&t, o->header, o->header_len, NULL) != REEL_OK) {
        return REEL_RANGE_SDR;
    }

    return reel_video_range(t.transfer);
}


static void
fill_head(reel_rendition_t *r, const reel_track_t *tr)
{
    const reel_encoded_t  *o = tr->objects[0];

    *r = (reel_rendition_t) {
        .name = reel_str(tr->name),
        .kind = o->kind,
        .switching_set = reel_track_set(o),
        .codec = reel_str(o->codec),
        .language = reel_str(o->language),
        .label = reel_str(o->label),
        .roles = o->roles,
        .timescale = o->timescale,
        .rate_num = 0,
        .rate_den = 1
    };

    if (o->kind == REEL_VIDEO) {
        r->width = o->width;
        r->height = o->height;
        r->rate_num = o->rate.num;
        r->rate_den = o->rate.den;
        r->video_range = range_of(o);

    } else if (o->kind == REEL_AUDIO) {
        r->channels = o->channels;
        r->sample_rate = o->sample_rate;
    }
}


static reel_err_t
fill_rendition(reel_index_t *ix, reel_ix_rendition_t *r,
    const reel_track_t *tr)
{
    uint32_t               left = ix->fragments;
    reel_err_t             err = REEL_OK;
    reel_ix_object_t      *objects;
    const reel_encoded_t  *o;

    objects = calloc(tr->nobjects, sizeof(*objects));
    if (objects == NULL) {
        return REEL_NOMEM;
    }

    fill_head(&r->head, tr);
    r->objects = objects;

    for (size_t i = 0; err == REEL_OK && i < tr->nobjects && left > 0; i++) {
        o = tr->objects[i];

        objects[i].name = reel_str(o->name);
        objects[i].base = o->base;
        objects[i].fragments = o->frags;
        objects[i].nfragments = o->nfrags < left ? o->nfrags : left;
        left -= objects[i].nfragments;
        r->nobjects++;

        err = header_number(ix, o, &objects[i].header);
    }

    return err;
}


static void
fill_index(reel_index_t *ix, const reel_parts_t *p, const reel_publish_t *t,
    const reel_publish_id_t *id)
{
    ix->growing = t->growing;
    ix->publication = id->publication;
    memcpy(ix->salt, id->salt, sizeof(ix->salt));
    ix->created_ms = id->created_ms;
    ix->timescale = t->grid.timescale;
    ix->gop_ts = t->grid.gop_ts;
    ix->fragments = p->fragments;
    ix->end_ts = p->end_ts;
    ix->constant_rate = t->grid.frame_ts != 0;

    if (p->image != NULL) {
        ix->nimages = 1;
        ix->images[0] = (reel_image_t) {
            .kind = REEL_IMAGE_POSTER,
            .object = reel_str(p->image->image),
            .width = p->image->image_width,
            .height = p->image->image_height,
            .size = p->image->image_bytes
        };
    }
}


/* size_bytes borrow b, which they are printed into one after the other */
static reel_err_t
fill_pictures(reel_index_t *ix, const reel_parts_t *p, reel_buf_t *b)
{
    size_t               from[REEL_STORY_SETS], n, i;
    const reel_story_t  *s;

    n = p->stories == NULL ? 0 : p->stories->nstories;
    n = n > REEL_STORY_SETS ? REEL_STORY_SETS : n;

    for (i = 0; i < n; i++) {
        s = &p->stories->stories[i];
        from[i] = b->len;

        for (uint32_t k = 0; k < s->nsheets; k++) {
            reel_index_put_sheet(b, s->sizes[k]);
        }
    }

    for (i = 0; i < n && reel_buf_err(b) == REEL_OK; i++) {
        s = &p->stories->stories[i];

        ix->pictures[ix->npictures++] = (reel_pictures_t) {
            .object = reel_str(s->object),
            .width = s->width,
            .height = s->height,
            .columns = s->columns,
            .rows = s->rows,
            .interval_ms = s->interval_ms,
            .count = s->count,
            .size_bytes = { (const char *) b->data + from[i],
                            (i + 1 < n ? from[i + 1] : b->len) - from[i] }
        };
    }

    return reel_buf_err(b);
}


reel_err_t
reel_publish_index(reel_buf_t *b, const reel_parts_t *p,
    const reel_publish_t *t, const reel_publish_id_t *id, reel_error_t *e)
{
    reel_err_t            err = REEL_OK;
    reel_index_t         *ix = calloc(1, sizeof(*ix));
    reel_ix_rendition_t  *r = calloc(p->ntracks, sizeof(*r));
    reel_buf_t            sheets;

    reel_buf_init(&sheets, REEL_INDEX_MAX_BYTES);
    reel_buf_init(b, REEL_INDEX_MAX_BYTES);

    if (ix == NULL || r == NULL) {
        err = REEL_NOMEM;
        goto done;
    }

    if (p->ntracks > REEL_INDEX_MAX_RENDITIONS) {
        err = reel_fail(e, REEL_LIMIT, "%zu renditions", p->ntracks);
        goto done;
    }

    fill_index(ix, p, t, id);
    err = fill_pictures(ix, p, &sheets);

    for (size_t i = 0; err == REEL_OK && i < p->ntracks; i++) {
        err = fill_rendition(ix, &r[i], &p->tracks[i]);
    }

    if (err == REEL_OK) {
        err = reel_index_write(b, ix, r, (unsigned) p->ntracks, e);
    }

done:

    for (size_t i = 0; r != NULL && i < p->ntracks; i++) {
        free((void *) r[i].objects);
    }
    free(r);
    free(ix);
    reel_buf_release(&sheets);

    return err;
}


static void
fill_result(reel_result_rendition_t *d, const reel_index_t *ix,
    const reel_rendition_t *r, uint64_t bytes)
{
    reel_bitrate_t  rate;

    rate = reel_index_bitrate(ix, r, REEL_SEGMENT_FRAGMENTS);

    *d = (reel_result_rendition_t) {
        .kind = (int) r->kind,
        .width = r->width,
        .height = r->height,
        .rate_num = r->rate_num,
        .rate_den = r->rate_den,
        .channels = r->channels,
        .sample_rate = r->sample_rate,
        .peak = rate.peak,
        .average = rate.average,
        .bytes = bytes
    };

    snprintf(d->name, sizeof(d->name), "%.*s", (int) r->name.len, r->name.p);
    snprintf(d->codec, sizeof(d->codec), "%.*s", (int) r->codec.len,
             r->codec.p);
}


reel_err_t
reel_publish_result(reel_buf_t *b, const reel_parts_t *p,
    const reel_publish_t *t, const reel_publish_id_t *id,
    const reel_buf_t *index, reel_error_t *e)
{
    reel_err_t      err = REEL_NOMEM;
    reel_index_t   *ix = calloc(1, sizeof(*ix));
    reel_result_t   r = {
        .asset = (char *) id->asset,
        .publication = id->publication,
        .ready = true,
        .completed_ms = id->completed_ms,
        .files = p->files,
        .nfiles = p->nfiles,
        .warnings = p->warnings,
        .pictures = t->pictures[0] != '\0' ? (char *) t->pictures : NULL,
        .sound = t->sound[0] != '\0' ? (char *) t->sound : NULL
    };

    reel_buf_init(b, REEL_RECORD_MAX);
    r.renditions = calloc(p->ntracks, sizeof(*r.renditions));

    if (ix == NULL || r.renditions == NULL) {
        goto done;
    }

    /* what the writer made, the reader must accept: now, not in nginx */
    err = reel_index_parse(ix, index->data, index->len, e);
    if (err != REEL_OK) {
        goto done;
    }

    r.duration_ms = reel_rescale(ix->end_ts, 1000, ix->timescale,
                                 REEL_ROUND_NEAR);
    r.nrenditions = ix->nrenditions;
    for (unsigned i = 0; i < ix->nrenditions; i++) {
        fill_result(&r.renditions[i], ix, &ix->renditions[i],
                    p->tracks[i].bytes);
    }

    err = reel_result_print(b, &r);

done:

    free(r.renditions);
    free(ix);

    return err;
}
