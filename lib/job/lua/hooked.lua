-- hooked: what became of a claimed event.
-- KEYS: the asset's hook hash.  ARGV: prefix, endpoint, nonce, event, delay_ms
-- of the next try, or 'done'.  Reply: ok | stale.

local err = bad_call(5, true)
if err then
    return err
end

local key, e, what = KEYS[1], ARGV[2], ARGV[4]
local delay = natural(ARGV[5])

if not delay and ARGV[5] ~= 'done' then
    return redis.error_reply('ERR reel: hooked: bad argument')
end

local token, was = unpack(redis.call('HMGET', key, e .. ':token',
                                     e .. ':event'))

if token ~= ARGV[3] or was ~= what then
    return { 'stale' }
end

redis.call('HDEL', key, e .. ':until', e .. ':token')

if delay then
    redis.call('HSET', key, e .. ':next', text(NOW + delay))
else
    redis.call('HDEL', key, e .. ':event', e .. ':n', e .. ':next')
    redis.call('HSET', key, e .. ':d:' .. what, '1')
end

redis.call('EXPIRE', key, HOOK_TTL)

return { 'ok' }
