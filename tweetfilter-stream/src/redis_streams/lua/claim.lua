-- KEYS: layout, source, all sources. ARGV: layout id, source's name, instance, lease in ms.
-- Returns {1, fence, cursor, 1 if nobody had claimed it} or {0, holder, ms until its lease has run out, cursor}.
local at = now()
local held = redis.call('HMGET', KEYS[2], 'holder', 'till', 'fence', 'cursor')
local holder, till, fence = held[1], number(held[2]), number(held[3])
if holder and holder ~= ARGV[3] and till > at then
  return { 0, holder, till - at, held[4] }
end
touch()
-- Never less than the time, so that not even a FLUSHALL brings an old number back.
fence = digits(math.max(fence + 1, at))
redis.call('HDEL', KEYS[2], 'nonce', 'batch')
redis.call('HSET', KEYS[2], 'holder', ARGV[3], 'till', digits(at + ARGV[4]), 'fence', fence)
redis.call('SADD', KEYS[3], ARGV[2])
return { 1, fence, held[4], held[3] and 0 or 1 }
