/*
 * The grid and the timeline (the media rules of docs/): where 0 lies, where
 * the end, and where every rendition has its key frames.
 *
 * Timeline 0 is the start of the earliest kept track.  When sound leads,
 * video begins a whole number of frames later, and those slots show the
 * first picture; the fraction of a frame that is left over is cut from the
 * sound, so that picture and sound stay exactly together.  (At less than 10
 * frames a second silence is added instead: nobody misses it.)
 *
 * The end is that of the longest kept track, in whole frames.
 */

#include "lib/base/rescale.h"
#include "lib/job/plan_part.h"

#define VARIABLE_TIMESCALE  90000
#define AV1_GOP_LEAST       2
#define TIMESCALE_MIN       10000
#define FPS_MAX             240
#define RATE_NUM_MAX        (1u << 24)  /* so that a GOP fits 32 bits */
#define TICKS_MAX           ((int64_t) 1 << 53)
#define TRIM_HZ             10          /* cut at most 1/10 s of sound */
#define AU_SAMPLES          1024

/* tracks further apart than this have clocks of their own */
#define APART_S             ((int64_t) 1 << 26)
#define GAP_S               60

__extension__ typedef __int128 wide_t;


static reel_rational_t
reduced(reel_rational_t r)
{
    uint32_t d = (uint32_t) reel_gcd(r.num, r.den);

    return d == 0 ? r : (reel_rational_t) { r.num / d, r.den / d };
}


/* hostile time stamps saturate; what they add up to must not overflow */
static int64_t
bounded(int64_t v, int64_t most)
{
    return v > most ? most : v < -most ? -most : v;
}


static bool
rate_is_sane(reel_rational_t r)
{
    return r.num > 0 && r.den > 0 && (uint64_t) r.num * 2 >= r.den
           && r.num <= (uint64_t) r.den * FPS_MAX;
}


/*
 * A slot a frame needs a rate that explains the pictures: with more of them
 * than slots some would be lost.
 */
static bool
is_constant(const reel_source_video_t *v, reel_rational_t rate)
{
    int64_t slots;

    if (!v->constant_rate || !rate_is_sane(rate) || rate.num > RATE_NUM_MAX) {
        return false;
    }

    slots = reel_rescale(v->last_pts - v->first_pts,
                         (uint64_t) v->tb.num * rate.num,
                         (uint64_t) v->tb.den * rate.den, REEL_ROUND_NEAR);
    slots = bounded(slots, TICKS_MAX) + 1;

    return v->frames <= (uint64_t) slots + (uint64_t) slots / 50 + 1;
}


/* pictures a GOP, at least: a rung that has every n-th one has whole GOPs of
   them, and SVT-AV1 makes none of one */
static int64_t
least_gop(const reel_pipeline_t *pl, int64_t whole)
{
    uint32_t i;

    for (i = 0; i < pl->nrungs; i++) {
        if (pl->rungs[i].codec == REEL_VIDEO_AV1 && whole < AV1_GOP_LEAST) {
            return AV1_GOP_LEAST;
        }
    }

    return whole;
}


static void
set_clock(reel_timeline_t *t, const reel_pipeline_t *pl,
    const reel_source_video_t *v)
{
    int64_t       gop, whole, least;
    uint64_t      k;
    reel_grid_t  *g = &t->grid;

    t->rate = reduced(v->rate);

    if (!t->video || !is_constant(v, t->rate)) {
        if (t->video && !rate_is_sane(t->rate)) {
            t->rate = (uint64_t) t->rate.num > t->rate.den
                      ? (reel_rational_t) { FPS_MAX, 1 }
                      : (reel_rational_t) { 1, 2 };
        }

        g->timescale = VARIABLE_TIMESCALE;
        g->gop_ts = VARIABLE_TIMESCALE / 1000 * pl->gop_ms;
        g->frame_ts = 0;
        return;
    }

    for (k = 1; t->rate.num * k < TIMESCALE_MIN; k *= 2) { /* void */ }

    whole = t->copy_gop != 0 ? 1 : reel_plan_every_most(pl, t->rate);
    gop = t->copy_gop != 0 ? t->copy_gop
          : reel_rescale(pl->gop_ms, t->rate.num,
                         (uint64_t) 1000 * t->rate.den * whole,
                         REEL_ROUND_NEAR) * whole;
    least = t->copy_gop != 0 ? 1 : least_gop(pl, whole);
    gop = gop > least ? gop : least;
    g->timescale = (uint32_t) (t->rate.num * k);
    g->frame_ts = (uint32_t) (t->rate.den * k);
    g->gop_ts = (uint32_t) (gop * g->frame_ts);
}


