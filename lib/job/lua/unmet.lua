-- unmet: tasks that no live worker can run, since none has their labels (one
-- that drains begins none).
-- What needs more cores or memory than any has runs alone on one (step).
-- Every worker calls it with its heartbeat.
-- KEYS: the set of queues.  ARGV: prefix.
-- Reply: tasks given up, then of each queue about which there is news: its
-- name, the labels that are lacking (csv; '' = there is a worker again) and
-- how many seconds its tasks wait for one.

local err = bad_call(1, true)
if err then
    return err
end

local SAID_MS = 30000           -- a restart is no news
local PROJECTS, TASKS = 16, 16  -- given up at a time

local UNMET = K .. 'unmet'
local SEEN = K .. 'unmet-seen'

-- nobody looked: nothing is known of that time
if redis.call('EXISTS', SEEN) == 0 then
    redis.call('DEL', UNMET)
end
redis.call('SET', SEEN, '1', 'PX', HEARD_MS)

local workers, have = {}, {}

for _, id in ipairs(redis.call('ZRANGEBYSCORE', K .. 'workers',
                               text(NOW - HEARD_MS), '+inf')) do
    local w = redis.call('HMGET', K .. 'worker:' .. id, 'labels', 'codecs',
                         'draining')
    local set = {}

    if w[1] and w[3] ~= '1' then
        for l in (w[1] .. ',' .. (w[2] or '')):gmatch('[^,]+') do
            set[l], have[l] = true, true
        end
        table.insert(workers, set)
    end
end

-- those that nobody has; all of them when no one has all; nil: one has
local function lacking(labels)
    local none, all = {}, {}

    for l in labels:gmatch('[^,]+') do
        table.insert(all, l)
        if not have[l] then
            table.insert(none, l)
        end
    end

    for _, set in ipairs(workers) do
        local ok = true
        for _, l in ipairs(all) do
            ok = ok and set[l]
        end
        if ok then
            return
        end
    end

    return table.concat(#none > 0 and none or all, ',')
end

local function give_up(queue, project, m, lacks)
    local job, task = split(m)
    local t = load_all(job, task)
    read_spec(t.spec, t)

    if t.s ~= 'ready' or t.state ~= 'running' then
        return 0                -- step drops it
    end

    local waited = NOW - tonumber(t.since)
    if waited < UNMET_MS then
        return 0
    end

    leave(queue, project, m)

    if go_without(job, task, t) then
        make_ready(job, task, t)
        return 1
    end

    enter(job, task, t, 'failed')
    fail_job(job, t, { code = 'NO_WORKER', stage = task, log = '',
             detail = 'No worker with ' .. lacks .. ' for '
                      .. text(waited / 1000) .. ' s.' })
    return 1
end

local function give_up_queue(queue, lacks)
    local zk, n = K .. 'ready:' .. queue, 0

    for _, p in ipairs(redis.call('ZRANGE', zk, 0, PROJECTS - 1)) do
        for _, m in ipairs(redis.call('ZRANGE', zk .. ':' .. p, 0,
                                      TASKS - 1)) do
            n = n + give_up(queue, p, m, lacks)
        end
    end

    return n
end

local ended = 0
local reply = { '0' }

local function news(queue, lacks, ms)
    reply[#reply + 1] = queue
    reply[#reply + 1] = lacks
    reply[#reply + 1] = text(ms / 1000)
end

local queues = {}

for _, queue in ipairs(redis.call('SMEMBERS', QUEUES)) do
    local _, _, labels = needs(queue)
    local lacks = #workers > 0 and labels and labels ~= ''
                  and lacking(labels)
    local old = redis.call('HGET', UNMET, queue)
    local since, said = (old or ''):match('^(%d+) ([01]) ')

    queues[queue] = true

    if lacks then
        local waits = NOW - tonumber(since or NOW)

        if said ~= '1' and waits >= SAID_MS then
            said = '1'
            news(queue, lacks, waits)
        end
        redis.call('HSET', UNMET, queue, (since or NOW_TEXT) .. ' '
                   .. (said or '0') .. ' ' .. lacks)

        if waits >= UNMET_MS then
            ended = ended + give_up_queue(queue, lacks)
        end
    elseif old then
        redis.call('HDEL', UNMET, queue)
        if said == '1' then
            news(queue, '', NOW - tonumber(since))
        end
    end
end

-- of queues whose tasks are gone
for _, queue in ipairs(redis.call('HKEYS', UNMET)) do
    if not queues[queue] then
        redis.call('HDEL', UNMET, queue)
    end
end

wake()
reply[1] = text(ended)
return reply
