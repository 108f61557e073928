/* payloads, answers, and the arithmetic of access units */

#include "tests/unit/job/film.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/job/task.h"

static const reel_grid_t grid = {
    .timescale = 12800, .gop_ts = 25600, .frame_ts = 512, .fragments = 30,
    .end_ts = 59 * 12800
};


static void
names(void **state)
{
    char n[REEL_TASK_NAME];

    (void) state;

    reel_task_name_video(n, UINT32_MAX, UINT32_MAX);
    assert_string_equal(n, "v4294967295.4294967295");
    reel_task_name_audio(n, 0, 0);
    assert_string_equal(n, "a0");
    assert_string_equal(reel_task_type_name(REEL_TASK_ENCODE_VIDEO),
                        "encode_video");
}


static void
video(void **state)
{
    uint32_t             i;
    reel_buf_t           b;
    reel_encode_video_t  t = {
        .grid = grid, .stream = 3, .tb = { 1, 25000 }, .origin = -7,
        .seek_pts = 99, .chunk = 2, .frag_from = 3, .frag_to = 30,
        .rate = { 25, 1 }, .rotation = 90, .vflip = true,
        .preset = "veryfast", .threads = 1, .nrungs = REEL_TASK_RUNGS,
        .mark = { .image = "a1234567890123456789012345678901",
                  .position = REEL_MARK_BOTTOM_RIGHT, .opacity = 100,
                  .width = 100, .margin = 50 },
    }, q;

    (void) state;

    /* the largest payload that can be */
    t.light = (reel_source_light_t) {
        .range = REEL_RANGE_PQ,
        .told = { .mastering = true,
                  .primaries = { { 1, 65535 }, { 2, 65535 }, { 3, 65535 } },
                  .white = { 65535, 4 }, .max_luminance = UINT32_MAX,
                  .min_luminance = 5, .light = true, .max_cll = 65535,
                  .max_fall = 65535 }
    };
    memset(t.mark.sum, 'a', sizeof(t.mark.sum) - 1);
    for (i = 0; i < REEL_TASK_RUNGS; i++) {
        t.rungs[i] = (reel_video_rung_t) {
            .name = "v1234567890123456789012345678901", .width = 65534,
            .height = 65534, .crf = 51, .max_kbps = 1000000,
            .buf_kbits = 2000000, .every = REEL_RUNG_EVERY, .hdr = true,
            .codec = REEL_VIDEO_HEVC, .preset = "ultrafast" };
    }

    reel_buf_init(&b, 2 * REEL_PAYLOAD_MAX);
    assert_int_equal(reel_encode_video_print(&b, &t), REEL_OK);
    assert_in_range(b.len, 1000, REEL_PAYLOAD_MAX);
    assert_int_equal(reel_encode_video_parse(&q, (char *) b.data, b.len,
                                             NULL), REEL_OK);
    assert_memory_equal(&q, &t, sizeof(t));

    /* no way out of the pipelines' folder */
    reel_buf_clear(&b);
    memcpy(t.mark.image, "../keys.json", sizeof("../keys.json"));
    assert_int_equal(reel_encode_video_print(&b, &t), REEL_OK);
    assert_int_equal(reel_encode_video_parse(&q, (char *) b.data, b.len,
                                             NULL), REEL_BADDATA);

    /* what is kept must be known */
    reel_buf_clear(&b);
    t.mark.image[0] = '\0';
    t.light.range = REEL_RANGE_SDR;
    assert_int_equal(reel_encode_video_print(&b, &t), REEL_OK);
    assert_int_equal(reel_encode_video_parse(&q, (char *) b.data, b.len,
                                             NULL), REEL_BADDATA);
    t.light.range = REEL_RANGE_HLG;

    /* what is copied is one rendition */
    reel_buf_clear(&b);
    t.mark.image[0] = '\0';
    t.copy = true;
    t.delay = 2;
    t.nrungs = 2;
    assert_int_equal(reel_encode_video_print(&b, &t), REEL_OK);
    assert_int_equal(reel_encode_video_parse(&q, (char *) b.data, b.len,
                                             NULL), REEL_BADDATA);
    reel_buf_clear(&b);
    t.nrungs = 1;
    assert_int_equal(reel_encode_video_print(&b, &t), REEL_OK);
    assert_int_equal(reel_encode_video_parse(&q, (char *) b.data, b.len,
                                             NULL), REEL_OK);
    assert_true(q.copy && q.delay == 2);

    t.nrungs = 0;
    assert_int_equal(reel_encode_video_print(&b, &t), REEL_INVAL);
    reel_buf_release(&b);
}


