/* watermark: of a pipeline's file */

#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/hex.h"
#include "lib/base/utf8.h"
#include "lib/conf/file.h"
#include "lib/conf/pipeline_part.h"
#include "lib/crypt/digest.h"

static const unsigned char png[] = { 0x89, 'P', 'N', 'G', '\r', '\n', 0x1a,
                                     '\n' };


static reel_err_t
read_file(void *dst, const reel_yaml_t *n, reel_error_t *e)
{
    reel_err_t  err = reel_yaml_text(n, 1, REEL_EXEC_FILE - 1, dst, e);

    if (err == REEL_OK && !reel_file_name_valid(reel_str(n->text))) {
        err = reel_yaml_fail(n, e, "\"%.40s\" is not a file's name: it "
                             "lies beside the pipeline's file", n->text);
    }

    return err;
}


/* what one letter beside the other does not show, first to last */
static const struct {
    uint32_t    first, last;
    const char *what;
} unfit[] = {
    { 0, 0x1f, "a control character" },
    { 0x7f, 0x9f, "a control character" },
    { 0x590, 0x109f, "of a script whose letters are joined or turned round: "
      "draw an image of it" },
    { 0x1780, 0x17ff, "of a script whose letters are joined: draw an image "
      "of it" },
    { 0x200b, 0x200f, "a control character" },
    { 0x2028, 0x202e, "a control character" },
    { 0x2060, 0x206f, "a control character" },
    { 0xfb1d, 0xfdff, "of a script whose letters are joined or turned round: "
      "draw an image of it" },
    { 0xfe70, 0xfeff, "of a script whose letters are joined or turned round: "
      "draw an image of it" },
};


static reel_err_t
check_letter(const reel_yaml_t *n, uint32_t code, reel_error_t *e)
{
    size_t  i;

    for (i = 0; i < sizeof(unfit) / sizeof(unfit[0]); i++) {
        if (code >= unfit[i].first && code <= unfit[i].last) {
            return reel_yaml_fail(n, e, "text: U+%04X is %s", code,
                                  unfit[i].what);
        }
    }

    return REEL_OK;
}


static reel_err_t
read_text(void *dst, const reel_yaml_t *n, reel_error_t *e)
{
    size_t          len, chars = 0;
    reel_err_t      err;
    const uint8_t  *p = dst, *end;

    err = reel_yaml_text(n, 1, sizeof(((reel_mark_t *) 0)->text) - 1, dst, e);
    end = p + strlen(dst);

    for (/* void */; err == REEL_OK && p < end; p += len, chars++) {
        len = reel_utf8_len(p, (size_t) (end - p));
        err = len == 0 ? reel_yaml_fail(n, e, "text is no UTF-8")
              : check_letter(n, reel_utf8_code(p, len), e);
    }

    return err == REEL_OK && chars > REEL_MARK_CHARS
           ? reel_yaml_fail(n, e, "text must have at most %d characters, not "
                            "%zu", REEL_MARK_CHARS, chars)
           : err;
}


/* the sixteen of HTML 4, 6.5 */
static bool
find_color(uint32_t *color, const char *name)
{
    size_t  i;

    static const struct { const char *name; uint32_t color; } names[] = {
        { "black", 0x000000 }, { "silver", 0xc0c0c0 }, { "gray", 0x808080 },
        { "white", 0xffffff }, { "maroon", 0x800000 }, { "red", 0xff0000 },
        { "purple", 0x800080 }, { "fuchsia", 0xff00ff },
        { "green", 0x008000 }, { "lime", 0x00ff00 }, { "olive", 0x808000 },
        { "yellow", 0xffff00 }, { "navy", 0x000080 }, { "blue", 0x0000ff },
        { "teal", 0x008080 }, { "aqua", 0x00ffff },
    };

    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcmp(name, names[i].name) == 0) {
            *color = names[i].color;
            return true;
        }
    }

    return false;
}


static reel_err_t
read_color(void *dst, const reel_yaml_t *n, reel_error_t *e)
{
    char        text[16];
    uint8_t     rgb[3];
    uint32_t   *color = dst;
    reel_err_t  err = reel_yaml_text(n, 1, sizeof(text) - 1, text, e);

    if (err != REEL_OK || find_color(color, text)) {
        return err;
    }

    if (strlen(text) != 7 || text[0] != '#'
        || reel_unhex(rgb, sizeof(rgb), reel_str(text + 1)) != REEL_OK)
    {
        return reel_yaml_fail(n, e, "color is a name of HTML's sixteen or "
                              "\"#rrggbb\", not \"%s\"", text);
    }

    *color = (uint32_t) rgb[0] << 16 | (uint32_t) rgb[1] << 8 | rgb[2];

    return REEL_OK;
}


/* an image or a text, and of the latter its colour and font */
static reel_err_t
check_one(reel_mark_t *m, const reel_yaml_t *n, reel_error_t *e)
{
    const reel_yaml_t  *text = reel_yaml_find(n, "text");
    const reel_yaml_t  *image = reel_yaml_find(n, "image");
    const reel_yaml_t  *of_text = reel_yaml_find(n, "color");

    of_text = of_text == NULL ? reel_yaml_find(n, "font") : of_text;

    if ((text == NULL) == (image == NULL)) {
        return reel_yaml_fail(text == NULL ? n : text, e, "a watermark is an "
                              "image or a text: write one of them");
    }
    if (text == NULL && of_text != NULL) {
        return reel_yaml_fail(of_text, e, "%s is of a text: an image has its "
                              "own", of_text->key);
    }
    if (text != NULL) {
        memcpy(m->image, REEL_MARK_DRAWN, sizeof(REEL_MARK_DRAWN));
    }

    return REEL_OK;
}


