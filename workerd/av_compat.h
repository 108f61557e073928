/* what differs between the libraries of FFmpeg 5.1 and 7.1, in one place */

#ifndef REEL_WORKERD_AV_COMPAT_H
#define REEL_WORKERD_AV_COMPAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/frame.h>


static inline bool
reel_frame_interlaced(const AVFrame *f)
{
#ifdef AV_FRAME_FLAG_INTERLACED
    return (f->flags & AV_FRAME_FLAG_INTERLACED) != 0;
#else
    return f->interlaced_frame != 0;
#endif
}


static inline void
reel_frame_set_interlaced(AVFrame *f, bool top_first)
{
#ifdef AV_FRAME_FLAG_INTERLACED
    f->flags |= AV_FRAME_FLAG_INTERLACED;
    f->flags &= ~AV_FRAME_FLAG_TOP_FIELD_FIRST;
    f->flags |= top_first ? AV_FRAME_FLAG_TOP_FIELD_FIRST : 0;
#else
    f->interlaced_frame = 1;
    f->top_field_first = top_first;
#endif
}


/* NULL when the stream has no side data of that type */
static inline const uint8_t *
reel_stream_side_data(const AVStream *st, enum AVPacketSideDataType type,
    size_t *size)
{
#if LIBAVFORMAT_VERSION_INT >= AV_VERSION_INT(60, 15, 100)
    const AVPacketSideData  *sd;

    sd = av_packet_side_data_get(st->codecpar->coded_side_data,
                                 st->codecpar->nb_coded_side_data, type);
    *size = sd != NULL ? sd->size : 0;
    return sd != NULL ? sd->data : NULL;
#else
    return av_stream_get_side_data(st, type, size);
#endif
}

#endif
