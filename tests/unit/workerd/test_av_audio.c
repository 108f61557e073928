/*
 * encode_audio: sound stands where the source has it, without a gap, and a
 * run that is resumed goes on as if nothing had happened.  The clips beep
 * for 100 ms at the start of each second.
 */

#include "av_media.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/codec/aac.h"
#include "workerd/allowance.h"


#define RATE   48000

/* 1 kHz, silent for the first half second: the priming is left out */
#define BEEPS                                                                \
    "-f lavfi -i \"aevalsrc='0.5*sin(2*PI*1000*t)"                           \
    "*lt(mod(t\\,1)\\,0.1)*gt(t\\,0.5)':s=%d:d=%d\" "


static void
make_beeps(const char *name, int rate, int seconds, const char *codec)
{
    char  args[1024];

    (void) snprintf(args, sizeof(args), BEEPS "%s", rate, seconds, codec);
    media_make(name, args);
}


static void
audio_task(reel_encode_audio_t *t, const reel_source_t *s, uint32_t rate)
{
    reel_pipeline_t  pl;

    memset(t, 0, sizeof(*t));
    reel_pipeline_default(&pl);
    assert_int_equal(reel_plan_grid(&t->grid, &pl, s), REEL_OK);

    t->stream = s->audio.stream;
    t->tb = s->audio.tb;
    t->origin = s->audio.first_pts;
    t->ends = s->audio.ends;
    (void) snprintf(t->name, sizeof(t->name), "a128");
    t->kbps = 128;
    t->channels = 2;
    t->sample_rate = rate;
    t->object_frags = 2;
    t->frag_to = t->grid.fragments;
}


static void
encode(const reel_encode_audio_t *t, const char *source, uint32_t resume,
    const char *joined, media_answer_t *a)
{
    reel_buf_t  b;

    reel_buf_init(&b, REEL_PAYLOAD_MAX);
    assert_int_equal(reel_encode_audio_print(&b, t), REEL_OK);

    *a = media_run(reel_av_encode_audio, source, (char *) b.data, b.len,
                   "sound", resume, 0);
    assert_int_equal(a->status, 0);
    media_join(a, 0, "sound", joined);

    reel_buf_release(&b);
}


/* where the beep that should start at `at` does, by its power */
static double
onset(const int16_t *p, size_t n, double at)
{
    long    i, from, to;
    double  sum;

    from = (long) ((at - 0.05) * RATE);
    to = (long) ((at + 0.15) * RATE);

    for (i = from < 0 ? 0 : from; i + 48 < to && i + 48 < (long) n; i++) {
        sum = fabs((double) p[i]) + fabs((double) p[i + 12]);
        if (sum > 4000) {
            return (double) i / RATE;
        }
    }

    return -1;
}


static void
check_beeps(const char *source, const char *joined, int from, int to,
    double late)
{
    int       k;
    size_t    n;
    double    at;
    int16_t  *p;

    p = media_sound(joined, &n);

    for (k = from; k < to; k++) {
        at = onset(p, n, k + late);

        if (fabs(at - k - late) > 0.002) {
            fail_msg("%s: beep %d at %.4f instead of %.4f", source, k, at,
                     k + late);
        }
    }

    free(p);
}


/* what the source's own encoder delays, unsaid: as ffmpeg decodes it */
static double
delay_of(const char *source)
{
    size_t    n;
    double    at;
    int16_t  *p;

    p = media_sound(source, &n);
    at = onset(p, n, 1.0);
    free(p);

    assert_in_range((int) (at * 1000), 999, 1030);
    return at - 1.0;
}


static int64_t
samples_of(const media_answer_t *a)
{
    size_t   i;
    int64_t  sum;
    json_t  *line, *o;

    sum = 0;

    json_array_foreach(a->lines, i, line) {
        o = json_object_get(line, "object");
        sum += json_integer_value(json_object_get(o, "samples"));
    }

    return sum;
}


