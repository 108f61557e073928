#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "lib/base/hex.h"
#include "lib/ts/mux.h"
#include "lib/ts/ts.h"
#include "tests/unit/golden.h"

#define SAMPLES 400
#define OUT_MAX (1u << 20)

/* two parameter sets, of 5 and 3 bytes */
static const char  avcc[] =
    "\x01\x64\x00\x1f\xff\xe1\x00\x05\x67\x64\x00\x1f\xac\x01\x00\x03\x68\xeb"
    "\xc0";


typedef struct {
    uint8_t            mem[64];
    reel_ts_config_t   config;
    reel_ts_sample_t   samples[2][SAMPLES];
    reel_ts_fragment_t fragments[2];
    reel_ts_segment_t  seg;
    uint8_t           *in[2];           /* bytes of the samples */
    size_t             in_len[2];
    uint8_t           *out;
    size_t             len;
} film_t;


static void
film_init(film_t *f, reel_ts_codec_t codec, uint32_t timescale)
{
    reel_str_t  config = codec == REEL_TS_AVC
                         ? (reel_str_t) { avcc, sizeof(avcc) - 1 }
                         : REEL_STR("\x11\x90");

    memset(f, 0, sizeof(*f));
    assert_int_equal(reel_ts_config(&f->config, codec, config, f->mem),
                     REEL_OK);

    f->seg.timescale = timescale;
    f->seg.fragments = f->fragments;
    f->fragments[0].config = &f->config;
    f->fragments[1].config = &f->config;
    f->fragments[0].samples = f->samples[0];
    f->fragments[1].samples = f->samples[1];
    f->out = malloc(OUT_MAX);
    assert_non_null(f->out);
}


static void
film_release(film_t *f)
{
    free(f->in[0]);
    free(f->in[1]);
    free(f->out);
}


/* appends a sample; pictures are of one NAL unit, or of two */
static void
add(film_t *f, unsigned k, uint32_t size, uint32_t duration, int32_t cts,
    bool sync)
{
    uint8_t             *p;
    uint32_t             i, first;
    reel_ts_fragment_t  *to = &f->fragments[k];

    assert_true(to->nsamples < SAMPLES);
    f->samples[k][to->nsamples++] = (reel_ts_sample_t) {
        .size = size, .duration = duration, .cts_offset = cts, .sync = sync
    };

    if (f->seg.nfragments < k + 1) {
        f->seg.nfragments = k + 1;
    }

    f->in[k] = realloc(f->in[k], f->in_len[k] + size + 1);
    assert_non_null(f->in[k]);
    p = f->in[k] + f->in_len[k];
    f->in_len[k] += size;

    for (i = 0; i < size; i++) {
        p[i] = (uint8_t) (i * 7 + to->nsamples) | 0x10;
    }

    if (f->config.codec == REEL_TS_AAC || size < 4) {
        return;
    }

    first = size >= 20 ? 6 : size - 4;
    memcpy(p, (uint8_t[]) { 0, 0, 0, (uint8_t) first }, 4);

    if (size < 20) {
        return;
    }

    p += 4 + first;
    size -= 8 + first;
    memcpy(p, (uint8_t[]) { (uint8_t) (size >> 24), (uint8_t) (size >> 16),
                            (uint8_t) (size >> 8), (uint8_t) size }, 4);
}