/* a's instant in the clock of b */
static int64_t
convert(int64_t pts, reel_rational_t a, reel_rational_t b)
{
    pts = reel_rescale(pts, (uint64_t) a.num * b.den,
                       (uint64_t) a.den * b.num, REEL_ROUND_NEAR);

    return bounded(pts, 2 * REEL_PTS_MAX);
}


/* frames of the rate in ticks of tb */
static int64_t
frames_ts(int64_t n, reel_rational_t rate, reel_rational_t tb)
{
    return reel_rescale(n, (uint64_t) rate.den * tb.den,
                        (uint64_t) rate.num * tb.num, REEL_ROUND_NEAR);
}


/* how far video starts behind sound, in units of 1 / (v.den × a.den) s */
static wide_t
lead_of(const reel_source_video_t *v, const reel_source_audio_t *a)
{
    return (wide_t) v->first_pts * v->tb.num * a->tb.den
           - (wide_t) a->first_pts * a->tb.num * v->tb.den;
}


static bool
clocks_unrelated(const reel_source_video_t *v, const reel_source_audio_t *a,
    wide_t lead)
{
    wide_t unit = (wide_t) v->tb.den * a->tb.den;
    wide_t vlen = (wide_t) (v->last_pts - v->first_pts) * v->tb.num
                  * a->tb.den;
    wide_t alen = (wide_t) (a->end_pts - a->first_pts) * a->tb.num
                  * v->tb.den;

    if (lead > APART_S * unit || lead < -APART_S * unit) {
        return true;
    }

    return lead > alen + GAP_S * unit || -lead > vlen + GAP_S * unit;
}


/* whole frames of the constant rate by which video starts late */
static int64_t
late_frames(wide_t lead, wide_t unit, reel_rational_t rate)
{
    wide_t n, rest, per;

    if (lead <= 0) {
        return 0;
    }

    per = unit * rate.den;              /* one frame */
    n = lead * rate.num / per;
    rest = lead * rate.num - n * per;   /* of 1 / (unit × rate.num) s */

    if (rest * TRIM_HZ > unit * rate.num) {
        n++;
    }

    return (int64_t) n;
}


/* how far b starts behind a, in units of 1 / (a.den × b.den) s */
static wide_t
behind(const reel_source_audio_t *a, const reel_source_audio_t *b)
{
    return (wide_t) b->first_pts * b->tb.num * a->tb.den
           - (wide_t) a->first_pts * a->tb.num * b->tb.den;
}


/* whether a sound has the pictures' clock, or else that of the first sound */
static bool
in_clock(const reel_timeline_t *t, const reel_source_t *src,
    const reel_source_audio_t *a)
{
    wide_t                     far, unit, blen, alen;
    const reel_source_video_t *v = &src->video;
    const reel_source_audio_t *b = &src->audio;

    if (t->video) {
        return !clocks_unrelated(v, a, lead_of(v, a));
    }

    far = behind(b, a);
    unit = (wide_t) b->tb.den * a->tb.den;
    blen = (wide_t) (b->end_pts - b->first_pts) * b->tb.num * a->tb.den;
    alen = (wide_t) (a->end_pts - a->first_pts) * a->tb.num * b->tb.den;

    return far <= blen + GAP_S * unit && -far <= alen + GAP_S * unit;
}


