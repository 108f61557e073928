/*
 * Puts an asset into a store whose renditions are other programs' files:
 * fragmented MP4s of one track each, cut anew into fragments of 2 s.  The
 * header is read and printed again by lib/mp4, so what is served is what
 * our writers make of those codecs.
 *
 *   mkremux <store> <id> <fragments> <rendition>=<file> ...
 *
 * A video must have key frames at every 2 s; behind the last cut all belongs
 * to the last fragment.  Prints a line for each rendition:
 *
 *   codec <rendition> <string>
 *
 * but none of a file *.vtt, which is English text, a cue for each fragment.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/str.h"
#include "lib/base/ulid.h"
#include "lib/index/writer.h"
#include "lib/mp4/box.h"
#include "lib/mp4/cmaf.h"
#include "lib/mp4/profile.h"
#include "lib/mp4/sample_entry.h"
#include "lib/store/layout.h"
#include "lib/store/store.h"

#define RENDITIONS  16
#define FILE_MAX    (64u << 20)
#define INDEX_MAX   (1u << 20)
#define GRID_SCALE  90000
#define GOP_S       2
#define TEXT_SCALE  1000

typedef struct {
    reel_cmaf_sample_t s;
    const uint8_t     *data;
    int64_t            pts;
} sample_t;

typedef struct {
    char               *name;
    bool                text;
    reel_buf_t          file, object, header;
    reel_cmaf_track_t   track;
    sample_t           *samples;
    uint32_t            n, cap;
    char                codec[REEL_CODEC_STRING];
    reel_ix_fragment_t *fragments;
    reel_ix_object_t    ix;

    /* while samples are read */
    const uint8_t      *data;
    int64_t             dts;
} rendition_t;

typedef struct {
    reel_store_t *store;
    reel_str_t    asset;
    uint64_t      fragments;
    unsigned      n;
    rendition_t   r[RENDITIONS];
} maker_t;


static void
die(const char *what, reel_err_t err, const reel_error_t *e)
{
    fprintf(stderr, "mkremux: %s: %s %s\n", what, reel_err_name(err),
            e ? e->text : "");
    exit(1);
}


static void *
checked(void *p)
{
    if (p == NULL) {
        die("memory", REEL_NOMEM, NULL);
    }

    return p;
}


static void
read_file(reel_buf_t *b, const char *path)
{
    FILE    *f;
    char     part[65536];
    size_t   n;

    f = fopen(path, "rb");
    if (f == NULL) {
        die(path, REEL_IO, NULL);
    }

    reel_buf_init(b, FILE_MAX);

    while ((n = fread(part, 1, sizeof(part), f)) != 0) {
        reel_buf_add(b, part, n);
    }

    fclose(f);

    if (reel_buf_err(b) != REEL_OK) {
        die(path, reel_buf_err(b), NULL);
    }
}


static reel_err_t
add_sample(void *arg, const reel_cmaf_sample_t *s)
{
    rendition_t  *r = arg;

    if (r->n == r->cap) {
        r->cap = 2 * r->cap + 64;
        r->samples = checked(realloc(r->samples,
                                     r->cap * sizeof(*r->samples)));
    }

    r->samples[r->n++] = (sample_t) { *s, r->data, r->dts + s->cts_offset };
    r->data += s->size;
    r->dts += s->duration;

    return REEL_OK;
}


/* offsets that put a first picture at 0, as our own encodes begin there */
static void
rebase(rendition_t *r)
{
    uint32_t  i;
    int64_t   first;

    if (r->n == 0) {
        die(r->name, REEL_BADDATA, NULL);
    }

    first = r->samples[0].pts;

    for (i = 0; i < r->n; i++) {
        r->samples[i].pts -= first;
        r->samples[i].s.cts_offset -= (int32_t) first;
    }
}


static void
read_samples(rendition_t *r)
{
    size_t            at = 0;
    uint32_t          size;
    reel_err_t        err;
    reel_error_t      e = { "" };
    const uint8_t    *p;
    reel_cmaf_moof_t  m;

    while (r->file.len - at >= REEL_BOX_HEAD) {
        p = r->file.data + at;
        size = (uint32_t) p[0] << 24 | (uint32_t) p[1] << 16
               | (uint32_t) p[2] << 8 | p[3];

        if (size < REEL_BOX_HEAD || size > r->file.len - at) {
            die(r->name, REEL_BADDATA, NULL);
        }

        if (memcmp(p + 4, "moof", 4) != 0) {
            at += size;
            continue;
        }

        /* once for where its samples lie, and once for them */
        err = reel_cmaf_read_moof(&m, p, r->file.len - at, NULL, NULL, &e);
        if (err == REEL_OK) {
            r->data = p + m.data_offset;
            r->dts = m.decode_ts;
            err = reel_cmaf_read_moof(&m, p, r->file.len - at, add_sample, r,
                                      &e);
        }

        if (err != REEL_OK) {
            die(r->name, err, &e);
        }

        at += (size_t) (m.moof_size + m.mdat_size);
    }

    rebase(r);
}