/* writes all of it, with input and output in pieces of these sizes */
static reel_err_t
write_all(film_t *f, reel_ts_t *ts, size_t piece, size_t room)
{
    size_t      n, len;
    uint8_t    *in;
    uint64_t    taken;
    unsigned    k, turns = 0;
    reel_err_t  err;

    f->len = 0;

    while (ts->fragment != f->seg.nfragments) {
        k = ts->fragment;
        taken = ts->taken;
        len = ts->left < piece ? (size_t) ts->left : piece;

        /* of its own, so that a read behind its end is seen */
        in = malloc(len + 1);
        assert_non_null(in);

        if (len != 0) {
            memcpy(in, f->in[k] + taken, len);
        }

        assert_true(f->len + room <= OUT_MAX);
        err = reel_ts_write(ts, f->out + f->len, room, in, len, &n);
        free(in);

        if (err != REEL_OK) {
            return err;
        }

        assert_true(n <= room && n % REEL_TS_PACKET == 0);
        assert_true(n != 0 || ts->fragment != k);
        assert_int_equal(ts->out, f->len + n);
        f->len += n;
        assert_true(turns++ < 100000);
    }

    assert_int_equal(f->len, ts->size);

    return REEL_OK;
}


static void
make(film_t *f)
{
    reel_ts_t  ts;

    assert_int_equal(reel_ts_init(&ts, &f->seg), REEL_OK);
    assert_int_equal(write_all(f, &ts, 1u << 20, 1u << 17), REEL_OK);
}


static void
has_bytes(const film_t *f, size_t at, const char *hex)
{
    char    got[2 * REEL_TS_PACKET + 1];
    size_t  n = strlen(hex) / 2;

    assert_true(at + n <= f->len);
    reel_hex(got, f->out + at, n);
    assert_string_equal(got, hex);
}


static void
tables(void **state)
{
    film_t  f;

    (void) state;

    film_init(&f, REEL_TS_AVC, 90000);
    f.seg.number = 18;
    add(&f, 0, 8, 3000, 0, true);
    make(&f);

    /* CRCs as other programs find them */
    has_bytes(&f, 0, "4740001200" "00b00d0001c100000001f000" "2ab104b2" "ff");
    has_bytes(&f, 188, "4750001200" "02b0120001c10000e100f000" "1be100f000"
              "15bd4d56" "ff");
    film_release(&f);

    film_init(&f, REEL_TS_AAC, 48000);
    add(&f, 0, 8, 1024, 0, true);
    make(&f);
    has_bytes(&f, 188, "4750001000" "02b0120001c10000e101f000" "0fe101f000"
              "ece2b094");
    film_release(&f);
}


static void
picture(void **state)
{
    film_t  f;

    (void) state;

    /* what remains goes into 16 packets: 8 bytes and 16 of sets and AUD */
    film_init(&f, REEL_TS_AVC, 90000);
    f.fragments[0].decode_ts = 180000;
    add(&f, 0, 200, 3000, 6000, true);
    make(&f);

    assert_int_equal(f.len, 18 * 188);

    /* PCR = 180000 + 900000 - 63000 = 1017000 = 0xf84a8, random access */
    has_bytes(&f, 376, "47410030" "0750" "0007c2547e00"
              /* PTS 1086000 = 0x109230, DTS 1080000 = 0x107ac0 */
              "000001e00000" "84c00a" "3100432461" "110041f581"
              "0000000109f0" "00000001" "6764001fac" "00000001" "68ebc0"
              "00000001" "1d");

    /* the last 15 bytes have a packet each */
    has_bytes(&f, 376 + 188 * 15, "4701003f" "b600");
    has_bytes(&f, 376 + 188 * 15 + 185, "ff");
    film_release(&f);
}


/* one that the sample brings along is no second one, wherever it is cut */
static void
delimiter(void **state)
{
    size_t     piece;
    film_t     f;
    uint8_t    whole[60 * REEL_TS_PACKET];
    reel_ts_t  ts;

    (void) state;

    film_init(&f, REEL_TS_AVC, 90000);
    f.fragments[0].decode_ts = 180000;
    add(&f, 0, 186, 3000, 6000, true);
    add(&f, 0, 206, 3000, 6000, false);
    memcpy(f.in[0], "\0\0\0\x02\x09\x30\0\0\0\xb0\x65", 11);
    memcpy(f.in[0] + 186, "\0\0\0\x02\x09\x30\0\0\0\xc4\x41", 11);
    make(&f);
    has_bytes(&f, 376 + 31, "0000000109f0" "00000001" "6764001fac" "00000001"
              "68ebc0" "000000000000" "00000001" "65");
    assert_true(f.len <= sizeof(whole));
    memcpy(whole, f.out, f.len);

    for (piece = REEL_TS_INPUT_MIN; piece < 200; piece++) {
        assert_int_equal(reel_ts_init(&ts, &f.seg), REEL_OK);
        assert_int_equal(write_all(&f, &ts, piece, REEL_TS_PACKET), REEL_OK);
        assert_memory_equal(f.out, whole, f.len);
    }

    film_release(&f);
}