/* the earliest in the clock, or NULL; the others begin at timeline 0 */
static const reel_source_audio_t *
first_sound(const reel_timeline_t *t, const reel_source_t *src)
{
    uint32_t                   i;
    const reel_source_audio_t *a, *first = NULL;

    for (i = 0; i < t->naudios; i++) {
        a = reel_source_audio(src, i);

        if (in_clock(t, src, a) && (first == NULL || behind(first, a) < 0)) {
            first = a;
        }
    }

    return first;
}


static void
set_origins(reel_timeline_t *t, const reel_source_t *src)
{
    int64_t                    late = 0;
    wide_t                     lead = 0;
    uint32_t                   i;
    const reel_source_video_t *v = &src->video;
    const reel_source_audio_t *a, *first = first_sound(t, src);

    t->video_origin = t->video ? v->first_pts : 0;

    if (t->video && first != NULL) {
        lead = lead_of(v, first);

        if (t->grid.frame_ts != 0) {
            late = late_frames(lead, (wide_t) v->tb.den * first->tb.den,
                               t->rate);
            t->video_origin -= frames_ts(late, t->rate, v->tb);

        } else if (lead > 0) {
            t->video_origin = convert(first->first_pts, first->tb, v->tb);
        }
    }

    for (i = 0; i < t->naudios; i++) {
        a = reel_source_audio(src, i);

        if (!in_clock(t, src, a)) {
            t->audio_origin[i] = a->first_pts;

        } else if (t->video && t->grid.frame_ts != 0) {
            t->audio_origin[i] = convert(v->first_pts, v->tb, a->tb)
                                 - frames_ts(late, t->rate, a->tb);

        } else if (t->video && lead <= 0) {
            t->audio_origin[i] = convert(v->first_pts, v->tb, a->tb);

        } else {
            t->audio_origin[i] = convert(first->first_pts, first->tb, a->tb);
        }
    }
}


int64_t
reel_timeline_place(const reel_timeline_t *t, reel_rational_t tb, int64_t pts)
{
    uint32_t unit = t->grid.frame_ts == 0 ? 1 : t->grid.frame_ts;

    pts = reel_rescale(pts - t->video_origin,
                       (uint64_t) tb.num * t->grid.timescale,
                       (uint64_t) tb.den * unit, REEL_ROUND_NEAR);

    return bounded(pts, TICKS_MAX / unit) * unit;
}


static int64_t
audio_end(const reel_timeline_t *t, const reel_source_audio_t *a,
    int64_t origin)
{
    int64_t end;

    end = reel_rescale(a->end_pts - origin,
                       (uint64_t) a->tb.num * t->grid.timescale, a->tb.den,
                       REEL_ROUND_DOWN);

    return bounded(end, TICKS_MAX);
}


static int64_t
sound_end(const reel_timeline_t *t, const reel_source_t *src)
{
    int64_t  end, last = 0;
    uint32_t i;

    for (i = 0; i < t->naudios; i++) {
        end = audio_end(t, reel_source_audio(src, i), t->audio_origin[i]);
        last = i == 0 || end > last ? end : last;
    }

    return last;
}


static bool
origins_fit(const reel_timeline_t *t)
{
    uint32_t i;

    for (i = 0; i < t->naudios; i++) {
        if (bounded(t->audio_origin[i], REEL_PTS_MAX) != t->audio_origin[i]) {
            return false;
        }
    }

    return bounded(t->video_origin, REEL_PTS_MAX) == t->video_origin;
}


/* as many as the pipeline wants; one at least if there is any */
static uint32_t
kept_sounds(const reel_pipeline_t *pl, const reel_source_t *src)
{
    size_t n = 1 + src->nmore;

    n = n > pl->audio_tracks ? pl->audio_tracks : n;

    return n > 0 ? (uint32_t) n : 1;
}


