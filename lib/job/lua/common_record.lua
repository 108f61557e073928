-- What stands in a job's hash (docs/redis-keys.md): one field says how the job
-- is, and one how each task is, for a step pays for every field that it looks
-- at.  Shared, as common.lua.

-- `v`: "<schema> <state> <tasks left> <project> <pipeline>"
local JOB = '^3 (%S+) (%d+) (.+)$'

-- `<task>:s`: "<state> <since> <token> <second> <successors csv> <attempts>
-- <credit> <worker> <spec>"; token, second, successors and worker may be
-- empty.  What a completion looks at comes first; the rest is read by those
-- that need it.
local TASK = '^(%S+) (%d+) (%S*) (%S*) ((%S*) .+)$'
local REST = '^%S* (%d+) (%d+) (%S*) (.+)$'

-- of the rest what a claim looks at: attempts, credit, spec, type, cost and
-- timeout
local CLAIMED = '^%S* (%d+) (%d+) %S* ((%S+) %S+ (%d+) %d+ %d+ (%d+) .+)$'

-- the spec of a task that lacked one: it runs, and fails
local NO_SPEC = '? 0:0: 1 4 1 60 0 '

-- Job and task, of the texts of their fields.  state is nil when there is no
-- job, or (v) it is of another schema; s when there is no such task.
local function read_record(v, record, payload)
    local state, left, place = (v or ''):match(JOB)
    local s, since, token, second, rest, succ = (record or ''):match(TASK)

    return { v = v, state = state, left = left, place = place, s = s,
             since = since, token = token, second = second, rest = rest,
             succ = succ, payload = payload }
end

-- inline: short
local function job_record(j)
    return '3 ' .. j.state .. ' ' .. j.left .. ' ' .. j.place
end

-- inline: short
local function task_record(t)
    return t.s .. ' ' .. t.since .. ' ' .. t.token .. ' ' .. t.second .. ' '
           .. t.rest
end

-- what a completion does not look at
-- rare: so it is
local function read_rest(t)
    if not t.spec then
        t.n, t.credit, t.worker, t.spec = (t.rest or ''):match(REST)
        t.project, t.pipeline = (t.place or ''):match('^(%S+) (%S+)$')
    end
    return t
end

-- inline: short
local function rest_of(succ, n, credit, worker, spec)
    return succ .. ' ' .. n .. ' ' .. credit .. ' ' .. worker .. ' ' .. spec
end

-- rare: as read_rest
local function write_rest(t)
    t.rest = rest_of(t.succ, t.n, t.credit, t.worker, t.spec)
end

-- of a task that has not been claimed yet
-- rare: of what makes tasks
local function new_record(s, succ, spec)
    return s .. ' ' .. NOW_TEXT .. '   ' .. rest_of(succ, 0, 0, '', spec)
end

-- What the transitions of a task look at, in one call.  payload: that, too,
-- when it is true.
local function load(job, task, payload)
    local key, s = job_key(job), task .. ':s'
    local h = payload and redis.call('HMGET', key, 'v', s, task .. ':payload')
              or redis.call('HMGET', key, 'v', s)

    return read_record(h[1], h[2], h[3])
end

-- all of it
-- rare: as read_rest
local function load_all(job, task)
    return read_rest(load(job, task))
end

-- the job alone
-- rare: once a job
local function load_job(job)
    return read_rest(read_record(redis.call('HGET', job_key(job), 'v')))
end

-- t: with its rest read
-- rare: of what a step does not end
local function write_task(job, task, t)
    write_rest(t)
    redis.call('HSET', job_key(job), task .. ':s', task_record(t))
end

-- rare: as write_task
local function enter(job, task, t, state, worker)
    t.s, t.since = state, NOW_TEXT
    write_task(job, task, t)
    event(job, task, state, worker)
end

-- What the plan says of a task: "<type> <queue> <cost> <priority> <attempts>
-- <timeout_s> <work_ms> <renditions csv>", of which only the last may be empty.
-- rare: of what makes tasks, or changes them
local function spec_of(t)
    return table.concat({ t.type, t.queue, t.cost, t.priority, t.max,
                          t.timeout, t.work or 0, t.rend or '' }, ' ')
end

-- rare: a step takes from it what it needs
local function read_spec(spec, t)
    t.type, t.queue, t.cost, t.priority, t.max, t.timeout, t.work, t.rend =
        (spec or NO_SPEC):match(
            '^(%S+) (%S+) (%d+) (%d+) (%d+) (%d+) (%d+) (.*)$')
    return t
end
