#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "lib/mp4/box.h"
#include "lib/mp4/movie.h"
#include "tests/unit/mp4/moov.h"
#include "tests/unit/mp4/tracks.h"

/* a picture and a sound without samples of their own */
#define BOTH                                                                  \
    { { track_video(), { 0 }, EMPTY }, { track_audio(), { 0 }, EMPTY } }
#define EMPTY                                                                 \
    { { "stts", WORDS(0), 0 }, { "stsz", WORDS(0, 0), 0 },                    \
      { "stsc", WORDS(0), 0 }, { "stco", WORDS(0), 0 } }

#define SYNC     0x02000000u
#define NON_SYNC 0x01010000u

/* the words behind version and flags of each; n = 0: no such box */
typedef struct {
    uint32_t        flags;
    uint32_t        n;
    const uint32_t *words;
} full_t;

typedef struct {
    full_t tfhd;
    full_t tfdt;                /* flags: of version 1 if 1 */
    full_t truns[3];
} traf_t;

#define FULL(flags, ...)  { flags, WORDS(__VA_ARGS__) }


static uint32_t
type_of(const char *t)
{
    return REEL_FOURCC(t[0], t[1], t[2], t[3]);
}


static void
put_full(reel_buf_t *b, const char *type, uint8_t version, const full_t *f)
{
    size_t    box;
    uint32_t  i;

    if (f->n == 0) {
        return;
    }

    box = reel_full_box_begin(b, type_of(type), version, f->flags & 0xffffff);

    for (i = 0; i < f->n; i++) {
        reel_buf_u32(b, f->words[i]);
    }

    reel_box_end(b, box);
}


/* and an mdat of so many bytes behind it */
static void
put_moof(reel_buf_t *b, const traf_t *trafs, unsigned n, size_t mdat)
{
    size_t    moof, traf, box;
    unsigned  i, k;

    const full_t  mfhd = FULL(0, 1);

    moof = reel_box_begin(b, type_of("moof"));
    put_full(b, "mfhd", 0, &mfhd);

    for (i = 0; i < n; i++) {
        traf = reel_box_begin(b, type_of("traf"));
        put_full(b, "tfhd", 0, &trafs[i].tfhd);
        put_full(b, "tfdt", 0, &trafs[i].tfdt);

        for (k = 0; k < 3; k++) {
            put_full(b, "trun", 1, &trafs[i].truns[k]);
        }

        reel_box_end(b, traf);
    }

    reel_box_end(b, moof);

    box = reel_box_begin(b, type_of("mdat"));
    reel_buf_zero(b, mdat);
    reel_box_end(b, box);
}


static void
put_moov(reel_buf_t *b, const moov_track_t *tracks, unsigned n,
    const full_t *trex)
{
    size_t      moov, mvex;
    unsigned    i;
    reel_buf_t  in;

    reel_buf_init(&in, 1 << 20);
    moov_make(&in, tracks, n);

    moov = reel_box_begin(b, type_of("moov"));
    reel_buf_add(b, in.data, in.len);
    mvex = reel_box_begin(b, type_of("mvex"));

    for (i = 0; i < n; i++) {
        put_full(b, "trex", 0, &trex[i]);
    }

    reel_box_end(b, mvex);
    reel_box_end(b, moov);
    reel_buf_release(&in);
}


/* what comes of the file, fed in pieces of at most so many bytes */
static reel_err_t
read_file(reel_buf_t *b, const reel_buf_t *file, size_t size, size_t piece,
    reel_error_t *e)
{
    size_t             n;
    uint8_t           *copy;
    reel_err_t         err = REEL_OK;
    reel_movie_t      *m;
    reel_movie_want_t  w;
    reel_movie_opts_t  o = { .segment_ms = 1000, .file_size = size };

    m = reel_movie_new(&o);
    assert_non_null(m);
    e->text[0] = '\0';

    while (err == REEL_OK && reel_movie_want(m, &w) == REEL_AGAIN) {
        assert_true(w.min <= w.len && w.offset <= size
                    && w.len <= size - w.offset);

        n = w.len < piece ? w.len : piece;
        n = n < w.min ? w.min : n;
        copy = malloc(n + 1);
        assert_non_null(copy);

        if (n != 0) {
            memcpy(copy, file->data + w.offset, n);
        }

        err = reel_movie_feed(m, copy, n, e);
        free(copy);
    }

    if (err == REEL_OK) {
        err = reel_movie_print(m, b, e);
    }

    reel_movie_free(m);

    return err;
}


