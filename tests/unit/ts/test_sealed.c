#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <openssl/evp.h>

#include "lib/base/hex.h"
#include "lib/codec/aac.h"
#include "lib/ts/sealed.h"

#define SAMPLES 40
#define MEDIA   (1u << 20)

/* two parameter sets, of 5 and 3 bytes */
static const char  avcc[] =
    "\x01\x64\x00\x1f\xff\xe1\x00\x05\x67\x64\x00\x1f\xac\x01\x00\x03\x68\xeb"
    "\xc0";

static const uint8_t  key[16] = "sixteen bytes ab";
static const uint8_t  iv[16] = "another sixteen";

typedef struct {
    uint8_t            mem[64];
    reel_ts_config_t   config;
    reel_ts_sample_t   samples[2][SAMPLES];
    reel_ts_fragment_t fragments[2];
    reel_ts_segment_t  seg;
    uint8_t           *in[2];
    size_t             in_len[2];
} film_t;

static uint32_t  seed;
static bool      delimited;


static uint32_t
random32(void)
{
    seed = seed * 1664525 + 1013904223;

    return seed >> 8;
}


/* bytes that a NAL unit may have, many of them 0 */
static void
fill_nal(uint8_t *p, size_t n, uint8_t header)
{
    size_t    i;
    unsigned  zeros = 0;

    p[0] = header;

    for (i = 1; i < n; i++) {
        p[i] = (uint8_t) (random32() % 3 != 0 ? 0 : random32() % 6);

        if (zeros >= 2 && p[i] <= 3) {
            p[i] = 3;
        }

        zeros = p[i] == 0 ? zeros + 1 : 0;
    }

    p[n - 1] = 0x80;
}


static size_t
add_nal(uint8_t *p, size_t n, uint8_t header)
{
    p[0] = 0;
    p[1] = (uint8_t) (n >> 16);
    p[2] = (uint8_t) (n >> 8);
    p[3] = (uint8_t) n;
    fill_nal(p + 4, n, header);

    return n + 4;
}


/* of a length that decides where blocks end, and others */
static size_t
some_size(unsigned i)
{
    return 1 + (i < 3 ? 47 + i : i % 3 == 0 ? 32 + i * 16
                : random32() % (i % 7 == 0 ? 9000 : 700));
}


static void
add_sample(film_t *f, unsigned k, unsigned i)
{
    size_t   n = 0;
    uint8_t *p = f->in[k] + f->in_len[k];

    if (f->config.codec == REEL_TS_AAC) {
        n = i < 40 ? i * 3 : random32() % 700;

        for (size_t b = 0; b < n; b++) {
            p[b] = (uint8_t) random32();
        }

    } else {
        if (delimited) {
            memcpy(p, "\0\0\0\x02\x09\x30", 6);
            n = 6;
        }

        if (i % 4 == 0) {
            n += add_nal(p + n, some_size(i), 6);
        }

        n += add_nal(p + n, some_size(i), i == 0 ? 0x65 : 0x41);

        if (i % 5 == 0) {
            n += add_nal(p + n, some_size(i + 1), 0x01);
        }
    }

    f->in_len[k] += n;
    f->samples[k][i] = (reel_ts_sample_t) {
        .size = (uint32_t) n, .duration = 3000, .sync = i == 0
    };
}


static void
film_init(film_t *f, reel_ts_codec_t codec, unsigned last)
{
    unsigned    k, i;
    reel_str_t  config = codec == REEL_TS_AVC
                         ? (reel_str_t) { avcc, sizeof(avcc) - 1 }
                         : REEL_STR("\x11\x90");

    memset(f, 0, sizeof(*f));
    assert_int_equal(reel_ts_config(&f->config, codec, config, f->mem),
                     REEL_OK);

    f->seg = (reel_ts_segment_t) {
        .timescale = 90000, .number = 5, .nfragments = 2,
        .fragments = f->fragments
    };

    for (k = 0; k < 2; k++) {
        f->in[k] = malloc(MEDIA);
        assert_non_null(f->in[k]);

        f->fragments[k] = (reel_ts_fragment_t) {
            .config = &f->config, .samples = f->samples[k],
            .nsamples = k == 0 ? SAMPLES : last,
            .decode_ts = k * SAMPLES * 3000
        };

        for (i = 0; i < f->fragments[k].nsamples; i++) {
            add_sample(f, k, i);
        }

        assert_true(f->in_len[k] <= MEDIA);
    }
}


