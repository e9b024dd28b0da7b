-- What every script begins with, since strangers may have written anything anywhere: Redis undoes nothing, so all that it
-- would refuse is found before the first write, or met by what refuses nothing.
-- KINDS are those of the first keys. Behind them come the streams of the partitions, and then their counts.
local FIRST = #KINDS
-- Numbers of so many digits are exact here.
local EXACT = 15

for i, key in ipairs(KEYS) do
  local must = KINDS[i] or (i <= FIRST + (#KEYS - FIRST) / 2 and 'stream' or 'hash')
  local is = redis.call('TYPE', key).ok
  if is ~= must and is ~= 'none' then
    return redis.error_reply('TFKIND ' .. key)
  end
end

-- A number that stands in a hash; 0 if there is none, or something else in its place.
local function number(text)
  return text and #text <= EXACT and string.match(text, '^%d+$') and tonumber(text) or 0
end

-- Adds to a number that stands in a hash, or begins anew where something else stands in its place.
local function add(hash, field, count)
  if type(redis.pcall('HINCRBY', hash, field, count)) == 'table' then
    redis.call('HSET', hash, field, count)
  end
end
