-- KEYS: the session. ARGV: index prefix, record, now, expected etag; in a cluster also 'if-indexed': change nothing
-- unless the index, which is in another slot, is right already.
local is = state(current)
if is == 'odd' then return {ODD, current} end
if is == 'pending' then return {PENDING, current} end
if is == 'tombstone' then return moved(current, ARGV[1], KEYS[1], ARGV[3]) or {GONE} end
if is ~= 'record' or not live(current, ARGV[3]) then return {GONE} end
if etag(current) == etag(ARGV[2]) then return {REPEATED} end
if etag(current) ~= ARGV[4] then return {CONFLICT, current} end
if ARGV[5] == 'if-indexed' and not same_place_in_index(current, ARGV[2]) then return {INDEX_FIRST} end
if owner(current) ~= owner(ARGV[2]) then unindex(ARGV[1], current, KEYS[1]) end
store(ARGV[1], KEYS[1], ARGV[2], ARGV[3])
return {APPLIED}
