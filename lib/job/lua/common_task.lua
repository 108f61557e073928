-- A task that runs: who holds it, what it has done, and its completion.  Shared,
-- as common.lua.

-- of a running task's attempt: beyond it no lease is renewed
local function deadline(t)
    return tonumber(t.began or t.since) + (tonumber(t.timeout) + 60) * 1000
end

-- the second run of a straggler (straggler.lua): its token, when it began,
-- its worker; nil: there is none, or ('-') it ended without a result
-- rare: stragglers are
local function second_run(t)
    return (t.second or ''):match('^([^,]+),(%d+),(.+)$')
end

-- has the task renditions, the last of its spec?
-- inline: short
local function counts(t)
    return t.rest:sub(-1) ~= ' '
end

-- counts permille of a task's work into its renditions' progress; what was
-- counted before is taken back first, so that nothing counts twice.  The
-- caller writes the task's record.
-- rare: not of tasks without renditions
local function give_credit(job, t, permille)
    local pk = K .. 'progress:' .. job
    local work, rend = t.spec:match(
        '^%S+ %S+ %d+ %d+ %d+ %d+ (%d+) (.*)$')
    local new = math.floor(tonumber(work) * permille / 1000)
    local delta = new - t.credit
    if delta == 0 then
        return
    end

    t.credit = text(new)

    local sum = 0
    for r in rend:gmatch('[^,]+') do
        redis.call('HINCRBY', pk, 'done:' .. r, text(delta))
        sum = sum + delta
    end

    local done = redis.call('HINCRBY', pk, 'done', text(sum))
    -- 100 is for a job that is done, publish included
    redis.call('HSET', pk, 'percent', text(math.max(0, math.min(99,
        math.floor(done * 100 / tonumber(redis.call('HGET', pk, 'total')
                                         or '0'))))))
end

-- Who holds this token?  'running': it is the current claim of a running
-- job, or its second run (t.run2).  'done': the task was completed with it
-- (the answer was lost and is asked for again).  'cancelled': it was the
-- current claim, but the job ended; the task is let go.  'stale': anything
-- else.  And the task; t.began: when this run did.
local function holder(job, task, token)
    local t = load(job, task)

    if t.second and t.second ~= '' then
        local token2, since2 = second_run(t)

        t.run2 = token2 == token
        t.began = t.run2 and since2 or nil
    end
    if not t.state or token == '' or (t.token ~= token and not t.run2)
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
        drop_running(job, task, t)
        return 'cancelled', t
    end
    return 'running', t
end

-- the second run goes on in the place of the first
-- rare: as second_run
local function promote(t)
    t.token, t.since, t.worker = second_run(t)
end

-- One of two runs has the result: the other's token is worth nothing any
-- more, and its worker is told to look.  The caller writes the task's record.
-- rare: as second_run
local function settle(job, task, t)
    if second_run(t) then
        redis.call('PUBLISH', K .. 'wake', 'ended ' .. job)
    end
    if t.run2 then
        promote(read_rest(t))
        write_rest(t)
    end
    redis.call('ZREM', SECOND, member(job, task))
    t.second = ''
end

-- One of two runs ended without a result: the other is the task's only one
-- from now on.  false: there was but one.
-- rare: as second_run
local function go_on(job, task, t, class)
    if not second_run(t) then
        return false
    end

    local m = member(job, task)

    if t.run2 then
        t.second = '-'
    else
        redis.call('ZADD', LEASE, redis.call('ZSCORE', SECOND, m) or NOW_TEXT,
                   m)
        promote(t)
        t.second = ''
    end
    redis.call('ZREM', SECOND, m)

    if class == 'release' then
        t.n = t.n - 1
    end
    write_task(job, task, t)
    event(job, task, 'alone', t.worker)
    return true
end

-- How fast the workers are with tasks of this type: what straggler.lua
-- compares with.  "<tasks> <ms that they ran> <ms of their cost>"
-- rare: what took less than a second stood before
local function keep_pace(job, t)
    local ran = NOW - t.since
    local type, own = read_rest(t).spec:match('^(encode_%S*) %S+ (%d+) ')
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

    if t.second ~= '' then
        settle(job, task, t)
    end
    if NOW - t.since >= 1000 then
        keep_pace(job, t)
    end
    if counts(t) then
        give_credit(job, read_rest(t), 1000)
        write_rest(t)
    end
    t.s, t.since, t.left = 'done', NOW_TEXT, t.left - 1
    redis.call('ZREM', LEASE, member(job, task))
    redis.call('HSET', jk, 'v', job_record(t), task .. ':s', task_record(t))
    event(job, task, 'done', worker)

    for s in t.succ:gmatch('[^,]+') do
        if redis.call('HINCRBY', jk, s .. ':deps', -1) == 0 then
            make_ready(job, s, load_all(job, s))
        end
    end

    if t.left == 0 then
        end_job(job, t, 'done', 'completed')
    end
end
