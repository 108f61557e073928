#include <string.h>

#include <hiredis/hiredis.h>

#include "workerd/redis.h"


size_t
reel_reply_len(const reel_reply_t *r)
{
    return r != NULL && r->type == REDIS_REPLY_ARRAY ? r->elements : 0;
}


const reel_reply_t *
reel_reply_at(const reel_reply_t *r, size_t i)
{
    return i < reel_reply_len(r) ? r->element[i] : NULL;
}


reel_str_t
reel_reply_str(const reel_reply_t *r)
{
    if (r != NULL && (r->type == REDIS_REPLY_STRING
                      || r->type == REDIS_REPLY_STATUS
                      || r->type == REDIS_REPLY_ERROR))
    {
        return (reel_str_t) { r->str, r->len };
    }

    return (reel_str_t) { "", 0 };
}


bool
reel_reply_full(const reel_reply_t *r)
{
    return r != NULL && r->type == REDIS_REPLY_ERROR
           && strncmp(r->str, "OOM ", 4) == 0;
}


bool
reel_reply_nil(const reel_reply_t *r)
{
    return r == NULL || r->type == REDIS_REPLY_NIL;
}


uint64_t
reel_reply_uint(const reel_reply_t *r)
{
    uint64_t  v;

    if (r != NULL && r->type == REDIS_REPLY_INTEGER) {
        return r->integer < 0 ? 0 : (uint64_t) r->integer;
    }

    if (reel_str_u64(reel_reply_str(r), UINT64_MAX, &v) != REEL_OK) {
        return 0;
    }

    return v;
}
