-- KEYS: the session. ARGV: index prefix, tombstone. A record of a newer format is left alone.
local current = redis.call('GET', KEYS[1])
local is = state(current)
if is == 'none' then return {GONE} end
if is == 'tombstone' then return moved(current, ARGV[1], KEYS[1]) or {GONE} end
if is == 'odd' and string.match(current, '^S[2-9]') then return {ODD, current} end
bury(KEYS[1], ARGV[2])
if is == 'record' then unindex(ARGV[1], current, KEYS[1]) end
return {APPLIED}
