/* what the files of the MPD share */

#ifndef REEL_MANIFEST_DASH_H
#define REEL_MANIFEST_DASH_H

#include "lib/manifest/protection.h"

typedef struct {
    const reel_index_t         *ix;
    const reel_manifest_opts_t *o;
    const reel_listing_t       *l;
    bool                        by_duration;
    int64_t                     length_us;      /* of the Period */
    unsigned                    sets;   /* AdaptationSets printed so far */
} reel_dash_t;

/* what stands before the token in a URI without other parameters */
static inline const char *
reel_dash_mark(const reel_dash_t *d)
{
    return d->l->token[0] != '\0' ? "?" : "";
}

/* all segments keep to the grid, so that their number tells their time */
bool reel_dash_is_even(const reel_dash_t *d);

/* <SegmentTemplate> of x */
void reel_dash_template(reel_buf_t *b, const reel_dash_t *d,
    const reel_listed_t *x);

/* the AdaptationSets of a kind, in the listing's order */
void reel_dash_video(reel_buf_t *b, reel_dash_t *d);
void reel_dash_audio(reel_buf_t *b, reel_dash_t *d);
void reel_dash_text_sets(reel_buf_t *b, reel_dash_t *d);
void reel_dash_thumbnails(reel_buf_t *b, reel_dash_t *d);

/* Label, Accessibility and Role of an audio track or a text */
void reel_dash_label(reel_buf_t *b, const reel_rendition_t *r);
void reel_dash_accessibility(reel_buf_t *b, const reel_rendition_t *r);
void reel_dash_role(reel_buf_t *b, const char *value);

/* ` lang="en"`, or nothing */
void reel_dash_language(reel_buf_t *b, const reel_rendition_t *r);

#endif
