#include <inttypes.h>
#include <stdlib.h>

#include "lib/base/rescale.h"
#include "lib/manifest/hls.h"
#include "lib/manifest/protection.h"
#include "lib/manifest/rates.h"


/* Apple's authoring rules, 1.32: what a player should begin with */
#define DEFAULT_BPS 2000000


typedef struct {
    const reel_listed_t *main;          /* whose playlist it names */
    unsigned             rank;          /* audio group; video only: none */
    uint64_t             peak;
    uint64_t             average;
} variant_t;


/* MP3 by its audio object type: what Apple's players ask for */
static reel_str_t
codec_of(const reel_rendition_t *r)
{
    bool  mp3 = reel_str_eqz(r->codec, "mp4a.6B")
                || reel_str_eqz(r->codec, "mp4a.69");

    return mp3 ? reel_str("mp4a.40.34") : r->codec;
}


/* ",mp4a.40.2" for each codec of the group that was not named yet */
static void
add_group_codecs(reel_buf_t *b, const reel_listing_t *l, const variant_t *v)
{
    bool        seen;
    unsigned    i, j;
    reel_str_t  codec;

    for (i = 0; i < l->ntracks; i++) {
        codec = codec_of(reel_listing_audio(l, i, v->rank)->r);
        seen = reel_str_eq(codec, codec_of(v->main->r));

        for (j = 0; j < i && !seen; j++) {
            seen = reel_str_eq(codec, codec_of(reel_listing_audio(l, j,
                                                                  v->rank)
                                               ->r));
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


/* RESOLUTION and VIDEO-RANGE, the latter unless all are SDR (Apple, 9.16) */
static void
add_picture(reel_buf_t *b, const reel_listing_t *l, const reel_rendition_t *r,
    bool frame_rate)
{
    static const char *const  ranges[] = { "SDR", "HLG", "PQ" };

    reel_buf_printf(b, ",RESOLUTION=%" PRIu32 "x%" PRIu32, r->width,
                    r->height);

    if (frame_rate) {
        add_frame_rate(b, r);
    }

    if (l->hdr) {
        reel_buf_printf(b, ",VIDEO-RANGE=%s", ranges[r->video_range]);
    }
}


static void
add_variant(reel_buf_t *b, const reel_listing_t *l, const variant_t *v,
    bool groups)
{
    reel_str_t               codec = codec_of(v->main->r);
    const reel_rendition_t  *r = v->main->r;

    reel_buf_printf(b, "#EXT-X-STREAM-INF:BANDWIDTH=%" PRIu64
                    ",AVERAGE-BANDWIDTH=%" PRIu64 ",CODECS=\"%.*s",
                    v->peak, v->average, (int) codec.len, codec.p);

    if (groups) {
        add_group_codecs(b, l, v);
    }

    reel_buf_addz(b, "\"");

    if (r->kind == REEL_VIDEO) {
        add_picture(b, l, r, true);
    }

    if (groups) {
        reel_buf_printf(b, ",AUDIO=\"audio%u\"", v->rank);
    }

    if (l->ntext != 0) {
        reel_buf_addz(b, ",SUBTITLES=\"text\"");
    }

    /* we take captions out of the pictures */
    if (r->kind == REEL_VIDEO) {
        reel_buf_addz(b, ",CLOSED-CAPTIONS=NONE");
    }

    reel_buf_addz(b, "\n");
    reel_listing_uri(b, l, v->main, "media", v->main->hash);
    reel_buf_addz(b, "\n");
}


/* 4.4.6.3 */
static void
add_iframes(reel_buf_t *b, const reel_listing_t *l, const reel_listed_t *x,
    const char *hash)
{
    const reel_rendition_t  *r = x->r;

    reel_buf_printf(b, "#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=%" PRIu64
                    ",AVERAGE-BANDWIDTH=%" PRIu64 ",CODECS=\"%.*s\"",
                    x->iframes.peak, x->iframes.average, (int) r->codec.len,
                    r->codec.p);
    add_picture(b, l, r, false);
    reel_buf_addz(b, ",URI=\"");
    reel_listing_uri(b, l, x, "iframes", hash);
    reel_buf_addz(b, "\"\n");
}


/* 4.4.6.2: BANDWIDTH is that of the worst combination that may be played */
static void
fill_variant(variant_t *v, const reel_listing_t *l, const reel_listed_t *main,
    unsigned rank)
{
    unsigned        i;
    reel_bitrate_t  sound = { 0, 0 }, text = { 0, 0 };

    v->main = main;
    v->rank = rank;
    v->peak = 0;
    v->average = 0;

    for (i = 0; i < l->ntracks; i++) {
        reel_bitrate_raise(&sound, reel_listing_audio(l, i, rank)->rate);
    }

    for (i = 0; i < l->ntext; i++) {
        reel_bitrate_raise(&text, l->text[i].rate);
    }

    /* an audio variant is itself one of the group */
    if (main->r->kind == REEL_VIDEO) {
        v->peak = main->rate.peak;
        v->average = main->rate.average;
    }

    v->peak += sound.peak + text.peak;
    v->average += sound.average + text.average;
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


/* what every player can show */
static bool
plain(const variant_t *v)
{
    const reel_rendition_t  *r = v->main->r;

    return v->rank == 0
           && (r->kind != REEL_VIDEO
               || (r->video_range == REEL_RANGE_SDR
                   && reel_str_eqz(reel_listing_family(r), "avc1")));
}


/* the one nearest to DEFAULT_BPS from below, else the lowest; plain first */
static unsigned
default_variant(const variant_t *v, unsigned n)
{
    unsigned  i, lowest = n;

    for (i = 0; i < n; i++) {
        if (!plain(&v[i])) {
            continue;
        }

        lowest = i;

        if (v[i].peak <= DEFAULT_BPS) {
            return i;
        }
    }

    for (i = 0; i < n && lowest == n; i++) {
        if (v[i].peak <= DEFAULT_BPS) {
            return i;
        }
    }

    return lowest < n ? lowest : n - 1;
}


static unsigned
list_variants(variant_t *v, const reel_listing_t *l)
{
    unsigned  i, rank, n = 0, ranks = l->nranks != 0 ? l->nranks : 1;
    unsigned  track = reel_listing_default(l);

    for (rank = 0; rank < ranks; rank++) {

        if (l->nvideo == 0) {
            fill_variant(&v[n++], l, reel_listing_audio(l, track, rank),
                         rank);
            continue;
        }

        for (i = 0; i < l->nvideo; i++) {
            fill_variant(&v[n++], l, &l->video[i], rank);
        }
    }

    qsort(v, n, sizeof(variant_t), falling);

    return n;
}


static reel_err_t
print_master(reel_buf_t *b, const reel_listing_t *l,
    const reel_manifest_opts_t *o, const variant_t *v, unsigned n)
{
    int         version;
    bool        groups;
    unsigned    i, first;
    reel_err_t  err = REEL_OK;

    groups = l->nvideo != 0 ? l->naudio != 0 : l->ntracks > 1;

    version = o->container != REEL_CONTAINER_TS ? REEL_HLS_VERSION
              : o->protection != NULL ? REEL_HLS_VERSION_KEYS
              : REEL_HLS_VERSION_GROUPS;

    reel_buf_printf(b, "#EXTM3U\n#EXT-X-VERSION:%d\n"
                    "#EXT-X-INDEPENDENT-SEGMENTS\n", version);
    reel_hls_start(b, &l->span, o);

    if (o->protection != NULL) {
        err = reel_hls_session_keys(b, l, o);
    }

    reel_hls_groups(b, l);

    first = default_variant(v, n);
    add_variant(b, l, &v[first], groups);

    for (i = 0; i < n; i++) {
        if (i != first) {
            add_variant(b, l, &v[i], groups);
        }
    }

    return err;
}


/* ranges of the stored CMAF, whatever the container of segments is */
static reel_err_t
print_iframes(reel_buf_t *b, const reel_listing_t *l,
    const reel_manifest_opts_t *o)
{
    char                  hash[REEL_VERSION_HASH + 1];
    unsigned              i;
    reel_manifest_opts_t  cmaf = *o;

    cmaf.container = REEL_CONTAINER_CMAF;

    for (i = 0; i < l->nvideo; i++) {
        memcpy(hash, l->video[i].hash, sizeof(hash));

        if (o->container != REEL_CONTAINER_CMAF) {
            cmaf.protection = l->video[i].protection;
            reel_version_hash(hash, l->video[i].ix, &cmaf);
        }

        if (hash[0] == '\0') {
            return REEL_NOMEM;
        }

        add_iframes(b, l, &l->video[i], hash);
    }

    return REEL_OK;
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
    err = print_master(b, &l, o, v, n);
    free(v);

    if (err == REEL_OK) {
        err = print_iframes(b, &l, o);
    }

    return err != REEL_OK ? err : reel_buf_err(b);
}
