/*
 * Puts an asset into a store: objects with fragments of the right form
 * (samples are random bytes) and the index, through the writers that
 * workerd uses.  Equal arguments give equal bytes.
 *
 *   mkasset <store> <id> [option=value ...] <rendition> ...
 *
 *   rendition       <name>:<video|audio|text>:<bytes a fragment>[:fact=…,…]
 *                   facts: height (720), codec, language, label, channels,
 *                   range (SDR, HLG, PQ: 0, 1, 2), roles (bits of the index),
 *                   set (switching set)
 *   fragments=N     of the whole asset, 2 s each (30)
 *   published=N     the first N stand in the index (all)
 *   object=N        fragments an object, but chunk 0 has 2 (10)
 *   growing=0|1     flag of the index (0)
 *   publication=N   (1)
 *   poster=0|1      (1)
 *   frames=N        single pictures of 320x180, N s apart (0: none)
 *   sheets=N        sheets of 5 x 5 pictures of 160x90, N s apart (0: none)
 *   data=0|1        0: no object is written, only the index (1)
 *
 * Prints what it made, a line each, to be compared with what is served:
 *
 *   hash <fragments a segment>[.ts] <version hash>
 *   init <rendition> <object> 0 <size>
 *   fragment <rendition> <number> <object> <offset> <size> <ticks>
 *   poster - <object> 0 <size>
 *   sheet <number in PICTURES> <number> <object> <offset> <size>
 *
 * A text has a cue of a second in the midst of each fragment but every fifth
 * one; that of fragment 3, 10, 17 … goes on into the next fragment.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/base/rescale.h"
#include "lib/base/str.h"
#include "lib/base/ulid.h"
#include "lib/index/writer.h"
#include "lib/manifest/manifest.h"
#include "lib/mp4/cmaf.h"
#include "lib/store/layout.h"
#include "lib/store/store.h"

#define RENDITIONS  16
#define OBJECT_MAX  (1u << 30)
#define INDEX_MAX   (16u << 20)
#define GOP_S       2
#define FPS         30
#define VIDEO_SCALE 30000
#define AUDIO_SCALE 48000
#define TEXT_SCALE  1000
#define AAC_FRAME   1024

/* 1280x720 High@3.1; nothing decodes it */
static const char avcc[] =
    "\x01\x64\x00\x1f\xff\xe1\x00\x1a\x67\x64\x00\x1f\xac\xd9\x40\x50\x05"
    "\xbb\x01\x10\x00\x00\x03\x00\x10\x00\x00\x03\x03\xc0\xf1\x83\x19\x60"
    "\x01\x00\x06\x68\xeb\xe3\xcb\x22\xc0";

typedef struct {
    uint64_t fragments, published, object, growing, publication, poster;
    uint64_t data, frames, sheets;
} options_t;

typedef struct {
    uint64_t   height, channels, range, roles, set;
    reel_str_t codec, language, label;
} facts_t;

typedef struct {
    char                *name;
    reel_kind_t          kind;
    uint64_t             bytes;
    facts_t              facts;
    reel_ix_fragment_t  *fragments;
    reel_ix_object_t    *objects;
    char               (*names)[64];
    uint32_t             nobjects;
    reel_buf_t           header;
} rendition_t;

typedef struct {
    reel_store_t *store;
    reel_str_t    asset;
    options_t     o;
    unsigned      n;
    rendition_t   r[RENDITIONS];
    uint64_t      seed;
} maker_t;


static void
die(const char *what, reel_err_t err, const reel_error_t *e)
{
    fprintf(stderr, "mkasset: %s: %s %s\n", what, reel_err_name(err),
            e ? e->text : "");
    exit(1);
}


static void *
zalloc(size_t n, size_t size)
{
    void  *p;

    p = calloc(n ? n : 1, size);
    if (p == NULL) {
        die("memory", REEL_NOMEM, NULL);
    }

    return p;
}


/* xorshift64*: bytes that do not compress */
static uint64_t
next(maker_t *m)
{
    m->seed ^= m->seed >> 12;
    m->seed ^= m->seed << 25;
    m->seed ^= m->seed >> 27;

    return m->seed * 0x2545f4914f6cdd1dull;
}


