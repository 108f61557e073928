/* the order of an MPD's elements, which the schema of ISO 23009-1 gives */

#include <string.h>

#include "reelctl/rules_dash.h"


/* RepresentationBaseType: what sets and Representations begin with */
#define COMMON                                                                \
    "FramePacking AudioChannelConfiguration ContentProtection "              \
    "OutputProtection EssentialProperty SupplementalProperty "               \
    "InbandEventStream Switching RandomAccess GroupLabel Label "             \
    "ProducerReferenceTime ContentPopularityRate Resync "

/* annex B, in the order of its sequences; other elements are not looked at */
static const struct {
    const char *parent;
    const char *children;
} sequences[] = {
    { "MPD", "ProgramInformation BaseURL Location PatchLocation "
      "ServiceDescription InitializationSet InitializationGroup "
      "InitializationPresentation ContentProtection Period Metrics "
      "EssentialProperty SupplementalProperty UTCTiming "
      "LeapSecondInformation" },
    { "Period", "BaseURL SegmentBase SegmentList SegmentTemplate "
      "AssetIdentifier EventStream ServiceDescription ContentProtection "
      "AdaptationSet Subset SupplementalProperty EmptyAdaptationSet "
      "GroupLabel Preselection" },
    { "AdaptationSet", COMMON "Accessibility Role Rating Viewpoint "
      "ContentComponent BaseURL SegmentBase SegmentList SegmentTemplate "
      "Representation" },
    { "Representation", COMMON "BaseURL ExtendedBandwidth SubRepresentation "
      "SegmentBase SegmentList SegmentTemplate" },
    { "SegmentTemplate", "Initialization RepresentationIndex FailoverContent "
      "SegmentTimeline BitstreamSwitching" },
    { "SegmentTimeline", "S" }
};

#define NSEQUENCES (sizeof(sequences) / sizeof(sequences[0]))


/* where the word begins in a list of words, or -1 */
static int
place_of(const char *list, reel_str_t word)
{
    size_t       n;
    const char  *p;

    for (p = list; *p != '\0'; p += n + (p[n] == ' ')) {
        n = strcspn(p, " ");

        if (n == word.len && memcmp(p, word.p, n) == 0) {
            return (int) (p - list);
        }
    }

    return -1;
}


static void
check_children(reel_check_t *k, int parent, const char *children)
{
    int              i = -1, at, last = 0;
    reel_str_t       name;
    reel_mpd_node_t  *nodes = k->mpd.nodes;

    while ((i = reel_mpd_child(&k->mpd, parent, NULL, i)) >= 0) {
        name = nodes[i].name;

        /* the schema lets other namespaces in */
        if (name.p[-1] == ':') {
            continue;
        }

        at = place_of(children, name);
        reel_check_that(k, at >= last, "line %u: %.*s %s in %.*s",
                        mpd_line(k, i), (int) name.len, name.p,
                        at < 0 ? "is not" : "comes too late",
                        (int) nodes[parent].name.len, nodes[parent].name.p);
        last = at > last ? at : last;
    }
}


/* D.27 */
void
reel_rule_sequence(reel_check_t *k)
{
    int     i;
    size_t  n;

    for (i = 0; i < k->mpd.n; i++) {
        for (n = 0; n < NSEQUENCES; n++) {
            if (reel_str_eqz(k->mpd.nodes[i].name, sequences[n].parent)) {
                check_children(k, i, sequences[n].children);
            }
        }
    }
}