/* 13818-1, 2.4.3.5: what is left of a packet decides how it is filled */
static void
stuffing(void **state)
{
    film_t     f;
    uint32_t   size;

    static const struct {
        uint32_t    left;       /* bytes for the second packet */
        const char *head;       /* of that */
        unsigned    packets;
    } cases[] = {
        { 184, "47010011", 2 },
        { 183, "47010031" "00", 2 },
        { 182, "47010031" "0100", 2 },
        { 181, "47010031" "0200ff", 2 },
        { 1, "47010031" "b600", 2 },
        { 185, "47010011", 3 }
    };

    (void) state;

    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        film_init(&f, REEL_TS_AVC, 90000);

        /* 8 of PCR, 14 of PES, 6 of AUD: 156 in the first packet */
        size = 156 + cases[i].left;
        add(&f, 0, size, 3000, 0, false);
        add(&f, 0, 100, 3000, 0, false);
        make(&f);

        has_bytes(&f, 376, "47410030" "0710");
        has_bytes(&f, 376 + 188, cases[i].head);
        has_bytes(&f, 376 + 188 * cases[i].packets, "474100");
        film_release(&f);
    }

    /* 156 bytes fill the first packet, 155 leave one more of stuffing */
    for (size = 155; size <= 156; size++) {
        film_init(&f, REEL_TS_AVC, 90000);
        add(&f, 0, size, 3000, 0, false);
        add(&f, 0, 100, 3000, 0, false);
        make(&f);
        has_bytes(&f, 376, size == 156 ? "4741003007" : "4741003008");
        has_bytes(&f, 376 + 188, "47410031");
        film_release(&f);
    }
}


/* 33 bits: 25 hours are not the end */
static void
wrap(void **state)
{
    film_t  f;

    (void) state;

    film_init(&f, REEL_TS_AVC, 90000);
    f.fragments[0].decode_ts = (INT64_C(1) << 33) - REEL_TS_OFFSET - 3000;
    add(&f, 0, 8, 3000, 0, false);
    add(&f, 0, 8, 3000, 6000, false);
    make(&f);

    /* 2^33 - 3000, then PTS 6000 and DTS 0 behind the wrap */
    has_bytes(&f, 376 + 188 - 8 - 6 - 14, "000001e00000848005" "2fffffe891");
    has_bytes(&f, 376 + 188 + 4, "a410" "ffff84f47e00" "ff");
    film_release(&f);

    /* a film of a year */
    film_init(&f, REEL_TS_AVC, 1000000);
    f.fragments[0].decode_ts = INT64_C(31536000) * 1000000;
    add(&f, 0, 8, 33333, 0, false);
    make(&f);
    assert_int_equal(f.len, 18 * 188);
    film_release(&f);
}


static void
negative_offsets(void **state)
{
    film_t  f;

    (void) state;

    /* DTS of all are 3000 earlier; where that is the PTS there is none */
    film_init(&f, REEL_TS_AVC, 90000);
    add(&f, 0, 300, 3000, 0, true);
    add(&f, 0, 300, 3000, 3000, false);
    add(&f, 0, 300, 3000, -3000, false);
    make(&f);

    has_bytes(&f, 376 + 12, "000001e0000084c00a" "3100377741" "1100375fd1");
    film_release(&f);
}


