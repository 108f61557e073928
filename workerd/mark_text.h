/* the text of a watermark as an image */

#ifndef REEL_WORKERD_MARK_TEXT_H
#define REEL_WORKERD_MARK_TEXT_H

#include "lib/base/buf.h"
#include "lib/job/pipeline.h"

/*
 * A PNG of m->text in m->color, clear beside the letters, which reach its
 * edges; folder: that of m->font.  b is initialised here, also where it
 * fails: release it.  Letters stand one beside the other, left to right, as
 * they are: nothing in the text is a command.  REEL_NOTFOUND: a font that
 * cannot be read or that lacks a letter; REEL_LIMIT: the image is too large.
 */
reel_err_t reel_mark_draw(reel_buf_t *b, const reel_mark_t *m,
    const char *folder, reel_error_t *e) REEL_WARN_UNUSED;

#endif
