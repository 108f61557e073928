-- How tasks and jobs end otherwise than by a result, and what a job's end writes.
-- Shared, as common.lua.

-- j: the job as it was loaded
-- rare: once a job
local function end_job(job, j, state, shown)
    local jk = job_key(job)
    local pk = K .. 'progress:' .. job
    local asset, publication = job_of(job)

    j.state = state
    redis.call('HSET', jk, 'v', job_record(j))
    if state == 'done' then
        redis.call('HSET', pk, 'state', shown, 'percent', '100')
    else
        redis.call('HSET', pk, 'state', shown)
    end
    redis.call('ZREM', K .. 'jobs', job)
    redis.call('XADD', K .. 'done', 'MAXLEN', '~', '100000', '*', 'job', job,
               'asset', asset, 'publication', publication, 'state', state)
    event(job, '', state)
    redis.call('EXPIRE', jk, FINAL_TTL)
    redis.call('EXPIRE', pk, FINAL_TTL)
    redis.call('SET', K .. 'submitted:' .. job, '1', 'EX', FINAL_TTL)
end

-- waiting, ready and delayed tasks leave; running ones are told at once, and
-- hear it at renew too
-- rare: once a job
local function cancel_tasks(job, j)
    local jk = job_key(job)

    for task in (redis.call('HGET', jk, 'names') or ''):gmatch('%S+') do
        local t = load_all(job, task)

        if t.s == 'ready' then
            leave(read_spec(t.spec, {}).queue, j.project, member(job, task))
        elseif t.s == 'delayed' then
            redis.call('ZREM', DELAY, member(job, task))
        end
        if t.s == 'waiting' or t.s == 'ready' or t.s == 'delayed' then
            t.s, t.since = 'cancelled', NOW_TEXT
            write_task(job, task, t)
        end
    end

    redis.call('PUBLISH', K .. 'wake', 'ended ' .. job)
end

-- a running task of a job that ended
-- rare: of jobs that ended early
local function drop_running(job, task, t)
    redis.call('ZREM', LEASE, member(job, task))
    redis.call('ZREM', SECOND, member(job, task))
    enter(job, task, read_rest(t), 'cancelled')
end

-- j: the job as it was loaded; f: code, stage, detail, log
-- rare: once a job
local function fail_job(job, j, f)
    redis.call('HSET', job_key(job), 'code', f.code, 'stage', f.stage,
               'detail', f.detail, 'log', f.log)
    cancel_tasks(job, j)
    end_job(job, j, 'failed', 'errored')
end

-- a task that was tried as often as allowed, for an operator to look at
-- rare: tasks get done
local function quarantine(job, task, t, f)
    local asset = job_of(job)

    redis.call('XADD', K .. 'quarantine', 'MAXLEN', '~', '1000', '*',
               'job', job, 'task', task, 'type', t.type, 'asset', asset,
               'project', t.project, 'pipeline', t.pipeline,
               'code', f.code, 'stage', f.stage, 'detail', f.detail,
               'log', f.log, 'attempts', t.n, 'worker', t.worker)
end

-- its asset is made again, or was deleted: nobody has to look at it any more
-- rare: once a retry, or a deletion
local function pardon(asset)
    local key = K .. 'quarantine'

    for _, e in ipairs(redis.call('XRANGE', key, '-', '+')) do
        for i = 1, #e[2], 2 do
            if e[2][i] == 'asset' and e[2][i + 1] == asset then
                redis.call('XDEL', key, e[1])
            end
        end
    end
end

-- after how many tries the film goes without it; nil: never
-- rare: of tasks that nobody can run
local function optional_after(job, task, t)
    local p = redis.call('HGET', job_key(job), task .. ':payload')
    local ok, payload = pcall(cjson.decode, p or '')
    local n = ok and type(payload) == 'table' and tonumber(payload.tries) or 0

    if n > 0 then
        return n
    end

    return (t.type == 'storyboard' or t.type == 'extract_subtitles') and 1
           or nil
end

-- The film goes without it: any worker gives it up, without a try.  The next
-- claim is the first that workerd calls hopeless (verdict.c), so that a worker
-- lost with it is not the film's end.  false: it cannot.  Else the caller makes
-- it ready, now or later.
-- rare: as optional_after
local function go_without(job, task, t)
    local tries = optional_after(job, task, t)

    if tries then
        t.queue = '0:0:'
        t.spec, t.n = spec_of(t), math.max(t.n, tries + 1)
    end
    return tries
end

-- Its worker lacks the task's pipeline, program or image: others may have it,
-- or an operator puts it there.  Each time it waits longer.  true: that goes on
-- for an hour by now, and is not only a long queue's second look.
-- rare: while files are being changed
local function lacked(job, task, t, f)
    local jk, field = job_key(job), task .. ':lacks'
    local since, n = (redis.call('HGET', jk, field)
                      or NOW_TEXT .. ' 0'):match('^(%d+) (%d+)$')
    local ms = NOW - since

    redis.call('HSET', jk, field, since .. ' ' .. text(n + 1))
    redis.call('SET', K .. 'lacks', t.worker .. ' ' .. member(job, task)
               .. ' ' .. f.detail, 'PX', '120000')
    f.backoff = math.max(f.backoff, math.floor(ms / 4))
    return ms >= UNMET_MS and n + 1 >= 20
end

-- f: class, code, stage, detail, log, backoff (ms).  running: another run of
-- the task goes on
-- rare: as quarantine
local function fail_task(job, task, t, f)
    read_spec(read_rest(t).spec, t)

    local jk = job_key(job)
    local over = false

    if f.class == 'lacks' then
        over = lacked(job, task, t, f)
        f.class = 'release'
    elseif f.class ~= 'release' then
        redis.call('HDEL', jk, task .. ':lacks')
    end
    if f.code == 'TWIN' then
        redis.call('HSETNX', jk, task .. ':twin', NOW_TEXT)
    else
        redis.call('HDEL', jk, task .. ':twin')
    end

    redis.call('HSET', jk, task .. ':err', cjson.encode({ class = f.class,
               code = f.code, stage = f.stage, detail = f.detail }))
    if t.second ~= '' and go_on(job, task, t, f.class) then
        return 'running'
    end

    redis.call('ZREM', LEASE, member(job, task))
    t.token, t.second = '', ''
    if counts(t) then
        give_credit(job, t, 0)
    end

    -- no fault of the task: this try does not count
    if f.class == 'release' then
        t.n = t.n - 1
        uncharge(t)
    end

    local tries_left = t.n + 0 < t.max + 0

    if over then
        over = not go_without(job, task, t)
    end

    if f.class ~= 'fail' and tries_left and not over then
        redis.call('ZADD', DELAY, text(NOW + math.min(f.backoff, 60000)),
                   member(job, task))
        enter(job, task, t, 'delayed', t.worker)
        return 'delayed'
    end

    if f.class ~= 'fail' then
        quarantine(job, task, t, f)
    end

    enter(job, task, t, 'failed', t.worker)
    fail_job(job, t, f)
    return 'failed'
end
