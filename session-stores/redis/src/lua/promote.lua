-- KEYS: new session. ARGV: etag. A pending record whose commit is known begins to count.
local current = redis.call('GET', KEYS[1])
local is = state(current)
if is == 'record' then return {APPLIED} end
if is ~= 'pending' then return {GONE} end
local record = inner(current)
if etag(record) ~= ARGV[1] then return {GONE} end
redis.call('SET', KEYS[1], record, 'PXAT', expiry(record))
return {APPLIED}
