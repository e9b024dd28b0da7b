-- Extends leases, or gives them back, and with them the worker's name and, where it holds nothing, its consumer.
-- KEYS: layout, the name, then streams and counts. ARGV: layout id, worker, idle time to set, which process this is, how
-- long the leases last, or '' if they are given back; then partition and id of each entry. Others' entries are passed over;
-- what a stranger's hand made nobody's was this worker's.
local worker, idle, who, time = ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local named = redis.call('GET', KEYS[2])
if named and named ~= who then
  return 0
end
touch()
if time == '' then
  redis.call('DEL', KEYS[2])
else
  keep_name(KEYS[2], who, time)
end
for p, ids in ipairs(ids_from(6)) do
  local own = {}
  for _, id in ipairs(ids) do
    local pending = redis.pcall('XPENDING', stream(p), GROUP, id, id, 1)
    local holder = not pending.err and pending[1] and pending[1][2]
    if holder == worker or holder == NOBODY then
      own[#own + 1] = id
    end
  end
  each_chunk(own, function(...)
    local args = { ... }
    args[#args + 1], args[#args + 2], args[#args + 3] = 'IDLE', idle, 'JUSTID'
    redis.call('XCLAIM', stream(p), GROUP, worker, 0, unpack(args))
  end)
  if time == '' then
    drop_consumer(p, worker)
  end
end
return 1