/* frames of 100 ms to a PES, each with its header */
static void
sound(void **state)
{
    film_t    f;
    unsigned  i;

    (void) state;

    film_init(&f, REEL_TS_AAC, 48000);

    for (i = 0; i < 5; i++) {
        add(&f, 0, 20, 1024, 0, true);
    }

    make(&f);

    /* 4 frames of 27 bytes and 14: 122, less 6 for the length's field */
    has_bytes(&f, 376, "47410130" "3d50");
    has_bytes(&f, 376 + 188 - 122, "000001c00074" "848005" "2100377741"
              "fff14c80037ffc" "11");
    has_bytes(&f, 376 + 188 - 81, "fff14c80037ffc");

    /* the fifth is alone, in 15 packets more */
    has_bytes(&f, 376 + 188, "474101");
    assert_int_equal(f.len, 18 * 188);
    film_release(&f);
}


/* where a picture lasts, the clock goes on without it */
static void
idle(void **state)
{
    film_t  f;

    (void) state;

    film_init(&f, REEL_TS_AVC, 1000);
    add(&f, 0, 100, 250, 0, true);
    add(&f, 0, 100, 100, 0, true);
    make(&f);

    /* 0.1 and 0.2 s later, and the counter stands */
    has_bytes(&f, 376 + 188, "47010020" "b710" "000674587e00" "ff");
    has_bytes(&f, 376 + 376, "47010020" "b710" "000685ec7e00" "ff");
    has_bytes(&f, 376 + 564, "47410031");
    film_release(&f);
}


static void
fill(film_t *f, reel_ts_codec_t codec)
{
    unsigned  k, i;

    film_init(f, codec, codec == REEL_TS_AVC ? 30000 : 48000);

    for (k = 0; k < 2; k++) {
        f->fragments[k].decode_ts = k * 60000;

        for (i = 0; i < 60; i++) {
            if (codec == REEL_TS_AVC) {
                add(f, k, 20 + (i * 7919 + k) % 1500, 1000,
                    (int32_t) (i % 3) * 1000, i == 0);
            } else {
                add(f, k, 1 + (i * 37 + k) % 500, 1024, 0, true);
            }
        }
    }
}


static void
pieces(void **state)
{
    film_t     f;
    size_t     room, piece, n, len;
    uint8_t   *whole;
    unsigned   codec;
    reel_ts_t  ts;

    (void) state;

    for (codec = REEL_TS_AVC; codec <= REEL_TS_AAC; codec++) {
        fill(&f, (reel_ts_codec_t) codec);
        make(&f);

        len = f.len;
        whole = malloc(len);
        assert_non_null(whole);
        memcpy(whole, f.out, len);

        for (piece = REEL_TS_INPUT_MIN; piece < 3000; piece += 97) {
            for (room = 188; room < 4000; room += 1000) {
                assert_int_equal(reel_ts_init(&ts, &f.seg), REEL_OK);
                assert_int_equal(write_all(&f, &ts, piece, room), REEL_OK);
                assert_int_equal(f.len, len);
                assert_memory_equal(f.out, whole, len);
            }
        }

        /* from anywhere on */
        for (n = 0; n < len + 1000; n += 331) {
            reel_ts_seek(&ts, n);
            assert_true(ts.out <= n && ts.out % 188 == 0);
            f.len = (size_t) ts.out;

            if (ts.fragment == f.seg.nfragments) {
                assert_int_equal(ts.out, len);
                continue;
            }

            room = f.len;
            memset(f.out, 0, len);

            while (ts.fragment != f.seg.nfragments) {
                assert_int_equal(reel_ts_write(&ts, f.out + f.len,
                                     len - f.len, f.in[ts.fragment]
                                     + ts.taken, (size_t) ts.left, &piece),
                                 REEL_OK);
                f.len += piece;
            }

            assert_int_equal(f.len, len);
            assert_memory_equal(f.out + room, whole + room, len - room);

            /* start codes are in the input now */
            film_release(&f);
            fill(&f, (reel_ts_codec_t) codec);
            assert_int_equal(reel_ts_init(&ts, &f.seg), REEL_OK);
        }

        free(whole);
        film_release(&f);
    }
}


