#include "lib/ts/ts_impl.h"


#define STREAM_AVC 0x1b         /* 13818-1, table 2-34 */
#define STREAM_AAC 0x0f


/* annex A: the CRC of sections, highest bit first and not inverted */
static uint32_t
crc_of(const uint8_t *p, size_t n)
{
    unsigned  bit;
    uint32_t  crc = 0xffffffff;

    while (n-- != 0) {
        crc ^= (uint32_t) *p++ << 24;

        for (bit = 0; bit < 8; bit++) {
            crc = crc << 1 ^ (crc >> 31 ? 0x04c11db7 : 0);
        }
    }

    return crc;
}


/* a packet of one section, n bytes without its CRC */
static void
put_section(uint8_t *p, uint16_t pid, uint8_t counter, const uint8_t *section,
    size_t n)
{
    uint8_t   *q = p;
    uint32_t   crc = crc_of(section, n);

    *q++ = 0x47;
    *q++ = (uint8_t) (0x40 | pid >> 8);
    *q++ = (uint8_t) pid;
    *q++ = (uint8_t) (0x10 | (counter & 15));
    *q++ = 0;                           /* pointer_field */

    memcpy(q, section, n);
    q += n;

    *q++ = (uint8_t) (crc >> 24);
    *q++ = (uint8_t) (crc >> 16);
    *q++ = (uint8_t) (crc >> 8);
    *q++ = (uint8_t) crc;

    memset(q, 0xff, (size_t) (p + REEL_TS_PACKET - q));
}


/* 2.4.4.3: program 1 alone */
void
reel_ts_pat(uint8_t *p, uint8_t counter)
{
    static const uint8_t  section[] = {
        0x00, 0xb0, 13, 0, 1, 0xc1, 0, 0,
        0, 1, 0xe0 | REEL_TS_PID_PMT >> 8, REEL_TS_PID_PMT & 0xff
    };

    put_section(p, 0, counter, section, sizeof(section));
}


/* 2.4.4.8: one stream, which has the PCR too */
void
reel_ts_pmt(uint8_t *p, uint8_t counter, reel_ts_codec_t codec)
{
    uint16_t  pid = reel_ts_pid(codec);
    uint8_t   high = (uint8_t) (0xe0 | pid >> 8), low = (uint8_t) pid;

    const uint8_t  section[] = {
        0x02, 0xb0, 18, 0, 1, 0xc1, 0, 0,
        high, low, 0xf0, 0,
        codec == REEL_TS_AVC ? STREAM_AVC : STREAM_AAC, high, low, 0xf0, 0
    };

    put_section(p, REEL_TS_PID_PMT, counter, section, sizeof(section));
}
