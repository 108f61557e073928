#include "lib/base/bits.h"
#include "lib/codec/ac3.h"


#define SYNC_WORD      0x0b77
#define FSCOD_RESERVED 3
#define FRMSIZ_CODES   38
#define BSID_AC3_MAX   10       /* above it is E-AC-3, to 16 */
#define BSID_EAC3      16

#define SUBSTREAMS     8        /* independent ones */
#define DEPENDENT      1        /* strmtyp */
#define CONVERTED      2        /* an AC-3 that was made an E-AC-3 */


/* of an independent substream, as dec3 has it */
typedef struct {
    uint8_t  fscod, bsid, bsmod, acmod, lfeon;
    uint8_t  ndependent;
    uint16_t locations;         /* chan_loc; bit 0 is the lowest */
} substream_t;


static const uint32_t  rates[] = { 48000, 44100, 32000, 0 };

/* full range channels of an acmod, 4.4.2.3 */
static const uint8_t  mode_channels[8] = { 2, 1, 2, 3, 3, 4, 4, 5 };

/* channels of a location of chan_loc, table F.6.1 */
static const uint8_t  location_channels[9] = { 2, 2, 1, 1, 2, 2, 2, 1, 1 };


static reel_err_t
copy_string(char *dst, size_t cap, const char *z)
{
    return reel_str_copy(dst, cap, reel_str(z)) == REEL_OK ? REEL_OK
                                                           : REEL_INVAL;
}


/* the lfe bit stands behind mix levels that depend on the mode, 4.3.2 */
static void
skip_mix_levels(reel_bits_t *b, uint8_t acmod)
{
    if ((acmod & 1) && acmod != 1) {
        reel_bits_u(b, 2);
    }

    if (acmod & 4) {
        reel_bits_u(b, 2);
    }

    if (acmod == 2) {
        reel_bits_u(b, 2);
    }
}


reel_err_t
reel_ac3_config(reel_buf_t *dac3, const uint8_t *frame, size_t len)
{
    uint32_t     fscod, size, bsid, bsmod, acmod, lfeon;
    reel_bits_t  b;

    reel_bits_init(&b, frame, len);

    if (reel_bits_u(&b, 16) != SYNC_WORD) {
        return REEL_BADDATA;
    }

    reel_bits_u(&b, 16);                    /* crc1 */
    fscod = reel_bits_u(&b, 2);
    size = reel_bits_u(&b, 6);
    bsid = reel_bits_u(&b, 5);
    bsmod = reel_bits_u(&b, 3);
    acmod = reel_bits_u(&b, 3);
    skip_mix_levels(&b, (uint8_t) acmod);
    lfeon = reel_bits_u(&b, 1);

    if (b.err != REEL_OK || fscod == FSCOD_RESERVED || size >= FRMSIZ_CODES) {
        return REEL_BADDATA;
    }

    if (bsid > BSID_AC3_MAX) {
        return REEL_UNSUPPORTED;
    }

    reel_buf_u24(dac3, fscod << 22 | bsid << 17 | bsmod << 14 | acmod << 11
                       | lfeon << 10 | size >> 1 << 5);

    return reel_buf_err(dac3);
}


reel_err_t
reel_ac3_facts(reel_codec_facts_t *f, reel_str_t dac3)
{
    uint8_t      fscod, acmod, lfeon;
    reel_bits_t  b;

    reel_bits_init(&b, dac3.p, dac3.len);

    fscod = (uint8_t) reel_bits_u(&b, 2);
    reel_bits_u(&b, 5 + 3);                 /* bsid, bsmod */
    acmod = (uint8_t) reel_bits_u(&b, 3);
    lfeon = (uint8_t) reel_bits_u(&b, 1);
    reel_bits_u(&b, 5 + 5);                 /* bit_rate_code, reserved */

    if (b.err != REEL_OK || fscod == FSCOD_RESERVED) {
        return REEL_BADDATA;
    }

    *f = (reel_codec_facts_t) {
        .sample_rate = rates[fscod],
        .channels = (uint16_t) (mode_channels[acmod] + lfeon),
        .frame = REEL_AC3_FRAME
    };

    return REEL_OK;
}


