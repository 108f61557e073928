-- Shared by all transitions: scripts/embed-lua puts it before each of them.
-- docs/redis-keys.md describes the keys; K is their prefix.  A transition
-- checks everything before its first write, for Redis takes nothing back.

local K = ARGV[1]
local SCHEMA = '2'
local OLD_SCHEMA = '1'
local FINAL_TTL = 86400
local HOOK_TTL = 7 * 86400
local JOB_MAX_MS = 7 * 86400000
local SHARDS_MAX = 64
local LEASE = K .. 'lease'
local SECOND = K .. 'second'
local DELAY = K .. 'delay'
local QUEUES = K .. 'queues'
local VTIME = K .. 'vtime'

-- a worker that was heard so long ago lives no more
local HEARD_MS = 60000

-- scores: a band of start tags for each priority, the highest one first
local PRIORITY = 4
local PRIORITY_MAX = 9
local BAND = 2 ^ 49

-- ms of work with which a new job goes before the others of its project, and
-- how much of that the project has at most; half of the
-- work that was not ahead is added as it begins
local AHEAD = 30000
local AHEAD_MAX = 60000

local function bad_call(argc, exact)
    if #KEYS ~= 1 or not K or K == '' or #ARGV < argc
        or (exact and #ARGV ~= argc) or KEYS[1]:sub(1, #K) ~= K then
        return redis.error_reply('ERR reel: wrong number of arguments')
    end
end

-- Lua takes a text for a number where it calculates, which costs less than
-- tonumber.

-- the whole of an integer: a double printed by Lua loses digits
local function text(n)
    return string.format('%d', n)
end

-- nil unless s is a decimal of at most 15 digits
local function natural(s)
    if s and #s <= 15 and s:find('^%d+$') then
        return s + 0
    end
end

local TIME = redis.call('TIME')
local NOW = TIME[1] * 1000 + math.floor(TIME[2] / 1000)
local NOW_TEXT = text(NOW)

-- Among how many shards jobs are divided, as this one holds it; nil: nobody
-- said it yet, or what said it is lost.  A single one of a version before
-- that had no number.
-- rare: once a job, and with each heartbeat
local function shards_held()
    local n = redis.call('GET', K .. 'shards')

    if not n and K:find('{r0}', 1, true)
        and redis.call('EXISTS', VTIME, K .. 'jobs') > 0 then
        return '1'
    end
    return n
end

-- nil: that many there cannot be
-- rare: as shards_held
local function shards_asked(s)
    local n = natural(s)
    return n and n >= 1 and n <= SHARDS_MAX and text(n) or nil
end

local function job_key(job)
    return K .. 'job:' .. job
end

local function member(job, task)
    return job .. '/' .. task
end

local function split(m)
    return m:match('^([^/]+)/(.+)$')
end

-- jobs of a newer schema are a newer worker's
local function known(v)
    return v == SCHEMA or v == OLD_SCHEMA
end

-- step trims the stream now and then
local function event(job, task, state, worker)
    redis.call('XADD', K .. 'events', '*', 'job', job, 'task', task, 'state',
               state, 'worker', worker or '')
end

-- rare: of what a step does not end
local function enter(job, task, state, worker)
    redis.call('HSET', job_key(job), task .. ':s', state,
               task .. ':since', NOW_TEXT)
    event(job, task, state, worker)
end

-- a queue's name says what its tasks need: "<slots>:<memory_mib>:<labels>"
local function needs(queue)
    local slots, memory, labels = queue:match('^(%d+):(%d+):(.*)$')
    return slots and slots + 0, memory and memory + 0, labels
end

-- has a worker of these labels all that are wanted?
local function has_labels(labels, wanted)
    for l in wanted:gmatch('[^,]+') do
        if not (',' .. labels .. ','):find(',' .. l .. ',', 1, true) then
            return false
        end
    end
    return true
end

-- what claims are counted from: a lost counter never goes back
-- rare: the first claim of all
local function first_fence()
    return TIME[1] * 1000000 + TIME[2] + 1
end

-- tasks that need no core have slots of their own, and a clock of their own
-- rare: as line_up
local function is_light(queue)
    return queue:sub(1, 2) == '0:'
end

-- of a task that lacks one: it runs, and fails
local NO_SPEC = '? 0:0: 1 4 1 60 0 '

-- What the plan says of a task, in one field: it is read with each step of
-- it.  "<type> <queue> <cost> <priority> <attempts> <timeout_s> <work_ms>
-- <renditions csv>", of which only the last may be empty.
-- rare: of what makes tasks, or changes them
local function spec_of(t)
    return table.concat({ t.type, t.queue, text(t.cost), text(t.priority),
                          text(t.max), text(t.timeout), text(t.work or 0),
                          t.rend or '' }, ' ')
end

-- rare: a step takes from it what it needs
local function read_spec(spec, t)
    t.type, t.queue, t.cost, t.priority, t.max, t.timeout, t.work, t.rend =
        (spec or NO_SPEC):match(
            '^(%S+) (%S+) (%d+) (%d+) (%d+) (%d+) (%d+) (.*)$')
    return t
end

-- a job of the version before this one, which had a field for each of these
-- and classes for queues
-- rare: no such jobs are made
local function upgrade(job)
    local jk = job_key(job)

    for name in (redis.call('HGET', jk, 'names') or ''):gmatch('%S+') do
        local p = name .. ':'
        local h = redis.call('HMGET', jk, p .. 'type', p .. 'class',
                             p .. 'cost', p .. 'max', p .. 'timeout',
                             p .. 'work', p .. 'rend')
        redis.call('HSET', jk, p .. 'spec', spec_of({ type = h[1],
                   queue = h[2] == 'light' and '0:0:' or '1:0:',
                   cost = h[3] or 1, priority = PRIORITY, max = h[4] or 1,
                   timeout = h[5] or 60, work = h[6], rend = h[7] }))
    end
    redis.call('HSET', jk, 'v', SCHEMA)
end

-- queues that got work, if any; the sleepers are told once, at the end
local woken

-- Tasks get their start tags within their project, in the order of the list,
-- and the project one among those that have tasks in the same queue
-- (docs/redis-keys.md, Order).  tasks: of name and spec; project and finish:
-- as the job's hash has them.  Their states are the caller's.
-- rare: most tasks stand in line from the start
local function line_up(job, project, finish, tasks)
    local v = redis.call('HMGET', VTIME, 'all', 'start:' .. project,
                         'finish:' .. project, 'light', 'light:' .. project,
                         'ahead:' .. project)
    local start = tonumber(v[2] or '0')
    local queues, charged = {}, false
    local ahead = not finish and tonumber(v[6] or AHEAD_MAX) or 0
    local given = 0
    finish = math.max(start, tonumber(finish or '0'))

    for _, t in ipairs(tasks) do
        local band = (PRIORITY_MAX - t.priority) * BAND
        local q = queues[t.queue]
        local at = 0            -- light: the oldest job's first

        if not q then
            q = { band = band, light = is_light(t.queue) }
            queues[t.queue] = q
        end
        if not q.light then
            local cost = t.cost + 0

            at = finish
            finish = finish + cost
            charged = true
            if given + cost <= AHEAD and cost <= ahead then
                at = math.max(0, start - AHEAD) + given
                given = given + cost
                ahead = ahead - cost
            end
        end
        q.band = math.min(q.band, band)
        q[#q + 1] = text(band + math.min(at, BAND - 1))
        q[#q + 1] = member(job, t.name)
    end

    if charged then
        redis.call('HSET', job_key(job), 'finish', text(finish))
    end
    if given > 0 then
        redis.call('HSET', VTIME, 'ahead:' .. project, text(ahead))
    end

    for queue, q in pairs(queues) do
        local zk = K .. 'ready:' .. queue

        for i = 1, #q, 1000 do
            redis.call('ZADD', zk .. ':' .. project,
                       unpack(q, i, math.min(#q, i + 999)))
        end

        local old = redis.call('ZSCORE', zk, project)
        if not old then
            local tag = math.min(BAND - 1, math.max(
                tonumber(q.light and (v[4] or '0') or v[1] or '0'),
                tonumber(q.light and (v[5] or '0') or v[3] or '0')))
            redis.call('SADD', QUEUES, queue)
            redis.call('ZADD', zk, text(q.band + tag), project)
        elseif q.band < tonumber(old) - tonumber(old) % BAND then
            redis.call('ZADD', zk, text(q.band + tonumber(old) % BAND),
                       project)
        end
        woken = woken or {}
        woken[queue] = true
    end
end

-- rare: as line_up
local function make_ready(job, task)
    local jk = job_key(job)
    local v, project, finish, spec = unpack(redis.call('HMGET', jk, 'v',
        'project', 'finish', task .. ':spec'))

    if v == OLD_SCHEMA then
        upgrade(job)
        spec = redis.call('HGET', jk, task .. ':spec')
    end
    redis.call('HSET', jk, task .. ':s', 'ready', task .. ':since',
               NOW_TEXT)
    line_up(job, project, finish, { read_spec(spec, { name = task }) })
end

-- A project's place in a queue follows from its first task there.  tag: its
-- start tag, if that changed; head: the first task's score, false when there
-- is none, nil when it is not known.
local function rehead(queue, project, tag, head)
    local zk = K .. 'ready:' .. queue

    if head == nil then
        head = redis.call('ZRANGE', zk .. ':' .. project, 0, 0,
                          'WITHSCORES')[2]
    end

    if not head then
        redis.call('ZREM', zk, project)
        if redis.call('EXISTS', zk) == 0 then
            redis.call('SREM', QUEUES, queue)
        end
        return
    end

    tag = tag or tonumber(redis.call('ZSCORE', zk, project) or '0') % BAND
    redis.call('ZADD', zk, text(math.floor(head / BAND) * BAND
                                + math.min(tag, BAND - 1)), project)
end

-- rare: of tasks that are gone
local function leave(queue, project, m, tag)
    if redis.call('ZREM', K .. 'ready:' .. queue .. ':' .. project, m) == 1
    then
        rehead(queue, project, tag)
    end
end

-- rare: as line_up
local function wake()
    for queue in pairs(woken or {}) do
        redis.call('PUBLISH', K .. 'wake', queue)
    end
end

-- ms since then; 0 of a time that is not known, or to come
local function elapsed(ms)
    return math.max(0, NOW - (tonumber(ms or '') or NOW))
end

-- of a running task's attempt: beyond it no lease is renewed
local function deadline(t)
    return tonumber(t.began or t.since) + (tonumber(t.timeout) + 60) * 1000
end

-- what the transitions of a task look at, in one call; its spec is read by
-- those that need it
local function load(job, task)
    local p = task .. ':'
    local jk = job_key(job)

    local v = redis.call('HMGET', jk, 'v', 'state', p .. 's', p .. 'token',
                         p .. 'worker', p .. 'succ', p .. 'n', p .. 'since',
                         p .. 'credit', p .. 'spec', 'left', p .. 'second')

    if v[1] == OLD_SCHEMA then
        upgrade(job)
        return load(job, task)
    end

    return { v = v[1], state = v[2], s = v[3], token = v[4], worker = v[5],
             succ = v[6], n = v[7], since = v[8], credit = v[9],
             spec = v[10] or NO_SPEC, left = v[11], second = v[12] }
end

-- the second run of a straggler (straggler.lua): its token, when it began,
-- its worker; nil: there is none, or ('-') it ended without a result
-- rare: stragglers are
local function second_run(t)
    if t.second then
        return t.second:match('^(%S+) (%d+) (%S+)$')
    end
end

-- counts permille of a task's work into its renditions' progress; what was
-- counted before is taken back first, so that nothing counts twice
local function credit(job, task, t, permille)
    if t.spec:sub(-1) == ' ' then       -- no renditions
        return
    end

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

-- rare: once a job
local function end_job(job, state, shown)
    local jk = job_key(job)
    local pk = K .. 'progress:' .. job
    local asset, publication = unpack(redis.call('HMGET', jk, 'asset',
                                                 'publication'))

    redis.call('HSET', jk, 'state', state)
    redis.call('HSET', pk, 'state', shown)
    redis.call('HDEL', pk, 'eta_ms')
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

-- waiting, ready and delayed tasks leave; running ones are told at once, and
-- hear it at renew too
local function cancel_tasks(job)
    local jk = job_key(job)

    if redis.call('HGET', jk, 'v') == OLD_SCHEMA then
        upgrade(job)
    end

    local names, project = unpack(redis.call('HMGET', jk, 'names',
                                             'project'))

    for task in (names or ''):gmatch('%S+') do
        local s, spec = unpack(redis.call('HMGET', jk, task .. ':s',
                                          task .. ':spec'))
        if s == 'ready' then
            leave(read_spec(spec, {}).queue, project, member(job, task))
        elseif s == 'delayed' then
            redis.call('ZREM', DELAY, member(job, task))
        end
        if s == 'waiting' or s == 'ready' or s == 'delayed' then
            redis.call('HSET', jk, task .. ':s', 'cancelled',
                       task .. ':since', NOW_TEXT)
        end
    end

    redis.call('PUBLISH', K .. 'wake', 'ended ' .. job)
end

-- a running task of a job that ended
-- rare: of jobs that ended early
local function drop_running(job, task)
    redis.call('ZREM', LEASE, member(job, task))
    redis.call('ZREM', SECOND, member(job, task))
    enter(job, task, 'cancelled')
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
-- compares with.  "<tasks> <ms that they ran> <ms of their cost>"; what took
-- less than a second stood before.
local function keep_pace(job, t)
    local ran = NOW - t.since
    if ran < 1000 then
        return
    end

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

local function complete(job, task, t)
    local jk = job_key(job)

    local left = t.left - 1

    if t.second then
        settle(job, task, t)
    end
    keep_pace(job, t)
    redis.call('ZREM', LEASE, member(job, task))
    credit(job, task, t, 1000)
    redis.call('HSET', jk, task .. ':s', 'done', task .. ':since', NOW_TEXT,
               'left', text(left))
    event(job, task, 'done', t.worker)

    for s in (t.succ or ''):gmatch('%S+') do
        if redis.call('HINCRBY', jk, s .. ':deps', -1) == 0 then
            make_ready(job, s)
        end
    end

    if left == 0 then
        end_job(job, 'done', 'completed')
    end
end

-- f: code, stage, detail, log
local function fail_job(job, f)
    redis.call('HSET', job_key(job), 'code', f.code, 'stage', f.stage,
               'detail', f.detail, 'log', f.log)
    cancel_tasks(job)
    end_job(job, 'failed', 'errored')
end

-- a task that was tried as often as allowed, for an operator to look at
local function quarantine(job, task, t, f)
    local jk = job_key(job)
    local h = redis.call('HMGET', jk, 'asset', 'project', 'pipeline')

    redis.call('XADD', K .. 'quarantine', 'MAXLEN', '~', '1000', '*',
               'job', job, 'task', task, 'type', t.type, 'asset', h[1],
               'project', h[2], 'pipeline', h[3], 'code', f.code,
               'stage', f.stage, 'detail', f.detail, 'log', f.log,
               'attempts', t.n, 'worker', t.worker or '')
end

-- f: class, code, stage, detail, log, backoff (ms).  running: another run of
-- the task goes on
local function fail_task(job, task, t, f)
    read_spec(t.spec, t)

    local jk = job_key(job)
    local n = tonumber(t.n)

    redis.call('HSET', jk, task .. ':err', cjson.encode({ class = f.class,
               code = f.code, stage = f.stage, detail = f.detail }))
    if t.second and go_on(job, task, t, f.class) then
        return 'running'
    end

    redis.call('ZREM', LEASE, member(job, task))
    redis.call('HDEL', jk, task .. ':token', task .. ':second')
    credit(job, task, t, 0)

    -- no fault of the task: this try does not count
    if f.class == 'release' then
        n = redis.call('HINCRBY', jk, task .. ':n', -1)
    end

    if f.class ~= 'fail' and n < tonumber(t.max) then
        redis.call('ZADD', DELAY, text(NOW + math.min(f.backoff, 60000)),
                   member(job, task))
        enter(job, task, 'delayed', t.worker)
        return 'delayed'
    end

    if f.class ~= 'fail' then
        quarantine(job, task, t, f)
    end

    enter(job, task, 'failed', t.worker)
    fail_job(job, f)
    return 'failed'
end

-- delayed tasks whose time has come, at most limit
-- rare: only while some are delayed
local function move_due(limit)
    local n = 0

    for _, m in ipairs(redis.call('ZRANGEBYSCORE', DELAY, '-inf', NOW_TEXT,
                                  'LIMIT', 0, limit)) do
        local job, task = split(m)
        local v, state, s = unpack(redis.call('HMGET', job_key(job), 'v',
                                              'state', task .. ':s'))
        if not v or known(v) then
            redis.call('ZREM', DELAY, m)
        end
        if known(v) and state == 'running' and s == 'delayed' then
            make_ready(job, task)
            n = n + 1
        end
    end
    return n
end

-- of two that wait for room in a step; orders of light tasks are of another
-- clock
-- rare: two that wait at once
local function sooner(a, b)
    if (a.slots == 0) ~= (b.slots == 0)
        and math.floor(a.order / BAND) == math.floor(b.order / BAND) then
        return a.since < b.since
    end
    return a.order < b.order
end

-- may this worker keep its slots free for the head of a queue?
-- rare: of large tasks that wait
local function reserve(queue, worker, ms)
    local key = K .. 'reserved:' .. queue

    if redis.call('GET', key) == worker
        or redis.call('SET', key, worker, 'NX', 'PX', ms) then
        redis.call('PEXPIRE', key, ms)
        return true
    end
end