static void
subtitles_and_text(void **state)
{
    reel_buf_t          b;
    reel_error_t        e;
    reel_encoded_t      o2;
    reel_ix_fragment_t  frags[] = { { 40, 2000, 1, 0 }, { 0, 1000, 0, 0 } };
    reel_encoded_t      o = { .rendition = "t-en", .name = "0-1-a.vtt",
                              .bytes = 40, .frags = frags, .nfrags = 2,
                              .samples = 1, .kind = REEL_TEXT,
                              .codec = "wvtt", .timescale = 1000,
                              .rate = { 0, 1 }, .language = "en",
                              .label = "English", .roles = 3 };
    reel_subtitles_t    t = { .grid = grid, .tries = 3, .ntexts = 2,
                              .texts = { { "t-en", 2, { 1, 1000 }, -5, "en",
                                           "English", 1 },
                                         { "t-und", 4, { 1, 90000 }, 7, "",
                                           "", 0 } } }, t2;

    (void) state;

    reel_buf_init(&b, 1u << 16);
    assert_int_equal(reel_subtitles_print(&b, &t), REEL_OK);
    assert_int_equal(reel_subtitles_parse(&t2, (char *) b.data, b.len, &e),
                     REEL_OK);
    assert_memory_equal(&t, &t2, sizeof(t));
    reel_buf_clear(&b);

    assert_int_equal(reel_encoded_print(&b, &o), REEL_OK);
    assert_int_equal(reel_encoded_parse(&o2, (char *) b.data, b.len, &e),
                     REEL_OK);
    assert_string_equal(o2.label, "English");
    assert_int_equal(o2.roles, 3);
    assert_int_equal(o2.frags[1].size, 0);
    assert_int_equal(o2.header_len, 0);
    reel_encoded_release(&o2);
    reel_buf_release(&b);
}


static void
storyboard_and_story(void **state)
{
    size_t              i;
    char               *end;
    reel_buf_t          b;
    reel_story_t        s = { .object = "sheets-1-a.jpgs", .width = 160,
                              .height = 90, .columns = 5, .rows = 5,
                              .interval_ms = 2000, .count = 26,
                              .nsheets = 2, .sizes = { 7, 9 },
                              .bytes = 16 }, s2;
    reel_error_t        e;
    reel_storyboard_t   t = { .stream = 1, .tb = { 1, 90000 }, .origin = -7,
                              .interval_ms = 2000, .count = 26,
                              .exact = true, .rotation = 90, .hflip = true,
                              .tries = 3, .nsets = 2,
                              .sets = { { 320, 180, 1, 1 },
                                        { 160, 90, 5, 5 } } }, t2;

    static const struct {
        const char *from, *to, *text;
    } bad[] = {
        { "\"count\":26", "\"count\":0", "\"count\" is 0" },
        { "\"count\":26", "\"count\":25", "does not fit the number" },
        { "\"count\":26", "\"count\":1001", "\"count\" is 1001" },
        { "[7,9]", "[7,0]", "\"sizes\" is 0" },
        { "[7,9]", "[7]", "does not fit the number" },
        { "sheets-", "../etc-", "is not an object's name" },
        { "\"rows\":5", "\"rows\":33", "\"rows\" is 33" },
    };

    (void) state;

    reel_buf_init(&b, 1u << 16);
    assert_int_equal(reel_storyboard_print(&b, &t), REEL_OK);
    assert_int_equal(reel_storyboard_parse(&t2, (char *) b.data, b.len, &e),
                     REEL_OK);
    assert_memory_equal(&t, &t2, sizeof(t));
    reel_buf_clear(&b);

    assert_int_equal(reel_story_print(&b, &s), REEL_OK);
    assert_int_equal(reel_story_parse(&s2, (char *) b.data, b.len, &e),
                     REEL_OK);
    assert_memory_equal(&s, &s2, sizeof(s));

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        char text[512];

        end = strstr(reel_buf_cstr(&b), bad[i].from);
        assert_non_null(end);
        (void) snprintf(text, sizeof(text), "%.*s%s%s",
                        (int) (end - (char *) b.data), (char *) b.data,
                        bad[i].to, end + strlen(bad[i].from));
        assert_int_equal(reel_story_parse(&s2, text, strlen(text), &e),
                         REEL_BADDATA);
        assert_non_null(strstr(e.text, bad[i].text));
    }

    reel_buf_release(&b);
}


