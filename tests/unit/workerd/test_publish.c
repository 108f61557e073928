/* the checks of publish, and the index and result that follow from parts */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/job/record.h"
#include "lib/mp4/cmaf.h"
#include "workerd/publish_check.h"
#include "workerd/publish_index.h"

#define FRAGS 6                 /* of the film: 5 of 2 s, the last of 1 s */
#define CHUNK 2

static reel_publish_t  film;
static reel_parts_t    parts;
static uint8_t         header[] = "a CMAF header";


static void
fill_object(reel_encoded_t *o, const char *rendition, reel_kind_t kind,
    uint32_t from, uint32_t n)
{
    int64_t  start, end;

    *o = (reel_encoded_t) {
        .frag_from = from,
        .nfrags = n,
        .kind = kind,
        .base = sizeof(header),
        .bytes = sizeof(header),
        .header_len = sizeof(header),
        .timescale = kind == REEL_VIDEO ? 30000 : 48000
    };

    snprintf(o->rendition, sizeof(o->rendition), "%s", rendition);
    snprintf(o->name, sizeof(o->name), "%u-7-0123456789abcdef.mp4", from);
    o->header = malloc(sizeof(header));
    memcpy(o->header, header, sizeof(header));
    o->frags = calloc(n, sizeof(*o->frags));

    if (kind == REEL_VIDEO) {
        snprintf(o->codec, sizeof(o->codec), "avc1.64001f");
        o->height = (uint32_t) strtoul(rendition + 1, NULL, 10);
        o->width = o->height * 2;
        o->rate = (reel_rational_t) { 30, 1 };
    } else if (kind == REEL_TEXT) {
        free(o->header);
        o->header = NULL;
        o->header_len = o->base = o->bytes = 0;
        o->timescale = 1000;
        o->roles = REEL_ROLE_FORCED;
        snprintf(o->codec, sizeof(o->codec), "wvtt");
        snprintf(o->label, sizeof(o->label), "English");

    } else {
        snprintf(o->codec, sizeof(o->codec), "mp4a.40.2");
        o->channels = 2;
        o->sample_rate = 48000;
    }

    for (uint32_t k = 0; k < n; k++) {
        reel_ix_fragment_t  *f = &o->frags[k];

        if (kind == REEL_VIDEO) {
            f->samples = from + k == FRAGS - 1 ? 30 : 60;
            f->duration = f->samples * 1000;
            f->iframe = 10;
        } else if (kind == REEL_TEXT) {
            f->samples = from + k == 3;
            f->duration = from + k == FRAGS - 1 ? 1000 : 2000;
        } else {
            start = reel_audio_first_au(&film.grid, 48000, from + k);
            end = from + k == FRAGS - 1
                  ? reel_audio_total_aus(&film.grid, 48000)
                  : reel_audio_first_au(&film.grid, 48000, from + k + 1);
            f->samples = (uint32_t) (end - start);
            f->duration = f->samples * 1024;
        }

        f->size = kind == REEL_TEXT && from + k == 2 ? 0 : 100 + from + k;
        o->bytes += f->size;
        o->samples += f->samples;
    }
}