static void
read_rendition(rendition_t *r, const char *path)
{
    reel_err_t    err;
    const char   *suffix;
    reel_error_t  e = { "" };

    const reel_mp4_codec_t  *c;

    read_file(&r->file, path);

    suffix = strrchr(path, '.');
    r->text = suffix != NULL && strcmp(suffix, ".vtt") == 0;
    if (r->text) {
        return;
    }

    err = reel_cmaf_read_header(&r->track, r->file.data, r->file.len, &e);
    if (err != REEL_OK) {
        die(path, err, &e);
    }

    c = reel_mp4_codec(r->track.codec);
    r->track.track_id = c->track;

    err = c->string(r->codec, sizeof(r->codec), r->track.config);
    if (err == REEL_OK) {
        reel_buf_init(&r->header, INDEX_MAX);
        err = reel_cmaf_header(&r->header, &r->track);
    }

    if (err != REEL_OK) {
        die(path, err, NULL);
    }

    read_samples(r);
    printf("codec %s %s\n", r->name, r->codec);
}


/* the first sample of fragment k: one that a player may begin with */
static uint32_t
first_of(const rendition_t *r, uint64_t k, uint64_t fragments)
{
    uint32_t  i;
    int64_t   at = (int64_t) k * GOP_S * r->track.timescale;

    if (k == fragments) {
        return r->n;
    }

    for (i = 0; i < r->n; i++) {
        if (r->samples[i].s.sync && r->samples[i].pts >= at) {
            return i;
        }
    }

    die(r->name, REEL_BADDATA, &(reel_error_t) { "too short" });

    return 0;
}


static void
add_fragment(rendition_t *r, uint32_t k, uint32_t first, uint32_t n,
    int64_t decode_ts)
{
    size_t               at = r->object.len, moof;
    uint32_t             i, ticks = 0;
    reel_err_t           err;
    reel_cmaf_sample_t  *s;

    s = checked(calloc(n + 1, sizeof(*s)));

    for (i = 0; i < n; i++) {
        s[i] = r->samples[first + i].s;
        ticks += s[i].duration;
    }

    err = reel_cmaf_fragment(&r->object, r->track.track_id, k + 1, decode_ts,
                             s, n);
    if (err != REEL_OK) {
        die("fragment", err, NULL);
    }

    moof = r->object.len - at;

    for (i = 0; i < n; i++) {
        reel_buf_add(&r->object, r->samples[first + i].data, s[i].size);
    }

    r->fragments[k] = (reel_ix_fragment_t) {
        .size = (uint32_t) (r->object.len - at),
        .duration = ticks,
        .samples = n,
        .iframe = r->track.track_id == REEL_TRACK_VIDEO
                  ? (uint32_t) moof + s[0].size : 0
    };

    free(s);
}


/* an empty line ends the head, and each cue */
static size_t
end_of_block(rendition_t *r, size_t at)
{
    const char  *text = reel_buf_cstr(&r->file), *end;

    end = strstr(text + at, "\n\n");

    return end != NULL ? (size_t) (end - text) + 2 : r->file.len;
}


static void
make_text(maker_t *m, rendition_t *r)
{
    size_t    at = 0, end = end_of_block(r, 0);
    uint32_t  k;

    for (k = 0; k < m->fragments; k++) {
        end = k + 1 < m->fragments ? end_of_block(r, end) : r->file.len;

        r->fragments[k] = (reel_ix_fragment_t) {
            .size = (uint32_t) (end - at), .samples = end != at,
            .duration = GOP_S * TEXT_SCALE
        };
        at = end;
    }

    reel_buf_add(&r->object, r->file.data, r->file.len);
}


static void
make_samples(maker_t *m, rendition_t *r)
{
    uint32_t  k, first, next = 0;
    int64_t   ts = 0;

    reel_buf_add(&r->object, r->header.data, r->header.len);

    for (k = 0; k < m->fragments; k++) {
        first = next;
        next = first_of(r, k + 1, m->fragments);
        add_fragment(r, k, first, next - first, ts);
        ts += r->fragments[k].duration;
    }
}


static const char *
object_name(const rendition_t *r)
{
    return r->text ? "00000-1.vtt" : "00000-1.mp4";
}


