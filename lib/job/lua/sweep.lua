-- sweep: what time alone changes.  Any worker calls it every few seconds.
-- KEYS: lease set.  ARGV: prefix, now (ignored: Redis has the clock), limit.
-- Reply: leases ended, delayed tasks made ready, deadlines enforced.
-- A lease ends early only because nobody renewed it (WORKER_LOST), or at the
-- attempt's deadline, beyond which renew does not prolong it (TIMEOUT).

local err = bad_call(3, true)
if err then
    return err
end

local limit = natural(ARGV[3])

if not limit or limit < 1 then
    return redis.error_reply('ERR reel: sweep: bad limit')
end

local lost, overdue = 0, 0

for _, m in ipairs(redis.call('ZRANGEBYSCORE', LEASE, '-inf', text(NOW),
                              'LIMIT', 0, limit)) do
    local job, task = split(m)
    local v, state, s, since, timeout, n = unpack(redis.call('HMGET',
        job_key(job), 'v', 'state', task .. ':s', task .. ':since',
        task .. ':timeout', task .. ':n'))

    -- jobs of another schema are a newer worker's to judge
    if v == SCHEMA and s == 'running' and state ~= 'running' then
        drop_running(job, task)
    elseif v == SCHEMA and s == 'running' then
        local late = NOW >= tonumber(since) + (tonumber(timeout) + 60) * 1000
        local seconds = text((NOW - tonumber(since)) / 1000)

        fail_task(job, task, { class = 'retry',
            code = late and 'TIMEOUT' or 'WORKER_LOST', stage = task,
            detail = late and 'The attempt took longer than ' .. timeout
                              .. ' s.'
                     or 'The worker went away after ' .. seconds .. ' s.',
            log = '', backoff = 1000 * 2 ^ (math.min(tonumber(n), 7) - 1) })
        if late then
            overdue = overdue + 1
        else
            lost = lost + 1
        end
    elseif not v or v == SCHEMA then
        redis.call('ZREM', LEASE, m)
    end
end

local ready = move_due(limit)

wake()
return { text(lost), text(ready), text(overdue) }
