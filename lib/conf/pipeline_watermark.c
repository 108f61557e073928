/* watermark: of a pipeline's file */

#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/hex.h"
#include "lib/conf/pipeline_part.h"
#include "lib/crypt/digest.h"

static const unsigned char png[] = { 0x89, 'P', 'N', 'G', '\r', '\n', 0x1a,
                                     '\n' };


static reel_err_t
read_image(void *dst, const reel_yaml_t *n, reel_error_t *e)
{
    reel_err_t  err = reel_yaml_text(n, 1, REEL_EXEC_FILE - 1, dst, e);

    if (err == REEL_OK && !reel_file_name_valid(reel_str(n->text))) {
        err = reel_yaml_fail(n, e, "\"%.40s\" is not a file's name: the "
                             "image lies beside the pipeline's file",
                             n->text);
    }

    return err;
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
        { "image", REEL_YAML_TYPE_FN, offsetof(reel_mark_t, image), 0, 0,
          read_image, true },
        FN("position", reel_mark_t, position, read_position),
        U32("opacity", reel_mark_t, opacity, 1, 100),
        U32("width", reel_mark_t, width, 1, 100),
        U32("margin", reel_mark_t, margin, 0, 50),
    };

    return reel_yaml_map(dst, n, ROWS(keys), e);
}


reel_err_t
reel_conf_watermark(void *dst, const reel_yaml_t *n, reel_error_t *e)
{
    return read_watermark(dst, n, e);
}


/* its bytes; NULL with a reason */
static unsigned char *
slurp(const char *path, size_t *len, const char **why)
{
    FILE           *f = fopen(path, "re");
    unsigned char  *p = malloc(REEL_MARK_BYTES + 1);

    *why = f == NULL ? "cannot be opened" : "there is no memory for it";

    if (f != NULL && p != NULL) {
        *len = fread(p, 1, REEL_MARK_BYTES + 1, f);
        *why = ferror(f) ? "cannot be read"
               : *len > REEL_MARK_BYTES ? "has more than 1 MiB"
               : *len < sizeof(png) || memcmp(p, png, sizeof(png)) != 0
               ? "is no PNG" : NULL;
    }

    if (f != NULL) {
        (void) fclose(f);
    }
    if (*why != NULL) {
        free(p);
        p = NULL;
    }

    return p;
}


reel_err_t
reel_conf_watermark_read(reel_mark_t *m, const char *file,
    const reel_yaml_t *root, reel_error_t *e)
{
    int             n;
    char            path[PATH_MAX];
    size_t          len;
    uint8_t         sum[REEL_SHA256_LEN];
    reel_err_t      err;
    const char     *slash = strrchr(file, '/'), *why = "has too long a path";
    unsigned char  *p = NULL;

    n = snprintf(path, sizeof(path), "%.*s%s",
                 slash != NULL ? (int) (slash - file) + 1 : 0, file,
                 m->image);

    if (n > 0 && (size_t) n < sizeof(path)) {
        p = slurp(path, &len, &why);
    }

    if (p == NULL) {
        root = reel_yaml_find(root, "watermark");
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