/* payloads that were planned before there were several sounds */
static void
older_payloads(void **state)
{
    reel_publish_t       p;
    reel_encode_audio_t  a;
    static const char    publish[] =
        "{\"grid\":{\"timescale\":30000,\"gop_ts\":60000,"
        "\"frame_ts\":1000,"
        "\"fragments\":3,\"end_ts\":180000},\"growing\":false,"
        "\"frag_to\":3,\"chunks\":0,\"first_groups\":0,\"groups\":0,"
        "\"audios\":1,\"poster\":false,\"storyboard\":false,"
        "\"texts\":0,\"frames\":0}";
    static const char    audio[] =
        "{\"grid\":{\"timescale\":30000,\"gop_ts\":60000,"
        "\"frame_ts\":1000,"
        "\"fragments\":3,\"end_ts\":180000},\"stream\":1,"
        "\"tb\":[1,48000],\"origin\":0,\"name\":\"a128\",\"kbps\":128,"
        "\"channels\":2,\"sample_rate\":48000,\"language\":\"en\","
        "\"object_frags\":30,\"frag_from\":0,\"frag_to\":3}";

    (void) state;

    assert_int_equal(reel_publish_parse(&p, publish, strlen(publish), NULL),
                     REEL_OK);
    assert_int_equal(p.audio_tracks, 1);
    assert_int_equal(reel_encode_audio_parse(&a, audio, strlen(audio), NULL),
                     REEL_OK);
    assert_string_equal(a.label, "");
    assert_int_equal(a.roles, 0);
}


static void
audio_poster_publish(void **state)
{
    reel_buf_t          b;
    reel_publish_t      p = { .grid = grid, .growing = true, .frag_to = 3,
                              .chunks = 1, .first_groups = 1, .audios = 1,
                              .audio_tracks = 1,
                              .frames = 150 }, p2;
    reel_poster_t       o = { .stream = 1, .tb = { 1, 90000 },
                              .at_pts = -5, .rotation = 180, .hflip = true,
                              .width = 1280, .height = 720 }, o2;
    reel_encode_audio_t a = { .grid = grid, .stream = 1, .tb = { 1, 48000 },
                              .origin = 1024, .ends = true,
                              .name = "a128", .kbps = 128,
                              .channels = 2, .sample_rate = 48000,
                              .language = "en", .label = "Talk",
                              .codec = REEL_AUDIO_OPUS,
                              .roles = REEL_ROLE_COMMENTARY,
                              .object_frags = 30, .lufs = -16,
                              .measured = "loudness.2",
                              .frag_to = 30 }, a2;

    (void) state;

    reel_buf_init(&b, REEL_PAYLOAD_MAX);
    assert_int_equal(reel_encode_audio_print(&b, &a), REEL_OK);
    assert_int_equal(reel_encode_audio_parse(&a2, (char *) b.data, b.len,
                                             NULL), REEL_OK);
    assert_memory_equal(&a2, &a, sizeof(a));

    reel_buf_clear(&b);
    assert_int_equal(reel_poster_print(&b, &o), REEL_OK);
    assert_int_equal(reel_poster_parse(&o2, (char *) b.data, b.len, NULL),
                     REEL_OK);
    assert_memory_equal(&o2, &o, sizeof(o));

    reel_buf_clear(&b);
    assert_int_equal(reel_publish_print(&b, &p), REEL_OK);
    assert_int_equal(reel_publish_parse(&p2, (char *) b.data, b.len, NULL),
                     REEL_OK);
    assert_memory_equal(&p2, &p, sizeof(p));

    memcpy(p.copied, "v1080", sizeof("v1080"));
    p.copied_frames = 147;
    reel_buf_clear(&b);
    assert_int_equal(reel_publish_print(&b, &p), REEL_OK);
    assert_int_equal(reel_publish_parse(&p2, (char *) b.data, b.len, NULL),
                     REEL_OK);
    assert_memory_equal(&p2, &p, sizeof(p));

    /* the final one shows everything */
    p.growing = false;
    reel_buf_clear(&b);
    assert_int_equal(reel_publish_print(&b, &p), REEL_OK);
    assert_int_equal(reel_publish_parse(&p2, (char *) b.data, b.len, NULL),
                     REEL_BADDATA);
    reel_buf_release(&b);
}


