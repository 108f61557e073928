#include "tests/unit/mp4/tracks.h"


/* of x264, 640x360 High 3.0, BT.709 */
static const char  avcc[] =
    "\x01\x64\x00\x1e\xff\xe1\x00\x1e\x67\x64\x00\x1e\xac\xd9\x40\xa0\x2f\xf9"
    "\x70\x16\xa0\x20\x20\x28\x00\x00\x03\x00\x08\x00\x00\x03\x01\x80\x78\xb1"
    "\x6c\xb0\x01\x00\x06\x68\xeb\xe3\xcb\x22\xc0\xfd\xf8\xf8\x00";


/* of x265, 320x180 Main 10, PQ of BT.2020 */
static const char  hvcc[] =
    "\x01\x02\x20\x00\x00\x00\x90\x00\x00\x00\x00\x00\x3c\xf0\x00\xfc\xfd"
    "\xfa\xfa\x00\x00\x0f\x03\xa0\x00\x01\x00\x18\x40\x01\x0c\x01\xff\xff"
    "\x02\x20\x00\x00\x03\x00\x90\x00\x00\x03\x00\x00\x03\x00\x3c\x95\x94"
    "\x09\xa1\x00\x01\x00\x2e\x42\x01\x01\x02\x20\x00\x00\x03\x00\x90\x00"
    "\x00\x03\x00\x00\x03\x00\x3c\xa0\x0a\x08\x0c\x1f\x3b\x65\x95\x95\x29"
    "\x30\xbc\x05\xa8\x48\x80\x48\x20\x00\x00\x03\x00\x20\x00\x00\x03\x03"
    "\x01\xa2\x00\x01\x00\x06\x44\x01\xc0\x73\xc1\x89";

/* of SVT-AV1, 320x180, 10 bit, HLG of BT.2020 */
static const char  av1c[] =
    "\x81\x00\x4c\x00\x0a\x0e\x00\x00\x00\x04\x3c\xfe\xcc\x02\xf8\x50\x91"
    "\x20\x90\x40";

static const char  vpcc[] =
    "\x01\x00\x00\x00\x00\x0b\x82\x02\x02\x02\x00\x00";

/* libopus, 5.1 */
static const char  dops[] =
    "\x00\x06\x01\x38\x00\x00\xbb\x80\x00\x00\x01\x04\x02\x00\x04\x01\x02"
    "\x03\x05";

/* libavcodec, 96 kHz in 24 bit, stereo */
static const char  dfla[] =
    "\x00\x00\x00\x00\x80\x00\x00\x22\x10\x00\x10\x00\x00\x00\x00\x00\x00"
    "\x00\x17\x70\x03\x70\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
    "\x00\x00\x00\x00\x00\x00\x00\x00";

#define CONFIG(name) { (name), sizeof(name) - 1 }

#define VIDEO(w, h)                                                           \
    .track_id = REEL_TRACK_VIDEO, .timescale = 24000, .language = "und",      \
    .width = (w), .height = (h)

#define SOUND(rate, n)                                                        \
    .track_id = REEL_TRACK_AUDIO, .timescale = (rate), .language = "deu",     \
    .sample_rate = (rate), .channels = (n)


