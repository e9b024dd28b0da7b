-- KEYS: layout, source. ARGV: layout id, fence, lease in ms.
local fence = redis.call('HGET', KEYS[2], 'fence')
if not fence then
  return redis.error_reply('TFFORGOTTEN nobody has claimed the source')
end
if fence ~= ARGV[2] then
  return redis.error_reply('TFFENCED another instance has the source')
end
touch()
redis.call('HSET', KEYS[2], 'till', digits(now() + ARGV[3]))
return 1
