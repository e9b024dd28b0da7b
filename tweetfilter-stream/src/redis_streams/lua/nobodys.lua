-- Entries that are neither pending nor new, which no lease would ever give: somebody else removed the consumer that held
-- them (XGROUP DELCONSUMER), moved the group (XGROUP SETID), or read them and said NOACK.

-- Entries that are read at once, and that one call looks through.
local FEW, LOOKED = 16, 256

-- Makes leases that have run out of such entries of a partition in which nothing is new, and says of how many. They count
-- as leased once: their outcome may be stored. Whoever calls next goes on behind what was looked through.
local function take_back(p, worker, out)
  local start, found = redis.call('HGET', counts(p), 'looked') or '-', 0
  for _ = 1, LOOKED / FEW do
    local entries, ids = redis.call('XRANGE', stream(p), start, '+', 'COUNT', FEW), {}
    for _, entry in ipairs(entries) do
      if #redis.call('XPENDING', stream(p), GROUP, entry[1], entry[1], 1) == 0 then
        ids[#ids + 1] = entry[1]
      end
    end
    if #ids > 0 then
      found = found + #ids
      for _, word in ipairs({ 'IDLE', out, 'RETRYCOUNT', 1, 'FORCE', 'JUSTID' }) do
        ids[#ids + 1] = word
      end
      redis.call('XCLAIM', stream(p), GROUP, worker, 0, unpack(ids))
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
