#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "lib/index/writer.h"
#include "tests/unit/golden.h"
#include "tests/unit/manifest/assets.h"

#define RENDITIONS_MAX 16
#define OBJECTS_MAX    1024


typedef struct {
    const char *name;
    reel_kind_t kind;
    uint8_t     set;
    const char *codec;
    const char *language;
    const char *label;
    uint32_t    width;          /* or channels */
    uint32_t    height;         /* or sample rate */
    uint32_t    kbps;
    uint32_t    roles;
    reel_video_range_t range;
} track_t;

typedef struct {
    uint32_t       timescale, gop_ts, frame_ts;
    uint32_t       rate_num, rate_den;
    uint32_t       fragments;
    int64_t        end_ts;
    uint32_t       chunk;       /* fragments an object */
    uint32_t       other;       /* the first fragment of another header */
    bool           growing;
    const track_t *tracks;
    unsigned       n;
    uint32_t       sheets;      /* of 4 x 2 pictures, 2 s apart */
} spec_t;


static uint32_t
draw(uint32_t *seed, uint32_t n)
{
    *seed = *seed * 1664525 + 1013904223;

    return (*seed >> 8) % n;
}


/* bytes of a fragment that lasts ticks of timescale */
static uint32_t
bytes_of(uint32_t *seed, const track_t *t, uint64_t ticks, uint32_t timescale)
{
    uint32_t  mean = (uint32_t) (ticks * t->kbps * 125 / timescale);

    return t->kind == REEL_AUDIO ? mean + draw(seed, 100)
                                 : mean / 2 + draw(seed, mean) + 600;
}


/* first access unit of 1024 at or behind grid k; at the end: all of them */
static uint64_t
first_au(const spec_t *s, uint32_t rate, uint32_t k)
{
    uint64_t  ts = (uint64_t) k * s->gop_ts;
    uint64_t  unit = (uint64_t) s->timescale * 1024;

    ts = k == s->fragments ? (uint64_t) s->end_ts : ts;

    return (ts * rate + unit - 1) / unit;
}


static void
fill_fragments(reel_ix_fragment_t *x, const spec_t *s, const track_t *t,
    uint32_t *seed)
{
    uint32_t  i, n = s->fragments;
    uint64_t  left;

    for (i = 0; i < n; i++) {

        if (t->kind == REEL_AUDIO) {
            x[i].samples = (uint32_t) (first_au(s, t->height, i + 1)
                                       - first_au(s, t->height, i));
            x[i].duration = x[i].samples * 1024;
            x[i].size = bytes_of(seed, t, x[i].duration, t->height);
            continue;
        }

        left = (uint64_t) s->end_ts - (uint64_t) i * s->gop_ts;

        if (t->kind == REEL_TEXT) {
            left = left < s->gop_ts ? left : s->gop_ts;
            x[i].duration = (uint32_t) (left * 1000 / s->timescale);
            x[i].samples = i % 3 != 2;
            x[i].size = x[i].samples * 60;
            continue;
        }

        x[i].duration = i + 1 < n ? s->gop_ts : (uint32_t) left;
        x[i].samples = x[i].duration / s->frame_ts;
        x[i].size = bytes_of(seed, t, x[i].duration, s->timescale);
        x[i].iframe = 500 + x[i].size / 10;
    }
}


static reel_rendition_t
head_of(const spec_t *s, const track_t *t)
{
    bool              video = t->kind == REEL_VIDEO;
    reel_rendition_t  h = {
        .name = reel_str(t->name), .kind = t->kind, .switching_set = t->set,
        .codec = reel_str(t->codec), .language = reel_str(t->language),
        .label = reel_str(t->label), .rate_den = 1, .roles = t->roles,
        .video_range = t->range
    };

    if (t->kind == REEL_TEXT) {
        h.timescale = 1000;
        return h;
    }

    if (video) {
        h.timescale = s->timescale;
        h.width = t->width;
        h.height = t->height;
        h.rate_num = s->rate_num;
        h.rate_den = s->rate_den;
    } else {
        h.timescale = t->height;
        h.channels = t->width;
        h.sample_rate = t->height;
    }

    return h;
}