reel_err_t
reel_ac3_codec_string(char *dst, size_t cap, reel_str_t dac3)
{
    reel_err_t          err;
    reel_codec_facts_t  f;

    err = reel_ac3_facts(&f, dac3);

    return err != REEL_OK ? err : copy_string(dst, cap, "ac-3");
}


/* custom channel map, table E.1.4, bit 0 the highest, as chan_loc */
static uint16_t
locations_of(uint32_t map)
{
    unsigned  i;
    uint16_t  loc = 0;

    /* Lc/Rc is 5 there and 0 here; … Cvh is 12 and 7; LFE2 14 and 8 */
    for (i = 0; i < 8; i++) {
        loc |= (uint16_t) ((map >> (15 - 5 - i) & 1) << i);
    }

    return (uint16_t) (loc | (map >> 1 & 1) << 8);
}


/* one syncframe of E-AC-3, E.1.2: its type, blocks and bytes */
typedef struct {
    uint8_t     type;
    uint8_t     blocks;
    uint32_t    rate;
    uint32_t    bytes;
    substream_t s;
} frame_t;


static reel_err_t
read_frame(frame_t *f, const uint8_t *p, size_t len)
{
    uint8_t      code;
    reel_bits_t  b;

    static const uint8_t  blocks[] = { 1, 2, 3, 6 };

    *f = (frame_t) { 0 };
    reel_bits_init(&b, p, len);

    if (reel_bits_u(&b, 16) != SYNC_WORD) {
        return REEL_BADDATA;
    }

    f->type = (uint8_t) reel_bits_u(&b, 2);
    reel_bits_u(&b, 3);                     /* substreamid */
    f->bytes = 2 * (reel_bits_u(&b, 11) + 1);
    f->s.fscod = (uint8_t) reel_bits_u(&b, 2);
    code = (uint8_t) reel_bits_u(&b, 2);    /* fscod2, or numblkscod */
    f->blocks = f->s.fscod == FSCOD_RESERVED ? 6 : blocks[code];
    f->rate = f->s.fscod == FSCOD_RESERVED ? rates[code] / 2
                                           : rates[f->s.fscod];
    f->s.acmod = (uint8_t) reel_bits_u(&b, 3);
    f->s.lfeon = (uint8_t) reel_bits_u(&b, 1);
    f->s.bsid = (uint8_t) reel_bits_u(&b, 5);

    if (b.err == REEL_OK && f->s.bsid <= BSID_AC3_MAX) {
        return REEL_UNSUPPORTED;            /* an AC-3 frame among them */
    }

    reel_bits_u(&b, 5);                     /* dialnorm */
    reel_bits_u(&b, reel_bits_u(&b, 1) ? 8 : 0);

    if (f->s.acmod == 0) {
        reel_bits_u(&b, 5);
        reel_bits_u(&b, reel_bits_u(&b, 1) ? 8 : 0);
    }

    if (f->type == DEPENDENT && reel_bits_u(&b, 1)) {
        f->s.locations = locations_of(reel_bits_u(&b, 16));
    }

    if (b.err != REEL_OK || f->s.bsid > BSID_EAC3 || f->rate == 0
        || f->type > CONVERTED || f->bytes > len)
    {
        return REEL_BADDATA;
    }

    return REEL_OK;
}


