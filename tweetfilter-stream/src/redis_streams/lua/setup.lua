-- KEYS: layout, losses, then streams and counts.
-- ARGV: id for a new layout, number of partitions, the entries that were there when this process last looked, the id
-- that the layout had then, '' if it never did, and when it last saw the buffer empty, or, if it never was, first looked;
-- '' if it never did.
-- Returns the layout's id, its number of partitions, and the entries of all of them.
local n, total = (#KEYS - 2) / 2, 0
redis.call('HDEL', KEYS[1], 'none')
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local found = redis.call('HMGET', KEYS[1], 'id', 'partitions')
local id, partitions = found[1], found[2]

-- The layout that this process knew is gone, whoever made the new one. The first who says so is believed.
local function lose()
  local before = ARGV[4]
  if before == '' or before == id or redis.call('HSETNX', KEYS[1], 'after:' .. before, ARGV[3]) == 0 then
    return
  end
  local reason = 'the keys of the buffer were removed by somebody else (FLUSHALL?)'
  -- What was taken away came since then, but for what was on its way.
  local from = math.min(now, (tonumber(ARGV[5]) or now + 1000) - 1000)
  local lost = { from = from, to = now, reason = reason, missing = tonumber(ARGV[3]) }
  redis.call('RPUSH', KEYS[2], cjson.encode(lost))
  bound(KEYS[2], KEYS[1])
  add(KEYS[2 + n + 1], 'lost', ARGV[3])
end

if id and partitions then
  lose()
  redis.call('HSET', KEYS[1], 'probed', string.format('%.0f', now))
  if partitions == ARGV[2] then
    for p = 1, n do
      total = total + redis.call('XLEN', KEYS[2 + p])
    end
  end
  return { id, partitions, total }
end
redis.call('HSET', KEYS[1], 'v', 1, 'id', ARGV[1], 'partitions', ARGV[2])
for p = 1, n do
  local made = redis.pcall('XGROUP', 'CREATE', KEYS[2 + p], 'tf', '0', 'MKSTREAM')
  if made.err and not string.find(made.err, 'BUSYGROUP', 1, true) then
    return redis.error_reply(made.err)
  end
end
lose()
return { ARGV[1], ARGV[2], total }
