-- KEYS: layout, losses, the worker's name, then streams and counts.
-- ARGV: layout id, worker, most entries, idle time at which a lease has run out, idle time that a fresh one starts
-- with, 1 if the worker is new in its process, the partition to begin with, most bytes, which process this is, which one
-- is known to be gone, or '', how long a lease lasts, idle time at which a consumer that holds nothing is removed.
-- Returns the entries of all partitions, how many of them were found to be nobody's, then partition, id, attempts, bytes of
-- each leased entry; or -1, the process that has the name, and ms until that has run out.

-- Entries that are read at once: how large they are shows only then, and what does not fit is given back.
local SOME = 16
-- No more attempts are told: a stranger may claim an entry with any number of them (XCLAIM with RETRYCOUNT).
local MOST_ATTEMPTS = 1000000000
local worker, most, out, fresh = ARGV[2], tonumber(ARGV[3]), ARGV[4], ARGV[5]
local who, time, silent = ARGV[9], ARGV[11], tonumber(ARGV[12])
local named = redis.call('GET', KEYS[3])
if named and named ~= who and named ~= ARGV[10] then
  return { -1, named, redis.call('PTTL', KEYS[3]) }
end
local n = partitions()
local total, room, space = 0, most, tonumber(ARGV[8])
local reply = { 0, 0 }
-- By partition: what was read and not taken yet, in order; the ids of what is new and was taken; of what is gone.
local queue, taken, gone = {}, {}, {}
-- By partition: its entries, how many are pending at most, whether none are new, and the last one that was.
local length, held, dry, newest = {}, {}, {}, {}
for p = 1, n do
  queue[p], taken[p], gone[p] = {}, {}, {}
end
touch()

-- What a predecessor of the same name held is nobody's.
local function inherit(p)
  local start = '-'
  repeat
    -- Behind the last id that there can be Redis refuses to look: nothing is there.
    local own = redis.pcall('XPENDING', stream(p), GROUP, start, '+', CHUNK, worker)
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

-- Workers that were killed leave their consumers; whoever begins removes those that have been silent for long.
local function drop_silent(p)
  for _, about in ipairs(redis.call('XINFO', 'CONSUMERS', stream(p), GROUP)) do
    local field = {}
    for i = 1, #about, 2 do
      field[about[i]] = about[i + 1]
    end
    if field.name ~= worker and field.pending == 0 and field.idle >= silent then
      drop_consumer(p, field.name)
    end
  end
end

