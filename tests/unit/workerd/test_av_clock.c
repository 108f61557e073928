/* clocks of transport streams that jump, and those that only look so */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "workerd/av_clock.h"

#define S INT64_C(90000)

static reel_av_clock_t   clocks;
static reel_av_source_t  src;


static int
setup(void **state)
{
    (void) state;

    clocks = (reel_av_clock_t) { 0 };
    src = (reel_av_source_t) { 0 };
    src.fmt = avformat_alloc_context();
    assert_non_null(src.fmt);
    src.fmt->iformat = av_find_input_format("mpegts");

    for (int i = 0; i < 2; i++) {
        assert_non_null(avformat_new_stream(src.fmt, NULL));
        src.fmt->streams[i]->time_base = (AVRational) { 1, S };
    }

    return 0;
}


static int
teardown(void **state)
{
    (void) state;

    /* it was not opened: nothing of the demuxer's is in it */
    avformat_free_context(src.fmt);

    return 0;
}


/* the pts that a packet gets which is shown `later` than it is decoded */
static int64_t
see(int track, int64_t dts, int64_t later, int64_t duration)
{
    int64_t    pts;
    AVPacket  *pkt = av_packet_alloc();

    assert_non_null(pkt);
    pkt->stream_index = track;
    pkt->dts = dts;
    pkt->pts = dts + later;
    pkt->duration = duration;
    src.pos[track] += 188;

    reel_av_clock_see(&clocks, &src, pkt);
    assert_true(pkt->pts - pkt->dts == later);
    pts = pkt->pts;
    av_packet_free(&pkt);

    return pts;
}


static void
pictures_out_of_order_do_not_jump(void **state)
{
    static const int  later[] = { 2, 5, 1, 1, 1 };

    (void) state;

    /* one a second, shown up to five seconds later: pts go back by four */
    for (int i = 0; i < 50; i++) {
        assert_int_equal(see(0, i * S, later[i % 5] * S, S),
                         (i + later[i % 5]) * S);
    }

    assert_int_equal(clocks.track[0].jumps.n, 0);
}


static void
slides_do_not_jump(void **state)
{
    (void) state;

    for (int i = 0; i < 20; i++) {
        assert_int_equal(see(0, i * 15 * S, 0, S / 25), i * 15 * S);
    }

    assert_int_equal(clocks.track[0].jumps.n, 0);
}


/* three parts of a second: from 100 s, from 0 s, from 5000 s */
static void
tracks_jump_together(void **state)
{
    int64_t           at[2] = { 100 * S, 100 * S };
    static const int  from[] = { 100, 0, 5000 };

    (void) state;

    for (int part = 0; part < 3; part++) {
        for (int i = 0; i < 25; i++) {
            for (int track = 0; track < 2; track++) {
                assert_int_equal(see(track, from[part] * S + i * S / 25
                                            + track * 100, 0, S / 25),
                                 at[track] + track * 100);
                at[track] += S / 25;
            }
        }
    }

    for (int track = 0; track < 2; track++) {
        assert_int_equal(clocks.track[track].jumps.n, 2);
        assert_int_equal(clocks.track[track].jumps.jump[0].shift, 101 * S);
        assert_int_equal(clocks.track[track].jumps.jump[1].shift,
                         (102 - 5000) * S);
    }
}


static void
a_damaged_time_is_one_of_its_own(void **state)
{
    (void) state;

    for (int i = 0; i < 100; i++) {
        assert_int_equal(see(0, i == 50 ? 777777 * S : i * S / 25, 0, S / 25),
                         i * S / 25);
    }

    assert_int_equal(clocks.track[0].jumps.n, 2);
    assert_int_equal(clocks.track[0].jumps.jump[1].shift, 0);
}


static void
a_wild_one_is_left_alone(void **state)
{
    (void) state;

    for (int i = 0; i < 200; i++) {
        see(0, i % 2 * 3600 * S * (i % 7 + 1) + i, 0, S / 25);
    }

    assert_int_equal(clocks.track[0].jumps.n, REEL_SOURCE_JUMPS);
    assert_true(clocks.track[0].full);
}


static void
other_containers_have_one_clock(void **state)
{
    (void) state;

    src.fmt->iformat = av_find_input_format("mov");
    see(0, 100 * S, 0, S);
    assert_int_equal(see(0, 0, 0, S), 0);
    src.fmt->iformat = av_find_input_format("mpegts");
}


#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
    const struct CMUnitTest  tests[] = {
        T(pictures_out_of_order_do_not_jump), T(slides_do_not_jump),
        T(tracks_jump_together), T(a_damaged_time_is_one_of_its_own),
        T(a_wild_one_is_left_alone), T(other_containers_have_one_clock)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