static void
fill_objects(reel_ix_rendition_t *q, reel_ix_object_t *o, char (*names)[24],
    const reel_ix_fragment_t *x, const spec_t *s, uint32_t header)
{
    uint32_t  k = 0, take;

    q->objects = o;

    for (q->nobjects = 0; k < s->fragments; q->nobjects++) {
        take = s->chunk < s->fragments - k ? s->chunk : s->fragments - k;
        take = q->head.kind == REEL_TEXT ? s->fragments : take;
        take = k < s->other && k + take > s->other ? s->other - k : take;

        assert_true(q->nobjects < OBJECTS_MAX);
        snprintf(names[q->nobjects], sizeof(names[0]), "%u.mp4", q->nobjects);

        o[q->nobjects] = (reel_ix_object_t) {
            .name = reel_str(names[q->nobjects]),
            .header = header + (s->other != 0 && k >= s->other),
            .base = q->head.kind == REEL_TEXT ? 0 : 700,
            .nfragments = take, .fragments = x + k
        };
        k += take;
    }
}


static void
add_sheets(reel_index_t *ix, reel_buf_t *sizes, uint32_t n)
{
    uint32_t  i;

    reel_buf_init(sizes, 1000);

    for (i = 0; i < n; i++) {
        reel_index_put_sheet(sizes, 20000 + 100 * i);
    }

    if (n != 0) {
        ix->pictures[ix->npictures++] = (reel_pictures_t) {
            .object = REEL_STR("frames.jpgs"), .width = 320, .height = 180,
            .columns = 1, .rows = 1, .interval_ms = 10000, .count = n,
            .sheets = n, .size_bytes = { (char *) sizes->data, sizes->len }
        };
        ix->pictures[ix->npictures++] = (reel_pictures_t) {
            .object = REEL_STR("sheets.jpgs"), .width = 160, .height = 90,
            .columns = 4, .rows = 2, .interval_ms = 2000, .count = 8 * n,
            .sheets = n, .size_bytes = { (char *) sizes->data, sizes->len }
        };
    }
}


static void
make(asset_t *a, const spec_t *s)
{
    char                  (*names)[24];
    uint32_t              seed = 7;
    unsigned              i;
    reel_buf_t            sizes;
    reel_error_t          e;
    reel_ix_object_t     *o;
    reel_ix_fragment_t   *x;
    reel_ix_rendition_t   q[RENDITIONS_MAX];

    reel_index_t  *ix = calloc(1, sizeof(reel_index_t));

    names = calloc(OBJECTS_MAX, sizeof(*names));
    o = calloc((size_t) s->n * OBJECTS_MAX, sizeof(*o));
    x = calloc((size_t) s->n * s->fragments, sizeof(*x));

    assert_true(ix != NULL && names != NULL && o != NULL && x != NULL);

    ix->publication = 3;
    ix->growing = s->growing;
    ix->created_ms = INT64_C(1709210096789);    /* a leap day */
    ix->timescale = s->timescale;
    ix->gop_ts = s->gop_ts;
    ix->fragments = s->fragments;
    ix->end_ts = s->end_ts;
    memcpy(ix->salt, "salt of sixteen!", REEL_INDEX_SALT);

    for (i = 0; i < s->n; i++) {
        ix->headers[ix->nheaders++] = REEL_STR("one header");
        ix->headers[ix->nheaders++] = REEL_STR("another");

        fill_fragments(x + i * s->fragments, s, &s->tracks[i], &seed);
        q[i].head = head_of(s, &s->tracks[i]);
        fill_objects(&q[i], o + i * OBJECTS_MAX, names, x + i * s->fragments,
                     s, q[i].head.kind == REEL_TEXT ? 0 : 2 * i);
    }

    add_sheets(ix, &sizes, s->sheets);
    reel_buf_init(&a->bytes, REEL_INDEX_MAX_BYTES);

    if (reel_index_write(&a->bytes, ix, q, s->n, &e) != REEL_OK) {
        print_error("reel_index_write: %s\n", e.text);
        fail();
    }

    assert_int_equal(reel_index_parse(&a->ix, a->bytes.data, a->bytes.len,
                                      &e), REEL_OK);
    reel_buf_release(&sizes);
    free(ix);
    free(names);
    free(o);
    free(x);
}


