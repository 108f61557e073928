-- A task that runs: who holds it, what it has done, and its completion.  Shared,
-- as common.lua.

-- of a running task's attempt: beyond it no lease is renewed
local function deadline(t)
    return tonumber(t.began or t.since) + (tonumber(t.timeout) + 60) * 1000
end

-- what the transitions of a task look at, in one call; its spec is read by
-- those that need it, and so is who runs it (load_run)
local function load(job, task)
    local p = task .. ':'
    local jk = job_key(job)

    local v = redis.call('HMGET', jk, 'v', 'state', p .. 's', p .. 'token',
                         p .. 'succ', p .. 'since', p .. 'credit',
                         p .. 'spec', 'left', p .. 'second')

    if v[1] == OLD_SCHEMA then
        upgrade(job)
        return load(job, task)
    end

    return { v = v[1], state = v[2], s = v[3], token = v[4], succ = v[5],
             since = v[6], credit = v[7], spec = v[8] or NO_SPEC,
             left = v[9], second = v[10] }
end

-- whose first run it is, and which attempt was begun last
-- rare: a worker that completes says who it is
local function load_run(job, task, t)
    t.worker, t.n = unpack(redis.call('HMGET', job_key(job),
                                      task .. ':worker', task .. ':n'))
end

-- the second run of a straggler (straggler.lua): its token, when it began,
-- its worker; nil: there is none, or ('-') it ended without a result
-- rare: stragglers are
local function second_run(t)
    if t.second then
        return t.second:match('^(%S+) (%d+) (%S+)$')
    end
end

-- has the task renditions, the last of its spec?
-- inline: short
local function counts(t)
    return t.spec:sub(-1) ~= ' '
end

-- counts permille of a task's work into its renditions' progress; what was
-- counted before is taken back first, so that nothing counts twice
-- rare: not of tasks without renditions
local function give_credit(job, task, t, permille)
    local jk = job_key(job)
    local pk = K .. 'progress:' .. job
    local work, rend = t.spec:match(
        '^%S+ %S+ %d+ %d+ %d+ %d+ (%d+) (.*)$')
    local new = math.floor(tonumber(work) * permille / 1000)
    local delta = new - tonumber(t.credit or '0')
    if delta == 0 then
        return
    end

    redis.call('HSET', jk, task .. ':credit', text(new))

    local sum = 0
    for r in rend:gmatch('[^,]+') do
        redis.call('HINCRBY', pk, 'done:' .. r, text(delta))
        sum = sum + delta
    end

    local done = redis.call('HINCRBY', pk, 'done', text(sum))
    local h = redis.call('HMGET', pk, 'total', 'begun')
    local total, begun = tonumber(h[1] or '0'), tonumber(h[2] or NOW)
    -- 100 is for a job that is done, publish included
    redis.call('HSET', pk, 'percent',
               text(math.max(0, math.min(99, math.floor(done * 100
                                                        / total)))))
    -- at the pace so far, as soon as there is one
    if NOW > begun and done > 0 and done * 50 >= total then
        redis.call('HSET', pk, 'eta_ms',
                   text(math.max(0, math.floor((NOW - begun)
                                               * (total - done) / done))))
    else
        redis.call('HDEL', pk, 'eta_ms')
    end
end

-- Who holds this token?  'running': it is the current claim of a running
-- job, or its second run (t.run2).  'done': the task was completed with it
-- (the answer was lost and is asked for again).  'cancelled': it was the
-- current claim, but the job ended; the task is let go.  'stale': anything
-- else.  And the task; t.began: when this run did.
local function holder(job, task, token)
    local t = load(job, task)

    if t.second then
        local token2, since2 = second_run(t)

        t.run2 = token2 == token
        t.began = t.run2 and since2 or nil
    end
    if not known(t.v) or token == '' or (t.token ~= token and not t.run2)
    then
        return 'stale', t
    end
    if t.s == 'done' then
        return 'done', t
    end
    if t.s ~= 'running' then
        return 'stale', t
    end
    if t.state ~= 'running' then
        drop_running(job, task)
        return 'cancelled', t
    end
    return 'running', t
end

-- the second run goes on in the place of the first
-- rare: as second_run
local function promote(job, task, t)
    t.token, t.since, t.worker = second_run(t)
    redis.call('HSET', job_key(job), task .. ':token', t.token,
               task .. ':since', t.since, task .. ':worker', t.worker)
end

-- One of two runs has the result: the other's token is worth nothing any
-- more, and its worker is told to look.
-- rare: as second_run
local function settle(job, task, t)
    local both = second_run(t)

    if t.run2 then
        promote(job, task, t)
    end
    redis.call('ZREM', SECOND, member(job, task))
    redis.call('HDEL', job_key(job), task .. ':second')
    if both then
        redis.call('PUBLISH', K .. 'wake', 'ended ' .. job)
    end
end

-- One of two runs ended without a result: the other is the task's only one
-- from now on.  false: there was but one.
-- rare: as second_run
local function go_on(job, task, t, class)
    if not second_run(t) then
        return false
    end

    local jk, m = job_key(job), member(job, task)

    if t.run2 then
        redis.call('HSET', jk, task .. ':second', '-')
    else
        redis.call('ZADD', LEASE, redis.call('ZSCORE', SECOND, m) or NOW_TEXT,
                   m)
        promote(job, task, t)
        redis.call('HDEL', jk, task .. ':second')
    end
    redis.call('ZREM', SECOND, m)

    if class == 'release' then
        redis.call('HINCRBY', jk, task .. ':n', -1)
    end
    event(job, task, 'alone', t.worker)
    return true
end

-- How fast the workers are with tasks of this type: what straggler.lua
-- compares with.  "<tasks> <ms that they ran> <ms of their cost>"
-- rare: what took less than a second stood before
local function keep_pace(job, t)
    local ran = NOW - t.since
    local type, own = t.spec:match('^(encode_%S*) %S+ (%d+) ')
    if not type then
        return
    end

    local field = 'pace:' .. type
    local n, ms, cost = (redis.call('HGET', job_key(job), field)
                         or '0 0 0'):match('^(%d+) (%d+) (%d+)$')

    redis.call('HSET', job_key(job), field, text(n + 1) .. ' '
               .. text(ms + ran) .. ' ' .. text(cost + own))
end

local function complete(job, task, t, worker)
    local jk = job_key(job)
    local left = t.left - 1

    if t.second then
        settle(job, task, t)
    end
    if NOW - t.since >= 1000 then
        keep_pace(job, t)
    end
    if counts(t) then
        give_credit(job, task, t, 1000)
    end
    redis.call('ZREM', LEASE, member(job, task))
    redis.call('HSET', jk, task .. ':s', 'done', task .. ':since', NOW_TEXT,
               'left', text(left))
    event(job, task, 'done', worker)

    if t.succ then
        for s in t.succ:gmatch('%S+') do
            if redis.call('HINCRBY', jk, s .. ':deps', -1) == 0 then
                make_ready(job, s)
            end
        end
    end

    if left == 0 then
        end_job(job, 'done', 'completed')
    end
end
