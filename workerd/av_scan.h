/*
 * The walk over all packets of a source's chosen tracks, without decoding
 * but the first few pictures: when what is shown, where decoding may begin,
 * when sound starts and ends.
 */

#ifndef REEL_WORKERD_AV_SCAN_H
#define REEL_WORKERD_AV_SCAN_H

#include "lib/job/source.h"
#include "workerd/av_clock.h"
#include "workerd/av_comb.h"
#include "workerd/av_ends.h"
#include "workerd/av_gops.h"
#include "workerd/av_open.h"
#include "workerd/av_units.h"

typedef struct {
    int64_t *at;                /* owned */
    size_t   n;
    size_t   cap;
} reel_times_t;

/* the first sound is decoded: decoders cut the encoder's delay */
typedef struct {
    AVStream       *st;         /* borrowed of the source */
    AVCodecContext *dec;
    bool            heard;
    unsigned        fed;
    bool            has_sound;
    int64_t         start;
    int64_t         end;
    int64_t         last;       /* time of the last packet, an end by ends */
    int64_t         first;      /* ticks of the first frame; 0 = not heard */
    reel_av_ends_t  ends;
    reel_av_units_t units;
} reel_scan_sound_t;

typedef struct {
    AVStream       *video;      /* NULL = none; borrowed of the source */
    AVStream       *audio;      /* the best one, sounds[0] */

    reel_times_t    shown;      /* pts of the pictures shown, ascending */
    reel_times_t    keys;       /* pts of the key frames, ascending */
    int64_t         last_dur;   /* of the last packet in order of pts, or 0 */
    int64_t         last_pts;
    reel_av_lead_t  lead;
    reel_av_clock_t clock;

    /* of the first pictures, decoded */
    AVCodecContext *dec;
    unsigned        probed;     /* pictures that came out */
    unsigned        interlaced;
    reel_source_light_t light;  /* of the first one */
    unsigned        fed;
    reel_comb_t     comb;       /* and looked at */
    reel_av_gops_t  gops;

    /* of each language and role the best one, in that order */
    reel_scan_sound_t sounds[REEL_SOURCE_AUDIOS];
    unsigned          nsounds;
    uint64_t        max_duration_s;
    int64_t         max_pixels; /* of a picture, as coded and as shown */
} reel_scan_t;

/* av_scan_choose.c: the tracks, and the decoder opened.  s zeroed before */
int reel_av_scan_choose(reel_scan_t *s, reel_av_source_t *src,
    reel_av_fault_t *f);

/* the chosen sound of that stream; NULL: it is none */
reel_scan_sound_t *reel_av_scan_sound(reel_scan_t *s, int stream);

/* permille of the walk, for the progress */
typedef void (*reel_scan_progress_t)(void *arg, unsigned permille);

/* reads src to its end.  -1: f is filled */
int reel_av_scan_walk(reel_scan_t *s, reel_av_source_t *src,
    reel_scan_progress_t progress, void *arg, reel_av_fault_t *f);

/* REEL_ROLE_* of a track's disposition, but DEFAULT; av_scan_choose.c */
uint32_t reel_av_scan_roles(const AVStream *st);

/* a cover or thumbnails, which are no film */
bool reel_av_scan_is_still(const AVStream *st);

/* alike in language and roles: one of them is enough */
bool reel_av_scan_same_sound(const AVStream *a, const AVStream *b);

void reel_av_scan_release(reel_scan_t *s);

#endif