/* two groups of rungs in three chunks, two stretches of sound, a poster */
static int
setup(void **state)
{
    size_t                     n = 0;
    reel_answer_t             *a;
    static const char *const   rungs[] = { "v240", "v720", "v360" };

    (void) state;

    film = (reel_publish_t) {
        .grid = { .timescale = 30000, .gop_ts = 60000, .frame_ts = 1000,
                  .fragments = FRAGS, .end_ts = 330000 },
        .frag_to = FRAGS, .chunks = 3, .first_groups = 2, .groups = 2,
        .audios = 2, .audio_tracks = 1, .poster = true, .frames = 330
    };

    parts = (reel_parts_t) { 0 };
    parts.answers = calloc(11, sizeof(*parts.answers));

    for (uint32_t c = 0; c < 3; c++) {
        a = &parts.answers[n++];
        a->objects = calloc(1, sizeof(*a->objects));
        a->nobjects = 1;
        fill_object(&a->objects[0], rungs[0], REEL_VIDEO, c * CHUNK, CHUNK);

        a = &parts.answers[n++];
        a->objects = calloc(2, sizeof(*a->objects));
        a->nobjects = 2;
        fill_object(&a->objects[0], rungs[1], REEL_VIDEO, c * CHUNK, CHUNK);
        fill_object(&a->objects[1], rungs[2], REEL_VIDEO, c * CHUNK, CHUNK);
    }

    for (uint32_t i = 0; i < 2; i++) {
        a = &parts.answers[n++];
        a->objects = calloc(1, sizeof(*a->objects));
        a->nobjects = 1;
        fill_object(&a->objects[0], "a128", REEL_AUDIO, i == 0 ? 0 : CHUNK,
                    i == 0 ? CHUNK : FRAGS - CHUNK);
    }

    a = &parts.answers[n++];
    snprintf(a->image, sizeof(a->image), "poster-1-aa.jpg");
    a->image_width = 640;
    a->image_height = 360;
    a->image_bytes = 999;
    parts.image = a;

    a = &parts.answers[n++];
    a->objects = calloc(1, sizeof(*a->objects));
    a->nobjects = 1;
    fill_object(&a->objects[0], "t-en", REEL_TEXT, 0, FRAGS);

    a = &parts.answers[n++];
    a->stories = calloc(2, sizeof(*a->stories));
    a->nstories = 2;
    a->stories[0] = (reel_story_t) {
        .object = "frames-320-1-aa.jpgs", .width = 320, .height = 180,
        .columns = 1, .rows = 1, .interval_ms = 2000, .count = 6,
        .nsheets = 6, .sizes = { 5, 400, 3, 2, 1, 70000 }, .bytes = 70411
    };
    a->stories[1] = (reel_story_t) {
        .object = "sheets-1-aa.jpgs", .width = 160, .height = 90,
        .columns = 2, .rows = 2, .interval_ms = 2000, .count = 6,
        .nsheets = 2, .sizes = { 9, 8 }, .bytes = 17
    };
    parts.stories = a;
    parts.nanswers = n;

    return 0;
}


static int
teardown(void **state)
{
    (void) state;
    reel_parts_release(&parts);

    return 0;
}


static void
good_parts_fit(void **state)
{
    reel_error_t  e = { "" };

    (void) state;

    assert_int_equal(reel_parts_join(&parts, &film, &e), REEL_OK);
    assert_int_equal(parts.ntracks, 5);
    assert_string_equal(parts.tracks[0].name, "v720");
    assert_string_equal(parts.tracks[1].name, "v360");
    assert_string_equal(parts.tracks[2].name, "v240");
    assert_string_equal(parts.tracks[3].name, "a128");
    assert_string_equal(parts.tracks[4].name, "t-en");
    assert_int_equal(parts.tracks[0].nobjects, 3);
    assert_int_equal(parts.fragments, FRAGS);
    assert_int_equal(parts.end_ts, 330000);
}


/* parts come in any order */
static void
order_does_not_matter(void **state)
{
    reel_answer_t  first = parts.answers[0];
    reel_error_t   e = { "" };

    (void) state;

    parts.answers[0] = parts.answers[4];
    parts.answers[4] = first;

    assert_int_equal(reel_parts_join(&parts, &film, &e), REEL_OK);
    assert_int_equal(parts.tracks[2].objects[0]->frag_from, 0);
    assert_int_equal(parts.tracks[2].objects[2]->frag_from, 4);
}


static void
refused(const char *text)
{
    reel_error_t  e = { "" };

    assert_int_equal(reel_parts_join(&parts, &film, &e), REEL_BADDATA);
    if (strstr(e.text, text) == NULL) {
        fail_msg("\"%s\" does not say \"%s\"", e.text, text);
    }
}