static void
add_noise(maker_t *m, reel_buf_t *b, size_t n)
{
    size_t    part;
    uint64_t  v;

    while (n) {
        v = next(m);
        part = n < sizeof(v) ? n : sizeof(v);
        reel_buf_add(b, &v, part);
        n -= part;
    }
}


static bool
option(options_t *o, const char *arg)
{
    size_t      i;
    reel_str_t  name, value;

    struct {
        const char *name;
        uint64_t   *value;
    } known[] = {
        { "fragments", &o->fragments }, { "published", &o->published },
        { "object", &o->object }, { "growing", &o->growing },
        { "publication", &o->publication }, { "poster", &o->poster },
        { "data", &o->data }, { "frames", &o->frames },
        { "sheets", &o->sheets }
    };

    name = reel_str_cut(reel_str(arg), '=', &value);

    for (i = 0; value.p && i < sizeof(known) / sizeof(known[0]); i++) {
        if (reel_str_eqz(name, known[i].name)) {
            return reel_str_u64(value, 1u << 20, known[i].value) == REEL_OK;
        }
    }

    return false;
}


static bool
fact(facts_t *f, reel_str_t name, reel_str_t value)
{
    size_t  i;

    struct {
        const char *name;
        uint64_t   *number;
        reel_str_t *text;
    } known[] = {
        { "height", &f->height, NULL }, { "channels", &f->channels, NULL },
        { "range", &f->range, NULL }, { "roles", &f->roles, NULL },
        { "set", &f->set, NULL }, { "codec", NULL, &f->codec },
        { "language", NULL, &f->language }, { "label", NULL, &f->label }
    };

    for (i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (!reel_str_eqz(name, known[i].name)) {
            continue;
        }

        if (known[i].text) {
            *known[i].text = value;
            return true;
        }

        return reel_str_u64(value, UINT16_MAX, known[i].number) == REEL_OK;
    }

    return false;
}


static bool
rendition(maker_t *m, char *arg)
{
    unsigned      k;
    reel_str_t    name, kind, bytes, rest, value;
    rendition_t  *r;

    static const char *const  kinds[] = { "video", "audio", "text" };

    if (m->n == RENDITIONS) {
        return false;
    }

    r = &m->r[m->n++];
    name = reel_str_cut(reel_str(arg), ':', &rest);
    kind = reel_str_cut(rest, ':', &rest);
    bytes = reel_str_cut(rest, ':', &rest);

    if (!reel_name_valid(name)
        || reel_str_u64(bytes, 64u << 20, &r->bytes) != REEL_OK)
    {
        return false;
    }

    r->name = arg;
    arg[name.len] = '\0';
    r->facts = (facts_t) { .height = 720, .channels = 2 };

    while (rest.p) {
        value = reel_str_cut(rest, ',', &rest);
        name = reel_str_cut(value, '=', &value);

        if (!fact(&r->facts, name, value)) {
            return false;
        }
    }

    for (k = 0; k < 3; k++) {
        if (reel_str_eqz(kind, kinds[k])) {
            r->kind = (reel_kind_t) (k + REEL_VIDEO);
            return true;
        }
    }

    return false;
}


static void
print_header(rendition_t *r)
{
    reel_err_t         err;
    reel_cmaf_track_t  t;

    memset(&t, 0, sizeof(t));
    memcpy(t.language, "und", sizeof("und"));

    if (r->kind == REEL_VIDEO) {
        t.codec = REEL_CODEC_AVC;
        t.track_id = REEL_TRACK_VIDEO;
        t.timescale = VIDEO_SCALE;
        t.config = (reel_str_t) { avcc, sizeof(avcc) - 1 };
        t.width = 1280;
        t.height = 720;
        t.primaries = t.transfer = t.matrix = 2;

    } else {
        t.codec = REEL_CODEC_AAC;
        t.track_id = REEL_TRACK_AUDIO;
        t.timescale = AUDIO_SCALE;
        t.config = REEL_STR("\x11\x90");
        t.channels = 2;
        t.sample_rate = AUDIO_SCALE;
    }

    reel_buf_init(&r->header, 1u << 16);

    err = reel_cmaf_header(&r->header, &t);
    if (err != REEL_OK) {
        die("header", err, NULL);
    }
}


