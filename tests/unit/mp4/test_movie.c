#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "lib/mp4/movie.h"
#include "tests/unit/mp4/moov.h"
#include "tests/unit/mp4/tracks.h"

#define FILE_SIZE 100000

/* six pictures a second for 3 s, two frames of reordering, a key frame each
   second; 1000 bytes each, in one chunk */
/* shown as 0 3 1 2 5 4, each two frames after its turn */
#define GOP 1, 30000, 1, 60000, 2, 15000, 1, 45000, 1, 15000

#define VIDEO                                                                 \
    { "stts", WORDS(1, 18, 15000), 0 },                                       \
    { "ctts", WORDS(15, GOP, GOP, GOP), 0 },                                  \
    { "stss", WORDS(3, 1, 7, 13), 0 },                                        \
    { "stsz", WORDS(1000, 18), 0 },                                           \
    { "stsc", WORDS(1, 1, 18, 1), 0 },                                        \
    { "stco", WORDS(1, 10000), 0 }

#define AUDIO(n)                                                              \
    { "stts", WORDS(1, n, 1024), 0 },                                         \
    { "stsz", WORDS(10, n), 0 },                                              \
    { "stsc", WORDS(1, 1, n, 1), 0 },                                         \
    { "stco", WORDS(1, 50000), 0 }

static const reel_movie_opts_t  opts = {
    .segment_ms = 1000, .file_size = FILE_SIZE
};


/* the index of a movie of these tracks; both are to be freed */
static reel_index_t *
index_of(reel_buf_t *b, const moov_track_t *tracks, unsigned n)
{
    reel_buf_t     moov;
    reel_index_t  *ix = malloc(sizeof(reel_index_t));
    reel_error_t   e = { "" };

    assert_non_null(ix);
    reel_buf_init(&moov, 1 << 20);
    reel_buf_init(b, REEL_INDEX_MAX_BYTES);
    moov_make(&moov, tracks, n);

    if (reel_movie_index(b, moov.data, moov.len, &opts, &e) != REEL_OK
        || reel_index_parse(ix, b->data, b->len, &e) != REEL_OK)
    {
        print_error("%s\n", e.text);
        fail();
    }

    reel_buf_release(&moov);

    return ix;
}


/* decode times begin at 0 and never stand still; none is behind its pts */
static int64_t
walk_fragment(const reel_index_t *ix, unsigned i, uint32_t k, int64_t at,
    uint32_t samples)
{
    uint32_t               n = 0;
    reel_sample_t          q;
    reel_samples_cursor_t  c;

    reel_samples_seek(&c, &ix->samples[i], k);
    assert_int_equal(c.decode_ts, at);

    while (reel_samples_next(&c, &q)) {
        assert_true(q.cts_offset >= 0);
        assert_true(q.duration > 0);
        assert_int_equal(q.sync, ix->renditions[i].kind == REEL_AUDIO
                                 || n == 0);
        n++;
    }

    assert_int_equal(n, samples);

    return c.decode_ts;
}


static void
picture_and_sound(void **state)
{
    int64_t             at = 0;
    uint32_t            k;
    reel_buf_t          b;
    reel_index_t       *ix;
    reel_fragments_t    f;
    const moov_track_t  tracks[] = {
        { track_video(), { "elst", WORDS(1, 3000, 30000, 0x10000), 0 },
          { VIDEO } },
        { track_audio(), { "elst", WORDS(1, 3000, 1024, 0x10000), 0 },
          { AUDIO(142) } }
    };

    (void) state;

    ix = index_of(&b, tracks, 2);
    assert_int_equal(ix->fragments, 3);
    assert_int_equal(ix->nrenditions, 2);
    assert_int_equal(ix->nsamples, 2);
    assert_int_equal(ix->end_ts, 3 * 90000);

    /* the edit list takes the reordering away: 0 is the first picture */
    reel_fragments_init(&f, ix, &ix->renditions[0]);

    for (k = 0; k < 3; k++) {
        assert_true(reel_fragments_next(&f));
        assert_int_equal(f.duration, 90000);
        assert_int_equal(f.nsamples, 6);
        assert_true(f.size > 6000 && f.size < 6400);
        assert_true(f.iframe > 1000 && f.iframe < 1400);
        at = walk_fragment(ix, 0, k, at, 6);
    }

    /* its last picture is decoded two frames before it all ends */
    assert_int_equal(at, 3 * 90000 - 30000);

    /* the priming unit is gone; sound is cut at the first unit of a second */
    assert_true(reel_str_eqz(ix->renditions[1].name, "a1"));
    at = walk_fragment(ix, 1, 0, 0, 47);
    at = walk_fragment(ix, 1, 1, at, 47);
    at = walk_fragment(ix, 1, 2, at, 47);
    assert_int_equal(at, 141 * 1024);

    free(ix);
    reel_buf_release(&b);
}