static reel_index_t *
index_of(reel_buf_t *b, const reel_buf_t *file, size_t piece)
{
    reel_index_t  *ix = malloc(sizeof(reel_index_t));
    reel_error_t   e;

    assert_non_null(ix);
    reel_buf_init(b, REEL_INDEX_MAX_BYTES);

    if (read_file(b, file, file->len, piece, &e) != REEL_OK
        || reel_index_parse(ix, b->data, b->len, &e) != REEL_OK)
    {
        print_error("%s\n", e.text);
        fail();
    }

    return ix;
}


typedef struct {
    uint64_t offset;
    uint32_t size;
    uint32_t duration;
    bool     sync;
} want_t;


static void
check_samples(const reel_index_t *ix, unsigned i, const want_t *want, size_t n)
{
    size_t                 at = 0;
    uint32_t               k;
    reel_sample_t          q;
    reel_samples_cursor_t  c;

    for (k = 0; k < ix->fragments; k++) {
        reel_samples_seek(&c, &ix->samples[i], k);

        while (reel_samples_next(&c, &q)) {
            assert_true(at < n);
            assert_int_equal(q.offset, want[at].offset);
            assert_int_equal(q.size, want[at].size);
            assert_int_equal(q.duration, want[at].duration);
            assert_int_equal(q.sync, want[at].sync);
            at++;
        }
    }

    assert_int_equal(at, n);
}


#define DURATION 0x100u
#define SIZE     0x200u
#define FLAGS    0x400u

/*
 * Everything at once: trex's defaults and tfhd's, two truns with a gap
 * between them, offsets from the moof and from the file's start, a track
 * that nobody knows, no tfdt, and a tfdt that leaves a gap.
 */
static void
forms(void **state)
{
    size_t         i, moof[2];
    reel_buf_t     b, file;
    reel_index_t  *ix;
    const moov_track_t   both[2] = BOTH;

    static const size_t  pieces[] = { 1, 17, 300, 1 << 20 };
    const full_t  trex[] = {
        FULL(0, 1, 1, 45000, 0, NON_SYNC), FULL(0, 2, 1, 24000, 10, SYNC)
    };

    /* data from 300 behind the moof on; sizes stand, the rest is trex's */
    const traf_t  first[] = {
        { FULL(0x020000, 1), FULL(0, 900000),
          { FULL(0x000001 | 0x4 | SIZE, 2, 300, SYNC, 100, 50),
            FULL(SIZE, 1, 25) } },
        { FULL(0x020000, 9), FULL(0, 7), { FULL(0x1, 70000, 1) } },
        { FULL(0x020000, 2), FULL(0, 480000), { FULL(0x1, 4, 475) } }
    };

    /* the second has neither base nor tfdt; its sound lies behind */
    const traf_t  second[] = {
        { FULL(0x000008 | 0x10 | 0x20, 1, 90000, 60, SYNC), { 0, 0, NULL },
          { FULL(0x1, 1, 400) } },
        { FULL(0x000010, 2, 20), { 0, 0, NULL }, { FULL(0, 2) } }
    };

    /* 2 s later than it should; 20 bytes from the file's start */
    const traf_t  third[] = {
        { FULL(0x000001, 1, 0, 4), FULL(0, 900000 + 225000 + 180000),
          { FULL(0x1 | DURATION | SIZE | FLAGS, 1, 16, 90000, 7, SYNC) } }
    };

    (void) state;

    reel_buf_init(&file, 1 << 20);
    put_moov(&file, both, 2, trex);
    moof[0] = file.len;
    put_moof(&file, first, 3, 1000);
    moof[1] = file.len;
    put_moof(&file, second, 2, 1000);
    put_moof(&file, third, 1, 1000);

    {
        const want_t  video[] = {
            { moof[0] + 300, 100, 45000, true },
            { moof[0] + 400, 50, 45000, false },
            { moof[0] + 450, 25, 45000, false },
            { moof[1] + 400, 60, 270000, true }, { 20, 7, 90000, true }
        };
        const want_t  audio[] = {
            { moof[0] + 475, 10, 24000, true },
            { moof[0] + 485, 10, 24000, true },
            { moof[0] + 495, 10, 24000, true },
            { moof[0] + 505, 10, 24000, true },
            { moof[1] + 460, 20, 24000, true },
            { moof[1] + 480, 20, 24000, true }
        };

        for (i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
            ix = index_of(&b, &file, pieces[i]);
            assert_int_equal(ix->nrenditions, 2);
            assert_int_equal(ix->fragments, 3);
            assert_int_equal(ix->end_ts, 5.5 * 90000);
            check_samples(ix, 0, video, 5);
            check_samples(ix, 1, audio, 6);
            free(ix);
            reel_buf_release(&b);
        }
    }

    reel_buf_release(&file);
}


