/*
 * reelctl check: what a server hands out, against rules.  check_load.c and
 * its kin fetch playlists, manifests, headers and segments and note what
 * lies in them; rules_*.c judge the notes; check_report.c tells.
 */

#ifndef REEL_CTL_CHECK_H
#define REEL_CTL_CHECK_H

#include "reelctl/http.h"
#include "reelctl/m3u8.h"
#include "reelctl/mpd.h"

#define REEL_CHECK_NOTE  160
#define REEL_CHECK_FAULTS 5     /* told of a rule; the others are counted */

/*
 * A server may be hostile: what one run keeps of it, and for how long it is
 * asked (docs/reelctl.md).  Beyond, the run ends without a verdict.
 */
#define REEL_CHECK_FILES    2048
#define REEL_CHECK_KEPT     (256u << 20)    /* bytes of playlists, headers */
#define REEL_CHECK_SEGMENTS 250000          /* of all tracks together */
#define REEL_CHECK_TIME_S   1800            /* without --timeout … */
#define REEL_CHECK_FULL_S   14400           /* … and with --full */

/* ---- what was found ---- */

/* a file of the server; body is its text, for playlists and manifests */
typedef struct {
    char      *url;
    bool       tried;
    long       status;          /* 0: no answer */
    char       type[96];
    char       encoding[16];
    char       cors[64];
    char       redirect[160];   /* where to, or "" */
    char       problem[REEL_CHECK_NOTE];
    uint64_t   size;            /* as it plays: not gzipped */
    reel_buf_t body;
} reel_check_file_t;

/* a header (EXT-X-MAP, Initialization), or what a TS says of itself */
typedef struct {
    bool     read;
    char     fault[REEL_CHECK_NOTE];
    char     codec[64];         /* RFC 6381 */
    uint32_t entry;             /* sample entry; of encrypted ones the first */
    uint32_t handler;           /* vide, soun, text, subt */
    unsigned tracks;
    uint32_t track_id;
    uint32_t timescale;
    char     language[4];
    uint32_t width, height, channels, sample_rate;
    uint8_t  profile, level, tier;      /* as the codec counts them */
    uint8_t  primaries, transfer, matrix;       /* 2: unspecified */
    unsigned nal_size;          /* of avcC and hvcC; 0: no NAL units */
    bool     interlaced, cmaf, fragmented, edits, loudness, samples;
    bool     encrypted;
    uint32_t scheme;
    uint8_t  kid[16], crypt, skip;
    uint32_t duration, size, flags;     /* trex's defaults */
} reel_check_init_t;

typedef enum {
    REEL_CHECK_NONE, REEL_CHECK_MP4, REEL_CHECK_TS, REEL_CHECK_VTT
} reel_check_form_t;

/* what lies in a segment; times are ticks of timescale */
typedef struct {
    bool     read;
    char     fault[REEL_CHECK_NOTE];    /* "" or why it is malformed */
    char     style[REEL_CHECK_NOTE];    /* "" or which rule of CMAF it breaks */
    uint32_t timescale;
    int64_t  dts, pts;          /* first decoded, first shown */
    int64_t  latest;            /* pts of what is shown last */
    int64_t  duration;          /* of all samples */
    int64_t  shown;             /* from pts to the end of what is shown last */
    int64_t  sync_gap;          /* longest way between two sync samples */
    unsigned samples, fragments, tracks;
    unsigned audio_tracks, video_tracks;        /* TS */
    bool     sync;              /* each fragment begins with a sync sample */
    bool     keyframe;          /* the first bytes are an IDR's (or CRA's) */
    bool     unknown_key;       /* encrypted: that cannot be seen */
    bool     protected;         /* has senc, or saiz and saio */
    uint64_t first_size;        /* moof and first sample: what an I-frame is */
    bool     timestamp_map;     /* WebVTT */
    char     ts[REEL_CHECK_NOTE];       /* "" or which rule of TS it breaks */
} reel_check_media_t;

