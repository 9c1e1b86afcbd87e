-- KEYS: old session. ARGV: tombstone that points to the new one, now, expected etag, what stands under the new key:
-- 'pending', 'ours' (this very record, counting) or 'taken'. The one moment at which the session changes its key.
local current = redis.call('GET', KEYS[1])
local is = state(current)
if is == 'odd' then return {ODD, current} end
if is == 'tombstone' then
  if ARGV[4] ~= 'taken' and string.sub(current, 17) == string.sub(ARGV[1], 17) then return {APPLIED} end
  return moved(current, '', KEYS[1]) or {GONE}
end
if is == 'pending' then return {PENDING, current} end
if is ~= 'record' or not live(current, ARGV[2]) then return {GONE} end
if etag(current) ~= ARGV[3] then return {CONFLICT, current} end
if ARGV[4] ~= 'pending' then return {TAKEN} end
bury(KEYS[1], ARGV[1])
return {APPLIED}
