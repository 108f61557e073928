#include "lib/base/bits.h"
#include "lib/codec/av1.h"


/* ISO 23091-2 */
#define CP_BT709   1
#define TC_SRGB    13
#define MC_RGB     0


/* what of the timing says how long later fields are */
typedef struct {
    bool     decoder_model;
    unsigned delay_bits;        /* of buffer delays */
    bool     display_delay;
} timing_t;


/* timing_info() and decoder_model_info(), 5.5.3 and 5.5.4 */
static void
read_timing(timing_t *t, reel_bits_t *b)
{
    if (!reel_bits_u(b, 1)) {
        return;
    }

    reel_bits_u(b, 32);                     /* num_units_in_display_tick */
    reel_bits_u(b, 32);                     /* time_scale */

    if (reel_bits_u(b, 1)) {
        reel_bits_ue(b);                    /* uvlc(), 4.10.3, is the same */
    }

    t->decoder_model = reel_bits_u(b, 1);

    if (t->decoder_model) {
        t->delay_bits = reel_bits_u(b, 5) + 1;
        reel_bits_u(b, 32);                 /* num_units_in_decoding_tick */
        reel_bits_u(b, 10);
    }
}


/* 5.5.1: the first is what a decoder chooses by itself */
static void
read_operating_point(reel_av1_sequence_t *s, reel_bits_t *b,
    const timing_t *t, bool first)
{
    uint8_t  level, tier = 0;

    reel_bits_u(b, 12);                     /* operating_point_idc */
    level = (uint8_t) reel_bits_u(b, 5);

    if (level > 7) {
        tier = (uint8_t) reel_bits_u(b, 1);
    }

    if (first) {
        s->level = level;
        s->tier = tier;
    }

    if (t->decoder_model && reel_bits_u(b, 1)) {
        reel_bits_u(b, t->delay_bits);
        reel_bits_u(b, t->delay_bits);
        reel_bits_u(b, 1);                  /* low_delay_mode_flag */
    }

    if (t->display_delay && reel_bits_u(b, 1)) {
        reel_bits_u(b, 4);
    }
}


static void
read_operating_points(reel_av1_sequence_t *s, reel_bits_t *b)
{
    timing_t  t = { 0 };
    unsigned  i, n;

    read_timing(&t, b);
    t.display_delay = reel_bits_u(b, 1);
    n = reel_bits_u(b, 5) + 1;

    for (i = 0; i < n; i++) {
        read_operating_point(s, b, &t, i == 0);
    }
}


static void
read_size(reel_av1_sequence_t *s, reel_bits_t *b, bool reduced)
{
    unsigned  w, h;

    w = reel_bits_u(b, 4) + 1;
    h = reel_bits_u(b, 4) + 1;
    s->width = reel_bits_u(b, w) + 1;
    s->height = reel_bits_u(b, h) + 1;

    if (!reduced && reel_bits_u(b, 1)) {
        reel_bits_u(b, 7);                  /* lengths of frame ids */
    }
}


/* the tools between size and colours */
static void
skip_tools(reel_bits_t *b, bool reduced)
{
    bool  order_hint, screen;

    reel_bits_u(b, 3);

    if (!reduced) {
        reel_bits_u(b, 4);
        order_hint = reel_bits_u(b, 1);

        if (order_hint) {
            reel_bits_u(b, 2);
        }

        /* chosen a frame, or forced */
        screen = reel_bits_u(b, 1) || reel_bits_u(b, 1);

        if (screen && !reel_bits_u(b, 1)) {
            reel_bits_u(b, 1);              /* seq_force_integer_mv */
        }

        if (order_hint) {
            reel_bits_u(b, 3);
        }
    }

    reel_bits_u(b, 3);                      /* superres, cdef, restoration */
}


/* how chroma is sampled, by profile; 5.5.2 */
static void
read_subsampling(reel_av1_sequence_t *s, reel_bits_t *b)
{
    s->subsampling_x = 1;
    s->subsampling_y = 1;

    if (s->profile == 1) {
        s->subsampling_x = 0;
        s->subsampling_y = 0;

    } else if (s->profile == 2) {
        s->subsampling_y = 0;

        if (s->bit_depth == 12) {
            s->subsampling_x = (uint8_t) reel_bits_u(b, 1);

            if (s->subsampling_x) {
                s->subsampling_y = (uint8_t) reel_bits_u(b, 1);
            }
        }
    }

    if (s->subsampling_x && s->subsampling_y) {
        s->chroma_position = (uint8_t) reel_bits_u(b, 2);
    }
}


/* color_config(), 5.5.2 */
static void
read_colours(reel_av1_sequence_t *s, reel_bits_t *b)
{
    bool  high = reel_bits_u(b, 1);

    s->bit_depth = high ? 10 : 8;

    if (s->profile == 2 && high && reel_bits_u(b, 1)) {
        s->bit_depth = 12;
    }

    s->monochrome = s->profile != 1 && reel_bits_u(b, 1);

    if (reel_bits_u(b, 1)) {
        s->primaries = (uint8_t) reel_bits_u(b, 8);
        s->transfer = (uint8_t) reel_bits_u(b, 8);
        s->matrix = (uint8_t) reel_bits_u(b, 8);
    }

    if (!s->monochrome && s->primaries == CP_BT709 && s->transfer == TC_SRGB
        && s->matrix == MC_RGB)
    {
        s->full_range = 1;                  /* 4:4:4, and nothing is said */
        return;
    }

    s->full_range = (uint8_t) reel_bits_u(b, 1);

    if (s->monochrome) {
        s->subsampling_x = 1;
        s->subsampling_y = 1;
        return;
    }

    read_subsampling(s, b);
}


reel_err_t
reel_av1_sequence(reel_av1_sequence_t *s, const uint8_t *p, size_t len)
{
    bool         reduced;
    reel_bits_t  b;

    *s = (reel_av1_sequence_t) { .primaries = 2, .transfer = 2, .matrix = 2 };
    reel_bits_init(&b, p, len);

    s->profile = (uint8_t) reel_bits_u(&b, 3);
    reel_bits_u(&b, 1);                     /* still_picture */
    reduced = reel_bits_u(&b, 1);

    if (reduced) {
        s->level = (uint8_t) reel_bits_u(&b, 5);
    } else {
        read_operating_points(s, &b);
    }

    read_size(s, &b, reduced);
    skip_tools(&b, reduced);
    read_colours(s, &b);

    if (b.err == REEL_OK && s->profile > 2) {
        return REEL_BADDATA;
    }

    return b.err;
}
