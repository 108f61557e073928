#include "lib/base/crc32c.h"
#include "lib/base/reader.h"
#include "lib/index/check.h"
#include "lib/index/format.h"
#include "lib/index/index.h"


typedef struct {
    uint32_t   n;
    reel_str_t bytes;
} list_t;

typedef struct {
    reel_index_t  *ix;
    reel_error_t  *e;
    bool           walk;        /* check CRC and packed parts too */
    const uint8_t *start;
    unsigned       last;        /* type of the known section before */
    list_t         lists[REEL_INDEX_MAX_LISTS];
    unsigned       nlists;
} state_t;

typedef struct {
    const char *name;
    reel_err_t (*read)(state_t *st, reel_reader_t *r);
} section_t;


static reel_err_t read_grid(state_t *st, reel_reader_t *r);
static reel_err_t read_header(state_t *st, reel_reader_t *r);
static reel_err_t read_objects(state_t *st, reel_reader_t *r);
static reel_err_t read_rendition(state_t *st, reel_reader_t *r);
static reel_err_t read_image(state_t *st, reel_reader_t *r);
static reel_err_t read_pictures(state_t *st, reel_reader_t *r);
static reel_err_t read_samples(state_t *st, reel_reader_t *r);


/* by type */
static const section_t  sections[] = {
    { NULL, NULL },
    { "GRID", read_grid },
    { "HEADER", read_header },
    { "OBJECTS", read_objects },
    { "RENDITION", read_rendition },
    { "IMAGE", read_image },
    { "PICTURES", read_pictures },
    { "SAMPLES", read_samples }
};

#define NSECTIONS (sizeof(sections) / sizeof(sections[0]))


/* a varint that must lie in [min, max] */
static uint64_t
read_between(reel_reader_t *r, uint64_t min, uint64_t max)
{
    uint64_t  v = reel_read_varint_max(r, max);

    if (v < min) {
        r->err = REEL_BADDATA;
    }

    return v;
}


static reel_str_t
read_packed(reel_reader_t *r)
{
    return reel_read_string(r, REEL_INDEX_MAX_BYTES);
}


static reel_err_t
read_grid(state_t *st, reel_reader_t *r)
{
    reel_index_t  *ix = st->ix;

    ix->timescale = (uint32_t) read_between(r, 1, UINT32_MAX);
    ix->gop_ts = (uint32_t) read_between(r, 1, UINT32_MAX);
    ix->fragments = (uint32_t) read_between(r, 0, REEL_INDEX_MAX_FRAGMENTS);
    ix->end_ts = (int64_t) read_between(r, 0, REEL_IX_TS_MAX);
    ix->constant_rate = reel_read_varint(r) & 1;

    return r->err;
}


static reel_err_t
read_header(state_t *st, reel_reader_t *r)
{
    reel_index_t  *ix = st->ix;

    if (ix->nheaders == REEL_INDEX_MAX_HEADERS
        || reel_reader_left(r) > REEL_IX_HEADER_MAX)
    {
        return REEL_BADDATA;
    }

    ix->headers[ix->nheaders++] = reel_read_bytes(r, reel_reader_left(r));

    return r->err;
}


/* the list ends where its n objects end, which only a walk tells */
static reel_err_t
read_objects(state_t *st, reel_reader_t *r)
{
    list_t  *l;

    if (st->nlists == REEL_INDEX_MAX_LISTS) {
        return REEL_BADDATA;
    }

    l = &st->lists[st->nlists++];
    l->n = (uint32_t) reel_read_varint_max(r, REEL_INDEX_MAX_OBJECTS);
    l->bytes = reel_read_bytes(r, reel_reader_left(r));

    if (r->err != REEL_OK || !st->walk) {
        return r->err;
    }

    return reel_ix_check_objects(l->bytes, l->n, st->ix->fragments);
}


