#include "lib/codec/aac.h"
#include "lib/ts/ts_impl.h"


#define STREAM_AVC 0x1b         /* 13818-1, table 2-34 */
#define STREAM_AAC 0x0f

/* with SAMPLE-AES: see sealed.h */
#define SEALED_AVC 0xdb
#define SEALED_AAC 0xcf

#define PMT_HEAD   12           /* up to program_info_length */
#define PMT_ES     5            /* what says a stream, without its descriptors */
#define PMT_CRC    4


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


/* pictures, which have the PCR, and sound */
void
reel_ts_pmt_both(uint8_t *p, uint8_t counter)
{
    static const uint8_t  section[] = {
        0x02, 0xb0, 23, 0, 1, 0xc1, 0, 0,
        0xe0 | REEL_TS_PID_VIDEO >> 8, REEL_TS_PID_VIDEO & 0xff, 0xf0, 0,
        STREAM_AVC,
        0xe0 | REEL_TS_PID_VIDEO >> 8, REEL_TS_PID_VIDEO & 0xff, 0xf0, 0,
        STREAM_AAC,
        0xe0 | REEL_TS_PID_AUDIO >> 8, REEL_TS_PID_AUDIO & 0xff, 0xf0, 0
    };

    put_section(p, REEL_TS_PID_PMT, counter, section, sizeof(section));
}


/*
 * What SAMPLE-AES says of a stream: a private_data_indicator_descriptor
 * (2.6.28); of sound too, in a registration_descriptor (2.6.8), what a
 * decoder cannot find in the frames any more.
 */
static size_t
put_descriptors(uint8_t *p, const reel_ts_config_t *c)
{
    uint8_t  *q = p;

    static const uint8_t  avc[] = { 15, 4, 'z', 'a', 'v', 'c' };
    static const uint8_t  aac[] = { 15, 4, 'a', 'a', 'c', 'd', 5 };

    if (c->codec == REEL_TS_AVC) {
        memcpy(p, avc, sizeof(avc));
        return sizeof(avc);
    }

    memcpy(q, aac, sizeof(aac));
    q += sizeof(aac);

    *q++ = (uint8_t) (12 + c->asc.len);
    memcpy(q, "apadza", 6);
    memcpy(q + 6, c->aac == REEL_AAC_PS ? "cp"
                  : c->aac == REEL_AAC_SBR ? "ch" : "ac", 2);
    q += 8;

    *q++ = 0;                           /* priming, 16 bits */
    *q++ = 0;
    *q++ = 1;                           /* version */
    *q++ = (uint8_t) c->asc.len;
    memcpy(q, c->asc.p, c->asc.len);

    return (size_t) (q - p) + c->asc.len;
}


void
reel_ts_pmt_sealed(uint8_t *p, uint8_t counter, const reel_ts_config_t *c)
{
    size_t    n;
    uint8_t   section[REEL_TS_PACKET], *es = section + PMT_HEAD;
    uint16_t  pid = reel_ts_pid(c->codec);
    uint8_t   high = (uint8_t) (0xe0 | pid >> 8), low = (uint8_t) pid;

    static const uint8_t  head[] = { 0x02, 0xb0, 0, 0, 1, 0xc1, 0, 0 };

    memcpy(section, head, sizeof(head));
    section[8] = high;
    section[9] = low;
    section[10] = 0xf0;
    section[11] = 0;

    n = put_descriptors(es + PMT_ES, c);
    section[2] = (uint8_t) (PMT_HEAD - 3 + PMT_ES + n + PMT_CRC);

    es[0] = c->codec == REEL_TS_AVC ? SEALED_AVC : SEALED_AAC;
    es[1] = high;
    es[2] = low;
    es[3] = 0xf0;
    es[4] = (uint8_t) n;

    put_section(p, REEL_TS_PID_PMT, counter, section, PMT_HEAD + PMT_ES + n);
}
