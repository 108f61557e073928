/* what the rules of DASH share */

#ifndef REEL_CTL_RULES_DASH_H
#define REEL_CTL_RULES_DASH_H

#include "reelctl/rules.h"

static inline reel_str_t
mpd_get(const reel_check_t *k, int i, const char *name)
{
    return reel_mpd_get(&k->mpd, i, name);
}

/* of the Representation or its AdaptationSet */
static inline reel_str_t
mpd_common(const reel_check_t *k, int rep, const char *name)
{
    reel_str_t  s = mpd_get(k, rep, name);

    return s.p != NULL ? s : mpd_get(k, k->mpd.nodes[rep].parent, name);
}

static inline unsigned
mpd_line(const reel_check_t *k, int i)
{
    return k->mpd.nodes[i].line;
}

static inline int64_t
mpd_us(const reel_check_t *k, int i, const char *name)
{
    int64_t  us;

    return reel_mpd_duration(mpd_get(k, i, name), &us) ? us : -1;
}

/* how a node addresses segments: bits, 0 for not at all */
unsigned reel_dash_mode(const reel_check_t *k, int i);

#endif
