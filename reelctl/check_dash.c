/* loads what an MPD names: Representations become tracks */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/rescale.h"
#include "lib/base/xml.h"
#include "reelctl/check.h"


#define SECOND   1000000
#define SEGMENTS 100000


typedef struct {
    reel_check_t       *k;
    reel_check_track_t *t;
    int                 period, set, rep;
    char               *base;           /* of the Representation */
    reel_str_t          id, media;
    uint64_t            number, bandwidth;
} state_t;


/* an attribute of a SegmentTemplate, also of those above it */
static reel_str_t
template_attr(const state_t *st, const char *name)
{
    int         n, at[3] = { st->rep, st->set, st->period };
    unsigned    i;
    reel_str_t  s;

    for (i = 0; i < 3; i++) {
        n = reel_mpd_child(&st->k->mpd, at[i], "SegmentTemplate", -1);

        if (n >= 0) {
            s = reel_mpd_get(&st->k->mpd, n, name);

            if (s.p != NULL) {
                return s;
            }
        }
    }

    return (reel_str_t) { NULL, 0 };
}


static uint64_t
template_number(const state_t *st, const char *name, uint64_t fallback)
{
    uint64_t    v;
    reel_str_t  s = template_attr(st, name);

    return s.p != NULL && reel_str_u64(s, INT64_MAX, &v) == REEL_OK
           ? v : fallback;
}


static int
timeline_of(const state_t *st)
{
    int       n, at[3] = { st->rep, st->set, st->period };
    unsigned  i;

    for (i = 0; i < 3; i++) {
        n = reel_mpd_child(&st->k->mpd, at[i], "SegmentTemplate", -1);
        n = n >= 0 ? reel_mpd_child(&st->k->mpd, n, "SegmentTimeline", -1)
                   : -1;

        if (n >= 0) {
            return n;
        }
    }

    return -1;
}


/* $Name$ or $Name%05d$ of ISO 23009-1, 5.3.9.4.4 */
static void
put_identifier(const state_t *st, reel_buf_t *b, reel_str_t name,
    uint64_t time, uint64_t number)
{
    uint64_t    width = 0, v;
    reel_str_t  format;

    if (name.len == 0) {
        reel_buf_addz(b, "$");
        return;
    }

    name = reel_str_cut(name, '%', &format);

    if (format.p != NULL && format.len > 1) {
        format.len--;
        (void) !reel_str_u64(format, 20, &width);
    }

    if (reel_str_eqz(name, "RepresentationID")) {
        reel_buf_adds(b, st->id);
        return;
    }

    v = reel_str_eqz(name, "Number") ? number
        : reel_str_eqz(name, "Time") ? time : st->bandwidth;
    reel_buf_printf(b, "%0*" PRIu64, (int) width, v);
}


static char *
expand(const state_t *st, reel_str_t template, uint64_t time,
    uint64_t number)
{
    char        *url;
    reel_buf_t   b, raw;
    reel_str_t   rest, part;

    reel_buf_init(&raw, 4096);
    reel_buf_init(&b, 4096);

    if (reel_xml_value(&raw, template) != REEL_OK) {
        reel_buf_clear(&raw);
    }

    rest = (reel_str_t) { (const char *) raw.data, raw.len };

    while (rest.len != 0) {
        part = reel_str_cut(rest, '$', &rest);
        reel_buf_adds(&b, part);

        if (rest.p != NULL) {
            put_identifier(st, &b, reel_str_cut(rest, '$', &rest), time,
                           number);
        }
    }

    url = b.len == 0 ? strdup(st->base)
          : reel_check_join(st->k, st->base, (reel_str_t) {
                                  (const char *) b.data, b.len });
    reel_buf_release(&b);
    reel_buf_release(&raw);

    return url;
}


static int64_t
ticks(uint64_t v)
{
    return v < INT64_MAX ? (int64_t) v : INT64_MAX;
}


static bool
add_segment(state_t *st, uint64_t time, uint64_t duration)
{
    void                  *more;
    reel_check_track_t    *t = st->t;
    reel_check_segment_t  *s;

    if (t->nsegments == SEGMENTS || !reel_check_room(st->k, 1)) {
        return false;
    }

    if ((t->nsegments & (t->nsegments - 1)) == 0) {
        more = realloc(t->segments, (t->nsegments != 0 ? 2 * t->nsegments : 1)
                                    * sizeof(*t->segments));
        if (more == NULL) {
            st->k->broken = true;
            return false;
        }

        t->segments = more;
    }

    s = &t->segments[t->nsegments];
    *s = (reel_check_segment_t) {
        .url = expand(st, st->media, time, st->number++),
        .start_us = reel_check_us(ticks(time) - t->offset_ts, t->timescale),
        .duration_us = reel_check_us(ticks(duration), t->timescale),
        .line = st->k->mpd.nodes[st->rep].line,
        .init = t->ninits != 0 ? 0 : -1
    };

    if (s->url == NULL) {
        return false;
    }

    t->nsegments++;
    t->duration_us = s->start_us + s->duration_us;

    return true;
}


