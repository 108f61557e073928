#include "workerd/av_open.h"

#include <string.h>

#include <libavutil/avstring.h>
#include <libavutil/dict.h>
#include <libavutil/mem.h>

#include "workerd/av_log.h"


/*
 * Demuxers: self-contained files that cameras, phones, browsers and editors
 * make.  Left out on purpose: whatever refers to other files (hls, dash,
 * concat, image2, sdp), and rm, nsv … until somebody needs them.
 */
#define DEMUXERS                                                             \
    "mov,matroska,webm,mpegts,mpeg,avi,flv,ogg,asf,mxf,gif,dv,wav,aiff,mp3," \
    "aac,flac,ac3,eac3,amr"

/* decoders; libav's names.  av1 is dav1d's: the native one needs hardware */
#define VIDEO_DECODERS                                                       \
    "h264,hevc,libdav1d,vp8,vp9,mpeg4,mpeg2video,mpeg1video,h263,flv,"       \
    "msmpeg4,msmpeg4v2,wmv1,wmv2,wmv3,vc1,mjpeg,prores,dnxhd,dvvideo,"       \
    "theora,gif,png,v210,rawvideo"

#define AUDIO_DECODERS                                                       \
    "aac,aac_latm,mp3,mp3float,mp2,mp2float,mp1,mp1float,ac3,eac3,dca,"      \
    "s302m,opus,vorbis,flac,alac,amrnb,amrwb,pcm_s16le,pcm_s16be,pcm_s24le," \
    "pcm_s24be,pcm_s32le,pcm_s32be,pcm_f32le,pcm_f32be,pcm_f64le,pcm_u8,"    \
    "pcm_s8,pcm_alaw,pcm_mulaw,pcm_bluray,pcm_dvd,adpcm_ms,adpcm_ima_wav,"   \
    "adpcm_ima_qt,wmav1,wmav2,wmapro"

/* all of them give dialogue of ASS */
#define TEXT_DECODERS  "subrip,srt,mov_text,webvtt,ass,ssa,text"

#define DECODERS     VIDEO_DECODERS "," AUDIO_DECODERS "," TEXT_DECODERS

/* formats that point elsewhere: refused by name, not as "no video" */
#define REFERENCES                                                           \
    "hls,applehttp,dash,concat,concatf,sdp,rtsp,rtp,image2,image2pipe,"      \
    "imf,webvtt,tedcaptions,ffmetadata"

#define PROBE_BYTES  (8 << 20)
#define PROBE_SCORE  25


static int
refuse_open(AVFormatContext *fmt, AVIOContext **pb, const char *url,
    int flags, AVDictionary **options)
{
    (void) fmt;
    (void) pb;
    (void) url;
    (void) flags;
    (void) options;

    return AVERROR(EPERM);
}


static int
probe(reel_av_source_t *s, const AVInputFormat **in, reel_av_fault_t *f)
{
    int          score;
    const char  *text;

    text = reel_av_io_sniff_reference(&s->io);
    if (text != NULL) {
        return reel_av_fault(f, "FORBIDDEN_FORMAT", "demux",
                             "the file is %s", text);
    }

    score = av_probe_input_buffer2(s->io.pb, in, "", NULL, 0, 0);

    if (s->io.failed) {
        return reel_av_fault(f, "IO", "demux", "the source cannot be read");
    }

    if (score == AVERROR(ENOMEM)) {
        return reel_av_fault_lib(f, score, "demux", "probe");
    }

    if (score >= 0 && av_match_list((*in)->name, REFERENCES, ',') > 0) {
        return reel_av_fault(f, "FORBIDDEN_FORMAT", "demux",
                             "format %s is not accepted", (*in)->name);
    }

    if (score <= PROBE_SCORE
        || av_match_list((*in)->name, DEMUXERS, ',') <= 0)
    {
        return reel_av_fault(f, "NOT_A_VIDEO", "demux", "format %s",
                             score >= 0 ? (*in)->name : "unknown");
    }

    return 0;
}


