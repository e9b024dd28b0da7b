-- KEYS: layout, then streams and counts. ARGV: layout id, a store, or '' where none is to have the buffer that has none yet.
-- Returns the store that has it, '' if none does. A worker has to begin where memory is used up, too: it makes room.
local owner = redis.call('HGET', KEYS[1], 'store')
if not owner and ARGV[2] ~= '' then
  touch()
  redis.call('HSET', KEYS[1], 'store', ARGV[2])
  owner = ARGV[2]
end
return owner or ''
