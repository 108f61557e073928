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

/* light in cd/m² of SDR's white among pictures that are kept (ITU-R BT.2408) */
#define WHITE  "203"


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


/* names of zscale and setparams */
static const char *
curve_name(enum AVColorTransferCharacteristic curve)
{
    return curve == AVCOL_TRC_SMPTE2084 ? "smpte2084"
           : curve == AVCOL_TRC_ARIB_STD_B67 ? "arib-std-b67" : "bt709";
}


/* zscale wants all of the source's properties: files often leave some out */
static void
print_input(reel_buf_t *b, const AVFrame *f, uint32_t width, uint32_t height)
{
    bool         hdr, rgb;
    const char  *primaries, *matrix, *range;

    hdr = reel_av_colour_is_hdr(f);
    rgb = reel_av_colour_is_rgb(f);
    range = rgb || reel_av_colour_is_full(f) ? "full" : "limited";

    primaries = f->color_primaries == AVCOL_PRI_SMPTE432 ? "smpte432"
                : f->color_primaries == AVCOL_PRI_BT2020
                  || (hdr && f->color_primaries != AVCOL_PRI_BT709)
                ? "bt2020" : "bt709";

    matrix = rgb ? "gbr"
             : f->colorspace == AVCOL_SPC_BT2020_CL ? "bt2020c"
             : hdr || f->colorspace == AVCOL_SPC_BT2020_NCL ? "bt2020nc"
             : f->colorspace == AVCOL_SPC_BT470BG
               || f->colorspace == AVCOL_SPC_SMPTE170M ? "smpte170m"
                                                       : "bt709";

    reel_buf_printf(b, "scale=w=%u:h=%u:flags=bicubic:in_range=%s:"
                    "out_range=%s,setparams=color_trc=%s:color_primaries=%s:"
                    "colorspace=%s:range=%s,", width, height, range, range,
                    curve_name(f->color_trc), primaries, matrix, range);
}


void
reel_av_colour_map(reel_buf_t *b, const AVFrame *f, uint32_t width,
    uint32_t height)
{
    if (!reel_av_colour_is_hdr(f)) {
        return;
    }

    print_input(b, f, width, height);
    reel_buf_addz(b, "zscale=t=linear:npl=100,"
                  "format=gbrpf32le,zscale=p=bt709,"
                  "tonemap=tonemap=hable:desat=0:peak=" PEAK ","
                  "zscale=t=bt709:m=bt709:r=limited,format=yuv420p,");
}


static bool
is_kept(const AVFrame *f, enum AVColorTransferCharacteristic curve)
{
    return f->color_trc == curve && !reel_av_colour_is_rgb(f)
           && !reel_av_colour_is_full(f)
           && (f->color_primaries == AVCOL_PRI_BT2020
               || f->color_primaries == AVCOL_PRI_UNSPECIFIED)
           && (f->colorspace == AVCOL_SPC_BT2020_NCL
               || f->colorspace == AVCOL_SPC_UNSPECIFIED);
}


void
reel_av_colour_keep(reel_buf_t *b, const AVFrame *f,
    enum AVColorTransferCharacteristic curve, uint32_t width,
    uint32_t height)
{
    if (!is_kept(f, curve)) {
        print_input(b, f, width, height);
        reel_buf_printf(b, "zscale=t=%s:p=bt2020:m=bt2020nc:r=limited:npl=" WHITE
                        ",format=yuv420p10le,", curve_name(curve));
    }

    /* all of them, which files often do not say */
    reel_buf_printf(b, "setparams=color_primaries=bt2020:color_trc=%s:"
                    "colorspace=bt2020nc:range=limited,", curve_name(curve));
}


void
reel_av_colour_flatten(reel_buf_t *b, const AVFrame *f)
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
}
