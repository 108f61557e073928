-- step: completes the last task and claims the next one, in one call.
-- KEYS: lease set.  ARGV: prefix, worker, nonce (16 hex digits), lease_ms,
-- job, task, token (all three empty: nothing to complete), then nothing
-- (claims nothing), or what the worker has: "<slots and memory (MiB) that are
-- free> <slots and memory in all> <whether a light task fits: 2, 1 (when
-- nothing else does) or 0>", and its labels (csv).
-- Reply: ok | stale | none, then `reserved` when nothing was claimed because
-- the worker makes room for a large task; when one was claimed: job, task, type,
-- token, payload, attempt, timeout_s, project, pipeline, queue, ms that the
-- task was ready.

local err = bad_call(7)
if err then
    return err
end

-- a head that does not fit waits for so long before room is made for it
local PATIENCE_MS = 10000
local PATIENCE_MAX_MS = 300000
local RESERVED_MS = 30000

local worker, nonce, lease = ARGV[2], ARGV[3], ARGV[4]
local claims = #ARGV > 7
local reply = { 'none' }

if #nonce ~= 16 or not nonce:find('^[0-9a-f]+$') or not lease:find('^[1-9]%d*$')
    or #lease > 15 or worker:find('%s')
    or (ARGV[5] == '') ~= (ARGV[6] == '') then
    return redis.error_reply('ERR reel: step: bad argument')
end

local free, room, slots_all, memory_all, lights
local labels = ARGV[9]

if claims then
    free, room, slots_all, memory_all, lights =
        ARGV[8]:match('^(%d+) (%d+) (%d+) (%d+) ([012])$')
    if #ARGV ~= 9 or not free or #ARGV[8] > 48 then
        return redis.error_reply('ERR reel: step: bad room')
    end
    free, room, lights = free + 0, room + 0, lights + 0
end

if ARGV[5] ~= '' then
    local h, t = holder(ARGV[5], ARGV[6], ARGV[7])

    if h == 'running' then
        complete(ARGV[5], ARGV[6], t, worker)
    end
    reply[1] = (h == 'running' or h == 'done') and 'ok' or 'stale'
end

if not claims then
    if woken then
        wake()
    end
    return reply
end

-- The first task of a queue that may be claimed, or nil.  What has gone
-- meanwhile is dropped; jobs of another schema stay, behind all others.
-- light: it is one of light tasks; p: its first project and that one's score,
-- when they are known.
local function first(queue, light, p)
    local zk = K .. 'ready:' .. queue

    for _ = 1, 32 do
        p = p or redis.call('ZRANGE', zk, 0, 0, 'WITHSCORES')
        if #p == 0 then
            redis.call('SREM', QUEUES, queue)
            return
        end

        local project, score = p[1], p[2] + 0
        local tag = score % BAND
        local own = clocks(score)
        local clock = light and redis.call('HMGET', VTIME, 'light' .. own,
                                           'fence',
                                           'light:' .. project .. own)
                      or redis.call('HMGET', VTIME, 'all' .. own, 'fence',
                                    'finish:' .. project .. own,
                                    'start:' .. project .. own,
                                    'ahead:' .. project .. own)
        local finish = (clock[3] or 0) + 0
        p = nil

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
                rehead(queue, zk, project)
            elseif t.v and not t.state then
                local last = (PRIORITY_MAX + 1) * BAND

                if tonumber(m[2]) >= last then
                    return
                end
                redis.call('ZADD', tasks, text(last), m[1])
                rehead(queue, zk, project)
            elseif t.state == 'running' and t.s == 'ready' then
                return { queue = queue, zk = zk, tasks = tasks,
                         project = project, m = m[1],
                         job = job, task = task, since = t.since + 0, t = t,
                         clock = clock, finish = finish,
                         order = score, tag = tag, score = m[2] + 0,
                         next = m[4] or false }
            else
                leave(queue, project, m[1])
            end
        end
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