/* all beeps of a source of 9 s, at their times */
static void
one(const char *name, int rate, uint32_t out_rate, const char *codec)
{
    reel_source_t        s;
    media_answer_t       a;
    reel_encode_audio_t  t;

    make_beeps(name, rate, 9, codec);
    media_inspect(&s, name);
    audio_task(&t, &s, out_rate);

    (void) unlink(media_path("joined.mp4"));
    encode(&t, name, 0, "joined.mp4", &a);

    assert_int_equal(samples_of(&a),
                     reel_audio_total_aus(&t.grid, out_rate));
    check_beeps(name, "joined.mp4", 1, 9, delay_of(name));

    json_decref(a.lines);
    reel_source_release(&s);
}


static void
test_formats(void **state)
{
    (void) state;

    one("a.wav", 48000, 48000, "-c:a pcm_s16le");
    one("a.mp4", 48000, 48000, "-c:a aac");
    one("b.mp4", 44100, 48000, "-c:a aac");
    one("c.mp4", 44100, 44100, "-c:a aac");
    one("a.mkv", 44100, 48000, "-c:a aac");
    one("f.mkv", 44100, 48000, "-c:a flac");
    one("o.webm", 48000, 48000, "-c:a libopus");
    one("v.webm", 44100, 48000, "-c:a libvorbis");
    one("a.mp3", 44100, 48000, "-c:a libmp3lame");
    one("a.ts", 48000, 48000, "-c:a mp2 -muxdelay 0");
    one("a.flac", 96000, 48000, "-c:a flac");
    one("a.ogg", 48000, 44100, "-c:a libvorbis");
}


/* 5.1: each speaker is heard in the stereo */
static void
test_mix_down(void **state)
{
    size_t               n;
    int16_t             *p;
    reel_source_t        s;
    media_answer_t       a;
    reel_encode_audio_t  t;

    (void) state;

    media_make("six.mp4", "-f lavfi -i \"aevalsrc='0|0|0.3*sin(6283*t)|0|0|0'"
               ":c=5.1:s=48000:d=4\" -c:a aac");
    media_inspect(&s, "six.mp4");
    assert_int_equal(s.audio.channels, 6);
    audio_task(&t, &s, 48000);

    (void) unlink(media_path("six-joined.mp4"));
    encode(&t, "six.mp4", 0, "six-joined.mp4", &a);

    p = media_sound("six-joined.mp4", &n);
    assert_true(onset(p, n, 1.0) >= 0);

    free(p);
    json_decref(a.lines);
    reel_source_release(&s);
}


/* each of n speakers alone for a quarter of a second, from low to high */
static void
make_speakers(const char *name, const char *layout, int n, const char *codec)
{
    int   i, len;
    char  args[1024];

    len = snprintf(args, sizeof(args), "-f lavfi -i \"aevalsrc='");
    for (i = 0; i < n; i++) {
        len += snprintf(args + len, sizeof(args) - (size_t) len,
                        "%s0.5*sin(500*t)*between(t\\,%d/4\\,%d/4)",
                        i > 0 ? "|" : "", i, i + 1);
    }
    (void) snprintf(args + len, sizeof(args) - (size_t) len,
                    "':c=%s:s=48000:d=%.2f\" %s", layout, n / 4.0, codec);
    media_make(name, args);
}


