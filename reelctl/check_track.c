/* tracks: their headers and segments, read and measured */

#include <stdlib.h>
#include <stdio.h>

#include "lib/base/rescale.h"
#include "reelctl/check.h"


#define TRACKS_MAX 512
#define INIT_MAX   (1u << 20)
#define SECOND     1000000


reel_check_track_t *
reel_check_add_track(reel_check_t *k, reel_check_kind_t kind)
{
    void                *more;
    reel_check_track_t  *t;

    if (k->ntracks == TRACKS_MAX) {
        return NULL;
    }

    more = realloc(k->tracks, (k->ntracks + 1) * sizeof(*k->tracks));
    if (more == NULL) {
        k->broken = true;
        return NULL;
    }

    k->tracks = more;

    t = calloc(1, sizeof(*t));
    if (t == NULL) {
        k->broken = true;
        return NULL;
    }

    t->kind = kind;
    t->set = t->node = -1;
    k->tracks[k->ntracks++] = t;

    return t;
}


/* takes url; the number of the header, an old one where it is the same */
int
reel_check_add_init(reel_check_track_t *t, char *url)
{
    unsigned  n;

    for (n = 0; url != NULL && n < t->ninits; n++) {
        if (strcmp(t->init_urls[n], url) == 0) {
            free(url);
            return (int) n;
        }
    }

    if (url == NULL || t->ninits == REEL_CHECK_INITS) {
        free(url);
        return -1;
    }

    t->init_urls[t->ninits] = url;

    return (int) t->ninits++;
}


static int64_t
within(int64_t us, int64_t max)
{
    return us > max ? max : us < -max ? -max : us;
}


int64_t
reel_check_time(int64_t us)
{
    return within(us, INT64_C(1) << 57);
}


int64_t
reel_check_us(int64_t ticks, uint32_t timescale)
{
    return timescale == 0 ? 0
           : reel_check_time(reel_rescale(ticks, SECOND, timescale,
                                          REEL_ROUND_NEAR));
}


int64_t
reel_check_add(int64_t sum, int64_t us)
{
    return within(sum + us, INT64_C(1) << 60);
}


bool
reel_check_stereo_aac(const reel_check_init_t *i)
{
    return i->channels == 2 && strncmp(i->codec, "mp4a.40.", 8) == 0;
}


/* another track may have read it: the DASH of the same files */
static bool
borrow(reel_check_t *k, const reel_check_track_t *t, unsigned n)
{
    unsigned               i;
    reel_check_segment_t  *s = &t->segments[n], *o;

    for (i = 0; i < k->ntracks; i++) {

        if (k->tracks[i] == t || n >= k->tracks[i]->nsegments) {
            continue;
        }

        o = &k->tracks[i]->segments[n];

        if (o->tried && o->length == s->length && o->offset == s->offset
            && strcmp(o->url, s->url) == 0)
        {
            s->tried = true;
            s->sized = o->sized;
            s->size = o->size;
            s->status = o->status;
            s->m = o->m;
            memcpy(s->type, o->type, sizeof(s->type));
            memcpy(s->redirect, o->redirect, sizeof(s->redirect));
            return o->m.read || !k->full;
        }
    }

    return false;
}


static void
read_inits(reel_check_t *k, reel_check_track_t *t)
{
    unsigned            n;
    reel_check_file_t  *f;

    for (n = 0; n < t->ninits && t->form == REEL_CHECK_MP4; n++) {
        f = reel_check_get(k, t->init_urls[n], INIT_MAX, true);

        if (f != NULL && f->status == 200) {
            reel_check_init(&t->inits[n], f->body.data, f->body.len);
        }
    }
}


static void
read_segment(reel_check_t *k, reel_check_track_t *t, reel_check_segment_t *s)
{
    reel_buf_t          body = { 0 };
    reel_check_init_t   own;

    if (!reel_check_get_segment(k, s, &body)) {
        return;
    }

    switch (t->form) {

    case REEL_CHECK_MP4:
        if (s->init >= 0 && t->inits[s->init].read) {
            reel_check_moofs(&s->m, &t->inits[s->init], body.data, body.len,
                             t->kind == REEL_CHECK_IFRAMES);
        }
        break;

    case REEL_CHECK_TS:
        reel_check_ts(&s->m, &own, body.data, body.len);

        if (t->ninits == 0) {
            t->inits[0] = own;
            t->init_urls[0] = strdup(s->url);
            t->ninits = t->init_urls[0] != NULL;
        }
        break;

    case REEL_CHECK_VTT:
        reel_check_vtt(&s->m, body.data, body.len);
        break;

    case REEL_CHECK_NONE:
        break;
    }

    reel_buf_release(&body);
}


