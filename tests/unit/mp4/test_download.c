#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "lib/index/writer.h"
#include "lib/mp4/download.h"
#include "tests/unit/mp4/tracks.h"

#define FRAGMENTS_MAX 30000
#define PER           REEL_SEGMENT_FRAGMENTS

/* an index of v720, v360 (90000), a128, a64 (48000) and its bytes */
typedef struct {
    reel_index_t ix;
    reel_buf_t   bytes;
    reel_buf_t   head;          /* of the download */
} film_t;

static reel_ix_fragment_t  parts[2][FRAGMENTS_MAX];


static void
make_fragments(uint32_t n, uint32_t scale)
{
    uint32_t  i;

    for (i = 0; i < n; i++) {
        parts[0][i] = (reel_ix_fragment_t) {
            .size = (5000 + i * 7919 % 3001) * scale, .duration = 180000,
            .samples = 60, .iframe = 900
        };
        parts[1][i] = (reel_ix_fragment_t) {
            .size = 700 + i * 31 % 97, .duration = (93 + i % 2) * 1024,
            .samples = 93 + i % 2
        };
    }

    /* the last is short */
    parts[0][n - 1].duration = 45000;
}


static void
film(film_t *f, uint32_t n, uint32_t scale, const reel_str_t headers[2],
    unsigned changes)
{
    unsigned             i, k;
    reel_index_t         in;
    reel_error_t         e;
    reel_ix_object_t     o[4][2];
    reel_ix_rendition_t  r[4];

    static const char  *name[] = { "v720", "v360", "a128", "a64" };

    memset(f, 0, sizeof(*f));
    memset(&in, 0, sizeof(in));
    memset(r, 0, sizeof(r));
    make_fragments(n, scale);

    in.version = REEL_INDEX_VERSION;
    in.publication = 1;
    in.timescale = 90000;
    in.gop_ts = 180000;
    in.fragments = n;
    in.end_ts = (int64_t) n * 180000;
    in.constant_rate = true;
    in.nheaders = 2;
    in.headers[0] = headers[0];
    in.headers[1] = headers[1];

    for (i = 0; i < 4; i++) {
        k = i / 2;
        o[i][0] = (reel_ix_object_t) {
            .name = REEL_STR("a.mp4"), .header = k, .base = headers[k].len,
            .nfragments = 1, .fragments = parts[k]
        };
        o[i][1] = (reel_ix_object_t) {
            .name = REEL_STR("b.mp4"), .header = changes ? 1 - k : k,
            .base = headers[k].len, .nfragments = n - 1,
            .fragments = parts[k] + 1
        };
        r[i].head = (reel_rendition_t) {
            .name = reel_str(name[i]), .kind = k ? REEL_AUDIO : REEL_VIDEO,
            .codec = reel_str(k ? "mp4a.40.2" : "avc1.64001e"),
            .language = REEL_STR(""), .label = REEL_STR(""),
            .timescale = k ? 48000 : 90000, .width = k ? 0 : 1280 >> i,
            .height = k ? 0 : 720 >> i, .rate_num = k ? 0 : 30,
            .rate_den = 1, .channels = k ? 2 : 0,
            .sample_rate = k ? 48000 : 0,
            .roles = i == 3 ? REEL_ROLE_DEFAULT : 0
        };
        r[i].nobjects = n > 1 ? 2 : 1;
        r[i].objects = o[i];
    }

    reel_buf_init(&f->bytes, 1 << 24);
    reel_buf_init(&f->head, 1 << 20);
    assert_int_equal(reel_index_write(&f->bytes, &in, r, 4, &e), REEL_OK);
    assert_int_equal(reel_index_parse(&f->ix, f->bytes.data, f->bytes.len,
                                      &e), REEL_OK);
}


static void
release(film_t *f)
{
    reel_buf_release(&f->bytes);
    reel_buf_release(&f->head);
}


static void
headers(reel_buf_t b[2], reel_str_t s[2])
{
    unsigned           i;
    reel_cmaf_track_t  t[2] = { track_video(), track_audio() };

    for (i = 0; i < 2; i++) {
        reel_buf_init(&b[i], 16384);
        assert_int_equal(reel_cmaf_header(&b[i], &t[i]), REEL_OK);
        s[i] = (reel_str_t) { (char *) b[i].data, b[i].len };
    }
}


static uint64_t
be64(const char *p)
{
    return (uint64_t) be32(p) << 32 | be32(p + 4);
}


static reel_str_t
head_of(const film_t *f)
{
    return (reel_str_t) { (const char *) f->head.data, f->head.len };
}


