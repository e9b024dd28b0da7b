-- What every script but the layout's has. KEYS[1] is the layout, ARGV[1] the id that it had when this process last looked.
-- The streams of the n partitions are KEYS[FIRST + 1] … KEYS[FIRST + n], and their counts the n keys after those.
local GROUP, CHUNK = 'tf', 1000
-- Has for a while what was found to be nobody's. No worker is called so.
local NOBODY = '(nobody)'
if redis.call('HGET', KEYS[1], 'id') ~= ARGV[1] then
  return redis.error_reply('TFLAYOUT the layout is gone or another one')
end

local function now()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

-- Numbers of 13 digits and more must not come out as 1e+12.
local function digits(number)
  return string.format('%.0f', number)
end

-- Where memory is used up, Redis refuses a script's first write if it could take more of it, and none after that.
-- A script that must go on all the same writes nothing first.
local function touch()
  redis.call('HDEL', KEYS[1], 'none')
end

-- A worker's name is its process's for as long as anything that was leased under it, and no shorter than before.
local function keep_name(name, who, time)
  local left = math.max(redis.call('PTTL', name), tonumber(time), 1)
  redis.call('SET', name, who, 'PX', digits(left))
end

local function stream(p)
  return KEYS[FIRST + p]
end

local function counts(p)
  return KEYS[FIRST + (#KEYS - FIRST) / 2 + p]
end

local function partitions()
  return (#KEYS - FIRST) / 2
end

-- The last id that ever stood in a stream; '' if there is no stream.
local function last_added(p)
  local about = redis.pcall('XINFO', 'STREAM', stream(p))
  for i = 1, #about, 2 do
    if about[i] == 'last-generated-id' then
      return about[i + 1]
    end
  end
  return ''
end

-- Removes a consumer, unless something is pending under it: that would be nobody's.
local function drop_consumer(p, name)
  local pending = redis.pcall('XPENDING', stream(p), GROUP, '-', '+', 1, name)
  if not pending.err and #pending == 0 then
    redis.call('XGROUP', 'DELCONSUMER', stream(p), GROUP, name)
  end
end

-- Calls a command with ids in pieces that Lua's stack takes.
local function each_chunk(ids, call)
  for at = 1, #ids, CHUNK do
    call(unpack(ids, at, math.min(at + CHUNK - 1, #ids)))
  end
end

-- ARGV from a place on is partition, id, partition, id, …: the ids by partition.
local function ids_from(at)
  local ids = {}
  for p = 1, partitions() do
    ids[p] = {}
  end
  for i = at, #ARGV, 2 do
    local list = ids[tonumber(ARGV[i]) + 1]
    list[#list + 1] = ARGV[i + 1]
  end
  return ids
end

local function lose(losses, from, to, reason, missing)
  redis.call('RPUSH', losses, cjson.encode({ from = from, to = to, reason = reason, missing = missing }))
  bound(losses, KEYS[1])
end
