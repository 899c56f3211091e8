-- Sends the requests of a file in turn, counts the answers of another status than expected, and
-- prints what was measured as JSON. Arguments: the status, the file (requests end with a NUL).

local thread_of_all

function setup(thread)
  thread_of_all = thread
end

function init(args)
  expected = tonumber(args[1])
  wrong = 0
  wrong_status = 0
  at = 0
  requests = {}
  local file = assert(io.open(args[2], "rb"))
  for one in file:read("*a"):gmatch("([^%z]+)%z") do
    requests[#requests + 1] = one
  end
  file:close()
end

function request()
  at = at % #requests + 1
  return requests[at]
end

function response(status)
  if status ~= expected then
    wrong = wrong + 1
    wrong_status = status
  end
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '\nRESULT {"requests": %d, "seconds": %.6f, "p50_ms": %.4f, "p99_ms": %.4f, ' ..
    '"wrong": %d, "wrong_status": %d, "lost": %d}\n',
    summary.requests, summary.duration / 1e6,
    latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
    thread_of_all:get("wrong"), thread_of_all:get("wrong_status"),
    errors.connect + errors.read + errors.write + errors.timeout
  ))
end
