-- submit: makes a job with `inspect` and `plan`.
-- KEYS: job hash.  ARGV: prefix, job, asset, publication, project, pipeline,
-- created_ms, payload (of both tasks), attempts, timeout_s, shards of the
-- caller (1 when it does not say).
-- Reply: ok, or exists: the job was submitted before.

local err = bad_call(10)
if err then
    return err
end

local job, asset, publication, project = ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local shards = shards_asked(ARGV[11] or '1')
local jk = job_key(job)

if KEYS[1] ~= jk or job ~= asset .. '.' .. publication
    or job:find('[/%s]') or not project:find('^%S+$')
    or not ARGV[6]:find('^%S+$') or not natural(publication)
    or not natural(ARGV[7]) or not natural(ARGV[9])
    or not natural(ARGV[10]) or tonumber(ARGV[9]) < 1
    or tonumber(ARGV[10]) < 1 or not shards or #ARGV > 11 then
    return redis.error_reply('ERR reel: submit: bad argument')
end

local held = shards_held()

if held and held ~= shards then
    return redis.error_reply('ERR reel: submit: this Redis has ' .. held
                             .. ' shards')
end

local submitted = K .. 'submitted:' .. job

if redis.call('EXISTS', jk, submitted) > 0 then
    return { 'exists' }
end

if publication ~= '1' then
    pardon(asset)
end

-- a Redis that lost all gets jobs before a worker says how many there are
if not held then
    redis.call('SET', K .. 'shards', shards)
end
redis.call('SET', submitted, '1')
redis.call('ZADD', K .. 'jobs', NOW_TEXT, job)
redis.call('ZADD', K .. 'catalog:' .. project, ARGV[7], asset)
redis.call('HSET', K .. 'progress:' .. job, 'state', 'queued',
           'percent', '0', 'total', '0', 'done', '0')

local spec = { queue = '0:0:', cost = 100, priority = PRIORITY,
               max = ARGV[9], timeout = ARGV[10] }
local j = { state = 'running', left = 2,
            place = project .. ' ' .. ARGV[6] }

spec.type = 'plan'
redis.call('HSET', jk, 'v', job_record(j), 'asset', asset, 'publication', publication,
           'submitted_ms', NOW_TEXT, 'tasks', '2', 'names', 'inspect plan',
           'plan:s', new_record('waiting', '', spec_of(spec)),
           'plan:deps', '1', 'plan:payload', ARGV[8])
spec.type = 'inspect'
redis.call('HSET', jk, 'inspect:s', new_record('ready', 'plan',
           spec_of(spec)), 'inspect:payload', ARGV[8])
spec.name = 'inspect'

event(job, '', 'running')
line_up(job, project, { spec })
wake()
return { 'ok' }
