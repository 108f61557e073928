#include <inttypes.h>
#include <stdlib.h>

#include "lib/base/rescale.h"
#include "lib/manifest/hls.h"
#include "lib/manifest/listing.h"


/* Apple's authoring rules, 1.32: what a player should begin with */
#define DEFAULT_BPS 2000000


typedef struct {
    const reel_listed_t *main;          /* whose playlist it names */
    unsigned             rank;          /* audio group; video only: none */
    uint64_t             peak;
    uint64_t             average;
} variant_t;


/* RFC 8216bis, 4.2: a quoted-string has no quotes of its own */
static void
add_quoted(reel_buf_t *b, reel_str_t s)
{
    size_t  i;

    for (i = 0; i < s.len; i++) {
        reel_buf_u8(b, s.p[i] == '"' ? '\'' : (uint8_t) s.p[i]);
    }
}


/* what a viewer reads in the menu */
static reel_str_t
track_name(const reel_rendition_t *r)
{
    reel_str_t  language = reel_listing_language(r);

    if (r->label.len != 0) {
        return r->label;
    }

    return language.len != 0 ? language : REEL_STR("Audio");
}


/* 4.4.6.1: names are unique in a group */
static void
add_name(reel_buf_t *b, const reel_listing_t *l, unsigned track,
    unsigned rank)
{
    unsigned                 i;
    const reel_rendition_t  *r, *other;

    r = reel_listing_audio(l, track, rank)->r;
    add_quoted(b, track_name(r));

    for (i = 0; i < track; i++) {
        other = reel_listing_audio(l, i, rank)->r;

        if (reel_str_eq(track_name(other), track_name(r))) {
            reel_buf_printf(b, " (%.*s)", (int) r->name.len, r->name.p);
            return;
        }
    }
}


static void
add_media(reel_buf_t *b, const reel_listing_t *l, unsigned track,
    unsigned rank)
{
    reel_str_t               language;
    const reel_rendition_t  *r;

    r = reel_listing_audio(l, track, rank)->r;
    language = reel_listing_language(r);

    reel_buf_printf(b, "#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"audio%u\",NAME=\"",
                    rank);
    add_name(b, l, track, rank);
    reel_buf_addz(b, "\"");

    if (language.len != 0) {
        reel_buf_printf(b, ",LANGUAGE=\"%.*s\"", (int) language.len,
                        language.p);
    }

    reel_buf_printf(b, ",DEFAULT=%s,AUTOSELECT=YES,CHANNELS=\"%" PRIu32 "\","
                    "URI=\"%.*s~%s/media.m3u8\"\n",
                    track == 0 ? "YES" : "NO", r->channels,
                    (int) r->name.len, r->name.p, l->hash);
}


/* ",mp4a.40.2" for each codec of the group that was not named yet */
static void
add_group_codecs(reel_buf_t *b, const reel_listing_t *l, const variant_t *v)
{
    bool        seen;
    unsigned    i, j;
    reel_str_t  codec;

    for (i = 0; i < l->ntracks; i++) {
        codec = reel_listing_audio(l, i, v->rank)->r->codec;
        seen = reel_str_eq(codec, v->main->r->codec);

        for (j = 0; j < i && !seen; j++) {
            seen = reel_str_eq(codec,
                               reel_listing_audio(l, j, v->rank)->r->codec);
        }

        if (!seen) {
            reel_buf_printf(b, ",%.*s", (int) codec.len, codec.p);
        }
    }
}


static void
add_frame_rate(reel_buf_t *b, const reel_rendition_t *r)
{
    uint64_t  milli;

    milli = (uint64_t) reel_rescale(r->rate_num, 1000, r->rate_den,
                                    REEL_ROUND_NEAR);

    reel_buf_printf(b, ",FRAME-RATE=%" PRIu64 ".%03" PRIu64, milli / 1000,
                    milli % 1000);
}


static void
add_variant(reel_buf_t *b, const reel_listing_t *l, const variant_t *v,
    bool groups)
{
    const reel_rendition_t  *r = v->main->r;

    reel_buf_printf(b, "#EXT-X-STREAM-INF:BANDWIDTH=%" PRIu64
                    ",AVERAGE-BANDWIDTH=%" PRIu64 ",CODECS=\"%.*s",
                    v->peak, v->average, (int) r->codec.len, r->codec.p);

    if (groups) {
        add_group_codecs(b, l, v);
    }

    reel_buf_addz(b, "\"");

    if (r->kind == REEL_VIDEO) {
        reel_buf_printf(b, ",RESOLUTION=%" PRIu32 "x%" PRIu32, r->width,
                        r->height);
        add_frame_rate(b, r);
    }

    if (groups) {
        reel_buf_printf(b, ",AUDIO=\"audio%u\"", v->rank);
    }

    /* we take captions out of the pictures */
    if (r->kind == REEL_VIDEO) {
        reel_buf_addz(b, ",CLOSED-CAPTIONS=NONE");
    }

    reel_buf_printf(b, "\n%.*s~%s/media.m3u8\n", (int) r->name.len, r->name.p,
                    l->hash);
}


