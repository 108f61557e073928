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
#define TS_ROUND      16        /* packets of payload come in sixteens */
#define TS_PCR        8         /* before each PES packet */
#define TS_VIDEO      25        /* PES header of two times, delimiter */
#define TS_SETS       64        /* parameter sets */
#define TS_AUDIO      7         /* ADTS */
#define TS_PES        14        /* its header, one time */
#define TS_TICKS      10        /* of a second: frames a PES packet, a PCR */

/* SAMPLE-AES escapes NAL units once more: by less than this part of them */
#define SEALED_PART   256


/* a segment as PES packets, by what is known of its fragments */
typedef struct {
    uint64_t bytes;             /* of payload */
    uint64_t pes;
    uint64_t idle;              /* packets with a PCR alone */
} ts_sum_t;


static void
ts_add(ts_sum_t *t, const reel_fragments_t *f, uint32_t timescale,
    bool video)
{
    uint32_t  n = f->nsamples;
    uint64_t  pes, frames, moof, ticks;

    moof = MOOF_BYTES + (uint64_t) n * (video ? MOOF_VIDEO : MOOF_AUDIO);
    t->bytes += f->size > moof ? f->size - moof : 0;

    ticks = (uint64_t) f->duration * TS_TICKS / timescale;

    if (video) {
        pes = n;
        t->bytes += pes * TS_VIDEO + TS_SETS;
        t->idle += ticks > n ? ticks - n : 0;

    } else {
        frames = f->duration == 0
                 ? n : (uint64_t) timescale * n / TS_TICKS / f->duration;
        pes = frames == 0 ? n : (n + frames - 1) / frames;
        t->bytes += (uint64_t) n * TS_AUDIO + pes * TS_PES;
    }

    t->bytes += pes * TS_PCR;
    t->pes += pes;
}


static uint64_t
square_root(uint64_t v)
{
    uint64_t  r = 0, bit;

    for (bit = UINT64_C(1) << 31; bit != 0; bit >>= 1) {
        if ((r | bit) * (r | bit) <= v) {
            r |= bit;
        }
    }

    return r;
}


/*
 * What the last packets of n PES packets have to spare, in packets, as the
 * sizes of samples are not known.  Pictures are of many sizes, most of them
 * small: if they are spread exponentially about a mean of m packets, each
 * takes 1 / (1 - e^(-1/m)), which is m + 1/2 + 1/(12 m), and near 1 + 4/3 m^3
 * where most are of one.  Of frames of sound it is half a packet.
 */
static uint64_t
ts_spare(const ts_sum_t *t, bool video)
{
    uint64_t  n = t->pes, m;

    m = t->bytes * 256 / TS_PAYLOAD / n;

    if (video && m < 128) {
        return n + n * m * m * m * 4 / 3 / (256 * 256 * 256)
               - t->bytes / TS_PAYLOAD;
    }

    return n / 2 + (video ? n * 256 / 12 / m : 0);
}


/*
 * Bytes of it, an estimate that is meant to be more than they will be: the sum
 * of what is to spare strays from its mean by the root of n / 12, and here is
 * twice that.
 */
static uint64_t
ts_bytes(const ts_sum_t *t, bool video)
{
    uint64_t  n;

    n = (t->bytes + TS_PAYLOAD - 1) / TS_PAYLOAD;

    if (t->pes != 0) {
        n += ts_spare(t, video) + square_root(t->pes / 3);
    }

    n = (n + TS_ROUND - 1) / TS_ROUND * TS_ROUND;

    return (n + t->idle + TS_TABLES) * TS_PACKET;
}


static reel_bitrate_t
rate_of_ts(const reel_index_t *ix, const reel_rendition_t *r,
    const reel_manifest_opts_t *o, uint32_t first, uint32_t count)
{
    bool              video = r->kind == REEL_VIDEO;
    ts_sum_t          t;
    uint32_t          n, last;
    uint64_t          size, ticks;
    reel_rate_t       x;
    reel_fragments_t  f;

    reel_rate_init(&x, r->timescale);
    reel_fragments_init(&f, ix, r);
    last = first + count - 1;

    for (n = 0; n <= last; n++) {
        t = (ts_sum_t) { 0 };
        ticks = 0;

        do {
            if (!reel_fragments_next(&f)) {
                return reel_rate_end(&x);
            }

            ts_add(&t, &f, r->timescale, video);
            ticks += f.duration;

        } while ((f.number + 1) % o->per != 0 && f.left != 0);

        size = ts_bytes(&t, video);

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
