-- KEYS: old session, new session. ARGV: index prefix, record, now, expected etag, tombstone.
local current = redis.call('GET', KEYS[1])
local is = state(current)
if is == 'odd' then return {ODD, current} end
if is == 'tombstone' then
  local there = redis.call('GET', KEYS[2])
  if state(there) == 'record' and etag(there) == etag(ARGV[2]) then return {REPEATED} end
  return moved(current, ARGV[1], KEYS[1], ARGV[3]) or {GONE}
end
if is ~= 'record' or not live(current, ARGV[3]) then return {GONE} end
if etag(current) ~= ARGV[4] then return {CONFLICT, current} end
if redis.call('EXISTS', KEYS[2]) == 1 then return {TAKEN} end
store(ARGV[1], KEYS[2], ARGV[2], ARGV[3])
bury(KEYS[1], ARGV[5])
unindex(ARGV[1], current, KEYS[1])
return {APPLIED}
