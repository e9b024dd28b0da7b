-- Entries that are neither pending nor new, which no lease would ever give: somebody else removed the consumer that held
-- them (XGROUP DELCONSUMER), moved the group (XGROUP SETID), or read them and said NOACK. And entries that are new once
-- more, since the group was moved back or made anew.
--
-- Who had them may live, and store and acknowledge them in a moment: nobody else gets them before a lease has run out, or
-- later if that one extends it.

-- Entries that are read at once, and that one call looks through.
local FEW, LOOKED = 16, 256

-- Holds entries as a lease would that begins now. They count as leased once: their outcome may be stored.
local function park(p, ids, fresh)
  local args = { unpack(ids) }
  for _, word in ipairs({ 'IDLE', fresh, 'RETRYCOUNT', 1, 'FORCE', 'JUSTID' }) do
    args[#args + 1] = word
  end
  redis.call('XCLAIM', stream(p), GROUP, NOBODY, 0, unpack(args))
end

-- Behind which id to look on. A stranger may have written there what is none.
local function looked(p)
  local start = redis.call('HGET', counts(p), 'looked') or '-'
  return redis.pcall('XRANGE', stream(p), start, '+', 'COUNT', 1).err and '-' or start
end

-- Parks such entries of a partition in which nothing is new, and says how many. Whoever calls next goes on behind what was
-- looked through.
local function take_back(p, fresh)
  local start, found = looked(p), 0
  for _ = 1, LOOKED / FEW do
    -- Behind the last id that there can be Redis refuses to look: nothing is there.
    local entries, ids = redis.pcall('XRANGE', stream(p), start, '+', 'COUNT', FEW), {}
    for _, entry in ipairs(entries) do
      if #redis.call('XPENDING', stream(p), GROUP, entry[1], entry[1], 1) == 0 then
        ids[#ids + 1] = entry[1]
      end
    end
    if #ids > 0 then
      found = found + #ids
      park(p, ids, fresh)
    end
    if #entries < FEW then
      redis.call('HDEL', counts(p), 'looked')
      -- A group that was moved beyond the end would take what comes next for read.
      redis.call('XGROUP', 'SETID', stream(p), GROUP, '$')
      return found
    end
    start = '(' .. entries[FEW][1]
  end
  redis.call('HSET', counts(p), 'looked', start)
  return found
end

-- Whether an id is no greater than another; of what is none, or longer than any that Redis makes, nobody can say so.
local function is_up_to(id, last)
  local time, number = string.match(id, '^(%d+)-(%d+)$')
  local last_time, last_number = string.match(last, '^(%d+)-(%d+)$')
  if not last_time or #last_time > EXACT or #last_number > EXACT then
    return false
  end
  if time == last_time then
    return tonumber(number) <= tonumber(last_number)
  end
  return tonumber(time) < tonumber(last_time)
end

-- Of entries that the group gives as new, those that it never gave before; it has taken the others from who had them. Those
-- are parked, and counted, and the group goes on behind all that it gave. What it is said to have given and the stream never
-- had, a stranger wrote, or it was of a stream that is gone: else whatever comes would be parked first.
local function never_given(p, entries, fresh)
  local last = redis.call('HGET', counts(p), 'read')
  if not last or not is_up_to(entries[1][1], last) or not is_up_to(last, last_added(p)) then
    return entries, 0
  end
  local never, before = {}, {}
  for _, entry in ipairs(entries) do
    if is_up_to(entry[1], last) then
      before[#before + 1] = entry[1]
    else
      never[#never + 1] = entry
    end
  end
  park(p, before, fresh)
  if #never == 0 then
    redis.call('XGROUP', 'SETID', stream(p), GROUP, last)
  end
  return never, #before
end
