/*
 * Any samples and any bytes in them as a transport stream: as many bytes as
 * were promised, all of them packets with counters in order, and the same
 * however input and output are cut and wherever it begins.  With SAMPLE-AES
 * too, of which nobody knows the length before.
 */

#include <stdlib.h>

#include "lib/base/reader.h"
#include "lib/codec/aac.h"
#include "lib/ts/sealed.h"
#include "tests/fuzz/harness.h"

#define FRAGMENTS 3
#define SAMPLES   64
#define OUT_MAX   (1u << 20)


typedef struct {
    uint8_t            mem[REEL_TS_SETS_MAX(256)];
    reel_ts_config_t   config;
    reel_ts_sample_t   samples[FRAGMENTS][SAMPLES];
    reel_ts_fragment_t fragments[FRAGMENTS];
    reel_ts_segment_t  seg;
    uint32_t           piece, room;
    const uint8_t     *data;    /* of all samples, over and over */
    size_t             len;
} input_t;


static void
read_fragment(input_t *in, reel_reader_t *r)
{
    uint32_t             i;
    reel_ts_sample_t    *s = in->samples[in->seg.nfragments];
    reel_ts_fragment_t  *f = &in->fragments[in->seg.nfragments++];

    f->config = &in->config;
    f->samples = s;
    f->nsamples = reel_read_u8(r) % SAMPLES;
    f->decode_ts = (int64_t) reel_read_u64(r);

    for (i = 0; i < f->nsamples; i++, s++) {
        s->size = reel_read_u16(r) % 10000;
        s->duration = reel_read_u32(r) >> reel_read_u8(r) % 32;
        s->cts_offset = (int32_t) reel_read_u32(r);
        s->sync = reel_read_u8(r) & 1;
    }
}


static bool
read_input(input_t *in, const uint8_t *data, size_t size)
{
    unsigned         n;
    reel_str_t       config;
    reel_reader_t    r;
    reel_ts_codec_t  codec;

    reel_reader_init(&r, data, size);

    codec = reel_read_u8(&r) & 1 ? REEL_TS_AAC : REEL_TS_AVC;
    in->piece = reel_read_u16(&r) + REEL_TS_INPUT_MIN;
    in->room = reel_read_u16(&r) + REEL_TS_PACKET;
    in->seg.timescale = reel_read_u32(&r);
    in->seg.number = reel_read_u8(&r);
    in->seg.fragments = in->fragments;
    config = reel_read_bytes(&r, reel_read_u8(&r));
    n = reel_read_u8(&r) % FRAGMENTS;

    if (r.err != REEL_OK
        || reel_ts_config(&in->config, codec, config, in->mem) != REEL_OK)
    {
        return false;
    }

    do {
        read_fragment(in, &r);
    } while (n-- != 0);

    in->data = r.p;
    in->len = reel_reader_left(&r);

    return r.err == REEL_OK;
}


/* what stands at offset `at` of a fragment's samples, in a buffer of its own */
static uint8_t *
bytes_at(const input_t *in, uint64_t at, size_t n)
{
    size_t    i;
    uint8_t  *p = malloc(n + 1);

    need(p != NULL);

    for (i = 0; i < n; i++) {
        p[i] = in->len != 0 ? in->data[(at + i) % in->len] : 0;
    }

    return p;
}


static reel_err_t
write_all(const input_t *in, reel_ts_t *ts, uint8_t *out, size_t piece,
    size_t room)
{
    size_t      n, len;
    uint8_t    *p;
    uint32_t    fragment;
    reel_err_t  err = REEL_OK;

    while (err == REEL_OK && ts->fragment != in->seg.nfragments) {
        fragment = ts->fragment;
        len = ts->left < piece ? (size_t) ts->left : piece;
        p = bytes_at(in, ts->taken, len);

        need(ts->out <= ts->size);

        if (room > ts->size - ts->out) {
            room = (size_t) (ts->size - ts->out);
        }

        err = reel_ts_write(ts, out + ts->out, room, p, len, &n);
        free(p);

        need(err == REEL_BADDATA || err == REEL_OK);
        need(err != REEL_OK || n != 0 || ts->fragment != fragment);
    }

    need(err != REEL_OK || ts->out == ts->size);

    return err;
}