/* 5.1 stays that, in the order of AAC; of 7.1 sides and backs are one */
static void
test_surround(void **state)
{
    int                  c, slot;
    double               sum[6];
    size_t               i, n, row;
    int16_t             *p;
    reel_source_t        s;
    media_answer_t       a;
    reel_encode_audio_t  t;

    static const struct {
        const char *name, *layout, *codec;
        int         n;
    } rows[] = {
        { "side.mkv", "5.1(side)", "-c:a ac3 -b:a 448k", 6 },
        { "back.mkv", "5.1", "-c:a flac", 6 },
        { "eight.mkv", "7.1", "-c:a pcm_s16le", 8 }
    };

    (void) state;

    for (row = 0; row < sizeof(rows) / sizeof(rows[0]); row++) {
        make_speakers(rows[row].name, rows[row].layout, rows[row].n,
                      rows[row].codec);
        media_inspect(&s, rows[row].name);
        assert_int_equal(s.audio.channels, rows[row].n);
        audio_task(&t, &s, 48000);
        t.channels = 6;
        t.kbps = 384;

        (void) unlink(media_path("joined.mp4"));
        encode(&t, rows[row].name, 0, "joined.mp4", &a);
        assert_int_equal(json_integer_value(json_object_get(
                             media_line(&a, "object"), "channels")), 6);
        p = media_sound_of("joined.mp4", 6, &n);

        for (slot = 0; slot < rows[row].n; slot++) {
            memset(sum, 0, sizeof(sum));
            for (i = 0; i < RATE / 8; i++) {
                for (c = 0; c < 6; c++) {
                    sum[c] += fabs((double) p[((size_t) slot * RATE / 4
                                               + RATE / 16 + i) * 6
                                              + (size_t) c]);
                }
            }

            for (c = 0; c < 6; c++) {
                if (sum[c] > 1000.0 * RATE / 8
                    ? c != (slot < 6 ? slot : slot - 2)
                    : c == (slot < 6 ? slot : slot - 2))
                {
                    fail_msg("%s: speaker %d sounds in channel %d: %.0f",
                             rows[row].name, slot, c, sum[c] * 8 / RATE);
                }
            }
        }

        free(p);
        json_decref(a.lines);
        reel_source_release(&s);
    }
}


/* sound that starts late, has a hole, and ends early: silence there */
static void
test_silence(void **state)
{
    size_t               i, n;
    int16_t             *p;
    reel_source_t        s;
    media_answer_t       a;
    reel_encode_audio_t  t;

    (void) state;

    make_beeps("h.mkv", 48000, 9, "-af \"aselect='not(between(t,3.5,5.5))'\" "
               "-c:a pcm_s16le");
    media_inspect(&s, "h.mkv");
    audio_task(&t, &s, 48000);

    /* half a second of silence in front, two behind */
    t.origin -= (int64_t) t.tb.den / t.tb.num / 2;
    t.grid.end_ts += t.grid.timescale * 5 / 2;
    t.grid.fragments = (uint32_t) ((t.grid.end_ts + t.grid.gop_ts - 1)
                                   / t.grid.gop_ts);
    t.frag_to = t.grid.fragments;

    (void) unlink(media_path("h.mp4"));
    encode(&t, "h.mkv", 0, "h.mp4", &a);

    check_beeps("h.mkv", "h.mp4", 1, 4, 0.5);
    check_beeps("h.mkv", "h.mp4", 6, 9, 0.5);

    p = media_sound("h.mp4", &n);
    assert_true(n >= (size_t) (11.4 * RATE));
    for (i = (size_t) (4.3 * RATE); i < (size_t) (5.9 * RATE); i++) {
        assert_in_range(p[i] + 100, 0, 200);
    }
    for (i = (size_t) (9.6 * RATE); i < n; i++) {
        assert_in_range(p[i] + 100, 0, 200);
    }

    free(p);
    json_decref(a.lines);
    reel_source_release(&s);
}


/* Vorbis whose times are the ends of its frames, long ones and short ones: no
   silence where the length changes */
static void
test_vorbis_ends(void **state)
{
    int                  loudest;
    size_t               i, k, n;
    int16_t             *p;
    reel_source_t        s;
    media_answer_t       a;
    reel_encode_audio_t  t;

    (void) state;

    media_make("e.webm", "-f lavfi -i \"aevalsrc='if(lt(mod(t,1),0.02),"
               "random(0)-0.5,0.1*sin(2*PI*440*t))':s=44100:d=6\" -c:a "
               "libvorbis -bsf:a setts=pts=PTS+DURATION:dts=DTS+DURATION");
    media_inspect(&s, "e.webm");
    audio_task(&t, &s, 48000);

    (void) unlink(media_path("e.mp4"));
    encode(&t, "e.webm", 0, "e.mp4", &a);

    p = media_sound("e.mp4", &n);
    assert_true(n >= (size_t) (5.5 * RATE));

    /* 5 ms hold two waves of the tone */
    for (i = RATE / 40; i + RATE / 200 < 5.5 * RATE; i += RATE / 200) {
        for (k = i, loudest = 0; k < i + RATE / 200; k++) {
            loudest = abs(p[k]) > loudest ? abs(p[k]) : loudest;
        }
        assert_true(loudest > 1000);
    }

    free(p);
    json_decref(a.lines);
    reel_source_release(&s);
}