/* both as one: pictures has it; input and output in pieces of these sizes */
static void
mux_from(film_t *pictures, film_t *sound, reel_ts_mux_t *m, size_t piece,
    size_t room)
{
    size_t      n, len;
    film_t     *f;
    uint8_t    *in;
    unsigned    turns = 0;
    reel_ts_t  *ts;

    pictures->len = (size_t) m->out;

    while ((ts = reel_ts_mux_next(m)) != NULL) {
        f = ts == &m->pictures ? pictures : sound;
        len = reel_ts_mux_wants(ts);
        assert_true(len <= ts->left);
        len = len < piece ? len : piece;

        in = malloc(len + 1);
        assert_non_null(in);

        if (len != 0) {
            memcpy(in, f->in[ts->fragment] + ts->taken, len);
        }

        assert_true(pictures->len + room <= OUT_MAX);
        assert_int_equal(reel_ts_mux_write(m, ts, pictures->out
                                           + pictures->len, room, in, len,
                                           &n),
                         REEL_OK);
        free(in);
        pictures->len += n;
        assert_int_equal(m->out, pictures->len);
        assert_true(turns++ < 100000);
    }

    assert_int_equal(pictures->len, m->size);
}


/* the payloads of a PID, whose counters go on; all PES are in order */
static size_t
demux(const film_t *f, uint16_t pid, uint8_t *to)
{
    size_t    at, head, n = 0;
    uint8_t   counter = 0;
    uint64_t  t, last = 0;

    for (at = 2 * REEL_TS_PACKET; at < f->len; at += REEL_TS_PACKET) {
        const uint8_t  *p = f->out + at, *s;

        head = (p[3] & 0x20) != 0 ? 5 + (size_t) p[4] : 4;

        if ((p[1] & 0x40) != 0) {
            /* what stands last is the DTS */
            s = p + head + 9 + p[head + 8] - 5;
            t = (uint64_t) (s[0] & 0x0e) << 29 | (uint64_t) s[1] << 22
                | (uint64_t) (s[2] & 0xfe) << 14 | (uint64_t) s[3] << 7
                | s[4] >> 1;
            assert_true(t >= last);
            last = t;
        }

        if (((p[1] & 0x1f) << 8 | p[2]) != pid || (p[3] & 0x10) == 0) {
            continue;
        }

        assert_int_equal(p[3] & 15, counter++ & 15);
        memcpy(to + n, p + head, REEL_TS_PACKET - head);
        n += REEL_TS_PACKET - head;
    }

    assert_int_equal(counter & 15, 0);

    return n;
}