static void
film_release(film_t *f)
{
    free(f->in[0]);
    free(f->in[1]);
}


/* the segment, with input and output in pieces of these sizes */
static uint8_t *
make_sealed(const film_t *f, size_t piece, size_t room, size_t *size)
{
    size_t            n, len, turns = 0;
    uint8_t          *out = malloc(MEDIA), *in, *to;
    unsigned          k;
    reel_ts_sealed_t  x;

    assert_non_null(out);
    assert_int_equal(reel_ts_sealed_init(&x, &f->seg, key, iv), REEL_OK);
    *size = 0;

    while (x.ts.fragment != f->seg.nfragments) {
        k = x.ts.fragment;
        len = x.ts.left < piece ? (size_t) x.ts.left : piece;

        /* of their own, so that what is outside of them is seen */
        in = malloc(len + 1);
        to = malloc(room);
        assert_non_null(in);
        assert_non_null(to);
        memcpy(in, f->in[k] + x.ts.taken, len);

        assert_int_equal(reel_ts_sealed_write(&x, to, room, in, len, &n),
                         REEL_OK);
        assert_true(n <= room && n % REEL_TS_PACKET == 0);
        /* who sends it must know with the last bytes that they are the last */
        assert_true(n != 0 || x.ts.fragment != f->seg.nfragments);
        assert_true(*size + n <= MEDIA && turns++ < 100000);
        memcpy(out + *size, to, n);
        *size += n;
        free(in);
        free(to);
    }

    assert_int_equal(x.ts.out, *size);
    reel_ts_sealed_release(&x);

    return out;
}


static uint8_t *
make_clear(const film_t *f, size_t *size)
{
    size_t      n;
    uint8_t    *out = malloc(MEDIA), *in;
    unsigned    k;
    reel_ts_t   ts;

    assert_non_null(out);
    assert_int_equal(reel_ts_init(&ts, &f->seg), REEL_OK);
    *size = 0;

    while (ts.fragment != f->seg.nfragments) {
        k = ts.fragment;
        in = malloc(f->in_len[k] + 1);
        assert_non_null(in);
        memcpy(in, f->in[k], f->in_len[k]);
        assert_int_equal(reel_ts_write(&ts, out + *size, MEDIA - *size, in,
                                       f->in_len[k], &n), REEL_OK);
        *size += n;
        free(in);
    }

    return out;
}


/*
 * Keeps the PES packets, each behind its length; counters must go on, and
 * end so that the next segment's do.
 */
static size_t
demux(uint8_t *to, const uint8_t *p, size_t n)
{
    size_t          at, start = 0, len = 0, head;
    unsigned        counter = 0;
    const uint8_t  *q;

    for (at = 2 * REEL_TS_PACKET; at < n; at += REEL_TS_PACKET) {
        q = p + at;
        assert_int_equal(q[0], 0x47);

        if ((q[3] & 0x10) == 0) {
            continue;
        }

        assert_int_equal(q[3] & 15, counter++ & 15);
        head = (q[3] & 0x20) != 0 ? 5 + (size_t) q[4] : 4;
        assert_true(head < REEL_TS_PACKET);

        if (q[1] & 0x40) {
            assert_true(q[3] & 0x20 && q[5] & 0x10);
            start = len;
            len += 4;
        }

        memcpy(to + len, q + head, REEL_TS_PACKET - head);
        len += REEL_TS_PACKET - head;
        memcpy(to + start, &(uint32_t) { (uint32_t) (len - start - 4) }, 4);
    }

    assert_int_equal(counter & 15, 0);

    return len;
}


static void
open_block(uint8_t *p, uint8_t *chain)
{
    int              len;
    uint8_t          was[16];
    EVP_CIPHER_CTX  *c = EVP_CIPHER_CTX_new();

    memcpy(was, p, 16);
    assert_int_equal(EVP_DecryptInit_ex(c, EVP_aes_128_cbc(), NULL, key,
                                        chain), 1);
    EVP_CIPHER_CTX_set_padding(c, 0);
    assert_int_equal(EVP_DecryptUpdate(c, p, &len, was, 16), 1);
    memcpy(chain, was, 16);
    EVP_CIPHER_CTX_free(c);
}


