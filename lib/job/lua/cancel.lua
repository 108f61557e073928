-- cancel: ends a job that its user cancelled, or whose asset was deleted.
-- KEYS: job hash.  ARGV: prefix, job.
-- Reply: ok (also when it was cancelled before) | none: no such job, or it
-- ended otherwise.

local err = bad_call(2, true)
if err then
    return err
end

local job = ARGV[2]
local v, state = unpack(redis.call('HMGET', job_key(job), 'v', 'state'))

if not known(v) then
    return { 'none' }
end

if state == 'running' then
    cancel_tasks(job)
    end_job(job, 'cancelled', 'cancelled')
    return { 'ok' }
end

return { state == 'cancelled' and 'ok' or 'none' }