const track_case_t  track_cases[] = {
    { "hevc", "hvc1.2.4.L60.90",
      { .codec = REEL_CODEC_HEVC, .config = CONFIG(hvcc), VIDEO(320, 180),
        .primaries = 9, .transfer = 16, .matrix = 9,
        .hdr = { true, { { 13250, 34500 }, { 7500, 3000 }, { 34000, 16000 } },
                 { 15635, 16450 }, 10000000, 1, true, 1000, 400 } } },
    { "av1", "av01.0.00M.10.0.110.09.18.09.0",
      { .codec = REEL_CODEC_AV1, .config = CONFIG(av1c), VIDEO(320, 180),
        .primaries = 9, .transfer = 18, .matrix = 9 } },
    { "vp9", "vp09.00.11.08",
      { .codec = REEL_CODEC_VP9, .config = CONFIG(vpcc), VIDEO(320, 180),
        .primaries = 2, .transfer = 2, .matrix = 2 } },
    { "heaac", "mp4a.40.5",
      { .codec = REEL_CODEC_AAC, .config = CONFIG("\x2b\x11\x88\x00"),
        SOUND(48000, 2), .bitrate = 64000 } },
    { "heaac2", "mp4a.40.29",
      { .codec = REEL_CODEC_AAC,
        .config = CONFIG("\x13\x08\x56\xe5\x9d\x48\x80"),
        SOUND(48000, 2), .bitrate = 32000 } },
    { "opus", "opus",
      { .codec = REEL_CODEC_OPUS, .config = CONFIG(dops), SOUND(48000, 6) } },
    { "ac3", "ac-3",
      { .codec = REEL_CODEC_AC3, .config = CONFIG("\x10\x3d\xe0"),
        SOUND(48000, 6) } },
    { "eac3", "ec-3",
      { .codec = REEL_CODEC_EAC3, .config = CONFIG("\x0c\x00\x20\x0f\x02"
                                                  "\x02"), SOUND(48000, 8) } },
    { "flac", "fLaC",
      { .codec = REEL_CODEC_FLAC, .config = CONFIG(dfla), SOUND(96000, 2) } }
};

const size_t  track_ncases = sizeof(track_cases) / sizeof(track_cases[0]);


reel_cmaf_track_t
track_video(void)
{
    return (reel_cmaf_track_t) {
        .codec = REEL_CODEC_AVC, .track_id = REEL_TRACK_VIDEO,
        .timescale = 90000, .config = { avcc, sizeof(avcc) - 1 },
        .language = "und", .width = 640, .height = 360, .primaries = 1,
        .transfer = 1, .matrix = 1
    };
}


reel_cmaf_track_t
track_audio(void)
{
    return (reel_cmaf_track_t) {
        .codec = REEL_CODEC_AAC, .track_id = REEL_TRACK_AUDIO,
        .timescale = 48000, .config = REEL_STR("\x11\x90"),
        .language = "eng", .channels = 2, .sample_rate = 48000,
        .bitrate = 128000
    };
}


uint32_t
be32(const char *p)
{
    const uint8_t  *u = (const uint8_t *) p;

    return (uint32_t) u[0] << 24 | (uint32_t) u[1] << 16
           | (uint32_t) u[2] << 8 | u[3];
}


/* bytes before the boxes within */
static size_t
fields(reel_str_t type)
{
    size_t  i;

    static const char *const  visual[] = { "avc1", "hvc1", "av01", "vp09" };
    static const char *const  sound[] = {
        "mp4a", "Opus", "ac-3", "ec-3", "fLaC"
    };

    if (reel_str_eqz(type, "stsd") || reel_str_eqz(type, "dref")) {
        return 8;
    }

    for (i = 0; i < sizeof(visual) / sizeof(visual[0]); i++) {
        if (reel_str_eqz(type, visual[i])) {
            return 78;
        }
    }

    for (i = 0; i < sizeof(sound) / sizeof(sound[0]); i++) {
        if (reel_str_eqz(type, sound[i])) {
            return 28;
        }
    }

    return 0;
}


reel_str_t
find_box(reel_str_t in, const char *path)
{
    size_t      size, skip;
    reel_str_t  want, rest;

    want = reel_str_cut(reel_str(path), '/', &rest);

    while (in.len >= 8) {
        size = be32(in.p);

        if (size < 8 || size > in.len) {
            break;
        }

        if (memcmp(in.p + 4, want.p, 4) == 0) {
            in = (reel_str_t) { in.p + 8, size - 8 };

            if (rest.p == NULL) {
                return in;
            }

            skip = fields(want);

            return find_box((reel_str_t) { in.p + skip, in.len - skip },
                            rest.p);
        }

        in.p += size;
        in.len -= size;
    }

    return (reel_str_t) { NULL, 0 };
}
