-- fail: an attempt ended without a result.
-- KEYS: job hash.  ARGV: prefix, job, task, token, class (retry | fail |
-- release: tried again, but this try does not count | lacks: the same, for an
-- hour: this worker lacks what the task needs), code, stage, detail, log tail,
-- backoff_ms.
-- Reply: delayed | failed (the job ended so) | running (a second run goes on)
-- | stale.

local err = bad_call(10, true)
if err then
    return err
end

local job, task, class = ARGV[2], ARGV[3], ARGV[5]
local backoff = natural(ARGV[10])

if (class ~= 'retry' and class ~= 'fail' and class ~= 'release'
    and class ~= 'lacks') or not backoff or ARGV[6] == '' then
    return redis.error_reply('ERR reel: fail: bad argument')
end

local h, t = holder(job, task, ARGV[4])

if h ~= 'running' then
    return { 'stale' }
end

return { fail_task(job, task, t, { class = class, code = ARGV[6],
         stage = ARGV[7], detail = ARGV[8], log = ARGV[9],
         backoff = backoff }) }
