-- KEYS: new session. ARGV: pending record. Puts it there, not yet counting, unless something stands there.
local current = redis.call('GET', KEYS[1])
local record = inner(ARGV[1])
if not current then
  redis.call('SET', KEYS[1], ARGV[1], 'PXAT', expiry(record))
  return {APPLIED}
end
local is = state(current)
if is == 'pending' and string.sub(current, 1, 52) == string.sub(ARGV[1], 1, 52) then return {APPLIED} end
if is == 'record' and etag(current) == etag(record) then return {CONFLICT} end
return {TAKEN}
