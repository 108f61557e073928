/*
 * Who does a piece of work holds a range of bytes of one file, which is
 * empty and stays: a lock goes with its process, and leaves nothing to clean
 * up.  Each piece has SPAN bytes, at a place that follows from its digest and
 * the source's: two of 16 million have the same, and wait for each other.  Who
 * holds it has all from some byte on to the end; which byte tells whoever is
 * refused since when, and whether it is its own asset (or one of 65536, which
 * then makes the same beside it).
 */

#include "lib/store/twins.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/crc32c.h"

/* 62 bits in all: an off_t has no more, and an end */
#define OWNER_BITS 16
#define TIME_BITS  22           /* seconds: 48 days */
#define PLACE_BITS 24
#define SPAN       (UINT64_C(1) << (OWNER_BITS + TIME_BITS))
#define TIME_MASK  ((1u << TIME_BITS) - 1)
#define ALL        (SPAN << PLACE_BITS)


/* the first 32 bits of a sum in hex */
static reel_err_t
word(const char *hex, uint32_t *v)
{
    char    s[9];
    size_t  n = strspn(hex, "0123456789abcdef");

    if (n < 8) {
        return REEL_INVAL;
    }

    memcpy(s, hex, 8);
    s[8] = '\0';
    *v = (uint32_t) strtoul(s, NULL, 16);

    return REEL_OK;
}


static uint32_t
owner_of(const char *asset)
{
    return reel_crc32c(0, asset, strlen(asset)) & ((1u << OWNER_BITS) - 1);
}


/* the file is made by whoever comes first */
static reel_err_t
open_file(reel_store_t *s, reel_multipart_t **file)
{
    reel_err_t  err;

    err = reel_multipart_open(s, REEL_KEY_TWINS_WORK, file);
    if (err != REEL_NOTFOUND) {
        return err;
    }

    err = reel_store_put_if_absent(s, REEL_KEY_TWINS_WORK, "", 0);

    return err == REEL_OK || err == REEL_EXISTS
           ? reel_multipart_open(s, REEL_KEY_TWINS_WORK, file) : err;
}


/* what the lock of another says */
static reel_err_t
look(reel_multipart_t *file, uint64_t place, uint32_t owner, uint32_t now,
    uint32_t *for_s)
{
    uint64_t    at;
    reel_err_t  err;

    *for_s = 0;

    err = reel_multipart_holder(file, place, SPAN, &at);
    if (err == REEL_NOTFOUND) {
        return REEL_AGAIN;              /* it has ended since */
    }
    if (err != REEL_OK) {
        return err;
    }

    at = at > place ? at - place : 0;
    if ((at & ((1u << OWNER_BITS) - 1)) == owner) {
        return REEL_EXISTS;
    }

    *for_s = (now - (uint32_t) (at >> OWNER_BITS)) & TIME_MASK;
    if (*for_s > TIME_MASK / 2) {
        *for_s = 0;                     /* its clock is ahead of ours */
    }

    return REEL_AGAIN;
}


reel_err_t
reel_twins_begin(reel_store_t *s, const char *hash, const char *digest,
    const char *asset, int64_t now_s, reel_multipart_t **work,
    uint32_t *for_s)
{
    uint32_t           a, b, owner = owner_of(asset);
    uint32_t           now = (uint32_t) ((uint64_t) now_s & TIME_MASK);
    uint64_t           place, from;
    reel_err_t         err;
    reel_multipart_t  *file = NULL;

    *work = NULL;
    *for_s = 0;

    if (word(hash, &a) != REEL_OK || word(digest, &b) != REEL_OK) {
        return REEL_INVAL;
    }

    err = open_file(s, &file);
    if (err != REEL_OK) {
        return err;
    }

    place = ((a ^ b) >> (32 - PLACE_BITS)) * SPAN;
    from = (uint64_t) now << OWNER_BITS | owner;

    err = reel_multipart_lock(file, place + from, SPAN - from, false);
    if (err == REEL_OK) {
        *work = file;
        return REEL_OK;
    }
    if (err == REEL_AGAIN) {
        err = look(file, place, owner, now, for_s);
    }
    reel_multipart_close(file);

    return err;
}


/* a child that is being born may have the file open yet */
void
reel_twins_end(reel_multipart_t *work)
{
    if (work != NULL) {
        reel_multipart_unlock(work, 0, ALL);
        reel_multipart_close(work);
    }
}
