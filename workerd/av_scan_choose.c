/* which tracks of a source are the film: pictures, and sounds by language */

#include "workerd/av_scan.h"

#include <string.h>

#include "lib/index/index.h"
#include "workerd/av_lang.h"
#include "workerd/av_log.h"
#include "workerd/av_read.h"


bool
reel_av_scan_is_still(const AVStream *st)
{
    return (st->disposition & (AV_DISPOSITION_ATTACHED_PIC
                               | AV_DISPOSITION_TIMED_THUMBNAILS
                               | AV_DISPOSITION_STILL_IMAGE)) != 0;
}


/* higher is better; a track that we cannot decode only if there is no other */
static int64_t
rank(const AVStream *st)
{
    int64_t                   v;
    const AVCodecParameters  *par;

    par = st->codecpar;
    v = par->codec_type == AVMEDIA_TYPE_VIDEO
        ? (int64_t) par->width * par->height : par->ch_layout.nb_channels;

    if (st->disposition & AV_DISPOSITION_DEFAULT) {
        v += INT64_C(1) << 40;
    }

    if (reel_av_decoder_find(par) != NULL) {
        v += INT64_C(1) << 41;
    }

    return v;
}


static bool
is_usable(const AVStream *st, enum AVMediaType type)
{
    return st->codecpar->codec_type == type && !reel_av_scan_is_still(st)
           && st->codecpar->codec_id != AV_CODEC_ID_NONE
           && st->time_base.num > 0 && st->time_base.den > 0;
}


static AVStream *
choose(AVFormatContext *fmt, enum AVMediaType type)
{
    unsigned   i;
    AVStream  *st, *best;

    best = NULL;

    for (i = 0; i < fmt->nb_streams; i++) {
        st = fmt->streams[i];

        if (is_usable(st, type) && (best == NULL || rank(st) > rank(best))) {
            best = st;
        }
    }

    return best;
}


uint32_t
reel_av_scan_roles(const AVStream *st)
{
    uint32_t  roles = 0;
    int       d = st->disposition;

    if (st->codecpar->codec_type == AVMEDIA_TYPE_AUDIO) {
        roles |= d & (AV_DISPOSITION_VISUAL_IMPAIRED
                      | AV_DISPOSITION_DESCRIPTIONS)
                 ? REEL_ROLE_DESCRIPTION : 0;
        roles |= d & AV_DISPOSITION_DUB ? REEL_ROLE_DUB : 0;

    } else {
        roles |= d & AV_DISPOSITION_FORCED ? REEL_ROLE_FORCED : 0;
        roles |= d & (AV_DISPOSITION_HEARING_IMPAIRED
                      | AV_DISPOSITION_CAPTIONS)
                 ? REEL_ROLE_CAPTIONS : 0;
    }

    roles |= d & AV_DISPOSITION_COMMENT ? REEL_ROLE_COMMENTARY : 0;

    return roles;
}


bool
reel_av_scan_same_sound(const AVStream *a, const AVStream *b)
{
    char                la[36], lb[36];
    AVDictionaryEntry  *ea, *eb;

    ea = av_dict_get(a->metadata, "language", NULL, 0);
    eb = av_dict_get(b->metadata, "language", NULL, 0);
    reel_av_lang_bcp47(la, sizeof(la), ea != NULL ? ea->value : NULL);
    reel_av_lang_bcp47(lb, sizeof(lb), eb != NULL ? eb->value : NULL);

    return strcmp(la, lb) == 0
           && reel_av_scan_roles(a) == reel_av_scan_roles(b);
}


static bool
is_another(const reel_scan_t *s, const AVStream *st)
{
    unsigned  i;

    for (i = 0; i < s->nsounds; i++) {
        if (reel_av_scan_same_sound(st, s->sounds[i].st)) {
            return false;
        }
    }

    return true;
}


/* the first one must do; others that cannot be decoded are passed over */
static int
add_sounds(reel_scan_t *s, AVFormatContext *fmt, reel_av_fault_t *f)
{
    unsigned         i;
    AVStream        *st, *best;
    AVCodecContext  *dec;
    reel_av_fault_t  why;

    for (best = s->audio; best != NULL && s->nsounds < REEL_SOURCE_AUDIOS; ) {
        why = (reel_av_fault_t) { 0 };
        dec = reel_av_decoder_open(best, 1, s->nsounds == 0 ? f : &why);

        if (dec == NULL
            && (s->nsounds == 0 || reel_av_fault_passed(f, &why) != 0))
        {
            return -1;
        }

        if (dec != NULL) {
            s->sounds[s->nsounds++] = (reel_scan_sound_t) { .st = best,
                                                            .dec = dec };
        } else {
            best->discard = AVDISCARD_ALL;
        }

        best = NULL;

        for (i = 0; i < fmt->nb_streams; i++) {
            st = fmt->streams[i];

            if (is_usable(st, AVMEDIA_TYPE_AUDIO) && is_another(s, st)
                && st->discard != AVDISCARD_ALL
                && reel_av_decoder_find(st->codecpar) != NULL
                && st->codecpar->sample_rate > 0
                && (best == NULL || rank(st) > rank(best)))
            {
                best = st;
            }
        }
    }

    return 0;
}


reel_scan_sound_t *
reel_av_scan_sound(reel_scan_t *s, int stream)
{
    unsigned  i;

    for (i = 0; i < s->nsounds; i++) {
        if (s->sounds[i].st->index == stream) {
            return &s->sounds[i];
        }
    }

    return NULL;
}


static int
check_codec(const AVStream *st, reel_av_fault_t *f)
{
    if (st == NULL || reel_av_decoder_find(st->codecpar) != NULL) {
        return 0;
    }

    return reel_av_fault(f, "UNSUPPORTED_CODEC", "demux", "codec %s",
                         avcodec_get_name(st->codecpar->codec_id));
}


int
reel_av_scan_choose(reel_scan_t *s, reel_av_source_t *src,
    reel_av_fault_t *f)
{
    unsigned  i;

    s->video = choose(src->fmt, AVMEDIA_TYPE_VIDEO);
    s->audio = choose(src->fmt, AVMEDIA_TYPE_AUDIO);

    if (s->video == NULL && s->audio == NULL) {
        if (reel_av_source_is_cut(src)) {
            return reel_av_fault(f, "TRUNCATED", "demux",
                                 "the file ends within its index (moov)");
        }

        return reel_av_fault(f, "NOT_A_VIDEO", "demux",
                             "neither pictures nor sound in it");
    }

    if (check_codec(s->video, f) != 0 || check_codec(s->audio, f) != 0) {
        return -1;
    }

    if (s->video != NULL
        && ((s->video->codecpar->width == 0 && reel_av_log_saw_max_pixels())
            || (int64_t) s->video->codecpar->width
               * s->video->codecpar->height > s->max_pixels))
    {
        return reel_av_fault(f, "LIMIT_PIXELS", "demux", "%d x %d pixels",
                             s->video->codecpar->width,
                             s->video->codecpar->height);
    }

    if (add_sounds(s, src->fmt, f) != 0) {
        return -1;
    }

    for (i = 0; i < src->fmt->nb_streams; i++) {
        if (src->fmt->streams[i] != s->video
            && reel_av_scan_sound(s, (int) i) == NULL)
        {
            src->fmt->streams[i]->discard = AVDISCARD_ALL;
        }
    }

    if (s->video != NULL) {
        s->dec = reel_av_decoder_open(s->video, 1, f);
        if (s->dec == NULL) {
            return -1;
        }
    }

    return 0;
}