static void
tracks(void **state)
{
    film_t           f;
    reel_str_t       s[2], x, stored;
    reel_buf_t       b[2];
    reel_download_t  d;

    (void) state;

    headers(b, s);
    film(&f, 10, 1, s, 0);

    assert_ptr_equal(reel_download_video(&f.ix, 0, 0, 0), &f.ix.renditions[0]);
    assert_ptr_equal(reel_download_video(&f.ix, 0, 360, 700),
                     &f.ix.renditions[1]);
    assert_null(reel_download_video(&f.ix, 0, 0, 359));
    assert_null(reel_download_video(&f.ix, 0, 361, 719));
    assert_null(reel_download_video(&f.ix, 0, 721, 0));
    assert_null(reel_download_video(&f.ix, 1, 0, 0));
    assert_ptr_equal(reel_download_audio(&f.ix), &f.ix.renditions[3]);

    assert_int_equal(reel_download_init(&d, &f.head, &f.ix,
                                        &f.ix.renditions[0],
                                        &f.ix.renditions[2], NULL), REEL_OK);
    assert_int_equal(d.head, f.head.len);

    x = find_box(head_of(&f), "ftyp");
    assert_int_equal(x.len, 16);
    assert_memory_equal(x.p, "iso6\0\0\0\0iso6mp41", 16);

    /* both tracks as stored, and the next free one */
    x = find_box(head_of(&f), "moov/mvhd");
    assert_int_equal(be32(x.p + x.len - 4), 3);
    x = find_box(head_of(&f), "moov/trak");
    stored = find_box(s[0], "moov/trak");
    assert_int_equal(x.len, stored.len);
    assert_memory_equal(x.p, stored.p, x.len);
    stored = find_box(s[1], "moov/trak");
    assert_memory_equal(x.p + x.len + 8, stored.p, stored.len);

    x = find_box(head_of(&f), "moov/mvex/mehd");
    /* of the sound, which is longer, in the video's time */
    assert_int_equal(be64(x.p + 4), 935 * 1024 * 15 / 8);
    x = find_box(head_of(&f), "moov/mvex/trex");
    assert_int_equal(be32(x.p + 4), REEL_TRACK_VIDEO);
    assert_int_equal(be32(x.p + x.len + 8 + 4), REEL_TRACK_AUDIO);

    release(&f);
    reel_buf_release(&b[0]);
    reel_buf_release(&b[1]);
}


/* each reference begins where its segment does, and the last ends the file */
static void
check_sidx(const film_t *f, const reel_download_t *d, uint32_t step)
{
    uint32_t                i, k, n;
    uint64_t                at = d->head, ticks = 0;
    reel_str_t              x = find_box(head_of(f), "sidx");
    reel_download_pieces_t  p;

    assert_non_null(x.p);
    assert_ptr_equal(x.p + x.len, f->head.data + f->head.len);
    assert_int_equal(be64(x.p + 12), 0);
    assert_int_equal(be64(x.p + 20), 0);
    n = be32(x.p + 28) & 0xffff;
    assert_int_equal(n * 12 + 32, x.len);
    assert_true(n <= REEL_DOWNLOAD_SEEKS);

    reel_download_pieces(&p, d);

    for (i = 0; i < n; i++) {
        assert_true(reel_download_next(&p));
        assert_int_equal(p.start, at);
        assert_int_equal(p.first, (uint64_t) i * step * PER);

        for (k = 1; k < step * d->ntracks && i < n - 1; k++) {
            assert_true(reel_download_next(&p));
        }

        at += be32(x.p + 32 + 12 * i);
        ticks += be32(x.p + 36 + 12 * i);
        assert_int_equal(be32(x.p + 40 + 12 * i), 0x90000000);
    }

    assert_int_equal(at, d->media);
    assert_int_equal(d->size, at + REEL_DOWNLOAD_TAIL);
    k = d->track[0]->kind == REEL_VIDEO;
    assert_int_equal(be32(x.p + 4), k ? REEL_TRACK_VIDEO : REEL_TRACK_AUDIO);
    assert_int_equal(be32(x.p + 8), d->track[0]->timescale);

    for (i = 0; i < f->ix.fragments; i++) {
        ticks -= parts[k ? 0 : 1][i].duration;
    }

    assert_int_equal(ticks, 0);
}


/* the pieces are all fragments of both, in order, without a gap */
static void
check_pieces(const film_t *f, const reel_download_t *d)
{
    uint32_t                i, next[2] = { 0, 0 };
    uint64_t                at = d->head;
    unsigned                k, turn = 0;
    reel_download_pieces_t  p;

    reel_download_pieces(&p, d);

    while (reel_download_next(&p)) {
        assert_ptr_equal(p.r, d->track[turn]);
        assert_int_equal(p.start, at);
        assert_int_equal(p.first, next[turn]);

        k = p.r->kind == REEL_VIDEO ? 0 : 1;

        for (i = 0; i < p.count; i++) {
            at += parts[k][p.first + i].size;
        }

        assert_int_equal(p.start + p.size, at);
        next[turn] += p.count;
        turn = (turn + 1) % d->ntracks;
    }

    assert_int_equal(at, d->media);
    assert_int_equal(d->size, at + REEL_DOWNLOAD_TAIL);
    assert_int_equal(next[0], f->ix.fragments);
    assert_int_equal(turn, 0);
}


