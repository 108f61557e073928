-- The order of what is ready (docs/redis-keys.md): who stands where, and who is
-- next.  Shared, as common.lua.

-- tasks that need no core have slots of their own, and a clock of their own
-- rare: as line_up
local function is_light(queue)
    return queue:sub(1, 2) == '0:'
end

-- queues that got work, if any; the sleepers are told once, at the end
local woken

-- where the scores of that priority begin
-- inline: short
local function band_of(priority)
    return (PRIORITY_MAX - priority) * BAND
end

-- Each priority has clocks of its own: what goes before all others says
-- nothing of who is next among these.  How their names end, of a score.
-- rare: most tasks have the usual one
local function other_clocks(score)
    return '/' .. PRIORITY_MAX - (score - score % BAND) / BAND
end

-- inline: short
local function clocks(score)
    return score - score % BAND == USUAL and '' or other_clocks(score)
end

-- a project's tag where it comes to wait
-- rare: as line_up
local function tag_of(band, light, project)
    local own = clocks(band)
    local v = light and redis.call('HMGET', VTIME, 'light' .. own,
                                   'light:' .. project .. own)
              or redis.call('HMGET', VTIME, 'all' .. own,
                            'finish:' .. project .. own)

    return math.min(BAND - 1, math.max((v[1] or 0) + 0, (v[2] or 0) + 0))
end

-- how far a job, and its project, are with tasks of a priority
-- rare: as line_up
local function read_line(job, project, band)
    local own = clocks(band)
    local v = redis.call('HMGET', VTIME, 'start:' .. project .. own,
                         'ahead:' .. project .. own)
    local finish = redis.call('HGET', job_key(job), 'finish' .. own)
    local start = (v[1] or 0) + 0

    return { own = own, start = start, given = 0,
             finish = math.max(start, (finish or 0) + 0),
             ahead = not finish and (v[2] or AHEAD_MAX) + 0 or 0 }
end

-- rare: as line_up
local function write_line(job, project, l)
    if l.charged then
        redis.call('HSET', job_key(job), 'finish' .. l.own, text(l.finish))
    end
    if l.given > 0 then
        redis.call('HSET', VTIME, 'ahead:' .. project .. l.own,
                   text(l.ahead))
    end
end

-- the start tag of a task within its project
-- rare: as line_up
local function charge(l, t)
    if t.again then
        -- its turn had come, and its job was charged then
        return math.max(0, l.start - 1)
    end

    local cost, at = t.cost + 0, l.finish

    l.finish = at + cost
    l.charged = true
    if l.given + cost <= AHEAD and cost <= l.ahead then
        at = math.max(0, l.start - AHEAD) + l.given
        l.given = l.given + cost
        l.ahead = l.ahead - cost
    end
    return math.min(at, BAND - 1)
end

