/* inspect: the facts about a source that the planner needs */

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libavutil/dict.h>
#include <libavutil/display.h>

#include "lib/base/utf8.h"
#include "lib/index/index.h"
#include "workerd/av_compat.h"
#include "workerd/av_lang.h"
#include "workerd/av_log.h"
#include "workerd/av_rate.h"
#include "workerd/av_scan.h"
#include "workerd/av_warn.h"


/* the answer is one line of at most 1 MiB */
#define KEYFRAMES_MAX  30000

#define SAR_MAX  16


typedef struct {
    reel_child_t     *child;
    reel_av_fault_t   fault;
    reel_av_source_t  src;
    reel_scan_t       scan;
    reel_source_t     facts;
} inspect_t;


static reel_rational_t
rational(AVRational r)
{
    return r.num > 0 && r.den > 0
           ? (reel_rational_t) { (uint32_t) r.num, (uint32_t) r.den }
           : (reel_rational_t) { 0, 1 };
}


/*
 * The display matrix says how the stored picture is transformed for display
 * (ISO 14496-12, 8.3.2).  A mirrored one (negative determinant) is flipped
 * upside down first, which leaves a rotation; libav's angle counts
 * counter-clockwise.
 */
static void
orient(reel_source_video_t *v, const AVStream *st)
{
    int             quarter;
    size_t          size;
    double          angle;
    int32_t         m[9];
    const uint8_t  *sd;

    sd = reel_stream_side_data(st, AV_PKT_DATA_DISPLAYMATRIX, &size);
    if (sd == NULL || size < sizeof(m)) {
        return;
    }

    memcpy(m, sd, sizeof(m));

    if ((int64_t) m[0] * m[4] - (int64_t) m[1] * m[3] < 0) {
        v->vflip = true;
        m[3] = -m[3];
        m[4] = -m[4];
    }

    angle = av_display_rotation_get(m);
    if (isnan(angle)) {
        v->vflip = false;
        return;
    }

    quarter = (int) lround(-angle / 90.0);
    v->rotation = ((quarter % 4 + 4) % 4) * 90;
}


/* what a viewer sees: square pixels, upright */
static void
shown_size(reel_source_video_t *v, inspect_t *in)
{
    int64_t     w, h, t;
    AVStream   *st;
    AVRational  sar;

    st = in->scan.video;
    w = st->codecpar->width > 0 ? st->codecpar->width : in->scan.dec->width;
    h = st->codecpar->height > 0 ? st->codecpar->height
                                 : in->scan.dec->height;

    sar = av_guess_sample_aspect_ratio(in->src.fmt, st, NULL);

    if (sar.num > 0 && sar.den > 0 && sar.num / SAR_MAX <= sar.den
        && sar.den / SAR_MAX <= sar.num)
    {
        w = av_rescale(w, sar.num, sar.den);
    }

    if (v->rotation % 180 != 0) {
        t = w;
        w = h;
        h = t;
    }

    v->width = (uint32_t) (w > 0 ? w : 1);
    v->height = (uint32_t) (h > 0 ? h : 1);
}


static bool
interlaced(const reel_scan_t *s)
{
    if (s->probed > 0) {
        return s->interlaced * 2 >= s->probed;
    }

    switch (s->video->codecpar->field_order) {
    case AV_FIELD_TT:
    case AV_FIELD_BB:
    case AV_FIELD_TB:
    case AV_FIELD_BT:
        return true;
    default:
        return false;
    }
}


/*
 * All key frames, or, where every picture is one, some: as far apart as
 * keeps the answer small, which is still far below a chunk.
 */
static int
keyframes(reel_source_video_t *v, const reel_scan_t *s, reel_av_fault_t *f)
{
    size_t   i;
    int64_t  apart, span;

    if (s->keys.n == 0) {
        return 0;
    }

    v->keyframes = calloc(s->keys.n, sizeof(*v->keyframes));
    if (v->keyframes == NULL) {
        return reel_av_fault_err(f, REEL_NOMEM, "demux", "key frames");
    }

    span = s->keys.at[s->keys.n - 1] - s->keys.at[0];
    apart = s->keys.n > KEYFRAMES_MAX ? span / KEYFRAMES_MAX + 1 : 1;

    for (i = 0; i < s->keys.n; i++) {
        if (v->nkeyframes == 0
            || s->keys.at[i] - v->keyframes[v->nkeyframes - 1] >= apart)
        {
            v->keyframes[v->nkeyframes++] = s->keys.at[i];
        }
    }

    return 0;
}


static int64_t
frame_ticks(const reel_source_video_t *v)
{
    int64_t  t;

    t = av_rescale(v->tb.den, v->rate.den,
                   (int64_t) v->tb.num * v->rate.num);

    return t > 0 ? t : 1;
}


