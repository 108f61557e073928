#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "lib/base/crc32c.h"
#include "tests/unit/index/facts.h"

#define RUNGS_MAX 8
#define FENCE     UINT64_C(1732358400000000)


/* not rand(): the golden file must not depend on a libc */
static uint32_t
draw(uint32_t *seed, uint32_t n)
{
    *seed = *seed * 1664525 + 1013904223;

    return (*seed >> 8) % n;
}


static void *
own(facts_t *f, size_t n, size_t size)
{
    void  *p = calloc(n != 0 ? n : 1, size);

    assert_non_null(p);
    f->owned = realloc(f->owned, (f->nowned + 1) * sizeof(void *));
    assert_non_null(f->owned);
    f->owned[f->nowned++] = p;

    return p;
}


void
facts_release(facts_t *f)
{
    size_t  i;

    for (i = 0; i < f->nowned; i++) {
        free(f->owned[i]);
    }

    free(f->owned);
    f->owned = NULL;
    f->nowned = 0;
}


/* as workerd names them; all renditions of a task have one token */
static reel_str_t
name(facts_t *f, uint32_t chunk, unsigned group)
{
    char      *z = own(f, REEL_INDEX_OBJECT_NAME + 1, 1);
    uint32_t   seed = chunk * 8 + group + 1;
    uint64_t   fence = FENCE + (uint64_t) chunk * 2000003 + group;

    snprintf(z, REEL_INDEX_OBJECT_NAME + 1, "%u-%llu-%08x%08x.mp4", chunk,
             (unsigned long long) fence, draw(&seed, 1 << 24) * 251,
             draw(&seed, 1 << 24) * 241);

    return reel_str(z);
}


/* access units of 1024 that start in grid slot k of two seconds */
static uint32_t
access_units(uint32_t k, int64_t end_ts)
{
    uint64_t  total = ((uint64_t) end_ts * 48000 / 90000 + 1023) / 1024;
    uint64_t  from = ((uint64_t) k * 96000 + 1023) / 1024;
    uint64_t  to = ((uint64_t) (k + 1) * 96000 + 1023) / 1024;

    return (uint32_t) ((to > total ? total : to) - from);
}


static reel_ix_fragment_t *
video_fragments(facts_t *f, uint32_t *seed, uint32_t kbps, uint32_t fps)
{
    uint32_t             i, n = f->ix.fragments, frames, bytes;
    reel_ix_fragment_t  *x = own(f, n, sizeof(*x));

    for (i = 0; i < n; i++) {
        x[i].duration = i + 1 < n ? f->ix.gop_ts
                        : (uint32_t) (f->ix.end_ts
                                      - (int64_t) i * f->ix.gop_ts);
        frames = x[i].duration / (90000 / fps);
        bytes = kbps * 125 / (90000 / 1000) * (x[i].duration / 1000);

        x[i].size = bytes / 2 + draw(seed, bytes) + 600;
        x[i].samples = frames;
        x[i].iframe = x[i].size / 12 + draw(seed, x[i].size / 6) + 500;
    }

    return x;
}


static reel_ix_fragment_t *
audio_fragments(facts_t *f, uint32_t *seed, uint32_t kbps)
{
    uint32_t             i, n = f->ix.fragments;
    reel_ix_fragment_t  *x = own(f, n, sizeof(*x));

    for (i = 0; i < n; i++) {
        x[i].samples = access_units(i, f->ix.end_ts);
        x[i].duration = x[i].samples * 1024;
        x[i].size = 492 + x[i].duration / 96 * kbps / 4
                    + draw(seed, 200);
    }

    return x;
}


/* objects of `first`, then `chunk` fragments each */
static void
cut(facts_t *f, reel_ix_rendition_t *q, const reel_ix_fragment_t *x,
    uint32_t first, uint32_t chunk, unsigned group, uint32_t header,
    uint64_t base)
{
    uint32_t           k = 0, take, n = f->ix.fragments;
    reel_ix_object_t  *o = own(f, n, sizeof(*o));

    q->objects = o;

    while (k < n) {
        take = k == 0 ? first : chunk;
        take = take < n - k ? take : n - k;

        o[q->nobjects] = (reel_ix_object_t) {
            .name = name(f, q->nobjects, group), .header = header,
            .base = base, .nfragments = take, .fragments = x + k
        };

        q->nobjects++;
        k += take;
    }
}


