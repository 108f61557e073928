-- hook: claims, for each endpoint that asks, the next event of an asset.
-- KEYS: the asset's hook hash.  ARGV: prefix, lease_ms, nonce, number of
-- endpoints, then twice as many: name, 1 (wants one) or 0; then the events
-- that stand, in order.
-- Reply: for each endpoint the event ('' = none now) and which try it is;
-- then the events that every endpoint has done with.
-- Per endpoint e the hash holds e:event, e:n (tries), e:next and e:until (ms),
-- e:token, and e:d:<event> of those done that stand.

local err = bad_call(4)
if err then
    return err
end

local lease, n = natural(ARGV[2]), natural(ARGV[4])

if not lease or lease < 1 or not n or #ARGV < 4 + 2 * n then
    return redis.error_reply('ERR reel: hook: bad argument')
end

-- what is known of an asset of which nothing is left to tell: so long its
-- entries may fail to be removed without being told again
local OVER_TTL = 3600

local key, first = KEYS[1], 5 + 2 * n
local reply, over = {}, {}

-- one at a time, in order: the next only when this one is done with
local function claim(e)
    local what
    for i = first, #ARGV do
        if redis.call('HEXISTS', key, e .. ':d:' .. ARGV[i]) == 0 then
            what = what or ARGV[i]
        else
            over[ARGV[i]] = (over[ARGV[i]] or 0) + 1
        end
    end

    local was, tries, at, till = unpack(redis.call('HMGET', key,
        e .. ':event', e .. ':n', e .. ':next', e .. ':until'))

    if not what or (till and tonumber(till) > NOW) then
        return '', 0
    end
    if was == what and at and tonumber(at) > NOW then
        return '', 0
    end
    return what, was == what and tonumber(tries) or 0
end

-- of events that are gone nothing needs to be known
local function forget()
    local stands = {}
    for i = first, #ARGV do
        stands[ARGV[i]] = true
    end

    for _, field in ipairs(redis.call('HKEYS', key)) do
        local what = field:match('^[^:]+:d:(.+)$')
        if what and not stands[what] then
            redis.call('HDEL', key, field)
        end
    end
end

forget()

for i = 1, n do
    local e = ARGV[3 + 2 * i]
    local what, tries = claim(e)

    if ARGV[4 + 2 * i] == '0' then
        what = ''
    elseif what ~= '' then
        tries = tries + 1
        redis.call('HSET', key, e .. ':event', what, e .. ':n', text(tries),
                   e .. ':until', text(NOW + lease), e .. ':token', ARGV[3])
        redis.call('EXPIRE', key, HOOK_TTL)
    end
    reply[#reply + 1] = what
    reply[#reply + 1] = text(tries)
end

for i = first, #ARGV do
    if over[ARGV[i]] == n then
        reply[#reply + 1] = ARGV[i]
    end
end

if #reply - 2 * n == #ARGV - first + 1 then
    redis.call('EXPIRE', key, OVER_TTL)
end

return reply
