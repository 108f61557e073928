/* CMAF, ISO 23000-19, and transport streams: the files of both formats */

#include <inttypes.h>
#include <stdlib.h>

#include "reelctl/rules.h"


#define EACH_INIT(k, t, i, n, m)                                              \
    REEL_EACH_TRACK(k, t, n)                                                  \
        for ((m) = 0; (m) < (t)->ninits && (t)->form == REEL_CHECK_MP4        \
                      && ((i) = &(t)->inits[m], 1); (m)++)                    \
            if ((i)->read)


/* C.1 */
void
reel_rule_cmaf_header(reel_check_t *k)
{
    unsigned             n, m;
    reel_check_track_t  *t;
    reel_check_init_t   *i;

    EACH_INIT(k, t, i, n, m) {
        reel_check_that(k, i->fault[0] == '\0', "%s: %s", t->init_urls[m],
                        i->fault);
    }
}


/* C.2 */
void
reel_rule_cmaf_brand(reel_check_t *k)
{
    unsigned             n, m;
    reel_check_track_t  *t;
    reel_check_init_t   *i;

    EACH_INIT(k, t, i, n, m) {
        reel_check_that(k, i->cmaf, "%s: ftyp has neither cmfc nor cmf2",
                        t->init_urls[m]);
    }
}


/* C.3 */
void
reel_rule_cmaf_one_track(reel_check_t *k)
{
    unsigned             n, m;
    reel_check_track_t  *t;
    reel_check_init_t   *i;

    EACH_INIT(k, t, i, n, m) {
        reel_check_that(k, i->tracks == 1, "%s: %u tracks", t->init_urls[m],
                        i->tracks);
    }
}


/* C.4 */
void
reel_rule_cmaf_mvex(reel_check_t *k)
{
    unsigned             n, m;
    reel_check_track_t  *t;
    reel_check_init_t   *i;

    EACH_INIT(k, t, i, n, m) {
        reel_check_that(k, i->fragmented && !i->samples, "%s: %s",
                        t->init_urls[m], i->samples
                        ? "moov has samples of its own" : "no mvex and trex");
    }
}


/* C.5 */
void
reel_rule_cmaf_fragment(reel_check_t *k)
{
    unsigned               n, m;
    reel_check_track_t    *t;
    reel_check_segment_t  *s;

    REEL_EACH_TRACK(k, t, n) {
        /* the ranges of I-frames end before their mdat does */
        if (t->form != REEL_CHECK_MP4 || t->kind == REEL_CHECK_IFRAMES) {
            continue;
        }

        REEL_EACH_SEGMENT(t, s, m) {
            if (s->m.read) {
                reel_check_that(k, s->m.style[0] == '\0', "%s: %s", s->url,
                                s->m.style);
                reel_check_that(k, s->m.fault[0] == '\0', "%s: %s", s->url,
                                s->m.fault);
            }
        }
    }
}


/* C.6 */
void
reel_rule_cmaf_sap(reel_check_t *k)
{
    unsigned               n, m;
    reel_check_track_t    *t;
    reel_check_segment_t  *s;

    REEL_EACH_TRACK(k, t, n) {

        if (t->form != REEL_CHECK_MP4) {
            continue;
        }

        REEL_EACH_SEGMENT(t, s, m) {
            if (s->m.read) {
                reel_check_that(k, s->m.sync, "%s: a fragment begins with a "
                                "sample that is not of type sync", s->url);
            }
        }
    }
}


/* T.1: packets, tables, counters, clocks */
void
reel_rule_ts(reel_check_t *k)
{
    unsigned               n, m;
    reel_check_track_t    *t;
    reel_check_segment_t  *s;

    REEL_EACH_TRACK(k, t, n) {

        if (t->form != REEL_CHECK_TS) {
            continue;
        }

        REEL_EACH_SEGMENT(t, s, m) {
            if (s->m.read) {
                reel_check_that(k, s->m.fault[0] == '\0'
                                && s->m.ts[0] == '\0', "%s: %s", s->url,
                                s->m.fault[0] != '\0' ? s->m.fault : s->m.ts);
            }
        }
    }
}
