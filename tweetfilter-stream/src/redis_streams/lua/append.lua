-- KEYS: layout, source, the source's gaps, then streams and counts.
-- ARGV: layout id, fence, nonce of the process, number of the batch, 1 if there is a cursor, cursor,
-- how many counts, how many gaps; then field and number of each count, each gap, partition and bytes of each entry.
-- Returns the entries of all partitions, and when the oldest of them was appended; now, if there is none. All that can be
-- refused is refused before the first write.

-- Behind the last id that there can be a stream takes no more. Where a stranger came near that, a batch might fit by half.
local LAST_TIME = '^18446744073709551615%-(%d+)$'
local known = redis.call('HMGET', KEYS[2], 'fence', 'nonce', 'batch')
if not known[1] then
  return redis.error_reply('TFFORGOTTEN nobody has claimed the source')
end
if known[1] ~= ARGV[2] then
  return redis.error_reply('TFFENCED another instance has the source')
end
local first_count = 9
local first_gap = first_count + 2 * ARGV[7]
local first_entry = first_gap + ARGV[8]
-- Asking a stream copies its first and its last entry, so only those are asked that get something.
local asked = {}
for i = first_entry, #ARGV, 2 do
  local p = tonumber(ARGV[i]) + 1
  local last = not asked[p] and string.match(last_added(p), LAST_TIME)
  if last and #last > EXACT then
    return redis.error_reply('TFSPENT ' .. stream(p))
  end
  asked[p] = true
end
local total = 0
for p = 1, partitions() do
  total = total + redis.call('XLEN', stream(p))
end
local function answer()
  local oldest = now()
  for p = 1, partitions() do
    local first = redis.call('XRANGE', stream(p), '-', '+', 'COUNT', 1)[1]
    if first then
      oldest = math.min(oldest, tonumber(string.match(first[1], '^%d+')))
    end
  end
  return { total, oldest }
end
-- The answer to this batch was lost on its way.
if known[2] == ARGV[3] and number(known[3]) >= tonumber(ARGV[4]) then
  return answer()
end
-- Entries first: they are what memory is refused for.
local added = {}
for i = first_entry, #ARGV, 2 do
  local p = tonumber(ARGV[i]) + 1
  redis.call('XADD', stream(p), '*', 'entry', ARGV[i + 1])
  added[p] = (added[p] or 0) + 1
  total = total + 1
end
for p, count in pairs(added) do
  add(counts(p), 'appended', count)
end
for i = first_gap, first_entry - 1 do
  redis.call('RPUSH', KEYS[3], ARGV[i])
end
if first_entry > first_gap then
  bound(KEYS[3], KEYS[2])
end
for i = first_count, first_gap - 1, 2 do
  add(KEYS[2], ARGV[i], ARGV[i + 1])
end
redis.call('HSET', KEYS[2], 'nonce', ARGV[3], 'batch', ARGV[4])
if ARGV[5] == '1' then
  redis.call('HSET', KEYS[2], 'cursor', ARGV[6])
end
return answer()
