-- step: completes the last task and claims the next one, in one call.
-- KEYS: lease set.  ARGV: prefix, worker, nonce (16 hex digits), lease_ms,
-- job, task, token (all three empty: nothing to complete), classes that fit.
-- Reply: ok | stale | none, then, when a task was ready: job, task, type,
-- token, payload, attempt, timeout_s, asset, publication, project, pipeline.

local err = bad_call(7)
if err then
    return err
end

local worker, nonce, lease = ARGV[2], ARGV[3], natural(ARGV[4])
local reply = { 'none' }

if #nonce ~= 16 or nonce:find('[^0-9a-f]') or not lease or lease < 1
    or (ARGV[5] == '') ~= (ARGV[6] == '') then
    return redis.error_reply('ERR reel: step: bad argument')
end

if ARGV[5] ~= '' then
    local h = holder(ARGV[5], ARGV[6], ARGV[7])

    if h == 'running' then
        complete(ARGV[5], ARGV[6])
    end
    reply[1] = (h == 'running' or h == 'done') and 'ok' or 'stale'
end

-- The first entry of a class that may be claimed.  Entries of jobs that are
-- gone are dropped; jobs of another schema stay, for a worker that knows it.
local function first(class)
    local zk = K .. 'ready:' .. class
    local at = 0

    while at < 32 do
        local e = redis.call('ZRANGE', zk, at, at, 'WITHSCORES')
        if #e == 0 then
            return
        end

        local job, task = split(e[1])
        local v, state, s = unpack(redis.call('HMGET', job_key(job), 'v',
                                              'state', task .. ':s'))
        if v and v ~= SCHEMA then
            at = at + 1
        elseif v and state == 'running' and s == 'ready' then
            return e[1], tonumber(e[2])
        else
            redis.call('ZREM', zk, e[1])
        end
    end
end

move_due(8)

local best, score, class
for i = 8, #ARGV do
    local m, s = first(ARGV[i])
    if m and (not score or s < score) then
        best, score, class = m, s, ARGV[i]
    end
end

if not best then
    wake()
    return reply
end

local job, task = split(best)
local jk = job_key(job)

redis.call('ZREM', K .. 'ready:' .. class, best)
if score > tonumber(redis.call('HGET', K .. 'vtime', class) or '0') then
    redis.call('HSET', K .. 'vtime', class, text(score))
end

if redis.call('EXISTS', K .. 'fence') == 0 then
    local t = redis.call('TIME')
    redis.call('SET', K .. 'fence', t[1] .. string.format('%06d', t[2]))
end
local token = text(redis.call('INCR', K .. 'fence')) .. '-' .. nonce

local t = redis.call('HMGET', jk, task .. ':type', task .. ':payload',
                     task .. ':timeout', 'asset', 'publication', 'project',
                     'pipeline')
local attempt = redis.call('HINCRBY', jk, task .. ':n', 1)

redis.call('HSET', jk, task .. ':token', token, task .. ':worker', worker)
redis.call('ZADD', LEASE, text(NOW + lease), best)
enter(job, task, 'running', worker)
wake()

return { reply[1], job, task, t[1], token, t[2], text(attempt), t[3], t[4],
         t[5], t[6], t[7] }