static void
read_facts(reel_rendition_t *q, reel_reader_t *r)
{
    bool  video, audio;

    q->name = reel_read_string(r, REEL_IX_NAME_MAX);
    q->kind = (reel_kind_t) read_between(r, REEL_VIDEO, REEL_TEXT);
    q->switching_set = (uint8_t) read_between(r, 0, UINT8_MAX);
    q->codec = reel_read_string(r, REEL_IX_CODEC_MAX);
    q->language = reel_read_string(r, REEL_IX_LANGUAGE_MAX);
    q->label = reel_read_string(r, REEL_IX_LABEL_MAX);
    q->timescale = (uint32_t) read_between(r, 1, UINT32_MAX);

    video = q->kind == REEL_VIDEO;
    audio = q->kind == REEL_AUDIO;

    q->width = (uint32_t) read_between(r, video, video ? UINT16_MAX : 0);
    q->height = (uint32_t) read_between(r, video, video ? UINT16_MAX : 0);
    q->rate_num = (uint32_t) read_between(r, video, video ? UINT32_MAX : 0);
    q->rate_den = (uint32_t) read_between(r, 1, video ? UINT32_MAX : 1);
    q->channels = (uint32_t) read_between(r, audio, audio ? UINT16_MAX : 0);
    q->sample_rate = (uint32_t) read_between(r, audio,
                                             audio ? UINT32_MAX : 0);
}


/* what the section had not from the start; a later range is not ours */
static void
read_uses(reel_rendition_t *q, reel_reader_t *r)
{
    uint64_t  range = REEL_RANGE_SDR, roles = 0;

    if (reel_reader_left(r) != 0) {
        range = reel_read_varint(r);
        roles = reel_read_varint(r);
    }

    q->video_range = range <= REEL_RANGE_PQ ? (reel_video_range_t) range
                                            : REEL_RANGE_SDR;
    q->roles = (uint32_t) roles & REEL_ROLES;
}


static reel_err_t
read_rendition(state_t *st, reel_reader_t *r)
{
    uint64_t           list;
    reel_index_t      *ix = st->ix;
    reel_rendition_t  *q;

    if (ix->nrenditions == REEL_INDEX_MAX_RENDITIONS || st->nlists == 0) {
        return REEL_BADDATA;
    }

    q = &ix->renditions[ix->nrenditions];

    read_facts(q, r);

    list = reel_read_varint_max(r, st->nlists - 1);
    q->objects = st->lists[list].n;
    q->object_bytes = st->lists[list].bytes;
    q->header_bytes = read_packed(r);
    q->base_bytes = read_packed(r);
    q->size_bytes = read_packed(r);
    q->duration_bytes = read_packed(r);
    q->sample_bytes = read_packed(r);
    q->iframe_bytes = q->kind == REEL_VIDEO ? read_packed(r)
                                            : (reel_str_t) { NULL, 0 };
    read_uses(q, r);

    if (r->err != REEL_OK) {
        return r->err;
    }

    if (st->walk) {
        if (reel_index_find(ix, q->name) != NULL) {
            return reel_fail(st->e, REEL_BADDATA,
                             "RENDITION: two are named \"%.*s\"",
                             (int) q->name.len, q->name.p);
        }

        if (reel_ix_check_rendition(ix, q, st->e) != REEL_OK) {
            return REEL_BADDATA;
        }
    }

    ix->nrenditions++;

    return REEL_OK;
}


static reel_err_t
read_image(state_t *st, reel_reader_t *r)
{
    uint64_t       kind;
    reel_image_t  *im;

    if (st->ix->nimages == REEL_INDEX_MAX_IMAGES) {
        return REEL_BADDATA;
    }

    im = &st->ix->images[st->ix->nimages];

    kind = reel_read_varint(r);
    im->kind = REEL_IMAGE_POSTER;
    im->object = reel_read_string(r, REEL_INDEX_OBJECT_NAME);
    im->width = (uint32_t) read_between(r, 1, UINT16_MAX);
    im->height = (uint32_t) read_between(r, 1, UINT16_MAX);
    im->size = (uint32_t) read_between(r, 0, UINT32_MAX);

    if (r->err != REEL_OK || !reel_ix_object_name_valid(im->object)) {
        return REEL_BADDATA;
    }

    /* a kind of a later version: its image is not for us */
    st->ix->nimages += kind == REEL_IMAGE_POSTER;

    return REEL_OK;
}