static reel_encoded_t *
object(size_t answer)
{
    return &parts.answers[answer].objects[0];
}


static void
a_gap(void **state)
{
    (void) state;
    object(2)->frag_from++;
    refused("has fragments 3+2 where 2 of 6 is next");
}


static void
the_same_chunk_twice(void **state)
{
    (void) state;
    object(2)->frag_from = 0;
    refused("where 2 of 6 is next");
}


static void
a_chunk_too_long(void **state)
{
    (void) state;
    film.grid.fragments = 5;
    film.frag_to = 5;
    refused("where 4 of 5 is next");
}


static void
a_missing_end(void **state)
{
    (void) state;
    film.grid.fragments = 7;
    film.frag_to = 7;
    refused("6 fragments of 7");
}


static void
another_encoder(void **state)
{
    (void) state;
    object(4)->header[3] ^= 1;
    refused("were encoded differently");
}


static void
another_header_length(void **state)
{
    (void) state;
    object(4)->header_len--;
    refused("were encoded differently");
}


static void
another_format(void **state)
{
    (void) state;
    object(4)->width += 2;
    refused("differ in format");
}


static void
sizes_that_do_not_sum_up(void **state)
{
    (void) state;
    object(0)->frags[1].size++;
    refused("does not sum up");
}


static void
off_the_grid(void **state)
{
    (void) state;
    object(0)->frags[0].duration++;
    object(0)->frags[1].duration--;
    refused("v240: fragment 1 starts at 60001");
}


static void
an_end_that_is_not_the_films(void **state)
{
    (void) state;
    object(4)->frags[1].duration += 1000;
    refused("v240 ends at 331000 of 30000, the film at 330000");
}


static void
a_picture_lost(void **state)
{
    (void) state;
    object(2)->frags[0].samples--;
    object(2)->samples--;
    refused("v240 has 329 pictures of 330");
}


/* the source's own, where others hold the last one as pictures of theirs */
static void
pictures_of_a_copied_one(void **state)
{
    reel_error_t     e = { "" };
    reel_encoded_t  *o = object(5);

    (void) state;
    assert_string_equal(o->rendition, "v720");
    o->frags[o->nfrags - 1].samples -= 3;
    o->samples -= 3;
    memcpy(film.copied, "v720", sizeof("v720"));
    film.copied_frames = 327;
    assert_int_equal(reel_parts_join(&parts, &film, &e), REEL_OK);
}


static void
a_picture_of_a_copied_one_lost(void **state)
{
    (void) state;
    memcpy(film.copied, "v720", sizeof("v720"));
    film.copied_frames = 327;
    refused("v720 has 330 pictures of 327");
}


/* 329 pictures, of which v240 has every second one: 165 of them */
static void
halve(void)
{
    uint32_t         i, k;
    reel_encoded_t  *o;

    film.frames = 329;

    for (i = 0; i < 6; i++) {
        o = object(i);
        o->frags[o->nfrags - 1].samples -= o->frag_from + o->nfrags == FRAGS;
        o->samples -= o->frag_from + o->nfrags == FRAGS;

        for (k = 0; i % 2 == 0 && k < o->nfrags; k++) {
            o->rate = (reel_rational_t) { 15, 1 };
            o->samples -= o->frags[k].samples / 2;
            o->frags[k].samples -= o->frags[k].samples / 2;
        }
    }

    /* v360 is the second of its answer */
    o = &parts.answers[5].objects[1];
    o->frags[o->nfrags - 1].samples--;
    o->samples--;
}


static void
pictures_of_half_the_rate(void **state)
{
    reel_error_t  e = { "" };

    (void) state;
    halve();
    assert_int_equal(reel_parts_join(&parts, &film, &e), REEL_OK);
}


static void
a_picture_of_half_the_rate_lost(void **state)
{
    (void) state;
    halve();
    object(0)->frags[0].samples--;
    object(0)->samples--;
    refused("v240 has 164 pictures of 165");
}