/* as Apple's text has it; returns how long it is then */
static size_t
open_nal(uint8_t *p, size_t n)
{
    size_t    i, k = 0, at;
    uint8_t   chain[16];
    unsigned  zeros = 0;

    if (((p[0] & 0x1f) != 1 && (p[0] & 0x1f) != 5) || n <= 48) {
        return n;
    }

    for (i = 0; i < n; i++) {
        if (zeros >= 2 && p[i] == 3) {
            zeros = 0;
            continue;
        }

        zeros = p[i] == 0 ? zeros + 1 : 0;
        assert_true(zeros <= 2);
        p[k++] = p[i];
    }

    memcpy(chain, iv, 16);

    for (at = 32; at < k; at += 144 < k - at ? 144 : k - at) {
        if (k - at > 16) {
            open_block(p + at, chain);
            at += 16;
        }
    }

    return k;
}


static size_t
next_code(const uint8_t *p, size_t at, size_t n)
{
    while (at + 3 <= n && memcmp(p + at, "\0\0\1", 3) != 0) {
        at++;
    }

    return at + 3 <= n ? at : n;
}


/* what was sealed, to the elementary stream as it was before */
static size_t
open_pictures(uint8_t *to, uint8_t *p, size_t n)
{
    size_t  at, end, len, k = 0;

    assert_memory_equal(p, "\0\0\0\1\x09", 5);

    for (at = 1; at < n; at = end) {
        assert_memory_equal(p + at, "\0\0\1", 3);
        at += 3;
        end = next_code(p, at, n);

        /* four bytes where that is needed: delimiter and parameter sets */
        len = end - at - (end < n && p[end - 1] == 0);
        assert_true((p[at - 4] == 0) == ((p[at] & 0x1f) >= 7));

        len = open_nal(p + at, len);
        memcpy(to + k, "\0\0\0\1", 4);
        memcpy(to + k + 4, p + at, len);
        k += 4 + len;
    }

    return k;
}


static size_t
open_frames(uint8_t *to, uint8_t *p, size_t n)
{
    size_t   at, len, b;
    uint8_t  chain[16];

    for (at = 0; at < n; at += len) {
        assert_int_equal(p[at], 0xff);
        len = (p[at + 3] & 3u) << 11 | (size_t) p[at + 4] << 3
              | p[at + 5] >> 5;
        assert_true(len >= 7 && len <= n - at);
        memcpy(chain, iv, 16);

        for (b = 7 + 16; b + 16 <= len; b += 16) {
            open_block(p + at + b, chain);
        }
    }

    memcpy(to, p, n);

    return n;
}


static void
check(const film_t *f, uint8_t *sealed, size_t size)
{
    size_t    n, wanted, at, k, len, head, opened;
    uint8_t  *clear, *a = malloc(2 * MEDIA), *b = malloc(2 * MEDIA);
    uint8_t  *c = malloc(2 * MEDIA);
    uint32_t  of_a, of_b;

    assert_non_null(a);
    assert_non_null(b);
    assert_non_null(c);

    clear = make_clear(f, &n);
    wanted = demux(a, clear, n);
    len = demux(b, sealed, size);

    for (at = k = 0; at < len && k < wanted; at += of_b, k += of_a) {
        memcpy(&of_a, a + k, 4);
        memcpy(&of_b, b + at, 4);
        k += 4;
        at += 4;

        assert_memory_equal(b + at, "\0\0\1", 3);
        head = 9 + (size_t) b[at + 8];
        assert_memory_equal(b + at, a + k, head);

        opened = f->config.codec == REEL_TS_AVC
                 ? open_pictures(c, b + at + head, of_b - head)
                 : open_frames(c, b + at + head, of_b - head);
        assert_int_equal(opened, of_a - head);
        assert_memory_equal(c, a + k + head, opened);
    }

    assert_true(at == len && k == wanted);
    free(clear);
    free(a);
    free(b);
    free(c);
}


static void
opened(void **state)
{
    size_t    n, piece, room, size;
    film_t    f;
    uint8_t  *out, *other;
    unsigned  codec, last;

    (void) state;

    for (codec = REEL_TS_AVC; codec <= REEL_TS_AAC; codec++) {
        for (last = 1; last <= SAMPLES; last += 13) {
            seed = last;
            film_init(&f, (reel_ts_codec_t) codec, last);
            out = make_sealed(&f, MEDIA, MEDIA / 2, &size);
            check(&f, out, size);

            for (piece = REEL_TS_SEALED_IN; piece < 3000; piece += 997) {
                for (room = REEL_TS_SEALED_OUT; room < 9000; room += 1999) {
                    other = make_sealed(&f, piece, room, &n);
                    assert_int_equal(n, size);
                    assert_memory_equal(other, out, n);
                    free(other);
                }
            }

            free(out);
            film_release(&f);
        }
    }
}


