-- KEYS: the owner's index. ARGV: session prefix, owner, now, 'count' or 'list'. Reads only.
local found, count = {}, 0
local members = redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. text(millis(ARGV[3])), '+inf')
for _, name in ipairs(members) do
  local value = redis.call('GET', ARGV[1] .. name)
  if state(value) == 'record' and owner(value) == ARGV[2] and live(value, ARGV[3]) then
    count = count + 1
    if ARGV[4] == 'list' then
      found[#found + 1] = name
      found[#found + 1] = value
    end
  end
end
if ARGV[4] == 'list' then return found end
return count
