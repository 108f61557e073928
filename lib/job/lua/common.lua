-- Shared by all transitions: scripts/embed-lua puts what they need of it, and
-- of common_*.lua, before each of them.
-- docs/redis-keys.md describes the keys; K is their prefix.  A transition
-- checks everything before its first write, for Redis takes nothing back.

local K = ARGV[1]
local FINAL_TTL = 86400
local HOOK_TTL = 7 * 86400
local JOB_MAX_MS = 7 * 86400000
local SHARDS_MAX = 64
local LEASE = K .. 'lease'
local SECOND = K .. 'second'
local DELAY = K .. 'delay'
local QUEUES = K .. 'queues'
local VTIME = K .. 'vtime'

-- a worker that was heard so long ago lives no more
local HEARD_MS = 60000

-- what other workers are to judge is looked at again so late
local PUT_OFF_MS = 60000

-- so long a task waits for a worker that can run it
local UNMET_MS = 3600000

-- scores: a band of start tags for each priority, the highest one first
local PRIORITY = 4
local PRIORITY_MAX = 9
local BAND = 2 ^ 49

-- where those of PRIORITY begin
local USUAL = 5 * 2 ^ 49

-- ms of work with which a new job goes before the others of its project, and
-- how much of that the project has at most; half of the
-- work that was not ahead is added as it begins
local AHEAD = 60000
local AHEAD_MAX = 120000

-- inline: each script calls it once
local function bad_call(argc, exact)
    return (#KEYS ~= 1 or not K or K == '' or #ARGV < argc
            or (exact and #ARGV ~= argc) or KEYS[1]:sub(1, #K) ~= K)
           and redis.error_reply('ERR reel: wrong number of arguments')
end

-- Lua takes a text for a number where it calculates, which costs less than
-- tonumber.

-- the whole of an integer: a double printed by Lua loses digits
-- inline: short
local function text(n)
    return string.format('%d', n)
end

-- nil unless s is a decimal of at most 15 digits
local function natural(s)
    if s and #s <= 15 and s:find('^%d+$') then
        return s + 0
    end
end

local TIME = redis.call('TIME')
local NOW = TIME[1] * 1000 + TIME[2] / 1000
NOW = NOW - NOW % 1
local NOW_TEXT = text(NOW)

-- Among how many shards jobs are divided, as this one holds it; nil: nobody
-- said it yet, or what said it is lost.  A single one of a version before
-- that had no number.
-- rare: once a job, and with each heartbeat
local function shards_held()
    local n = redis.call('GET', K .. 'shards')

    if not n and K:find('{r0}', 1, true)
        and redis.call('EXISTS', VTIME, K .. 'jobs') > 0 then
        return '1'
    end
    return n
end

-- nil: that many there cannot be
-- rare: as shards_held
local function shards_asked(s)
    local n = natural(s)
    return n and n >= 1 and n <= SHARDS_MAX and text(n) or nil
end

-- inline: short
local function job_key(job)
    return K .. 'job:' .. job
end

-- inline: short
local function member(job, task)
    return job .. '/' .. task
end

-- inline: short
local function split(m)
    return m:match('^([^/]+)/(.+)$')
end

-- asset and publication
-- inline: short
local function job_of(job)
    return job:match('^(.+)%.(%d+)$')
end

-- step trims the stream now and then
-- inline: short
local function event(job, task, state, worker)
    redis.call('XADD', K .. 'events', '*', 'job', job, 'task', task, 'state',
               state, 'worker', worker or '')
end

-- a queue's name says what its tasks need: "<slots>:<memory_mib>:<labels>"
local function needs(queue)
    local slots, memory, labels = queue:match('^(%d+):(%d+):(.*)$')

    if slots then
        return slots + 0, memory + 0, labels
    end
end

-- has a worker of these labels all that are wanted?
-- rare: most tasks want none
local function has_labels(labels, wanted)
    for l in wanted:gmatch('[^,]+') do
        if not (',' .. labels .. ','):find(',' .. l .. ',', 1, true) then
            return false
        end
    end
    return true
end

-- what claims are counted from: a lost counter never goes back
-- rare: the first claim of all
local function first_fence()
    return TIME[1] * 1000000 + TIME[2] + 1
end

-- ms since then; 0 of a time that is not known, or to come
local function elapsed(ms)
    return math.max(0, NOW - (tonumber(ms or '') or NOW))
end
