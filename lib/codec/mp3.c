#include "lib/codec/mp3.h"

#include <stdint.h>
#include <stdio.h>


static uint8_t
type_of(reel_str_t type)
{
    return type.len == 1 ? (uint8_t) type.p[0] : 0;
}


reel_err_t
reel_mp3_facts(reel_codec_facts_t *f, reel_str_t type)
{
    *f = (reel_codec_facts_t) { .profile = type_of(type) };

    return f->profile == REEL_MP3_MPEG1 || f->profile == REEL_MP3_MPEG2
           ? REEL_OK : REEL_BADDATA;
}


reel_err_t
reel_mp3_codec_string(char *dst, size_t cap, reel_str_t type)
{
    reel_err_t          err;
    reel_codec_facts_t  f;

    err = reel_mp3_facts(&f, type);
    if (err != REEL_OK) {
        return err;
    }

    return snprintf(dst, cap, "mp4a.%02X", f.profile) < (int) cap
           ? REEL_OK : REEL_INVAL;
}
