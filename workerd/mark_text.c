#include "workerd/mark_text.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include <ft2build.h>
#include FT_FREETYPE_H
#include <png.h>

#include "lib/base/utf8.h"

/* pixels an em: sharp as a third of a 4K picture, if it has ten letters */
#define EM      200

/* of the image; a hundred letters need not be so wide, nor one so high */
#define WIDTH   (100 * EM)
#define HEIGHT  (5 * EM)

/* pixels, from the first letter's origin on; y downwards */
typedef struct {
    int  left, top, right, bottom;
} box_t;

typedef struct {
    FT_Library     lib;
    FT_Face        face;
    const char    *text;
    box_t          box;             /* what the letters cover */
    unsigned char *alpha;           /* of the box, a byte a pixel */
} draw_t;


static void
widen(box_t *b, const FT_GlyphSlot g, int x)
{
    int  left = x + g->bitmap_left, right = left + (int) g->bitmap.width,
         top = -g->bitmap_top, bottom = top + (int) g->bitmap.rows;

    if (left == right || top == bottom) {
        return;                     /* a space */
    }

    b->left = left < b->left ? left : b->left;
    b->right = right > b->right ? right : b->right;
    b->top = top < b->top ? top : b->top;
    b->bottom = bottom > b->bottom ? bottom : b->bottom;
}


/* letters may reach into each other: the stronger counts */
static void
paint(draw_t *d, const FT_GlyphSlot g, int x)
{
    unsigned              i, k;
    size_t                width = (size_t) (d->box.right - d->box.left);
    unsigned char        *to;
    const unsigned char  *from;

    for (i = 0; i < g->bitmap.rows; i++) {
        from = g->bitmap.buffer + (ptrdiff_t) i * g->bitmap.pitch;
        to = d->alpha
             + (size_t) ((int) i - g->bitmap_top - d->box.top) * width
             + (x + g->bitmap_left - d->box.left);

        for (k = 0; k < g->bitmap.width; k++) {
            to[k] = from[k] > to[k] ? from[k] : to[k];
        }
    }
}


/* one letter at x, in 64ths of a pixel, which moves on behind it */
static reel_err_t
letter(draw_t *d, FT_UInt index, FT_UInt before, FT_Pos *x, reel_error_t *e)
{
    FT_Vector     kern = { 0 };
    FT_GlyphSlot  g = d->face->glyph;

    if (FT_HAS_KERNING(d->face) && before != 0
        && FT_Get_Kerning(d->face, before, index, FT_KERNING_DEFAULT, &kern)
           == 0)
    {
        *x += kern.x;
    }

    if (FT_Load_Glyph(d->face, index, FT_LOAD_RENDER | FT_LOAD_NO_BITMAP)
        != 0 || g->bitmap.pixel_mode != FT_PIXEL_MODE_GRAY)
    {
        return reel_fail(e, REEL_NOTFOUND, "the watermark's font cannot be "
                         "drawn");
    }

    if (d->alpha == NULL) {
        widen(&d->box, g, (int) (*x >> 6));
    } else {
        paint(d, g, (int) (*x >> 6));
    }

    *x += g->advance.x;

    return *x >= 0 && *x >> 6 <= WIDTH ? REEL_OK
           : reel_fail(e, REEL_LIMIT, "the watermark's text is too wide");
}


/* all letters: d->box grows around them, or d->alpha is painted */
static reel_err_t
letters(draw_t *d, reel_error_t *e)
{
    size_t          len;
    FT_Pos          x = 0;
    FT_UInt         index, before = 0;
    uint32_t        code;
    reel_err_t      err = REEL_OK;
    const uint8_t  *p = (const uint8_t *) d->text, *end;

    end = p + strlen(d->text);

    for (/* void */; p < end && err == REEL_OK; p += len) {
        len = reel_utf8_len(p, (size_t) (end - p));
        if (len == 0) {
            return reel_fail(e, REEL_BADDATA, "the watermark's text is no "
                             "UTF-8");
        }

        code = reel_utf8_code(p, len);
        index = FT_Get_Char_Index(d->face, code);
        if (index == 0) {
            return reel_fail(e, REEL_NOTFOUND, "the watermark's font has no "
                             "\"%.*s\" (U+%04X)", (int) len,
                             (const char *) p, code);
        }

        err = letter(d, index, before, &x, e);
        before = index;
    }

    return err;
}