static void
check_seek(const reel_download_t *d)
{
    uint32_t                i;
    uint64_t                at;
    reel_download_pieces_t  p;

    srand(5);

    for (i = 0; i < 40; i++) {
        at = d->head + (uint64_t) rand() * 7919 % (d->media - d->head);
        assert_true(reel_download_seek(&p, d, at));
        assert_true(p.start <= at && at - p.start < p.size);
    }

    assert_true(reel_download_seek(&p, d, d->head));
    assert_int_equal(p.first, 0);
    assert_true(reel_download_seek(&p, d, d->media - 1));
    assert_int_equal(p.first + p.count, d->ix->fragments);
    assert_false(reel_download_next(&p));
    assert_false(reel_download_seek(&p, d, d->media));
    assert_false(reel_download_seek(&p, d, d->head - 1));
}


static void
pieces(void **state)
{
    unsigned         i, k;
    film_t           f;
    reel_str_t       s[2];
    reel_buf_t       b[2];
    reel_download_t  d;

    static const struct {
        uint32_t fragments, step;
    } films[] = {
        { 1, 1 }, { 2, 1 }, { 3, 1 }, { 4, 1 }, { 3600, 1 }, { 12288, 1 },
        { 12289, 2 }, { 30000, 3 }
    };

    (void) state;

    headers(b, s);

    for (i = 0; i < sizeof(films) / sizeof(films[0]); i++) {
        film(&f, films[i].fragments, 1, s, 0);

        for (k = 0; k < 3; k++) {
            reel_buf_clear(&f.head);
            assert_int_equal(reel_download_init(&d, &f.head, &f.ix,
                k != 2 ? &f.ix.renditions[1] : NULL,
                k != 1 ? &f.ix.renditions[2] : NULL, NULL), REEL_OK);
            assert_int_equal(d.ntracks, k ? 1 : 2);
            check_sidx(&f, &d, films[i].step);
            check_pieces(&f, &d);
            check_seek(&d);
        }

        release(&f);
    }

    reel_buf_release(&b[0]);
    reel_buf_release(&b[1]);
}


/* 3 x 1.5 GB do not fit into 31 bits: no sidx, and all else is there */
static void
huge(void **state)
{
    film_t           f;
    reel_str_t       s[2];
    reel_buf_t       b[2];
    reel_download_t  d;

    (void) state;

    headers(b, s);
    film(&f, 9, 200000, s, 0);
    assert_int_equal(reel_download_init(&d, &f.head, &f.ix,
                                        &f.ix.renditions[0], NULL, NULL),
                     REEL_OK);
    assert_null(find_box(head_of(&f), "sidx").p);
    assert_non_null(find_box(head_of(&f), "moov/mvex/trex").p);
    assert_true(d.size > UINT32_MAX);
    check_pieces(&f, &d);
    check_seek(&d);
    release(&f);

    reel_buf_release(&b[0]);
    reel_buf_release(&b[1]);
}


static reel_err_t
try(const reel_str_t s[2], unsigned changes, reel_error_t *e)
{
    film_t           f;
    reel_err_t       err;
    reel_download_t  d;

    e->text[0] = '\0';
    film(&f, 4, 1, s, changes);
    err = reel_download_init(&d, &f.head, &f.ix, &f.ix.renditions[0],
                             &f.ix.renditions[2], e);

    if (err != REEL_OK) {
        assert_true(e->text[0] != '\0');
        assert_int_equal(f.head.len, 0);
    }

    release(&f);

    return err;
}


static void
refused(void **state)
{
    char          *copy;
    size_t         i;
    reel_str_t     s[2], bad[2];
    reel_buf_t     b[2];
    reel_error_t   e;

    (void) state;

    headers(b, s);

    assert_int_equal(try(s, 1, &e), REEL_UNSUPPORTED);
    assert_string_equal(e.text, "v720 changes its header");

    bad[0] = bad[1] = s[0];
    assert_int_equal(try(bad, 0, &e), REEL_UNSUPPORTED);
    assert_string_equal(e.text, "both have the track_ID 1");

    /* cut anywhere */
    bad[1] = s[1];

    for (i = 1; i < s[0].len; i++) {
        bad[0] = (reel_str_t) { s[0].p, i };
        assert_int_equal(try(bad, 0, &e), REEL_BADDATA);
    }

    /* one byte wrong anywhere: no read outside, whatever it says */
    copy = malloc(s[0].len);
    assert_non_null(copy);

    for (i = 0; i < s[0].len; i++) {
        memcpy(copy, s[0].p, s[0].len);
        copy[i] = (char) (copy[i] ^ 0x81);
        bad[0] = (reel_str_t) { copy, s[0].len };
        (void) try(bad, 0, &e);
    }

    free(copy);
    reel_buf_release(&b[0]);
    reel_buf_release(&b[1]);
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tracks),
        cmocka_unit_test(pieces),
        cmocka_unit_test(huge),
        cmocka_unit_test(refused)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
