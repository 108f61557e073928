#include "lib/mp4/box.h"
#include "lib/mp4/profile.h"


/* ISO 23091-2 */
#define CP_BT2020  9
#define TC_PQ      16
#define TC_HLG     18
#define ANY        0

#define AVC_HIGH   100
#define HEVC_MAIN  1
#define HEVC_10    2

#define AAC_LC     2
#define AAC_SBR    5
#define AAC_PS     29


typedef struct {
    char     brand[5];
    uint8_t  profile;           /* at most */
    uint8_t  level;             /* at most */
    uint8_t  bit_depth;
    uint8_t  transfer;          /* ANY: of standard range */
    uint32_t width, height;
} video_profile_t;


/* ISO 23000-19, table A.1; levels as avcC has them */
static const video_profile_t  avc_profiles[] = {
    { "cfsd", AVC_HIGH, 31, 8, ANY, 864, 576 },
    { "cfhd", AVC_HIGH, 40, 8, ANY, 1920, 1080 },
    { "chdf", AVC_HIGH, 42, 8, ANY, 1920, 1080 }
};

/* table B.1; levels as hvcC has them */
static const video_profile_t  hevc_profiles[] = {
    { "chhd", HEVC_MAIN, 123, 8, ANY, 1920, 1080 },
    { "chh1", HEVC_10, 123, 10, ANY, 1920, 1080 },
    { "cud8", HEVC_MAIN, 150, 8, ANY, 3840, 2160 },
    { "cud1", HEVC_10, 153, 10, ANY, 3840, 2160 },
    { "chd1", HEVC_10, 153, 10, TC_PQ, 3840, 2160 },
    { "clg1", HEVC_10, 153, 10, TC_HLG, 3840, 2160 }
};


static bool
fits(const video_profile_t *p, const reel_cmaf_track_t *t,
    const reel_codec_facts_t *f)
{
    bool  range;

    /* what is not standard range is BT.2020 */
    range = p->transfer == ANY
            ? reel_video_range(t->transfer) == REEL_RANGE_SDR
            : t->transfer == p->transfer && t->primaries == CP_BT2020
              && t->matrix == CP_BT2020;

    return range && !t->full_range && f->profile <= p->profile
           && f->level <= p->level && f->bit_depth == p->bit_depth
           && f->chroma_format == 1 && t->width <= p->width
           && t->height <= p->height;
}


static uint32_t
first_fit(const video_profile_t *p, size_t n, const reel_cmaf_track_t *t,
    const reel_codec_facts_t *f)
{
    for ( ; n > 0; p++, n--) {
        if (fits(p, t, f)) {
            return REEL_FOURCC(p->brand[0], p->brand[1], p->brand[2],
                               p->brand[3]);
        }
    }

    return 0;
}


uint32_t
reel_brand_avc(const reel_cmaf_track_t *t, const reel_codec_facts_t *f)
{
    return first_fit(avc_profiles,
                     sizeof(avc_profiles) / sizeof(avc_profiles[0]), t, f);
}


uint32_t
reel_brand_hevc(const reel_cmaf_track_t *t, const reel_codec_facts_t *f)
{
    if (f->high_tier) {
        return 0;
    }

    return first_fit(hevc_profiles,
                     sizeof(hevc_profiles) / sizeof(hevc_profiles[0]), t, f);
}


uint32_t
reel_brand_av1(const reel_cmaf_track_t *t, const reel_codec_facts_t *f)
{
    (void) t;
    (void) f;

    return REEL_FOURCC('a', 'v', '0', '1');
}


/* AAC core, 10.5: up to stereo, up to 48 kHz, SBR and PS allowed */
uint32_t
reel_brand_aac(const reel_cmaf_track_t *t, const reel_codec_facts_t *f)
{
    (void) t;

    if (f->channels <= 2 && f->sample_rate <= 48000
        && (f->profile == AAC_LC || f->profile == AAC_SBR
            || f->profile == AAC_PS))
    {
        return REEL_FOURCC('c', 'a', 'a', 'c');
    }

    return 0;
}


/* E-AC-3 at 48 kHz, TS 102 366 annex G */
uint32_t
reel_brand_eac3(const reel_cmaf_track_t *t, const reel_codec_facts_t *f)
{
    (void) t;

    return f->sample_rate == 48000 ? REEL_FOURCC('c', 'e', 'a', 'c') : 0;
}


reel_video_range_t
reel_video_range(uint8_t transfer)
{
    if (transfer == TC_PQ) {
        return REEL_RANGE_PQ;
    }

    return transfer == TC_HLG ? REEL_RANGE_HLG : REEL_RANGE_SDR;
}