/* three stretches of a film's sound, two behind a seek; ms that it lasts */
static int64_t
check_stretches(const char *source, bool ends)
{
    int64_t              ms;
    uint32_t             i, all;
    reel_source_t        s;
    media_answer_t       a;
    reel_encode_audio_t  t;

    media_inspect(&s, source);
    assert_int_equal(s.audio.ends, ends);
    ms = (s.audio.end_pts - s.audio.first_pts) * 1000 * s.audio.tb.num
         / s.audio.tb.den;
    audio_task(&t, &s, 48000);
    all = t.grid.fragments;
    assert_true(all >= 6);

    (void) unlink(media_path("st.mp4"));

    for (i = 0; i < 3; i++) {
        t.frag_from = all * i / 3;
        t.frag_to = all * (i + 1) / 3;
        encode(&t, source, 0, "st.mp4", &a);
        json_decref(a.lines);
    }

    check_beeps(source, "st.mp4", 1, 29, 0);
    reel_source_release(&s);

    return ms;
}


/* Vorbis whose times are right, and the same with those of the ends: every
   stretch of it stands where its samples do */
static void
test_vorbis_stretches(void **state)
{
    (void) state;

    make_beeps("vs.webm", 44100, 30, "-c:a libvorbis");
    make_beeps("ve.webm", 44100, 30, "-c:a libvorbis -bsf:a "
               "setts=pts=PTS+DURATION:dts=DTS+DURATION");

    (void) check_stretches("vs.webm", false);

    /* the last time is the end, not a frame before it */
    assert_in_range(check_stretches("ve.webm", true), 29995, 30005);
}


static size_t
objects_of(const media_answer_t *a)
{
    size_t   i, n;
    json_t  *line;

    n = 0;

    json_array_foreach(a->lines, i, line) {
        n += json_object_get(line, "object") != NULL;
    }

    return n;
}


/* the greatest difference of two sounds behind the first second and before
   the last half, where the tone breaks off */
static double
differ(const char *one, const char *other)
{
    size_t    i, n, m;
    double    worst = 0;
    int16_t  *p, *q;

    p = media_sound(one, &n);
    q = media_sound(other, &m);
    assert_int_equal(n, m);

    for (i = RATE; i + RATE / 2 < n; i++) {
        if (fabs((double) p[i] - q[i]) > worst) {
            worst = fabs((double) p[i] - q[i]);
        }
    }

    free(q);
    free(p);

    return worst;
}


/* a steady tone across the seam: a click or a step would show */
static void
resume(const char *name, uint32_t rate, const char *codec)
{
    double               worst;
    reel_source_t        s;
    media_answer_t       a, b;
    reel_encode_audio_t  t;

    media_make(name, codec);
    media_inspect(&s, name);
    audio_task(&t, &s, rate);

    (void) unlink(media_path("whole.mp4"));
    (void) unlink(media_path("seam.mp4"));

    encode(&t, name, 0, "whole.mp4", &a);
    assert_int_equal(objects_of(&a), 6);

    /* the first two objects of a run, then the rest by another */
    t.frag_to = 4;
    encode(&t, name, 0, "seam.mp4", &b);
    assert_int_equal(objects_of(&b), 2);
    json_decref(b.lines);

    t.frag_to = t.grid.fragments;
    encode(&t, name, 4, "seam.mp4", &b);
    assert_int_equal(objects_of(&b), 4);

    worst = differ("whole.mp4", "seam.mp4");

    /* of an amplitude of 9830: what two encodings differ by anyway */
    if (worst >= 400) {
        fail_msg("%s: the runs differ by %.0f", name, worst);
    }

    json_decref(b.lines);
    json_decref(a.lines);
    reel_source_release(&s);
}


static void
test_resume(void **state)
{
    (void) state;

    resume("r.mp4", 48000, "-f lavfi -i \"aevalsrc='0.3*sin(2765*t)"
           "+0.1*sin(7000*t)':s=44100:d=23\" -c:a aac");
    resume("r.mp3", 48000, "-f lavfi -i \"aevalsrc='0.3*sin(2765*t)"
           "+0.1*sin(7000*t)':s=44100:d=23\" -c:a libmp3lame");
}