static int
video_facts(inspect_t *in)
{
    AVStream             *st;
    reel_scan_t          *s;
    reel_rate_t           rate;
    reel_rational_t       hints[2];
    reel_source_video_t  *v;

    s = &in->scan;
    st = s->video;
    v = &in->facts.video;

    if (s->probed == 0) {
        return reel_av_fault(&in->fault, "BAD_MEDIA", "decode",
                             "none of the first pictures could be decoded");
    }

    v->stream = st->index;
    v->tb = rational(st->time_base);
    v->jumps = s->clock.track[st->index].jumps;
    (void) snprintf(v->codec, sizeof(v->codec), "%s",
                    reel_av_source_codec(&in->src, st));

    hints[0] = rational(st->avg_frame_rate);
    hints[1] = rational(st->r_frame_rate);

    if (st->codecpar->codec_id != AV_CODEC_ID_THEORA
        || !reel_rate_fixed(&rate, s->shown.at, s->shown.n, v->tb, hints[0]))
    {
        reel_rate_detect(&rate, s->shown.at, s->shown.n, v->tb, hints, 2);
    }

    v->constant_rate = rate.constant;
    reel_av_warn_rate(&in->facts.warnings, &rate);
    v->rate = rate.rate;
    v->frames = rate.frames;
    v->first_pts = s->shown.at[0];
    v->last_pts = s->shown.at[s->shown.n - 1];
    v->last_dur = frame_ticks(v);

    /* a variable rate's last picture may well stand long */
    if (!rate.constant && s->last_dur > 0) {
        v->last_dur = s->last_dur;
    }

    v->interlaced = interlaced(s);

    if (!v->interlaced) {
        v->combed = reel_comb_end(&s->comb);
        if (reel_av_fault_passed(&in->fault, &s->comb.fault) != 0) {
            return -1;
        }
        v->interlaced = v->combed != REEL_COMBED_NO;
    }

    v->light = s->light;
    orient(v, st);
    shown_size(v, in);

    if ((int64_t) v->width * v->height > s->max_pixels) {
        return reel_av_fault(&in->fault, "LIMIT_PIXELS", "demux",
                             "%u x %u pixels", v->width, v->height);
    }

    if (reel_av_gops_end(&s->gops, v, st, s->shown.at, s->shown.n,
                         s->keys.at, s->keys.n) != REEL_OK)
    {
        return reel_av_fault_err(&in->fault, REEL_NOMEM, "demux", "GOPs");
    }

    return keyframes(v, s, &in->fault);
}


/* a title as a label: UTF-8 without control characters, cut where it must */
static void
label_of(char *dst, size_t cap, const AVStream *st)
{
    size_t              n, len = 0;
    const uint8_t      *p;
    AVDictionaryEntry  *e;

    e = av_dict_get(st->metadata, "title", NULL, 0);

    for (p = e != NULL ? (const uint8_t *) e->value : NULL;
         p != NULL && *p != '\0'; p += n)
    {
        n = reel_utf8_len(p, strlen((const char *) p));

        if (n == 0 || *p < 0x20 || *p == 0x7f || (*p == 0xc2 && p[1] < 0xa0))
        {
            n = n == 0 ? 1 : n;
            continue;
        }

        if (len + n >= cap) {
            break;
        }

        memcpy(dst + len, p, n);
        len += n;
    }

    dst[len] = '\0';
}


static void
one_sound(reel_source_audio_t *a, const reel_scan_t *s,
    const reel_scan_sound_t *q)
{
    AVDictionaryEntry        *e;
    const AVCodecParameters  *par;

    par = q->st->codecpar;

    a->stream = q->st->index;
    a->tb = rational(q->st->time_base);
    a->jumps = s->clock.track[q->st->index].jumps;
    a->ends = reel_av_ends_found(&q->ends);
    a->first_pts = a->ends ? q->start - q->first : q->start;
    a->end_pts = a->ends ? q->last : q->end;
    a->sample_rate = par->sample_rate > 0 ? (uint32_t) par->sample_rate : 0;
    a->channels = par->ch_layout.nb_channels > 0
                  ? (uint32_t) par->ch_layout.nb_channels : 0;
    (void) snprintf(a->codec, sizeof(a->codec), "%s",
                    avcodec_get_name(par->codec_id));
    a->roles = reel_av_scan_roles(q->st);
    label_of(a->label, sizeof(a->label), q->st);

    e = av_dict_get(q->st->metadata, "language", NULL, 0);
    reel_av_lang_bcp47(a->language, sizeof(a->language),
                       e != NULL ? e->value : NULL);
    reel_av_units_end(&q->units, &a->units, q->st, q->dec);
}


/* others than the first one must be heard: none of them fails a job */
static void
audio_facts(inspect_t *in)
{
    unsigned                  i;
    const reel_scan_sound_t  *q;
    reel_source_t            *s = &in->facts;

    for (i = 0; i < in->scan.nsounds; i++) {
        q = &in->scan.sounds[i];

        if (!q->has_sound || q->end <= q->start
            || q->st->codecpar->sample_rate <= 0
            || (i > 0 && (!q->heard
                          || q->st->codecpar->ch_layout.nb_channels <= 0)))
        {
            continue;
        }

        one_sound(s->audio.stream < 0 ? &s->audio : &s->more[s->nmore++],
                  &in->scan, q);
    }

    if (s->nmore > 0) {
        s->audio.roles |= REEL_ROLE_DEFAULT;
    }
}


