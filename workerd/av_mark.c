#include "workerd/av_mark.h"

#include <libavcodec/avcodec.h>

#include "lib/store/pread.h"
#include "workerd/av_open.h"

/* of the image: 4 times a 4K picture is more than any mark needs */
#define PIXELS_MAX (3840 * 2160 * 4)


static int
load(AVPacket *pkt, int fd, reel_av_fault_t *f)
{
    ssize_t  n;

    if (av_new_packet(pkt, (int) REEL_MARK_BYTES) < 0) {
        return reel_av_fault_err(f, REEL_NOMEM, "decode", "watermark");
    }

    n = reel_pread(fd, pkt->data, REEL_MARK_BYTES, 0);
    if (n <= 0) {
        return reel_av_fault_err(f, REEL_IO, "decode", "watermark");
    }

    av_shrink_packet(pkt, (int) n);

    return 0;
}


static int
decode(reel_av_mark_t *m, AVCodecContext *dec, AVPacket *pkt,
    reel_av_fault_t *f)
{
    int  rc;

    dec->max_pixels = PIXELS_MAX;
    dec->thread_count = 1;

    rc = avcodec_open2(dec, dec->codec, NULL);
    if (rc >= 0) {
        rc = avcodec_send_packet(dec, pkt);
    }
    if (rc >= 0) {
        rc = avcodec_receive_frame(dec, m->picture);
    }

    if (reel_av_fault_memory(f, rc, "decode", "watermark") != 0) {
        return -1;
    }

    /* the operator's image, not the upload's */
    return rc < 0 ? reel_av_fault(f, "BAD_PIPELINE", "decode", "the watermark "
                                  "cannot be decoded") : 0;
}


int
reel_av_mark_read(reel_av_mark_t *m, int fd, reel_av_fault_t *f)
{
    int              rc = -1;
    AVPacket        *pkt = av_packet_alloc();
    AVCodecContext  *dec;

    dec = avcodec_alloc_context3(avcodec_find_decoder(AV_CODEC_ID_PNG));
    m->picture = av_frame_alloc();

    if (pkt == NULL || dec == NULL || dec->codec == NULL
        || m->picture == NULL)
    {
        (void) reel_av_fault_err(f, REEL_NOMEM, "decode", "watermark");

    } else if (load(pkt, fd, f) == 0) {
        rc = decode(m, dec, pkt, f);
    }

    av_packet_free(&pkt);
    avcodec_free_context(&dec);

    return rc;
}


void
reel_av_mark_release(reel_av_mark_t *m)
{
    av_frame_free(&m->picture);
}


/* n scaled by num / den, even, from 2 to most */
static uint32_t
share(uint32_t n, uint32_t num, uint32_t den, uint32_t most)
{
    uint64_t  v = ((uint64_t) n * num + den / 2) / den;

    v = v > most ? most : v;

    return v < 2 ? 2 : (uint32_t) v & ~1u;
}


/* an even place, since colours have half the pixels */
static uint32_t
place(uint32_t room, uint32_t margin, int side)
{
    uint32_t  at = side < 0 ? margin : side > 0 ? room - margin : room / 2;

    return (at > room ? 0 : at) & ~1u;
}


void
reel_av_mark_print(reel_buf_t *b, const reel_av_mark_t *m, unsigned i,
    uint32_t width, uint32_t height, bool bt709)
{
    int                 x, y;
    uint32_t            w, h, margin;
    const reel_mark_t  *how = m->how;

    w = share(width, how->width, 100, width);
    h = share(w, (uint32_t) m->picture->height, (uint32_t) m->picture->width,
              height);
    w = share(h, (uint32_t) m->picture->width, (uint32_t) m->picture->height,
              w);

    margin = (width < height ? width : height) * how->margin / 100;

    x = how->position == REEL_MARK_CENTER ? 0
        : how->position == REEL_MARK_TOP_LEFT
          || how->position == REEL_MARK_BOTTOM_LEFT ? -1 : 1;
    y = how->position == REEL_MARK_CENTER ? 0
        : how->position == REEL_MARK_TOP_LEFT
          || how->position == REEL_MARK_TOP_RIGHT ? -1 : 1;

    reel_buf_printf(b, ";[m%u]format=rgba,colorchannelmixer=aa=%u.%02u,"
                    "scale=w=%u:h=%u:flags=bicubic:out_range=limited:"
                    "out_color_matrix=%s,format=yuva420p[n%u]"
                    ";[b%u][n%u]overlay=x=%u:y=%u:eof_action=repeat:"
                    "format=yuv420[o%u]", i, how->opacity / 100,
                    how->opacity % 100, w, h, bt709 ? "bt709" : "bt601", i,
                    i, i, place(width - w, margin, x),
                    place(height - h, margin, y), i);
}