/* a film's sound in many tasks is that of one: a sample's shift of these
   tones is 830, of what is louder than it more */
static void
stretches(const char *name, const char *codec, reel_audio_codec_t to)
{
    double               worst;
    char                 args[1024];
    uint32_t             i;
    reel_source_t        s;
    media_answer_t       a;
    reel_encode_audio_t  t;

    (void) snprintf(args, sizeof(args), "-f lavfi -i \"aevalsrc='"
                    "0.2*sin(2765*t)+0.1*sin(7000*t)':s=%s", codec);
    media_make(name, args);
    media_inspect(&s, name);
    audio_task(&t, &s, RATE);
    t.codec = to;

    (void) unlink(media_path("whole.mp4"));
    (void) unlink(media_path("seams.mp4"));
    encode(&t, name, 0, "whole.mp4", &a);
    json_decref(a.lines);

    for (i = 0; i < t.grid.fragments; i += 3) {
        t.frag_from = i;
        t.frag_to = i + 3 < t.grid.fragments ? i + 3 : t.grid.fragments;
        encode(&t, name, 0, "seams.mp4", &a);
        json_decref(a.lines);
    }

    worst = differ("whole.mp4", "seams.mp4");
    print_message("%s: differs by %.0f\n", name, worst);

    if (worst >= 400) {
        fail_msg("%s: stretches differ by %.0f from one run", name, worst);
    }

    reel_source_release(&s);
}


static void
test_stretches(void **state)
{
    (void) state;

    stretches("t.mp4", "48000:d=40\" -c:a aac", REEL_AUDIO_AAC);
    stretches("t.mp4", "44100:d=40\" -c:a aac", REEL_AUDIO_OPUS);
    stretches("t.mov", "44100:d=40\" -c:a pcm_s16le", REEL_AUDIO_AAC);
    stretches("t.mkv", "48000:d=40\" -c:a aac", REEL_AUDIO_AAC);
    stretches("u.mkv", "44100:d=40\" -c:a aac", REEL_AUDIO_AAC);
    stretches("t.mkv", "48000:d=40\" -c:a ac3", REEL_AUDIO_AAC);
    stretches("t.webm", "48000:d=40\" -c:a libopus", REEL_AUDIO_AAC);
    stretches("t.mp3", "44100:d=40\" -c:a libmp3lame", REEL_AUDIO_AAC);
    stretches("t.ts", "44100:d=40\" -c:a aac", REEL_AUDIO_AAC);
    stretches("u.ts", "48000:d=40\" -c:a mp2", REEL_AUDIO_AAC);
    stretches("t.flac", "48000:d=40\" -c:a flac", REEL_AUDIO_AAC);
    stretches("t.flv", "44100:d=40\" -c:a aac", REEL_AUDIO_AAC);
    stretches("t.avi", "48000:d=40\" -c:a libmp3lame", REEL_AUDIO_AAC);
}


/* fragment k starts with the first access unit at or after grid k */
static void
test_fragments(void **state)
{
    size_t               i, j;
    json_t              *line, *o, *frags;
    int64_t              want;
    uint32_t             k;
    reel_source_t        s;
    media_answer_t       a;
    reel_encode_audio_t  t;

    (void) state;

    make_beeps("g.mp4", 44100, 11, "-c:a aac");
    media_inspect(&s, "g.mp4");
    audio_task(&t, &s, 44100);

    (void) unlink(media_path("joined.mp4"));
    encode(&t, "g.mp4", 0, "joined.mp4", &a);

    k = 0;

    json_array_foreach(a.lines, i, line) {
        o = json_object_get(line, "object");
        if (o == NULL) {
            continue;
        }

        assert_int_equal(json_integer_value(json_object_get(o, "frag_from")),
                         k);
        frags = json_object_get(o, "frags");

        /* size, duration, samples, iframe of each in one row */
        for (j = 0; j + 3 < json_array_size(frags) || j == 0; j += 4, k++) {
            if (!json_is_integer(json_array_get(frags, j))) {
                break;
            }

            want = (k + 1 == t.grid.fragments
                    ? reel_audio_total_aus(&t.grid, 44100)
                    : reel_audio_first_au(&t.grid, 44100, k + 1))
                   - reel_audio_first_au(&t.grid, 44100, k);
            assert_int_equal(json_integer_value(json_array_get(frags, j + 2)),
                             want);
            assert_int_equal(json_integer_value(json_array_get(frags, j + 1)),
                             want * REEL_AAC_FRAME);
        }
    }

    assert_int_equal(k, t.grid.fragments);
    json_decref(a.lines);
    reel_source_release(&s);
}