/* matroska calls every track a default one: that chooses none */
static void
clear_defaults(reel_source_t *s)
{
    size_t  i, n = 0;

    for (i = 0; i < s->ntexts; i++) {
        n += (s->texts[i].roles & REEL_ROLE_DEFAULT) != 0;
    }

    for (i = 0; i < s->ntexts && n == s->ntexts; i++) {
        s->texts[i].roles &= ~REEL_ROLE_DEFAULT;
    }
}


/* covers stand beside the tracks: the first one that we can decode */
static void
cover_facts(inspect_t *in)
{
    unsigned                  i;
    const AVStream           *st;
    const AVCodecParameters  *par;

    for (i = 0; i < in->src.fmt->nb_streams; i++) {
        st = in->src.fmt->streams[i];
        par = st->codecpar;

        if ((st->disposition & AV_DISPOSITION_ATTACHED_PIC)
            && par->codec_type == AVMEDIA_TYPE_VIDEO
            && reel_av_decoder_find(par) != NULL
            && par->width > 0 && par->width <= UINT16_MAX
            && par->height > 0 && par->height <= UINT16_MAX
            && (int64_t) par->width * par->height <= REEL_AV_MAX_PIXELS
            && st->time_base.num > 0 && st->time_base.den > 0)
        {
            in->facts.cover = (reel_source_cover_t) {
                .stream = st->index,
                .tb = rational(st->time_base),
                .width = (uint32_t) par->width,
                .height = (uint32_t) par->height
            };
            return;
        }
    }
}


static void
text_facts(inspect_t *in)
{
    unsigned             i;
    const AVStream      *st;
    AVDictionaryEntry   *e;
    reel_source_text_t  *t;

    for (i = 0; i < in->src.fmt->nb_streams
                && in->facts.ntexts < REEL_SOURCE_TEXTS; i++)
    {
        st = in->src.fmt->streams[i];

        /* bitmaps, and what we cannot read, are passed over */
        if (st->codecpar->codec_type != AVMEDIA_TYPE_SUBTITLE
            || reel_av_decoder_find(st->codecpar) == NULL
            || st->time_base.num <= 0 || st->time_base.den <= 0)
        {
            continue;
        }

        t = &in->facts.texts[in->facts.ntexts++];
        t->stream = st->index;
        t->tb = rational(st->time_base);
        t->roles = reel_av_scan_roles(st)
                   | (st->disposition & AV_DISPOSITION_DEFAULT
                      ? REEL_ROLE_DEFAULT : 0);
        (void) snprintf(t->codec, sizeof(t->codec), "%s",
                        avcodec_get_name(st->codecpar->codec_id));
        label_of(t->label, sizeof(t->label), st);

        e = av_dict_get(st->metadata, "language", NULL, 0);
        reel_av_lang_bcp47(t->language, sizeof(t->language),
                           e != NULL ? e->value : NULL);
    }

    clear_defaults(&in->facts);
}


static void
progress(void *arg, unsigned permille)
{
    inspect_t  *in = arg;

    reel_child_progress(in->child, permille);
}


static int
inspect(inspect_t *in)
{
    reel_err_t    err;
    reel_scan_t  *s;

    s = &in->scan;

    if (reel_av_source_open(&in->src, in->child->source_fd, &in->fault) != 0
        || reel_av_scan_choose(s, &in->src, &in->fault) != 0
        || reel_av_scan_walk(s, &in->src, progress, in, &in->fault) != 0)
    {
        return -1;
    }

    (void) snprintf(in->facts.format, sizeof(in->facts.format), "%s",
                    in->src.io.movie != NULL ? "webp"
                                             : in->src.fmt->iformat->name);
    in->facts.bytes = (uint64_t) in->src.io.bytes;
    in->facts.video.stream = -1;
    in->facts.audio.stream = -1;

    if (s->shown.n > 0 && video_facts(in) != 0) {
        return -1;
    }

    audio_facts(in);

    if (in->facts.video.stream == -1 && in->facts.audio.stream == -1) {
        return reel_av_fault(&in->fault, "BAD_MEDIA", "demux",
                             "tracks without pictures and sound");
    }

    cover_facts(in);
    text_facts(in);
    reel_av_warn_source(&in->facts.warnings, &in->src, s, &in->facts);
    err = reel_child_source(in->child, &in->facts);

    return err == REEL_OK
           ? 0 : reel_av_fault_err(&in->fault, err, "write", "answer");
}


int
reel_av_inspect(reel_child_t *c)
{
    int        status;
    inspect_t  in;

    reel_av_log_init();

    in = (inspect_t) { .child = c };
    in.scan.max_duration_s = c->max_duration_s;
    in.scan.max_pixels = c->max_pixels != 0
                         && c->max_pixels < REEL_AV_MAX_PIXELS
                         ? (int64_t) c->max_pixels : REEL_AV_MAX_PIXELS;

    status = inspect(&in) == 0 ? 0 : reel_av_fault_report(c, &in.fault);

    reel_av_scan_release(&in.scan);
    reel_av_source_close(&in.src);
    reel_source_release(&in.facts);

    return status;
}
