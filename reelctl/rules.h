/* the functions of the table in check_rules.c, and what they share */

#ifndef REEL_CTL_RULES_H
#define REEL_CTL_RULES_H

#include "lib/mp4/box.h"
#include "reelctl/check.h"

#define REEL_CC(z) REEL_FOURCC((z)[0], (z)[1], (z)[2], (z)[3])
#define REEL_SECOND 1000000

/* walks the tracks of HLS, of DASH, or of both */
#define REEL_EACH_TRACK(k, t, n)                                              \
    for ((n) = 0; (n) < (k)->ntracks && ((t) = (k)->tracks[n], 1); (n)++)

#define REEL_EACH_SEGMENT(t, s, n)                                            \
    for ((n) = 0; (n) < (t)->nsegments && ((s) = &(t)->segments[n], 1); (n)++)

/* walks the tags of a kind in the multivariant playlist */
#define REEL_EACH_USE(k, u, n, what)                                          \
    for ((n) = 0; (n) < (k)->nuses && ((u) = &(k)->uses[n], 1); (n)++)        \
        if ((u)->e->tag == (what))

/* the track that a tag names, or NULL */
static inline const reel_check_track_t *
reel_use_track(const reel_check_t *k, const reel_check_use_t *u)
{
    return u->track >= 0 ? k->tracks[u->track] : NULL;
}

/* SDR, PQ or HLG, as a header's transfer characteristics have it */
const char *reel_rule_range(const reel_check_init_t *i);

/* as a tag has it: VIDEO-RANGE, SDR without it */
reel_str_t reel_rule_declared_range(const reel_m3u8_entry_t *e);

bool reel_rule_size(const reel_m3u8_entry_t *e, uint64_t *w, uint64_t *h);
bool reel_rule_codecs_name(reel_str_t list, const char *codec);

/* the length of a picture or of an audio frame, in microseconds */
int64_t reel_rule_frame_us(const reel_check_track_t *t);

/*
 * How long a segment lasts that is told to last so long: from its first
 * picture to the end of its last one (ISO 23009-1, 5.3.9.6; RFC 8216, 3).
 * Where pictures are reordered the times of decoding add up to another sum
 * in the first one, which begins as late as they run ahead; at a variable
 * rate the last one's own duration is of decoding: the nearer one counts.
 */
int64_t reel_rule_length_us(const reel_check_media_t *m, int64_t told_us);

/* one function a row; rules_*.c */
#define REEL_RULE(name) void reel_rule_##name(reel_check_t *k);
#include "reelctl/rules_list.h"
#undef REEL_RULE

#endif
