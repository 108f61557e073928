#include "lib/mp4/box.h"
#include "lib/mp4/sample_entry.h"
#include "tests/unit/mp4/moov.h"


static uint32_t
type_of(const char *t)
{
    return REEL_FOURCC(t[0], t[1], t[2], t[3]);
}


static void
put_table(reel_buf_t *b, const moov_table_t *t)
{
    size_t    box;
    uint32_t  i;

    if (t->n == 0) {
        return;
    }

    box = reel_full_box_begin(b, type_of(t->type), t->version, 0);

    for (i = 0; i < t->n; i++) {
        reel_buf_u32(b, t->words[i]);
    }

    reel_box_end(b, box);
}


static void
put_stbl(reel_buf_t *b, const moov_track_t *t)
{
    size_t    stbl, stsd;
    unsigned  i;

    stbl = reel_box_begin(b, type_of("stbl"));
    stsd = reel_full_box_begin(b, type_of("stsd"), 0, 0);
    reel_buf_u32(b, 1);
    reel_mp4_write_entry(b, &t->track);
    reel_box_end(b, stsd);

    for (i = 0; i < MOOV_TABLES; i++) {
        put_table(b, &t->tables[i]);
    }

    reel_box_end(b, stbl);
}


/* a matrix that turns nothing */
static void
put_unit(reel_buf_t *b)
{
    reel_buf_u32(b, 0x10000);
    reel_buf_zero(b, 12);
    reel_buf_u32(b, 0x10000);
    reel_buf_zero(b, 12);
    reel_buf_u32(b, 0x40000000);
}


static void
put_trak(reel_buf_t *b, const moov_track_t *t)
{
    bool    video = t->track.track_id == REEL_TRACK_VIDEO;
    size_t  trak, box, mdia, minf;

    trak = reel_box_begin(b, type_of("trak"));

    box = reel_full_box_begin(b, type_of("tkhd"), 0, 3);
    reel_buf_zero(b, 8);
    reel_buf_u32(b, t->track.track_id);
    reel_buf_zero(b, 24);
    put_unit(b);
    reel_buf_zero(b, 8);
    reel_box_end(b, box);

    if (t->elst.n != 0) {
        box = reel_box_begin(b, type_of("edts"));
        put_table(b, &t->elst);
        reel_box_end(b, box);
    }

    mdia = reel_box_begin(b, type_of("mdia"));

    box = reel_full_box_begin(b, type_of("mdhd"), 0, 0);
    reel_buf_zero(b, 8);
    reel_buf_u32(b, t->track.timescale);
    reel_buf_u32(b, 0);
    reel_buf_u16(b, 0x55c4);                /* und */
    reel_buf_u16(b, 0);
    reel_box_end(b, box);

    box = reel_full_box_begin(b, type_of("hdlr"), 0, 0);
    reel_buf_u32(b, 0);
    reel_buf_u32(b, type_of(video ? "vide" : "soun"));
    reel_buf_zero(b, 13);
    reel_box_end(b, box);

    minf = reel_box_begin(b, type_of("minf"));
    put_stbl(b, t);
    reel_box_end(b, minf);
    reel_box_end(b, mdia);
    reel_box_end(b, trak);
}


void
moov_make(reel_buf_t *b, const moov_track_t *tracks, unsigned n)
{
    size_t    box;
    unsigned  i;

    box = reel_full_box_begin(b, type_of("mvhd"), 0, 0);
    reel_buf_zero(b, 8);
    reel_buf_u32(b, 1000);
    reel_buf_zero(b, 84);
    reel_box_end(b, box);

    for (i = 0; i < n; i++) {
        put_trak(b, &tracks[i]);
    }
}