static void
mux(void **state)
{
    film_t         v, a;
    size_t         n, room, len;
    uint8_t       *whole, *alone, *both;
    unsigned       k;
    reel_ts_mux_t  m;

    (void) state;

    whole = malloc(OUT_MAX);
    alone = malloc(OUT_MAX);
    both = malloc(OUT_MAX);
    assert_true(whole != NULL && alone != NULL && both != NULL);

    fill(&v, REEL_TS_AVC);
    fill(&a, REEL_TS_AAC);
    a.fragments[1].decode_ts = 60 * 1024;
    assert_int_equal(reel_ts_mux_init(&m, &v.seg, &a.seg), REEL_INVAL);
    v.seg.part = REEL_TS_PICTURES;
    a.seg.part = REEL_TS_SOUND;
    v.seg.number = a.seg.number = 7;
    assert_int_equal(reel_ts_mux_init(&m, &a.seg, &v.seg), REEL_INVAL);
    assert_int_equal(reel_ts_mux_init(&m, &v.seg, &a.seg), REEL_OK);
    mux_from(&v, &a, &m, 1u << 20, 1u << 17);
    len = v.len;
    memcpy(whole, v.out, len);
    has_bytes(&v, 188, "4750001700" "02b0170001c10000e100f000" "1be100f000"
              "0fe101f000");

    /* the same of each as alone, in the order of their times */
    for (k = 0; k < 2; k++) {
        film_t    f;
        uint16_t  pid = k == 0 ? REEL_TS_PID_VIDEO : REEL_TS_PID_AUDIO;

        fill(&f, k == 0 ? REEL_TS_AVC : REEL_TS_AAC);
        f.fragments[1].decode_ts = k == 0 ? 60000 : 60 * 1024;
        make(&f);
        n = demux(&f, pid, alone);
        assert_int_equal(demux(&v, pid, both), n);
        assert_memory_equal(both, alone, n);
        film_release(&f);
    }

    for (n = REEL_TS_INPUT_MIN; n < 3000; n += 397) {
        for (room = 188; room < 4000; room += 1000) {
            assert_int_equal(reel_ts_mux_init(&m, &v.seg, &a.seg), REEL_OK);
            mux_from(&v, &a, &m, n, room);
            assert_memory_equal(v.out, whole, len);
        }
    }

    for (n = 0; n < len + 1000; n += 331) {
        reel_ts_mux_seek(&m, n);
        assert_true(m.out <= n && m.out % REEL_TS_PACKET == 0);
        room = (size_t) m.out;
        mux_from(&v, &a, &m, 4000, 4000);
        assert_memory_equal(v.out + room, whole + room, len - room);
    }

    /* sound that ended before: all of it are pictures */
    a.seg.nfragments = 1;
    a.fragments[0].nsamples = 0;
    assert_int_equal(reel_ts_mux_init(&m, &v.seg, &a.seg), REEL_OK);
    mux_from(&v, &a, &m, 1u << 20, 1u << 17);
    assert_int_equal(demux(&v, REEL_TS_PID_AUDIO, both), 0);

    film_release(&v);
    film_release(&a);
    free(whole);
    free(alone);
    free(both);
}


static void
golden(void **state)
{
    film_t  f;

    (void) state;

    fill(&f, REEL_TS_AVC);
    f.fragments[0].nsamples = 6;
    f.fragments[1].nsamples = 6;
    make(&f);
    golden_check("video.ts", f.out, f.len);
    film_release(&f);

    fill(&f, REEL_TS_AAC);
    f.fragments[0].nsamples = 9;
    f.fragments[1].nsamples = 9;
    make(&f);
    golden_check("audio.ts", f.out, f.len);
    film_release(&f);
}


/* where sound ends before the pictures do: tables, and that is all */
static void
empty(void **state)
{
    film_t     f;
    reel_ts_t  ts;

    (void) state;

    film_init(&f, REEL_TS_AAC, 48000);
    f.seg.nfragments = 1;
    assert_int_equal(reel_ts_init(&ts, &f.seg), REEL_OK);
    assert_int_equal(ts.size, 2 * REEL_TS_PACKET);
    assert_int_equal(write_all(&f, &ts, 1000, 1000), REEL_OK);
    assert_int_equal(ts.out, ts.size);
    film_release(&f);
}