/* also where the last packet is the last one that a call has room for */
static void
cut_anywhere(void **state)
{
    size_t    n, size, packets;
    film_t    f;
    uint8_t  *out, *other;
    unsigned  codec, last;

    (void) state;

    for (codec = REEL_TS_AVC; codec <= REEL_TS_AAC; codec++) {
        seed = 1;
        film_init(&f, (reel_ts_codec_t) codec, 1);
        f.seg.nfragments = 1;

        for (last = 1; last <= SAMPLES; last++) {
            f.fragments[0].nsamples = last;
            out = make_sealed(&f, MEDIA, MEDIA / 2, &size);

            for (packets = 20; packets < 48; packets++) {
                other = make_sealed(&f, REEL_TS_SEALED_IN + 29 * packets,
                                    packets * REEL_TS_PACKET + 112, &n);
                assert_int_equal(n, size);
                assert_memory_equal(other, out, n);
                free(other);
            }

            free(out);
        }

        film_release(&f);
    }
}


/* access unit delimiters of the samples' own are not there twice */
static void
delimiters(void **state)
{
    size_t    n, size, piece;
    film_t    f;
    uint8_t  *out, *other;

    (void) state;

    seed = 9;
    film_init(&f, REEL_TS_AVC, SAMPLES);
    out = make_sealed(&f, MEDIA, MEDIA / 2, &size);
    film_release(&f);

    seed = 9;
    delimited = true;
    film_init(&f, REEL_TS_AVC, SAMPLES);

    for (piece = REEL_TS_SEALED_IN; piece < 3000; piece += 997) {
        other = make_sealed(&f, piece, MEDIA / 2, &n);
        assert_int_equal(n, size);
        assert_memory_equal(other, out, n);
        free(other);
    }

    delimited = false;
    film_release(&f);
    free(out);
}


static void
has_pmt(reel_ts_codec_t codec, const char *hex)
{
    char      got[2 * REEL_TS_PACKET + 1];
    size_t    n;
    film_t    f;
    uint8_t  *out;

    film_init(&f, codec, 1);
    out = make_sealed(&f, MEDIA, MEDIA / 2, &n);
    reel_hex(got, out + REEL_TS_PACKET, strlen(hex) / 2);
    assert_string_equal(got, hex);
    free(out);
    film_release(&f);
}


static void
tables(void **state)
{
    (void) state;

    has_pmt(REEL_TS_AVC, "4750001500" "02b0180001c10000e100f000"
            "dbe100f006" "0f047a617663");
    has_pmt(REEL_TS_AAC, "4750001500" "02b0280001c10000e101f000"
            "cfe101f016" "0f0461616364" "050e" "617061647a616163" "0000" "01"
            "02" "1190");
}


static void
refused(void **state)
{
    size_t            n, total;
    film_t            f;
    uint8_t           out[8192];
    reel_err_t        err = REEL_OK;
    reel_ts_sealed_t  x;

    (void) state;

    /* a NAL unit that is longer than its sample */
    film_init(&f, REEL_TS_AVC, 1);
    f.in[0][1] = 0xff;
    assert_int_equal(reel_ts_sealed_init(&x, &f.seg, key, iv), REEL_OK);

    for (total = 0; total < 100 && err == REEL_OK; total++) {
        err = reel_ts_sealed_write(&x, out, sizeof(out), f.in[0] + x.ts.taken,
                                   (size_t) x.ts.left, &n);
    }

    assert_int_equal(err, REEL_BADDATA);
    reel_ts_sealed_release(&x);

    /* sound whose description fits nowhere */
    f.config.asc = (reel_str_t) { avcc, REEL_AAC_CONFIG_MAX + 1 };
    assert_int_equal(reel_ts_sealed_init(&x, &f.seg, key, iv),
                     REEL_UNSUPPORTED);
    reel_ts_sealed_release(&x);
    film_release(&f);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(opened),
        cmocka_unit_test(cut_anywhere),
        cmocka_unit_test(delimiters),
        cmocka_unit_test(tables),
        cmocka_unit_test(refused)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
