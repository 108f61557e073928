#include "tests/unit/mp4/tracks.h"


/* of x264, 640x360 High 3.0, BT.709 */
static const char  avcc[] =
    "\x01\x64\x00\x1e\xff\xe1\x00\x1e\x67\x64\x00\x1e\xac\xd9\x40\xa0\x2f\xf9"
    "\x70\x16\xa0\x20\x20\x28\x00\x00\x03\x00\x08\x00\x00\x03\x01\x80\x78\xb1"
    "\x6c\xb0\x01\x00\x06\x68\xeb\xe3\xcb\x22\xc0\xfd\xf8\xf8\x00";


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
    if (reel_str_eqz(type, "stsd") || reel_str_eqz(type, "dref")) {
        return 8;
    }

    if (reel_str_eqz(type, "avc1")) {
        return 78;
    }

    return reel_str_eqz(type, "mp4a") ? 28 : 0;
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
