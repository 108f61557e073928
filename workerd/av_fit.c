#include "workerd/av_fit.h"

#include <libavutil/dovi_meta.h>

#include "lib/codec/avc.h"
#include "lib/codec/hevc.h"
#include "lib/codec/nal.h"
#include "workerd/av_compat.h"

#define BASELINE  66
#define MAIN      77
#define HIGH      100

/* of H.265 */
#define MAIN_8    1
#define MAIN_10   2
#define FIELDS    0x40          /* general_interlaced_source_flag */


#define NEITHER   "it is neither H.264 nor HEVC"
#define BAD_HVCC  "its hvcC is not of one VPS and SPS, few sets and " \
                  "lengths of 4 bytes"

/* bytes of an avcC: the number of its SPS */
#define AVCC_SETS 5

const char  reel_av_fit_nomem[] = "there is no memory";

typedef const char *(*fit_packet_t)(reel_buf_t *config, const AVStream *st,
    const AVPacket *pkt, bool key);
typedef const char *(*fit_format_t)(const reel_source_video_t *v,
    const AVStream *st, const reel_buf_t *config);

typedef struct {
    enum AVCodecID id;
    const char    *bare;        /* why not, without configuration */
    fit_packet_t   packet;
    fit_format_t   format;
} fit_t;


static reel_str_t
config_of(const AVStream *st)
{
    return (reel_str_t) { (const char *) st->codecpar->extradata,
                          (size_t) st->codecpar->extradata_size };
}


static reel_str_t
bytes_of(const reel_buf_t *b)
{
    return (reel_str_t) { (const char *) b->data, b->len };
}


static const char *
packet_avc(reel_buf_t *config, const AVStream *st, const AVPacket *pkt,
    bool key)
{
    reel_avc_sample_t  s;

    (void) config;
    (void) st;

    if (reel_avc_sample(&s, pkt->data, (size_t) pkt->size) != REEL_OK
        || s.slices == 0)
    {
        return "it has packets that are no picture";
    }

    return s.sets ? "parameter sets stand among its pictures"
           : (s.idr > 0) != key ? "its key frames are not its IDR pictures"
           : NULL;
}


/* the sets of an hvcC; where it has none, those that all key frames bring */
static const char *
take_config(reel_buf_t *config, const AVStream *st, const AVPacket *pkt,
    bool key)
{
    bool         has = reel_hevc_has_sets(config_of(st));
    reel_err_t   err;
    reel_buf_t   b;
    const char  *no = NULL;

    if (config->len != 0 && (has || !key)) {
        return NULL;
    }

    reel_buf_init(&b, REEL_EXTRADATA_MAX);

    err = reel_hevc_config_of(&b, config_of(st), pkt->data,
                              (size_t) pkt->size);

    if (err == REEL_NOMEM) {
        no = reel_av_fit_nomem;

    } else if (err != REEL_OK) {
        no = has || err == REEL_UNSUPPORTED
             ? BAD_HVCC : "its key frames lack parameter sets";

    } else if (config->len == 0) {
        *config = b;
        return NULL;

    } else if (!reel_str_eq(bytes_of(config), bytes_of(&b))) {
        no = "its parameter sets change";
    }

    reel_buf_release(&b);

    return no;
}


static const char *
packet_hevc(reel_buf_t *config, const AVStream *st, const AVPacket *pkt,
    bool key)
{
    const char          *no = take_config(config, st, pkt, key);
    reel_hevc_sample_t   s;

    if (no != NULL) {
        return no;
    }

    if (reel_hevc_sample(&s, bytes_of(config), pkt->data, (size_t) pkt->size)
        != REEL_OK || s.slices == 0)
    {
        return "it has packets that are no picture";
    }

    return s.layers ? "it has more layers than one"
           : s.changed ? "its parameter sets change"
           : key ? (s.irap ? NULL : "its key frames begin nothing")
           : s.irap && !s.cra ? "it has IDR pictures that are no key frames"
           : NULL;
}


/* as many pixels as are shown, and square ones */
static const char *
check_shape(const reel_source_video_t *v, uint32_t width, uint32_t height,
    bool square)
{
    return width != v->width || height != v->height || !square
           || v->rotation != 0 || v->hflip || v->vflip
           || (v->width | v->height) % 2 != 0
           ? "it is turned, stretched or odd in size" : NULL;
}


