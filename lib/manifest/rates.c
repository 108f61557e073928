#include "lib/index/rate.h"
#include "lib/manifest/protection.h"
#include "lib/manifest/rates.h"


/* a moof and the head of its mdat: the boxes, and what each sample adds */
#define MOOF_BYTES    116
#define MOOF_VIDEO    8         /* size and composition offset */
#define MOOF_AUDIO    4         /* size */

#define TS_PACKET     188
#define TS_PAYLOAD    184
#define TS_TABLES     2         /* PAT and PMT, a packet each */
#define TS_VIDEO      25        /* PES header of two times, delimiter */
#define TS_SETS       64        /* parameter sets, PCR */
#define TS_AUDIO      7         /* ADTS */
#define TS_PES_FRAMES 8         /* AAC frames a PES packet */
#define TS_PES        14        /* its header, one time */

/* SAMPLE-AES escapes NAL units once more: by less than this part of them */
#define SEALED_PART   256


uint64_t
reel_ts_fragment_bytes(uint64_t size, uint32_t samples, bool video)
{
    uint64_t  pes, bytes, moof;

    moof = MOOF_BYTES + (uint64_t) samples * (video ? MOOF_VIDEO
                                                    : MOOF_AUDIO);
    bytes = size > moof ? size - moof : 0;

    if (video) {
        pes = samples;
        bytes += pes * TS_VIDEO + TS_SETS;
    } else {
        pes = (samples + TS_PES_FRAMES - 1) / TS_PES_FRAMES;
        bytes += (uint64_t) samples * TS_AUDIO + pes * TS_PES;
    }

    /*
     * a PES packet ends anywhere in its last packet; a little more than half
     * of one is left over, as what is told should not be less than what is
     */
    return (bytes / TS_PAYLOAD + pes * 11 / 20 + 1) * TS_PACKET;
}


static reel_bitrate_t
rate_of_ts(const reel_index_t *ix, const reel_rendition_t *r,
    const reel_manifest_opts_t *o, uint32_t first, uint32_t count)
{
    uint32_t          n, last;
    uint64_t          size, ticks;
    reel_rate_t       x;
    reel_fragments_t  f;

    reel_rate_init(&x, r->timescale);
    reel_fragments_init(&f, ix, r);
    last = first + count - 1;

    for (n = 0; n <= last; n++) {
        size = TS_TABLES * TS_PACKET;
        ticks = 0;

        do {
            if (!reel_fragments_next(&f)) {
                return reel_rate_end(&x);
            }

            size += reel_ts_fragment_bytes(f.size, f.nsamples,
                                           r->kind == REEL_VIDEO);
            ticks += f.duration;

        } while ((f.number + 1) % o->per != 0 && f.left != 0);

        if (reel_protection_scheme(o->protection) == REEL_SCHEME_CBCS) {
            size += size / SEALED_PART;
        }

        if (n >= first) {
            reel_rate_add(&x, size, ticks, n == last);
        }
    }

    return reel_rate_end(&x);
}


/* what encryption adds to fragments */
static reel_bitrate_t
rate_of_sealed(const reel_index_t *ix, const reel_rendition_t *r,
    const reel_manifest_opts_t *o, uint32_t first, uint32_t count)
{
    uint32_t          n, last = first + count - 1;
    uint64_t          size, ticks;
    reel_rate_t       x;
    reel_fragments_t  f;

    reel_protection_bytes_t  grown = reel_protection_bytes(o->protection,
                                                 r->kind == REEL_VIDEO);

    reel_rate_init(&x, r->timescale);
    reel_fragments_init(&f, ix, r);

    for (n = 0; n <= last; n++) {
        size = grown.segment;
        ticks = 0;

        do {
            if (!reel_fragments_next(&f)) {
                return reel_rate_end(&x);
            }

            size += f.size + grown.fragment + grown.sample * f.nsamples;
            ticks += f.duration;

        } while ((f.number + 1) % o->per != 0 && f.left != 0);

        if (n >= first) {
            reel_rate_add(&x, size, ticks, n == last);
        }
    }

    return reel_rate_end(&x);
}


reel_bitrate_t
reel_rates_of(const reel_index_t *ix, const reel_rendition_t *r,
    const reel_manifest_opts_t *o, uint32_t first, uint32_t count)
{
    if (count == 0) {
        return (reel_bitrate_t) { 0, 0 };
    }

    if (o->container == REEL_CONTAINER_TS && r->kind != REEL_TEXT) {
        return rate_of_ts(ix, r, o, first, count);
    }

    if (o->protection != NULL && r->kind != REEL_TEXT) {
        return rate_of_sealed(ix, r, o, first, count);
    }

    return reel_index_bitrate_of(ix, r, o->per, first, count);
}


/* each I-frame is a segment of its playlist */
reel_bitrate_t
reel_rates_iframes(const reel_index_t *ix, const reel_rendition_t *r,
    const reel_manifest_opts_t *o, uint32_t first, uint32_t count)
{
    reel_rendition_t  q = *r;

    q.size_bytes = r->iframe_bytes;

    return reel_index_bitrate_of(ix, &q, 1, first * o->per, count * o->per);
}


void
reel_rates(reel_rates_t *x, const reel_index_t *ix,
    const reel_manifest_opts_t *o)
{
    unsigned                 i;
    uint32_t                 n = reel_index_segments(ix, o->per);
    reel_bitrate_t           iframes;
    const reel_rendition_t  *r;

    for (i = 0; i < ix->nrenditions; i++) {
        r = &ix->renditions[i];
        x->segments[i] = reel_rates_of(ix, r, o, 0, n);

        /* assigned once: another process may be reading what it wrote */
        iframes = r->kind == REEL_VIDEO
                  ? reel_rates_iframes(ix, r, o, 0, n)
                  : (reel_bitrate_t) { 0, 0 };
        x->iframes[i] = iframes;
    }
}


void
reel_bitrate_raise(reel_bitrate_t *worst, reel_bitrate_t rate)
{
    worst->peak = rate.peak > worst->peak ? rate.peak : worst->peak;
    worst->average = rate.average > worst->average ? rate.average
                                                   : worst->average;
}
