-- KEYS: the session. ARGV: index prefix, record, now.
local current = redis.call('GET', KEYS[1])
if not current then
  store(ARGV[1], KEYS[1], ARGV[2], ARGV[3])
  return {APPLIED}
end
if state(current) == 'record' and etag(current) == etag(ARGV[2]) then return {REPEATED} end
return {TAKEN}