static void
grids_that_cannot_be(void **state)
{
    size_t               i;
    reel_buf_t           b;
    reel_error_t         e;
    reel_encode_audio_t  a, q;
    static const reel_grid_t wrong[] = {
        { 0, 25600, 512, 30, 59 * 12800 },
        { 12800, 0, 512, 30, 59 * 12800 },
        { 12800, 25600, 512, 0, 59 * 12800 },
        { 12800, 25600, 512, 30, 62 * 12800 },      /* ends after … */
        { 12800, 25600, 512, 30, 58 * 12800 },      /* … or before it */
        { 12800, 25600, 511, 30, 59 * 12800 },
        { 12800, 25600, 512, 30, 59 * 12800 + 1 },
        { 12800, 25600, 0, (1u << 20) + 1, 59 * 12800 },
    };

    (void) state;

    for (i = 0; i < COUNT(wrong); i++) {
        a = (reel_encode_audio_t) {
            .grid = wrong[i], .tb = { 1, 1 }, .name = "a", .kbps = 128,
            .channels = 2, .sample_rate = 48000, .object_frags = 1,
            .frag_to = 1 };
        reel_buf_init(&b, REEL_PAYLOAD_MAX);
        assert_int_equal(reel_encode_audio_print(&b, &a), REEL_OK);
        assert_int_equal(reel_encode_audio_parse(&q, (char *) b.data, b.len,
                                                 &e), REEL_BADDATA);
        reel_buf_release(&b);
    }
}


/* less than twice as long as the others */
static void
a_longer_last_fragment(void **state)
{
    reel_buf_t           b;
    reel_encode_audio_t  q, a = {
        .grid = { 12800, 25600, 512, 30, 62 * 12800 - 512 }, .tb = { 1, 1 },
        .name = "a", .kbps = 128, .channels = 2, .sample_rate = 48000,
        .object_frags = 1, .frag_to = 1 };

    (void) state;

    reel_buf_init(&b, REEL_PAYLOAD_MAX);
    assert_int_equal(reel_encode_audio_print(&b, &a), REEL_OK);
    assert_int_equal(reel_encode_audio_parse(&q, (char *) b.data, b.len,
                                             NULL), REEL_OK);
    reel_buf_release(&b);

    assert_int_equal(q.grid.end_ts, a.grid.end_ts);
    assert_int_equal(reel_grid_tick(&q.grid, 0), 0);
    assert_int_equal(reel_grid_tick(&q.grid, 29), 29 * 25600);
    assert_int_equal(reel_grid_tick(&q.grid, 30), a.grid.end_ts);

    /* where it is shorter, as everywhere else, no instant lies behind it */
    q.grid.end_ts = 59 * 12800;
    assert_int_equal(reel_grid_tick(&q.grid, 30), 59 * 12800);
    assert_int_equal(reel_grid_tick(&q.grid, 31), 59 * 12800);
}