static int
open_fault(reel_av_source_t *s, int rc, const AVInputFormat *in,
    reel_av_fault_t *f)
{
    if (s->io.failed) {
        return reel_av_fault(f, "IO", "demux", "the source cannot be read");
    }

    if (reel_av_log_saw_max_streams()) {
        return reel_av_fault(f, "LIMIT_STREAMS", "demux",
                             "more than %d tracks", REEL_AV_MAX_STREAMS);
    }

    if (av_match_list(in->name, "mov", ',') > 0
        && reel_av_io_lacks_moov(&s->io))
    {
        return reel_av_fault(f, "TRUNCATED", "demux",
                             "the file ends before its index (moov)");
    }

    if (reel_av_cause(rc) == AVERROR(ENOMEM)) {
        return reel_av_fault_lib(f, rc, "demux", "open");
    }

    return reel_av_fault_lib(f, AVERROR_INVALIDDATA, "demux", "open");
}


/* decoders that find_stream_info opens obey the same bounds */
static int
stream_info(AVFormatContext *fmt)
{
    int             rc;
    unsigned        i, n;
    AVDictionary  **options;

    n = fmt->nb_streams;
    options = av_calloc(n ? n : 1, sizeof(*options));
    if (options == NULL) {
        return AVERROR(ENOMEM);
    }

    for (i = 0; i < n; i++) {
        (void) av_dict_set_int(&options[i], "max_pixels",
                               REEL_AV_MAX_PIXELS, 0);
        (void) av_dict_set(&options[i], "threads", "1", 0);
    }

    rc = avformat_find_stream_info(fmt, options);

    for (i = 0; i < n; i++) {
        av_dict_free(&options[i]);
    }
    av_free(options);

    return rc;
}


static int
set_limits(AVFormatContext *fmt)
{
    fmt->flags |= AVFMT_FLAG_CUSTOM_IO;
    fmt->io_open = refuse_open;
    fmt->max_streams = REEL_AV_MAX_STREAMS;
    fmt->probesize = PROBE_BYTES;

    fmt->format_whitelist = av_strdup(DEMUXERS);
    fmt->codec_whitelist = av_strdup(DECODERS);
    fmt->protocol_whitelist = av_strdup("");

    return fmt->format_whitelist == NULL || fmt->codec_whitelist == NULL
           || fmt->protocol_whitelist == NULL ? AVERROR(ENOMEM) : 0;
}


int
reel_av_source_open(reel_av_source_t *s, int fd, reel_av_fault_t *f)
{
    int                   rc;
    const AVInputFormat  *in;

    *s = (reel_av_source_t) { 0 };
    av_max_alloc(REEL_AV_ALLOC_MAX);

    rc = reel_av_io_open(&s->io, fd);
    if (rc < 0) {
        return reel_av_fault_lib(f, rc, "demux", "source");
    }

    in = NULL;
    if (reel_av_io_present(&s->io, f) != 0 || probe(s, &in, f) != 0) {
        goto fail;
    }

    s->fmt = avformat_alloc_context();
    if (s->fmt == NULL || set_limits(s->fmt) != 0) {
        (void) reel_av_fault_lib(f, AVERROR(ENOMEM), "demux", "open");
        goto fail;
    }

    s->fmt->pb = s->io.pb;

    /* frees fmt when it fails */
    rc = avformat_open_input(&s->fmt, "", in, NULL);
    if (rc < 0) {
        (void) open_fault(s, rc, in, f);
        goto fail;
    }

    rc = stream_info(s->fmt);
    if (rc < 0 || s->io.failed || reel_av_log_saw_max_streams()) {
        (void) open_fault(s, rc, in, f);
        goto fail;
    }

    return 0;

fail:

    reel_av_source_close(s);
    return -1;
}


bool
reel_av_source_is_cut(const reel_av_source_t *s)
{
    return av_match_list(s->fmt->iformat->name, "mov", ',') > 0
           && reel_av_io_lacks_moov(&s->io);
}


void
reel_av_source_close(reel_av_source_t *s)
{
    avformat_close_input(&s->fmt);
    reel_av_io_close(&s->io);
}


AVStream *
reel_av_source_only(reel_av_source_t *s, int stream, reel_av_fault_t *f)
{
    unsigned  i;

    if (stream < 0 || (unsigned) stream >= s->fmt->nb_streams) {
        (void) reel_av_fault(f, "BAD_MEDIA", "demux", "no stream %d", stream);
        return NULL;
    }

    for (i = 0; i < s->fmt->nb_streams; i++) {
        s->fmt->streams[i]->discard = (int) i == stream ? AVDISCARD_DEFAULT
                                                        : AVDISCARD_ALL;
    }

    return s->fmt->streams[stream];
}


