-- KEYS: layout, losses, then streams and counts.
-- ARGV: layout id, worker, most entries, idle time at which a lease has run out, idle time that a fresh one starts
-- with, 1 if the worker is new in its process, the partition to begin with.
-- Returns the entries of all partitions, then partition, id, attempts, bytes of each leased entry.
local worker, most, out, fresh = ARGV[2], tonumber(ARGV[3]), ARGV[4], ARGV[5]
local n = partitions()
local total, room = 0, most
local reply = { 0 }
touch()

local function take(p, id, fields, attempts)
  local bytes = ''
  for i = 1, #fields, 2 do
    if fields[i] == 'entry' then
      bytes = fields[i + 1]
    end
  end
  for _, part in ipairs({ p - 1, id, attempts, bytes }) do
    reply[#reply + 1] = part
  end
end

-- What a predecessor of the same name held is nobody's.
local function inherit(p)
  local start = '-'
  repeat
    local own = redis.call('XPENDING', stream(p), GROUP, start, '+', CHUNK, worker)
    local ids = {}
    for i, pending in ipairs(own) do
      ids[i] = pending[1]
    end
    if #ids > 0 then
      ids[#ids + 1], ids[#ids + 2], ids[#ids + 3] = 'IDLE', out, 'JUSTID'
      redis.call('XCLAIM', stream(p), GROUP, worker, 0, unpack(ids))
      start = '(' .. own[#own][1]
    end
  until #own < CHUNK
end

-- Leases that have run out. A pending entry without a body was trimmed away by somebody else.
local function again(p)
  if room <= 0 then
    return
  end
  local late = redis.call('XPENDING', stream(p), GROUP, 'IDLE', out, '-', '+', math.min(room, CHUNK))
  if #late == 0 then
    return
  end
  local ids, attempts = {}, {}
  for i, pending in ipairs(late) do
    ids[i], attempts[pending[1]] = pending[1], pending[4]
  end
  local args = { unpack(ids) }
  args[#args + 1], args[#args + 2] = 'IDLE', fresh
  local second = 0
  for _, entry in ipairs(redis.call('XCLAIM', stream(p), GROUP, worker, 0, unpack(args))) do
    if entry and entry[2] then
      local before = attempts[entry[1]]
      attempts[entry[1]] = nil
      second = second + (before == 1 and 1 or 0)
      room = room - 1
      take(p, entry[1], entry[2], before + 1)
    end
  end
  if second > 0 then
    redis.call('HINCRBY', counts(p), 'redelivered', second)
  end
  local gone = {}
  for _, id in ipairs(ids) do
    if attempts[id] then
      gone[#gone + 1] = id
    end
  end
  if #gone > 0 then
    redis.call('XACK', stream(p), GROUP, unpack(gone))
    local from, to = string.match(gone[1], '^%d+'), string.match(gone[#gone], '^%d+')
    local reason = 'leased entries were removed by somebody else (XTRIM?)'
    lose(KEYS[2], tonumber(from), tonumber(to), reason, #gone)
  end
end

local function new(p, share)
  if share <= 0 then
    return
  end
  local read = redis.call('XREADGROUP', 'GROUP', GROUP, worker, 'COUNT', share, 'STREAMS', stream(p), '>')
  if not read or not read[1] then
    return
  end
  local ids = {}
  for i, entry in ipairs(read[1][2]) do
    ids[i] = entry[1]
    room = room - 1
    take(p, entry[1], entry[2], 1)
  end
  each_chunk(ids, function(...)
    local args = { ... }
    args[#args + 1], args[#args + 2], args[#args + 3] = 'IDLE', fresh, 'JUSTID'
    redis.call('XCLAIM', stream(p), GROUP, worker, 0, unpack(args))
  end)
end

for p = 1, n do
  local probe = redis.pcall('XPENDING', stream(p), GROUP)
  if probe.err then
    if not string.find(probe.err, 'NOGROUP', 1, true) then
      return redis.error_reply(probe.err)
    end
    -- At 0, not at $: what is there is to be leased, again if need be.
    redis.call('XGROUP', 'CREATE', stream(p), GROUP, '0', 'MKSTREAM')
    lose(KEYS[2], now(), now(), 'the consumer group was removed by somebody else', nil)
  end
  total = total + redis.call('XLEN', stream(p))
end
if ARGV[6] == '1' then
  for p = 1, n do
    inherit(p)
  end
end
for p = 1, n do
  again(p)
end
-- First a fair share of each partition, then whatever there is.
for round = 1, 2 do
  for k = 0, n - 1 do
    local p = (tonumber(ARGV[7]) + k) % n + 1
    new(p, round == 1 and math.ceil(room / (n - k)) or room)
  end
end
reply[1] = total
return reply
