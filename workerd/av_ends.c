#include "workerd/av_ends.h"

#include "workerd/av_open.h"

/* one change may be a hole's chance */
#define CHANGES_MIN  2


/* the parser of its headers; NULL: none */
static AVVorbisParseContext *
parser_of(reel_av_ends_t *e, const AVStream *st)
{
    const AVCodecParameters  *par = st->codecpar;

    if (par->codec_id != AV_CODEC_ID_VORBIS || par->sample_rate <= 0
        || e->broken)
    {
        return NULL;
    }

    if (e->parser == NULL) {
        e->parser = av_vorbis_parse_init(par->extradata, par->extradata_size);
        e->broken = e->parser == NULL;
    }

    return e->parser;
}


/* times are rounded to ticks: the step between two is off by one at most */
static bool
is_step(const AVStream *st, int64_t step, int samples)
{
    int64_t  length;

    length = av_rescale_q(samples,
                          (AVRational) { 1, st->codecpar->sample_rate },
                          st->time_base);

    return step >= length - 1 && step <= length + 1;
}


void
reel_av_ends_see(reel_av_ends_t *e, const AVStream *st, const AVPacket *pkt)
{
    int                    samples;
    bool                   start, end;
    int64_t                pts;
    AVVorbisParseContext  *parser = parser_of(e, st);

    if (parser == NULL) {
        return;
    }

    pts = reel_av_packet_ts(pkt);
    samples = av_vorbis_parse_frame(parser, pkt->data, pkt->size);
    if (samples <= 0 || pts == AV_NOPTS_VALUE) {
        e->samples = 0;
        return;
    }

    if (e->samples > 0) {
        start = is_step(st, pts - e->pts, e->samples);
        end = is_step(st, pts - e->pts, samples);
        e->starts += start && !end;
        e->ends += end && !start;
    }

    e->pts = pts;
    e->samples = samples;
}


bool
reel_av_ends_found(const reel_av_ends_t *e)
{
    return e->ends >= CHANGES_MIN && e->ends / 4 >= e->starts;
}


void
reel_av_ends_release(reel_av_ends_t *e)
{
    av_vorbis_parse_free(&e->parser);
    *e = (reel_av_ends_t) { 0 };
}
