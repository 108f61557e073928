/*
 * Puts an asset into a store: objects with fragments of the right form
 * (samples are random bytes) and the index, through the writers that
 * workerd uses.  Equal arguments give equal bytes.
 *
 *   mkasset <store> <id> [option=value ...] <rendition> ...
 *
 *   rendition       <name>:<video|audio>:<bytes a fragment>
 *   fragments=N     of the whole asset, 2 s each (30)
 *   published=N     the first N stand in the index (all)
 *   object=N        fragments an object, but chunk 0 has 2 (10)
 *   growing=0|1     flag of the index (0)
 *   publication=N   (1)
 *   poster=0|1      (1)
 *   data=0|1        0: no object is written, only the index (1)
 *
 * Prints what it made, a line each, to be compared with what is served:
 *
 *   hash <fragments a segment> <version hash>
 *   init <rendition> <object> 0 <size>
 *   fragment <rendition> <number> <object> <offset> <size> <ticks>
 *   poster - <object> 0 <size>
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
#define AAC_FRAME   1024

/* 1280x720 High@3.1; nothing decodes it */
static const char avcc[] =
    "\x01\x64\x00\x1f\xff\xe1\x00\x19\x67\x64\x00\x1f\xac\xd9\x40\x50\x05"
    "\xbb\x01\x10\x00\x00\x03\x00\x10\x00\x00\x03\x03\xc0\xf1\x83\x19\x60"
    "\x01\x00\x06\x68\xeb\xe3\xcb\x22\xc0";

typedef struct {
    uint64_t fragments, published, object, growing, publication, poster;
    uint64_t data;
} options_t;

typedef struct {
    char                *name;
    reel_kind_t          kind;
    uint64_t             bytes;
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
        { "data", &o->data }
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
rendition(maker_t *m, char *arg)
{
    rendition_t  *r;
    reel_str_t    name, kind, rest;

    if (m->n == RENDITIONS) {
        return false;
    }

    r = &m->r[m->n++];
    name = reel_str_cut(reel_str(arg), ':', &rest);
    kind = reel_str_cut(rest, ':', &rest);

    if (!reel_name_valid(name)
        || reel_str_u64(rest, 64u << 20, &r->bytes) != REEL_OK)
    {
        return false;
    }

    r->name = arg;
    arg[name.len] = '\0';
    r->kind = reel_str_eqz(kind, "audio") ? REEL_AUDIO : REEL_VIDEO;

    return reel_str_eqz(kind, "audio") || reel_str_eqz(kind, "video");
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
            add_noise(m, b, s[i].size);
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
make_rendition(maker_t *m, rendition_t *r)
{
    uint32_t  first, n, chunk;

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
    h->name = reel_str(r->name);
    h->kind = r->kind;
    h->language = REEL_STR("");
    h->label = REEL_STR("");

    if (r->kind == REEL_VIDEO) {
        h->codec = REEL_STR("avc1.64001f");
        h->timescale = VIDEO_SCALE;
        h->width = 1280;
        h->height = 720;
        h->rate_num = FPS;
        h->rate_den = 1;

    } else {
        h->codec = REEL_STR("mp4a.40.2");
        h->timescale = AUDIO_SCALE;
        h->rate_den = 1;
        h->channels = 2;
        h->sample_rate = AUDIO_SCALE;
    }
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
        reel_version_hash(hash, &ix, &opts);
        printf("hash %u %s\n", (unsigned) opts.per, hash);
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
                "<name>:<video|audio>:<bytes a fragment> ...\n");
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