typedef struct {
    char              *url;
    uint64_t           offset, length;  /* byte range; length 0: the whole */
    int64_t            start_us;        /* as declared: sum of those before */
    int64_t            duration_us;
    unsigned           line;            /* of the playlist */
    unsigned           discontinuity;
    int                init;            /* of the track's, or -1 */
    bool               sized;
    uint64_t           size;
    bool               tried;
    long               status;
    char               type[64];
    char               redirect[96];
    reel_check_media_t m;
} reel_check_segment_t;

typedef enum {
    REEL_CHECK_VIDEO = 1, REEL_CHECK_AUDIO, REEL_CHECK_TEXT,
    REEL_CHECK_IFRAMES, REEL_CHECK_IMAGES
} reel_check_kind_t;

#define REEL_CHECK_INITS 16

/* a media playlist, or a Representation */
typedef struct {
    reel_check_kind_t     kind;
    reel_check_form_t     form;
    bool                  dash;
    reel_check_file_t    *file;         /* HLS: the playlist */
    reel_m3u8_t           list;         /* HLS */
    int                   set, node;    /* DASH: AdaptationSet, node */
    char                 *name;         /* for people */
    bool                  whole;        /* every segment was read */
    unsigned              ninits;
    char                 *init_urls[REEL_CHECK_INITS];
    reel_check_init_t     inits[REEL_CHECK_INITS];
    reel_check_segment_t *segments;
    unsigned              nsegments;
    int64_t               duration_us;
    uint64_t              peak, average;        /* b/s measured, or 0 */
    /* DASH */
    int64_t               offset_ts;    /* presentationTimeOffset */
    uint32_t              timescale;
    uint64_t              bandwidth;
} reel_check_track_t;

/* what master.m3u8 says of one URI */
typedef struct {
    const reel_m3u8_entry_t *e;
    int                      track;     /* or -1 */
} reel_check_use_t;

typedef struct reel_check_rule_s reel_check_rule_t;

typedef struct {
    unsigned  rule;             /* of the table */
    unsigned  seen;             /* things that it was held against */
    unsigned  faults;
    char     *told[REEL_CHECK_FAULTS];
} reel_check_result_t;

typedef struct {
    reel_ctl_t           *c;
    bool                  full;
    bool                  hls, dash;    /* what was asked for */
    char                 *url;
    reel_check_file_t    *files[REEL_CHECK_FILES];
    unsigned              nfiles;
    uint64_t              kept;         /* bytes of their bodies */
    unsigned              nsegments;    /* of all tracks */
    int64_t               until_ms;     /* of the monotonic clock */
    char                  stop[REEL_CHECK_NOTE];    /* "" or which limit */

    reel_check_file_t    *master;       /* HLS, or NULL */
    reel_m3u8_t           list;
    reel_check_use_t     *uses;
    unsigned              nuses;

    reel_check_file_t    *mpd_file;     /* DASH, or NULL */
    reel_mpd_t            mpd;

    reel_check_track_t  **tracks;
    unsigned              ntracks;

    bool                  https, strict_tls;    /* did that work? */
    reel_check_result_t  *results;
    reel_check_result_t  *now;          /* of the rule that runs */
    bool                  broken;       /* memory */
} reel_check_t;

/* ---- rules ---- */

typedef enum { REEL_CHECK_MUST, REEL_CHECK_SHOULD } reel_check_level_t;

/* what a rule is about: it is not run where there is none of it */
typedef enum {
    REEL_CHECK_ON_HLS = 1, REEL_CHECK_ON_MASTER,
    REEL_CHECK_ON_MPD,          /* even one that is no XML */
    REEL_CHECK_ON_DASH, REEL_CHECK_ON_ANY
} reel_check_on_t;

struct reel_check_rule_s {
    const char         *number;
    reel_check_level_t  level;
    reel_check_on_t     on;
    const char         *text;           /* what must hold */
    const char         *hint;           /* what to do when it does not */
    void              (*run)(reel_check_t *k);
};

extern const reel_check_rule_t reel_check_rules[];
extern const unsigned          reel_check_nrules;

/* the rule is held against one thing more */
void reel_check_seen(reel_check_t *k);
/* and that fails it; "where: what is wrong" */
void reel_check_fault(reel_check_t *k, const char *fmt, ...)
    REEL_PRINTF(2, 3);