static void
check(const uint8_t *p, uint64_t size)
{
    unsigned  counter = 0;
    uint64_t  at;

    need(size % REEL_TS_PACKET == 0);

    for (at = 2 * REEL_TS_PACKET; at < size; at += REEL_TS_PACKET) {
        need(p[at] == 0x47);

        if (p[at + 3] & 0x10) {
            need((p[at + 3] & 15) == (counter++ & 15));
        }

        if (p[at + 3] & 0x20) {
            need(p[at + 4] <= 183);
        }
    }

    need(counter % 16 == 0);
}


/* -1: what is refused; else how many bytes there are */
static int64_t
write_sealed(const input_t *in, uint8_t *out, size_t cap, size_t piece,
    size_t room)
{
    size_t            n, len;
    uint8_t          *p;
    uint32_t          fragment;
    reel_err_t        err = REEL_OK;
    reel_ts_sealed_t  x;

    static const uint8_t  key[16] = "sixteen bytes ab", iv[16] = "others";

    need(reel_ts_sealed_init(&x, &in->seg, key, iv) == REEL_OK);

    while (err == REEL_OK && x.ts.fragment != in->seg.nfragments) {
        fragment = x.ts.fragment;
        len = x.ts.left < piece ? (size_t) x.ts.left : piece;
        p = bytes_at(in, x.ts.taken, len);

        need(x.ts.out <= cap && room <= cap - x.ts.out);
        err = reel_ts_sealed_write(&x, out + x.ts.out, room, p, len, &n);
        free(p);

        need(err == REEL_BADDATA || err == REEL_OK);
        need(err != REEL_OK || n != 0 || x.ts.fragment != fragment
             || x.filled != 0);
    }

    reel_ts_sealed_release(&x);

    return err == REEL_OK ? (int64_t) x.ts.out : -1;
}


/* clear: can it be written? */
static void
run_sealed(const input_t *in, uint64_t size, bool clear)
{
    size_t    room = in->room + REEL_TS_SEALED_OUT;
    size_t    cap = 2 * (size_t) size + 20 * REEL_TS_PACKET + 2 * room;
    int64_t   n;
    uint8_t  *out = malloc(2 * cap);

    need(out != NULL);

    n = write_sealed(in, out, cap, OUT_MAX, cap / 2);
    need((n >= 0) == clear);
    need(write_sealed(in, out + cap, cap,
                      in->piece + REEL_TS_SEALED_IN, room) == n);

    if (clear) {
        check(out, (uint64_t) n);
        need(memcmp(out, out + cap, (size_t) n) == 0);
    }

    free(out);
}


static void
run(input_t *in, const reel_ts_t *fresh, uint8_t *one, uint8_t *two)
{
    reel_ts_t   ts = *fresh;
    reel_err_t  err;

    err = write_all(in, &ts, one, OUT_MAX, OUT_MAX);

    if (err == REEL_OK) {
        check(one, fresh->size);
    }

    if (in->config.asc.len <= REEL_AAC_CONFIG_MAX) {
        run_sealed(in, fresh->size, err == REEL_OK);
    }

    ts = *fresh;
    need(write_all(in, &ts, two, in->piece, in->room) == err);

    if (err != REEL_OK) {
        return;
    }

    need(memcmp(one, two, (size_t) fresh->size) == 0);

    reel_ts_seek(&ts, fresh->size * in->room / 65536);
    memset(two, 0, (size_t) ts.out);
    memcpy(two, one, (size_t) ts.out);
    need(write_all(in, &ts, two, in->piece, OUT_MAX) == REEL_OK);
    need(memcmp(one, two, (size_t) fresh->size) == 0);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    input_t    *in = calloc(1, sizeof(input_t));
    uint8_t    *out;
    reel_ts_t   ts;

    if (in == NULL) {
        return 0;
    }

    if (read_input(in, data, size)
        && reel_ts_init(&ts, &in->seg) == REEL_OK && ts.size <= 2 * OUT_MAX)
    {
        out = malloc(2 * (size_t) ts.size);
        need(out != NULL);
        run(in, &ts, out, out + ts.size);
        free(out);
    }

    free(in);

    return 0;
}
