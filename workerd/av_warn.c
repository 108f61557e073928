#include "workerd/av_warn.h"

#include <stdarg.h>
#include <stdio.h>

#include <libavutil/avstring.h>

#include "workerd/av_fit.h"
#include "workerd/av_log.h"

#define MS  ((AVRational) { 1, 1000 })

/* what they say of their duration may come of tracks that are not kept */
#define WRONG_MS       2000
#define WRONG_PART     20

/* of those that count what they wrote */
#define EARLY_MS       500
#define EARLY_PART     100


static void
warn(reel_warnings_t *w, reel_warning_code_t code, int64_t at_ms,
    const char *fmt, ...) REEL_PRINTF(4, 5);

static void
warn(reel_warnings_t *w, reel_warning_code_t code, int64_t at_ms,
    const char *fmt, ...)
{
    va_list         ap;
    reel_warning_t  x = { .count = 1, .at_ms = at_ms, .stage = "inspect" };

    va_start(ap, fmt);
    (void) vsnprintf(x.where, sizeof(x.where), fmt, ap);
    va_end(ap);

    reel_warnings_add(w, code, &x);
}


void
reel_av_warn_rate(reel_warnings_t *w, const reel_rate_t *r)
{
    if (r->every > 1) {
        warn(w, REEL_WARN_RATE_REDUCED, -1, "1 of %u pictures is kept",
             r->every);
    }
}


/* how long the longest of the kept tracks is, as it was found */
static int64_t
found_ms(const reel_scan_t *s, const reel_source_t *facts)
{
    int64_t                   ms, longest = 0;
    const reel_source_video_t *v = &facts->video;

    if (v->stream >= 0) {
        longest = av_rescale_q(v->last_pts + v->last_dur - v->first_pts,
                               s->video->time_base, MS);
    }

    for (unsigned i = 0; i < s->nsounds; i++) {
        ms = av_rescale_q(s->sounds[i].end - s->sounds[i].start,
                          s->sounds[i].st->time_base, MS);
        longest = ms > longest ? ms : longest;
    }

    return longest;
}


/* as the file says; 0: it says nothing, and libavformat guesses */
static int64_t
said_ms(const AVFormatContext *fmt)
{
    return fmt->duration_estimation_method == AVFMT_DURATION_FROM_STREAM
           && fmt->duration > 0
           ? av_rescale_q(fmt->duration, AV_TIME_BASE_Q, MS) : 0;
}


/* does the index name bytes that are not there? */
static bool
misses_samples(const reel_av_source_t *src, const AVStream *st)
{
    int                  n;
    const AVIndexEntry  *e;

    n = avformat_index_get_entries_count(st);

    for (int i = 0; i < n; i++) {
        e = avformat_index_get_entry((AVStream *) st, i);

        if (e != NULL && e->pos >= 0 && e->size > src->io.size - e->pos) {
            return true;
        }
    }

    return false;
}


static bool
ends_early(const reel_av_source_t *src, const reel_scan_t *s, int64_t said,
    int64_t found)
{
    const char  *name = src->fmt->iformat->name;

    if (src->io.movie != NULL) {
        return reel_av_io_ends_within(&src->io);
    }

    if (av_match_list(name, "mov", ',')) {
        if (s->video != NULL && misses_samples(src, s->video)) {
            return true;
        }

        for (unsigned i = 0; i < s->nsounds; i++) {
            if (misses_samples(src, s->sounds[i].st)) {
                return true;
            }
        }

        return false;
    }

    if (av_match_list(name, "matroska", ',')) {
        return reel_av_log_saw_end();
    }

    if (av_match_list(name, "mpegts,avi,wav", ',')) {
        return reel_av_io_ends_within(&src->io);
    }

    return said > found + EARLY_MS && said - found > said / EARLY_PART;
}