/* audio frames begin at or after the grid, so fragments differ by one */
static uint32_t
samples_before(const rendition_t *r, uint64_t fragment)
{
    if (r->kind == REEL_VIDEO) {
        return (uint32_t) (fragment * GOP_S * FPS);
    }

    return (uint32_t) reel_rescale((int64_t) (fragment * GOP_S), AUDIO_SCALE,
                                   AAC_FRAME, REEL_ROUND_UP);
}


/* a picture is one NAL unit, 14496-15; what is in it nobody looks at */
static void
add_sample(maker_t *m, const rendition_t *r, reel_buf_t *b,
    const reel_cmaf_sample_t *s)
{
    uint32_t  head = 0;

    if (r->kind == REEL_VIDEO && s->size > 5) {
        head = 5;
        reel_buf_u32(b, s->size - 4);
        reel_buf_u8(b, s->sync ? 0x65 : 0x41);
    }

    add_noise(m, b, s->size - head);
}


/* appends fragment k to b, but for its samples where no data is wanted */
static void
add_fragment(maker_t *m, rendition_t *r, uint32_t k, reel_buf_t *b)
{
    size_t               at, moof;
    uint32_t             i, n, ticks, size;
    reel_err_t           err;
    reel_cmaf_sample_t  *s;

    n = samples_before(r, k + 1) - samples_before(r, k);
    ticks = r->kind == REEL_VIDEO ? VIDEO_SCALE / FPS : AAC_FRAME;
    s = zalloc(n, sizeof(*s));

    for (i = 0; i < n; i++) {
        s[i].duration = ticks;
        s[i].sync = r->kind == REEL_AUDIO || i == 0;
        s[i].size = (uint32_t) (r->bytes / n);
    }

    if (r->kind == REEL_VIDEO) {
        s[0].size += (uint32_t) (r->bytes / 10 + next(m) % (r->bytes / 5 + 1));
    }

    at = b->len;

    err = reel_cmaf_fragment(b, r->kind == REEL_VIDEO ? REEL_TRACK_VIDEO
                                                      : REEL_TRACK_AUDIO,
                             k + 1, (int64_t) samples_before(r, k) * ticks,
                             s, n);
    if (err != REEL_OK) {
        die("fragment", err, NULL);
    }

    moof = b->len - at;
    size = (uint32_t) moof;

    for (i = 0; i < n; i++) {
        size += s[i].size;

        if (m->o.data) {
            add_sample(m, r, b, &s[i]);
        }
    }

    r->fragments[k] = (reel_ix_fragment_t) {
        .size = size,
        .duration = n * ticks,
        .samples = n,
        .iframe = r->kind == REEL_VIDEO ? (uint32_t) moof + s[0].size : 0
    };

    free(s);
}


static void
put(maker_t *m, reel_str_t folder, const char *name, const reel_buf_t *b)
{
    reel_key_t  key;
    reel_err_t  err;

    err = reel_key_object(key, m->asset, folder, reel_str(name));
    if (err == REEL_OK) {
        err = reel_store_put_if_absent(m->store, key, b->data, b->len);
    }

    /* the growing form was put before */
    if (err != REEL_OK && err != REEL_EXISTS) {
        die(name, err, NULL);
    }
}


static void
make_object(maker_t *m, rendition_t *r, uint32_t chunk, uint32_t first,
    uint32_t n)
{
    char        *name;
    uint32_t     k;
    uint64_t     off;
    reel_buf_t   b;

    name = r->names[chunk];
    snprintf(name, sizeof(r->names[0]), "%05u-%u.mp4", (unsigned) chunk,
             (unsigned) m->o.publication);

    m->seed = 0x9e3779b97f4a7c15ull * (m->o.publication * 131 + chunk + 1)
              + (uint64_t) (r - m->r);

    reel_buf_init(&b, OBJECT_MAX);
    reel_buf_add(&b, r->header.data, r->header.len);

    printf("init %s %s 0 %zu\n", r->name, name, b.len);

    off = b.len;

    for (k = first; k < first + n; k++) {
        add_fragment(m, r, k, &b);

        printf("fragment %s %u %s %llu %u %u\n", r->name, (unsigned) k, name,
               (unsigned long long) off, (unsigned) r->fragments[k].size,
               (unsigned) r->fragments[k].duration);

        off += r->fragments[k].size;
    }

    if (reel_buf_err(&b) != REEL_OK) {
        die(name, reel_buf_err(&b), NULL);
    }

    if (m->o.data) {
        put(m, reel_str(r->name), name, &b);
    }

    reel_buf_release(&b);

    r->objects[chunk] = (reel_ix_object_t) {
        .name = reel_str(name),
        .header = (uint32_t) (r - m->r),
        .base = r->header.len,
        .nfragments = n,
        .fragments = r->fragments + first
    };
}


