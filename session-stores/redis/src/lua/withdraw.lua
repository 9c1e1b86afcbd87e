-- KEYS: new session. ARGV: etag. Takes back a pending record whose commit is known to have been refused.
local current = redis.call('GET', KEYS[1])
if state(current) == 'pending' and etag(inner(current)) == ARGV[1] then redis.call('DEL', KEYS[1]) end
return {APPLIED}