/* sound that ends early has fragments of nothing; late, it begins late */
static void
short_sound(void **state)
{
    int64_t             at;
    reel_buf_t          b;
    reel_index_t       *ix;
    reel_fragments_t    f;
    const moov_track_t  tracks[] = {
        { track_video(), { "elst", WORDS(1, 3000, 30000, 0x10000), 0 },
          { VIDEO } },
        { track_audio(), { "elst", WORDS(2, 500, 0xffffffff, 0x10000, 500, 0,
                                         0x10000), 0 }, { AUDIO(47) } }
    };

    (void) state;

    ix = index_of(&b, tracks, 2);
    assert_int_equal(ix->fragments, 3);

    /* half a second, then 1.003 s, then none: 24 units, 23, 0 */
    at = walk_fragment(ix, 1, 0, 24000, 24);
    at = walk_fragment(ix, 1, 1, at, 23);
    walk_fragment(ix, 1, 2, at, 0);

    reel_fragments_init(&f, ix, &ix->renditions[1]);
    assert_true(reel_fragments_next(&f) && reel_fragments_next(&f)
                && reel_fragments_next(&f));
    assert_int_equal(f.nsamples, 0);
    assert_true(f.size > 0 && f.duration > 0);

    free(ix);
    reel_buf_release(&b);
}


/* an edit into the middle of a GOP: its key frame is kept, and decides */
static void
late_edit(void **state)
{
    reel_buf_t          b;
    reel_index_t       *ix;
    const moov_track_t  track = {
        track_video(), { "elst", WORDS(1, 1000, 150000, 0x10000), 0 },
        { VIDEO }
    };

    (void) state;

    /* presentation begins at 1.33 s: the second GOP is the first one */
    ix = index_of(&b, &track, 1);
    assert_int_equal(ix->fragments, 2);
    assert_int_equal(ix->end_ts, 2 * 90000);
    walk_fragment(ix, 0, 0, 0, 6);

    free(ix);
    reel_buf_release(&b);
}


static void
refused(void **state)
{
    size_t              n;
    char               *cut;
    reel_buf_t          b, moov;
    reel_err_t          err;
    reel_error_t        e;
    reel_movie_opts_t   o = opts;
    const moov_track_t  track = { track_video(), { 0 }, { VIDEO } };
    const moov_track_t  large = { track_video(), { 0 }, {
        { "stts", WORDS(1, 3, 3000), 0 }, { "stsz", WORDS(7000, 3), 0 },
        { "stsc", WORDS(1, 1, 3, 1), 0 }, { "stco", WORDS(1, 1000), 0 } } };
    const moov_track_t  empty = { track_video(), { 0 }, {
        { "stts", WORDS(0), 0 }, { "stsz", WORDS(0, 0), 0 },
        { "stsc", WORDS(0), 0 }, { "stco", WORDS(0), 0 } } };

    (void) state;

    reel_buf_init(&moov, 1 << 20);
    moov_make(&moov, &track, 1);

    /* the last sample ends at 28,000 */
    o.file_size = 27999;
    reel_buf_init(&b, REEL_INDEX_MAX_BYTES);
    assert_int_equal(reel_movie_index(&b, moov.data, moov.len, &o, &e),
                     REEL_BADDATA);
    assert_non_null(strstr(e.text, "stco: sample 17"));

    /* more than it may have in all, which no byte of a table tells */
    reel_buf_clear(&moov);
    moov_make(&moov, &large, 1);
    o.file_size = 20999;
    assert_int_equal(reel_movie_index(&b, moov.data, moov.len, &o, &e),
                     REEL_BADDATA);
    assert_string_equal(e.text, "stsz: 3 samples of 7000 bytes in a file of "
                        "20999");
    reel_buf_clear(&moov);
    moov_make(&moov, &track, 1);

    /* cut anywhere it is refused, with a text, and nothing is read behind */
    for (n = 0; n < moov.len; n++) {
        cut = malloc(n + 1);
        assert_non_null(cut);
        memcpy(cut, moov.data, n);
        e.text[0] = '\0';
        err = reel_movie_index(&b, cut, n, &opts, &e);
        assert_int_not_equal(err, REEL_OK);
        assert_true(e.text[0] != '\0');
        free(cut);
    }

    reel_buf_clear(&moov);
    moov_make(&moov, &empty, 1);
    assert_int_equal(reel_movie_index(&b, moov.data, moov.len, &opts, &e),
                     REEL_UNSUPPORTED);
    assert_non_null(strstr(e.text, "no samples"));

    reel_buf_release(&moov);
    reel_buf_release(&b);
}


/* two empty edits, the second one as long as a number can say */
static void
endless_edits(void **state)
{
    reel_str_t    in;
    reel_buf_t    b, moov;
    reel_error_t  e = { "" };
    moov_track_t  track = {
        track_video(), { "elst", WORDS(2, 0, 1, 0xffffffff, 0xffffffff,
                                       0x10000, 0x100, 0, 0xffffffff,
                                       0xffffffff, 0x10000), 1 }, { VIDEO }
    };

    (void) state;

    track.track.timescale = UINT32_MAX;
    reel_buf_init(&b, REEL_INDEX_MAX_BYTES);
    reel_buf_init(&moov, 1 << 20);
    moov_make(&moov, &track, 1);

    /* the movie's own timescale */
    in = (reel_str_t) { (char *) moov.data, moov.len };
    memcpy(moov.data + (find_box(in, "mvhd").p - in.p) + 12, "\0\0\0\1", 4);

    assert_int_equal(reel_movie_index(&b, moov.data, moov.len, &opts, &e),
                     REEL_BADDATA);
    assert_string_equal(e.text, "elst: empty for longer than time");

    reel_buf_release(&moov);
    reel_buf_release(&b);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(picture_and_sound), cmocka_unit_test(short_sound),
        cmocka_unit_test(late_edit), cmocka_unit_test(refused),
        cmocka_unit_test(endless_edits)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