AVStream *
reel_av_source_open_only(reel_av_source_t *s, int fd, int stream,
    const reel_jumps_t *jumps, reel_av_fault_t *f)
{
    if (reel_av_source_open(s, fd, f) != 0) {
        return NULL;
    }

    s->jumps = jumps;

    return reel_av_source_only(s, stream, f);
}


const char *
reel_av_source_codec(const reel_av_source_t *s, const AVStream *st)
{
    return s->io.movie != NULL ? "webp"
                               : avcodec_get_name(st->codecpar->codec_id);
}


/* the layouts that swscale would have to read are hundreds, seldom used */
static bool
is_plain(const AVCodecParameters *par)
{
    if (par->codec_id != AV_CODEC_ID_RAWVIDEO) {
        return true;
    }

    switch (par->format) {
    case AV_PIX_FMT_UYVY422:
    case AV_PIX_FMT_YUYV422:
    case AV_PIX_FMT_YUV420P:
    case AV_PIX_FMT_RGB24:
    case AV_PIX_FMT_BGR24:
        return true;
    default:
        return false;
    }
}


const AVCodec *
reel_av_decoder_find(const AVCodecParameters *par)
{
    void           *it;
    const AVCodec  *codec;

    it = NULL;

    while (is_plain(par) && (codec = av_codec_iterate(&it)) != NULL) {
        if (codec->id == par->codec_id && av_codec_is_decoder(codec)
            && av_match_name(codec->name, DECODERS))
        {
            return codec;
        }
    }

    return NULL;
}


AVCodecContext *
reel_av_decoder_open(const AVStream *st, uint32_t threads,
    reel_av_fault_t *f)
{
    int              rc;
    const AVCodec   *codec;
    AVCodecContext  *ctx;

    codec = reel_av_decoder_find(st->codecpar);
    if (codec == NULL) {
        (void) reel_av_fault(f, "UNSUPPORTED_CODEC", "decode", "codec %s",
                             avcodec_get_name(st->codecpar->codec_id));
        return NULL;
    }

    ctx = avcodec_alloc_context3(codec);
    if (ctx == NULL) {
        (void) reel_av_fault_lib(f, AVERROR(ENOMEM), "decode", codec->name);
        return NULL;
    }

    rc = avcodec_parameters_to_context(ctx, st->codecpar);

    if (rc >= 0) {
        ctx->pkt_timebase = st->time_base;
        ctx->max_pixels = REEL_AV_MAX_PIXELS;
        ctx->thread_count = threads > 0 ? (int) threads : 1;
        ctx->codec_whitelist = av_strdup(DECODERS);
        rc = avcodec_open2(ctx, codec, NULL);
    }

    if (rc < 0) {
        avcodec_free_context(&ctx);
        (void) reel_av_fault_lib(f, reel_av_cause(rc) == AVERROR(ENOMEM)
                                    ? rc : AVERROR_INVALIDDATA,
                                 "decode", codec->name);
        return NULL;
    }

    return ctx;
}


int64_t
reel_av_packet_ts(const AVPacket *pkt)
{
    int64_t  ts;

    ts = pkt->pts != AV_NOPTS_VALUE ? pkt->pts : pkt->dts;

    /* nobody films that long: a damaged or hostile header */
    return ts > REEL_AV_TS_MAX || ts < -REEL_AV_TS_MAX ? AV_NOPTS_VALUE : ts;
}


void
reel_av_packet_fill(reel_av_lead_t *l, AVPacket *pkt)
{
    int64_t  lead;

    if (l->varies || pkt->dts == AV_NOPTS_VALUE
        || pkt->dts > REEL_AV_TS_MAX || pkt->dts < -REEL_AV_TS_MAX)
    {
        return;
    }

    if (pkt->pts == AV_NOPTS_VALUE) {
        if (l->known) {
            pkt->pts = pkt->dts + l->lead;
        }
        return;
    }

    if (pkt->pts > REEL_AV_TS_MAX || pkt->pts < -REEL_AV_TS_MAX) {
        return;
    }

    lead = pkt->pts - pkt->dts;
    l->varies = l->known && lead != l->lead;
    l->known = true;
    l->lead = lead;
}
