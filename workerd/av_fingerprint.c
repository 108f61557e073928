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
