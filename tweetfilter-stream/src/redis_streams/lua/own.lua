-- KEYS: layout, then streams and counts. ARGV: layout id, a store, or '' where none is to have the buffer that has none yet.
-- Returns the store that has it, '' if none does.
if ARGV[2] ~= '' then
  redis.call('HSETNX', KEYS[1], 'store', ARGV[2])
end
return redis.call('HGET', KEYS[1], 'store') or ''
