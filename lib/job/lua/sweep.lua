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

local JOBS = 8                  -- that are looked at for their age
local lost, overdue = 0, 0

-- a quarter of it at least; who asks in the same call waits differently
local random = tonumber(TIME[2])

local function jitter(ms)
    random = (random * 16807 + 11) % 2147483647
    return math.floor(ms / 4 + ms * 3 / 4 * random / 2147483647)
end

-- a lease of a running task ended; t.began: that of its second run
local function end_lease(job, task, t)
    local late = NOW >= deadline(read_spec(t.spec, t))
    local seconds = text((NOW - tonumber(t.began or t.since)) / 1000)

    fail_task(job, task, t, { class = 'retry',
        code = late and 'TIMEOUT' or 'WORKER_LOST', stage = task,
        detail = late and 'The attempt took longer than ' .. t.timeout
                          .. ' s.'
                 or 'The worker went away after ' .. seconds .. ' s.',
        log = '', backoff = jitter(1000 * 2 ^ (math.min(tonumber(t.n), 7)
                                                 - 1)) })
    if late then
        overdue = overdue + 1
    else
        lost = lost + 1
    end
end

local function ended(leases)
    return redis.call('ZRANGEBYSCORE', leases, '-inf', NOW_TEXT, 'LIMIT', 0,
                      limit)
end

-- these first: when both runs are lost, nobody goes on
local due = ended(SECOND)

for _, m in ipairs(due) do
    local job, task = split(m)
    local t = load_all(job, task)
    local token2, since2 = second_run(t)

    if token2 and t.s == 'running' and t.state == 'running' then
        t.run2, t.began = true, since2
        end_lease(job, task, t)
    else
        put_off(SECOND, m, t, #due == limit)
    end
end

due = ended(LEASE)

for _, m in ipairs(due) do
    local job, task = split(m)
    local t = load_all(job, task)

    if t.s == 'running' and t.state and t.state ~= 'running' then
        drop_running(job, task, t)
    elseif t.s == 'running' and t.state then
        end_lease(job, task, t)
    else
        put_off(LEASE, m, t, #due == limit)
    end
end

local ready = move_due(limit)

-- A job ends, though nothing else would end it.  From a place by chance: those
-- of another schema stay.
local before = text(NOW - JOB_MAX_MS)
local old = redis.call('ZCOUNT', K .. 'jobs', '-inf', before)
local from = old > JOBS and text(random % old) or '0'

for _, job in ipairs(redis.call('ZRANGEBYSCORE', K .. 'jobs', '-inf', before,
                                'LIMIT', from, JOBS)) do
    local j = load_job(job)

    if j.state == 'running' then
        fail_job(job, j, { code = 'TIMEOUT', stage = 'job', log = '',
                 detail = 'The job was not done within 7 days.' })
        overdue = overdue + 1
    elseif not j.v or j.state then
        redis.call('ZREM', K .. 'jobs', job)
    end
end

wake()
return { text(lost), text(ready), text(overdue) }
