-- KEYS: layout, then streams and counts. ARGV: layout id; then partition and id of each entry.
-- Returns whether any of them is there.
for p, ids in ipairs(ids_from(2)) do
  for _, id in ipairs(ids) do
    if #redis.call('XRANGE', stream(p), id, id) > 0 then
      return 1
    end
  end
end
return 0