static void
refused(void **state)
{
    film_t     f;
    reel_ts_t  ts;

    (void) state;

    film_init(&f, REEL_TS_AVC, 90000);
    assert_int_equal(reel_ts_init(&ts, &f.seg), REEL_INVAL);
    f.seg.nfragments = 2;
    assert_int_equal(reel_ts_init(&ts, &f.seg), REEL_INVAL);
    f.seg.nfragments = 1;
    add(&f, 0, 100, 3000, 0, true);
    f.seg.timescale = 0;
    assert_int_equal(reel_ts_init(&ts, &f.seg), REEL_INVAL);
    f.seg.timescale = 90000;
    f.fragments[0].decode_ts = INT64_MAX;
    assert_int_equal(reel_ts_init(&ts, &f.seg), REEL_BADDATA);
    f.fragments[0].decode_ts = 0;

    /* NAL units that are longer than their sample, or cut */
    for (uint8_t len = 0; len < 100; len++) {
        f.in[0][3] = 6;
        f.in[0][13] = len;
        assert_int_equal(reel_ts_init(&ts, &f.seg), REEL_OK);
        assert_int_equal(write_all(&f, &ts, 1000, 1000),
                         len == 86 || (len + 14 <= 96 && f.in[0][len + 14]
                                       == 0) ? REEL_OK : REEL_BADDATA);
    }

    film_release(&f);

    film_init(&f, REEL_TS_AAC, 48000);
    add(&f, 0, 8185, 1024, 0, true);
    assert_int_equal(reel_ts_init(&ts, &f.seg), REEL_LIMIT);
    f.samples[0][0].size = 8184;
    assert_int_equal(reel_ts_init(&ts, &f.seg), REEL_OK);
    film_release(&f);
}


static void
configs(void **state)
{
    uint8_t           mem[128];
    reel_ts_config_t  c;

    static const struct {
        reel_ts_codec_t codec;
        reel_str_t      config;
        reel_err_t      err;
        const char     *adts;
    } cases[] = {
        { REEL_TS_AVC, { avcc, sizeof(avcc) - 1 }, REEL_OK, NULL },
        { REEL_TS_AVC, { avcc, sizeof(avcc) - 2 }, REEL_BADDATA, NULL },
        { REEL_TS_AVC, { avcc, 4 }, REEL_BADDATA, NULL },
        { REEL_TS_AVC, { "", 0 }, REEL_BADDATA, NULL },
        { REEL_TS_AVC, { "\x02\x64\x00\x1f\xff\xe0\x00", 7 }, REEL_BADDATA,
          NULL },
        { REEL_TS_AVC, { "\x01\x64\x00\x1f\xfd\xe0\x00", 7 },
          REEL_UNSUPPORTED, NULL },
        /* AAC-LC: 48 kHz stereo, 44.1 kHz mono, 5.1 */
        { REEL_TS_AAC, { "\x11\x90", 2 }, REEL_OK, "fff14c80001ffc" },
        { REEL_TS_AAC, { "\x12\x08", 2 }, REEL_OK, "fff15040001ffc" },
        { REEL_TS_AAC, { "\x11\xb0", 2 }, REEL_OK, "fff14d80001ffc" },
        /* HE-AAC: LC of 24 kHz, as its decoders find it */
        { REEL_TS_AAC, { "\x2b\x11\x88\x00", 4 }, REEL_OK,
          "fff15880001ffc" },
        { REEL_TS_AAC, { "\x17\x80\x5d\xc0\x10", 5 }, REEL_UNSUPPORTED,
          NULL },
        { REEL_TS_AAC, { "\x11", 1 }, REEL_BADDATA, NULL }
    };

    (void) state;

    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char        hex[15];
        reel_err_t  err;

        err = reel_ts_config(&c, cases[i].codec, cases[i].config, mem);

        if (err != cases[i].err) {
            print_error("case %u: %s\n", i, reel_err_name(err));
        }

        assert_int_equal(err, cases[i].err);

        if (cases[i].adts != NULL) {
            reel_hex(hex, c.adts, 7);
            assert_string_equal(hex, cases[i].adts);
        }
    }
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(tables),
        cmocka_unit_test(picture),
        cmocka_unit_test(delimiter),
        cmocka_unit_test(stuffing),
        cmocka_unit_test(wrap),
        cmocka_unit_test(negative_offsets),
        cmocka_unit_test(sound),
        cmocka_unit_test(idle),
        cmocka_unit_test(pieces), cmocka_unit_test(mux),
        cmocka_unit_test(golden),
        cmocka_unit_test(empty), cmocka_unit_test(refused),
        cmocka_unit_test(configs)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
