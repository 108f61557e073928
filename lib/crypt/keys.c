#include <stdio.h>

#include "lib/base/hex.h"
#include "lib/base/reader.h"
#include "lib/crypt/digest.h"
#include "lib/crypt/hkdf.h"
#include "lib/crypt/keys.h"


#define SALT  16
#define NAME  12                /* bytes of a KID that name the track */


const char *
reel_scheme_name(reel_scheme_t scheme)
{
    static const char *const  names[REEL_SCHEMES] = {
        "clear", "aes-128", "cenc", "cbcs"
    };

    return names[scheme];
}


/* n bytes for `what`; period < 0: of all periods */
static reel_err_t
derive(uint8_t *out, size_t n, const char *what, const reel_key_source_t *s,
    reel_str_t track, int64_t period)
{
    int   len;
    char  info[REEL_HKDF_INFO_MAX + 1];

    len = snprintf(info, sizeof(info), "reel1 %s %s %.*s %.*s", what,
                   reel_scheme_name(s->scheme), (int) s->asset.len,
                   s->asset.p, (int) track.len, track.p);

    if (len < 0 || len > REEL_HKDF_INFO_MAX - 12
        || track.len > REEL_TRACK_MAX)
    {
        return REEL_INVAL;
    }

    if (period >= 0) {
        len += snprintf(info + len, sizeof(info) - (size_t) len, " %u",
                        (unsigned) period);
    }

    return reel_hkdf_sha256(out, n,
                            (reel_str_t) { (const char *) s->master,
                                           REEL_MASTER_KEY },
                            (reel_str_t) { (const char *) s->salt, SALT },
                            (reel_str_t) { info, (size_t) len });
}


reel_err_t
reel_key_kid(uint8_t kid[REEL_KID], const reel_key_source_t *s,
    reel_str_t track, uint32_t period)
{
    kid[NAME] = (uint8_t) (period >> 24);
    kid[NAME + 1] = (uint8_t) (period >> 16);
    kid[NAME + 2] = (uint8_t) (period >> 8);
    kid[NAME + 3] = (uint8_t) period;

    return derive(kid, NAME, "kid", s, track, -1);
}


bool
reel_kid_is_track(const uint8_t a[REEL_KID], const uint8_t b[REEL_KID])
{
    return reel_memeq(a, b, NAME);
}


reel_err_t
reel_key_derive(reel_content_key_t *k, const reel_key_source_t *s,
    reel_str_t track, uint32_t period)
{
    reel_err_t  err;

    err = derive(k->key, REEL_KEY, "key", s, track, period);

    return err == REEL_OK ? reel_key_kid(k->kid, s, track, period) : err;
}


reel_err_t
reel_key_iv(uint8_t iv[REEL_KEY], const reel_key_source_t *s,
    reel_str_t track, uint32_t period)
{
    return derive(iv, REEL_KEY, "iv", s, track, period);
}


reel_err_t
reel_key_find(reel_content_key_t *k, const reel_key_source_t *s,
    reel_str_t track, const uint8_t kid[REEL_KID], uint32_t periods)
{
    uint32_t    period;
    reel_err_t  err;

    period = reel_be32(kid + NAME);

    err = reel_key_kid(k->kid, s, track, period);
    if (err != REEL_OK) {
        return err;
    }

    if (period >= periods || !reel_memeq(k->kid, kid, REEL_KID)) {
        return REEL_NOTFOUND;
    }

    return derive(k->key, REEL_KEY, "key", s, track, period);
}


void
reel_kid_print(char dst[37], const uint8_t kid[REEL_KID])
{
    unsigned  i;

    static const uint8_t  lengths[] = { 4, 2, 2, 2, 6 };

    for (i = 0; i < sizeof(lengths); i++) {
        reel_hex(dst, kid, lengths[i]);
        dst += 2 * lengths[i];
        kid += lengths[i];
        *dst++ = '-';
    }

    dst[-1] = '\0';
}