static void
pictures_are_not_counted_when_unknown(void **state)
{
    reel_error_t  e = { "" };

    (void) state;
    object(2)->frags[0].samples--;
    object(2)->samples--;
    film.frames = 0;
    assert_int_equal(reel_parts_join(&parts, &film, &e), REEL_OK);
}


/* answers 6 and 7 are the sound */
static void
sound_that_starts_late(void **state)
{
    (void) state;
    object(6)->frags[0].duration += 1024;
    refused("a128: fragment 1 starts");
}


static void
sound_that_ends_too_late(void **state)
{
    (void) state;
    object(7)->frags[3].duration += 3 * 1024;
    refused("a128 ends at");
}


static void
sound_that_ends_too_early(void **state)
{
    (void) state;
    object(7)->frags[3].duration -= 3 * 1024;
    refused("a128 ends at");
}


static void
sound_may_end_an_access_unit_off(void **state)
{
    reel_error_t  e = { "" };

    (void) state;
    object(7)->frags[3].duration -= 1024;
    assert_int_equal(reel_parts_join(&parts, &film, &e), REEL_OK);
}


static void
no_sound_at_all(void **state)
{
    (void) state;
    for (size_t i = 6; i < 8; i++) {
        reel_answer_release(&parts.answers[i]);
    }
    refused("a kind of track is missing");
}


static void
the_index_says_what_the_parts_are(void **state)
{
    reel_buf_t                b, r;
    reel_index_t              ix;
    reel_error_t              e = { "" };
    reel_extent_t             x[REEL_EXTENTS_MAX];
    reel_result_t             result;
    unsigned                  n;
    uint32_t                  size;
    uint64_t                  at;
    reel_publish_id_t         id = {
        .asset = "01h00000000000000000000000", .publication = 3,
        .created_ms = 5, .completed_ms = 9, .salt = "0123456789abcde"
    };
    const reel_rendition_t   *q;

    (void) state;

    assert_int_equal(reel_parts_join(&parts, &film, &e), REEL_OK);
    assert_int_equal(reel_publish_index(&b, &parts, &film, &id, &e),
                     REEL_OK);
    assert_int_equal(reel_index_parse(&ix, b.data, b.len, &e), REEL_OK);

    assert_false(ix.growing);
    assert_true(ix.constant_rate);
    assert_int_equal(ix.publication, 3);
    assert_int_equal(ix.created_ms, 5);
    assert_memory_equal(ix.salt, id.salt, 16);
    assert_int_equal(ix.nheaders, 1);           /* equal ones stand once */
    assert_int_equal(ix.nrenditions, 5);
    assert_true(reel_str_eqz(ix.renditions[4].label, "English"));
    assert_int_equal(ix.renditions[4].roles, REEL_ROLE_FORCED);
    assert_int_equal(ix.nimages, 1);
    assert_int_equal(ix.images[0].size, 999);
    assert_int_equal(ix.npictures, 2);
    assert_true(reel_str_eqz(ix.pictures[1].object, "sheets-1-aa.jpgs"));
    assert_int_equal(ix.pictures[1].sheets, 2);
    assert_int_equal(reel_index_sheet(&ix.pictures[0], 5, &at, &size),
                     REEL_OK);
    assert_int_equal(at, 411);
    assert_int_equal(size, 70000);

    q = reel_index_find(&ix, REEL_STR("v360"));
    assert_non_null(q);
    assert_int_equal(q->height, 360);
    assert_int_equal(reel_index_locate(&ix, q, 3, 1, x, &n), REEL_OK);
    assert_int_equal(n, 1);
    assert_true(reel_str_eqz(x[0].object, "2-7-0123456789abcdef.mp4"));
    assert_int_equal(x[0].offset, sizeof(header) + 102);
    assert_int_equal(x[0].size, 103);

    assert_int_equal(reel_publish_result(&r, &parts, &film, &id, &b, &e),
                     REEL_OK);
    assert_int_equal(reel_result_parse(&result, reel_buf_cstr(&r), r.len,
                                       &e), REEL_OK);
    assert_true(result.ready);
    assert_int_equal(result.publication, 3);
    assert_int_equal(result.completed_ms, 9);
    assert_int_equal(result.duration_ms, 11000);
    assert_int_equal(result.nrenditions, 5);
    assert_string_equal(result.renditions[0].name, "v720");
    assert_int_equal(result.renditions[0].bytes,
                     3 * sizeof(header) + 6 * 100 + 15);
    assert_true(result.renditions[0].peak
                >= result.renditions[0].average);

    reel_result_release(&result);
    reel_buf_release(&r);
    reel_buf_release(&b);
}


