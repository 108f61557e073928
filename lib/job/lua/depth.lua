-- depth: how much work there is, for a worker's metrics.  Writes nothing.
-- KEYS: the set of queues.  ARGV: prefix, how many projects of a queue are
-- looked at.
-- Reply: of queues of light tasks, of those that need one core and of those
-- that need more: tasks that are ready, and ms that the longest waiting of
-- those that come next has waited; then tasks that run, that are delayed,
-- that are in quarantine; jobs not ended, and ms since the oldest of them was
-- submitted; workers heard of within the last minute.

local err = bad_call(2, true)
if err then
    return err
end

-- so many projects of a queue are asked how long their first task waits
local HEADS = 64

local limit = natural(ARGV[2])

if not limit or limit < 1 then
    return redis.error_reply('ERR reel: depth: bad limit')
end

-- of the first task of a project
local function waits(zk)
    local job, t = split(redis.call('ZRANGE', zk, 0, 0)[1] or '/')

    return elapsed(job and load(job, t).since)
end

local kinds = { { 0, 0 }, { 0, 0 }, { 0, 0 } }

for _, queue in ipairs(redis.call('SMEMBERS', QUEUES)) do
    local k = kinds[math.min(needs(queue) or 0, 2) + 1]
    local zk = K .. 'ready:' .. queue

    for i, project in ipairs(redis.call('ZRANGE', zk, 0, limit - 1)) do
        k[1] = k[1] + redis.call('ZCARD', zk .. ':' .. project)
        if i <= HEADS then
            k[2] = math.max(k[2], waits(zk .. ':' .. project))
        end
    end
end

local reply = {}

for _, k in ipairs(kinds) do
    reply[#reply + 1] = text(k[1])
    reply[#reply + 1] = text(k[2])
end

local oldest = redis.call('ZRANGE', K .. 'jobs', 0, 0, 'WITHSCORES')[2]

for _, n in ipairs({ redis.call('ZCARD', LEASE), redis.call('ZCARD', DELAY),
                     redis.call('XLEN', K .. 'quarantine'),
                     redis.call('ZCARD', K .. 'jobs'), elapsed(oldest),
                     redis.call('ZCOUNT', K .. 'workers',
                                text(NOW - HEARD_MS), '+inf') }) do
    reply[#reply + 1] = text(n)
end

return reply
