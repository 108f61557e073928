/* the facts that a condition may name */

#include <string.h>

#include "lib/base/rescale.h"
#include "lib/job/when_part.h"

#define MS_MAX  ((int64_t) 1 << 40)     /* 34 years */


static int64_t
span_ms(reel_rational_t tb, int64_t from, int64_t to)
{
    int64_t ms;

    if (tb.den == 0 || to <= from) {
        return 0;
    }

    ms = reel_rescale(to - from, (uint64_t) tb.num * 1000, tb.den,
                      REEL_ROUND_NEAR);

    return ms < MS_MAX ? ms : MS_MAX;
}


/* milliseconds: thousandths of a second */
static int64_t
duration(const reel_source_t *s)
{
    int64_t v = 0, a = 0;

    if (s->video.stream >= 0) {
        v = span_ms(s->video.tb, s->video.first_pts,
                    s->video.last_pts + s->video.last_dur);
    }
    if (s->audio.stream >= 0) {
        a = span_ms(s->audio.tb, s->audio.first_pts, s->audio.end_pts);
    }

    return v > a ? v : a;
}


static int64_t
milli(uint64_t n)
{
    return n < INT64_MAX / 1000 ? (int64_t) n * 1000 : INT64_MAX;
}


static int64_t
kbps(const reel_source_t *s)
{
    int64_t  ms = duration(s);
    uint64_t bytes = s->bytes < (uint64_t) 1 << 50 ? s->bytes
                                                   : (uint64_t) 1 << 50;

    /* bits a millisecond are kilobits a second */
    return ms == 0 ? 0 : milli(bytes * 8 / (uint64_t) ms);
}


/* thousandths of a bit that a pixel took in the largest trial */
static int64_t
complexity(const reel_source_t *s)
{
    reel_rational_t     rate = s->video.rate;
    const reel_trial_t *t = &s->trials.v[0];

    if (s->trials.n == 0 || rate.num == 0) {
        return 0;
    }

    return reel_rescale((int64_t) t->kbps * 1000000000, rate.den,
                        (uint64_t) rate.num * t->width * t->height,
                        REEL_ROUND_NEAR);
}


static void
read_video(reel_when_value_t *v, const reel_source_t *s, int fact)
{
    const reel_source_video_t *p = &s->video;
    bool                       has = p->stream >= 0;
    uint32_t                   w = has ? p->width : 0;
    uint32_t                   h = has ? p->height : 0;

    switch (fact) {
    case REEL_FACT_VIDEO:
        v->n = has;
        break;
    case REEL_FACT_WIDTH:
        v->n = milli(w);
        break;
    case REEL_FACT_HEIGHT:
        v->n = milli(h);
        break;
    case REEL_FACT_SHORT_SIDE:
        v->n = milli(w < h ? w : h);
        break;
    case REEL_FACT_FPS:
        v->n = has && p->rate.den != 0
               ? reel_rescale(p->rate.num, 1000, p->rate.den,
                              REEL_ROUND_NEAR) : 0;
        break;
    case REEL_FACT_CONSTANT_RATE:
        v->n = has && p->constant_rate;
        break;
    case REEL_FACT_INTERLACED:
        v->n = has && p->interlaced;
        break;
    case REEL_FACT_HDR:
        v->n = has && p->light.range != REEL_RANGE_SDR;
        break;
    case REEL_FACT_ROTATION:
        v->n = has ? milli((uint64_t) p->rotation) : 0;
        break;
    default:
        v->text = has ? p->codec : "";
    }
}


