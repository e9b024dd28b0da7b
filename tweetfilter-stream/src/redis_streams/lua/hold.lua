-- Extends or gives back leases. KEYS: layout, then streams and counts.
-- ARGV: layout id, worker, idle time to set; then partition and id of each entry. Others' entries are passed over.
local worker, idle = ARGV[2], ARGV[3]
touch()
for p, ids in ipairs(ids_from(4)) do
  local own = {}
  for _, id in ipairs(ids) do
    local pending = redis.pcall('XPENDING', stream(p), GROUP, id, id, 1, worker)
    if not pending.err and #pending > 0 then
      own[#own + 1] = id
    end
  end
  each_chunk(own, function(...)
    local args = { ... }
    args[#args + 1], args[#args + 2], args[#args + 3] = 'IDLE', idle, 'JUSTID'
    redis.call('XCLAIM', stream(p), GROUP, worker, 0, unpack(args))
  end)
end
return 1