static void
begin(facts_t *f, uint32_t fragments, int64_t end_ts, unsigned n)
{
    unsigned  i;

    memset(f, 0, sizeof(*f));

    f->ix.publication = 1;
    f->ix.created_ms = INT64_C(1732358400123);
    f->ix.timescale = 90000;
    f->ix.gop_ts = 180000;
    f->ix.fragments = fragments;
    f->ix.end_ts = end_ts;
    f->ix.constant_rate = true;

    for (i = 0; i < REEL_INDEX_SALT; i++) {
        f->ix.salt[i] = (uint8_t) (i * 17);
    }

    f->n = n;
    f->renditions = own(f, n, sizeof(*f->renditions));
}


static reel_ix_rendition_t *
video(facts_t *f, unsigned i, const char *rname, const char *codec,
    uint32_t width, uint32_t height)
{
    f->renditions[i].head = (reel_rendition_t) {
        .name = reel_str(rname), .kind = REEL_VIDEO, .switching_set = 0,
        .codec = reel_str(codec), .timescale = 90000, .width = width,
        .height = height, .rate_num = 24, .rate_den = 1
    };

    return &f->renditions[i];
}


static reel_ix_rendition_t *
audio(facts_t *f, unsigned i)
{
    f->renditions[i].head = (reel_rendition_t) {
        .name = REEL_STR("a128"), .kind = REEL_AUDIO,
        .codec = REEL_STR("mp4a.40.2"), .language = REEL_STR("en"),
        .label = REEL_STR("English \xe2\x80\x93 \"main\" & <only>"),
        .timescale = 48000, .channels = 2, .sample_rate = 48000
    };

    return &f->renditions[i];
}


/* one file of cues; nobody speaks in every third slot */
static void
text(facts_t *f, unsigned i)
{
    uint32_t             k, n = f->ix.fragments;
    reel_ix_object_t    *o = own(f, 1, sizeof(*o));
    reel_ix_fragment_t  *x = own(f, n, sizeof(*x));

    for (k = 0; k < n; k++) {
        x[k].duration = 2000;
        x[k].samples = k % 3 != 2;
        x[k].size = k % 3 != 2 ? 60 + k : 0;
    }

    *o = (reel_ix_object_t) {
        .name = REEL_STR("cues.vtt"), .nfragments = n, .fragments = x
    };

    f->renditions[i].objects = o;
    f->renditions[i].nobjects = 1;
    f->renditions[i].head = (reel_rendition_t) {
        .name = REEL_STR("t-de"), .kind = REEL_TEXT,
        .codec = REEL_STR("wvtt"), .language = REEL_STR("de"),
        .label = REEL_STR("Deutsch"), .timescale = 1000,
        .roles = REEL_ROLE_CAPTIONS | REEL_ROLE_DEFAULT
    };
}


static void
pictures(facts_t *f)
{
    f->ix.npictures = 2;
    f->ix.pictures[0] = (reel_pictures_t) {
        .object = REEL_STR("frames-320.jpgs"), .width = 320, .height = 180,
        .columns = 1, .rows = 1, .interval_ms = 5000, .count = 4,
        .size_bytes = REEL_STR("\xf0\x2e\xf1\x2e\xf2\x2e\xf3\x2e")
    };
    f->ix.pictures[1] = (reel_pictures_t) {
        .object = REEL_STR("sheets.jpgs"), .width = 160, .height = 90,
        .columns = 3, .rows = 1, .interval_ms = 5000, .count = 4,
        .size_bytes = REEL_STR("\x88\x27\xd0\x0f")
    };
}