static void
make_object(maker_t *m, rendition_t *r)
{
    reel_key_t  key;
    reel_err_t  err;

    r->fragments = checked(calloc(m->fragments, sizeof(*r->fragments)));
    reel_buf_init(&r->object, FILE_MAX);

    if (r->text) {
        make_text(m, r);
    } else {
        make_samples(m, r);
    }

    err = reel_key_object(key, m->asset, reel_str(r->name),
                          reel_str(object_name(r)));
    if (err == REEL_OK) {
        err = reel_store_put_if_absent(m->store, key, r->object.data,
                                       r->object.len);
    }

    if (err != REEL_OK) {
        die(r->name, err, NULL);
    }
}


static void
describe(reel_rendition_t *h, const rendition_t *r)
{
    const reel_cmaf_track_t  *t = &r->track;

    *h = (reel_rendition_t) {
        .name = reel_str(r->name), .codec = reel_str(r->codec),
        .language = REEL_STR(""), .label = REEL_STR(""),
        .timescale = t->timescale, .rate_den = 1
    };

    if (r->text) {
        h->kind = REEL_TEXT;
        h->codec = REEL_STR("wvtt");
        h->language = REEL_STR("en");
        h->label = REEL_STR("English");
        h->timescale = TEXT_SCALE;
        return;
    }

    if (t->track_id == REEL_TRACK_AUDIO) {
        h->kind = REEL_AUDIO;
        h->channels = t->channels;
        h->sample_rate = t->sample_rate;
        return;
    }

    h->kind = REEL_VIDEO;
    h->width = t->width;
    h->height = t->height;
    h->video_range = reel_video_range(t->transfer);
    h->rate_num = t->timescale / r->samples[0].s.duration;
}


static void
make_index(maker_t *m)
{
    unsigned      i;
    reel_key_t    key;
    reel_buf_t    b;
    reel_err_t    err;
    reel_error_t  e = { "" };

    static reel_index_t         ix;
    static reel_ix_rendition_t  out[RENDITIONS];

    ix.version = REEL_INDEX_VERSION;
    ix.publication = 1;
    ix.created_ms = 1700000000000;
    ix.timescale = GRID_SCALE;
    ix.gop_ts = GOP_S * GRID_SCALE;
    ix.fragments = (uint32_t) m->fragments;
    ix.end_ts = (int64_t) m->fragments * ix.gop_ts;
    ix.constant_rate = true;
    ix.nrenditions = m->n;

    for (i = 0; i < m->n; i++) {
        make_object(m, &m->r[i]);
        m->r[i].ix = (reel_ix_object_t) {
            .name = reel_str(object_name(&m->r[i])),
            .header = m->r[i].text ? 0 : ix.nheaders,
            .base = m->r[i].header.len,
            .nfragments = (uint32_t) m->fragments,
            .fragments = m->r[i].fragments
        };

        if (!m->r[i].text) {
            ix.headers[ix.nheaders++] = (reel_str_t) {
                (char *) m->r[i].header.data, m->r[i].header.len
            };
        }

        describe(&out[i].head, &m->r[i]);
        out[i].nobjects = 1;
        out[i].objects = &m->r[i].ix;
    }

    reel_buf_init(&b, INDEX_MAX);

    err = reel_index_write(&b, &ix, out, m->n, &e);
    if (err == REEL_OK) {
        err = reel_key_asset_part(key, m->asset, REEL_PART_INDEX);
    }

    if (err == REEL_OK) {
        err = reel_store_replace(m->store, key, b.data, b.len);
    }

    if (err != REEL_OK) {
        die("index", err, &e);
    }

    reel_buf_release(&b);
}


static void
release(rendition_t *r)
{
    reel_buf_release(&r->file);
    reel_buf_release(&r->object);
    reel_buf_release(&r->header);
    free(r->samples);
    free(r->fragments);
}


int
main(int argc, char **argv)
{
    int           i;
    char         *path;
    reel_err_t    err;
    reel_error_t  e = { "" };

    static maker_t  m;

    if (argc < 5 || argc - 4 > RENDITIONS
        || !reel_ulid_valid(reel_str(argv[2]))
        || reel_str_u64(reel_str(argv[3]), 1000, &m.fragments) != REEL_OK
        || m.fragments == 0)
    {
        fprintf(stderr, "usage: mkremux <store> <id> <fragments> "
                "<rendition>=<file> ...\n");
        return 2;
    }

    m.asset = reel_str(argv[2]);

    err = reel_store_fs_open(argv[1], &m.store, &e);
    if (err != REEL_OK) {
        die(argv[1], err, &e);
    }

    for (i = 4; i < argc; i++) {
        path = strchr(argv[i], '=');

        if (path == NULL) {
            die(argv[i], REEL_INVAL, NULL);
        }

        *path = '\0';
        m.r[m.n].name = argv[i];
        read_rendition(&m.r[m.n++], path + 1);
    }

    make_index(&m);

    while (m.n > 0) {
        release(&m.r[--m.n]);
    }

    reel_store_close(m.store);

    return 0;
}