static void
warn_end(reel_warnings_t *w, const reel_av_source_t *src,
    const reel_scan_t *s, const reel_source_t *facts)
{
    int64_t  off, said = said_ms(src->fmt), found = found_ms(s, facts);

    off = said > found ? said - found : found - said;

    if (ends_early(src, s, said, found)) {
        warn(w, REEL_WARN_ENDS_EARLY, found, said > found + EARLY_MS
             ? "%lld.%02d s of %lld.%02d s are there" : "at %lld.%02d s",
             (long long) found / 1000, (int) (found % 1000 / 10),
             (long long) said / 1000, (int) (said % 1000 / 10));

    } else if (said > 0 && off > WRONG_MS && off > said / WRONG_PART) {
        warn(w, REEL_WARN_DURATION_WRONG, -1, "%lld.%02d s, found are "
             "%lld.%02d s", (long long) said / 1000, (int) (said % 1000 / 10),
             (long long) found / 1000, (int) (found % 1000 / 10));
    }
}


/* tracks jump together, but not all of them are there at each jump */
static void
warn_jumps(reel_warnings_t *w, const reel_av_source_t *src,
    const reel_source_t *facts)
{
    int                  stream = facts->video.stream;
    int64_t              first = facts->video.first_pts;
    const reel_jumps_t  *j = &facts->video.jumps;
    reel_warning_t       x = { .stage = "inspect" };

    if (stream < 0 || facts->audio.jumps.n > j->n) {
        stream = facts->audio.stream;
        first = facts->audio.first_pts;
        j = &facts->audio.jumps;
    }

    if (j->n == 0 || stream < 0) {
        return;
    }

    x.count = j->n;
    x.at_ms = av_rescale_q(j->jump[0].at - first,
                           src->fmt->streams[stream]->time_base, MS);
    x.at_ms = x.at_ms > 0 ? x.at_ms : 0;
    (void) snprintf(x.where, sizeof(x.where), "track %d", stream);
    reel_warnings_add(w, REEL_WARN_CLOCK_JUMPS, &x);
}


static bool
is_kept(const reel_source_t *facts, int stream)
{
    if (stream == facts->video.stream || stream == facts->audio.stream) {
        return true;
    }

    for (size_t i = 0; i < facts->nmore; i++) {
        if (facts->more[i].stream == stream) {
            return true;
        }
    }

    for (size_t i = 0; i < facts->ntexts; i++) {
        if (facts->texts[i].stream == stream) {
            return true;
        }
    }

    return false;
}


/* a track that is left out since one like it is kept is no loss */
static bool
is_spare(const reel_av_source_t *src, const reel_source_t *facts,
    const AVStream *st)
{
    for (size_t i = 0; i < 1 + facts->nmore; i++) {
        int  stream = reel_source_audio(facts, i)->stream;

        if (stream >= 0
            && reel_av_scan_same_sound(src->fmt->streams[stream], st))
        {
            return reel_av_decoder_find(st->codecpar) != NULL;
        }
    }

    return false;
}


static void
warn_tracks(reel_warnings_t *w, const reel_av_source_t *src,
    const reel_source_t *facts)
{
    const AVStream           *st;
    const AVCodecParameters  *par;

    for (unsigned i = 0; i < src->fmt->nb_streams; i++) {
        st = src->fmt->streams[i];
        par = st->codecpar;

        if (is_kept(facts, (int) i) || reel_av_scan_is_still(st)) {
            continue;
        }

        if (par->codec_type == AVMEDIA_TYPE_SUBTITLE) {
            warn(w, REEL_WARN_TEXT_LEFT_OUT, -1, "track %u (%s)", i,
                 avcodec_get_name(par->codec_id));

        } else if (par->codec_type == AVMEDIA_TYPE_VIDEO
                   || (par->codec_type == AVMEDIA_TYPE_AUDIO
                       && !is_spare(src, facts, st)))
        {
            warn(w, REEL_WARN_TRACK_LEFT_OUT, -1, "track %u (%s)", i,
                 avcodec_get_name(par->codec_id));
        }
    }
}


void
reel_av_warn_source(reel_warnings_t *w, const reel_av_source_t *src,
    const reel_scan_t *s, const reel_source_t *facts)
{
    warn_end(w, src, s, facts);
    warn_jumps(w, src, facts);
    warn_tracks(w, src, facts);

    if (facts->video.stream >= 0
        && reel_av_fit_dolby_alone(src->fmt->streams[facts->video.stream]))
    {
        warn(w, REEL_WARN_COLOURS_WRONG, -1, "track %d, Dolby Vision without "
             "a base layer of its own", facts->video.stream);
    }
}