static void
access_units(void **state)
{
    size_t      i;
    int64_t     first, total, k;
    reel_grid_t g;
    static const struct {
        reel_grid_t g;
        uint32_t    rate;
        int64_t     first1, total;
    } rows[] = {
        /* 2 s at 48 kHz are 93.75 access units */
        { { 12800, 25600, 512, 30, 59 * 12800 }, 48000, 94, 2766 },
        { { 12800, 25600, 512, 2, 51200 }, 48000, 94, 188 },
        { { 12800, 25600, 512, 2, 51200 }, 44100, 87, 173 },
        { { 30000, 60060, 1001, 1, 1001 }, 48000, 94, 2 },
        /* the last slot is shorter than an access unit: one starts in it */
        { { 90000, 180000, 0, 2, 180001 }, 48000, 94, 95 },
        { { 90000, 180000, 0, 1, 1 }, 48000, 94, 1 },
    };

    (void) state;

    for (i = 0; i < COUNT(rows); i++) {
        assert_int_equal(reel_audio_first_au(&rows[i].g, rows[i].rate, 0), 0);
        assert_int_equal(reel_audio_first_au(&rows[i].g, rows[i].rate, 1),
                         rows[i].first1);
        assert_int_equal(reel_audio_total_aus(&rows[i].g, rows[i].rate),
                         rows[i].total);
    }

    /* 25 h at 29.97: first at or after each instant, and not one too late */
    g = (reel_grid_t) { 30000, 60060, 1001, 44956, 44956 * INT64_C(60060) };

    for (k = 0; k < g.fragments; k++) {
        first = reel_audio_first_au(&g, 48000, (uint32_t) k);
        assert_true(first * 1024 * 30000 >= k * 60060 * 48000);
        assert_true((first - 1) * 1024 * 30000 < k * 60060 * 48000);
    }

    total = reel_audio_total_aus(&g, 48000);
    assert_true(total * 1024 * 30000 >= g.end_ts * 48000);
    assert_true((total - 1) * 1024 * 30000 < g.end_ts * 48000);
}


static void
make_object(reel_encoded_t *o, uint8_t *header, size_t header_len,
    reel_ix_fragment_t *frags)
{
    size_t i;

    for (i = 0; i < header_len; i++) {
        header[i] = (uint8_t) (i * 7);
    }

    frags[0] = (reel_ix_fragment_t) { 1000, 25600, 50, 400 };
    frags[1] = (reel_ix_fragment_t) { 4000000000, 25088, 49, 1 };

    *o = (reel_encoded_t) {
        .rendition = "v720", .frag_from = 3, .base = header_len,
        .bytes = header_len + 4000001000, .header = header,
        .header_len = header_len, .frags = frags, .nfrags = 2,
        .samples = 99, .kind = REEL_VIDEO, .codec = "avc1.64001f",
        .timescale = 12800, .width = 1280, .height = 720, .rate = { 25, 1 },
    };
}


static void
check_object(const reel_encoded_t *q, const reel_encoded_t *o)
{
    assert_string_equal(q->rendition, o->rendition);
    assert_string_equal(q->name, o->name);
    assert_int_equal(q->header_len, o->header_len);
    assert_memory_equal(q->header, o->header, o->header_len);
    assert_int_equal(q->nfrags, o->nfrags);
    assert_memory_equal(q->frags, o->frags, o->nfrags * sizeof(*o->frags));
    assert_int_equal(q->bytes, o->bytes);
    assert_string_equal(q->codec, o->codec);
    assert_int_equal(q->width, o->width);
    assert_int_equal(q->channels, o->channels);
}


static void
answer(void **state)
{
    uint8_t             header[2][16384];
    reel_buf_t          b;
    reel_answer_t       a = { .image = "poster-12-ab.jpg",
                              .image_width = 1280, .image_height = 720,
                              .image_bytes = 5 }, q;
    reel_encoded_t      o[2];
    reel_ix_fragment_t  frags[2][2];

    (void) state;

    memset(a.digest, 'a', 64);
    make_object(&o[0], header[0], 700, frags[0]);
    make_object(&o[1], header[1], 16384, frags[1]);
    (void) snprintf(o[0].name, sizeof(o[0].name), "0-123-0a.mp4");
    o[1].kind = REEL_AUDIO;
    o[1].channels = 2;
    o[1].sample_rate = 48000;
    o[1].width = o[1].height = 0;
    a.objects = o;
    a.nobjects = 2;

    reel_buf_init(&b, REEL_ANSWER_MAX);
    assert_int_equal(reel_answer_print(&b, &a), REEL_OK);
    assert_int_equal(reel_answer_parse(&q, (char *) b.data, b.len, NULL),
                     REEL_OK);
    assert_int_equal(q.nobjects, 2);
    check_object(&q.objects[0], &o[0]);
    check_object(&q.objects[1], &o[1]);
    assert_string_equal(q.digest, a.digest);
    assert_string_equal(q.image, a.image);
    assert_int_equal(q.image_bytes, 5);
    reel_answer_release(&q);
    reel_buf_release(&b);
}


