-- KEYS: the owner's index. ARGV: member, the moment from which it is surely dead, now. Never moves a member earlier.
redis.call('ZADD', KEYS[1], 'GT', text(millis(ARGV[2])), ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', text(millis(ARGV[3])))
local last = redis.call('ZREVRANGE', KEYS[1], 0, 0, 'WITHSCORES')
if last[2] then redis.call('PEXPIREAT', KEYS[1], text(tonumber(last[2]) + SLACK)) end
return {APPLIED}
