-- KEYS: the session. ARGV: index prefix, new idle deadline and its checksum, now. Reads the head only and writes 12 bytes of it.
-- In a cluster the answer names the owner where the index, which is in another slot, has to follow.
local head = redis.call('GETRANGE', KEYS[1], 0, 87)
local is = state(head)
if is == 'odd' then return {ODD, head} end
if is == 'pending' then return {PENDING, redis.call('GET', KEYS[1])} end
if is ~= 'record' or not live(head, ARGV[3]) then return {GONE} end
if before(idle(head), ARGV[2]) then
  redis.call('SETRANGE', KEYS[1], 20, ARGV[2])
  if owner(head) then
    head = redis.call('GETRANGE', KEYS[1], 0, 47 + owner_length(head))
  end
  head = string.sub(head, 1, 20) .. ARGV[2] .. string.sub(head, 33)
  redis.call('PEXPIREAT', KEYS[1], expiry(head))
  index(ARGV[1], head, KEYS[1], ARGV[3])
  if ARGV[1] == '' and owner(head) and absolute(head) == NEVER then return {APPLIED, owner(head)} end
end
return {APPLIED}