void
reel_when_read(reel_when_value_t *v, const reel_source_t *s, int fact)
{
    const reel_source_audio_t *a = &s->audio;
    bool                       has = a->stream >= 0;

    switch (fact) {
    case REEL_FACT_DURATION:
        v->n = duration(s);
        break;
    case REEL_FACT_BYTES:
        v->n = milli(s->bytes);
        break;
    case REEL_FACT_KBPS:
        v->n = kbps(s);
        break;
    case REEL_FACT_FORMAT:
        v->text = s->format;
        break;
    case REEL_FACT_AUDIO:
        v->n = has;
        break;
    case REEL_FACT_AUDIO_CODEC:
        v->text = has ? a->codec : "";
        break;
    case REEL_FACT_AUDIO_TRACKS:
        v->n = has ? milli(1 + s->nmore) : 0;
        break;
    case REEL_FACT_CHANNELS:
        v->n = has ? milli(a->channels) : 0;
        break;
    case REEL_FACT_SAMPLE_RATE:
        v->n = has ? milli(a->sample_rate) : 0;
        break;
    case REEL_FACT_LANGUAGE:
        v->text = has ? a->language : "";
        break;
    case REEL_FACT_SUBTITLES:
        v->n = milli(s->ntexts);
        break;
    case REEL_FACT_COMPLEXITY:
        v->n = complexity(s);
        break;
    default:
        read_video(v, s, fact);
    }

    v->len = v->type == REEL_WHEN_TEXT ? strlen(v->text) : 0;
}


static const struct {
    const char       *name;
    reel_when_type_t  type;
} facts[REEL_FACTS] = {
    [REEL_FACT_DURATION] = { "duration", REEL_WHEN_NUMBER },
    [REEL_FACT_BYTES] = { "bytes", REEL_WHEN_NUMBER },
    [REEL_FACT_KBPS] = { "kbps", REEL_WHEN_NUMBER },
    [REEL_FACT_FORMAT] = { "format", REEL_WHEN_TEXT },
    [REEL_FACT_VIDEO] = { "video", REEL_WHEN_BOOL },
    [REEL_FACT_VIDEO_CODEC] = { "video_codec", REEL_WHEN_TEXT },
    [REEL_FACT_WIDTH] = { "width", REEL_WHEN_NUMBER },
    [REEL_FACT_HEIGHT] = { "height", REEL_WHEN_NUMBER },
    [REEL_FACT_SHORT_SIDE] = { "short_side", REEL_WHEN_NUMBER },
    [REEL_FACT_FPS] = { "fps", REEL_WHEN_NUMBER },
    [REEL_FACT_CONSTANT_RATE] = { "constant_rate", REEL_WHEN_BOOL },
    [REEL_FACT_INTERLACED] = { "interlaced", REEL_WHEN_BOOL },
    [REEL_FACT_HDR] = { "hdr", REEL_WHEN_BOOL },
    [REEL_FACT_ROTATION] = { "rotation", REEL_WHEN_NUMBER },
    [REEL_FACT_AUDIO] = { "audio", REEL_WHEN_BOOL },
    [REEL_FACT_AUDIO_CODEC] = { "audio_codec", REEL_WHEN_TEXT },
    [REEL_FACT_AUDIO_TRACKS] = { "audio_tracks", REEL_WHEN_NUMBER },
    [REEL_FACT_CHANNELS] = { "channels", REEL_WHEN_NUMBER },
    [REEL_FACT_SAMPLE_RATE] = { "sample_rate", REEL_WHEN_NUMBER },
    [REEL_FACT_LANGUAGE] = { "language", REEL_WHEN_TEXT },
    [REEL_FACT_SUBTITLES] = { "subtitles", REEL_WHEN_NUMBER },
    [REEL_FACT_COMPLEXITY] = { "complexity", REEL_WHEN_NUMBER },
};


const char *
reel_when_fact(size_t i)
{
    return i < REEL_FACTS ? facts[i].name : NULL;
}


int
reel_when_find(reel_str_t name, reel_when_type_t *type)
{
    int i;

    for (i = 0; i < REEL_FACTS; i++) {
        if (reel_str_eqz(name, facts[i].name)) {
            *type = facts[i].type;
            return i;
        }
    }

    return -1;
}