/* the objects of v720 get a header of VP9 in ten bits */
static void
set_transfer(uint8_t transfer)
{
    reel_buf_t         b;
    reel_encoded_t    *o;
    uint8_t            vpcc[] = { 1, 0, 0, 0, 2, 31, 0xa2, 9, 0, 9, 0, 0 };
    reel_cmaf_track_t  t = {
        .codec = REEL_CODEC_VP9, .track_id = REEL_TRACK_VIDEO,
        .timescale = 30000, .config = { (char *) vpcc, sizeof(vpcc) },
        .language = "und", .width = 1440, .height = 720, .primaries = 9,
        .transfer = transfer, .matrix = 9
    };

    vpcc[8] = transfer;

    for (size_t i = 1; i < 6; i += 2) {
        o = object(i);
        reel_buf_init(&b, 4096);
        assert_int_equal(reel_cmaf_header(&b, &t), REEL_OK);

        free(o->header);
        o->bytes += b.len - o->base;
        o->base = b.len;
        o->header = (uint8_t *) reel_buf_take(&b, &o->header_len);
    }
}


static reel_video_range_t
range_in_index(const char *name)
{
    reel_buf_t               b;
    reel_index_t             ix;
    reel_error_t             e = { "" };
    reel_publish_id_t        id = { .asset = "x", .publication = 1 };
    reel_video_range_t       range;
    const reel_rendition_t  *q;

    assert_int_equal(reel_publish_index(&b, &parts, &film, &id, &e),
                     REEL_OK);
    assert_int_equal(reel_index_parse(&ix, b.data, b.len, &e), REEL_OK);
    q = reel_index_find(&ix, reel_str(name));
    assert_non_null(q);
    range = q->video_range;
    reel_buf_release(&b);

    return range;
}


static void
the_range_is_the_encoded_ones(void **state)
{
    size_t        i;
    reel_error_t  e = { "" };
    static const struct {
        uint8_t            transfer;
        reel_video_range_t range;
    } t[] = {
        { 1, REEL_RANGE_SDR },
        { 16, REEL_RANGE_PQ },
        { 18, REEL_RANGE_HLG }
    };

    (void) state;

    set_transfer(t[0].transfer);
    assert_int_equal(reel_parts_join(&parts, &film, &e), REEL_OK);

    for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
        set_transfer(t[i].transfer);
        assert_int_equal(range_in_index("v720"), t[i].range);
        assert_int_equal(range_in_index("v360"), REEL_RANGE_SDR);
    }
}


/* publish0: chunk 0 in the lowest rung, and the head of the sound */
static void
a_growing_index_shows_the_prefix(void **state)
{
    reel_buf_t         b;
    reel_index_t       ix;
    reel_error_t       e = { "" };
    reel_publish_id_t  id = { .asset = "x", .publication = 1 };

    (void) state;

    film.growing = true;
    film.frag_to = CHUNK;
    for (size_t i = 1; i < 6; i++) {
        reel_answer_release(&parts.answers[i]);
    }
    reel_answer_release(&parts.answers[7]);
    reel_answer_release(&parts.answers[9]);     /* no text grows */

    assert_int_equal(reel_parts_join(&parts, &film, &e), REEL_OK);
    assert_int_equal(parts.ntracks, 2);
    assert_int_equal(parts.end_ts, 120000);

    assert_int_equal(reel_publish_index(&b, &parts, &film, &id, &e),
                     REEL_OK);
    assert_int_equal(reel_index_parse(&ix, b.data, b.len, &e), REEL_OK);
    assert_true(ix.growing);
    assert_int_equal(ix.fragments, CHUNK);
    assert_int_equal(ix.end_ts, 120000);
    reel_buf_release(&b);
}