/* both, for what is seen and wrong */
void reel_check_that(reel_check_t *k, bool holds, const char *fmt, ...)
    REEL_PRINTF(3, 4);

void reel_check_run(reel_check_t *k);

/* check_report.c: prints; exit code */
int reel_check_report(reel_check_t *k, const char *profile);
int reel_check_list_rules(reel_ctl_t *c);
json_t *reel_check_json(const char *z);

/* devices.c: profile is "tv", "mobile" or "web" */
bool reel_check_profile_known(const char *profile);
int reel_check_devices(reel_check_t *k, const char *profile, json_t *out);
void reel_check_list_devices(void);

/* ---- loading ---- */

reel_check_t *reel_check_new(reel_ctl_t *c);
void reel_check_free(reel_check_t *k);

/*
 * The absolute URL; of what is none one that cannot be fetched and names it,
 * so that R.4 and D.17 tell.  NULL only without memory; yours.
 */
char *reel_check_join(reel_check_t *k, const char *base, reel_str_t uri);

/* nothing is asked for any more: a limit was met; the first one stays */
void reel_check_stop(reel_check_t *k, const char *fmt, ...)
    REEL_PRINTF(2, 3);

/* how long the server is asked, from now */
void reel_check_until(reel_check_t *k, uint64_t seconds);

/* room for n segments more?  Else k->stop says so */
bool reel_check_room(reel_check_t *k, uint64_t n);

/*
 * check_fetch.c; NULL without memory or beyond a limit.  Each URL is fetched
 * once
 */
reel_check_file_t *reel_check_get(reel_check_t *k, const char *url,
    size_t max, bool keep);
void reel_check_head(reel_check_t *k, reel_check_segment_t *s);
/* body is the caller's to release; false when there is none */
bool reel_check_get_segment(reel_check_t *k, reel_check_segment_t *s,
    reel_buf_t *body);
void reel_check_try_tls(reel_check_t *k, const char *url);

/* check_hls.c, check_dash.c: false: nothing came of it, and it was told */
bool reel_check_load_hls(reel_check_t *k, const char *url);
bool reel_check_load_dash(reel_check_t *k, const char *url);

reel_check_track_t *reel_check_add_track(reel_check_t *k,
    reel_check_kind_t kind);
int reel_check_add_init(reel_check_track_t *t, char *url);
/* sizes, headers and segments of a track, and what is measured of it */
void reel_check_measure(reel_check_t *k, reel_check_track_t *t);
void reel_check_rates(reel_check_track_t *t, int64_t target_us);

/* ---- readers: bytes in, notes out ---- */

void reel_check_init(reel_check_init_t *i, const uint8_t *p, size_t n);
/* part: an I-frame's range, whose mdat goes on behind it */
void reel_check_moofs(reel_check_media_t *m, const reel_check_init_t *i,
    const uint8_t *p, size_t n, bool part);
void reel_check_ts(reel_check_media_t *m, reel_check_init_t *i,
    const uint8_t *p, size_t n);
void reel_check_vtt(reel_check_media_t *m, const uint8_t *p, size_t n);

/* check_codec.c: codec string, profile and level of a sample entry's box */
void reel_check_codec(reel_check_init_t *i, uint32_t box, reel_str_t body);

/* ---- helpers of rules ---- */

static inline bool
reel_check_is_video(const reel_check_track_t *t)
{
    return t->kind == REEL_CHECK_VIDEO;
}

/* the first header, or what stands for it */
static inline const reel_check_init_t *
reel_check_head_of(const reel_check_track_t *t)
{
    static const reel_check_init_t  none;

    return t->ninits != 0 ? &t->inits[0] : &none;
}

/*
 * Times come from files, so that each is held to 2^57 us, and a sum of them
 * to 2^60: whatever rules reckon with them, it is no overflow.
 */
int64_t reel_check_us(int64_t ticks, uint32_t timescale);
int64_t reel_check_time(int64_t us);
int64_t reel_check_add(int64_t sum, int64_t us);
const char *reel_check_fourcc(uint32_t v, char dst[5]);
bool reel_check_stereo_aac(const reel_check_init_t *i);

#endif
