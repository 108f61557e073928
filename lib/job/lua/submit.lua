-- submit: makes a job with `inspect` and `plan`.
-- KEYS: job hash.  ARGV: prefix, job, asset, publication, project, pipeline,
-- created_ms, payload (of both tasks), attempts, timeout_s.
-- Reply: ok, or exists: the job was submitted before.

local err = bad_call(10, true)
if err then
    return err
end

local job, asset, publication, project = ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local jk = job_key(job)

if KEYS[1] ~= jk or job ~= asset .. '.' .. publication
    or job:find('[/%s]') or not natural(publication)
    or not natural(ARGV[7]) or not natural(ARGV[9])
    or not natural(ARGV[10]) or tonumber(ARGV[9]) < 1
    or tonumber(ARGV[10]) < 1 then
    return redis.error_reply('ERR reel: submit: bad argument')
end

local submitted = K .. 'submitted:' .. job

if redis.call('EXISTS', jk, submitted) > 0 then
    return { 'exists' }
end

redis.call('SET', submitted, '1')
redis.call('ZADD', K .. 'jobs', text(NOW), job)
redis.call('ZADD', K .. 'catalog:' .. project, ARGV[7], asset)
redis.call('HSET', K .. 'progress:' .. job, 'state', 'queued',
           'percent', '0', 'total', '0', 'done', '0')
redis.call('HSET', jk, 'v', SCHEMA, 'asset', asset,
           'publication', publication, 'project', project,
           'pipeline', ARGV[6], 'state', 'running', 'left', '2',
           'submitted_ms', text(NOW), 'tasks', '2',
           'names', 'inspect plan')

for i, task in ipairs({ 'inspect', 'plan' }) do
    redis.call('HSET', jk, task .. ':s', 'waiting', task .. ':type', task,
               task .. ':class', 'light', task .. ':payload', ARGV[8],
               task .. ':cost', '100', task .. ':deps', text(i - 1),
               task .. ':succ', i == 1 and 'plan' or '',
               task .. ':max', ARGV[9], task .. ':timeout', ARGV[10],
               task .. ':n', '0', task .. ':since', text(NOW),
               task .. ':rend', '', task .. ':work', '0',
               task .. ':credit', '0')
end

event(job, '', 'running')
make_ready(job, 'inspect')
wake()
return { 'ok' }
