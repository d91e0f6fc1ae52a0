-- For wrk. Without arguments it asks for the URL again and again. With arguments it buys, each time with a key of its
-- own, by the paths and the accounts in turn; the arguments: the beginning of the keys, the status that an answer must
-- have, the body, and two files with a path and an account's token a line.
-- After the run comes one line of JSON. Failures: broken connections, and answers of another status.
local threads = {}
unexpected = 0

local function lines_of(name)
  local found = {}
  for line in io.lines(name) do
    table.insert(found, line)
  end
  return found
end

function setup(thread)
  table.insert(threads, thread)
end

function init(arguments)
  if #arguments == 0 then
    return
  end
  local prefix, good, body = arguments[1], tonumber(arguments[2]), arguments[3]
  local paths, headers, count = lines_of(arguments[4]), {}, 0
  for _, token in ipairs(lines_of(arguments[5])) do
    table.insert(headers, { ["Authorization"] = "Bearer " .. token, ["Content-Type"] = "application/json" })
  end

  function request()
    count = count + 1
    local sent = headers[count % #headers + 1]
    sent["Idempotency-Key"] = prefix .. count
    return wrk.format("POST", paths[count % #paths + 1], sent, body)
  end

  function response(status)
    if status ~= good and status < 400 then -- from 400 on wrk counts by itself
      unexpected = unexpected + 1
    end
  end
end

function done(summary, latency)
  local errors = summary.errors
  local failures = errors.connect + errors.read + errors.write + errors.status + errors.timeout
  for _, thread in ipairs(threads) do
    failures = failures + thread:get("unexpected")
  end
  io.write(string.format(
    '\n{"seconds": %.6f, "answers": %d, "failures": %d, "p50_ms": %.3f, "p99_ms": %.3f}\n',
    summary.duration / 1e6, summary.requests, failures, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3
  ))
end