-- queues of which a task fits now, by their heads' order, those of light
-- tasks, and the first task that room must be made for: a large one, or a
-- light one that waited for memory, which it keeps from encodes (fits: it
-- has it now).  Small ones do not pass a large one for ever; one that is
-- larger than the whole worker is left to others for twice as long.
local function survey()
    local fit, light, large = {}, {}

    for _, queue in ipairs(redis.call('SMEMBERS', QUEUES)) do
        local slots, memory, wanted = needs(queue)
        local place = slots and (slots == 0 and lights or free) > 0
                      and (wanted == '' or has_labels(labels, wanted))
        local fits = place and slots <= free and memory <= room
        local keeps = fits and slots == 0 and memory > 0 and lights == 1

        if place and free > 0 and (keeps or not fits) then
            local c = first(queue, slots == 0)
            local whole = slots <= slots_all + 0
                          and memory <= memory_all + 0

            if c and patient(c, whole) then
                fits = fits or free == slots_all + 0
                c.slots, c.fits = slots, fits
                if slots == 0 or not fits then
                    large = large and sooner(large, c) and large or c
                end
            end
        end
        if fits then
            local p = redis.call('ZRANGE', K .. 'ready:' .. queue, 0, 0,
                                 'WITHSCORES')
            if #p > 0 then
                local list = slots == 0 and light or fit

                list[#list + 1] = { queue = queue, slots = slots,
                                    order = p[2] + 0, head = p }
            end
        end
    end
    return fit, light, large
end

-- A project is as far in each queue, and its tasks are in several by what
-- they need: of those that are first there, the one that comes before.
local function earlier(queues, q, c)
    for _, o in ipairs(queues) do
        local d = o ~= q and o.order <= c.order
                  and first(o.queue, o.slots == 0, o.head)

        if d and d.project == c.project and d.order <= c.order
            and d.score < c.score then
            d.slots, c = o.slots, d
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

        local c = first(q.queue, q.slots == 0, q.head)
        q.head = nil
        if not c then
            table.remove(queues, at)
        elseif c.order <= q.order then
            c.slots = q.slots
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
        and (large.fits or reserve(large.queue, worker, RESERVED_MS)) then
        best = large.fits and large or nil
        reserved = not best
    end
    return best or (lights == 1 and pick(light) or nil), reserved
end

local best, reserved = choose()

-- nothing for now: those that are due are looked for
if not best and redis.call('EXISTS', DELAY) == 1 and move_due(8) > 0 then
    best, reserved = choose()
end
if not best then
    if woken then
        wake()
    end
    reply[2] = reserved and 'reserved' or nil
    return reply
end

local task, project, clock, t = best.task, best.project, best.clock, best.t
local own = clocks(best.order)
local tries, credit, spec, type, cost, timeout = t.rest:match(CLAIMED)
local before = (clock[1] or 0) + 0
local n = clock[2] and clock[2] + 1 or first_fence()
local fence = text(n)
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
rehead(best.queue, best.zk, project,
       best.order - best.tag + (finish < BAND and finish or BAND - 1),
       best.next)

-- only for one that waited so long, room is made
if NOW - best.since >= PATIENCE_MS and not best.queue:find('^[01]:0:')
    and redis.call('GET', K .. 'reserved:' .. best.queue) == worker then
    redis.call('DEL', K .. 'reserved:' .. best.queue)
end

local token = fence .. '-' .. nonce
local jk = job_key(best.job)
local attempt = text(tries + 1)

t.s, t.since, t.token = 'running', NOW_TEXT, token
t.rest = rest_of(t.succ, attempt, credit, worker, spec)
redis.call('HSET', jk, task .. ':s', task_record(t))
redis.call('ZADD', LEASE, text(NOW + lease), best.m)
event(best.job, task, 'running', worker)
if n % 8 == 0 then
    move_due(8)
end
if n % 64 == 0 then
    redis.call('XTRIM', K .. 'events', 'MAXLEN', '~', '10000')
end
if woken then
    wake()
end

return { reply[1], best.job, task, type, token, t.payload, attempt,
         timeout, project, t.place:sub(#project + 2), best.queue,
         text(math.max(0, NOW - best.since)) }
