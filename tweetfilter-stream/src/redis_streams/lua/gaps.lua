-- Of a list of gaps the newest are kept; those that are let go are counted in a hash.
local function bound(gaps, hash)
  local over = redis.call('LLEN', gaps) - MOST_GAPS
  if over > 0 then
    redis.call('LTRIM', gaps, over, -1)
    add(hash, 'gaps_dropped', over)
  end
end
