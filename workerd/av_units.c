#include "workerd/av_units.h"

#include <stdio.h>

#include "lib/base/rescale.h"
#include "lib/codec/aac.h"
#include "workerd/av_compat.h"

#define OBJECT_LC     2

/* bytes a channel and unit: all that a decoder must hold, 14496-3, 4.5.3 */
#define UNIT_BYTES    768

/* a unit stands no further from its place, of the unit's length */
#define ASTRAY        4


static int64_t
samples(const AVStream *st, int64_t ticks)
{
    return reel_rescale(ticks, (uint64_t) st->time_base.num
                        * (uint64_t) st->codecpar->sample_rate,
                        (uint64_t) st->time_base.den, REEL_ROUND_NEAR);
}


/* unit n lies n units behind the first one */
static bool
is_astray(const reel_av_units_t *u, const AVStream *st, int64_t pts)
{
    int64_t  off = samples(st, pts - u->first_pts)
                   - (int64_t) u->n * REEL_AAC_FRAME;

    return off > REEL_AAC_FRAME / ASTRAY || off < -REEL_AAC_FRAME / ASTRAY;
}


/* what this packet is refused for, or NULL */
static const char *
look(const reel_av_units_t *u, const AVStream *st, const AVPacket *pkt)
{
    int                       channels = st->codecpar->ch_layout.nb_channels;
    size_t                    size;
    const AVCodecParameters  *par = st->codecpar;

    if (par->codec_id != AV_CODEC_ID_AAC) {
        return "it is not AAC";
    }

    if (par->extradata_size < 2) {
        return "its container carries no AudioSpecificConfig";
    }

    if (par->sample_rate <= 0 || channels < 1 || channels > 2) {
        return "it is neither mono nor stereo";
    }

    if (pkt->pts == AV_NOPTS_VALUE || pkt->size <= 0) {
        return "it has packets without a time";
    }

    if (pkt->size > UNIT_BYTES * channels) {
        return "it has larger units than decoders take";
    }

    if (av_packet_get_side_data(pkt, AV_PKT_DATA_NEW_EXTRADATA, &size)
        != NULL)
    {
        return "its configuration changes";
    }

    return u->n > 0 && is_astray(u, st, pkt->pts)
           ? "its units do not follow one another" : NULL;
}


void
reel_av_units_see(reel_av_units_t *u, const AVStream *st, const AVPacket *pkt)
{
    if (u->refused == NULL) {
        u->refused = look(u, st, pkt);
    }

    if (u->refused != NULL) {
        return;
    }

    if (u->n == 0) {
        u->first_pts = pkt->pts;
    }

    u->n++;
    u->bytes += (uint64_t) pkt->size;
}


/* plain AAC-LC, and nothing that only the units tell; or why not */
static const char *
check_config(const AVStream *st, const AVCodecContext *dec)
{
    reel_str_t                asc;
    reel_aac_config_t         c;
    const AVCodecParameters  *par = st->codecpar;

    asc.p = (const char *) par->extradata;
    asc.len = (size_t) par->extradata_size;

    if (asc.len > REEL_AAC_CONFIG_MAX) {
        return "its AudioSpecificConfig is unusually long";
    }

    if (reel_aac_config(&c, asc) != REEL_OK || c.object_type != OBJECT_LC
        || c.frame != REEL_AAC_FRAME || dec->profile != FF_PROFILE_AAC_LOW)
    {
        return "it is not AAC-LC";
    }

    return c.channels != par->ch_layout.nb_channels
           || c.sample_rate != (uint32_t) par->sample_rate
           || dec->sample_rate != par->sample_rate
           || dec->ch_layout.nb_channels != par->ch_layout.nb_channels
           ? "its container and its units tell of different sounds" : NULL;
}


void
reel_av_units_end(const reel_av_units_t *u, reel_source_units_t *s,
    const AVStream *st, const AVCodecContext *dec)
{
    int64_t      kbps;
    const char  *no = u->refused;

    if (no == NULL) {
        no = u->n == 0 ? "it has none" : check_config(st, dec);
    }

    *s = (reel_source_units_t) { .known = true };

    if (no != NULL) {
        (void) snprintf(s->refused, sizeof(s->refused), "%s", no);
        return;
    }

    kbps = reel_rescale((int64_t) u->bytes * 8,
                        (uint64_t) st->codecpar->sample_rate,
                        u->n * REEL_AAC_FRAME * 1000, REEL_ROUND_NEAR);
    s->first_pts = u->first_pts;
    s->kbps = kbps > 0 ? (uint32_t) kbps : 1;
}
