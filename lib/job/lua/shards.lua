-- shards: among how many shards the jobs of this Redis are divided; each shard
-- holds the number.  Who says another one would look for jobs, and submit
-- them, where they are not.
-- KEYS: the number.  ARGV: prefix, how many the caller has, and, to change
-- it, how many there were: that is done when no job is left here.
-- Reply: how many there are, jobs of this shard that have not ended.

local err = bad_call(2)
if err then
    return err
end

local n, from = shards_asked(ARGV[2]), ARGV[3]

if not n or #ARGV > 3 then
    return redis.error_reply('ERR reel: shards: bad argument')
end

local jobs = redis.call('ZCARD', K .. 'jobs')
local held = shards_held()

if not held or (held == from and jobs == 0) then
    held = n
end
if held ~= redis.call('GET', KEYS[1]) then
    redis.call('SET', KEYS[1], held)
end
return { held, text(jobs) }