/* a file that is being written: what is whole plays, cut wherever it is */
static void
growing(void **state)
{
    size_t         n, moof[3];
    unsigned       i;
    reel_buf_t     b, file;
    reel_err_t     err;
    reel_error_t   e;
    reel_index_t  *ix = malloc(sizeof(reel_index_t));
    const moov_track_t   both[2] = BOTH;

    const full_t  trex[] = {
        FULL(0, 1, 1, 90000, 100, SYNC), FULL(0, 2, 1, 24000, 10, SYNC)
    };
    const traf_t  traf[] = {
        { FULL(0x020000, 1), { 0, 0, NULL }, { FULL(0x1, 1, 200) } }
    };

    (void) state;
    assert_non_null(ix);

    reel_buf_init(&file, 1 << 20);
    put_moov(&file, both, 2, trex);

    for (i = 0; i < 3; i++) {
        moof[i] = file.len;
        put_moof(&file, traf, 1, 292);
    }

    for (n = 0; n <= file.len; n++) {
        reel_buf_init(&b, REEL_INDEX_MAX_BYTES);
        err = read_file(&b, &file, n, 1 << 20, &e);

        if (n < moof[0] + 300) {
            assert_true(err == REEL_BADDATA || err == REEL_UNSUPPORTED);
            assert_true(e.text[0] != '\0');

        } else {
            assert_int_equal(err, REEL_OK);
            assert_int_equal(reel_index_parse(ix, b.data, b.len, &e),
                             REEL_OK);
            assert_int_equal(ix->fragments, 1 + (n >= moof[1] + 300)
                                            + (n >= moof[2] + 300));
        }

        reel_buf_release(&b);
    }

    free(ix);
    reel_buf_release(&file);
}


static void
refused(void **state)
{
    size_t        i;
    reel_buf_t    b, file;
    reel_error_t  e;
    const moov_track_t  both[2] = BOTH;

    const full_t  trex[] = {
        FULL(0, 1, 1, 90000, 0, SYNC), FULL(0, 2, 1, 24000, 10, SYNC)
    };

    const struct {
        traf_t      traf;
        reel_err_t  err;
        const char *text;
    } cases[] = {
        /* samples of no bytes, which nothing bounds */
        { { FULL(0x020000, 1), { 0, 0, NULL }, { FULL(0x1, 5000, 0) } },
          REEL_LIMIT, "trun: 5000 samples" },
        /* over what all may have, of a few bytes */
        { { FULL(0x020000, 2), { 0, 0, NULL },
            { FULL(0x1, 0x1000001, 0) } }, REEL_BADDATA, "trun: 16777217" },
        { { FULL(0x020000, 1), { 0, 0, NULL },
            { FULL(0x1 | SIZE, 300, 0, 1, 1) } }, REEL_BADDATA,
          "trun: 300 samples need 1200 bytes, 8 left" },
        { { FULL(0x020000, 1), { 0, 0, NULL },
            { FULL(0x1, 1, 0x80000000) } }, REEL_BADDATA, "lies nowhere" },
        { { { 0, 0, NULL }, { 0, 0, NULL }, { FULL(0x1, 1, 0) } },
          REEL_BADDATA, "trun: no tfhd" },
        { { FULL(0x020002, 1, 2), { 0, 0, NULL }, { FULL(0x1, 1, 0) } },
          REEL_UNSUPPORTED, "tfhd: sample entry 2" },
        { { FULL(0x020038, 1), { 0, 0, NULL }, { FULL(0x1, 1, 0) } },
          REEL_BADDATA, "tfhd: cut short" },
        { { FULL(0x020000, 1), { 0, 0, NULL }, { FULL(0x1, 1) } },
          REEL_BADDATA, "trun" },
        { { FULL(0x020000, 7), { 0, 0, NULL }, { FULL(0x1, 1, 0) } },
          REEL_UNSUPPORTED, "moof: no samples" }
    };

    (void) state;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        reel_buf_init(&b, REEL_INDEX_MAX_BYTES);
        reel_buf_init(&file, 1 << 20);
        put_moov(&file, both, 2, trex);
        put_moof(&file, &cases[i].traf, 1, 1000);

        assert_int_equal(read_file(&b, &file, file.len, 1 << 20, &e),
                         cases[i].err);

        if (strstr(e.text, cases[i].text) == NULL) {
            print_error("case %zu: %s\n", i, e.text);
            fail();
        }

        reel_buf_release(&file);
        reel_buf_release(&b);
    }
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(forms), cmocka_unit_test(growing),
        cmocka_unit_test(refused)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
