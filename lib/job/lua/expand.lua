-- expand: a running task adds tasks to its job and is completed.
-- KEYS: job hash.  ARGV: prefix, job, task, token, then 13 a new
-- task: name, type, slots, memory_mib, labels csv, priority, payload, cost,
-- attempts, timeout_s, renditions csv, work_ms, deps (names, space separated; of tasks that stand already or
-- come before it here, so that no circle can be made).
-- Reply: ok | stale.

local err = bad_call(4)
if err then
    return err
end

local ARGS = 13
local job, task = ARGV[2], ARGV[3]
local jk = job_key(job)
local h, held = holder(job, task, ARGV[4])

if (#ARGV - 4) % ARGS ~= 0 then
    return redis.error_reply('ERR reel: expand: wrong number of arguments')
end

if h ~= 'running' then
    return { h == 'done' and 'ok' or 'stale' }
end

-- everything is checked before the first write
local project, finish, stand = unpack(redis.call('HMGET', jk, 'project',
                                                 'finish', 'names'))
local old, added, order, succ = {}, {}, {}, {}

for name in (stand or ''):gmatch('%S+') do
    old[name] = true
end

for i = 5, #ARGV, ARGS do
    local t = { name = ARGV[i], type = ARGV[i + 1],
                slots = natural(ARGV[i + 2]), memory = natural(ARGV[i + 3]),
                labels = ARGV[i + 4], priority = natural(ARGV[i + 5]),
                payload = ARGV[i + 6], cost = natural(ARGV[i + 7]),
                max = natural(ARGV[i + 8]), timeout = natural(ARGV[i + 9]),
                rend = ARGV[i + 10], work = natural(ARGV[i + 11]), deps = 0 }

    if not t.name:find('^[%w._-]+$') or not t.type:find('^%S+$')
        or t.rend:find('%s') or not t.slots or not t.memory
        or t.labels:find('[^%w._,-]') or not t.priority or t.priority > PRIORITY_MAX
        or not t.cost
        or not t.max or t.max < 1 or not t.timeout or t.timeout < 1
        or not t.work then
        return redis.error_reply('ERR reel: expand: bad task ' .. t.name)
    end
    if added[t.name] or old[t.name] then
        return redis.error_reply('ERR reel: expand: twice ' .. t.name)
    end

    for d in ARGV[i + 12]:gmatch('%S+') do
        local s = added[d] and 'waiting' or old[d]
                  and redis.call('HGET', jk, d .. ':s')
        if not s then
            return redis.error_reply('ERR reel: expand: ' .. t.name
                                     .. ' depends on unknown ' .. d)
        end
        if s ~= 'done' and d ~= task then
            t.deps = t.deps + 1
            succ[d] = succ[d] or {}
            table.insert(succ[d], t.name)
        end
    end
    added[t.name] = t
    table.insert(order, t)
end

-- labels in order and once each: two names of one queue would be two
local function queue_name(t)
    local list, seen = {}, {}

    for l in t.labels:gmatch('[^,]+') do
        if not seen[l] then
            seen[l] = true
            table.insert(list, l)
        end
    end
    table.sort(list)
    return text(t.slots) .. ':' .. text(t.memory) .. ':'
           .. table.concat(list, ',')
end

local pk = K .. 'progress:' .. job
local total, names = {}, {}
local sum = 0

local ready, fields = {}, {}

local function flush()
    if #fields > 0 then
        redis.call('HSET', jk, unpack(fields))
        fields = {}
    end
end

-- few calls, each with fewer values than Lua's stack takes
local function put(...)
    for _, x in ipairs({ ... }) do
        fields[#fields + 1] = x
    end
    if #fields > 1000 then
        flush()
    end
end

for _, t in ipairs(order) do
    local p = t.name .. ':'

    t.queue = queue_name(t)
    if t.deps == 0 then
        table.insert(ready, t)
    end
    put(p .. 's', t.deps == 0 and 'ready' or 'waiting', p .. 'since',
        text(NOW), p .. 'spec', spec_of(t), p .. 'payload', t.payload)
    if t.deps > 0 then
        put(p .. 'deps', text(t.deps))
    end
    if succ[t.name] then
        put(p .. 'succ', table.concat(succ[t.name], ' '))
    end
    table.insert(names, t.name)

    for r in t.rend:gmatch('[^,]+') do
        total[r] = (total[r] or 0) + t.work
        sum = sum + t.work
    end
end
flush()

-- successors of tasks that stood before
for d, list in pairs(succ) do
    if not added[d] then
        local s = redis.call('HGET', jk, d .. ':succ') or ''
        redis.call('HSET', jk, d .. ':succ',
                   s .. (s == '' and '' or ' ') .. table.concat(list, ' '))
    end
end

for r, work in pairs(total) do
    redis.call('HINCRBY', pk, 'total:' .. r, text(work))
    redis.call('HINCRBY', pk, 'done:' .. r, '0')
end
redis.call('HINCRBY', pk, 'total', text(sum))
redis.call('HSET', pk, 'state', 'transcoding', 'begun', text(NOW))

if #order > 0 then
    held.left = held.left + #order
    redis.call('HINCRBY', jk, 'tasks', text(#order))
    redis.call('HSET', jk, 'names', stand .. ' '
               .. table.concat(names, ' '))
end

if #ready > 0 then
    line_up(job, project, finish, ready)
end

complete(job, task, held)
wake()
return { 'ok' }