static reel_err_t
read_position(void *dst, const reel_yaml_t *n, reel_error_t *e)
{
    char        text[16];
    reel_err_t  err = reel_yaml_text(n, 1, sizeof(text) - 1, text, e);

    if (err == REEL_OK && !reel_mark_position_find(text, dst)) {
        err = reel_yaml_fail(n, e, "position is top-left, top-right, "
                             "bottom-left, bottom-right or center, not "
                             "\"%s\"", text);
    }

    return err;
}


static reel_err_t
read_watermark(void *dst, const reel_yaml_t *n, reel_error_t *e)
{
    static const reel_yaml_key_t keys[] = {
        FN("image", reel_mark_t, image, read_file),
        FN("text", reel_mark_t, text, read_text),
        FN("color", reel_mark_t, color, read_color),
        FN("font", reel_mark_t, font, read_file),
        FN("position", reel_mark_t, position, read_position),
        U32("opacity", reel_mark_t, opacity, 1, 100),
        U32("width", reel_mark_t, width, 1, 100),
        U32("margin", reel_mark_t, margin, 0, 50),
    };

    reel_err_t  err = reel_yaml_map(dst, n, ROWS(keys), e);

    return err == REEL_OK ? check_one(dst, n, e) : err;
}


reel_err_t
reel_conf_watermark(void *dst, const reel_yaml_t *n, reel_error_t *e)
{
    return read_watermark(dst, n, e);
}


/* its bytes; NULL with a reason */
static char *
read_png(const char *path, size_t *len, const char **why)
{
    char        *p;
    reel_err_t   err = reel_conf_regular(path, REEL_MARK_BYTES, &p, len);

    *why = err == REEL_INVAL ? "is no regular file"
           : err == REEL_NOMEM ? "there is no memory for it"
           : err != REEL_OK ? "cannot be read"
           : *len > REEL_MARK_BYTES ? "has more than 1 MiB"
           : *len < sizeof(png) || memcmp(p, png, sizeof(png)) != 0
           ? "is no PNG" : NULL;

    if (*why != NULL) {
        free(p);
        p = NULL;
    }

    return p;
}


/* does it begin as TrueType or OpenType does?  NULL, or a reason */
static const char *
check_font(const char *path)
{
    size_t      i;
    FILE       *f;
    reel_err_t  err = reel_conf_open(path, &f);
    const char *why = err == REEL_INVAL ? "is no regular file"
                                        : "cannot be opened";
    char        head[4];

    static const char kinds[][4] = {
        { 0, 1, 0, 0 }, { 'O', 'T', 'T', 'O' }, { 't', 'r', 'u', 'e' },
        { 't', 't', 'c', 'f' },
    };

    if (f != NULL) {
        why = "is no TrueType or OpenType font";

        if (fread(head, 1, sizeof(head), f) == sizeof(head)) {
            for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
                why = memcmp(head, kinds[i], sizeof(head)) == 0 ? NULL : why;
            }
        }

        (void) fclose(f);
    }

    return why;
}


static reel_err_t
check_text(const reel_mark_t *m, reel_str_t folder, const reel_yaml_t *map,
    reel_error_t *e)
{
    char         path[PATH_MAX];
    const char  *why = "has too long a path";

    if (reel_mark_font(path, sizeof(path), m, folder) == REEL_OK) {
        why = check_font(path);
    }

    return why == NULL ? REEL_OK
           : m->font[0] != '\0'
           ? reel_yaml_fail(reel_yaml_find(map, "font"), e, "watermark: "
                            "\"%s\" %s", m->font, why)
           : reel_yaml_fail(reel_yaml_find(map, "text"), e, "watermark: the "
                            "font %s %s: install fonts-dejavu-core, or name "
                            "a font", path, why);
}


reel_err_t
reel_conf_watermark_read(reel_mark_t *m, const char *file,
    const reel_yaml_t *root, reel_error_t *e)
{
    char            path[PATH_MAX];
    size_t          len;
    uint8_t         sum[REEL_SHA256_LEN];
    reel_err_t      err;
    reel_str_t      folder = { file, 0 };
    const char     *slash = strrchr(file, '/'), *why = "has too long a path";
    char           *p = NULL;

    if (slash != NULL) {
        folder.len = (size_t) (slash - file) + 1;
    }

    root = reel_yaml_find(root, "watermark");

    if (m->text[0] != '\0') {
        return check_text(m, folder, root, e);
    }

    if (reel_pipeline_path(path, sizeof(path), folder, m->image)
        == REEL_OK)
    {
        p = read_png(path, &len, &why);
    }

    if (p == NULL) {
        return reel_yaml_fail(reel_yaml_find(root, "image"), e, "watermark: "
                              "\"%s\" %s", m->image, why);
    }

    err = reel_sha256(sum, p, len);
    free(p);

    if (err != REEL_OK) {
        return reel_fail(e, err, "%.100s: no digest", file);
    }

    reel_hex(m->sum, sum, sizeof(sum));

    return REEL_OK;
}
