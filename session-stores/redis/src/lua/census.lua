-- KEYS: none. ARGV: session prefix, now, cursor, how many keys to look at. Reads only. Answers the next cursor, then names
-- and heads.
local prefix = ARGV[1]
local reply = redis.call('SCAN', ARGV[3], 'COUNT', ARGV[4])
local found = {reply[1]}
for _, key in ipairs(reply[2]) do
  if #key == #prefix + 64 and string.sub(key, 1, #prefix) == prefix then
    local head = redis.call('GETRANGE', key, 0, 47)
    if state(head) == 'record' and live(head, ARGV[2]) then
      found[#found + 1] = member(key)
      found[#found + 1] = head
    end
  end
end
return found
