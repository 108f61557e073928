-- cancel: ends a job that its user cancelled, or whose asset was deleted.
-- KEYS: job hash.  ARGV: prefix, job.
-- Reply: ok (also when it was cancelled before) | none: no such job, or it
-- ended otherwise.

local err = bad_call(2, true)
if err then
    return err
end

local job = ARGV[2]
local j = load_job(job)

if j.state == 'running' then
    cancel_tasks(job, j)
    end_job(job, j, 'cancelled', 'cancelled')
    return { 'ok' }
end

-- it is deleted: nobody cancels what failed
if j.state ~= 'done' then
    pardon((job_of(job)))
end
return { j.state == 'cancelled' and 'ok' or 'none' }
