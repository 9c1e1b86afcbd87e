-- KEYS: new session. ARGV: pending record. Puts it there, not yet counting, unless something stands there.
local current = redis.call('GET', KEYS[1])
local inner = string.sub(ARGV[1], 37)
if not current then
  redis.call('SET', KEYS[1], ARGV[1], 'PXAT', expiry(inner))
  return {APPLIED}
end
local is = state(current)
if is == 'pending' and string.sub(current, 1, 48) == string.sub(ARGV[1], 1, 48) then return {APPLIED} end
if is == 'record' and etag(current) == etag(inner) then return {CONFLICT} end
return {TAKEN}
