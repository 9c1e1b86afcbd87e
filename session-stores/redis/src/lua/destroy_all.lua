-- KEYS: the owner's index. ARGV: session prefix, owner, now, tombstone, the member to spare or ''.
local ended = 0
for _, name in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
  local key = ARGV[1] .. name
  local value = redis.call('GET', key)
  if name ~= ARGV[5] and (not value or string.match(value, '^S1')) then
    if state(value) == 'record' and owner(value) == ARGV[2] then
      if live(value, ARGV[3]) then ended = ended + 1 end
      bury(key, ARGV[4])
    end
    redis.call('ZREM', KEYS[1], name)
  end
end
return ended
