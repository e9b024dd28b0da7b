-- KEYS: layout, then streams and counts. ARGV: layout id, idle time at which a lease has run out.
-- Returns entries, leased, bytes, time of the oldest or -1, redelivered, lost.
local entries, leased, bytes, oldest, redelivered, lost = 0, 0, 0, -1, 0, 0
for p = 1, partitions() do
  local kept = redis.call('HMGET', counts(p), 'appended', 'removed', 'redelivered', 'lost')
  for i = 1, 4 do
    kept[i] = number(kept[i])
  end
  local appended, length = kept[1], redis.call('XLEN', stream(p))
  redelivered, lost = redelivered + kept[3], lost + kept[4]
  if redis.call('EXISTS', stream(p)) == 1 then
    local about = redis.call('XINFO', 'STREAM', stream(p))
    for i = 1, #about, 2 do
      if about[i] == 'entries-added' then
        -- More than was counted, if others write with XADD; less, if somebody deleted the whole stream.
        appended = math.max(appended, number(digits(about[i + 1])))
      elseif about[i] == 'first-entry' and about[i + 1] then
        local time = tonumber(string.match(about[i + 1][1], '^%d+'))
        oldest = oldest < 0 and time or math.min(oldest, time)
      end
    end
    local pending = redis.pcall('XPENDING', stream(p), GROUP)
    if not pending.err then
      local late = redis.call('XPENDING', stream(p), GROUP, 'IDLE', ARGV[2], '-', '+', 1000000)
      leased = leased + math.min(length, pending[1] - #late)
    end
    if length > 0 then
      bytes = bytes + redis.call('MEMORY', 'USAGE', stream(p))
    end
  end
  entries = entries + length
  lost = lost + math.max(0, appended - kept[2] - length)
end
return { entries, leased, bytes, oldest, redelivered, lost }
