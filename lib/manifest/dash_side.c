/* AdaptationSets of text and of thumbnails, and what tracks are for */

#include <inttypes.h>

#include "lib/base/rescale.h"
#include "lib/manifest/dash.h"
#include "lib/manifest/dash_attr.h"


#define US 1000000              /* a second */


/* 5.8.5.5 */
void
reel_dash_role(reel_buf_t *b, const char *value)
{
    reel_buf_printf(b, "<Role schemeIdUri=\"urn:mpeg:dash:role:2011\" "
                    "value=\"%s\"/>\n", value);
}


void
reel_dash_language(reel_buf_t *b, const reel_rendition_t *r)
{
    reel_str_t  language = reel_listing_language(r);

    if (language.len == 0) {
        language = REEL_STR("und");
    }

    reel_buf_printf(b, " lang=\"%.*s\"", (int) language.len, language.p);
}


void
reel_dash_label(reel_buf_t *b, const reel_rendition_t *r)
{
    if (r->label.len != 0) {
        reel_buf_addz(b, "<Label>");
        reel_dash_text(b, r->label);
        reel_buf_addz(b, "</Label>\n");
    }
}


/* TV-Anytime's purposes: 1 for who does not see, 2 for who does not hear */
void
reel_dash_accessibility(reel_buf_t *b, const reel_rendition_t *r)
{
    unsigned  purpose = 0;

    if (r->kind == REEL_AUDIO && (r->roles & REEL_ROLE_DESCRIPTION)) {
        purpose = 1;
    } else if (r->kind == REEL_TEXT && (r->roles & REEL_ROLE_CAPTIONS)) {
        purpose = 2;
    }

    if (purpose != 0) {
        reel_buf_printf(b, "<Accessibility schemeIdUri=\"urn:tva:metadata:cs:"
                        "AudioPurposeCS:2007\" value=\"%u\"/>\n", purpose);
    }
}


static void
add_text_roles(reel_buf_t *b, const reel_rendition_t *r)
{
    if (r->roles & REEL_ROLE_DEFAULT) {
        reel_dash_role(b, "main");
    }

    if (r->roles & REEL_ROLE_FORCED) {
        reel_dash_role(b, "forced-subtitle");
    } else {
        reel_dash_role(b, r->roles & REEL_ROLE_CAPTIONS ? "caption"
                                                        : "subtitle");
    }

    if (r->roles & REEL_ROLE_COMMENTARY) {
        reel_dash_role(b, "commentary");
    }
}


/* one file each; its times count from the Period's start (DASH-IF) */
void
reel_dash_text_sets(reel_buf_t *b, reel_dash_t *d)
{
    unsigned                 i;
    const reel_listing_t    *l = d->l;
    const reel_rendition_t  *r;

    for (i = 0; i < l->ntext; i++) {
        r = l->text[i].r;

        reel_buf_printf(b, "<AdaptationSet id=\"%u\" contentType=\"text\" "
                        "mimeType=\"text/vtt\"", ++d->sets);
        reel_dash_language(b, r);
        reel_buf_addz(b, ">\n");
        reel_dash_label(b, r);
        reel_dash_accessibility(b, r);
        add_text_roles(b, r);

        /* a rate of 0 is none, and nothing may have been said */
        reel_buf_printf(b, "<Representation id=\"%.*s\" bandwidth=\"%" PRIu64
                        "\">\n<BaseURL>%.*s~%s/subtitles.vtt",
                        (int) r->name.len, r->name.p,
                        l->text[i].rate.peak != 0 ? l->text[i].rate.peak : 1,
                        (int) r->name.len, r->name.p, l->text[i].hash);
        reel_dash_text(b, reel_str(l->clip));
        reel_dash_text(b, reel_str(l->join));
        reel_buf_addz(b, l->token);
        reel_buf_addz(b, "</BaseURL>\n</Representation>\n"
                      "</AdaptationSet>\n");
    }
}