static void
add_time(reel_buf_t *b, uint64_t ms)
{
    reel_buf_printf(b, "%02u:%02u:%02u.%03u", (unsigned) (ms / 3600000),
                    (unsigned) (ms / 60000 % 60), (unsigned) (ms / 1000 % 60),
                    (unsigned) (ms % 1000));
}


static void
add_cue(reel_buf_t *b, const rendition_t *r, uint32_t k)
{
    uint64_t  i, from = k * GOP_S * TEXT_SCALE + 500;

    add_time(b, from);
    reel_buf_addz(b, " --> ");
    add_time(b, from + (k % 7 == 3 ? 2500 : 1000));
    reel_buf_printf(b, "\n%s %u", r->name, (unsigned) k);

    for (i = 0; i < r->bytes; i++) {
        reel_buf_u8(b, i % 8 ? 'x' : ' ');
    }

    reel_buf_addz(b, "\n\n");
}


/* one WebVTT object; what is published of it may be less */
static void
make_text(maker_t *m, rendition_t *r)
{
    size_t      at = 0;
    uint32_t    k;
    reel_buf_t  b;

    r->fragments = zalloc(m->o.fragments, sizeof(*r->fragments));
    r->objects = zalloc(1, sizeof(*r->objects));
    r->names = zalloc(1, sizeof(*r->names));
    r->nobjects = 1;

    snprintf(r->names[0], sizeof(r->names[0]), "0-%u.vtt",
             (unsigned) m->o.publication);

    reel_buf_init(&b, OBJECT_MAX);
    reel_buf_addz(&b, "WEBVTT\n\n");

    for (k = 0; k < m->o.fragments; k++) {
        if (k % 5 != 4) {
            add_cue(&b, r, k);
        }

        r->fragments[k] = (reel_ix_fragment_t) {
            .size = (uint32_t) (b.len - at), .samples = k % 5 != 4,
            .duration = GOP_S * TEXT_SCALE
        };

        printf("fragment %s %u %s %zu %u %u\n", r->name, (unsigned) k,
               r->names[0], at, (unsigned) r->fragments[k].size,
               (unsigned) r->fragments[k].duration);
        at = b.len;
    }

    if (reel_buf_err(&b) != REEL_OK) {
        die(r->name, reel_buf_err(&b), NULL);
    }

    if (m->o.data) {
        put(m, reel_str(r->name), r->names[0], &b);
    }

    reel_buf_release(&b);

    r->objects[0] = (reel_ix_object_t) {
        .name = reel_str(r->names[0]),
        .nfragments = (uint32_t) m->o.published, .fragments = r->fragments
    };
}


static void
make_rendition(maker_t *m, rendition_t *r)
{
    uint32_t  first, n, chunk;

    if (r->kind == REEL_TEXT) {
        make_text(m, r);
        return;
    }

    print_header(r);

    r->fragments = zalloc(m->o.fragments, sizeof(*r->fragments));
    r->objects = zalloc(m->o.fragments, sizeof(*r->objects));
    r->names = zalloc(m->o.fragments, sizeof(*r->names));

    for (first = 0, chunk = 0; first < m->o.fragments; first += n, chunk++) {
        n = chunk == 0 ? 2 : (uint32_t) m->o.object;

        if (n > m->o.fragments - first) {
            n = (uint32_t) m->o.fragments - first;
        }

        make_object(m, r, chunk, first, n);
    }

    /* the index may name fewer fragments than stand */
    for (first = 0, chunk = 0; first < m->o.published; chunk++) {
        if (r->objects[chunk].nfragments > m->o.published - first) {
            r->objects[chunk].nfragments = (uint32_t) m->o.published - first;
        }

        first += r->objects[chunk].nfragments;
    }

    r->nobjects = chunk;
}