static reel_err_t
read_pictures(state_t *st, reel_reader_t *r)
{
    uint32_t          a_sheet;
    reel_pictures_t  *q;

    if (st->ix->npictures == REEL_INDEX_MAX_PICTURES) {
        return REEL_BADDATA;
    }

    q = &st->ix->pictures[st->ix->npictures];

    q->object = reel_read_string(r, REEL_INDEX_OBJECT_NAME);
    q->width = (uint32_t) read_between(r, 1, UINT16_MAX);
    q->height = (uint32_t) read_between(r, 1, UINT16_MAX);
    q->columns = (uint32_t) read_between(r, 1, REEL_IX_TILES_MAX);
    q->rows = (uint32_t) read_between(r, 1, REEL_IX_TILES_MAX);
    q->interval_ms = (uint32_t) read_between(r, 1, REEL_IX_INTERVAL_MAX);
    q->count = (uint32_t) read_between(r, 1, REEL_IX_COUNT_MAX);
    q->size_bytes = read_packed(r);

    if (r->err != REEL_OK || !reel_ix_object_name_valid(q->object)) {
        return REEL_BADDATA;
    }

    a_sheet = q->columns * q->rows;
    q->sheets = q->count / a_sheet + (q->count % a_sheet != 0);

    if (st->walk && !reel_ix_check_sheets(q)) {
        return REEL_BADDATA;
    }

    st->ix->npictures++;

    return REEL_OK;
}


static reel_err_t
read_samples(state_t *st, reel_reader_t *r)
{
    reel_samples_t  *q;

    if (st->ix->nsamples == st->ix->nrenditions) {
        return REEL_BADDATA;
    }

    q = &st->ix->samples[st->ix->nsamples++];

    q->unit = (uint32_t) read_between(r, 1, UINT32_MAX);
    q->offsets = reel_read_varint(r) & REEL_IX_OFFSETS;
    /* a text has no samples: its WebVTT stands there */
    q->anchors = st->ix->renditions[st->ix->nsamples - 1].kind == REEL_TEXT
                 ? 0 : st->ix->fragments;
    q->anchor_bytes = read_packed(r);
    q->sample_bytes = read_packed(r);

    if (r->err != REEL_OK
        || q->anchor_bytes.len != (size_t) q->anchors * REEL_SAMPLES_ANCHOR)
    {
        return REEL_BADDATA;
    }

    return REEL_OK;
}


static reel_err_t
read_section(state_t *st, uint64_t type, reel_reader_t *body)
{
    size_t      at = (size_t) (body->p - st->start);
    reel_err_t  err;

    if (type == 0 || type >= NSECTIONS) {
        return REEL_OK;
    }

    if (type < st->last || (type != REEL_IX_GRID && st->last == 0)
        || (type == REEL_IX_GRID && st->last != 0))
    {
        return reel_fail(st->e, REEL_BADDATA, "%s at %zu: out of order",
                         sections[type].name, at);
    }

    st->last = (unsigned) type;

    err = sections[type].read(st, body);

    if (err != REEL_OK && (st->e == NULL || st->e->text[0] == '\0')) {
        return reel_fail(st->e, err, "%s at %zu: a field near byte %zu is "
                         "cut short or out of bounds", sections[type].name,
                         at, (size_t) (body->p - st->start));
    }

    return err;
}


static reel_err_t
read_sections(state_t *st, reel_reader_t *r)
{
    size_t         at;
    uint64_t       type, length;
    reel_err_t     err;
    reel_reader_t  body;

    while (reel_reader_left(r) != 0) {
        at = (size_t) (r->p - st->start);
        type = reel_read_varint(r);
        length = reel_read_varint(r);

        if (r->err != REEL_OK || length > reel_reader_left(r)) {
            return reel_fail(st->e, REEL_BADDATA,
                             "section at %zu: longer than the file", at);
        }

        body = reel_read_sub(r, length);

        err = read_section(st, type, &body);
        if (err != REEL_OK) {
            return err;
        }
    }

    if (st->last == 0) {
        return reel_fail(st->e, REEL_BADDATA, "no GRID");
    }

    if (st->ix->nsamples != 0 && st->ix->nsamples != st->ix->nrenditions) {
        return reel_fail(st->e, REEL_BADDATA, "SAMPLES: not one for each "
                         "rendition");
    }

    return REEL_OK;
}


