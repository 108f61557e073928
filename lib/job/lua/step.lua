-- step: completes the last task and claims the next one, in one call.
-- KEYS: lease set.  ARGV: prefix, worker, nonce (16 hex digits), lease_ms,
-- job, task, token (all three empty: nothing to complete), then nothing
-- (claims nothing), or what the worker has: slots and memory (MiB) that are
-- free, slots and memory in all, labels csv, and whether a light task fits:
-- 2, 1 (when nothing else does) or 0.
-- Reply: ok | stale | none, then, when a task was claimed: job, task, type,
-- token, payload, attempt, timeout_s, asset, publication, project, pipeline,
-- queue, ms that the task was ready.

local err = bad_call(7)
if err then
    return err
end

-- a head that does not fit waits for so long before room is made for it
local PATIENCE_MS = 10000
local RESERVED_MS = 30000

local worker, nonce, lease = ARGV[2], ARGV[3], natural(ARGV[4])
local reply = { 'none' }

if #nonce ~= 16 or nonce:find('[^0-9a-f]') or not lease or lease < 1
    or (ARGV[5] == '') ~= (ARGV[6] == '') then
    return redis.error_reply('ERR reel: step: bad argument')
end

local free, room = natural(ARGV[8]), natural(ARGV[9])
local slots_all, memory_all = natural(ARGV[10]), natural(ARGV[11])
local labels, lights = ARGV[12], natural(ARGV[13])

if #ARGV > 7 and (#ARGV ~= 13 or not lights or not free or not room or not slots_all
                  or not memory_all) then
    return redis.error_reply('ERR reel: step: bad room')
end

if ARGV[5] ~= '' then
    local h, t = holder(ARGV[5], ARGV[6], ARGV[7])

    if h == 'running' then
        complete(ARGV[5], ARGV[6], t)
    end
    reply[1] = (h == 'running' or h == 'done') and 'ok' or 'stale'
end

if #ARGV == 7 then
    wake()
    return reply
end

local LAST = (PRIORITY_MAX + 1) * BAND

-- The first task of a queue that may be claimed, or nil.  What has gone
-- meanwhile is dropped; jobs of another schema stay, behind all others.
-- p: the queue's first project and its score, when they are known.
local function first(queue, p)
    local zk = K .. 'ready:' .. queue

    for _ = 1, 32 do
        p = p or redis.call('ZRANGE', zk, 0, 0, 'WITHSCORES')
        if #p == 0 then
            redis.call('SREM', QUEUES, queue)
            return
        end

        local project, score = p[1], tonumber(p[2])
        local light = is_light(queue)
        local f = redis.call('HMGET', VTIME, light and 'light' or 'all',
                             'fence', 'start:' .. project,
                             (light and 'light:' or 'finish:') .. project,
                             'ahead:' .. project)
        local finish = math.min(tonumber(f[4] or '0'), BAND - 1)
        p = nil

        if score % BAND < finish then
            -- it was served in another queue meanwhile
            redis.call('ZADD', zk, text(score - score % BAND + finish),
                       project)
        else
            local m = redis.call('ZRANGE', zk .. ':' .. project, 0, 1,
                                 'WITHSCORES')
            local job, t = split(m[1] or '/')
            local h = job and redis.call('HMGET', job_key(job), 'v', 'state',
                t .. ':s', t .. ':since', t .. ':spec', t .. ':payload',
                t .. ':n', 'asset', 'publication', 'project', 'pipeline')

            if not job then
                rehead(queue, project)
            elseif h[1] and not known(h[1]) then
                if tonumber(m[2]) >= LAST then
                    return
                end
                redis.call('ZADD', zk .. ':' .. project, text(LAST), m[1])
                rehead(queue, project)
            elseif h[2] == 'running' and h[3] == 'ready' then
                return { project = project, m = m[1], job = job, task = t,
                         h = h, v = f, queue = queue, order = score,
                         start = tonumber(m[2]) % BAND, next = m[4] }
            else
                leave(queue, project, m[1])
            end
        end
    end
end

-- may this worker keep its slots free for the head of a queue?
local function reserve(queue)
    local key = K .. 'reserved:' .. queue

    if redis.call('GET', key) == worker
        or redis.call('SET', key, worker, 'NX', 'PX', RESERVED_MS) then
        redis.call('PEXPIRE', key, RESERVED_MS)
        return true
    end
end

-- Small ones do not pass a large one for ever; one that is larger than the
-- whole worker is left to others for twice as long.
local function patient(c, slots, memory)
    local wait = NOW - tonumber(c.h[4])

    if slots > slots_all or memory > memory_all then
        wait = wait / 2
    end
    return wait >= PATIENCE_MS
