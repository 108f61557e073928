/* which encoders these are; part of what a finished task is recognised by */

#include <libavcodec/avcodec.h>
#include <libavutil/avutil.h>
#include <stdio.h>

#include "workerd/fingerprint.h"


void
reel_av_fingerprint(char *dst, size_t cap)
{
    unsigned  v = avcodec_version();

    snprintf(dst, cap, "ffmpeg %s libavcodec %u.%u.%u", av_version_info(),
             v >> 16, v >> 8 & 0xff, v & 0xff);
}


void
reel_av_codecs(char *dst, size_t cap)
{
    size_t  n = 0;

    static const char *const names[] = {
        "libx264", "libx265", "libsvtav1", "libaom-av1", "libvpx-vp9",
        "h264_nvenc", "hevc_nvenc", "av1_nvenc", "h264_vaapi", "hevc_vaapi",
        "aac", "libopus", "ac3", "eac3", "flac"
    };

    dst[0] = '\0';

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (avcodec_find_encoder_by_name(names[i]) != NULL && n < cap) {
            n += (size_t) snprintf(dst + n, cap - n, "%s%s",
                                   n > 0 ? "," : "", names[i]);
        }
    }
}
