-- renew: prolongs leases and counts progress.
-- KEYS: lease set.  ARGV: prefix, lease_ms, n, then n times job, task,
-- token, progress in permille.  Reply: n times ok | stale | cancelled.
-- A lease never reaches beyond the attempt's deadline (timeout_s + 60 s), so
-- that the sweep finds overdue tasks among ended leases.

local err = bad_call(3)
if err then
    return err
end

local lease, n = natural(ARGV[2]), natural(ARGV[3])

if not lease or lease < 1 or not n or #ARGV ~= 3 + 4 * n then
    return redis.error_reply('ERR reel: renew: bad argument')
end

for i = 1, n do
    local permille = natural(ARGV[3 + 4 * i])
    if not permille or permille > 1000 then
        return redis.error_reply('ERR reel: renew: bad progress')
    end
end

-- of two runs the one that is ahead counts
local function tell(job, task, t, permille)
    if not counts(t) then
        return
    end
    if not second_run(t) or t.work * permille / 1000 > t.credit + 0 then
        give_credit(job, t, permille)
        write_task(job, task, t)
    end
end

local reply = {}

for i = 1, n do
    local job, task = ARGV[4 * i], ARGV[4 * i + 1]
    local h, t = holder(job, task, ARGV[4 * i + 2])

    if h == 'running' then
        local till = deadline(read_spec(read_rest(t).spec, t))

        if NOW < till then
            redis.call('ZADD', t.run2 and SECOND or LEASE, 'XX',
                       text(math.min(NOW + lease, till)),
                       member(job, task))
            tell(job, task, t, tonumber(ARGV[4 * i + 3]))
            h = 'ok'
        else
            h = 'stale'
        end
    elseif h == 'done' then
        h = 'stale'
    end
    reply[i] = h
end

return reply