static reel_err_t
open_font(draw_t *d, const reel_mark_t *m, const char *folder,
    reel_error_t *e)
{
    char        path[PATH_MAX];
    reel_err_t  err;

    err = reel_mark_font(path, sizeof(path), m, reel_str(folder));
    if (err != REEL_OK) {
        return reel_fail(e, err, "the watermark's font has too long a path");
    }

    if (FT_Init_FreeType(&d->lib) != 0) {
        return reel_fail(e, REEL_NOMEM, "the watermark: no FreeType");
    }

    return FT_New_Face(d->lib, path, 0, &d->face) == 0
           && FT_Set_Pixel_Sizes(d->face, 0, EM) == 0 ? REEL_OK
           : reel_fail(e, REEL_NOTFOUND, "the watermark's font \"%s\" "
                       "cannot be read", m->font[0] != '\0' ? m->font : path);
}


static reel_err_t
paint_all(draw_t *d, reel_error_t *e)
{
    box_t       *b = &d->box;
    reel_err_t   err;

    *b = (box_t) { INT_MAX, INT_MAX, INT_MIN, INT_MIN };

    err = letters(d, e);
    if (err != REEL_OK) {
        return err;
    }

    if (b->left == INT_MAX) {
        return reel_fail(e, REEL_INVAL, "nothing is to be seen of the "
                         "watermark's text");
    }

    if (b->right - b->left > WIDTH || b->bottom - b->top > HEIGHT) {
        return reel_fail(e, REEL_LIMIT, "the watermark's text is too large");
    }

    d->alpha = calloc((size_t) (b->right - b->left),
                      (size_t) (b->bottom - b->top));

    return d->alpha != NULL ? letters(d, e)
           : reel_fail(e, REEL_NOMEM, "no memory for the watermark's text");
}


/* its palette: the colour, from clear to opaque */
static reel_err_t
to_png(reel_buf_t *b, const draw_t *d, uint32_t color, reel_error_t *e)
{
    int                ok;
    unsigned           i;
    unsigned char      map[256][4], *out = malloc(REEL_MARK_BYTES);
    png_image          image = { .version = PNG_IMAGE_VERSION };
    png_alloc_size_t   len = REEL_MARK_BYTES;

    if (out == NULL) {
        return reel_fail(e, REEL_NOMEM, "no memory for the watermark's text");
    }

    image.width = (png_uint_32) (d->box.right - d->box.left);
    image.height = (png_uint_32) (d->box.bottom - d->box.top);
    image.format = PNG_FORMAT_RGBA_COLORMAP;
    image.colormap_entries = 256;

    for (i = 0; i < 256; i++) {
        map[i][0] = (unsigned char) (color >> 16);
        map[i][1] = (unsigned char) (color >> 8);
        map[i][2] = (unsigned char) color;
        map[i][3] = (unsigned char) i;
    }

    ok = png_image_write_to_memory(&image, out, &len, 0, d->alpha, 0, map);
    if (ok) {
        reel_buf_add(b, out, len);
    }

    png_image_free(&image);
    free(out);

    return ok ? reel_buf_err(b)
           : reel_fail(e, REEL_LIMIT, "the watermark's text has more than 1 "
                       "MiB as an image");
}


reel_err_t
reel_mark_draw(reel_buf_t *b, const reel_mark_t *m, const char *folder,
    reel_error_t *e)
{
    draw_t      d = { .text = m->text };
    reel_err_t  err = open_font(&d, m, folder, e);

    reel_buf_init(b, REEL_MARK_BYTES);

    if (err == REEL_OK) {
        err = paint_all(&d, e);
    }
    if (err == REEL_OK) {
        err = to_png(b, &d, m->color, e);
    }

    free(d.alpha);
    (void) FT_Done_Face(d.face);
    (void) FT_Done_FreeType(d.lib);

    return err;
}
