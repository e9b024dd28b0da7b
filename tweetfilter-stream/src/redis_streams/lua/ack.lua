-- KEYS: layout, then streams and counts. ARGV: layout id; then partition and id of each entry.
touch()
for p, ids in ipairs(ids_from(2)) do
  local removed = 0
  each_chunk(ids, function(...)
    redis.call('XACK', stream(p), GROUP, ...)
    removed = removed + redis.call('XDEL', stream(p), ...)
  end)
  if removed > 0 then
    add(counts(p), 'removed', removed)
  end
end
return 1