/* less of an object than it holds */
static void
a_growing_index_may_cut_an_object(void **state)
{
    reel_buf_t         b;
    reel_index_t       ix;
    reel_error_t       e = { "" };
    reel_publish_id_t  id = { .asset = "x", .publication = 1 };

    (void) state;

    film.growing = true;
    film.frag_to = 3;

    assert_int_equal(reel_parts_join(&parts, &film, &e), REEL_OK);
    assert_int_equal(reel_publish_index(&b, &parts, &film, &id, &e),
                     REEL_OK);
    assert_int_equal(reel_index_parse(&ix, b.data, b.len, &e), REEL_OK);
    assert_int_equal(ix.fragments, 3);
    assert_int_equal(ix.renditions[0].objects, 2);
    reel_buf_release(&b);
}


static void
nothing_to_show_yet(void **state)
{
    reel_error_t  e = { "" };

    (void) state;

    film.growing = true;
    film.frag_to = CHUNK;
    for (size_t i = 6; i < 8; i++) {
        reel_answer_release(&parts.answers[i]);
    }

    assert_int_equal(reel_parts_join(&parts, &film, &e), REEL_NOTFOUND);
}


#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

/* a text is held against the film before publish would refuse the film */
static void
text_alone(void **state)
{
    reel_error_t    e = { "" };
    reel_encoded_t  o;

    (void) state;

    fill_object(&o, "t-en", REEL_TEXT, 0, FRAGS);
    assert_int_equal(reel_track_check_alone(&o, &film.grid, &e), REEL_OK);

    o.timescale = 90000;
    assert_int_equal(reel_track_check_alone(&o, &film.grid, &e),
                     REEL_BADDATA);
    assert_non_null(strstr(e.text, "not on the grid"));
    o.timescale = 1000;

    o.frags[2].duration++;
    assert_int_equal(reel_track_check_alone(&o, &film.grid, &e),
                     REEL_BADDATA);
    o.frags[2].duration--;

    o.frags[FRAGS - 1].duration = UINT32_MAX;
    assert_int_equal(reel_track_check_alone(&o, &film.grid, &e),
                     REEL_BADDATA);
    assert_non_null(strstr(e.text, "ends at"));
    o.frags[FRAGS - 1].duration = 1000;

    o.nfrags--;
    assert_int_equal(reel_track_check_alone(&o, &film.grid, &e),
                     REEL_BADDATA);

    reel_encoded_release(&o);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        T(good_parts_fit), T(order_does_not_matter), T(a_gap),
        T(the_same_chunk_twice), T(a_chunk_too_long), T(a_missing_end),
        T(another_encoder), T(another_header_length), T(another_format),
        T(sizes_that_do_not_sum_up), T(off_the_grid),
        T(an_end_that_is_not_the_films), T(a_picture_lost),
        T(pictures_of_a_copied_one), T(a_picture_of_a_copied_one_lost),
        T(pictures_of_half_the_rate), T(a_picture_of_half_the_rate_lost),
        T(pictures_are_not_counted_when_unknown), T(sound_that_starts_late),
        T(sound_that_ends_too_late), T(sound_that_ends_too_early),
        T(sound_may_end_an_access_unit_off), T(no_sound_at_all),
        T(the_index_says_what_the_parts_are),
        T(the_range_is_the_encoded_ones),
        T(a_growing_index_shows_the_prefix),
        T(a_growing_index_may_cut_an_object), T(nothing_to_show_yet),
        T(text_alone)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
