#include <stdio.h>

#include "lib/base/ulid.h"
#include "lib/store/layout.h"


#define OBJECT_MAX  63          /* docs/index-format.md, OBJECT name */
#define SCRATCH_MAX 127         /* with its job's prefix still a key */


bool
reel_name_valid(reel_str_t s)
{
    char    c;
    size_t  i;

    if (s.len == 0 || s.len > 32 || s.p[0] == '-') {
        return false;
    }

    for (i = 0; i < s.len; i++) {
        c = s.p[i];

        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-')) {
            return false;
        }
    }

    return true;
}


/* a file's name: [A-Za-z0-9._-], at most max bytes, no leading dot */
static bool
file_valid(reel_str_t s, size_t max)
{
    char    c;
    size_t  i;

    if (s.len == 0 || s.len > max || s.p[0] == '.') {
        return false;
    }

    for (i = 0; i < s.len; i++) {
        c = s.p[i];

        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
              || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-'))
        {
            return false;
        }
    }

    return true;
}


/* <asset-id>.<publication>, publication from 1 and without leading zeros */
static bool
job_valid(reel_str_t s)
{
    uint64_t    n;
    reel_str_t  asset, number;

    asset = reel_str_cut(s, '.', &number);

    return reel_ulid_valid(asset) && number.len != 0 && number.p[0] != '0'
           && reel_str_u64(number, UINT32_MAX, &n) == REEL_OK;
}


/* the forms above bound every length: what does not fit is our mistake */
static reel_err_t
printed(reel_key_t dst, int n)
{
    if (n < 0 || n > REEL_STORE_KEY_MAX) {
        dst[0] = '\0';
        return REEL_INVAL;
    }

    return REEL_OK;
}


static reel_err_t
refuse(reel_key_t dst)
{
    dst[0] = '\0';

    return REEL_INVAL;
}


reel_err_t
reel_key_asset(reel_key_t dst, reel_str_t asset)
{
    if (!reel_ulid_valid(asset)) {
        return refuse(dst);
    }

    return printed(dst, snprintf(dst, sizeof(reel_key_t), "assets/%.2s/%.*s",
                                 asset.p + asset.len - 2,
                                 (int) asset.len, asset.p));
}


reel_err_t
reel_key_asset_part(reel_key_t dst, reel_str_t asset, const char *part)
{
    if (!reel_ulid_valid(asset) || !file_valid(reel_str(part), OBJECT_MAX)) {
        return refuse(dst);
    }

    return printed(dst, snprintf(dst, sizeof(reel_key_t),
                                 "assets/%.2s/%.*s/%s",
                                 asset.p + asset.len - 2,
                                 (int) asset.len, asset.p, part));
}


reel_err_t
reel_key_object(reel_key_t dst, reel_str_t asset, reel_str_t rendition,
    reel_str_t object)
{
    if (!reel_ulid_valid(asset) || !reel_name_valid(rendition)
        || !file_valid(object, OBJECT_MAX))
    {
        return refuse(dst);
    }

    return printed(dst, snprintf(dst, sizeof(reel_key_t),
                                 "assets/%.2s/%.*s/%.*s/%.*s",
                                 asset.p + asset.len - 2,
                                 (int) asset.len, asset.p,
                                 (int) rendition.len, rendition.p,
                                 (int) object.len, object.p));
}


static bool
hex_valid(reel_str_t s)
{
    char    c;
    size_t  i;

    for (i = 0; i < s.len; i++) {
        c = s.p[i];

        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'))) {
            return false;
        }
    }

    return true;
}


/* 128 bits in lower-case hex */
static bool
upload_valid(reel_str_t s)
{
    return s.len == 32 && hex_valid(s);
}


reel_err_t
reel_key_upload(reel_key_t dst, reel_str_t upload, const char *part)
{
    if (!(upload_valid(upload) || reel_ulid_valid(upload))
        || (part != NULL && !file_valid(reel_str(part), OBJECT_MAX)))
    {
        return refuse(dst);
    }

    return printed(dst, snprintf(dst, sizeof(reel_key_t), "uploads/%.*s%s%s",
                                 (int) upload.len, upload.p,
                                 part != NULL ? "/" : "",
                                 part != NULL ? part : ""));
}


static bool
hash_valid(reel_str_t s)
{
    return s.len == 64 && hex_valid(s);
}


reel_err_t
reel_key_name(reel_key_t dst, reel_str_t sha256_hex)
{
    if (!hash_valid(sha256_hex)) {
        return refuse(dst);
    }

    return printed(dst, snprintf(dst, sizeof(reel_key_t), "names/%.2s/%.64s",
                                 sha256_hex.p, sha256_hex.p));
}


reel_err_t
reel_key_twin(reel_key_t dst, reel_str_t sha256_hex, const char *asset)
{
    if (!hash_valid(sha256_hex)
        || (asset != NULL && !reel_ulid_valid(reel_str(asset))))
    {
        return refuse(dst);
    }

    return printed(dst, snprintf(dst, sizeof(reel_key_t),
                                 "twins/%.2s/%.64s%s%s", sha256_hex.p,
                                 sha256_hex.p, asset != NULL ? "/" : "",
                                 asset != NULL ? asset : ""));
}


static reel_err_t
key_of_job(reel_key_t dst, const char *folder, reel_str_t asset,
    uint32_t publication)
{
    if (!reel_ulid_valid(asset) || publication == 0) {
        return refuse(dst);
    }

    return printed(dst, snprintf(dst, sizeof(reel_key_t), "%s/%.*s.%u",
                                 folder, (int) asset.len, asset.p,
                                 publication));
}


reel_err_t
reel_key_pending(reel_key_t dst, reel_str_t asset, uint32_t publication)
{
    return key_of_job(dst, "pending", asset, publication);
}


reel_err_t
reel_key_cancel(reel_key_t dst, reel_str_t asset, uint32_t publication)
{
    return key_of_job(dst, "cancel", asset, publication);
}


reel_err_t
reel_key_scratch(reel_key_t dst, reel_str_t job, const char *name)
{
    if (!job_valid(job)
        || (name != NULL && !file_valid(reel_str(name), SCRATCH_MAX)))
    {
        return refuse(dst);
    }

    return printed(dst, snprintf(dst, sizeof(reel_key_t), "scratch/%.*s%s%s",
                                 (int) job.len, job.p,
                                 name != NULL ? "/" : "",
                                 name != NULL ? name : ""));
}


/* "1", "deleted", and "~<digits>" behind them: lib/hook/event.h */
static bool
hook_valid(reel_str_t s)
{
    char    c;
    size_t  i;

    for (i = 0; i < s.len; i++) {
        c = s.p[i];

        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '~')) {
            return false;
        }
    }

    return s.len != 0 && s.len <= OBJECT_MAX;
}


reel_err_t
reel_key_hook(reel_key_t dst, reel_str_t asset, const char *name)
{
    if (!reel_ulid_valid(asset)
        || (name != NULL && !hook_valid(reel_str(name))))
    {
        return refuse(dst);
    }

    return printed(dst, snprintf(dst, sizeof(reel_key_t), "hooks/%.*s%s%s",
                                 (int) asset.len, asset.p,
                                 name != NULL ? "/" : "",
                                 name != NULL ? name : ""));
}
