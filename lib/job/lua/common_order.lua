-- The order of what is ready (docs/redis-keys.md): who stands where, and who is
-- next.  Shared, as common.lua.

-- tasks that need no core have slots of their own, and a clock of their own
-- rare: as line_up
local function is_light(queue)
    return queue:sub(1, 2) == '0:'
end

-- queues that got work, if any; the sleepers are told once, at the end
local woken

-- Tasks get their start tags within their project, in the order of the list,
-- and the project one among those that have tasks in the same queue
-- (docs/redis-keys.md, Order).  tasks: of name and spec, and whether they come
-- again; project and finish: as the job's hash has them.  Their states are the
-- caller's.
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
            q = { band = band, light = is_light(t.queue), n = 1 }
            queues[t.queue] = q
        end
        if t.again and not q.light then
            -- its turn had come, and its job was charged then
            at = math.max(0, start - 1)
        elseif not q.light then
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
        if band < q.band then
            q.band = band
        end
        if at >= BAND then
            at = BAND - 1
        end
        q[q.n] = text(band + at)
        q[q.n + 1] = member(job, t.name)
        q.n = q.n + 2
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

-- t: the task as it was loaded; again: it was delayed
-- rare: as line_up
local function make_ready(job, task, t)
    t.s, t.since, t.name = 'ready', NOW_TEXT, task
    write_task(job, task, t)
    line_up(job, t.project, redis.call('HGET', job_key(job), 'finish'),
            { read_spec(t.spec, t) })
end

-- A project's place in a queue follows from its first task there.  tag: its
-- start tag, if that changed; head: the first task's score, false when there
-- is none, nil when it is not known.  zk: the queue's set of projects.
local function rehead(queue, zk, project, tag, head)
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

    head = head + 0
    tag = tag or (redis.call('ZSCORE', zk, project) or '0') % BAND
    if tag >= BAND then
        tag = BAND - 1
    end
    redis.call('ZADD', zk, text(head - head % BAND + tag), project)
end

-- rare: of tasks that are gone
local function leave(queue, project, m, tag)
    local zk = K .. 'ready:' .. queue

    if redis.call('ZREM', zk .. ':' .. project, m) == 1 then
        rehead(queue, zk, project, tag)
    end
end

-- A claim brought nothing, and is not counted: its project gets back what it
-- was charged (step), in all its queues.  Nobody goes back behind the clock,
-- for who waits there goes before all others.  `ahead` stays: a task that
-- comes again adds nothing to it.
-- rare: of what comes again
local function uncharge(project, queue, cost)
    local light = is_light(queue)
    local field = (light and 'light:' or 'finish:') .. project
    local v = redis.call('HMGET', VTIME, light and 'light' or 'all', field)
    local charged = tonumber(v[2] or '0')
    local finish = math.max(tonumber(v[1] or '0'), charged - cost)

    if finish >= charged then
        return
    end
    redis.call('HSET', VTIME, field, text(finish))

    for _, q in ipairs(redis.call('SMEMBERS', QUEUES)) do
        local zk = K .. 'ready:' .. q
        local score = is_light(q) == light
                      and redis.call('ZSCORE', zk, project)

        if score and score % BAND > finish then
            rehead(q, zk, project, finish)
        end
    end
end

-- rare: as line_up
local function wake()
    for queue in pairs(woken or {}) do
        redis.call('PUBLISH', K .. 'wake', queue)
    end
end

-- delayed tasks whose time has come, at most limit
-- rare: only while some are delayed
local function move_due(limit)
    local n = 0

    for _, m in ipairs(redis.call('ZRANGEBYSCORE', DELAY, '-inf', NOW_TEXT,
                                  'LIMIT', 0, limit)) do
        local job, task = split(m)
        local t = load_all(job, task)

        if not t.v or t.state then
            redis.call('ZREM', DELAY, m)
        end
        if t.state == 'running' and t.s == 'delayed' then
            t.again = true
            make_ready(job, task, t)
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
