-- step: completes tasks and claims others, as many calls of one each would in
-- turn.
-- KEYS: lease set.  ARGV: prefix, worker, nonce (16 hex digits), lease_ms,
-- what the worker has ("" claims nothing): "<how many tasks it claims> <slots,
-- memory (MiB) and light tasks that are free> <the same in all>", its labels
-- (csv), then job, task and token of each that is completed.
-- Reply: ok or stale for each of these; then of each that was claimed: job,
-- task, type, token, payload, attempt, timeout_s, project, pipeline, queue, ms
-- that the task was ready; then `reserved` when no more were claimed because
-- the worker makes room for a large task.

local err = bad_call(6)
if err then
    return err
end

-- of tasks completed, or claimed: so long others wait (lib/job/keys.h)
local MOST = 16

-- a head that does not fit waits for so long before room is made for it
local PATIENCE_MS = 10000
local PATIENCE_MAX_MS = 300000
local RESERVED_MS = 30000

local worker, nonce, lease, labels = ARGV[2], ARGV[3], ARGV[4], ARGV[6]

local function well_formed()
    for i = 7, #ARGV, 3 do
        if ARGV[i] == '' or ARGV[i + 1] == '' then
            return false
        end
    end
    return #nonce == 16 and nonce:find('^[0-9a-f]+$')
           and lease:find('^[1-9]%d*$') and #lease <= 15
           and not worker:find('%s')
           and #ARGV % 3 == 0 and #ARGV <= 6 + 3 * MOST
end

if not well_formed() then
    return redis.error_reply('ERR reel: step: bad argument')
end

-- places: of light tasks.  The first is their own; of the others they have
-- what nothing else takes.
local claims, free, room, places, slots_all, memory_all, places_all = 0

if ARGV[5] ~= '' then
    claims, free, room, places, slots_all, memory_all, places_all =
        ARGV[5]:match('^([1-9]%d*) (%d+) (%d+) (%d+) (%d+) (%d+) (%d+)$')
    if not claims or #ARGV[5] > 80 or claims + 0 > MOST then
        return redis.error_reply('ERR reel: step: bad room')
    end
    claims, free, room, places = claims + 0, free + 0, room + 0, places + 0
    slots_all, memory_all = slots_all + 0, memory_all + 0
    places_all = places_all + 0
end

local reply = {}