void
facts_first(facts_t *f)
{
    uint32_t           seed = 1;
    reel_ix_object_t  *o;

    begin(f, 8, 7 * 180000 + 135000, 5);

    f->ix.master_key_id = 7;
    f->ix.nheaders = 4;
    f->ix.headers[0] = REEL_STR("header of v720");
    f->ix.headers[1] = REEL_STR("header of v480");
    f->ix.headers[2] = REEL_STR("header of v360");
    f->ix.headers[3] = REEL_STR("header of a128");
    f->ix.nimages = 1;
    f->ix.images[0] = (reel_image_t) {
        REEL_IMAGE_POSTER, REEL_STR("poster-1732358400000009-00ff00ff00ff00ff"
                                    ".jpg"), 1280, 720, 54321
    };

    pictures(f);

    cut(f, video(f, 0, "v720", "avc1.64001f", 1280, 720),
        video_fragments(f, &seed, 3000, 24), 3, 4, 0, 0, 702);
    cut(f, video(f, 1, "v480", "avc1.4d401e", 854, 480),
        video_fragments(f, &seed, 1100, 24), 3, 4, 0, 1, 702);
    cut(f, video(f, 2, "v360", "avc1.42c01e", 640, 360),
        video_fragments(f, &seed, 365, 24), 3, 4, 1, 2, 698);
    cut(f, audio(f, 3), audio_fragments(f, &seed, 128), 8, 8, 2, 3, 593);
    text(f, 4);
    f->renditions[0].head.video_range = REEL_RANGE_HLG;
    f->renditions[3].head.roles = REEL_ROLE_DEFAULT;

    /* a name of another form, and one object that begins elsewhere */
    o = (reel_ix_object_t *) f->renditions[2].objects;
    o[1].name = REEL_STR("retry_of.2.mp4");
    o[1].base = 70000;
}


void
facts_random(facts_t *f, unsigned seed_from, uint32_t fragments,
    unsigned rungs, uint32_t chunk)
{
    uint32_t              seed = seed_from;
    unsigned              i;
    reel_ix_fragment_t   *x;
    reel_ix_rendition_t  *q;

    static const struct {
        const char *name;
        uint32_t    width, height, kbps;
    } ladder[RUNGS_MAX] = {
        { "v1080", 1920, 1080, 6000 }, { "v720", 1280, 720, 3000 },
        { "v480", 854, 480, 1400 }, { "v360", 640, 360, 730 },
        { "v240", 426, 240, 300 }, { "v180", 320, 180, 200 },
        { "v144", 256, 144, 145 }, { "v120", 214, 120, 100 }
    };

    assert_true(rungs <= RUNGS_MAX);
    begin(f, fragments,
          (int64_t) fragments * 180000 - draw(&seed, 8) * 15000, rungs + 1);

    f->ix.nheaders = rungs + 1;

    for (i = 0; i <= rungs; i++) {
        char  *header = own(f, 700, 1);

        snprintf(header, 700, "header of rendition %u", i);
        f->ix.headers[i] = (reel_str_t) { header, 700 };
    }

    for (i = 0; i < rungs; i++) {
        q = video(f, i, ladder[i].name, "avc1.640028", ladder[i].width,
                  ladder[i].height);
        x = video_fragments(f, &seed, ladder[i].kbps, 24);
        cut(f, q, x, 3, chunk, i + 1 == rungs, i, 702);
    }

    cut(f, audio(f, rungs), audio_fragments(f, &seed, 128), 30, 30, 2, rungs,
        593);
}


void
facts_write(reel_buf_t *b, const facts_t *f)
{
    reel_error_t  e = { "" };

    reel_buf_init(b, REEL_INDEX_MAX_BYTES);

    if (reel_index_write(b, &f->ix, f->renditions, f->n, &e) != REEL_OK) {
        print_error("reel_index_write: %s\n", e.text);
        fail();
    }
}


void
facts_seal(uint8_t *data, size_t len)
{
    uint32_t  crc = reel_crc32c(0, data, len - 4);

    data[len - 4] = (uint8_t) crc;
    data[len - 3] = (uint8_t) (crc >> 8);
    data[len - 2] = (uint8_t) (crc >> 16);
    data[len - 1] = (uint8_t) (crc >> 24);
}
