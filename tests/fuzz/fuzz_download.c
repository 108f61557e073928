/*
 * Any bytes as two stored headers, the first byte saying where one ends:
 * what the download accepts has a head whose boxes nest, and pieces that are
 * the file.
 */

#include "lib/index/writer.h"
#include "lib/mp4/box_reader.h"
#include "lib/mp4/download.h"
#include "tests/fuzz/harness.h"

#define FRAGMENTS 5


static void
make_index(reel_buf_t *b, const reel_str_t header[2])
{
    unsigned             i;
    reel_error_t         e;
    reel_ix_object_t     o[2];
    reel_ix_fragment_t   f[2][FRAGMENTS];
    reel_ix_rendition_t  r[2] = { { .nobjects = 1 }, { .nobjects = 1 } };

    static reel_index_t  ix;

    for (i = 0; i < FRAGMENTS; i++) {
        f[0][i] = (reel_ix_fragment_t) { 9000 + i, 180000, 60, 800 };
        f[1][i] = (reel_ix_fragment_t) { 700 + i, 96256, 94, 0 };
    }

    ix = (reel_index_t) {
        .version = REEL_INDEX_VERSION, .publication = 1, .timescale = 90000,
        .gop_ts = 180000, .fragments = FRAGMENTS,
        .end_ts = FRAGMENTS * 180000, .constant_rate = true, .nheaders = 2,
        .headers = { header[0], header[1] }
    };

    for (i = 0; i < 2; i++) {
        o[i] = (reel_ix_object_t) {
            .name = REEL_STR("a.mp4"), .header = i, .base = header[i].len,
            .nfragments = FRAGMENTS, .fragments = f[i]
        };
        r[i].objects = &o[i];
    }

    r[0].head = (reel_rendition_t) {
        .name = REEL_STR("v"), .kind = REEL_VIDEO, .timescale = 90000,
        .codec = REEL_STR("avc1.64001e"), .width = 640, .height = 360,
        .rate_num = 30, .rate_den = 1
    };
    r[1].head = (reel_rendition_t) {
        .name = REEL_STR("a"), .kind = REEL_AUDIO, .timescale = 48000,
        .codec = REEL_STR("mp4a.40.2"), .channels = 2, .sample_rate = 48000,
        .rate_den = 1
    };

    reel_buf_init(b, 1 << 16);
    need(reel_index_write(b, &ix, r, 2, &e) == REEL_OK);
}


static void
check(const reel_download_t *d, const reel_buf_t *head)
{
    uint32_t                type;
    uint64_t                at = d->head;
    reel_reader_t           in, body;
    reel_download_pieces_t  p;

    need(d->head == head->len);
    reel_reader_init(&in, head->data, head->len);

    while (reel_box_next(&in, &type, &body)) {
        /* its boxes fill it */
    }

    need(in.err == REEL_OK);
    reel_download_pieces(&p, d);

    while (reel_download_next(&p)) {
        need(p.start == at && p.size > 0);
        at += p.size;
    }

    need(at == d->media && d->size == at + REEL_DOWNLOAD_TAIL);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t           cut;
    reel_buf_t       b, head;
    reel_str_t       header[2];
    reel_error_t     e = { "" };
    reel_download_t  d;

    static reel_index_t  ix;

    if (size < 3 || size > 8192) {
        return 0;
    }

    cut = 1 + (size - 2) * data[0] / 256;
    header[0] = (reel_str_t) { (const char *) data + 1, cut };
    header[1] = (reel_str_t) { (const char *) data + 1 + cut,
                               size - 1 - cut };

    make_index(&b, header);
    need(reel_index_parse(&ix, b.data, b.len, &e) == REEL_OK);
    reel_buf_init(&head, 1 << 16);

    if (reel_download_init(&d, &head, &ix, &ix.renditions[0],
                           &ix.renditions[1], &e)
        == REEL_OK)
    {
        check(&d, &head);

    } else {
        need(e.text[0] != '\0' && head.len == 0);
    }

    reel_buf_release(&head);
    reel_buf_release(&b);

    return 0;
}
