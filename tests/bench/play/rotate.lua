-- asks for the paths of the file that is named after "--", one after another
local requests, n = {}, 0

function init(args)
    for path in io.lines(args[1]) do
        requests[#requests + 1] = wrk.format("GET", path)
    end
end

function request()
    n = n % #requests + 1
    return requests[n]
end

function done(summary, latency, _)
    local e = summary.errors
    io.write(string.format("RESULT %d %d %d %d %d\n", summary.requests,
        summary.bytes, e.connect + e.read + e.write + e.timeout, e.status,
        summary.duration))
end