/* ISO 23009-1, 5.3.9.6; what is wrong with it is the rules' to tell */
static void
add_timeline(state_t *st, int timeline, int64_t period_us)
{
    int          n = -1;
    int64_t      repeat;
    uint64_t     t = 0, d, r, end;
    reel_str_t   s;
    reel_mpd_t  *m = &st->k->mpd;

    end = (uint64_t) st->t->offset_ts
          + (uint64_t) reel_rescale(period_us, st->t->timescale, SECOND,
                                    REEL_ROUND_NEAR);

    while ((n = reel_mpd_child(m, timeline, "S", n)) >= 0) {
        (void) reel_mpd_number(m, n, "t", &t);

        if (!reel_mpd_number(m, n, "d", &d) || d == 0 || d > UINT32_MAX) {
            return;
        }

        s = reel_mpd_get(m, n, "r");
        repeat = 0;

        if (reel_str_eqz(s, "-1")) {
            repeat = end > t ? (int64_t) ((end - t - 1) / d) : 0;

        } else if (s.p != NULL && reel_str_u64(s, SEGMENTS, &r) == REEL_OK) {
            repeat = (int64_t) r;
        }

        for ( /* void */ ; repeat >= 0; repeat--) {
            if (!add_segment(st, t, d)) {
                return;
            }

            t += d;
        }
    }
}


static void
add_numbered(state_t *st, int64_t period_us)
{
    uint64_t  n, count, d = template_number(st, "duration", 0), whole;

    if (d == 0 || d > UINT32_MAX || period_us <= 0) {
        return;
    }

    whole = (uint64_t) reel_rescale(period_us, st->t->timescale, SECOND,
                                    REEL_ROUND_NEAR);
    count = (whole + d - 1) / d;

    for (n = 0; n < count; n++) {
        if (!add_segment(st, n * d + (uint64_t) st->t->offset_ts,
                         n + 1 < count ? d : whole - n * d))
        {
            return;
        }
    }
}


/* the BaseURL of a node on top of base; yours */
static char *
base_of(reel_check_t *k, int node, const char *base)
{
    int                n;
    char              *url;
    reel_buf_t         b;
    const reel_mpd_t  *m = &k->mpd;

    n = reel_mpd_child(m, node, "BaseURL", -1);

    if (n < 0) {
        return strdup(base);
    }

    reel_buf_init(&b, 4096);

    if (reel_xml_value(&b, m->nodes[n].text) != REEL_OK) {
        reel_buf_clear(&b);
    }

    url = reel_check_join(k, base, (reel_str_t) { (const char *) b.data,
                                                  b.len });
    reel_buf_release(&b);

    return url;
}


static reel_str_t
attr_of(const state_t *st, const char *name)
{
    reel_str_t  s = reel_mpd_get(&st->k->mpd, st->rep, name);

    return s.p != NULL ? s : reel_mpd_get(&st->k->mpd, st->set, name);
}


static void
find_kind(state_t *st)
{
    reel_str_t           mime = attr_of(st, "mimeType");
    reel_check_track_t  *t = st->t;

    t->form = REEL_CHECK_MP4;

    if (reel_str_prefix(mime, "audio/")) {
        t->kind = REEL_CHECK_AUDIO;

    } else if (reel_str_prefix(mime, "image/")) {
        t->kind = REEL_CHECK_IMAGES;
        t->form = REEL_CHECK_NONE;

    } else if (reel_str_eqz(mime, "text/vtt")) {
        t->kind = REEL_CHECK_TEXT;
        t->form = REEL_CHECK_VTT;

    } else if (reel_str_prefix(mime, "application/")) {
        t->kind = REEL_CHECK_TEXT;
    }
}


static void
load_template(state_t *st, int64_t period_us)
{
    int         timeline = timeline_of(st);
    reel_str_t  init = template_attr(st, "initialization");

    st->media = template_attr(st, "media");
    st->number = template_number(st, "startNumber", 1);

    if (init.p != NULL) {
        (void) reel_check_add_init(st->t, expand(st, init, 0, st->number));
    }

    if (timeline >= 0) {
        add_timeline(st, timeline, period_us);
    } else {
        add_numbered(st, period_us);
    }
}