for i = 7, #ARGV, 3 do
    local job, task = ARGV[i], ARGV[i + 1]
    local h, t = holder(job, task, ARGV[i + 2])

    if h == 'running' then
        complete(job, task, t, worker)
    end
    reply[#reply + 1] = (h == 'running' or h == 'done') and 'ok' or 'stale'
end

local lights        -- 2: a light task goes first, 1: last, 0: there is no place
local lines         -- as look_up() has them; nil: they may be others now

-- queues that this worker has the labels for, and what their tasks need
local function look_up()
    local list = {}

    for _, queue in ipairs(redis.call('SMEMBERS', QUEUES)) do
        local slots, memory, wanted = needs(queue)

        if slots and (wanted == '' or has_labels(labels, wanted)) then
            list[#list + 1] = { queue = queue, zk = K .. 'ready:' .. queue,
                                slots = slots, memory = memory }
        end
    end
    return list
end

-- the first project of a queue and its score, or nothing
local function head(q)
    q.head = q.head or redis.call('ZRANGE', q.zk, 0, 0, 'WITHSCORES')
    return q.head
end

-- The first task of a queue that may be claimed, or nil.  What has gone
-- meanwhile is dropped; jobs of another schema stay, behind all others.
local function first(q)
    local zk = q.zk

    for _ = 1, 32 do
        local p = head(q)

        if #p == 0 then
            redis.call('SREM', QUEUES, q.queue)
            return
        end

        local project, score = p[1], p[2] + 0
        local tag = score % BAND
        local own = clocks(score)
        local clock = q.slots == 0
                      and redis.call('HMGET', VTIME, 'light' .. own, 'fence',
                                     'light:' .. project .. own)
                      or redis.call('HMGET', VTIME, 'all' .. own, 'fence',
                                    'finish:' .. project .. own,
                                    'start:' .. project .. own,
                                    'ahead:' .. project .. own)
        local finish = (clock[3] or 0) + 0

        if tag < finish and tag < BAND - 1 then
            -- it was served in another queue meanwhile
            redis.call('ZADD', zk, text(score - tag
                                        + math.min(finish, BAND - 1)),
                       project)
        else
            local tasks = zk .. ':' .. project
            local m = redis.call('ZRANGE', tasks, 0, 1, 'WITHSCORES')
            local at = m[1] and m[1]:find('/', 1, true)
            local job, task, t

            if at then
                job, task = m[1]:sub(1, at - 1), m[1]:sub(at + 1)
                t = load(job, task, true)
            end

            if not at then
                rehead(q.queue, zk, project)
            elseif t.v and not t.state then
                local last = (PRIORITY_MAX + 1) * BAND

                if tonumber(m[2]) >= last then
                    return
                end
                redis.call('ZADD', tasks, text(last), m[1])
                rehead(q.queue, zk, project)
            elseif t.state == 'running' and t.s == 'ready' then
                return { line = q, tasks = tasks, slots = q.slots,
                         project = project, m = m[1],
                         job = job, task = task, since = t.since + 0, t = t,
                         clock = clock, finish = finish,
                         order = score, tag = tag, score = m[2] + 0,
                         next = m[4] or false }
            else
                leave(q.queue, project, m[1])
            end
        end
        q.head = nil
    end
end

-- A task that was claimed only to find that a twin does the same waits for
-- room as long as it has waited for the twin: cores would idle for each look.
local function patient(c, whole)
    local waits = NOW - c.since
    local twin = waits >= PATIENCE_MS
                 and redis.call('HGET', job_key(c.job), c.task .. ':twin')

    return waits >= (whole and 1 or 2) * math.max(PATIENCE_MS, twin
           and math.min(c.since - twin, PATIENCE_MAX_MS) or 0)
end

-- lines of which a task fits now, those of light tasks, and the first task
-- that room must be made for: a large one, or a light one that waited for
-- memory, which it keeps from encodes (fits: it has it now).  Small ones do not
-- pass a large one for ever; one that is larger than the whole worker is left
-- to others for twice as long.
local function survey()
    local fit, light, large = {}, {}
    lines = lines or look_up()

    for _, q in ipairs(lines) do
        local slots, memory = q.slots, q.memory
        local place = (slots == 0 and lights or free) > 0
        local fits = place and slots <= free and memory <= room
        local keeps = fits and slots == 0 and memory > 0 and lights == 1

        if place and free > 0 and (keeps or not fits) then
            local c = first(q)
            local whole = slots <= slots_all and memory <= memory_all

            if c and patient(c, whole) then
                fits = fits or free == slots_all
                c.fits = fits
                if slots == 0 or not fits then
                    large = large and sooner(large, c) and large or c
                end
            end
        end
        if fits and #head(q) > 0 then
            local list = slots == 0 and light or fit

            q.order = head(q)[2] + 0
            list[#list + 1] = q
        end
    end
    return fit, light, large
end

-- A project is as far in each queue, and its tasks are in several by what
-- they need: of those that are first there, the one that comes before.
local function earlier(queues, q, c)
    for _, o in ipairs(queues) do
        local d = o ~= q and o.order <= c.order and first(o)

        if d and d.project == c.project and d.order <= c.order
            and d.score < c.score then
            c = d
        end
    end
    return c
end

-- The first, and of equal order the larger.  A head's order may be behind
-- what it says: then it is looked at again.
local function pick(queues)
    while #queues > 0 do
        local at, q = 1, queues[1]

        for i = 2, #queues do
            local o = queues[i]

            if o.order < q.order
                or (o.order == q.order and o.slots > q.slots) then
                at, q = i, o
            end
        end

        local c = first(q)
        if not c then
            table.remove(queues, at)
        elseif c.order <= q.order then
            return earlier(queues, q, c)
        else
            q.order = c.order
        end
    end
end

-- what is claimed, or nil; true: room is made for a large one
local function choose()
    local fit, light, large = survey()
    local best = lights == 2 and pick(light) or pick(fit)
    local reserved

    if large and (not best or best.slots > 0)
        and (not best or math.floor(large.order / BAND)
                         <= math.floor(best.order / BAND))
        and (large.fits or reserve(large.line.queue, worker, RESERVED_MS)) then
        best = large.fits and large or nil
        reserved = not best
    end
    return best or (lights == 1 and pick(light) or nil), reserved
end

-- takes what is claimed out of its line, and has its project pay for it
local function bill(best, fence, cost)
    local project, clock = best.project, best.clock
    local own = clocks(best.order)
    local before = (clock[1] or 0) + 0
    local all = best.tag > before and text(best.tag) or clock[1] or '0'
    local finish = (before > best.finish and before or best.finish) + cost

    if best.slots == 0 then
        redis.call('HSET', VTIME, 'light' .. own, all, 'fence', fence,
                   'light:' .. project .. own, text(finish))
    elseif best.score % BAND < (clock[4] or 0) + 0 then
        redis.call('HSET', VTIME, 'all' .. own, all, 'fence', fence,
                   'finish:' .. project .. own, text(finish))
    else
        redis.call('HSET', VTIME, 'all' .. own, all, 'fence', fence,
                   'finish:' .. project .. own, text(finish),
                   'start:' .. project .. own, text(best.score % BAND),
                   'ahead:' .. project .. own,
                   text(math.min(AHEAD_MAX, (clock[5] or AHEAD_MAX)
                                            + math.floor(cost / 2))))
    end

    redis.call('ZREM', best.tasks, best.m)
    rehead(best.line.queue, best.line.zk, project,
           best.order - best.tag + (finish < BAND and finish or BAND - 1),
           best.next)
    best.line.head = nil
end

local function claim(best)
    local task, project, t = best.task, best.project, best.t
    local queue = best.line.queue
    local tries, credit, spec, type, cost, timeout = t.rest:match(CLAIMED)
    local n = best.clock[2] and best.clock[2] + 1 or first_fence()
    local fence = text(n)

    bill(best, fence, cost)

    -- only for one that waited so long, room is made
    if NOW - best.since >= PATIENCE_MS and not queue:find('^[01]:0:')
        and redis.call('GET', K .. 'reserved:' .. queue) == worker then
        redis.call('DEL', K .. 'reserved:' .. queue)
    end

    local token = fence .. '-' .. nonce
    local attempt = text(tries + 1)

    t.s, t.since, t.token = 'running', NOW_TEXT, token
    t.rest = rest_of(t.succ, attempt, credit, worker, spec)
    redis.call('HSET', job_key(best.job), task .. ':s', task_record(t))
    redis.call('ZADD', LEASE, text(NOW + lease), best.m)
    event(best.job, task, 'running', worker)
    if n % 8 == 0 and move_due(8) > 0 then
        lines = nil
    end
    if n % 64 == 0 then
        redis.call('XTRIM', K .. 'events', 'MAXLEN', '~', '10000')
    end

    local at = #reply
    reply[at + 1], reply[at + 2], reply[at + 3] = best.job, task, type
    reply[at + 4], reply[at + 5], reply[at + 6] = token, t.payload, attempt
    reply[at + 7], reply[at + 8] = timeout, project
    reply[at + 9], reply[at + 10] = t.place:sub(#project + 2), queue
    reply[at + 11] = text(math.max(0, NOW - best.since))
end

for _ = 1, claims do
    lights = places == 0 and 0 or places == places_all and 2 or 1

    local best, reserved = choose()

    -- nothing for now: those that are due are looked for
    if not best and redis.call('EXISTS', DELAY) == 1 and move_due(8) > 0 then
        lines = nil
        best, reserved = choose()
    end
    if not best then
        reply[#reply + 1] = reserved and 'reserved' or nil
        break
    end
    claim(best)

    -- one that is larger than the whole worker leaves nothing
    free = math.max(0, free - best.slots)
    room = math.max(0, room - best.line.memory)
    places = best.slots == 0 and places - 1 or places
end

if woken then
    wake()
end
return reply
