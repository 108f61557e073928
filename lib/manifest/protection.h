/*
 * What manifests say of encryption: EXT-X-KEY and EXT-X-SESSION-KEY
 * (RFC 8216bis, 4.4.4.4 and 4.4.6.5), ContentProtection (ISO 23009-1, 5.8.4.1).
 *
 * Keys are of a track, "video" or "audio", and of a period; with AES-128,
 * whose IVs are sequence numbers, of a rendition in one form.  Their URIs are
 * relative, so that a token in the path reaches them:
 * "../video~<hash>/<period>.key", or "<period>.key" beside the segments.
 */

#ifndef REEL_MANIFEST_PROTECTION_H
#define REEL_MANIFEST_PROTECTION_H

#include "lib/crypt/pssh.h"
#include "lib/manifest/listing.h"

struct reel_protection_s {
    reel_key_source_t keys;
    uint32_t   period;          /* fragments that a key lasts; 0: all */
    unsigned   systems;         /* bits: 1 << REEL_SYSTEM_* */
    bool       delivered;       /* keys and licenses, below the asset */
    uint32_t   variant;         /* of all else that changes bytes */
    reel_str_t key_uri;         /* instead; {asset}, {kid}, {period} */
    reel_str_t key_format;      /* of that */
    reel_str_t license_uri;     /* of ClearKey, absolute; may be empty */
    reel_str_t prefix;          /* of names: of a file in a title, "2-" */
};

/* what AES-128 makes of one rendition: each form has keys of its own */
typedef enum {
    REEL_FORM_SEGMENTS,
    REEL_FORM_IFRAMES
} reel_form_t;

/* the period of a fragment */
static inline uint32_t
reel_protection_period(const reel_protection_t *p, uint32_t fragment)
{
    return p->period != 0 ? fragment / p->period : 0;
}

/* the scheme, clear without protection */
static inline reel_scheme_t
reel_protection_scheme(const reel_protection_t *p)
{
    return p != NULL ? p->keys.scheme : REEL_SCHEME_CLEAR;
}

/* what encryption adds to the fragments of a rendition */
typedef struct {
    uint64_t fragment;          /* bytes to each */
    uint64_t sample;            /* to each of its samples */
    uint64_t segment;           /* to each segment */
} reel_protection_bytes_t;

/*
 * saiz, saio, senc with IVs, and of video an entry a sample, as pictures of
 * one slice have; with rotation a sample group, and pssh boxes; AES-128 pads.
 */
reel_protection_bytes_t reel_protection_bytes(const reel_protection_t *p,
    bool video);

/* can the scheme encrypt what r holds? */
bool reel_protection_fits(const reel_protection_t *p,
    const reel_rendition_t *r);

/*
 * The name of r's track in reel_key_derive(): dst has REEL_TRACK_MAX + 1
 * bytes.
 */
reel_str_t reel_protection_track(char *dst, const reel_manifest_opts_t *o,
    const reel_rendition_t *r, reel_form_t form);

/* the key of that track in a period */
reel_err_t reel_protection_key(reel_content_key_t *k,
    const reel_manifest_opts_t *o, const reel_rendition_t *r,
    reel_form_t form, uint32_t period) REEL_WARN_UNUSED;

/*
 * The IV that is constant for r in a period: of cbcs, and of transport
 * streams with SAMPLE-AES.
 */
reel_err_t reel_protection_iv(uint8_t iv[REEL_KEY],
    const reel_manifest_opts_t *o, const reel_rendition_t *r,
    uint32_t period) REEL_WARN_UNUSED;

/* pssh boxes of the systems for one key; none for AES-128 */
void reel_protection_pssh(reel_buf_t *b, const reel_protection_t *p,
    const reel_content_key_t *k);

/*
 * The tags of a period in r's playlist, whose segments lie below prefix.
 * number: of a segment that is not its place in the playlist, but the IV of
 * AES-128; else NULL.
 */
reel_err_t reel_hls_keys(reel_buf_t *b, const reel_manifest_opts_t *o,
    const reel_rendition_t *r, reel_form_t form, const char *prefix,
    const char *hash, uint32_t period, const uint32_t *number)
    REEL_WARN_UNUSED;

/* those of the first period of all that is listed, for a master playlist */
reel_err_t reel_hls_session_keys(reel_buf_t *b, const reel_listing_t *l,
    const reel_manifest_opts_t *o) REEL_WARN_UNUSED;

/* the elements of an AdaptationSet whose first rendition is x */
void reel_dash_protection(reel_buf_t *b, const reel_manifest_opts_t *o,
    const reel_listed_t *x);

#endif