/* 4.4.6.2: BANDWIDTH is that of the worst combination that may be played */
static void
fill_variant(variant_t *v, const reel_listing_t *l, const reel_listed_t *main,
    unsigned rank)
{
    unsigned         i;
    reel_bitrate_t   worst = { 0, 0 };
    reel_bitrate_t  *base, none = { 0, 0 };
    reel_bitrate_t   rate = main->rate;

    /* an audio variant is itself one of the group */
    base = main->r->kind == REEL_VIDEO ? &rate : &none;

    for (i = 0; i < l->ntracks; i++) {
        const reel_listed_t  *a = reel_listing_audio(l, i, rank);

        if (a->rate.peak > worst.peak) {
            worst.peak = a->rate.peak;
        }

        if (a->rate.average > worst.average) {
            worst.average = a->rate.average;
        }
    }

    v->main = main;
    v->rank = rank;
    v->peak = base->peak + worst.peak;
    v->average = base->average + worst.average;
}


static int
falling(const void *one, const void *two)
{
    const variant_t  *a = one, *b = two;

    if (a->peak != b->peak) {
        return a->peak < b->peak ? 1 : -1;
    }

    if (a->rank != b->rank) {
        return a->rank < b->rank ? -1 : 1;
    }

    /* both point into one array */
    return a->main < b->main ? -1 : a->main > b->main;
}


/* the one nearest to DEFAULT_BPS from below, else the lowest */
static unsigned
default_variant(const variant_t *v, unsigned n)
{
    unsigned  i;

    for (i = 0; i < n; i++) {
        if (v[i].peak <= DEFAULT_BPS) {
            return i;
        }
    }

    return n - 1;
}


static unsigned
list_variants(variant_t *v, const reel_listing_t *l)
{
    unsigned  i, rank, n = 0, ranks = l->nranks != 0 ? l->nranks : 1;

    for (rank = 0; rank < ranks; rank++) {

        if (l->nvideo == 0) {
            fill_variant(&v[n++], l, reel_listing_audio(l, 0, rank), rank);
            continue;
        }

        for (i = 0; i < l->nvideo; i++) {
            fill_variant(&v[n++], l, &l->video[i], rank);
        }
    }

    qsort(v, n, sizeof(variant_t), falling);

    return n;
}


static void
print_master(reel_buf_t *b, const reel_listing_t *l, const variant_t *v,
    unsigned n)
{
    bool      groups;
    unsigned  i, first, track, rank;

    /* one track of sound alone needs no group: its variants are all */
    groups = l->nvideo != 0 ? l->naudio != 0 : l->ntracks > 1;

    reel_buf_printf(b, "#EXTM3U\n#EXT-X-VERSION:%d\n"
                    "#EXT-X-INDEPENDENT-SEGMENTS\n", REEL_HLS_VERSION);

    for (rank = 0; groups && rank < l->nranks; rank++) {
        for (track = 0; track < l->ntracks; track++) {
            add_media(b, l, track, rank);
        }
    }

    first = default_variant(v, n);
    add_variant(b, l, &v[first], groups);

    for (i = 0; i < n; i++) {
        if (i != first) {
            add_variant(b, l, &v[i], groups);
        }
    }
}


reel_err_t
reel_hls_master(reel_buf_t *b, const reel_index_t *ix,
    const reel_manifest_opts_t *o)
{
    unsigned         n, ranks;
    variant_t       *v;
    reel_err_t       err;
    reel_listing_t   l;

    err = reel_listing(&l, ix, o);
    if (err != REEL_OK) {
        return err;
    }

    ranks = l.nranks != 0 ? l.nranks : 1;

    v = calloc((size_t) (l.nvideo + 1) * ranks, sizeof(variant_t));
    if (v == NULL) {
        return REEL_NOMEM;
    }

    n = list_variants(v, &l);
    print_master(b, &l, v, n);
    free(v);

    return reel_buf_err(b);
}
