-- KEYS: new session. ARGV: etag. A pending record whose commit is known begins to count.
local current = redis.call('GET', KEYS[1])
local is = state(current)
if is == 'record' then return {APPLIED} end
if is ~= 'pending' then return {GONE} end
local inner = string.sub(current, 37)
if etag(inner) ~= ARGV[1] then return {GONE} end
redis.call('SET', KEYS[1], inner, 'PXAT', expiry(inner))
return {APPLIED}
