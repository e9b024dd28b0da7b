-- KEYS: layout, source. ARGV: layout id, fence, lease in ms.
if redis.call('HGET', KEYS[2], 'fence') ~= ARGV[2] then
  return redis.error_reply('TFFENCED another instance has the source')
end
touch()
redis.call('HSET', KEYS[2], 'till', digits(now() + ARGV[3]))
return 1
