#include "lib/manifest/listing.h"


uint32_t
reel_listing_segments(const reel_index_t *ix, uint32_t per)
{
    return ix->growing ? ix->fragments / per : reel_index_segments(ix, per);
}


reel_str_t
reel_listing_language(const reel_rendition_t *r)
{
    if (reel_str_eqz(r->language, "und")) {
        return REEL_STR("");
    }

    return r->language;
}


static void
add_video(reel_listing_t *l, const reel_rendition_t *r, reel_bitrate_t rate)
{
    l->video[l->nvideo++] = (reel_listed_t) { .r = r, .rate = rate };
}


static void
add_audio(reel_listing_t *l, const reel_rendition_t *r, reel_bitrate_t rate)
{
    unsigned        i, track = l->ntracks, rank = 0;
    reel_listed_t  *a;

    for (i = 0; i < l->naudio; i++) {
        a = &l->audio[i];

        if (a->r->switching_set == r->switching_set
            && reel_str_eq(reel_listing_language(a->r),
                           reel_listing_language(r)))
        {
            track = a->track;
            rank = a->rank + 1;
        }
    }

    l->ntracks += track == l->ntracks;
    l->nranks = rank >= l->nranks ? rank + 1 : l->nranks;

    l->audio[l->naudio++] = (reel_listed_t) {
        .r = r, .rate = rate, .track = track, .rank = rank
    };
}


reel_err_t
reel_listing(reel_listing_t *l, const reel_index_t *ix,
    const reel_manifest_opts_t *o)
{
    bool                     other = false;
    unsigned                 i;
    reel_bitrate_t           rate;
    const reel_rendition_t  *r;

    if (o->per == 0) {
        return REEL_INVAL;
    }

    l->nvideo = 0;
    l->naudio = 0;
    l->ntracks = 0;
    l->nranks = 0;
    l->segments = reel_listing_segments(ix, o->per);

    reel_version_hash(l->hash, ix, o);

    if (l->hash[0] == '\0') {
        return REEL_NOMEM;
    }

    for (i = 0; i < ix->nrenditions; i++) {
        r = &ix->renditions[i];

        if (r->kind == REEL_TEXT) {
            continue;
        }

        if (r->kind == REEL_VIDEO && r->switching_set != o->switching_set) {
            other = true;
            continue;
        }

        rate = reel_index_bitrate(ix, r, o->per);

        if (r->kind == REEL_VIDEO) {
            add_video(l, r, rate);
        } else {
            add_audio(l, r, rate);
        }
    }

    if (l->nvideo == 0 && (l->naudio == 0 || other)) {
        return REEL_NOTFOUND;
    }

    return REEL_OK;
}


const reel_listed_t *
reel_listing_audio(const reel_listing_t *l, unsigned track, unsigned rank)
{
    unsigned              i;
    const reel_listed_t  *last = NULL;

    for (i = 0; i < l->naudio; i++) {
        if (l->audio[i].track == track && l->audio[i].rank <= rank) {
            last = &l->audio[i];
        }
    }

    return last;
}