static void
describe(reel_rendition_t *h, const rendition_t *r)
{
    const facts_t  *f = &r->facts;

    h->name = reel_str(r->name);
    h->kind = r->kind;
    h->switching_set = (uint8_t) f->set;
    h->language = f->language.p ? f->language : REEL_STR("");
    h->label = f->label.p ? f->label : REEL_STR("");
    h->video_range = (reel_video_range_t) f->range;
    h->roles = (uint32_t) f->roles;
    h->rate_den = 1;

    if (r->kind == REEL_VIDEO) {
        h->codec = REEL_STR("avc1.64001f");
        h->timescale = VIDEO_SCALE;
        h->width = (uint32_t) (f->height * 16 / 9);
        h->height = (uint32_t) f->height;
        h->rate_num = FPS;

    } else if (r->kind == REEL_AUDIO) {
        h->codec = REEL_STR("mp4a.40.2");
        h->timescale = AUDIO_SCALE;
        h->channels = (uint32_t) f->channels;
        h->sample_rate = AUDIO_SCALE;

    } else {
        h->codec = REEL_STR("wvtt");
        h->timescale = TEXT_SCALE;
    }

    h->codec = f->codec.p ? f->codec : h->codec;
}


static void
make_poster(maker_t *m, reel_index_t *ix)
{
    char        name[32];
    reel_buf_t  b;

    static char  kept[32];

    snprintf(name, sizeof(name), "poster-%u.jpg",
             (unsigned) m->o.publication);
    memcpy(kept, name, sizeof(kept));

    m->seed = m->o.publication + 1;
    reel_buf_init(&b, 1u << 16);
    reel_buf_add(&b, "\xff\xd8\xff\xe0", 4);
    add_noise(m, &b, 5000);

    put(m, REEL_STR("image"), name, &b);
    printf("poster - %s 0 %zu\n", name, b.len);

    ix->nimages = 1;
    ix->images[0] = (reel_image_t) {
        .kind = REEL_IMAGE_POSTER, .object = reel_str(kept),
        .width = 1280, .height = 720, .size = (uint32_t) b.len
    };

    reel_buf_release(&b);
}


/* a picture each `seconds`, in sheets of tiles x tiles */
static void
make_pictures(maker_t *m, reel_index_t *ix, uint64_t seconds, uint32_t tiles)
{
    size_t            at;
    uint32_t          i;
    reel_buf_t        b;
    reel_pictures_t  *q = &ix->pictures[ix->npictures];

    static char        names[2][32];
    static reel_buf_t  sizes[2];

    if (seconds == 0) {
        return;
    }

    snprintf(names[ix->npictures], sizeof(names[0]), "%s-%u.jpgs",
             tiles > 1 ? "sheets" : "frames", (unsigned) m->o.publication);

    *q = (reel_pictures_t) {
        .object = reel_str(names[ix->npictures]),
        .width = tiles > 1 ? 160 : 320, .height = tiles > 1 ? 90 : 180,
        .columns = tiles, .rows = tiles,
        .interval_ms = (uint32_t) seconds * 1000,
        .count = (uint32_t) (m->o.published * GOP_S / seconds)
    };

    q->count += q->count == 0;
    q->sheets = (q->count + tiles * tiles - 1) / (tiles * tiles);

    m->seed = m->o.publication + 2;
    reel_buf_init(&b, OBJECT_MAX);
    reel_buf_init(&sizes[ix->npictures], INDEX_MAX);

    for (i = 0; i < q->sheets; i++) {
        at = b.len;
        reel_buf_add(&b, "\xff\xd8\xff\xe0", 4);
        add_noise(m, &b, 1000 + next(m) % 1000);
        reel_buf_add(&b, "\xff\xd9", 2);
        reel_index_put_sheet(&sizes[ix->npictures], (uint32_t) (b.len - at));

        printf("sheet %u %u %s %zu %zu\n", ix->npictures, (unsigned) i,
               names[ix->npictures], at, b.len - at);
    }

    put(m, REEL_STR("image"), names[ix->npictures], &b);
    q->size_bytes = (reel_str_t) { (char *) sizes[ix->npictures].data,
                                   sizes[ix->npictures].len };
    ix->npictures++;
    reel_buf_release(&b);
}


