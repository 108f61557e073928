/* loads what a multivariant or a media playlist names */

#include <stdio.h>
#include <stdlib.h>

#include "reelctl/check.h"


#define SECOND 1000000


static reel_str_t
body_of(const reel_check_file_t *f)
{
    return (reel_str_t) { (const char *) f->body.data, f->body.len };
}


static bool
ends_in(const char *url, const char *end)
{
    size_t  n = strcspn(url, "?#"), m = strlen(end);

    return n >= m && strncmp(url + n - m, end, m) == 0;
}


static reel_check_form_t
form_of(const reel_check_track_t *t)
{
    if (t->nsegments == 0) {
        return REEL_CHECK_NONE;
    }

    if (ends_in(t->segments[0].url, ".vtt")
        || ends_in(t->segments[0].url, ".webvtt"))
    {
        return REEL_CHECK_VTT;
    }

    return t->ninits != 0 ? REEL_CHECK_MP4 : REEL_CHECK_TS;
}


static bool
add_segments(reel_check_t *k, reel_check_track_t *t)
{
    int                          map;
    unsigned                     n;
    int64_t                      at = 0;
    reel_check_segment_t        *s;
    const reel_m3u8_segment_t   *g;

    if (!reel_check_room(k, t->list.nsegments)) {
        return false;
    }

    t->segments = calloc(t->list.nsegments + 1, sizeof(*t->segments));
    if (t->segments == NULL) {
        return false;
    }

    for (n = 0; n < t->list.nsegments; n++) {
        g = &t->list.segments[n];
        s = &t->segments[n];
        map = g->map;

        *s = (reel_check_segment_t) {
            .url = reel_check_join(k, t->file->url, g->uri),
            .offset = g->offset, .length = g->length, .start_us = at,
            .duration_us = reel_check_time(g->duration_us), .line = g->line,
            .discontinuity = g->discontinuity, .init = -1
        };

        if (s->url == NULL) {
            return false;
        }

        if (map >= 0) {
            s->init = reel_check_add_init(t, reel_check_join(k, t->file->url,
                          reel_m3u8_get(&t->list.entries[map], "URI")));
        }

        at = reel_check_add(at, s->duration_us);
        t->nsegments++;
    }

    t->duration_us = at;

    return true;
}


/* without a master, what it is stands in its header */
static void
find_kind(reel_check_track_t *t)
{
    const reel_check_init_t  *i = reel_check_head_of(t);

    if (t->form == REEL_CHECK_VTT) {
        t->kind = REEL_CHECK_TEXT;

    } else if (t->form == REEL_CHECK_MP4 && i->read && i->width == 0) {
        t->kind = i->channels != 0 ? REEL_CHECK_AUDIO : REEL_CHECK_TEXT;

    } else if (t->form == REEL_CHECK_TS && i->read && t->nsegments != 0) {
        t->kind = t->segments[0].m.video_tracks != 0 ? REEL_CHECK_VIDEO
                                                     : REEL_CHECK_AUDIO;
    }
}


/* the track of a playlist; kind 0: to be found out */
static int
load_track(reel_check_t *k, const char *url, reel_check_kind_t kind)
{
    unsigned             n;
    reel_err_t           err;
    reel_check_file_t   *f;
    reel_check_track_t  *t;

    for (n = 0; n < k->ntracks; n++) {
        if (k->tracks[n]->file != NULL
            && strcmp(k->tracks[n]->file->url, url) == 0)
        {
            return (int) n;
        }
    }

    f = reel_check_get(k, url, REEL_M3U8_MAX, true);
    if (f == NULL) {
        return -1;
    }

    t = reel_check_add_track(k, kind != 0 ? kind : REEL_CHECK_VIDEO);
    if (t == NULL) {
        return -1;
    }

    t->file = f;
    t->name = strdup(url);
    err = reel_m3u8_read(&t->list, body_of(f));

    if (err == REEL_LIMIT) {
        reel_check_stop(k, "a playlist names more than %u segments",
                        REEL_M3U8_SEGMENTS);
    }

    if (kind == 0 && t->list.iframes_only) {
        t->kind = kind = REEL_CHECK_IFRAMES;
    }

    if (t->name == NULL || err == REEL_NOMEM || !add_segments(k, t)) {
        k->broken |= t->name == NULL || err == REEL_NOMEM;
    }

    t->form = form_of(t);
    reel_check_measure(k, t);
    reel_check_rates(t, (int64_t) t->list.target_s * SECOND);

    if (kind == 0) {
        find_kind(t);
    }

    return (int) k->ntracks - 1;
}


static reel_check_kind_t
kind_of(const reel_m3u8_entry_t *e)
{
    reel_str_t  type = reel_m3u8_get(e, "TYPE");

    if (e->tag == REEL_M3U8_ISTREAM) {
        return REEL_CHECK_IFRAMES;
    }

    if (e->tag == REEL_M3U8_STREAM) {
        return reel_m3u8_get(e, "RESOLUTION").p != NULL ? REEL_CHECK_VIDEO : 0;
    }

    return reel_str_eqz(type, "AUDIO") ? REEL_CHECK_AUDIO
           : reel_str_eqz(type, "VIDEO") ? REEL_CHECK_VIDEO
           : REEL_CHECK_TEXT;
}


/* EXT-X-MEDIA, EXT-X-STREAM-INF and EXT-X-I-FRAME-STREAM-INF that have one */
static bool
load_uses(reel_check_t *k)
{
    char                      *url;
    unsigned                   n;
    reel_str_t                 uri;
    reel_check_use_t          *use;
    const reel_m3u8_entry_t   *e;

    k->uses = calloc(k->list.nentries + 1, sizeof(*k->uses));
    if (k->uses == NULL) {
        return false;
    }

    for (n = 0; n < k->list.nentries; n++) {
        e = &k->list.entries[n];

        if (e->tag != REEL_M3U8_STREAM && e->tag != REEL_M3U8_ISTREAM
            && e->tag != REEL_M3U8_MEDIA)
        {
            continue;
        }

        use = &k->uses[k->nuses++];
        use->e = e;
        use->track = -1;
        uri = e->tag == REEL_M3U8_STREAM ? e->uri : reel_m3u8_get(e, "URI");

        if (uri.p != NULL) {
            url = reel_check_join(k, k->master->url, uri);

            if (url != NULL) {
                use->track = load_track(k, url, kind_of(e));
                free(url);
            }
        }
    }

    return true;
}


bool
reel_check_load_hls(reel_check_t *k, const char *url)
{
    reel_err_t          err;
    reel_check_file_t  *f = reel_check_get(k, url, REEL_M3U8_MAX, true);

    if (f == NULL || f->status != 200) {
        (void) reel_ctl_fail(REEL_EXIT_FAILED, "%s: %s", url,
                             f != NULL ? f->problem : "out of memory");
        return false;
    }

    err = reel_m3u8_read(&k->list, body_of(f));

    if (err != REEL_OK) {
        (void) reel_ctl_fail(REEL_EXIT_FAILED, "%s: %s", url,
                             err == REEL_LIMIT ? "the playlist is too long"
                                               : "out of memory");
        return false;
    }

    k->hls = true;

    if (!k->list.master) {
        return load_track(k, url, 0) >= 0;
    }

    k->master = f;

    return load_uses(k);
}
