-- KEYS: the owner's index. ARGV: session prefix, owner, now, 'heads' or 'records', cursor, how many. Reads only. Answers
-- the next cursor, then names and values.
local reply = redis.call('ZSCAN', KEYS[1], ARGV[5], 'COUNT', ARGV[6])
local found, members = {reply[1]}, reply[2]
for i = 1, #members, 2 do
  local key = ARGV[1] .. members[i]
  local head = redis.call('GETRANGE', key, 0, 47 + #ARGV[2])
  if owned(head, ARGV[2]) and live(head, ARGV[3]) then
    found[#found + 1] = members[i]
    found[#found + 1] = ARGV[4] == 'heads' and head or redis.call('GET', key)
  end
end
return found