end

local function band(c)
    return math.floor(c.order / BAND)
end

-- of two that wait for room; orders of light tasks are of another clock
local function sooner(a, b)
    if (a.slots == 0) ~= (b.slots == 0) and band(a) == band(b) then
        return tonumber(a.h[4]) < tonumber(b.h[4])
    end
    return a.order < b.order
end

-- queues of which a task fits now, by their heads' order, those of light
-- tasks, and the first task that room must be made for: a large one, or a
-- light one that waited for memory, which it keeps from encodes (fits: it
-- has it now)
local function survey()
    local fit, light, large = {}, {}

    for _, queue in ipairs(redis.call('SMEMBERS', QUEUES)) do
        local slots, memory, wanted = needs(queue)
        local place = slots and (slots == 0 and lights or free) > 0
                      and has_labels(labels, wanted)
        local fits = place and slots <= free and memory <= room
        local keeps = fits and slots == 0 and memory > 0 and lights == 1

        if place and free > 0 and (keeps or not fits) then
            local c = first(queue)

            if c and patient(c, slots, memory) then
                fits = fits or free == slots_all
                c.slots, c.fits = slots, fits
                if (slots == 0 or not fits)
                    and (not large or sooner(c, large)) then
                    large = c
                end
            end
        end
        if fits then
            local p = redis.call('ZRANGE', K .. 'ready:' .. queue, 0, 0,
                                 'WITHSCORES')
            if #p > 0 then
                table.insert(slots == 0 and light or fit, { queue = queue,
                             slots = slots, order = tonumber(p[2]),
                             head = p })
            end
        end
    end
    return fit, light, large
end

-- of equal order the larger
local function before(a, b)
    return a.order < b.order or (a.order == b.order and a.slots > b.slots)
end

-- a head's order may be behind what it says: then it is looked at again
local function pick(queues)
    while #queues > 0 do
        local at = 1

        for i, q in ipairs(queues) do
            if before(q, queues[at]) then
                at = i
            end
        end

        local q = queues[at]
        local c = first(q.queue, q.head)
        q.head = nil
        if not c then
            table.remove(queues, at)
        elseif c.order <= q.order then
            c.slots = q.slots
            return c
        else
            q.order = c.order
        end
    end
end

move_due(8)

local fit, light, large = survey()
local best = lights == 2 and pick(light)

if not best then
    best = pick(fit)
    if large and (not best or band(large) <= band(best))
        and (large.fits or reserve(large.queue)) then
        best = large.fits and large or nil
    end
    best = best or (lights == 1 and pick(light))
end

if not best then
    wake()
    return reply
end

local jk, h, v, task = job_key(best.job), best.h, best.v, best.task
local spec = read_spec(h[5], {})
local all = math.max(tonumber(v[1] or '0'), best.order % BAND)
local finish = math.max(tonumber(v[1] or '0'), tonumber(v[4] or '0'))
               + tonumber(spec.cost)
local fence = v[2] and tonumber(v[2]) + 1 or first_fence()

if best.slots == 0 then
    redis.call('HSET', VTIME, 'light', text(all), 'fence', text(fence),
               'light:' .. best.project, text(finish))
else
    local start, ahead = tonumber(v[3] or '0'), tonumber(v[5] or AHEAD_MAX)

    if best.start >= start then
        start = best.start
        ahead = math.min(AHEAD_MAX, ahead
                                    + math.floor(tonumber(spec.cost) / 2))
    end
    redis.call('HSET', VTIME, 'all', text(all), 'fence', text(fence),
               'start:' .. best.project, text(start),
               'finish:' .. best.project, text(finish),
               'ahead:' .. best.project, text(ahead))
end

redis.call('ZREM', K .. 'ready:' .. best.queue .. ':' .. best.project,
           best.m)
rehead(best.queue, best.project, finish, best.next or false)

if not best.queue:find('^[01]:0:')
    and redis.call('GET', K .. 'reserved:' .. best.queue) == worker then
    redis.call('DEL', K .. 'reserved:' .. best.queue)
end

local token = text(fence) .. '-' .. nonce
local attempt = text((tonumber(h[7] or '0')) + 1)

redis.call('HSET', jk, task .. ':token', token, task .. ':worker', worker,
           task .. ':s', 'running', task .. ':since', text(NOW),
           task .. ':n', attempt)
redis.call('ZADD', LEASE, text(NOW + lease), best.m)
event(best.job, task, 'running', worker)
wake()

return { reply[1], best.job, task, spec.type, token, h[6], attempt,
         spec.timeout, h[8], h[9], h[10], h[11], best.queue,
         text(elapsed(h[4])) }
