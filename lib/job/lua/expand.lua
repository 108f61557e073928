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
read_rest(held)
local stand, tasks = unpack(redis.call('HMGET', jk, 'names', 'tasks'))
local old, added, names, succ, ready = {}, {}, {}, {}, {}
local records = {}             -- where each new one is, and its state
local total, sum = {}, 0

for name in (stand or ''):gmatch('%S+') do
    old[name] = true
end

-- the state of a task that stands, or comes before; nil: there is none
local function state_of(name)
    if old[name] == true then
        old[name] = load_all(job, name)
    end
    return added[name] and 'waiting' or old[name] and old[name].s
end

-- most tasks have one successor
local function add_successor(name, s)
    local list = succ[name]

    if not list then
        succ[name] = s
    elseif type(list) == 'table' then
        list[#list + 1] = s
    else
        succ[name] = { list, s }
    end
end

local function successors(name)
    local list = succ[name]
    return type(list) == 'table' and table.concat(list, ',') or list or ''
end

-- labels in order and once each: two names of one queue would be two
local function queue_name(slots, memory, labels)
    local list, seen = {}, {}

    for l in labels:gmatch('[^,]+') do
        if not seen[l] then
            seen[l] = true
            table.insert(list, l)
        end
    end
    table.sort(list)
    return text(slots) .. ':' .. text(memory) .. ':'
           .. table.concat(list, ',')
end

-- What a film's tasks of one sort have in common is looked at once: their
-- queue, their priority and the ends of their spec (spec_of).  false: bad.
local sorts = {}

local function new_sort(a, i)
    local type, labels, rend = a[i + 1], a[i + 4], a[i + 10]
    local slots, memory = natural(a[i + 2]), natural(a[i + 3])
    local priority, max = natural(a[i + 5]), natural(a[i + 8])
    local timeout = natural(a[i + 9])

    if not type:find('^%S+$') or rend:find('%s') or not slots or not memory
        or labels:find('[^%w._,-]') or not priority or priority > PRIORITY_MAX
        or not max or max < 1 or not timeout or timeout < 1 then
        return false
    end

    local queue = queue_name(slots, memory, labels)

    return { queue = queue, priority = priority, rend = rend,
             head = type .. ' ' .. queue .. ' ',
             middle = ' ' .. table.concat({ text(priority), text(max),
                                            text(timeout), '' }, ' ') }
end

local function sort_of(a, i)
    local key = table.concat(a, ' ', i + 1, i + 5) .. ' '
                .. table.concat(a, ' ', i + 8, i + 10)

    if sorts[key] == nil then
        sorts[key] = new_sort(a, i)
    end
    return sorts[key]
end

-- of the task before: mostly the next one is of the same sort
local function same(a, i)
    return i > 5 and a[i + 1] == a[i - 12] and a[i + 2] == a[i - 11]
           and a[i + 3] == a[i - 10] and a[i + 4] == a[i - 9]
           and a[i + 5] == a[i - 8] and a[i + 8] == a[i - 5]
           and a[i + 9] == a[i - 4] and a[i + 10] == a[i - 3]
end

-- fields of the job's hash, and their values
local fields, n = {}, 0
local args, sort = ARGV, nil

for i = 5, #args, ARGS do
    local name, deps = args[i], 0
    local cost, work = natural(args[i + 7]), natural(args[i + 11])

    if not same(args, i) then
        sort = sort_of(args, i)
    end
    if not name:find('^[%w._-]+$') or not sort or not cost or not work then
        return redis.error_reply('ERR reel: expand: bad task ' .. name)
    end
    if added[name] or old[name] then
        return redis.error_reply('ERR reel: expand: twice ' .. name)
    end

    for d in args[i + 12]:gmatch('%S+') do
        local s = state_of(d)

        if not s then
            return redis.error_reply('ERR reel: expand: ' .. name
                                     .. ' depends on unknown ' .. d)
        end
        if s ~= 'done' and d ~= task then
            deps = deps + 1
            add_successor(d, name)
        end
    end
    added[name] = true
    names[#names + 1] = name

    fields[n + 1] = name .. ':payload'
    fields[n + 2] = args[i + 6]
    fields[n + 3] = name .. ':s'
    fields[n + 4] = sort.head .. args[i + 7] .. sort.middle .. args[i + 11]
                    .. ' ' .. sort.rend
    if deps == 0 then
        ready[#ready + 1] = { name = name, queue = sort.queue, cost = cost,
                              priority = sort.priority }
        records[#names] = { n + 4, 'ready' }
    else
        records[#names] = { n + 4, 'waiting' }
        fields[n + 5] = name .. ':deps'
        fields[n + 6] = text(deps)
        n = n + 2
    end
    n = n + 4

    if sort.rend ~= '' then
        for r in sort.rend:gmatch('[^,]+') do
            total[r] = (total[r] or 0) + work
            sum = sum + work
        end
    end
end

-- who comes after whom is known now
for i, r in ipairs(records) do
    fields[r[1]] = new_record(r[2], successors(names[i]), fields[r[1]])
end
for d in pairs(succ) do
    local t = old[d]

    if t then
        t.succ = (t.succ == '' and '' or t.succ .. ',') .. successors(d)
        write_rest(t)
        fields[n + 1] = d .. ':s'
        fields[n + 2] = task_record(t)
        n = n + 2
    end
end

if #names > 0 then
    held.left = held.left + #names
    fields[n + 1] = 'tasks'
    fields[n + 2] = text(tonumber(tasks or '0') + #names)
    fields[n + 3] = 'names'
    fields[n + 4] = stand .. ' ' .. table.concat(names, ' ')
    n = n + 4
end

-- few calls, each with fewer values than Lua's stack takes
for i = 1, n, 1000 do
    redis.call('HSET', jk, unpack(fields, i, math.min(n, i + 999)))
end

local pk = K .. 'progress:' .. job

for r, work in pairs(total) do
    redis.call('HINCRBY', pk, 'total:' .. r, text(work))
    redis.call('HINCRBY', pk, 'done:' .. r, '0')
end
redis.call('HINCRBY', pk, 'total', text(sum))
redis.call('HSET', pk, 'state', 'transcoding', 'begun', NOW_TEXT)

if #ready > 0 then
    line_up(job, held.project, ready)
end

complete(job, task, held, held.worker)
wake()
return { 'ok' }