/* without --full: the first two, the middle and the last one */
static bool
chosen(const reel_check_t *k, const reel_check_track_t *t, unsigned n)
{
    return k->full || n < 2 || n == t->nsegments / 2
           || n + 1 == t->nsegments;
}


void
reel_check_measure(reel_check_t *k, reel_check_track_t *t)
{
    unsigned               n;
    reel_check_segment_t  *s;

    read_inits(k, t);
    t->whole = t->nsegments != 0;

    for (n = 0; n < t->nsegments; n++) {
        s = &t->segments[n];

        if (borrow(k, t, n) && (s->m.read || !chosen(k, t, n))) {
            t->whole &= s->m.read;
            continue;
        }

        if (chosen(k, t, n)) {
            read_segment(k, t, s);

        } else if (s->length != 0) {
            s->sized = true;
            s->size = s->length;

        } else {
            reel_check_head(k, s);

            /* encrypted on the fly, it has no length before it is sent */
            if (s->status == 200 && !s->sized) {
                read_segment(k, t, s);
            }
        }

        t->whole &= s->m.read;
    }
}


/*
 * RFC 8216, 4.1: the peak is the largest rate of any segments in a row that
 * last 0.5 to 1.5 targets together; without such, of the whole.
 */
void
reel_check_rates(reel_check_track_t *t, int64_t target_us)
{
    int64_t   us;
    uint64_t  bytes, all = 0, rate;
    unsigned  i, j;

    t->peak = t->average = 0;

    for (i = 0; i < t->nsegments; i++) {

        if (!t->segments[i].sized) {
            return;
        }

        all += t->segments[i].size;
    }

    if (t->duration_us <= 0) {
        return;
    }

    t->average = (uint64_t) reel_rescale((int64_t) all, 8 * SECOND,
                                         (uint64_t) t->duration_us,
                                         REEL_ROUND_NEAR);

    for (i = 0; i < t->nsegments; i++) {
        for (j = i, us = 0, bytes = 0; j < t->nsegments; j++) {
            us = reel_check_add(us, t->segments[j].duration_us);
            bytes += t->segments[j].size;

            if (us > target_us * 3 / 2) {
                break;
            }

            if (us < target_us / 2 || us == 0) {
                continue;
            }

            rate = (uint64_t) reel_rescale((int64_t) bytes, 8 * SECOND,
                                           (uint64_t) us, REEL_ROUND_NEAR);
            t->peak = rate > t->peak ? rate : t->peak;
        }
    }

    t->peak = t->peak != 0 ? t->peak : t->average;
}


reel_check_t *
reel_check_new(reel_ctl_t *c)
{
    reel_check_t  *k = calloc(1, sizeof(*k));

    if (k != NULL) {
        k->c = c;
        k->results = calloc(reel_check_nrules, sizeof(*k->results));
    }

    if (k == NULL || k->results == NULL) {
        free(k);
        return NULL;
    }

    return k;
}


static void
free_track(reel_check_track_t *t)
{
    unsigned  n;

    for (n = 0; n < t->nsegments; n++) {
        free(t->segments[n].url);
    }

    for (n = 0; n < t->ninits; n++) {
        free(t->init_urls[n]);
    }

    reel_m3u8_release(&t->list);
    free(t->segments);
    free(t->name);
    free(t);
}


void
reel_check_free(reel_check_t *k)
{
    unsigned  n, i;

    for (n = 0; n < k->ntracks; n++) {
        free_track(k->tracks[n]);
    }

    for (n = 0; n < k->nfiles; n++) {
        reel_buf_release(&k->files[n]->body);
        free(k->files[n]->url);
        free(k->files[n]);
    }

    for (n = 0; n < reel_check_nrules; n++) {
        for (i = 0; i < REEL_CHECK_FAULTS; i++) {
            free(k->results[n].told[i]);
        }
    }

    reel_m3u8_release(&k->list);
    reel_mpd_release(&k->mpd);
    free(k->results);
    free(k->tracks);
    free(k->uses);
    free(k->url);
    free(k);
}