/* the substreams of an access unit; n of them */
static reel_err_t
read_unit(substream_t s[SUBSTREAMS], unsigned *n, uint32_t *kbits,
    const uint8_t *p, size_t len)
{
    frame_t     f;
    uint64_t    bytes = len;
    reel_err_t  err;

    *n = 0;
    *kbits = 0;

    while (len > 0) {
        err = read_frame(&f, p, len);
        if (err != REEL_OK) {
            return err;
        }

        if (f.type != DEPENDENT) {
            if (*n == SUBSTREAMS) {
                return REEL_BADDATA;
            }

            s[(*n)++] = f.s;
            *kbits = (uint32_t) (bytes * 8 * f.rate / (f.blocks * 256u)
                                 / 1000);

        } else if (*n == 0 || s[*n - 1].ndependent == 15) {
            return REEL_BADDATA;

        } else {
            s[*n - 1].ndependent++;
            s[*n - 1].locations |= f.s.locations;
        }

        p += f.bytes;
        len -= f.bytes;
    }

    return *n != 0 ? REEL_OK : REEL_BADDATA;
}


/* F.6 */
reel_err_t
reel_eac3_config(reel_buf_t *dec3, const uint8_t *unit, size_t len)
{
    unsigned     i, n;
    uint32_t     kbits;
    reel_err_t   err;
    substream_t  s[SUBSTREAMS];

    err = read_unit(s, &n, &kbits, unit, len);
    if (err != REEL_OK) {
        return err;
    }

    if (kbits > 0x1fff) {
        return REEL_LIMIT;
    }

    reel_buf_u16(dec3, (uint16_t) (kbits << 3 | (n - 1)));

    for (i = 0; i < n; i++) {
        reel_buf_u8(dec3, (uint8_t) (s[i].fscod << 6 | s[i].bsid << 1));
        reel_buf_u8(dec3, (uint8_t) (s[i].bsmod << 4 | s[i].acmod << 1
                                     | s[i].lfeon));
        reel_buf_u8(dec3, (uint8_t) (s[i].ndependent << 1
                                     | s[i].locations >> 8));

        if (s[i].ndependent != 0) {
            reel_buf_u8(dec3, (uint8_t) s[i].locations);
        }
    }

    return reel_buf_err(dec3);
}


static void
read_substream(substream_t *s, reel_bits_t *b)
{
    s->fscod = (uint8_t) reel_bits_u(b, 2);
    s->bsid = (uint8_t) reel_bits_u(b, 5);
    reel_bits_u(b, 1 + 1);                  /* reserved, asvc */
    s->bsmod = (uint8_t) reel_bits_u(b, 3);
    s->acmod = (uint8_t) reel_bits_u(b, 3);
    s->lfeon = (uint8_t) reel_bits_u(b, 1);
    reel_bits_u(b, 3);
    s->ndependent = (uint8_t) reel_bits_u(b, 4);
    s->locations = (uint16_t) reel_bits_u(b, s->ndependent != 0 ? 9 : 1);
}


reel_err_t
reel_eac3_facts(reel_codec_facts_t *f, reel_str_t dec3)
{
    unsigned     i, n, channels;
    reel_bits_t  b;
    substream_t  first, other;

    reel_bits_init(&b, dec3.p, dec3.len);
    reel_bits_u(&b, 13);                    /* data_rate */
    n = reel_bits_u(&b, 3) + 1;
    read_substream(&first, &b);

    for (i = 1; i < n; i++) {
        read_substream(&other, &b);
    }

    if (b.err != REEL_OK || first.bsid > BSID_EAC3) {
        return REEL_BADDATA;
    }

    channels = mode_channels[first.acmod] + first.lfeon;

    for (i = 0; i < 9 && first.ndependent != 0; i++) {
        channels += (first.locations >> i & 1) * location_channels[i];
    }

    /* fscod 3 is half of a rate that the box does not name */
    *f = (reel_codec_facts_t) {
        .sample_rate = rates[first.fscod], .channels = (uint16_t) channels,
        .frame = REEL_AC3_FRAME
    };

    return REEL_OK;
}


reel_err_t
reel_eac3_codec_string(char *dst, size_t cap, reel_str_t dec3)
{
    reel_err_t          err;
    reel_codec_facts_t  f;

    err = reel_eac3_facts(&f, dec3);

    return err != REEL_OK ? err : copy_string(dst, cap, "ec-3");
}
