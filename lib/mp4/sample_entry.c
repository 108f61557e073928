#include "lib/mp4/box.h"
#include "lib/mp4/sample_entry.h"


/*
 * The descriptors of ISO 14496-1 that stand in esds, 7.2.6; lengths below
 * 128 take one byte.
 */
#define DESC_ES       3
#define DESC_DECODER  4
#define DESC_SPECIFIC 5
#define DESC_SL       6

#define OTI_AAC       0x40      /* ISO 14496-3 */
#define STREAM_AUDIO  (5 << 2 | 1)


/* 12.1.5: on-screen colours by code points of ISO 23091-2 */
static void
write_colr(reel_buf_t *b, const reel_cmaf_track_t *t)
{
    size_t  box;

    if (t->primaries == 2 && t->transfer == 2 && t->matrix == 2) {
        return;
    }

    box = reel_box_begin(b, REEL_FOURCC('c', 'o', 'l', 'r'));
    reel_buf_addz(b, "nclx");
    reel_buf_u16(b, t->primaries);
    reel_buf_u16(b, t->transfer);
    reel_buf_u16(b, t->matrix);
    reel_buf_u8(b, t->full_range ? 0x80 : 0);
    reel_box_end(b, box);
}


/* ISO 14496-15, 5.4.2, in a VisualSampleEntry of 12.1.3 */
void
reel_mp4_write_avc1(reel_buf_t *b, const reel_cmaf_track_t *t)
{
    size_t  avc1, box;

    avc1 = reel_box_begin(b, REEL_FOURCC('a', 'v', 'c', '1'));
    reel_buf_zero(b, 6);
    reel_buf_u16(b, 1);                     /* data_reference_index */
    reel_buf_zero(b, 16);
    reel_buf_u16(b, t->width);
    reel_buf_u16(b, t->height);
    reel_buf_u32(b, 72 << 16);              /* dots an inch, by the standard */
    reel_buf_u32(b, 72 << 16);
    reel_buf_u32(b, 0);
    reel_buf_u16(b, 1);                     /* frame_count */
    reel_buf_zero(b, 32);                   /* compressorname */
    reel_buf_u16(b, 24);                    /* depth */
    reel_buf_u16(b, 0xffff);

    box = reel_box_begin(b, REEL_FOURCC('a', 'v', 'c', 'C'));
    reel_buf_adds(b, t->config);
    reel_box_end(b, box);

    write_colr(b, t);

    box = reel_box_begin(b, REEL_FOURCC('p', 'a', 's', 'p'));
    reel_buf_u32(b, 1);
    reel_buf_u32(b, 1);
    reel_box_end(b, box);

    reel_box_end(b, avc1);
}


/* ISO 14496-14, 6.7.2 */
static void
write_esds(reel_buf_t *b, const reel_cmaf_track_t *t)
{
    size_t   box;
    uint8_t  n = (uint8_t) t->config.len;

    box = reel_full_box_begin(b, REEL_FOURCC('e', 's', 'd', 's'), 0, 0);

    reel_buf_u8(b, DESC_ES);
    reel_buf_u8(b, (uint8_t) (3 + 2 + 13 + 2 + n + 3));
    reel_buf_u16(b, 0);                     /* ES_ID */
    reel_buf_u8(b, 0);

    reel_buf_u8(b, DESC_DECODER);
    reel_buf_u8(b, (uint8_t) (13 + 2 + n));
    reel_buf_u8(b, OTI_AAC);
    reel_buf_u8(b, STREAM_AUDIO);
    reel_buf_u24(b, 0);                     /* bufferSizeDB */
    reel_buf_u32(b, t->bitrate);            /* maxBitrate */
    reel_buf_u32(b, t->bitrate);            /* avgBitrate */

    reel_buf_u8(b, DESC_SPECIFIC);
    reel_buf_u8(b, n);
    reel_buf_adds(b, t->config);

    reel_buf_u8(b, DESC_SL);
    reel_buf_u8(b, 1);
    reel_buf_u8(b, 2);                      /* predefined: in MP4 */

    reel_box_end(b, box);
}


/* ISO 14496-14, 6.7, in an AudioSampleEntry of 12.2.3 */
void
reel_mp4_write_mp4a(reel_buf_t *b, const reel_cmaf_track_t *t)
{
    size_t  box = reel_box_begin(b, REEL_FOURCC('m', 'p', '4', 'a'));

    reel_buf_zero(b, 6);
    reel_buf_u16(b, 1);                     /* data_reference_index */
    reel_buf_zero(b, 8);
    reel_buf_u16(b, t->channels);
    reel_buf_u16(b, 16);                    /* samplesize, by the standard */
    reel_buf_zero(b, 4);

    /* 16.16 cannot say 88200 and up; readers take those from esds */
    reel_buf_u32(b, t->sample_rate <= UINT16_MAX ? t->sample_rate << 16 : 0);

    write_esds(b, t);
    reel_box_end(b, box);
}