/* a file of its own: sidecar text, or what SegmentBase indexes */
static void
load_file(state_t *st, int64_t period_us)
{
    st->media = REEL_STR("");
    st->t->timescale = SECOND;

    if (st->t->form == REEL_CHECK_VTT) {
        (void) add_segment(st, 0, (uint64_t) period_us);
    }
}


static void
load_representation(state_t *st, int64_t period_us)
{
    uint64_t             v;
    reel_str_t           id;
    reel_mpd_t          *m = &st->k->mpd;
    reel_check_track_t  *t;

    st->t = t = reel_check_add_track(st->k, REEL_CHECK_VIDEO);
    if (t == NULL) {
        return;
    }

    t->dash = true;
    t->set = st->set;
    t->node = st->rep;
    st->id = id = reel_mpd_get(m, st->rep, "id");
    t->name = strndup(id.p != NULL ? id.p : "?", id.p != NULL ? id.len : 1);

    find_kind(st);
    v = template_number(st, "timescale", 1);
    t->timescale = v != 0 && v <= UINT32_MAX ? (uint32_t) v : 1;
    t->offset_ts = (int64_t) template_number(st, "presentationTimeOffset", 0);
    st->bandwidth = 0;
    (void) reel_mpd_number(m, st->rep, "bandwidth", &st->bandwidth);
    t->bandwidth = st->bandwidth;

    if (template_attr(st, "media").p != NULL) {
        load_template(st, period_us);
    } else {
        load_file(st, period_us);
    }

    reel_check_measure(st->k, t);
    reel_check_rates(t, 6 * SECOND);
}


/* Period@duration, else up to the next one, else the whole's end */
static int64_t
period_length(const reel_mpd_t *m, int period)
{
    int      next = reel_mpd_child(m, 0, "Period", period);
    int64_t  start = 0, us;

    if (reel_mpd_duration(reel_mpd_get(m, period, "duration"), &us)) {
        return us;
    }

    (void) reel_mpd_duration(reel_mpd_get(m, period, "start"), &start);

    if (next >= 0
        ? reel_mpd_duration(reel_mpd_get(m, next, "start"), &us)
        : reel_mpd_duration(reel_mpd_get(m, 0, "mediaPresentationDuration"),
                            &us))
    {
        return us - start;
    }

    return 0;
}


static void
load_period(state_t *st, const char *base)
{
    char        *of_period, *of_set;
    int64_t      us = period_length(&st->k->mpd, st->period);
    reel_mpd_t  *m = &st->k->mpd;

    of_period = base_of(st->k, st->period, base);
    st->set = -1;

    while (of_period != NULL
           && (st->set = reel_mpd_child(m, st->period, "AdaptationSet",
                                        st->set)) >= 0)
    {
        of_set = base_of(st->k, st->set, of_period);
        st->rep = -1;

        while (of_set != NULL
               && (st->rep = reel_mpd_child(m, st->set, "Representation",
                                            st->rep)) >= 0)
        {
            st->base = base_of(st->k, st->rep, of_set);

            if (st->base != NULL) {
                load_representation(st, us);
            }

            free(st->base);
        }

        free(of_set);
    }

    free(of_period);
}


bool
reel_check_load_dash(reel_check_t *k, const char *url)
{
    char               *base;
    state_t             st = { .k = k, .period = -1 };
    reel_err_t          err;
    reel_check_file_t  *f = reel_check_get(k, url, REEL_M3U8_MAX, true);

    if (f == NULL || f->status != 200) {
        (void) reel_ctl_fail(REEL_EXIT_FAILED, "%s: %s", url,
                             f != NULL ? f->problem : "out of memory");
        return false;
    }

    k->dash = true;
    k->mpd_file = f;
    err = reel_mpd_read(&k->mpd, (reel_str_t) { (const char *) f->body.data,
                                                f->body.len });

    if (err == REEL_NOMEM || err == REEL_LIMIT) {
        (void) reel_ctl_fail(REEL_EXIT_FAILED, "%s: the manifest is too long",
                             url);
        return false;
    }

    if (err != REEL_OK) {
        return true;            /* that is a rule's fault to tell */
    }

    base = base_of(k, 0, f->url);

    while (base != NULL
           && (st.period = reel_mpd_child(&k->mpd, 0, "Period", st.period))
              >= 0)
    {
        load_period(&st, base);
    }

    free(base);

    return true;
}