/* bits a second of the largest sheet */
static uint64_t
bandwidth(const reel_pictures_t *q, uint64_t sheet_ms)
{
    uint32_t       i;
    uint64_t       size, largest = 1;
    reel_packed_t  sizes = reel_packed(q->size_bytes);

    for (i = 0; i < q->sheets; i++) {
        size = reel_packed_next(&sizes);
        largest = size > largest ? size : largest;
    }

    return (largest * 8000 + sheet_ms - 1) / sheet_ms;
}


/*
 * Sheets are of one length of time, so their number tells it; where a clip
 * begins within one, a timeline tells that.
 */
static void
add_sheet_times(reel_buf_t *b, const reel_dash_t *d, uint64_t sheet_ms,
    uint32_t sheets)
{
    int64_t   start_ms, end_ms;
    uint64_t  first, end;

    start_ms = reel_rescale(d->o->shape.start_us, 1000, US, REEL_ROUND_DOWN);
    end_ms = reel_rescale(d->l->span.end_us, 1000, US, REEL_ROUND_UP);

    first = (uint64_t) start_ms / sheet_ms;
    first = first < sheets ? first : sheets - 1;
    end = ((uint64_t) end_ms + sheet_ms - 1) / sheet_ms;
    end = end < sheets ? end : sheets;
    end = end > first ? end : first + 1;

    reel_buf_addz(b, "<SegmentTemplate timescale=\"1000\"");

    if (start_ms == 0) {
        reel_buf_printf(b, " duration=\"%" PRIu64 "\" startNumber=\"0\" "
                        "media=\"storyboard~%s/$Number$.jpg%s%s\"/>\n",
                        sheet_ms, d->l->hash, reel_dash_mark(d),
                        d->l->token);
        return;
    }

    reel_buf_printf(b, " presentationTimeOffset=\"%" PRId64 "\" "
                    "startNumber=\"%" PRIu64 "\" "
                    "media=\"storyboard~%s/$Number$.jpg%s%s\">\n"
                    "<SegmentTimeline>\n<S t=\"%" PRIu64 "\" d=\"%" PRIu64
                    "\"", start_ms, first, d->l->hash, reel_dash_mark(d),
                    d->l->token, first * sheet_ms, sheet_ms);

    if (end - first > 1) {
        reel_buf_printf(b, " r=\"%" PRIu64 "\"", end - first - 1);
    }

    reel_buf_addz(b, "/>\n</SegmentTimeline>\n</SegmentTemplate>\n");
}


/* DASH-IF IOP, 6.2.6: sheets of thumbnails */
void
reel_dash_thumbnails(reel_buf_t *b, reel_dash_t *d)
{
    unsigned                i;
    uint64_t                sheet_ms;
    const reel_pictures_t  *q = NULL;

    for (i = 0; i < d->ix->npictures && q == NULL; i++) {
        if (d->ix->pictures[i].columns * d->ix->pictures[i].rows > 1) {
            q = &d->ix->pictures[i];
        }
    }

    if (q == NULL || !d->l->span.whole || d->l->nvideo == 0) {
        return;
    }

    sheet_ms = (uint64_t) q->columns * q->rows * q->interval_ms;

    reel_buf_printf(b, "<AdaptationSet id=\"%u\" contentType=\"image\" "
                    "mimeType=\"image/jpeg\">\n", ++d->sets);
    add_sheet_times(b, d, sheet_ms, q->sheets);
    reel_buf_printf(b, "<Representation id=\"storyboard\" bandwidth=\"%"
                    PRIu64 "\" width=\"%" PRIu32 "\" height=\"%" PRIu32
                    "\">\n<EssentialProperty schemeIdUri=\""
                    "http://dashif.org/guidelines/thumbnail_tile\" value=\"%"
                    PRIu32 "x%" PRIu32 "\"/>\n</Representation>\n"
                    "</AdaptationSet>\n", bandwidth(q, sheet_ms),
                    q->width * q->columns, q->height * q->rows, q->columns,
                    q->rows);
}