static const track_t  film[] = {
    { "v720", REEL_VIDEO, 0, "avc1.64001f", "", "", 1280, 720, 2800 },
    { "v360", REEL_VIDEO, 0, "avc1.4d401e", "", "", 640, 360, 730 },
    { "a128", REEL_AUDIO, 0, "mp4a.40.2", "und", "", 2, 48000, 128 }
};

static const spec_t  film_spec = {
    .timescale = 90000, .gop_ts = 180000, .frame_ts = 3750, .rate_num = 24,
    .rate_den = 1, .fragments = 16, .end_ts = 2812500, .chunk = 6,
    .tracks = film, .n = 3
};


void
asset_film(asset_t *a)
{
    make(a, &film_spec);
}


void
asset_growing(asset_t *a)
{
    spec_t  s = film_spec;

    s.growing = true;
    s.fragments = 5;
    s.end_ts = 900000;
    make(a, &s);
}


void
asset_headers(asset_t *a, uint32_t n, uint32_t from)
{
    spec_t  s = film_spec;

    s.fragments = n;
    s.end_ts = (int64_t) n * 180000;
    s.other = from;
    make(a, &s);
}


void
asset_ntsc(asset_t *a)
{
    static const track_t  tracks[] = {
        { "v1080", REEL_VIDEO, 0, "avc1.640028", "", "", 1920, 1080, 5000 },
        { "a128-fr", REEL_AUDIO, 0, "mp4a.40.2", "fr", "Fran\xc3\xa7""ais", 2,
          44100, 128 }
    };

    make(a, &(spec_t) {
        .timescale = 30000, .gop_ts = 60060, .frame_ts = 1001,
        .rate_num = 60000, .rate_den = 2002, .fragments = 10,
        .end_ts = 600600, .chunk = 5, .tracks = tracks, .n = 2
    });
}


void
asset_silent(asset_t *a)
{
    static const track_t  tracks[] = {
        { "source", REEL_VIDEO, 1, "avc1.42c01e", "", "", 640, 480, 900 },
        { "v426", REEL_VIDEO, 0, "avc1.4d4015", "", "", 426, 240, 300 }
    };

    make(a, &(spec_t) {
        .timescale = 90000, .gop_ts = 180000, .frame_ts = 7200,
        .rate_num = 25, .rate_den = 2, .fragments = 5, .end_ts = 900000,
        .chunk = 5, .tracks = tracks, .n = 2
    });
}


void
asset_radio(asset_t *a)
{
    static const track_t  tracks[] = {
        { "a128-en", REEL_AUDIO, 0, "mp4a.40.2", "en", "", 2, 48000, 128 },
        { "a64-en", REEL_AUDIO, 0, "mp4a.40.5", "en", "", 2, 48000, 64 },
        { "a384-de", REEL_AUDIO, 0, "mp4a.40.2", "de", "Deutsch \"5.1\"", 6,
          48000, 384 },
        { "a96-en-c", REEL_AUDIO, 1, "mp4a.40.2", "en", "", 1, 44100, 96 }
    };

    make(a, &(spec_t) {
        .timescale = 90000, .gop_ts = 180000, .frame_ts = 1,
        .fragments = 13, .end_ts = 2250000, .chunk = 13, .tracks = tracks,
        .n = 4
    });
}


void
asset_opus(asset_t *a)
{
    static const track_t  tracks[] = {
        { "v360", REEL_VIDEO, 0, "avc1.4d401e", "", "", 640, 360, 730 },
        { "o96", REEL_AUDIO, 0, "opus", "en", "", 2, 48000, 96 },
        { "a384-51", REEL_AUDIO, 0, "mp4a.40.2", "en", "", 6, 48000, 384 }
    };

    make(a, &(spec_t) {
        .timescale = 90000, .gop_ts = 180000, .frame_ts = 3750,
        .rate_num = 24, .rate_den = 1, .fragments = 5, .end_ts = 900000,
        .chunk = 5, .tracks = tracks, .n = 3
    });
}


