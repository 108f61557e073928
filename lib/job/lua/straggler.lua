-- straggler: a worker for which nothing is ready runs once more what takes
-- another one much longer than it should.  The first result counts.
-- KEYS: lease set.  ARGV: prefix, worker, nonce (16 hex digits), lease_ms, by
-- how many ms a task must be late, slots and memory (MiB) that are free,
-- labels csv.
-- Reply: none, then what step replies behind its outcome.
-- Writes nothing unless it claims; looks at a part of the running tasks.

local err = bad_call(8, true)
if err then
    return err
end

local LOOKED = 64               -- running tasks that one call looks at
local JOB_MAX = 4               -- second runs of one job at a time
local LATE = 2                  -- times what is expected
local FINISHED = 3              -- so many tasks make a pace
local GUESS = 2                 -- without one: times the plan's estimate
local TYPES = { encode_video = true, encode_audio = true }

local worker, nonce, lease = ARGV[2], ARGV[3], natural(ARGV[4])
local beyond, free, room = natural(ARGV[5]), natural(ARGV[6]),
                           natural(ARGV[7])
local labels = ARGV[8]

if worker == '' or worker:find('%s') or #nonce ~= 16
    or nonce:find('[^0-9a-f]') or not lease or lease < 1 or not beyond
    or not free or not room then
    return redis.error_reply('ERR reel: straggler: bad argument')
end

-- ready tasks go first, even those that wait for more room than is free
for _, queue in ipairs(redis.call('SMEMBERS', QUEUES)) do
    local slots, _, wanted = needs(queue)

    if slots and slots > 0 and has_labels(labels, wanted) then
        return { 'none' }
    end
end

local second = {}

for _, m in ipairs(redis.call('ZRANGE', SECOND, 0, -1)) do
    local job = split(m)
    second[job] = (second[job] or 0) + 1
end

-- ms that the task should take
local function expected(pace, cost)
    local n, ms, of = (pace or ''):match('^(%d+) (%d+) (%d+)$')

    if n and tonumber(n) >= FINISHED and tonumber(of) > 0 then
        return cost * ms / of
    end
    return cost * GUESS
end

-- how many times as long as expected it runs; nil: it is to be left alone
local function lateness(job, task)
    local t = load_all(job, task)

    if t.state ~= 'running' or t.s ~= 'running' or t.second ~= ''
        or t.worker == worker then
        return
    end

    local spec = read_spec(t.spec, {})
    local slots, memory, wanted = needs(spec.queue)

    -- each run is one of the attempts that the task has
    if not TYPES[spec.type] or slots == 0 or slots > free or memory > room
        or t.n + 0 >= spec.max + 0
        or not has_labels(labels, wanted) then
        return
    end

    local ran = NOW - t.since
    local should = expected(redis.call('HGET', job_key(job),
                                       'pace:' .. spec.type),
                            tonumber(spec.cost))
    local work, done = tonumber(spec.work), tonumber(t.credit)

    if ran < should * LATE or ran < should + beyond then
        return
    end
    -- sooner there than a run that begins now
    if done > 0 and ran * (work - done) / done < should then
        return
    end
    return ran / should
end

local n = redis.call('ZCARD', LEASE)
local from = n > LOOKED and tonumber(TIME[2]) % n or 0
local best, job, task = 0, nil, nil

for _, m in ipairs(redis.call('ZRANGE', LEASE, from, from + LOOKED - 1)) do
    local j, t = split(m)
    local late = (second[j] or 0) < JOB_MAX and lateness(j, t) or 0

    if late > best then
        best, job, task = late, j, t
    end
end

if not job then
    return { 'none' }
end

local t = load_all(job, task)
local spec = read_spec(t.spec, {})

if redis.call('HEXISTS', VTIME, 'fence') == 0 then
    redis.call('HSET', VTIME, 'fence', text(first_fence()))
end

local token = text(redis.call('HINCRBY', VTIME, 'fence', 1)) .. '-' .. nonce

t.n = text(t.n + 1)
t.second = token .. ',' .. NOW_TEXT .. ',' .. worker
write_task(job, task, t)
redis.call('ZADD', SECOND, text(NOW + lease), member(job, task))
event(job, task, 'second', worker)

return { 'none', job, task, spec.type, token,
         redis.call('HGET', job_key(job), task .. ':payload'), t.n,
         spec.timeout, t.project, t.pipeline, spec.queue, '0' }