/* at the least, the usual and the most of rates */
static void
check_need(const char *name, reel_audio_codec_t codec)
{
    size_t               i;
    struct stat          st;
    reel_source_t        s;
    media_answer_t       a;
    reel_encode_audio_t  t;
    static const uint32_t  kbps[] = { 32, 128, 320 };

    media_inspect(&s, name);

    for (i = 0; i < sizeof(kbps) / sizeof(kbps[0]); i++) {
        reel_attempt_t  need = { 0 };

        audio_task(&t, &s, 48000);
        t.codec = codec;
        t.kbps = kbps[i];
        t.object_frags = t.frag_to;

        (void) unlink(media_path("joined.mp4"));
        encode(&t, name, 0, "joined.mp4", &a);
        json_decref(a.lines);

        reel_allowance_need(&need, &t.grid, t.frag_to, t.kbps);
        assert_int_equal(stat(media_path("joined.mp4"), &st), 0);
        print_message("%s at %u kbit/s: %lld bytes, %llu allowed\n",
                      name, kbps[i], (long long) st.st_size,
                      (unsigned long long) need.need);

        /* without counting on what is for boxes */
        assert_true((uint64_t) st.st_size < need.need - (1u << 20));
    }

    reel_source_release(&s);
}


/* what is hardest to encode: for AAC noise, for Opus a chord that stands */
static void
test_need(void **state)
{
    (void) state;

    media_make("n.wav", "-f lavfi -i anoisesrc=c=white:a=1:r=48000:d=20 "
               "-ac 2");
    check_need("n.wav", REEL_AUDIO_AAC);

    media_make("c.wav", "-f lavfi -i \"aevalsrc='0.1*(sin(500*PI*t)"
               "+sin(1100*PI*t)+sin(2200*PI*t)+sin(4400*PI*t)"
               "+sin(9100*PI*t)+sin(13000*PI*t)+sin(23000*PI*t))'"
               ":s=48000:d=8\" -ac 2");
    check_need("c.wav", REEL_AUDIO_OPUS);
}


/* the digests of a film's packets of sound, of `n` from the `skip`th on */
static char *
packets(const char *name, unsigned skip, unsigned n)
{
    char      cmd[1024], line[256], *all;
    FILE     *fp;
    size_t    size = 0;
    unsigned  i;

    all = calloc(n + 1, sizeof(line));
    assert_non_null(all);
    (void) snprintf(cmd, sizeof(cmd), "ffmpeg -v error -i %s -map 0:a -c copy "
                    "-f framemd5 - | awk -F', *' '!/#/ { print $6 }'",
                    media_path(name));
    fp = popen(cmd, "r");
    assert_non_null(fp);

    for (i = 0; fgets(line, sizeof(line), fp) != NULL; i++) {
        if (i >= skip && i < skip + n) {
            memcpy(all + size, line, strlen(line) + 1);
            size += strlen(line);
        }
    }

    (void) pclose(fp);
    return all;
}


static void
check_same(const char *name, const char *was, const char *now)
{
    size_t  i;

    for (i = 0; was[i] == now[i] && was[i] != '\0'; i++) {
        /* void */
    }

    if (was[i] != now[i]) {
        fail_msg("%s: unit %zu of %zu and %zu", name, i / 33,
                 strlen(was) / 33, strlen(now) / 33);
    }
}