/* 8 bits, 4:2:0, whole frames, as it is shown; or why not */
static const char *
format_avc(const reel_source_video_t *v, const AVStream *st,
    const reel_buf_t *config)
{
    const char      *no = NULL;
    reel_err_t       err;
    reel_str_t       nal;
    reel_buf_t       avcc;
    reel_avc_sps_t   sps;
    const uint8_t   *p = st->codecpar->extradata;
    size_t           len = (size_t) st->codecpar->extradata_size;

    (void) config;
    reel_buf_init(&avcc, REEL_EXTRADATA_MAX);

    err = reel_avc_config(&avcc, p, len);
    if (err == REEL_NOMEM) {
        no = reel_av_fit_nomem;
        goto done;
    }

    if (err != REEL_OK || (p[AVCC_SETS] & 0x1f) != 1) {
        no = "its avcC is not of one SPS and lengths of 4 bytes";
        goto done;
    }

    nal.p = (const char *) p + AVCC_SETS + 3;
    nal.len = (size_t) p[AVCC_SETS + 1] << 8 | p[AVCC_SETS + 2];

    if (reel_avc_sps(&sps, (const uint8_t *) nal.p, nal.len) != REEL_OK
        || (sps.profile != BASELINE && sps.profile != MAIN
            && sps.profile != HIGH)
        || sps.chroma_format != 1 || sps.bit_depth != 8
        || sps.chroma_depth != 8)
    {
        no = "it is not 8-bit 4:2:0 of a common profile";

    } else if (sps.interlaced || v->interlaced) {
        no = "it may be interlaced";

    } else {
        no = check_shape(v, sps.width, sps.height,
                         sps.vui.sar_num == sps.vui.sar_den);
    }

done:

    reel_buf_release(&avcc);
    return no;
}


bool
reel_av_fit_dolby_alone(const AVStream *st)
{
    size_t                                 size;
    const AVDOVIDecoderConfigurationRecord *d;

    d = (const void *) reel_stream_side_data(st, AV_PKT_DATA_DOVI_CONF,
                                             &size);

    return d != NULL && size >= sizeof(*d)
           && d->dv_bl_signal_compatibility_id == 0;
}


static const char *
format_hevc(const reel_source_video_t *v, const AVStream *st,
    const reel_buf_t *config)
{
    reel_hevc_sps_t  sps;

    if (reel_hevc_only_sps(&sps, bytes_of(config)) != REEL_OK) {
        return BAD_HVCC;
    }

    if ((sps.ptl.profile != MAIN_8 && sps.ptl.profile != MAIN_10)
        || sps.ptl.space != 0 || sps.chroma_format != 1
        || sps.bit_depth != sps.chroma_depth
        || (sps.bit_depth != 8 && sps.bit_depth != 10))
    {
        return "it is not 4:2:0 of Main or Main 10";
    }

    if (reel_av_fit_dolby_alone(st)) {
        return "its colours are Dolby Vision's alone";
    }

    if ((sps.ptl.constraints[0] & FIELDS) || v->interlaced) {
        return "it may be interlaced";
    }

    if (!reel_hevc_level_holds(&sps, v->rate.num, v->rate.den)) {
        return "it is larger or faster than its level says";
    }

    return check_shape(v, sps.width, sps.height,
                       sps.vui.sar_num == sps.vui.sar_den);
}


static const fit_t fits[] = {
    { AV_CODEC_ID_H264, "its container carries no avcC", packet_avc,
      format_avc },
    { AV_CODEC_ID_HEVC, "its container carries no hvcC", packet_hevc,
      format_hevc },
};


static const fit_t *
find(const AVStream *st)
{
    size_t  i;

    for (i = 0; i < sizeof(fits) / sizeof(fits[0]); i++) {
        if (fits[i].id == st->codecpar->codec_id) {
            return &fits[i];
        }
    }

    return NULL;
}


const char *
reel_av_fit_packet(reel_buf_t *config, const AVStream *st,
    const AVPacket *pkt)
{
    size_t        size;
    const fit_t  *fit = find(st);

    if (fit == NULL) {
        return NEITHER;
    }

    if (st->codecpar->extradata_size <= AVCC_SETS
        || st->codecpar->extradata[0] != 1)
    {
        return fit->bare;
    }

    if (pkt->pts == AV_NOPTS_VALUE || pkt->size <= 0) {
        return "it has packets without a time";
    }

    if (pkt->flags & (AV_PKT_FLAG_DISCARD | AV_PKT_FLAG_CORRUPT)) {
        return "it has pictures that are not shown";
    }

    if (av_packet_get_side_data(pkt, AV_PKT_DATA_NEW_EXTRADATA, &size)
        != NULL)
    {
        return "its parameter sets change";
    }

    return fit->packet(config, st, pkt,
                       (pkt->flags & AV_PKT_FLAG_KEY) != 0);
}


const char *
reel_av_fit_format(const reel_source_video_t *v, const AVStream *st,
    const reel_buf_t *config)
{
    const fit_t  *fit = find(st);

    return fit == NULL ? NEITHER : fit->format(v, st, config);
}