void
asset_rich(asset_t *a)
{
    static const track_t  tracks[] = {
        { "v720", REEL_VIDEO, 0, "avc1.64001f", "", "", 1280, 720, 2800 },
        { "v360", REEL_VIDEO, 0, "avc1.4d401e", "", "", 640, 360, 730 },
        { "h720", REEL_VIDEO, 1, "hvc1.2.4.L93.B0", "", "", 1280, 720, 1900,
          0, REEL_RANGE_PQ },
        { "source", REEL_VIDEO, 2, "avc1.640028", "", "", 1920, 1080, 9000 },
        { "a128-en", REEL_AUDIO, 0, "mp4a.40.2", "en", "", 2, 48000, 128 },
        { "ac3-en", REEL_AUDIO, 1, "ac-3", "en", "", 6, 48000, 384 },
        { "a128-de", REEL_AUDIO, 0, "mp4a.40.2", "de", "Deutsch", 2, 48000,
          128, REEL_ROLE_DUB | REEL_ROLE_DEFAULT },
        { "a96-ad", REEL_AUDIO, 0, "mp4a.40.2", "en", "Described", 2, 48000,
          96, REEL_ROLE_DESCRIPTION },
        { "a96-c", REEL_AUDIO, 0, "mp4a.40.2", "en", "", 2, 48000, 96,
          REEL_ROLE_COMMENTARY },
        { "a384-51-en", REEL_AUDIO, 0, "mp4a.40.2", "en", "", 6, 48000, 384 },
        { "t-en", REEL_TEXT, 0, "wvtt", "en", "", 0, 0, 0 },
        { "t-en-cc", REEL_TEXT, 0, "wvtt", "en", "", 0, 0, 0,
          REEL_ROLE_CAPTIONS | REEL_ROLE_DEFAULT },
        { "t-de", REEL_TEXT, 0, "wvtt", "de", "Deutsch <\"x\">", 0, 0, 0,
          REEL_ROLE_FORCED }
    };

    make(a, &(spec_t) {
        .timescale = 90000, .gop_ts = 180000, .frame_ts = 3750,
        .rate_num = 24, .rate_den = 1, .fragments = 16, .end_ts = 2812500,
        .chunk = 6, .tracks = tracks, .n = 13, .sheets = 2
    });
}


void
asset_long(asset_t *a)
{
    static const track_t  tracks[] = {
        { "v1080", REEL_VIDEO, 0, "avc1.640028", "", "", 1920, 1080, 6000 },
        { "v720", REEL_VIDEO, 0, "avc1.64001f", "", "", 1280, 720, 3000 },
        { "v480", REEL_VIDEO, 0, "avc1.4d401f", "", "", 854, 480, 1400 },
        { "v360", REEL_VIDEO, 0, "avc1.4d401e", "", "", 640, 360, 730 },
        { "v240", REEL_VIDEO, 0, "avc1.4d4015", "", "", 426, 240, 300 },
        { "a128", REEL_AUDIO, 0, "mp4a.40.2", "", "", 2, 48000, 128 }
    };

    make(a, &(spec_t) {
        .timescale = 90000, .gop_ts = 180000, .frame_ts = 3750,
        .rate_num = 24, .rate_den = 1, .fragments = 3600,
        .end_ts = INT64_C(3600) * 180000 - 60000, .chunk = 6,
        .tracks = tracks, .n = 6
    });
}


void
asset_first(asset_t *a)
{
    char    *data;
    size_t   n;

    data = golden_read("first.index", &n);
    reel_buf_init(&a->bytes, n);
    reel_buf_add(&a->bytes, data, n);
    free(data);

    assert_int_equal(reel_index_parse(&a->ix, a->bytes.data, a->bytes.len,
                                      NULL), REEL_OK);
}


void
asset_release(asset_t *a)
{
    reel_buf_release(&a->bytes);
}