/* of each container the units themselves, at their times, also resumed */
static void
test_copied(void **state)
{
    char                *was, *now;
    size_t               i;
    reel_source_t        s;
    media_answer_t       a;
    reel_encode_audio_t  t;

    static const struct {
        const char *name;
        int         rate;
        unsigned    skip;               /* units that prime the decoder */
    } rows[] = {
        { "y.mp4", 48000, 1 }, { "z.mp4", 44100, 1 }, { "y.mkv", 48000, 0 },
        { "y.flv", 44100, 0 },
    };

    (void) state;

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        make_beeps(rows[i].name, rows[i].rate, 9, "-c:a aac");
        media_inspect(&s, rows[i].name);
        assert_true(s.audio.units.known);
        assert_string_equal(s.audio.units.refused, "");

        audio_task(&t, &s, (uint32_t) rows[i].rate);
        t.copy = true;
        t.channels = 1;
        (void) unlink(media_path("joined.mp4"));
        encode(&t, rows[i].name, 0, "joined.mp4", &a);
        assert_int_equal(samples_of(&a),
                         reel_audio_total_aus(&t.grid, t.sample_rate));
        json_decref(a.lines);

        check_beeps(rows[i].name, "joined.mp4", 1, 9,
                    delay_of(rows[i].name));
        was = packets(rows[i].name, rows[i].skip, 380);
        now = packets("joined.mp4", 0, 380);
        check_same(rows[i].name, was, now);
        free(was);

        /* the same when it goes on in the middle */
        (void) unlink(media_path("joined.mp4"));
        t.frag_to = 2;
        encode(&t, rows[i].name, 0, "joined.mp4", &a);
        json_decref(a.lines);
        t.frag_to = t.grid.fragments;
        encode(&t, rows[i].name, 2, "joined.mp4", &a);
        json_decref(a.lines);
        was = packets("joined.mp4", 0, 380);
        check_same(rows[i].name, was, now);
        free(was);
        free(now);
        reel_source_release(&s);
    }
}


/* silent units where the source has none: it begins late, and ends early */
static void
copied_around(uint32_t channels)
{
    char                 args[32];
    size_t               n, i;
    int16_t             *p;
    reel_source_t        s;
    media_answer_t       a;
    reel_encode_audio_t  t;

    (void) snprintf(args, sizeof(args), "-ac %u -c:a aac", channels);
    make_beeps("e.mp4", RATE, 4, args);
    media_inspect(&s, "e.mp4");
    audio_task(&t, &s, RATE);
    t.copy = true;
    t.channels = channels;
    t.origin -= 96 * REEL_AAC_FRAME;
    t.grid.end_ts += 3 * t.grid.gop_ts;
    t.grid.fragments += 3;
    t.frag_to = t.grid.fragments;

    (void) unlink(media_path("joined.mp4"));
    encode(&t, "e.mp4", 0, "joined.mp4", &a);
    assert_int_equal(samples_of(&a), reel_audio_total_aus(&t.grid, RATE));
    check_beeps("e.mp4", "joined.mp4", 1, 4, 96.0 * REEL_AAC_FRAME / RATE);

    p = media_sound("joined.mp4", &n);
    assert_true(n > 9 * RATE);
    for (i = (size_t) (6.2 * RATE); i < n; i++) {
        assert_in_range(p[i] + 4, 0, 8);
    }

    assert_int_equal(json_integer_value(json_object_get(
                         media_line(&a, "object"), "channels")), channels);

    free(p);
    json_decref(a.lines);
    reel_source_release(&s);
}


static void
test_copied_around(void **state)
{
    (void) state;

    copied_around(1);
    copied_around(2);
}


/* an FLV whose AudioSpecificConfig has `len` bytes: it ends in zeros */
static void
lengthen(const char *from, const char *to, size_t len)
{
    size_t    n, at, size, pad;
    uint8_t  *data;

    data = media_read(from, &n);
    data = realloc(data, n + len);
    assert_non_null(data);

    /* the tag of sound, AAC, that is a sequence header */
    for (at = 9 + 4; data[at] != 8 || data[at + 12] != 0; at += 15 + size) {
        size = (size_t) data[at + 1] << 16 | data[at + 2] << 8 | data[at + 3];
        assert_true(at + 15 + size + 15 < n);
    }

    size = data[at + 3];
    pad = len - (size - 2);
    data[at + 3] = (uint8_t) (size + pad);

    at += 11 + size;
    memmove(data + at + pad, data + at, n - at);
    memset(data + at, 0, pad);
    data[at + pad + 3] += (uint8_t) pad;
    media_write(to, data, n + pad);
    free(data);
}


