-- Shared by all transitions: scripts/embed-lua puts it before each of them.
-- docs/redis-keys.md describes the keys; K is their prefix.  A transition
-- checks everything before its first write, for Redis takes nothing back.

local K = ARGV[1]
local SCHEMA = '1'
local FINAL_TTL = 86400
local HOOK_TTL = 7 * 86400
local LEASE = K .. 'lease'
local DELAY = K .. 'delay'

local function bad_call(argc, exact)
    if #KEYS ~= 1 or not K or K == '' or #ARGV < argc
        or (exact and #ARGV ~= argc) or KEYS[1]:sub(1, #K) ~= K then
        return redis.error_reply('ERR reel: wrong number of arguments')
    end
end

-- the whole of an integer: a double printed by Lua loses digits
local function text(n)
    return string.format('%.0f', n)
end

-- nil unless s is a decimal of at most 15 digits
local function natural(s)
    if s and #s <= 15 and s:match('^%d+$') then
        return tonumber(s)
    end
end

local function now_ms()
    local t = redis.call('TIME')
    return tonumber(t[1]) * 1000 + math.floor(tonumber(t[2]) / 1000)
end

local NOW = now_ms()

local function job_key(job)
    return K .. 'job:' .. job
end

local function member(job, task)
    return job .. '/' .. task
end

local function split(m)
    return m:match('^([^/]+)/(.+)$')
end

local function event(job, task, state, worker)
    redis.call('XADD', K .. 'events', 'MAXLEN', '~', '10000', '*', 'job', job,
               'task', task, 'state', state, 'worker', worker or '')
end

local function enter(job, task, state, worker)
    redis.call('HSET', job_key(job), task .. ':s', state,
               task .. ':since', text(NOW))
    event(job, task, state, worker)
end

-- classes that got work; the sleepers are told once, at the end
local woken = {}

local function make_ready(job, task)
    local jk = job_key(job)
    local class, cost = unpack(redis.call('HMGET', jk, task .. ':class',
                                          task .. ':cost'))
    local v = tonumber(redis.call('HGET', K .. 'vtime', class) or '0')
    local finish = tonumber(redis.call('HGET', jk, 'finish:' .. class) or '0')
    local start = math.max(v, finish)

    redis.call('HSET', jk, 'finish:' .. class, text(start + tonumber(cost)))
    redis.call('ZADD', K .. 'ready:' .. class, text(start),
               member(job, task))
    enter(job, task, 'ready')
    woken[class] = true
end

local function wake()
    for class in pairs(woken) do
        redis.call('PUBLISH', K .. 'wake', class)
    end
    woken = {}
end

-- counts permille of a task's work into its renditions' progress; what was
-- counted before is taken back first, so that nothing counts twice
local function credit(job, task, permille)
    local jk = job_key(job)
    local pk = K .. 'progress:' .. job
    local rend, work, old = unpack(redis.call('HMGET', jk, task .. ':rend',
                                       task .. ':work', task .. ':credit'))
    if not rend or rend == '' then
        return
    end

    local new = math.floor(tonumber(work) * permille / 1000)
    local delta = new - tonumber(old or '0')
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
    local total = tonumber(redis.call('HGET', pk, 'total') or '0')
    -- 100 is for a job that is done, publish included
    redis.call('HSET', pk, 'percent',
               text(math.max(0, math.min(99, math.floor(done * 100
                                                        / total)))))
end

local function end_job(job, state, shown)
    local jk = job_key(job)
    local pk = K .. 'progress:' .. job
    local asset, publication = unpack(redis.call('HMGET', jk, 'asset',
                                                 'publication'))

    redis.call('HSET', jk, 'state', state)
    redis.call('HSET', pk, 'state', shown)
    if state == 'done' then
        redis.call('HSET', pk, 'percent', '100')
    end
    redis.call('ZREM', K .. 'jobs', job)
    redis.call('XADD', K .. 'done', 'MAXLEN', '~', '100000', '*', 'job', job,
               'asset', asset, 'publication', publication, 'state', state)
    event(job, '', state)
    redis.call('EXPIRE', jk, FINAL_TTL)
    redis.call('EXPIRE', pk, FINAL_TTL)
    redis.call('SET', K .. 'submitted:' .. job, '1', 'EX', FINAL_TTL)
end

-- waiting, ready and delayed tasks leave; running ones hear it at renew
local function cancel_tasks(job)
    local jk = job_key(job)

    for task in (redis.call('HGET', jk, 'names') or ''):gmatch('%S+') do
        local s, class = unpack(redis.call('HMGET', jk, task .. ':s',
                                           task .. ':class'))
        if s == 'ready' then
            redis.call('ZREM', K .. 'ready:' .. class, member(job, task))
        elseif s == 'delayed' then
            redis.call('ZREM', DELAY, member(job, task))
        end
        if s == 'waiting' or s == 'ready' or s == 'delayed' then
            redis.call('HSET', jk, task .. ':s', 'cancelled',
                       task .. ':since', text(NOW))
        end
    end
end

-- a running task of a job that ended
local function drop_running(job, task)
    redis.call('ZREM', LEASE, member(job, task))
    enter(job, task, 'cancelled')
end

-- Who holds this token?  'running': it is the current claim of a running
-- job.  'done': the task was completed with it (the answer was lost and is
-- asked for again).  'cancelled': it was the current claim, but the job
-- ended; the task is let go.  'stale': anything else.
local function holder(job, task, token)
    local v = redis.call('HMGET', job_key(job), 'v', 'state', task .. ':s',
                         task .. ':token')

    if v[1] ~= SCHEMA or token == '' or v[4] ~= token then
        return 'stale'
    end
    if v[3] == 'done' then
        return 'done'
    end
    if v[3] ~= 'running' then
        return 'stale'
    end
    if v[2] ~= 'running' then
        drop_running(job, task)
        return 'cancelled'
    end
    return 'running'
end

local function complete(job, task)
    local jk = job_key(job)
    local succ, worker = unpack(redis.call('HMGET', jk, task .. ':succ',
                                           task .. ':worker'))

    redis.call('ZREM', LEASE, member(job, task))
    credit(job, task, 1000)
    enter(job, task, 'done', worker)

    for s in (succ or ''):gmatch('%S+') do
        if redis.call('HINCRBY', jk, s .. ':deps', -1) == 0 then
            make_ready(job, s)
        end
    end

    if redis.call('HINCRBY', jk, 'left', -1) == 0 then
        end_job(job, 'done', 'completed')
    end
end

-- f: class, code, stage, detail, log, backoff (ms)
local function fail_task(job, task, f)
    local jk = job_key(job)
    local n, max, worker = unpack(redis.call('HMGET', jk, task .. ':n',
                                             task .. ':max',
                                             task .. ':worker'))

    redis.call('ZREM', LEASE, member(job, task))
    redis.call('HDEL', jk, task .. ':token')
    redis.call('HSET', jk, task .. ':err', cjson.encode({ class = f.class,
               code = f.code, stage = f.stage, detail = f.detail }))
    credit(job, task, 0)

    -- no fault of the task: this try does not count
    if f.class == 'release' then
        n = redis.call('HINCRBY', jk, task .. ':n', -1)
    end

    if f.class ~= 'fail' and tonumber(n) < tonumber(max) then
        redis.call('ZADD', DELAY, text(NOW + math.min(f.backoff, 60000)),
                   member(job, task))
        enter(job, task, 'delayed', worker)
        return 'delayed'
    end

    enter(job, task, 'failed', worker)
    redis.call('HSET', jk, 'code', f.code, 'stage', f.stage,
               'detail', f.detail, 'log', f.log)
    cancel_tasks(job)
    end_job(job, 'failed', 'errored')
    return 'failed'
end

-- delayed tasks whose time has come, at most limit
local function move_due(limit)
    local n = 0

    for _, m in ipairs(redis.call('ZRANGEBYSCORE', DELAY, '-inf', text(NOW),
                                  'LIMIT', 0, limit)) do
        local job, task = split(m)
        local v, state, s = unpack(redis.call('HMGET', job_key(job), 'v',
                                              'state', task .. ':s'))
        if not v or v == SCHEMA then
            redis.call('ZREM', DELAY, m)
        end
        if v == SCHEMA and state == 'running' and s == 'delayed' then
            make_ready(job, task)
            n = n + 1
        end
    end
    return n
end
