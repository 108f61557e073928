/* what may be copied of a source, and as what */

#include "lib/conf/pipeline_part.h"


static reel_err_t
add_copy_codec(void *dst, const reel_yaml_t *n, reel_error_t *e)
{
    uint32_t           *bits = dst;
    reel_err_t          err;
    reel_video_codec_t  codec;

    err = reel_conf_codec(&codec, n, e);

    if (err == REEL_OK && codec == REEL_VIDEO_AV1) {
        err = reel_yaml_fail(n, e, "\"av1\" is not copied: h264 or hevc");
    }
    if (err == REEL_OK) {
        *bits |= 1u << codec;
    }

    return err;
}


reel_err_t
reel_conf_copy_codecs(void *dst, const reel_yaml_t *n, reel_error_t *e)
{
    uint32_t  *bits = dst;

    *bits = 0;

    return reel_conf_words(dst, n, REEL_VIDEO_CODECS, add_copy_codec, e);
}


reel_err_t
reel_conf_copy_as(void *dst, const reel_yaml_t *n, reel_error_t *e)
{
    char        text[8];
    reel_err_t  err = reel_yaml_text(n, 1, sizeof(text) - 1, text, e);

    if (err == REEL_OK && !reel_copy_as_find(text, dst)) {
        err = reel_yaml_fail(n, e, "copy_as must be only or top, not \"%s\"",
                             text);
    }

    return err;
}
