/* subtitles that lie beside a movie, as renditions of its index */

#include <stdio.h>

#include "lib/mp4/movie_impl.h"


void
reel_movie_set_texts(reel_movie_t *m, const reel_movie_text_t *texts,
    unsigned n)
{
    m->texts = texts;
    m->ntexts = n < REEL_MOVIE_TEXTS ? n : REEL_MOVIE_TEXTS;
}


/* what is said lies anywhere in it: about the same in each fragment */
static void
fill_fragments(reel_ix_fragment_t *f, const reel_movie_track_t *grid,
    uint64_t size)
{
    uint32_t  k;

    for (k = 0; k < grid->ncuts; k++) {
        f[k] = (reel_ix_fragment_t) {
            .size = (uint32_t) (size / grid->ncuts),
            .duration = grid->fragments[k].duration
        };
    }
}


void
reel_movie_fill_texts(reel_movie_t *m, reel_index_t *ix,
    reel_ix_rendition_t *q, reel_ix_object_t *o, reel_ix_fragment_t *f,
    char (*names)[REEL_MOVIE_TEXT_NAME])
{
    unsigned                   i;
    const reel_movie_text_t   *text;
    const reel_movie_track_t  *grid = m->video != NULL ? m->video
                                                       : &m->tracks[0];

    for (i = 0; i < m->ntexts; i++, f += grid->ncuts) {
        text = &m->texts[i];

        fill_fragments(f, grid, text->vtt.len);
        (void) snprintf(names[i], sizeof(names[i]), "s%u", i + 1);

        o[i] = (reel_ix_object_t) {
            .name = REEL_MOVIE_OBJECT, .nfragments = grid->ncuts,
            .fragments = f
        };

        q[i] = (reel_ix_rendition_t) { .nobjects = 1, .objects = &o[i] };
        q[i].head = (reel_rendition_t) {
            .name = reel_str(names[i]), .kind = REEL_TEXT,
            .codec = REEL_STR("wvtt"), .language = text->language,
            .timescale = grid->trak.cmaf.timescale, .rate_den = 1,
            .roles = text->roles
        };

        ix->samples[ix->nsamples++] = (reel_samples_t) {
            .unit = 1, .sample_bytes = text->vtt
        };
    }
}