static void
print_hashes(const reel_buf_t *b)
{
    char                  hash[REEL_VERSION_HASH + 1];
    reel_err_t            err;
    reel_error_t          e;
    reel_manifest_opts_t  opts;

    static reel_index_t   ix;

    err = reel_index_parse(&ix, b->data, b->len, &e);
    if (err != REEL_OK) {
        die("own index", err, &e);
    }

    memset(&opts, 0, sizeof(opts));

    for (opts.per = 1; opts.per <= REEL_SEGMENT_FRAGMENTS; opts.per += 2) {
        opts.container = REEL_CONTAINER_CMAF;
        reel_version_hash(hash, &ix, &opts);
        printf("hash %u %s\n", (unsigned) opts.per, hash);

        opts.container = REEL_CONTAINER_TS;
        reel_version_hash(hash, &ix, &opts);
        printf("hash %u.ts %s\n", (unsigned) opts.per, hash);
    }
}


static void
make_index(maker_t *m)
{
    unsigned              i;
    reel_key_t            key;
    reel_buf_t            b;
    reel_err_t            err;
    reel_error_t          e;
    reel_ix_rendition_t  *out;

    static reel_index_t   ix;

    out = zalloc(m->n, sizeof(*out));
    e.text[0] = '\0';

    ix.version = REEL_INDEX_VERSION;
    ix.growing = m->o.growing;
    ix.publication = (uint32_t) m->o.publication;
    memset(ix.salt, (int) m->o.publication, sizeof(ix.salt));
    ix.created_ms = 1700000000000;
    ix.timescale = VIDEO_SCALE;
    ix.gop_ts = GOP_S * VIDEO_SCALE;
    ix.fragments = (uint32_t) m->o.published;
    ix.end_ts = (int64_t) m->o.published * ix.gop_ts;
    ix.constant_rate = true;
    ix.nheaders = m->n;
    ix.nrenditions = m->n;

    for (i = 0; i < m->n; i++) {
        make_rendition(m, &m->r[i]);

        ix.headers[i].p = (char *) m->r[i].header.data;
        ix.headers[i].len = m->r[i].header.len;
        describe(&out[i].head, &m->r[i]);
        out[i].nobjects = m->r[i].nobjects;
        out[i].objects = m->r[i].objects;
    }

    if (m->o.poster) {
        make_poster(m, &ix);
    }

    make_pictures(m, &ix, m->o.frames, 1);
    make_pictures(m, &ix, m->o.sheets, 5);

    reel_buf_init(&b, INDEX_MAX);

    err = reel_index_write(&b, &ix, out, m->n, &e);
    if (err != REEL_OK) {
        die("index", err, &e);
    }

    print_hashes(&b);

    err = reel_key_asset_part(key, m->asset, REEL_PART_INDEX);
    if (err == REEL_OK) {
        err = reel_store_replace(m->store, key, b.data, b.len);
    }

    if (err != REEL_OK) {
        die("index", err, NULL);
    }

    reel_buf_release(&b);
    free(out);
}


int
main(int argc, char **argv)
{
    int           i;
    unsigned      k;
    reel_err_t    err;
    reel_error_t  e;

    static maker_t  m;

    if (argc < 4 || !reel_ulid_valid(reel_str(argv[2]))) {
        fprintf(stderr, "usage: mkasset <store> <id> [option=value ...] "
                "<name>:<video|audio|text>:<bytes a fragment> ...\n");
        return 2;
    }

    m.asset = reel_str(argv[2]);
    m.o = (options_t) { .fragments = 30, .object = 10, .publication = 1,
                        .poster = 1, .data = 1 };

    for (i = 3; i < argc; i++) {
        if (!option(&m.o, argv[i]) && !rendition(&m, argv[i])) {
            fprintf(stderr, "mkasset: bad argument \"%s\"\n", argv[i]);
            return 2;
        }
    }

    if (m.o.published == 0 || m.o.published > m.o.fragments) {
        m.o.published = m.o.fragments;
    }

    if (m.n == 0 || m.o.fragments == 0 || m.o.object == 0) {
        fprintf(stderr, "mkasset: nothing to make\n");
        return 2;
    }

    err = reel_store_fs_open(argv[1], &m.store, &e);
    if (err != REEL_OK) {
        die(argv[1], err, &e);
    }

    make_index(&m);

    for (k = 0; k < m.n; k++) {
        reel_buf_release(&m.r[k].header);
        free(m.r[k].fragments);
        free(m.r[k].objects);
        free(m.r[k].names);
    }

    reel_store_close(m.store);

    return 0;
}