/* magic, version and what has a fixed place */
static reel_err_t
read_head(state_t *st, reel_reader_t *r)
{
    unsigned       readable;
    uint64_t       created;
    reel_str_t     magic, salt;
    reel_index_t  *ix = st->ix;

    magic = reel_read_bytes(r, REEL_IX_MAGIC_LEN);

    if (memcmp(magic.p, REEL_IX_MAGIC, REEL_IX_MAGIC_LEN) != 0) {
        return reel_fail(st->e, REEL_BADDATA, "not an index: wrong magic");
    }

    ix->version = reel_read_u16le(r);
    readable = reel_read_u16le(r);

    if (readable > REEL_INDEX_VERSION) {
        return reel_fail(st->e, REEL_UNSUPPORTED,
                         "the index needs a reader of version %u, this is "
                         "version %u", readable, REEL_INDEX_VERSION);
    }

    if (readable == 0 || readable > ix->version) {
        return reel_fail(st->e, REEL_BADDATA,
                         "version %u readable by %u", ix->version, readable);
    }

    ix->growing = reel_read_u32le(r) & REEL_IX_GROWING;
    ix->publication = reel_read_u32le(r);
    salt = reel_read_bytes(r, REEL_INDEX_SALT);
    memcpy(ix->salt, salt.p, REEL_INDEX_SALT);
    ix->master_key_id = reel_read_u32le(r);
    created = reel_read_u64le(r);

    if (ix->publication == 0 || created > INT64_MAX) {
        return reel_fail(st->e, REEL_BADDATA,
                         "publication 0, or created after the end of time");
    }

    ix->created_ms = (int64_t) created;

    return r->err;
}


/* the checksum differs: who repairs it wants to know where it shows */
static reel_err_t
find_damage(state_t *st, reel_reader_t *r, size_t len)
{
    if (read_sections(st, r) == REEL_OK) {
        return reel_fail(st->e, REEL_BADDATA, "checksum at %zu differs, "
                         "though each section can be read",
                         len - REEL_IX_TAIL);
    }

    return REEL_BADDATA;
}


static reel_err_t
parse(state_t *st, const void *data, size_t len)
{
    uint32_t       crc;
    reel_err_t     err;
    reel_reader_t  r, tail;

    if (st->e != NULL) {
        st->e->text[0] = '\0';
    }

    st->ix->nheaders = 0;
    st->ix->nrenditions = 0;
    st->ix->nimages = 0;
    st->ix->npictures = 0;
    st->ix->nsamples = 0;

    if (len < REEL_IX_HEAD + REEL_IX_TAIL || len > REEL_INDEX_MAX_BYTES) {
        return reel_fail(st->e, REEL_BADDATA, "an index of %zu bytes", len);
    }

    reel_reader_init(&r, data, len - REEL_IX_TAIL);

    err = read_head(st, &r);
    if (err != REEL_OK) {
        return err;
    }

    if (st->walk) {
        reel_reader_init(&tail, st->start + len - REEL_IX_TAIL, REEL_IX_TAIL);
        crc = reel_crc32c(0, data, len - REEL_IX_TAIL);

        if (reel_read_u32le(&tail) != crc) {
            return find_damage(st, &r, len);
        }
    }

    return read_sections(st, &r);
}


reel_err_t
reel_index_parse(reel_index_t *ix, const void *data, size_t len,
    reel_error_t *e)
{
    state_t  st;

    st.ix = ix;
    st.e = e;
    st.walk = true;
    st.start = data;
    st.last = 0;
    st.nlists = 0;

    return parse(&st, data, len);
}


reel_err_t
reel_index_reparse(reel_index_t *ix, const void *data, size_t len)
{
    state_t  st;

    st.ix = ix;
    st.e = NULL;
    st.walk = false;
    st.start = data;
    st.last = 0;
    st.nlists = 0;

    return parse(&st, data, len);
}


const reel_rendition_t *
reel_index_find(const reel_index_t *ix, reel_str_t name)
{
    unsigned  i;

    for (i = 0; i < ix->nrenditions; i++) {
        if (reel_str_eq(ix->renditions[i].name, name)) {
            return &ix->renditions[i];
        }
    }

    return NULL;
}
