-- What every script begins with, since strangers may have written anything anywhere: Redis undoes nothing, so all that it
-- would refuse is found before the first write.
-- KINDS are those of the first keys. Behind them come the streams of the partitions, and then their counts.
local FIRST = #KINDS

for i, key in ipairs(KEYS) do
  local must = KINDS[i] or (i <= FIRST + (#KEYS - FIRST) / 2 and 'stream' or 'hash')
  local is = redis.call('TYPE', key).ok
  if is ~= must and is ~= 'none' then
    return redis.error_reply('TFKIND ' .. key)
  end
end