-- q: scores and members of a queue, the best band among them
-- rare: as line_up
local function enqueue(queue, project, q)
    local zk = K .. 'ready:' .. queue

    for i = 1, #q, 1000 do
        redis.call('ZADD', zk .. ':' .. project,
                   unpack(q, i, math.min(#q, i + 999)))
    end

    local old = redis.call('ZSCORE', zk, project)

    if not old then
        redis.call('SADD', QUEUES, queue)
    end
    if not old or q.band < old - old % BAND then
        redis.call('ZADD', zk, text(q.band + tag_of(q.band, q.light,
                                                    project)), project)
    end
    woken = woken or {}
    woken[queue] = true
end

-- Tasks get their start tags within their project, in the order of the list,
-- and the project one among those that have tasks in the same queue
-- (docs/redis-keys.md, Order).  tasks: of name and spec, and whether they come
-- again.  Their states are the caller's.
-- rare: most tasks stand in line from the start
local function line_up(job, project, tasks)
    local queues, lines = {}, {}

    for _, t in ipairs(tasks) do
        local band = band_of(t.priority)
        local q = queues[t.queue]
        local at = 0            -- light: the oldest job's first

        if not q then
            q = { band = band, light = is_light(t.queue), n = 1 }
            queues[t.queue] = q
        end
        if not q.light then
            lines[band] = lines[band] or read_line(job, project, band)
            at = charge(lines[band], t)
        end
        if band < q.band then
            q.band = band
        end
        q[q.n] = text(band + at)
        q[q.n + 1] = member(job, t.name)
        q.n = q.n + 2
    end

    for _, l in pairs(lines) do
        write_line(job, project, l)
    end
    for queue, q in pairs(queues) do
        enqueue(queue, project, q)
    end
end

-- t: the task as it was loaded; again: it was delayed
-- rare: as line_up
local function make_ready(job, task, t)
    t.s, t.since, t.name = 'ready', NOW_TEXT, task
    write_task(job, task, t)
    line_up(job, t.project, { read_spec(t.spec, t) })
end

-- A project's place in a queue follows from its first task there.  score: what
-- it has, or its new tag in the same band; head: the first task's score, false
-- when there is none; nil: they are not known.  zk: the queue's set of
-- projects.
local function rehead(queue, zk, project, score, head)
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

    score = (score or redis.call('ZSCORE', zk, project) or 0) + 0

    local tag = score % BAND
    local band = head - head % BAND

    if band ~= score - tag then
        tag = tag_of(band, is_light(queue), project)
    end
    redis.call('ZADD', zk, text(band + tag), project)
end

-- rare: of tasks that are gone
local function leave(queue, project, m)
    local zk = K .. 'ready:' .. queue

    if redis.call('ZREM', zk .. ':' .. project, m) == 1 then
        rehead(queue, zk, project)
    end
end

-- A claim of the task brought nothing, and is not counted: its project gets
-- back what it was charged (step), in all queues and in this priority.  Nobody
-- goes back behind the clock, for who waits there goes before all others.
-- `ahead` stays: a task that comes again adds nothing to it.
-- rare: of what comes again
local function uncharge(t)
    local band, light = band_of(t.priority), is_light(t.queue)
    local own = clocks(band)
    local field = (light and 'light:' or 'finish:') .. t.project .. own
    local v = redis.call('HMGET', VTIME, (light and 'light' or 'all') .. own,
                         field)
    local charged = (v[2] or 0) + 0
    local finish = math.max((v[1] or 0) + 0, charged - t.cost)

    if finish >= charged then
        return
    end
    redis.call('HSET', VTIME, field, text(finish))

    for _, q in ipairs(redis.call('SMEMBERS', QUEUES)) do
        local zk = K .. 'ready:' .. q
        local score = is_light(q) == light
                      and redis.call('ZSCORE', zk, t.project)

        if score and clocks(score) == own and score % BAND > finish then
            rehead(q, zk, t.project, band + finish)
        end
    end
end

-- rare: as line_up
local function wake()
    for queue in pairs(woken or {}) do
        redis.call('PUBLISH', K .. 'wake', queue)
    end
end

-- A due entry of DELAY or LEASE that is no running task's: what has gone is
-- dropped.  What is of a job of another schema is other workers' to judge.  It
-- stays, for they are to find it at once; where no more are looked at (full) it
-- goes behind the others that are due, who else would never be.
-- rare: as line_up
local function put_off(key, m, t, full)
    if not t.v or t.state then
        redis.call('ZREM', key, m)
    elseif full then
        redis.call('ZADD', key, text(NOW + PUT_OFF_MS), m)
    end
end

-- delayed tasks whose time has come, at most limit
-- rare: only while some are delayed
local function move_due(limit)
    local n = 0
    local due = redis.call('ZRANGEBYSCORE', DELAY, '-inf', NOW_TEXT,
                           'LIMIT', 0, limit)

    for _, m in ipairs(due) do
        local job, task = split(m)
        local t = load_all(job, task)

        put_off(DELAY, m, t, #due == limit)
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