/* what programs made: names that would lead elsewhere are refused */
static void
files(void **state)
{
    size_t        i;
    reel_buf_t    b;
    reel_error_t  e;
    reel_answer_t q, a = {
        .nfiles = 2,
        .files = { { "a.vtt", "0-7-ab", 9, true },
                   { "b", "1-7-ab", 0, false } }
    };

    static const struct {
        const char *name, *object;
    } wrong[] = {
        { "a/b", "0-7" }, { ".x", "0-7" }, { "a", "../x" }, { "a", ".x" }
    };

    (void) state;
    memset(a.digest, 'a', 64);
    reel_buf_init(&b, REEL_ANSWER_MAX);
    assert_int_equal(reel_answer_print(&b, &a), REEL_OK);
    assert_int_equal(reel_answer_parse(&q, (char *) b.data, b.len, NULL),
                     REEL_OK);
    assert_int_equal(q.nfiles, 2);
    assert_string_equal(q.files[0].name, "a.vtt");
    assert_string_equal(q.files[1].object, "1-7-ab");
    assert_int_equal(q.files[0].bytes, 9);
    assert_true(q.files[0].keep && !q.files[1].keep);
    reel_answer_release(&q);

    for (i = 0; i < COUNT(wrong); i++) {
        (void) snprintf(a.files[1].name, sizeof(a.files[1].name), "%s",
                        wrong[i].name);
        (void) snprintf(a.files[1].object, sizeof(a.files[1].object), "%s",
                        wrong[i].object);
        reel_buf_clear(&b);
        assert_int_equal(reel_answer_print(&b, &a), REEL_OK);
        assert_int_equal(reel_answer_parse(&q, (char *) b.data, b.len, &e),
                         REEL_BADDATA);
    }

    reel_buf_release(&b);
}


static void
exec(void **state)
{
    size_t       i;
    reel_buf_t   b;
    reel_exec_t  q, t = {
        .node = "words", .tries = 3, .nwords = 3,
        .command = "/bin/words\0--all\0", .source = true,
        .ninputs = 1, .inputs = { { "look", "x.bin", 2, 1 } },
        .noutputs = 1, .outputs = { { "a.vtt", 64, true } },
        .each = REEL_EACH_CHUNK, .number = 2, .from_ms = 4000,
        .to_ms = 9000, .width = 320, .height = 180, .stream = -1
    };

    static const char *const wrong[][2] = {
        { "\"/bin/words\",\"--all\",\"\"", "" },
        { "\"/bin/words\"", "7" },
        { "\"a.vtt\"", "\"../a\"" }, { "\"x.bin\"", "\"a/b\"" },
        { "\"words\"", "\"..\"" }, { "\"each\":1", "\"each\":4" },
        { "\"max_mib\":64", "\"max_mib\":0" },
    };

    (void) state;
    reel_buf_init(&b, REEL_PAYLOAD_MAX + 1);
    assert_int_equal(reel_exec_print(&b, &t), REEL_OK);
    assert_int_equal(reel_exec_parse(&q, reel_buf_cstr(&b), b.len, NULL),
                     REEL_OK);
    assert_memory_equal(&q, &t, sizeof(q));

    for (i = 0; i < COUNT(wrong); i++) {
        char text[REEL_PAYLOAD_MAX], *at;

        at = strstr(reel_buf_cstr(&b), wrong[i][0]);
        assert_non_null(at);
        (void) snprintf(text, sizeof(text), "%.*s%s%s",
                        (int) (at - (char *) b.data), (char *) b.data,
                        wrong[i][1], at + strlen(wrong[i][0]));
        assert_int_equal(reel_exec_parse(&q, text, strlen(text), NULL),
                         REEL_BADDATA);
    }

    reel_buf_release(&b);
}