/* the least that counts as a frame where there is no constant rate */
static int64_t
variable_frame(const reel_timeline_t *t, const reel_source_audio_t *a)
{
    int64_t frame, most = VARIABLE_TIMESCALE / TRIM_HZ;

    frame = t->video ? (int64_t) VARIABLE_TIMESCALE * t->rate.den / t->rate.num
                     : (int64_t) VARIABLE_TIMESCALE * AU_SAMPLES
                       / (a->sample_rate == 0 ? 48000 : a->sample_rate);

    return frame > most ? most : frame < 1 ? 1 : frame;
}


static void
set_end(reel_timeline_t *t, const reel_source_t *src)
{
    int64_t                    frame, sound, rest;
    reel_grid_t               *g = &t->grid;
    const reel_source_video_t *v = &src->video;

    frame = g->frame_ts != 0 ? g->frame_ts : variable_frame(t, &src->audio);
    sound = sound_end(t, src);

    if (t->video) {
        t->video_end = g->frame_ts != 0
                       ? reel_timeline_place(t, v->tb, v->last_pts) + frame
                       : reel_timeline_place(t, v->tb,
                                             v->last_pts + v->last_dur);
    }

    if (g->frame_ts != 0) {
        sound -= sound % frame;

    } else if (t->video && sound - t->video_end < frame) {
        sound = 0;
    }

    g->end_ts = sound > t->video_end ? sound : t->video_end;

    if (g->end_ts < frame) {
        g->end_ts = frame;
    }

    /* no last slot of less than a frame; a constant rate has none */
    rest = g->end_ts % g->gop_ts;

    if (rest < frame && g->end_ts > g->gop_ts) {
        g->end_ts -= rest;
    }
}


static reel_err_t
lay_out(reel_timeline_t *t, const reel_pipeline_t *pl,
    const reel_source_t *src, reel_error_t *e)
{
    int64_t      n;
    reel_grid_t *g = &t->grid;

    set_clock(t, pl, &src->video);
    set_origins(t, src);

    if (!origins_fit(t)) {
        return reel_fail(e, REEL_LIMIT,
                         "the tracks' time stamps lie too far apart");
    }

    set_end(t, src);

    n = g->end_ts / g->gop_ts + (g->end_ts % g->gop_ts != 0);

    if (n > REEL_INDEX_MAX_FRAGMENTS || g->end_ts >= TICKS_MAX) {
        return reel_fail(e, REEL_LIMIT, "the film is too long");
    }

    g->fragments = (uint32_t) n;

    return REEL_OK;
}


reel_err_t
reel_plan_timeline(reel_timeline_t *t, const reel_pipeline_t *pl,
    const reel_source_t *src, reel_error_t *e)
{
    reel_err_t                 err;
    const reel_source_audio_t *a = &src->audio;
    const reel_source_video_t *v = &src->video;

    *t = (reel_timeline_t) { 0 };

    t->video = v->stream >= 0 && reel_plan_wants_video(pl, src);
    t->audio = a->stream >= 0 && a->end_pts > a->first_pts
               && pl->audio_kbps > 0
               && reel_node_wanted(pl, REEL_TASK_ENCODE_AUDIO, src);
    t->naudios = t->audio ? kept_sounds(pl, src) : 0;

    if (!t->video && !t->audio) {
        return reel_fail(e, REEL_UNSUPPORTED,
                         "the file has neither a picture nor sound to keep");
    }

    if (t->video) {
        t->copy_gop = reel_plan_copy_gop(t->encoded, pl, src);
    }

    err = lay_out(t, pl, src, e);

    if (err == REEL_OK && t->copy_gop != 0
        && !reel_plan_copy_fits(t->encoded, t, v))
    {
        t->copy_gop = 0;
        err = lay_out(t, pl, src, e);
    }

    if (err == REEL_OK && t->audio) {
        reel_plan_copy_sounds(t, pl, src);
    }

    return err;
}


reel_err_t
reel_plan_grid(reel_grid_t *g, const reel_pipeline_t *pl,
    const reel_source_t *src)
{
    reel_err_t      err;
    reel_timeline_t t;

    err = reel_plan_timeline(&t, pl, src, NULL);
    *g = t.grid;

    return err;
}
