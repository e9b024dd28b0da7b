-- KEYS: layout, source, all sources. ARGV: layout id, source's name, instance, lease in ms.
-- Returns {1, fence, cursor, 1 if nobody had claimed it} or {0, holder, ms until its lease has run out, cursor}.
local at = now()
local held = redis.call('HMGET', KEYS[2], 'holder', 'till', 'fence', 'cursor')
local holder, till, fence = held[1], number(held[2]), number(held[3])
-- No lease lasts longer than one that begins now: what says so was written by a stranger, or before the clock was set back.
-- It is cut for good, so that it comes to an end; a holder that lives prolongs it.
local most = at + ARGV[4]
if holder and holder ~= ARGV[3] and till > at then
  if till > most then
    touch()
    redis.call('HSET', KEYS[2], 'till', digits(most))
    till = most
  end
  return { 0, holder, till - at, held[4] }
end
touch()
-- Never less than the time, so that not even a FLUSHALL brings an old number back.
fence = digits(math.max(fence + 1, at))
redis.call('HDEL', KEYS[2], 'nonce', 'batch')
redis.call('HSET', KEYS[2], 'holder', ARGV[3], 'till', digits(most), 'fence', fence)
redis.call('SADD', KEYS[3], ARGV[2])
return { 1, fence, held[4], held[3] and 0 or 1 }