/* the largest that a pipeline's file can ask for fits a payload */
static void
exec_fits(void **state)
{
    size_t       i;
    reel_buf_t   b;
    reel_exec_t  t = {
        .tries = 20, .nwords = REEL_EXEC_WORDS, .source = true,
        .inspect = true, .ninputs = REEL_NODE_LINKS,
        .noutputs = REEL_NODE_LINKS, .each = REEL_EACH_AUDIO_TRACK,
        .number = 1 << 20, .from_ms = UINT32_MAX, .to_ms = UINT32_MAX,
        .width = 65534, .height = 65534, .stream = INT32_MAX
    };

    (void) state;

    /* each byte of a word is two in JSON */
    memset(t.command, '"', sizeof(t.command));
    for (i = 1; i < REEL_EXEC_WORDS; i++) {
        t.command[i * 2] = '\0';
    }
    t.command[sizeof(t.command) - 1] = '\0';

    memset(t.node, 'n', sizeof(t.node) - 1);
    memset(t.rendition, 'r', sizeof(t.rendition) - 1);
    memset(t.language, 'l', sizeof(t.language) - 1);

    for (i = 0; i < REEL_NODE_LINKS; i++) {
        memset(t.inputs[i].node, 'n', sizeof(t.inputs[i].node) - 1);
        memset(t.inputs[i].file, 'f', sizeof(t.inputs[i].file) - 1);
        t.inputs[i].first = t.inputs[i].count = 1 << 20;
        memset(t.outputs[i].name, 'f', sizeof(t.outputs[i].name) - 1);
        t.outputs[i].max_mib = 1 << 20;
    }

    reel_buf_init(&b, REEL_PAYLOAD_MAX + 1);
    assert_int_equal(reel_exec_print(&b, &t), REEL_OK);
    reel_buf_release(&b);
}


/* a child may be in an attacker's hands: its objects keep the bounds */
static void
objects_refused(void **state)
{
    size_t              i;
    uint8_t             header[16385];
    reel_buf_t          b;
    reel_error_t        e;
    reel_encoded_t      o, q;
    reel_ix_fragment_t  frags[2];

    (void) state;

    for (i = 0; i < 13; i++) {
        make_object(&o, header, i == 0 ? 16385 : 700, frags);

        switch (i) {
        case 1: o.bytes++; break;
        case 2: o.samples--; break;
        case 3: o.nfrags = 0; break;
        case 4: frags[0].iframe = 1001; break;
        case 5: frags[0].iframe = 0; break;
        case 6: frags[1].duration = 0; break;
        case 7: frags[0].samples = (1 << 20) + 1;
                o.samples = frags[0].samples + 49; break;
        case 8: memcpy(o.rendition, "../x", 5); break;
        case 9: memcpy(o.name, "../x.mp4", 9); break;
        case 10: memcpy(o.name, ".x", 3); break;
        case 11: o.kind = (reel_kind_t) 4; break;
        case 12: o.timescale = 0; break;
        default: break;
        }

        reel_buf_init(&b, REEL_ANSWER_MAX);
        assert_int_equal(reel_encoded_print(&b, &o), REEL_OK);
        assert_int_equal(reel_encoded_parse(&q, (char *) b.data, b.len, &e),
                         REEL_BADDATA);
        assert_int_equal(strncmp(e.text, "object: ", 8), 0);
        assert_null(q.frags);
        reel_buf_release(&b);
    }
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names),
        cmocka_unit_test(video),
        cmocka_unit_test(older_payloads),
        cmocka_unit_test(audio_poster_publish),
        cmocka_unit_test(subtitles_and_text),
        cmocka_unit_test(storyboard_and_story),
        cmocka_unit_test(grids_that_cannot_be),
        cmocka_unit_test(a_longer_last_fragment),
        cmocka_unit_test(access_units),
        cmocka_unit_test(answer),
        cmocka_unit_test(files),
        cmocka_unit_test(exec),
        cmocka_unit_test(exec_fits),
        cmocka_unit_test(objects_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