local function enqueue(p, entry, attempts)
  local bytes = ''
  for i = 1, #entry[2], 2 do
    if entry[2][i] == 'entry' then
      bytes = entry[2][i + 1]
    end
  end
  queue[p][#queue[p] + 1] = { id = entry[1], bytes = bytes, attempts = attempts }
end

-- Reads leases that have run out; false if there are none. A pending entry without a body is gone: somebody else trimmed
-- it away.
local function again(p, count)
  local late = redis.call('XPENDING', stream(p), GROUP, 'IDLE', out, '-', '+', count)
  if #late == 0 then
    return false
  end
  local ids, attempts = {}, {}
  for i, pending in ipairs(late) do
    -- What Redis no longer counts is below 0.
    local before = pending[4] < 0 and MOST_ATTEMPTS or math.min(pending[4], MOST_ATTEMPTS)
    ids[i], attempts[pending[1]] = pending[1], before
  end
  local args = { unpack(ids) }
  args[#args + 1], args[#args + 2] = 'IDLE', fresh
  for _, entry in ipairs(redis.call('XCLAIM', stream(p), GROUP, worker, 0, unpack(args))) do
    if entry and entry[2] then
      enqueue(p, entry, attempts[entry[1]])
      attempts[entry[1]] = nil
    end
  end
  for _, id in ipairs(ids) do
    if attempts[id] then
      gone[p][#gone[p] + 1] = id
    end
  end
  return true
end

-- Reads entries that nobody had yet; false if there are none.
local function new(p, count)
  local read = redis.call('XREADGROUP', 'GROUP', GROUP, worker, 'COUNT', count, 'STREAMS', stream(p), '>')
  if not read or not read[1] then
    dry[p] = true
    return false
  end
  local entries, parked = never_given(p, read[1][2], fresh)
  reply[2] = reply[2] + parked
  held[p] = held[p] + #entries
  for _, entry in ipairs(entries) do
    enqueue(p, entry, 0)
    newest[p] = entry[1]
  end
  return true
end

-- Takes entries of a partition, in order, as many as fit; the first of all fits in any case.
local function draw(p, read, entries, bytes)
  while entries > 0 do
    if #queue[p] == 0 and not read(p, math.min(entries, SOME)) then
      return
    end
    local entry = queue[p][1]
    if entry then
      local size = #entry.bytes
      if size > bytes and room < most then
        return
      end
      table.remove(queue[p], 1)
      entries, bytes, room, space = entries - 1, bytes - size, room - 1, space - size
      if entry.attempts == 0 then
        taken[p][#taken[p] + 1] = entry.id
      elseif entry.attempts == 1 then
        add(counts(p), 'redelivered', 1)
      end
      for _, part in ipairs({ p - 1, entry.id, entry.attempts + 1, entry.bytes }) do
        reply[#reply + 1] = part
      end
    end
  end
end

-- The leases of a partition begin now; what did not fit is given back as if nobody had had it.
local function settle(p)
  if newest[p] then
    redis.call('HSET', counts(p), 'read', newest[p])
  end
  each_chunk(taken[p], function(...)
    local args = { ... }
    args[#args + 1], args[#args + 2], args[#args + 3] = 'IDLE', fresh, 'JUSTID'
    redis.call('XCLAIM', stream(p), GROUP, worker, 0, unpack(args))
  end)
  for _, entry in ipairs(queue[p]) do
    local before = entry.attempts
    redis.call('XCLAIM', stream(p), GROUP, worker, 0, entry.id, 'IDLE', out, 'RETRYCOUNT', before, 'JUSTID')
  end
  each_chunk(gone[p], function(...)
    redis.call('XACK', stream(p), GROUP, ...)
  end)
  if #gone[p] > 0 then
    local from, to = string.match(gone[p][1], '^%d+'), string.match(gone[p][#gone[p]], '^%d+')
    local reason = 'leased entries were removed by somebody else (XTRIM?)'
    lose(KEYS[2], tonumber(from), tonumber(to), reason, #gone[p])
  end
end

-- Leases that were taken before the clock was set back begin later than now, and would last for longer than any: they begin
-- now. Redis says of them that they have just begun, and to those that have it makes no difference. They stand before all
-- that was leased since, so the first ones tell whether there are any.
local function cut(p)
  local start, some = '-', SOME
  repeat
    local pending, by_consumer, found = redis.pcall('XPENDING', stream(p), GROUP, start, '+', some), {}, false
    for _, held in ipairs(pending) do
      if held[3] == 0 then
        local ids = by_consumer[held[2]] or {}
        ids[#ids + 1], by_consumer[held[2]], found = held[1], ids, true
      end
    end
    for consumer, ids in pairs(by_consumer) do
      ids[#ids + 1], ids[#ids + 2], ids[#ids + 3] = 'IDLE', 0, 'JUSTID'
      redis.call('XCLAIM', stream(p), GROUP, consumer, 0, unpack(ids))
    end
    if #pending < some or some == SOME and not found then
      return
    end
    start, some = '(' .. pending[#pending][1], CHUNK
  until false
end

for p = 1, n do
  local probe = redis.pcall('XPENDING', stream(p), GROUP)
  if probe.err then
    if not string.find(probe.err, 'NOGROUP', 1, true) then
      return redis.error_reply(probe.err)
    end
    if redis.call('EXISTS', stream(p)) == 0 then
      redis.call('HDEL', counts(p), 'read')
    end
    -- At 0, not at $: what is there is to be leased, again if need be.
    redis.call('XGROUP', 'CREATE', stream(p), GROUP, '0', 'MKSTREAM')
    lose(KEYS[2], now(), now(), 'the consumer group was removed by somebody else', nil)
  end
  length[p], held[p] = redis.call('XLEN', stream(p)), probe[1] or 0
  total = total + length[p]
end
if ARGV[6] == '1' or (named and named ~= who) then
  for p = 1, n do
    inherit(p)
    drop_silent(p)
  end
end
for p = 1, n do
  draw(p, again, room, space)
end
-- First a fair share of each partition, then whatever there is.
for round = 1, 2 do
  for k = 0, n - 1 do
    local p = (tonumber(ARGV[7]) + k) % n + 1
    local parts = round == 1 and n - k or 1
    draw(p, new, math.ceil(room / parts), math.ceil(space / parts))
  end
end
-- Where nothing is new, all that there is must be pending.
for p = 1, n do
  if dry[p] and length[p] > held[p] then
    reply[2] = reply[2] + take_back(p, fresh)
  end
end
for p = 1, n do
  settle(p)
  if dry[p] and held[p] > 0 then
    cut(p)
  end
end
-- Who has nothing to do writes no more often than it must.
if named ~= who or #reply > 2 or redis.call('PTTL', KEYS[3]) < time / 2 then
  keep_name(KEYS[3], who, time)
end
reply[1] = total
return reply
