#include "workerd/av_colour.h"

#include <string.h>

#include <libavutil/pixdesc.h>


/*
 * Light of a PQ or HLG picture that becomes the white of the display, in
 * units of 100 cd/m²: what nearly all films are mastered for.  A file's own
 * figure (MaxCLL) is not asked: it may differ from chunk to chunk, and the
 * brightness would jump at their edges.
 */
#define PEAK  "10"


static bool
has_flag(const AVFrame *f, uint64_t flag)
{
    const AVPixFmtDescriptor  *d;

    d = av_pix_fmt_desc_get(f->format);

    return d != NULL && (d->flags & flag) != 0;
}


bool
reel_av_colour_is_hdr(const AVFrame *f)
{
    return f->color_trc == AVCOL_TRC_SMPTE2084
           || f->color_trc == AVCOL_TRC_ARIB_STD_B67;
}


bool
reel_av_colour_is_rgb(const AVFrame *f)
{
    return has_flag(f, AV_PIX_FMT_FLAG_RGB | AV_PIX_FMT_FLAG_PAL);
}


bool
reel_av_colour_is_full(const AVFrame *f)
{
    const AVPixFmtDescriptor  *d;

    d = av_pix_fmt_desc_get(f->format);

    return f->color_range == AVCOL_RANGE_JPEG
           || (d != NULL && strncmp(d->name, "yuvj", 4) == 0);
}


/* linear light, the primaries of BT.709, its curve: zscale wants all of the
   source's properties, files often leave some out */
static void
print_tonemap(reel_buf_t *b, const AVFrame *f, uint32_t width,
    uint32_t height)
{
    bool  cl, rgb;

    cl = f->colorspace == AVCOL_SPC_BT2020_CL;
    rgb = reel_av_colour_is_rgb(f);

    reel_buf_printf(b, "scale=w=%u:h=%u:flags=bicubic,", width, height);

    reel_buf_printf(b, "zscale=tin=%s:pin=%s:min=%s:rin=%s:t=linear:npl=100,",
                    f->color_trc == AVCOL_TRC_SMPTE2084 ? "smpte2084"
                                                        : "arib-std-b67",
                    f->color_primaries == AVCOL_PRI_BT709 ? "bt709"
                    : f->color_primaries == AVCOL_PRI_SMPTE432 ? "smpte432"
                                                               : "bt2020",
                    rgb ? "gbr" : cl ? "bt2020c" : "bt2020nc",
                    rgb || reel_av_colour_is_full(f) ? "full" : "limited");

    reel_buf_addz(b, "format=gbrpf32le,zscale=p=bt709,"
                  "tonemap=tonemap=hable:desat=0:peak=" PEAK ","
                  "zscale=t=bt709:m=bt709:r=limited,format=yuv420p,");
}


void
reel_av_colour_print(reel_buf_t *b, const AVFrame *f, uint32_t width,
    uint32_t height)
{
    /* a palette's alpha is libav's notion, no player's */
    if (has_flag(f, AV_PIX_FMT_FLAG_ALPHA)
        && !has_flag(f, AV_PIX_FMT_FLAG_PAL))
    {
        reel_buf_addz(b, reel_av_colour_is_rgb(f)
                      ? "format=gbrap|gbrap16le,premultiply=inplace=1,"
                      : "format=yuva444p|yuva444p10le|yuva444p16le,"
                        "premultiply=inplace=1,");
    }

    if (reel_av_colour_is_hdr(f)) {
        print_tonemap(b, f, width, height);
    }
}