/* what is copied can be written: as long as its configuration may be */
static void
test_copied_config(void **state)
{
    reel_source_t        s;
    media_answer_t       a;
    reel_encode_audio_t  t;

    (void) state;

    make_beeps("l.flv", 44100, 2, "-ac 2 -c:a aac");

    lengthen("l.flv", "l64.flv", REEL_AAC_CONFIG_MAX);
    media_inspect(&s, "l64.flv");
    assert_string_equal(s.audio.units.refused, "");

    audio_task(&t, &s, 44100);
    t.copy = true;
    (void) unlink(media_path("joined.mp4"));
    encode(&t, "l64.flv", 0, "joined.mp4", &a);
    json_decref(a.lines);
    check_beeps("l64.flv", "joined.mp4", 1, 2, delay_of("l64.flv"));
    reel_source_release(&s);

    lengthen("l.flv", "l65.flv", REEL_AAC_CONFIG_MAX + 1);
    media_inspect(&s, "l65.flv");
    assert_string_equal(s.audio.units.refused,
                        "its AudioSpecificConfig is unusually long");
    reel_source_release(&s);
}


static int
clufs_of(const reel_encode_audio_t *t, const char *source)
{
    int             clufs;
    reel_buf_t      b;
    media_answer_t  a;

    reel_buf_init(&b, REEL_PAYLOAD_MAX);
    assert_int_equal(reel_encode_audio_print(&b, t), REEL_OK);
    a = media_run(reel_av_loudness, source, (char *) b.data, b.len, NULL, 0,
                  0);
    assert_int_equal(a.status, 0);
    clufs = (int) json_integer_value(json_object_get(
                      media_line(&a, "loudness"), "clufs"));
    json_decref(a.lines);
    reel_buf_release(&b);

    return clufs;
}


/* stretches of a clip measure all of it: each gets the same gain */
static void
test_measures(void **state)
{
    reel_source_t        s, made;
    media_answer_t       a;
    reel_encode_audio_t  t, again;

    (void) state;

    media_make("l.wav", "-f lavfi -i "
               "\"aevalsrc='if(lt(t,4),0.02,0.08)*sin(2765*t)':s=48000:d=8\"");
    media_inspect(&s, "l.wav");
    audio_task(&t, &s, RATE);
    t.lufs = -20;
    assert_true(clufs_of(&t, "l.wav") < -2300);

    encode(&t, "l.wav", 0, "level.mp4", &a);
    json_decref(a.lines);
    media_inspect(&made, "level.mp4");
    audio_task(&again, &made, RATE);
    assert_in_range(clufs_of(&again, "level.mp4") + 2000 + 30, 0, 60);

    t.frag_to = 2;
    encode(&t, "l.wav", 0, "levels.mp4", &a);
    json_decref(a.lines);
    t.frag_from = 2;
    t.frag_to = t.grid.fragments;
    encode(&t, "l.wav", 0, "levels.mp4", &a);
    json_decref(a.lines);

    /* of a tone that has, alone, an amplitude of 4600 and, here, 1150 */
    assert_true(differ("level.mp4", "levels.mp4") < 400);

    reel_source_release(&made);
    reel_source_release(&s);
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_formats),
        cmocka_unit_test(test_mix_down),
        cmocka_unit_test(test_surround),
        cmocka_unit_test(test_silence),
        cmocka_unit_test(test_vorbis_ends),
        cmocka_unit_test(test_vorbis_stretches),
        cmocka_unit_test(test_resume),
        cmocka_unit_test(test_stretches),
        cmocka_unit_test(test_fragments),
        cmocka_unit_test(test_need),
        cmocka_unit_test(test_copied),
        cmocka_unit_test(test_copied_around),
        cmocka_unit_test(test_copied_config),
        cmocka_unit_test(test_measures),
    };

    return cmocka_run_group_tests(tests, media_setup, media_teardown);
}
